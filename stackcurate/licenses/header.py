"""What a file says about its own license at its top: SPDX tags, and notices known word for word.

Permissive words count only when they are certain: a well-formed tag that opens its comment line,
or a notice that is in ScanCode's database word for word and stands in the comment that opens the
file. Words of copyleft, secrecy or refusal count sooner, because missing them would launder a
file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stackcurate.licenses import heads, texts
from stackcurate.licenses import words as w
from stackcurate.licenses.detect import settle, tag_value
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.manifests import UNKNOWN, spoken
from stackcurate.licenses.riders import riders, sentences

SHORTEST = 5  # words of a known notice that counts as one
SCHEMA = pa.schema([("header_expression", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
_IGNORE = re.compile(rb"REUSE-IgnoreStart.*?(?:REUSE-IgnoreEnd|\Z)|SPDX-SnippetBegin.*?(?:SPDX-SnippetEnd|\Z)", re.S)  # fmt: skip  # noqa: E501
# What may stand before a tag on its line: signs of comments, and the words that are such signs.
_BEFORE = re.compile(
    rb"[^A-Za-z0-9\x80-\xff]*(?:(?:dnl|rem|c|@rem|@c)\s+)?[^A-Za-z0-9\x80-\xff]*\Z", re.I
)
_LEADER = re.compile(r"^[\s*#/;%!|>.\"'-]*(?:dnl |rem )?")
# A word of these that no known notice explains is looked at closely.
_STRONG = np.unique(
    w.hashes_of([
    "gpl", "lgpl", "agpl", "gplv2", "gplv3", "gplv2+", "gplv3+", "lgplv2", "lgplv3", "gpl2",
    "gpl3", "lesser", "affero", "proprietary", "confidential", "noncommercial", "commercial",
    "training", "ai", "unauthorized", "unauthorised", "secret", "evil", "academic", "copyleft",
    "mpl", "sspl", "busl", "gnu", "cddl", "epl", "eupl", "prohibited", "tdm", "llm", "scraping",
]))  # fmt: skip
_UNDER = (
    r"(?:under|terms|terms of|licensed|license|licence|licensed as|covered by|subject to|released|"
    r"license:|conditions of|copyright:?)"
)
_GNU = re.compile(
    rf"\b{_UNDER}\b[^.]{{0,80}}?\b(?:(gnu )?(affero|lesser|library)? ?general public licen[cs]e|"
    r"([al]?)gpl(?:[- ]?v?(?:ersion)?[- ]?([123])(?:\.(\d))?)?(\+)?)((?:[^.]|\.\d){0,120})",
    re.I,
)
_VERSION = re.compile(r"\b(?:version|v)?\.?\s*([123])(?:\.(\d))?\b")
_LATER = re.compile(
    r"or (?:\(at your option\) )?(?:any )?(?:later|newer|greater|above)|\+|at your option"
)
_CLOSED = re.compile(
    r"\bproprietary and confidential\b|\bconfidential and proprietary\b|\btrade secrets?\b|"
    r"\bunauthori[sz]ed (?:copying|use|distribution|reproduction|disclosure)\b|"
    r"\bcompany confidential\b|\bstrictly (?:confidential|prohibited)\b"
)
_OTHERS = re.compile(
    rf"\b{_UNDER}\b[^.]{{0,60}}?\b(mozilla public license|mpl|eclipse public license|epl|cddl|"
    r"common development and distribution license|server side public license|sspl|"
    r"business source license|busl|eupl|european union public licen[cs]e)\b"
)
_GNU_ID = re.compile(r"\b[AL]?GPL-")
_CLOSED_ID = "LicenseRef-scancode-proprietary-license"


def _gnu_id(found: re.Match[str]) -> str:
    """The SPDX id of a GNU license named in free words."""
    kind = {"affero": "AGPL", "lesser": "LGPL", "library": "LGPL"}.get((found[2] or "").lower(), "")
    kind = kind or (found[3] or "").upper() + "GPL"
    rest = found[7] or ""
    number, minor = found[4], found[5]
    if number is None:
        version = _VERSION.search(rest[:40])
        number, minor = (version[1], version[2]) if version else (None, None)
    later = bool(found[6]) or bool(_LATER.search(rest))
    if number is None:
        return {"AGPL": "AGPL-3.0-or-later", "LGPL": "LGPL-2.0-or-later"}.get(
            kind, "GPL-1.0-or-later"
        )
    text = f"{kind}-{number}.{minor or 0}"
    return f"{text}-{'or-later' if later else 'only'}"


def strict_words(comment: str) -> list[str]:
    """Expressions of what a comment says against its reader: copyleft, closed, no AI; sorted.

    Only what takes rights away is read from free words, never what grants them.
    """
    found = set()
    text = re.sub(r"[\s*#/;|>\"-]+", " ", comment.lower().replace("-", " "))
    for gnu in _GNU.finditer(text):
        found.add(_gnu_id(gnu))
    for sentence in sentences(comment):
        if _CLOSED.search(sentence):
            found.add(_CLOSED_ID)
        if _OTHERS.search(sentence):
            found.add(UNKNOWN)
    found.update(rider for rider in riders(comment) if rider.endswith("no-ai"))
    return sorted(found)


@lru_cache(maxsize=65536)
def _read_tag(line: str, following: str) -> str | None:
    """The expression of a tag's line; a broken one is unknown, ``NOASSERTION`` is none."""
    expression = tag_value(line)
    if expression is None and (line.count("(") > line.count(")") or _dangling(line)):
        expression = tag_value(f"{line.strip()} {_LEADER.sub('', following)}")
    if expression in ("NOASSERTION", "NONE"):
        return None
    if expression is None:
        value = re.sub(r"\s*(?:\*/|-->|\*\)).*", "", line).strip()
        return (spoken(value) or UNKNOWN) if value else None
    return expression


