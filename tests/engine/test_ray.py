"""The engine for a cluster keeps the promises of the local one. Needs the extra `ray`."""

from __future__ import annotations

from functools import partial

import pytest

pytest.importorskip("ray", reason="the extra stackcurate[ray] is not installed")

from stackcurate.engine.base import Failure
from stackcurate.engine.ray import RayEngine
from stackcurate.errors import InputError

from .test_local import act, square


@pytest.fixture(scope="module")
def engine():
    with RayEngine(2) as engine:
        yield engine


def test_every_item_comes_back_under_its_number(engine: RayEngine) -> None:
    assert sorted(engine.map(square, range(7))) == [(n, n * n) for n in range(7)]


def test_a_dead_a_hanging_and_a_raising_task_fail_and_the_rest_goes_on(engine, tmp_path) -> None:
    items = ["a", "die", "b", "hang", "raise", "c"]
    results = dict(engine.map(partial(act, str(tmp_path)), items, timeout=10))
    assert [results[n] for n in (0, 2, 5)] == ["a", "b", "c"]
    assert results[1].reason == "crashed"
    assert results[3].reason == "timeout"
    assert results[4].reason == "crashed" and "hunter2" not in results[4].message
    for item in ("die", "hang", "raise"):  # each was tried twice
        assert len((tmp_path / item).read_text().split()) == 2
    assert all(not isinstance(results[n], Failure) for n in (0, 2, 5))


def test_an_error_of_ours_ends_the_map(engine, tmp_path) -> None:
    with pytest.raises(InputError):
        list(engine.map(partial(act, str(tmp_path)), ["hang", "input"], timeout=30))
