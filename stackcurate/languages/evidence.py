"""Decides shared extensions by what the file holds, in one bounded linear pass per file.

The rules are data (tables/languages.evidence.yaml). The patterns of all candidates run together as
one RE2 set, so time grows with the bytes read and never with what the bytes are.
"""

from __future__ import annotations

import functools

import re2

from stackcurate.languages.table import Names, facts

HEAD_BYTES = 50 * 1024
ENOUGH = 2  # points that the best candidate needs at least
CLEAR = 2  # how many times the points of the next candidate it needs
SET_MEMORY = 64 << 20  # bytes of automaton per set of candidates, kept while states are reused


class Evidence:
    """The compiled rules of one set of candidates."""

    def __init__(self, candidates: Names) -> None:
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # bytes: hostile input is not UTF-8
        options.max_mem = SET_MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._rules: list[tuple[str, int]] = []
        for language in candidates:
            for weight, pattern in facts().evidence.get(language, ()):
                self._set.Add(f"(?m){pattern}".encode())
                self._rules.append((language, weight))
        if self._rules:
            self._set.Compile()

    def points(self, data: bytes) -> dict[str, int]:
        """Points of each candidate that the first HEAD_BYTES of ``data`` speak for."""
        total: dict[str, int] = {}
        if self._rules:
            for number in self._set.Match(data[:HEAD_BYTES]) or ():
                language, weight = self._rules[number]
                total[language] = total.get(language, 0) + weight
        return total


@functools.lru_cache(maxsize=512)
def evidence(candidates: Names) -> Evidence:
    """The rules for ``candidates``, compiled once per process."""
    return Evidence(candidates)


def decide(candidates: Names, data: bytes) -> tuple[str, int] | None:
    """The candidate that ``data`` clearly speaks for and its lead in points, None where unclear."""
    points = evidence(candidates).points(data)
    ranked = sorted(points.items(), key=lambda item: (-item[1], item[0]))
    if not ranked:
        return None
    best, score = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0
    if score < ENOUGH or score < CLEAR * second:
        return None
    return best, score - second
