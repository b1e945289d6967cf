"""The known licenses that a text is most like, and the words in which they differ; for reviewers.

Compares runs of three words with the texts of ScanCode's database. This is a help for eyes, and
decides nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stackcurate.licenses import words as w
from stackcurate.licenses.policy import table

LONGEST = 8000  # words of a text that are compared one by one
_RUN = 12  # words of a difference that are shown
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")


class Close(NamedTuple):
    """A known license, and which share of its and the text's runs of words both have (0 to 1)."""

    id: str
    license_class: str
    similarity: float
    text: str


class Difference(NamedTuple):
    """Words at one place: what only the text has, and what only the known license has."""

    added: str
    missing: str


class _Known(NamedTuple):
    id: str
    text: str
    runs: NDArray[np.uint64]


def _runs(text: str) -> NDArray[np.uint64]:
    """Distinct runs of three words as hashes, sorted; copyright lines do not count."""
    found = w.words(text.encode("utf-8", "replace")).hashes
    if len(found) < 3:
        return np.unique(found)
    left, middle = found[:-2] * np.uint64(31), found[1:-1] * np.uint64(1_000_003)
    return np.unique(left ^ middle ^ found[2:])


@lru_cache(maxsize=1)
def _known() -> tuple[_Known, ...]:
    """Every license text of ScanCode's database, read once per process (some 2 s)."""
    return tuple(_read(_folder()))


def _folder() -> Path:
    found = find_spec("licensedcode")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "data" / "licenses"


def _read(folder: Path) -> Iterator[_Known]:
    for path in sorted(folder.glob("*.LICENSE")):
        _, _, rest = path.read_text(encoding="utf-8").partition("---\n")
        _, _, text = rest.partition("\n---\n")
        license_ = table().find(path.stem)
        if license_ is not None and text.strip():
            yield _Known(license_.id, text.strip(), _runs(text))


def closest(text: str, count: int = 3) -> list[Close]:
    """The ``count`` known licenses most like ``text``, the best first; fewer where few share runs.

    Of equally good ones the smallest id comes first, because the database may hold a text twice.
    """
    runs = _runs(text)
    found = []
    for one in _known():
        if len(one.runs) and len(runs):
            shared = len(np.intersect1d(runs, one.runs, assume_unique=True))
            found.append((2 * shared / (len(runs) + len(one.runs)), one))
    best = sorted((pair for pair in found if pair[0]), key=lambda pair: (-pair[0], pair[1].id))
    return [
        Close(one.id, getattr(table().find(one.id), "license_class", "unknown"), score, one.text)
        for score, one in best[:count]
    ]


def differences(text: str, known: str) -> list[Difference]:
    """Where the words of ``text`` differ from those of ``known``, in order; case does not count."""
    mine, theirs = (_WORD.findall(one)[:LONGEST] for one in (text, known))
    matcher = difflib.SequenceMatcher(
        None, [one.lower() for one in theirs], [one.lower() for one in mine], autojunk=False
    )
    return [
        Difference(_shown(mine[c:d]), _shown(theirs[a:b]))
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    ]


def _shown(words: list[str]) -> str:
    more = f" … ({len(words):,} words)" if len(words) > _RUN else ""
    return " ".join(words[:_RUN]) + more
