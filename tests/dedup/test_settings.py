"""Settings refuse what cannot work, and their curve is the formula's."""

from __future__ import annotations

import dataclasses

import pytest

from stackcurate.dedup.settings import Settings
from stackcurate.errors import ConfigError


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"threshold": 1.1},
        {"permutations": 8},
        {"ngram": 0},
        {"bands": 0},
        {"rows": 0},
        {"bands": 43},
        {"seed": -1},
        {"scope": "planet"},
        {"estimate_margin": 2},
        {"links": 0},
        {"links": 65},
        {"cluster": "stars"},
    ],
)
def test_wrong_settings_name_the_key(wrong):
    with pytest.raises(ConfigError, match=rf"dedup\.({'|'.join([*wrong, 'reach'])})"):
        Settings(**wrong)


def test_curve():
    ours, published = Settings(), Settings(permutations=250, bands=25, rows=10)
    assert ours.probability(0.7) == pytest.approx(0.995, abs=0.001)
    assert published.probability(0.7) == pytest.approx(0.51, abs=0.01)
    curve = ours.curve()
    assert len(curve) == 21 and curve[0] == (0.0, 0.0) and curve[-1] == (1.0, 1.0)
    assert [p for _, p in curve] == sorted(p for _, p in curve)


def test_width_grows_up_to_reach():
    assert [Settings().width(n) for n in range(5)] == [1, 8, 64, 64, 64]
    assert Settings(links=3, reach=3).width(40) == 3


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().threshold = 0.5  # type: ignore[misc]
