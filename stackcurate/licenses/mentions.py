"""What a license text says of other licenses than its own, and which file it says to see.

Python's license tells at length which of its versions the GPL is compatible with; "released under
the GPL" stands there, about other software. Only sentences that compare are told apart: one that
speaks of a part ("includes code under the GPL") states something about the whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from stackcurate.licenses.choices import REFERENCE
from stackcurate.licenses.expression import combine, ids, normalize
from stackcurate.licenses.spoken import UNKNOWN

Placed = tuple[dict[str, Any], tuple[int, int]]
SHORT = 6  # words of a rule that names a license; longer ones say more than a name
NEAR = 300  # bytes on each side that are looked at for the sentence
_END = re.compile(r"[.;!?](?=\s)|\n\s*\n")
# What stands between the beginning of a sentence and a license that it compares with.
_COMPARED = re.compile(
    r"\b(?:unlike|(?:in)?compatib(?:le|ility)\W{1,3}with)(?: the)?(?: gnu)? \Z|"
    r"\bgpl-compatible\b[^.;]* (?:doesn't|does not) mean\b[^.;]* (?:under )?\Z|"
    r"\bcombin\w+ [^.;]{1,60} with other [^.;]{1,60}\Z"
)
# The license that a text was under before the one that it states.
_FORMER = re.compile(
    r"\b(?:(?:earlier|older|previous) (?:releases|versions)|"
    r"(?:releases?|versions?) (?:before|prior to|up to|until|older than))\b[^;]* \Z|"
    r"\b(?:used to be|formerly|(?:was|were) (?:once|formerly|"
    r"until \S+))\b[^.;]*? (?:the )?(?:gnu )?\Z|"
    r"\b(?:left|dropped|abandoned|replac(?:es|ed)|(?:moved|switched|changed|"
    r"relicensed) (?:away )?from|"
    r"no longer (?:\w+ )?under|instead of|rather than)(?: the)?(?: gnu)? \Z"
)
_COMPATIBLE = re.compile(r"l?gpl[\s-]{1,3}(?:in)?compatible")
_COMPOUND = re.compile(r"-(?:in)?compatib")
_VAGUE = frozenset((REFERENCE, "LicenseRef-scancode-other-permissive"))
_PERMISSIVE = re.compile(r"(?i)licen[cs]e, (?:which is )?a permissive")
_SEE = re.compile(
    r"(?i)\W*(?:please )?see (?:the )?(?:accompanying |included )?(?:file |files )?"
    r"[\"'`]?(?:licen[cs]e|copying)[\w.-]*[\"'`]?(?: file)?"
    r"(?: for (?:more |full |further )?(?:details|information|terms))?\W*"
)


def without(
    data: bytes, given: Sequence[dict[str, Any]], placed: Sequence[Placed]
) -> tuple[list[dict[str, Any]], list[Placed]]:
    """Detections and their placed matches without what only compares, or points to a file.

    Pointers, and that a license is permissive, fall away where it is named beside them.
    """
    places = iter(placed)
    told, kept = [], []
    former = [_is_compared(data, *one, _FORMER) and not _is_still(data, one[1]) for one in placed]
    asides = iter(former if not all(former) else [False] * len(former))
    for detection in given:
        mine = [next(places) for _ in detection["matches"]]
        left = [one for one in mine if not (next(asides) or _is_compared(data, *one, _COMPARED))]
        left = _without_pointers(data, left)
        if len(left) < len(mine):
            said = combine(one["expression"] for one, _ in left)
            detection = {"expression": said, "matches": [one for one, _ in left]}
        if left:
            told.append(detection)
            kept += left
    return told, kept


def _is_compared(
    data: bytes, match: Mapping[str, Any], span: tuple[int, int], pattern: re.Pattern[str]
) -> bool:
    """Whether a match is a name that its sentence only compares something with."""
    if match.get("length", SHORT + 1) > SHORT:
        return False
    start, end = span
    if _COMPATIBLE.fullmatch(data[start:end].decode("utf-8", "replace").lower()):
        return True
    after = data[end : end + 20].decode("utf-8", "replace").lower()
    if _COMPOUND.match(after):
        return True
    before = data[max(0, start - NEAR) : start].decode("utf-8", "replace").lower()
    sentence = " ".join(_END.split(before)[-1].replace("’", "'").split()) + " "
    return pattern.search(sentence) is not None


def _is_still(data: bytes, span: tuple[int, int]) -> bool:
    """Whether a sentence goes on to say that what was so is so."""
    after = data[span[1] : span[1] + NEAR].decode("utf-8", "replace").lower()
    return re.search(r"\b(?:still|remains?|and is)\b", _END.split(after)[0]) is not None


def _without_pointers(data: bytes, placed: list[Placed]) -> list[Placed]:
    named = [one for one in placed if not _points(one[0])]
    pointers = [one for one in placed if _points(one[0])]
    intros = [one for one in pointers if one[0]["rule"].startswith("license-intro")]
    seen = [one for one in pointers if _follows(data, one[1], named)]
    return named if seen and len(seen) + len(intros) == len(pointers) else placed


def _follows(data: bytes, span: tuple[int, int], named: Sequence[Placed]) -> bool:
    """Whether a pointer stands right behind the name of a license."""
    said = " ".join(data[span[0] : span[1]].decode("utf-8", "replace").split())
    beside = any(end - 40 <= span[0] <= end + 40 for _, (_, end) in named)
    return beside and (_SEE.fullmatch(said) or _PERMISSIVE.fullmatch(said)) is not None


def _points(match: Mapping[str, Any]) -> bool:
    return ids(normalize(match["expression"]) or UNKNOWN) <= _VAGUE
