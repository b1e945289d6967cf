"""One pass of all scan patterns over the whole buffer: which rule may match near which byte.

Hyperscan does it at memory speed. Where its wheel is missing google-re2 does, then ``re``: slower,
and equal in result, because a hit only names a region (``kernels/regions.py``) for the exact rules
to look at, and all engines name every region in which a scan pattern matches.
"""

from __future__ import annotations

import importlib
import os
import re
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..kernels.regions import cuts
from .rules import Table

ENGINES = ("hyperscan", "re2", "re")
VARIABLE = "STACKCURATE_REDACT_ENGINE"


class Scanner(Protocol):
    """Finds (rule numbers, positions of the last byte of a match), in any order."""

    def hits(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...


@lru_cache(maxsize=8)
def scanner(table: Table, active: tuple[int, ...], engine: str | None = None) -> Scanner:
    """The scanner of ``engine``; by default the one named in the environment, else the fastest.

    Only the rules whose numbers are in ``active`` are looked for.
    """
    engine = engine or os.environ.get(VARIABLE) or None
    if engine not in (None, *ENGINES):
        raise ConfigError(f"{VARIABLE}: {engine!r} is not one of {', '.join(ENGINES)}")
    for name, make in (("hyperscan", HyperscanScanner), ("re2", Re2Scanner), ("re", ReScanner)):
        if engine not in (None, name):
            continue
        try:
            return make({number: table.rules[number].scan for number in active})
        except ImportError:
            if engine:
                raise ConfigError(f"the scan engine {name} is not installed here") from None
    raise AssertionError("re is always there")


class HyperscanScanner:
    """All patterns in one block-mode database. Matches over a file's end only add idle hits."""

    def __init__(self, patterns: dict[int, bytes]) -> None:
        hyperscan = importlib.import_module("hyperscan")
        self.lock = threading.Lock()  # a database has one scratch space
        self.database: Any = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self.database.compile(
            expressions=list(patterns.values()),
            ids=list(patterns),
            elements=len(patterns),
            flags=[0] * len(patterns),
        )

    def hits(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rules: list[int] = []
        places: list[int] = []

        def note(rule: int, start: int, end: int, flags: int, context: object) -> None:
            rules.append(rule)
            places.append(end)

        if data.size:
            with self.lock:
                self.database.scan(data.data, match_event_handler=note)
        return np.array(rules, np.int64), np.array(places, np.int64) - 1


class Re2Scanner:
    """RE2: its set says which patterns a file holds, then each of those is searched by itself."""

    def __init__(self, patterns: dict[int, bytes]) -> None:
        re2 = importlib.import_module("re2")
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = 512 << 20
        options.log_errors = False
        self.numbers = list(patterns)
        self.patterns = [re2.compile(pattern, options) for pattern in patterns.values()]
        self.set: Any = re2.Set.SearchSet(options)
        for pattern in patterns.values():
            self.set.Add(pattern)
        self.set.Compile()

    def hits(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rules: list[int] = []
        places: list[int] = []
        for start, text in _pieces(data, offsets):
            for place in self.set.Match(text) or ():
                for match in self.patterns[place].finditer(text):
                    rules.append(self.numbers[place])
                    places.append(start + match.end() - 1)
        return np.array(rules, np.int64), np.array(places, np.int64)


class ReScanner:
    """Python's ``re``, one pattern after the other: the last resort, and the tests' plain truth."""

    def __init__(self, patterns: dict[int, bytes]) -> None:
        self.patterns = {number: re.compile(pattern) for number, pattern in patterns.items()}

    def hits(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rules: list[int] = []
        places: list[int] = []
        for start, text in _pieces(data, offsets):
            for rule, pattern in self.patterns.items():
                for match in pattern.finditer(text):
                    rules.append(rule)
                    places.append(start + match.end() - 1)
        return np.array(rules, np.int64), np.array(places, np.int64)


def _pieces(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
    """Files, cut where regions of long lines meet: matches that do not overlap must not cross."""
    for file in range(offsets.size - 1):
        bounds = cuts(data, int(offsets[file]), int(offsets[file + 1]))
        for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            yield start, data[start:end].tobytes()
