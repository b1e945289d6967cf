"""A source that collapses into a few files stops the run; a fork with twins does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.config import AlarmOptions
from stackcurate.errors import StopError
from stackcurate.pipeline import alarm
from stackcurate.pipeline.fetch import Body
from stackcurate.releases.facts import Previous
from stackcurate.storage.partitions import write_arrow


def lay_out(folder: Path, rows: list[tuple[str, str, str | None]]):
    """One body of (repository, language, row key of the kept twin); row n has the key k<n>."""
    folder.mkdir()
    count = len(rows)
    twins = [twin for _, _, twin in rows]
    keys = [f"k{n}" for n in range(count)]
    sizes = [1 + twins.count(key) for key in keys]
    body = pa.table(
        {
            "row": pa.array(range(count), pa.int32()),
            "origin": [repo for repo, _, _ in rows],
            "license_class": ["permissive"] * count,
            "language": [language for _, language, _ in rows],
        }
    )
    verdicts = [None if twin is None else "dedup:near" for twin in twins]
    kept = pa.table(
        {
            "verdict": pa.array(verdicts, pa.string()),
            "kept_row_key": pa.array(twins, pa.string()),
            "cluster_size": pa.array([s if s > 1 else None for s in sizes], pa.int64()),
        }
    )
    write_arrow(folder / "rows.arrow", body)
    write_arrow(folder / "keep.arrow", kept)
    write_arrow(folder / "listing.arrow", pa.table({"input": pa.array([0] * count, pa.int32())}))
    np.save(folder / "keys.npy", np.array(keys, "S32"))
    return Body(0, 0, folder)


def check(tmp_path: Path, rows, before=None, **limits):
    body = lay_out(tmp_path / "body", rows)

    def do(phase, task, items):
        for item in items:
            task(item)
        return [item.out for item in items]

    options = replace(AlarmOptions(files=50, cluster=20), **limits)
    run = SimpleNamespace(
        config=SimpleNamespace(alarm=options, sources=[SimpleNamespace(kind="git")]),
        place=lambda *parts: tmp_path / "alarm",
        do=do,
    )
    found = [SimpleNamespace(number=0, path=body.folder / "listing.arrow")]
    return alarm.watch(run, [SimpleNamespace(source=0)], found, [body], [body.folder], before)


COLLAPSE = [("good/a", "C", None)] + [("bad/b", "Lua", "k0")] * 99 + [("good/a", "C", None)] * 200


def test_a_collapsed_repository_stops_and_is_named(tmp_path: Path):
    with pytest.raises(StopError) as error:
        check(tmp_path, COLLAPSE)
    said = str(error.value)
    assert "repository bad/b: 99 of 99 files" in said and "99 to k0" in said
    assert "language Lua: 99 of 99" in said and "good/a" not in said and "source" not in said
    assert error.value.exit_code == 4


def test_limits_can_be_raised_and_small_groups_are_not_judged(tmp_path: Path):
    check(tmp_path, COLLAPSE, repository=1, language=1)
    for part in ("body", "alarm"):
        (tmp_path / part).rename(tmp_path / f"old-{part}")
    check(tmp_path, COLLAPSE, files=100)


def test_a_fork_whose_files_have_their_twins_is_no_alarm(tmp_path: Path):
    fork = [("good/a", "C", None)] * 200 + [("fork/a", "C", f"k{n}") for n in range(200)]
    check(tmp_path, fork)


def test_a_rise_since_the_last_release(tmp_path: Path):
    fork = [("good/a", "C", None)] * 200 + [("fork/a", "C", f"k{n}") for n in range(200)]
    then = {"kept": {"files": 95}, "dropped": {"dedup": {"near": {"files": 5}}}}
    before = Previous({"counts": {"sources": {"1 git": then}}}, "")
    with pytest.raises(StopError, match=r"source 1 git: dedup dropped 50.0% .* 5.0%"):
        check(tmp_path, fork, before)


def test_a_rise_of_one_repository_license_or_language(tmp_path: Path):
    """What a release tells of its groups is what the next one is held against."""
    rows = [("good/a", "C", None)] * 200 + [("fork/a", "Lua", None)] * 200
    (tmp_path / "one").mkdir()
    told = check(tmp_path / "one", rows)
    assert told.to_pylist() == [
        {"kind": "language", "group": "C", "files": 200, "dropped": 0, "fell": 0},
        {"kind": "language", "group": "Lua", "files": 200, "dropped": 0, "fell": 0},
        {"kind": "license", "group": "permissive", "files": 400, "dropped": 0, "fell": 0},
        {"kind": "repository", "group": "fork/a", "files": 200, "dropped": 0, "fell": 0},
        {"kind": "repository", "group": "good/a", "files": 200, "dropped": 0, "fell": 0},
        {"kind": "source", "group": "1 git", "files": 400, "dropped": 0, "fell": 0},
    ]
    pq.write_table(told, tmp_path / "one" / "dedup_groups.parquet")
    before = Previous({"counts": {"sources": {}}}, "", folder=tmp_path / "one")
    fell = rows[:200] + [("fork/a", "Lua", "k0")] * 80 + rows[280:]
    twins = rows[:200] + [("fork/a", "Lua", f"k{n}") for n in range(80)] + rows[280:]
    for name in ("two", "three", "four"):
        (tmp_path / name).mkdir()
    with pytest.raises(StopError) as error:
        check(tmp_path / "two", fell, before)
    said = str(error.value)
    assert "repository fork/a: dedup dropped 40.0% of its files, and 0.0%" in said
    assert "language Lua: dedup dropped 40.0%" in said
    assert not any(name in said for name in ("good/a", "language C", "license", "source 1"))
    assert check(tmp_path / "three", fell, before, rise=0.4).num_rows == 6
    with pytest.raises(StopError) as error:  # each to a twin of its own: a better fork came
        check(tmp_path / "four", twins, before)
    assert "language Lua" in str(error.value) and "repository" not in str(error.value)
