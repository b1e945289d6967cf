"""Groups matches into statements and says the expression of each, as ScanCode does.

Matches within four lines belong together; "licensed under:" belongs to what follows it; a bare
"GPL" in the middle of nowhere states nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stackcurate.licenses.expression import ids, normalize
from stackcurate.licenses.matcher import Match
from stackcurate.licenses.query import LINES_APART
from stackcurate.licenses.rules import (
    CLUE,
    FREE_UNKNOWN,
    INTRO,
    POINTS_TO_FILE,
    TAG,
    UNKNOWN,
)

_BARE = ("gpl_bare", "freeware_bare", "public-domain_bare")
_LATE = 1000  # lines after which a short match of low relevance is nothing


class Detection(NamedTuple):
    """Matches that state one thing; ``expression`` is None where they are mere clues."""

    expression: str | None
    matches: list[Match]


def groups(matches: Sequence[Match]) -> Iterator[list[Match]]:
    """Matches that belong together, by place."""
    group: list[Match] = []
    for match in matches:
        if not group:
            group = [match]
        elif group[-1].flags & INTRO:
            group.append(match)
        elif match.flags & INTRO:
            yield group
            group = [match]
        elif match.flags & CLUE:
            yield group
            yield [match]
            group = []
        elif match.line <= group[-1].last_line + LINES_APART:
            group.append(match)
        else:
            yield group
            group = [match]
    if group:
        yield group


def _is_intro(match: Match) -> bool:
    exact = match.kind == "2-aho" or match.coverage == 100
    return bool(match.flags & (INTRO | CLUE | FREE_UNKNOWN)) and exact


def _is_unknown_intro(match: Match) -> bool:
    return bool(match.flags & UNKNOWN and match.flags & (INTRO | CLUE | FREE_UNKNOWN))


def _introduces(group: Sequence[Match]) -> bool:
    """Whether an unknown introduction stands before what it introduces."""
    if len(group) == 1 or all(map(_is_unknown_intro, group)):
        return False
    seen = False
    for match in group:
        if _is_unknown_intro(match):
            seen = True
        elif seen and match.coverage >= 100 and not match.flags & UNKNOWN:
            return True
    rest = _without_intros(group)
    # None covers its rule beyond all of it, so this asks only whether introductions fell away.
    return seen and len(rest) != len(group)


def _without_intros(group: Sequence[Match]) -> list[Match]:
    return [match for match in group if not _is_intro(match)] or list(group)


def _has_extra_words(group: Sequence[Match]) -> bool:
    return any(match.coverage * match.relevance / 100 - match.score > 0 for match in group)


def _is_nothing(group: Sequence[Match], said: Sequence[str]) -> bool:
    """Whether all that matched are words that licenses have and other texts too."""
    if all("copyright" in text or "(c)" in text for text in said):
        return False
    if all(match.relevance == 100 for match in group):
        return False
    low = all(match.relevance < 60 for match in group)
    short = all(match.length == 1 for match in group)
    bare = all(any(name in match.rule for name in _BARE) for match in group)
    if len(group) == 1 and bare and low:
        return True
    if short and all("gpl" in match.rule for match in group):
        return True
    late = min(match.line for match in group) > _LATE
    if low and late and any(match.length <= 3 for match in group):
        return True
    return short and all(match.flags & TAG for match in group)


def _is_exact(group: Sequence[Match]) -> bool:
    kinds = ("1-hash", "1-spdx-id", "2-aho")
    return all(match.kind in kinds and match.coverage == 100 for match in group)


def _stating(group: Sequence[Match], said: Sequence[str]) -> Sequence[Match]:
    """The matches whose expressions a group states; none for clues and for nothing."""
    if _introduces(group):
        return _without_intros(group)
    if not _has_extra_words(group) and any(match.flags & POINTS_TO_FILE for match in group):
        return group
    if _is_nothing(group, said):
        return ()
    exact = _is_exact(group)
    if exact and all(match.flags & CLUE for match in group):
        return ()
    unknown = any(match.flags & UNKNOWN for match in group)
    if unknown or exact:
        return group
    return () if all(match.coverage <= 60 for match in group) else group


def _together(matches: Sequence[Match]) -> str | None:
    parts = dict.fromkeys(match.expression for match in matches)
    return normalize(" AND ".join(f"({part})" for part in parts)) if parts else None


def detect(matches: Sequence[Match], said: Sequence[str]) -> list[Detection]:
    """What ``matches`` state; ``said`` is the text of each in lower case.

    Clues count where the licenses they name are stated elsewhere in the text.
    """
    texts = dict(zip(map(id, matches), said, strict=True))
    found = []
    for group in groups(matches):
        stating = _stating(group, [texts[id(match)] for match in group])
        found.append(Detection(_together(stating), group))
    if len(found) == 1:
        return found
    stated = frozenset().union(*(ids(one.expression) for one in found if one.expression))
    for place, (expression, group) in enumerate(found):
        if expression is None and not (_is_exact(group) and all(m.flags & CLUE for m in group)):
            all_of_it = _together(group)
            if all_of_it and ids(all_of_it) <= stated:
                found[place] = Detection(all_of_it, group)
    return found
