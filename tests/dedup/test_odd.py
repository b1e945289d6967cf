"""Files that are no ordinary code cost bounded work each: told by counts, not by the clock."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stackcurate.dedup.match import dedup
from stackcurate.dedup.near import sets, signatures
from stackcurate.dedup.settings import Settings
from stackcurate.kernels.shingles import MAX_SHINGLES

from .test_match import edited, made_text
from .twin import File, PicklingEngine, StoredTexts, decide, jaccard, lay_out, plain_shingles

ALL = Settings(scope="all")


def minified(seed: int, statements: int) -> str:
    pick = random.Random(seed)
    return "".join(
        f"var {chr(97 + pick.randrange(26))}{pick.randrange(999)}=f({pick.randrange(10**6)});"
        for _ in range(statements)
    )


def test_minified_one_liners_are_compared_like_any_code(tmp_path: Path):
    one = minified(1, 4000)
    other = one.replace("var a", "var  a").replace(";", " ;") + minified(2, 100)
    files = [File("one", one, 1), File("other", other, 2), File("else", minified(3, 4000), 3)]
    assert all("\n" not in file.text for file in files)
    outcomes, summary = decide(tmp_path, [files], ALL)
    truth = jaccard(plain_shingles(one.encode()), plain_shingles(other.encode()))
    assert outcomes["other"].kept == "one"
    assert outcomes["other"].similarity == pytest.approx(truth)
    assert (outcomes["else"].kept, summary.comparisons) == (None, 1)


@pytest.mark.parametrize("links", [1, 4])
def test_generated_tables_meet_a_bounded_number_of_others(tmp_path: Path, links: int):
    """120 tables with one head and rows of their own: alike, but not enough, each with each."""
    head = " ".join(f"column{n} type{n % 7} width{n * 3}" for n in range(400))
    files = [File(f"t{n}", f"{head} {made_text(n, 700)}", n) for n in range(120)]
    few = Settings(scope="all", links=links, reach=4, estimate_margin=0.3)
    _, summary = decide(tmp_path, [files], few)
    assert summary.kept == 120 and summary.giant_buckets > 0
    # In each of its buckets a file meets no more than `reach` better ones, in all rounds together.
    assert sum(done.pairs for done in summary.rounds) <= 120 * few.bands * few.reach
    most = 120 * 119 // 2
    assert 0 < summary.comparisons <= sum(done.pairs for done in summary.rounds) < most
    assert len(summary.rounds) <= 4


@dataclass(frozen=True)
class OnceTexts(StoredTexts):
    """Refuses to give a text twice."""

    def __call__(self, part: int, rows: np.ndarray) -> pa.Array:
        for row in rows.tolist():
            (self.folder / f"read-{part}-{row}").touch(exist_ok=False)
        return super().__call__(part, rows)


def test_no_text_is_read_twice_in_all_rounds(tmp_path: Path):
    """Tables as above in two parts: each round compares files that the rounds before it did."""
    head = " ".join(f"column{n} type{n % 7} width{n * 3}" for n in range(400))
    files = [File(f"t{n}", f"{head} {made_text(n, 700)}", n) for n in range(40)]
    few = Settings(scope="all", reach=8, estimate_margin=0.3)
    parts = lay_out(tmp_path, [files[::2], files[1::2]], few)
    summary = dedup(parts, OnceTexts(tmp_path), PicklingEngine(), tmp_path / "work", few)
    asked = [done.compared for done in summary.rounds]
    assert len([count for count in asked if count]) > 1
    assert 20 < len(list(tmp_path.glob("read-*"))) <= len(files) < 2 * sum(asked)


def test_pairs_grow_with_the_files_and_not_with_their_square(tmp_path: Path):
    """A family of copies of one file with small edits, at two sizes."""
    original = made_text(1, 400)
    pairs = []
    for count in (60, 240):
        family = [File(f"f{n}", edited(original, 0.01, n), n) for n in range(count)]
        _, summary = decide(tmp_path / str(count), [family], ALL)
        assert summary.kept < 5
        pairs.append(sum(done.pairs for done in summary.rounds) / count)
    assert pairs[1] < 1.5 * pairs[0]


def test_one_repeated_token_is_one_shingle_whatever_its_length(tmp_path: Path):
    files = [File(str(n), "0, " * 10**n, n) for n in range(1, 6)]
    outcomes, summary = decide(tmp_path, [files], ALL)
    assert [outcomes[str(n)].kept for n in range(1, 6)] == [None, "1", "1", "1", "1"]
    assert {outcomes[str(n)].similarity for n in range(2, 6)} == {1}
    assert summary.comparisons == 4


def test_files_of_100_mb_keep_within_their_bounds():
    """More different shingles than the bound: exact comparison only, and no set is ever made."""
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz012345", np.uint8)
    many = letters[np.random.default_rng(3).integers(0, 32, 100_000_000, dtype=np.uint8)]
    many[7::8] = ord(" ")
    same = np.tile(np.frombuffer(b"word ", np.uint8), 20_000_000)
    offsets = np.array([0, len(many), len(many) + len(same)], np.int64)
    data = np.concatenate([many, same])
    texts = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), 2, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    assert len(many) // 8 > MAX_SHINGLES
    signed = signatures(texts, ALL)
    assert signed["shingles"].to_pylist() == [0, 1]
    assert signed["signature"].null_count == 1
    bounds, hashes = sets(texts, ALL)
    assert np.diff(bounds).tolist() == [0, 1] and len(hashes) == 1
