"""The scan database that a process leaves for the next one."""

from __future__ import annotations

import numpy as np
import pytest

from stackcurate.redaction import scan

hyperscan = pytest.importorskip("hyperscan", reason="without its wheel nothing is kept")
PATTERNS = {3: b"abc", 7: b"fo+[0-9]"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = tmp_path / "kept" / "scan.hs"
    monkeypatch.setattr(scan, "_place", lambda *_: place)
    return place


def hits() -> set[tuple[int, int]]:
    data = np.frombuffer(b"xx foo1 abc\nabc", np.uint8)
    found = scan.HyperscanScanner(PATTERNS).hits(data, np.array([0, len(data)]))
    return set(zip(*(side.tolist() for side in found), strict=True))


def test_a_kept_database_finds_the_same_and_is_not_compiled_again(place, monkeypatch) -> None:
    first = hits()
    assert first == {(7, 6), (3, 10), (3, 14)} and place.is_file()
    monkeypatch.setattr(scan, "_compiled", lambda *_: pytest.fail("compiled again"))
    assert hits() == first


@pytest.mark.parametrize("damage", [lambda raw: raw[:40], lambda raw: b"", lambda raw: raw[::-1]])
def test_a_damaged_one_is_compiled_anew(place, damage) -> None:
    first = hits()
    place.write_bytes(damage(place.read_bytes()))
    assert hits() == first


def test_a_folder_that_cannot_be_written_costs_only_time(place) -> None:
    place.parent.write_text("a file where the folder should be")
    assert hits()


def test_other_patterns_are_kept_elsewhere() -> None:
    assert scan._place(hyperscan, PATTERNS) == scan._place(hyperscan, dict(PATTERNS))
    assert scan._place(hyperscan, PATTERNS) != scan._place(hyperscan, {**PATTERNS, 3: b"abd"})