def _dangling(line: str) -> bool:
    return re.search(r"(?i)\b(?:and|or|with)\s*\W*$", line) is not None


def _tags(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> dict[int, list[tuple[int, int, str]]]:
    """Row -> (byte of the tag, byte after its line, expression) of every tag that counts."""
    out = np.empty(((len(offsets) - 1) * heads.MAX_TAGS + 1, 2), np.int64)
    count = heads.find_tags(data, offsets, out)
    found: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for row, at in out[:count].tolist():
        begin, stop = int(offsets[row]), int(offsets[row + 1])
        tag = at - 24  # the length of "SPDX-License-Identifier:"
        before = data[max(begin, tag - 100) : tag].tobytes()
        before = before[before.rfind(b"\n") + 1 :]
        if not _BEFORE.match(before):
            continue
        lines = data[at : min(stop, at + 600)].tobytes().split(b"\n", 2)
        # A quoted tag is a string of a program that writes tags.
        if re.search(rb"[\"'`]", before) and re.search(rb"[\"'`]", lines[0]):
            continue
        if _ignored(data, begin, tag):
            continue
        following = lines[1].decode("utf-8", "replace") if len(lines) > 1 else ""
        expression = _read_tag(lines[0].decode("utf-8", "replace").rstrip("\r"), following)
        if expression is not None:
            found[row].append((tag - begin, at + len(lines[0]) - begin, expression))
    return found


def _ignored(data: NDArray[np.uint8], begin: int, tag: int) -> bool:
    head = data[begin:tag].tobytes()
    if b"REUSE-Ignore" not in head and b"SPDX-Snippet" not in head:
        return False
    return any(span.end() == len(head) for span in _IGNORE.finditer(head))


def _notices(
    data: NDArray[np.uint8], offsets: NDArray[np.int64]
) -> dict[int, list[tuple[int, int, str]]]:
    """Row -> (first byte, byte after, expression) of notices and of strict words."""
    index = texts.load()
    out = np.empty(((len(offsets) - 1) * 8 + 64, 4), np.int64)
    ask = np.zeros(len(offsets) - 1, np.uint8)
    count = heads.find_notices(
        data, offsets, texts._power(), index.anchor_words, index.slots, index.anchors, index.count,
        index.digest, _STRONG, out, ask,
    )  # fmt: skip
    found: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for row, start, end, rule in out[:count].tolist():
        kind = index.kind[rule]
        expression = index.expressions[index.expression[rule]]
        if kind in (texts.TEXT, texts.NOTICE) and index.count[rule] >= SHORTEST and expression:
            begin = int(offsets[row])
            found[row].append((start - begin, end - begin, expression))
    for row in np.flatnonzero(ask).tolist():
        begin = int(offsets[row])
        stop = int(heads.comment_end(data, begin, min(int(offsets[row + 1]), begin + heads.HEAD)))
        said = _strict(data[begin:stop].tobytes(), tuple(found.get(row, ())))
        found[row].extend((0, stop - begin, expression) for expression in said)
    return found


def _strict(comment: bytes, known: tuple[tuple[int, int, str], ...]) -> list[str]:
    """Strict words of what no known notice covers, and its riders where a notice stands beside."""
    rest = bytearray(comment)
    for start, end, _ in known:
        rest[start:end] = b"\n\n"
        break_at = end - start - 2
        rest[start + 2 : start + 2] = b" " * max(0, break_at)
    text = bytes(rest).decode("utf-8", "replace")
    said = strict_words(text)
    if any(_GNU_ID.search(expression) for _, _, expression in known):
        # A notice that names its GNU license goes on to speak of it.
        said = [expression for expression in said if not _GNU_ID.search(expression)]
    return sorted({*said, *riders(text, bans=False)}) if known else said


def headers(contents: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The license each file states about itself: SPDX expression and byte span, or null.

    ``contents`` is string or binary, large or not; a null content states nothing. A tag is the
    whole statement of a file that has one; otherwise all notices of its leading comment bind
    together.
    """
    if isinstance(contents, pa.ChunkedArray):
        contents = contents.combine_chunks()
    array = contents.cast(pa.large_binary())
    buffers = array.buffers()
    offsets = np.frombuffer(buffers[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(buffers[2], np.uint8) if buffers[2] is not None else np.empty(0, np.uint8)
    if array.null_count:  # the bytes below a null are not specified
        valid = array.is_valid().to_numpy(zero_copy_only=False)
        array = array.fill_null(b"") if not valid.all() else array
        buffers = array.buffers()
        offsets = np.frombuffer(buffers[1], np.int64)[array.offset : array.offset + len(array) + 1]
        data = np.frombuffer(buffers[2], np.uint8)
    expressions: list[str | None] = [None] * len(array)
    starts: list[int | None] = [None] * len(array)
    ends: list[int | None] = [None] * len(array)
    if len(array):
        found = _notices(data, offsets) | _tags(data, offsets)
        for row, parts in found.items():
            if parts:
                expressions[row] = _settled(tuple(part[2] for part in parts))
                starts[row] = min(part[0] for part in parts)
                ends[row] = max(part[1] for part in parts)
    return pa.table([expressions, starts, ends], schema=SCHEMA)


@lru_cache(maxsize=65536)
def _settled(expressions: tuple[str, ...]) -> str | None:
    # Notices of the GNU licenses name their version once and speak of "the GPL" after that.
    named = [text for text in expressions if text != "GPL-1.0-or-later"]
    expression = settle(named if any(_GNU_ID.search(text) for text in named) else expressions)
    return None if license_class(expression) == "unstated" else expression
