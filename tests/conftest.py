"""The sample release, built once through the command line for all tests that look at it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .driving import SAMPLE, Said, Site, sample_site

# Longest first: a file is one worker's, and what is long must not be left alone at the end. The
# matcher's kernels, which other files use, are compiled by the first.
LONG = [
    "licenses/test_matcher.py", "pipeline/test_wide.py", "pipeline/test_disk.py",
    "pipeline/test_traps.py", "pipeline/test_kill.py", "pipeline/test_licenses.py",
    "pipeline/test_earlier.py", "test_end_to_end.py", "pipeline/test_reproduce.py",
    "cli/test_commands.py", "pipeline/test_release.py", "pipeline/test_canaries.py",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    order = {tests / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(LONG)))


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
