"""The spill gives every row back, whichever way it took over the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.pipeline import ship, spill
from stackcurate.pipeline.spill import Way
from stackcurate.storage import passing

from ..driving import assert_same_bytes, call, code, repository, site


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(max_size=40), max_size=60), st.integers(1, 50),
    st.builds(Way, st.booleans(), st.booleans()), st.data(),
)  # fmt: skip
def test_what_is_spilled_comes_back_row_by_row(tmp_path_factory, texts, batch, way, data) -> None:
    path = tmp_path_factory.mktemp("spill") / "spill.arrow"
    padded = pa.array(["before", *texts, "behind"], pa.large_string())
    old, spill.BATCH_BYTES = spill.BATCH_BYTES, batch
    try:
        order = np.array(data.draw(st.permutations(range(len(texts)))), np.int64)
        spill.write_spill(path, padded.slice(1, len(texts)), order, way)
    finally:
        spill.BATCH_BYTES = old
    reader = spill.open_spill(path, mapped=not way.passing)
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), unique=True)) if texts else []
    wanted = np.array(sorted(rows), np.int64)
    assert reader.read(wanted)["content"].to_pylist() == [texts[order[n]] for n in wanted]


def test_a_spill_that_passes_the_memory_changes_no_byte(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        repository(tmp_path / "git" / name, {f"{name}.py": code(name), "both.py": code("both")})
    built = site(tmp_path, [{"kind": "git", "path": "git"}], cache)
    assert call("run", built.config).code == 0
    kept = built.release.rename(tmp_path / "kept")
    shutil.rmtree(built.run_folder)
    seen: list[int] = []
    for module in (spill, ship):
        monkeypatch.setattr(module, "is_bulk", lambda size: seen.append(size) or True)
    assert call("run", built.config).code == 0
    assert len(seen) == 2 and min(seen) > 0
    assert_same_bytes(kept, built.release)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux lists open files there")
def test_files_written_behind_are_closed_again(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) - len(passing._behind)
    for number in range(3 * passing.BEHIND):
        path = tmp_path / str(number)
        path.write_bytes(b"text" * 1000)
        passing.write_behind(path)
        path.rename(path.with_suffix(".whole"))
    assert len(os.listdir("/proc/self/fd")) - before == passing.BEHIND
    for path in tmp_path.iterdir():
        passing.give_back(path)
        assert path.read_bytes() == b"text" * 1000


def test_bulk_is_told_by_the_memory_of_the_machine() -> None:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert passing.is_bulk(memory // 2)
    assert not passing.is_bulk(memory // 8)
