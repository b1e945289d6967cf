"""A repository of more files than a partition holds goes through every phase in little memory."""

from __future__ import annotations

import pytest

from .wide import EACH, run


@pytest.fixture(scope="module")
def wide(tmp_path_factory, cache):
    return run(tmp_path_factory.mktemp("wide"), 220_000, cache)


def test_every_file_has_its_outcome(wide) -> None:
    assert wide["code"] == 0, wide.get("said")
    total = wide["counts"]["total"] if "total" in wide["counts"] else wide["counts"]
    half = wide["files"] // 2
    assert total["listed"]["files"] == wide["files"] == wide["ledger"] == 220_000
    assert total["kept"]["files"] == 21  # twenty texts and a license
    assert total["dropped"]["choose"]["copy"]["files"] == half - 21
    assert total["dropped"]["fetch"]["missing"]["files"] == half
    assert half % EACH == 0


def test_no_process_grows_with_it(wide) -> None:
    assert wide["peak_mb"] < 1500
