"""The sample release, built once through the command line for all tests that look at it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .driving import SAMPLE, Said, Site, sample_site


@dataclass(frozen=True)
class Sample:
    """The sample site after `stackcurate run configs/v2.1.yaml`, and what the command said."""

    site: Site
    said: Said

    @property
    def release(self) -> Path:
        return self.site.release


@pytest.fixture(scope="session")
def expected() -> dict[str, Any]:
    return json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """From nothing: no previous release, no license cache, two workers."""
    made = sample_site(tmp_path_factory.mktemp("sample") / "site")
    said = made.run("--workers", 2)
    assert said.code == 0, said.all
    return Sample(made, said)


@pytest.fixture(scope="session")
def cache(sample: Sample) -> Path:
    """License answers of the sample run, so that other runs need not load ScanCode."""
    return sample.site.cache
