"""Texts made here, and one ScanCode process for the tests that need it."""

import hashlib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.scancode import Answer, Judge


def body(key: str) -> str:
    """The text of a license as the installed ScanCode data holds it."""
    folder = distribution("scancode-toolkit").locate_file("licensedcode/data/licenses")
    path = Path(str(folder)) / f"{key}.LICENSE"
    return path.read_text(encoding="utf-8").split("---", 2)[2].strip()


class NoJudge:
    """Stands for the full matcher where a test must not need it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def ask(self, texts):
        self.texts += texts
        return [Answer(failure="crashed") for _ in texts]


def text(data: str | bytes, kind: str = "license_file", name: str = "LICENSE") -> Text:
    raw = data.encode() if isinstance(data, str) else data
    return Text(hashlib.sha1(raw).digest(), name, kind, raw)


def rows(*items: Text, judge=None, cache=None, steps=None):
    """EVIDENCE rows as dicts, by default without the full matcher."""
    found = detect_texts(items, cache or Cache(), judge or NoJudge(), steps)
    return found.to_pylist()


@pytest.fixture(scope="session")
def judge():
    with Judge(limit=60) as one:
        yield one
