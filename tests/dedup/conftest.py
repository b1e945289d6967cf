"""Dedup writes many small files; the tests need them whole, not safe from a power cut."""

from __future__ import annotations

import pytest

from stackcurate.storage import partitions


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(partitions, "sync", lambda path: None)
