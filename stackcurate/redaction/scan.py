"""One pass of all scan patterns over the whole buffer: which rule may match near which byte.

Rules for long numbers stand behind a gate: only regions that hold one (``kernels/digits.py``) are
shown to their patterns, whose many words would otherwise cost as much as all others together. So do
rules that ask for a name such as password or token: one pattern finds the names.

Hyperscan does it at memory speed. Where its wheel is missing google-re2 does, then ``re``: slower,
and equal in result, because a hit only names a region (``kernels/regions.py``) for the exact rules
to look at, and all engines name every region in which a scan pattern matches.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import platform
import re
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..kernels.digits import long_numbers
from ..kernels.regions import cuts, joined, regions
from .rules import Table

ENGINES = ("hyperscan", "re2", "re")
VARIABLE = "STACKCURATE_REDACT_ENGINE"


class Scanner(Protocol):
    """Finds (rule numbers, positions of the last byte of a match), in any order."""

    def hits(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]: ...


Patterns = dict[int, bytes]  # by number of the rule


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
            return _gated(table, active, make)
        except ImportError:
            if engine:
                raise ConfigError(f"the scan engine {name} is not installed here") from None
    raise AssertionError("re is always there")


def _gated(table: Table, active: tuple[int, ...], make: Callable[[Patterns], Scanner]) -> Scanner:
    def behind(gate: str | None) -> Patterns:
        return {n: table.rules[n].scan for n in active if table.rules[n].gate == gate}

    front, names, numbers = behind(None), behind("names"), behind("numbers")
    if not (names or numbers):
        return make(front)
    gate = len(table.rules)  # a number that no rule has
    if names:
        front[gate] = table.gate
    return GatedScanner(
        gate, make(front), make(names) if names else None, make(numbers) if numbers else None
    )


class GatedScanner:
    """``front`` sees everything; the others see only regions with a name, or with a long number.

    A hit of ``front`` with the number ``gate`` is a name.
    """

    def __init__(
        self, gate: int, front: Scanner, names: Scanner | None, numbers: Scanner | None
    ) -> None:
        self.gate = gate
        self.front = front
        self.names = names
        self.numbers = numbers

    def hits(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rules, places = self.front.hits(data, offsets)
        named = rules == self.gate
        found = [(rules[~named], places[~named])]
        if self.names:
            found.append(_shown(self.names, data, offsets, np.sort(places[named])))
        if self.numbers:
            found.append(_shown(self.numbers, data, offsets, long_numbers(data, offsets)))
        return np.concatenate([one for one, _ in found]), np.concatenate([at for _, at in found])


def _shown(
    scanner: Scanner,
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    places: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What ``scanner`` finds in the regions around ``places``, ascending, none on a line feed."""
    _, starts, ends = regions(data, offsets, places)
    fresh = np.diff(starts, prepend=-1) != 0
    starts, ends = starts[fresh], ends[fresh]
    shown, bounds = joined(data, starts, ends)
    rules, seen = scanner.hits(shown, bounds)
    return rules, seen + (starts - bounds[:-1])[np.searchsorted(bounds, seen, "right") - 1]


class HyperscanScanner:
    """All patterns in one block-mode database. Matches over a file's end only add idle hits."""

    def __init__(self, patterns: Patterns) -> None:
        hyperscan = importlib.import_module("hyperscan")
        self.lock = threading.Lock()  # a database has one scratch space
        self.database: Any = _kept(hyperscan, patterns) or _compiled(hyperscan, patterns)

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


def _compiled(hyperscan: Any, patterns: Patterns) -> Any:
    """A database of the patterns: some seconds of work, so it is left beside this file."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=list(patterns.values()),
        ids=list(patterns),
        elements=len(patterns),
        flags=[0] * len(patterns),
    )
    with contextlib.suppress(OSError):  # it may be read-only: the next process compiles too
        place = _place(hyperscan, patterns)
        place.parent.mkdir(exist_ok=True)
        part = place.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(hyperscan.dumpb(database))
        part.replace(place)
    return database


def _kept(hyperscan: Any, patterns: Patterns) -> Any:
    """The database that an earlier process left; None where there is none for this machine."""
    try:
        raw = _place(hyperscan, patterns).read_bytes()
        database = hyperscan.loadb(raw, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except (OSError, hyperscan.error):  # of another version, another processor, or cut short
        return None
    return database


def _place(hyperscan: Any, patterns: Patterns) -> Path:
    """Where Python keeps what it compiled of this package."""
    name = repr((sorted(patterns.items()), hyperscan.__version__, platform.processor()))
    digest = hashlib.sha256(name.encode()).hexdigest()[:24]
    return Path(__file__).parent / "__pycache__" / f"scan.{digest}.hs"


class Re2Scanner:
    """RE2: its set says which patterns a file holds, then each of those is searched by itself."""

    def __init__(self, patterns: Patterns) -> None:
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

    def __init__(self, patterns: Patterns) -> None:
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
