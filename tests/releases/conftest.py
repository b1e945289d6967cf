"""One finished release for the tests of this folder; whoever changes it copies it first."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackcurate import report
from stackcurate.releases.publish import publish

from .helpers import corpus, facts, staging


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    rows = corpus()
    files = staging(folder / "staging", rows)
    publish(folder / "staging", folder / "v1.0.0", facts(files, rows), report.html_of)
    return folder / "v1.0.0"
