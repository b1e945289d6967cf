"""What a file says about its own license at its top: SPDX tags, and notices in its first comment.

A tag that opens its comment line is the whole statement. Else the matcher reads the comment that
opens the file: texts and notices count, mentions do not. Words of copyleft, secrecy or refusal
count sooner, because missing them would launder a file.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stackcurate.licenses import claims, heads, readings
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.choices import REFERENCE
from stackcurate.licenses.claims import BEFORE, ELSEWHERE
from stackcurate.licenses.detect import UNDETERMINED, settle, tag_value
from stackcurate.licenses.doubts import doubtful, takes_back
from stackcurate.licenses.expression import combine, ids, is_strict, license_class, normalize
from stackcurate.licenses.names import TAG
from stackcurate.licenses.policy import OPEN, RANK
from stackcurate.licenses.readings import Span, is_neutral
from stackcurate.licenses.riders import ALTERED, NO_AI, RESTRICTED, limits_abroad, riders, sentences
from stackcurate.licenses.spoken import UNKNOWN, spoken
from stackcurate.licenses.strict import limits, named, strict_words
from stackcurate.schema import conform

NEAR = 500  # bytes around notices in which sentences may be about them
MEMORY = 20_000  # comments whose reading is kept
SCHEMA = pa.schema(
    [
        ("header_expression", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("elsewhere", pa.string()),  # what it says where it only points: "see the file LICENSE"
        ("rule", pa.string()),  # what matched, as in EVIDENCE
        ("matcher", pa.string()),
        ("score", pa.float32()),
    ]
)
# A snippet's license binds the file that it stands in; notices in snippets are not searched.
_IGNORE = re.compile(rb"REUSE-IgnoreStart.*?(?:REUSE-IgnoreEnd|\Z)", re.S)
_SNIPPET = re.compile(rb"SPDX-SnippetBegin.*?(?:SPDX-SnippetEnd|\Z)", re.S)
# Tags are read by themselves, and what is set aside is not read.
_SET_ASIDE = re.compile(
    rb"(?i:SPDX-License-Identifier:)[^\r\n]*|" + _IGNORE.pattern + rb"|" + _SNIPPET.pattern, re.S
)
_LEADER = re.compile(r"^[\s*#/;%!|>.\"'-]*(?:dnl |rem )?")
_SEE = re.compile(r"(?i)see (?:the )?(?:file )?[\w./-]*(?:licen[cs]e|copying)[\w./-]*\Z")
_TAG_LINE = re.compile(rb"(?i)SPDX-License-Identifier:[ \t]*[(\w][^\r\n]*")
# The end of a paragraph; code may follow a comment that has none.
_EMPTY = re.compile(
    rb"\n(?=(?:import|from [\w.]+ import|use|using|package|require|module|namespace|"
    rb"#[ \t]*(?:include|define|if|pragma)|<\?)\b)|"
    rb"\n[\s*#/;%!|>$.\"'-]*\n|\*/|\"\"\"|'{3}"
)
# Sentences that speak of the license and not of what the code does.
_ABOUT_IT = re.compile(
    r"\b(?:this|the) (?:software|licen[sc]e|permission|grant)\b|\A\W*use (?:in|of|for|by)\b|"
    r"\bredistribut(?:ion|ed|e)\b|\bcommercial\w*\b|\blicen[sc]ed?\b"
)
_GNU_ID = re.compile(r"\b[AL]?GPL-")
# As heads.find_speaking has them.
_STEMS = re.compile(b"(?i)gpl|gnu|" + b"|".join(map(re.escape, heads.STEMS)))
_MISSPELT = re.compile(rb"(?i)\bspdx[- ]identifier:")  # read as "License:"
# Signs of comments that are letters, made spaces: "C     it under the terms of".
_LETTERS = re.compile(rb"(?mi)^[ \t]*@?(?:c|dnl|rem)(?=[ \t\r\n])")


class Top(NamedTuple):
    """The top of a file, and whether it is a comment."""

    text: bytes
    comment: bool

    @property
    def key(self) -> bytes:
        person = b"" if self.comment else b"text"
        return hashlib.blake2b(self.text, digest_size=16, person=person).digest()


class Part(NamedTuple):
    """One thing that a header says: first byte, byte after, expression, and how that is known."""

    start: int
    end: int
    expression: str
    rule: str
    matcher: str
    score: float


Said = tuple[Part, ...]
WORDS = "words"  # matcher of strict words and riders


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
        if _SEE.match(value):
            return REFERENCE
        return (spoken(value) or UNKNOWN) if value else None
    return expression


def _dangling(line: str) -> bool:
    return re.search(r"(?i)\b(?:and|or|with)\s*\W*$", line) is not None


def _tags(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> dict[int, Said]:
    """Row -> every tag that counts, from its first byte to the end of its line."""
    out = np.empty(((len(offsets) - 1) * heads.MAX_TAGS + 1, 2), np.int64)
    count = heads.find_tags(data, offsets, out)
    found: dict[int, list[Part]] = defaultdict(list)
    for row, at in out[:count].tolist():
        begin, stop = int(offsets[row]), int(offsets[row + 1])
        tag = at - 24  # the length of "SPDX-License-Identifier:"
        before = data[max(begin, tag - 100) : tag].tobytes()
        before = before[before.rfind(b"\n") + 1 :]
        if not BEFORE.match(before):
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
            end = at + len(lines[0]) - begin
            found[row].append(Part(tag - begin, end, expression, TAG, TAG, 100.0))
    return {row: tuple(said) for row, said in found.items()}


def _ignored(data: NDArray[np.uint8], begin: int, tag: int) -> bool:
    head = data[begin:tag].tobytes()
    if b"REUSE-Ignore" not in head:
        return False
    return any(span.end() == len(head) for span in _IGNORE.finditer(head))


def _notices(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], tagged: Mapping[int, Said]
) -> dict[int, Said]:
    """Row -> what its notices say, and its strict words."""
    out = np.empty((len(offsets) - 1, 3), np.int64)
    count = heads.find_speaking(data, offsets, out)
    tops = {}
    for row, stop, comment in out[:count].tolist():
        begin, end = int(offsets[row]), int(offsets[row + 1])
        if comment and stop - begin >= heads.HEAD - 1:  # a notice may go on
            stop = max(stop, heads.comment_end(data, begin, min(end, begin + 2 * heads.HEAD)))
        tops[row] = Top(data[begin:stop].tobytes(), bool(comment))
    asked = [row for row, top in tops.items() if _may_say_more(tagged.get(row, ()), top.text)]
    return dict(zip(asked, _said([tops[row] for row in asked]), strict=True))


def _may_say_more(tags: Said, comment: bytes) -> bool:
    """Whether a comment may say something stricter than its tags."""
    if all(one.expression in ELSEWHERE for one in tags):
        return True
    if not all(license_class(one.expression) in OPEN for one in tags):
        return False
    rest = _SET_ASIDE.sub(lambda found: b" " * len(found[0]), comment)
    if _STEMS.search(rest):
        return True
    return any(_is_limited(comment, rest, one.span()) for one in _TAG_LINE.finditer(comment))


def _both(tags: Said, said: Said) -> Said:
    """Tags, and what is said beside them that is stricter, or of other licenses altogether."""
    offered = [one for one in said if one.expression.startswith(f"{REFERENCE} OR ")]
    if offered:  # "Alternatively, under the terms of": to what stands elsewhere, to the tags
        told = combine(one.expression for one in tags) or ""
        rest = (one.expression.removeprefix(f"{REFERENCE} OR ") for one in offered)
        whole = combine([told, *rest], "OR") or UNKNOWN
        said = tuple(one for one in said if one not in offered)
        tags = (offered[0]._replace(expression=whole),)
    if all(one.expression in ELSEWHERE for one in tags):
        return (*tags, *said)
    rank = max(RANK[license_class(one.expression)] for one in tags)
    tagged = frozenset().union(*(ids(one.expression) for one in tags))
    more = []
    for one in said:
        name = license_class(one.expression)
        other = name not in ("unknown", "unstated") and not ids(one.expression) & tagged
        if one.expression not in ELSEWHERE and name != "unstated" and (other or RANK[name] > rank):
            more.append(one)
    return (*tags, *more)


_remembered: dict[bytes, Said] = {}
_shared: list[Cache] = []  # the cache that all runs share, where there is one


def share(cache: Cache | None) -> None:
    """Remember what comments state in ``cache`` too, for other processes and runs."""
    _shared[:] = [] if cache is None else [cache]


@lru_cache(maxsize=1)
def _reader() -> str:
    """Name of what reads comments here, for the cache: any change of code or tables is another."""
    root = Path(__file__).parent
    files = [*root.glob("*.py"), *(root.parent / "tables").glob("licen*")]
    digest = hashlib.sha256(version("license-expression").encode())
    for file in sorted(files):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"header {digest.hexdigest()[:32]}"


def _said(tops: Sequence[Top]) -> list[Said]:
    """What comments state; many files open with the same one, in one run and in the next."""
    keys = [top.key for top in tops]
    new = {key: top for key, top in zip(keys, tops, strict=True) if key not in _remembered}
    if len(_remembered) + len(new) > MEMORY:
        _remembered.clear()
        new = dict(zip(keys, tops, strict=True))
    for cache in _shared:
        for key, parts in cache.get(new, _reader()).items():
            _remembered[key] = tuple(Part(*part) for part in parts)
    fresh = {key: _read(top) for key, top in new.items() if key not in _remembered}
    _remembered.update(fresh)
    for cache in _shared:
        cache.put(fresh, _reader())
    return [_remembered[key] for key in keys]


def _read(top: Top) -> Said:
    """What a comment states; of a text that is none, what takes rights away for certain."""
    said = _stated(top.text)
    if top.comment:
        return said
    return tuple(
        one for one in said if is_strict(one.expression) and not is_neutral(one.expression)
    )


def _stated(comment: bytes) -> Said:
    """Its licenses and notices, with what was changed in them, and strict words beside them.

    What takes rights away counts wherever it is named (``claims``). A mention of an open license
    ("this file reads Apache headers") states nothing, unless it is a line of its own ("MIT
    License") or stands after what introduces it ("released under the MIT license"). What only
    points elsewhere is told too; ``headers`` lets the folder speak then.
    """
    text = _SET_ASIDE.sub(lambda found: b" " * len(found[0]), comment)
    text = _MISSPELT.sub(lambda found: b"License:".ljust(len(found[0])), text)
    text = _LETTERS.sub(lambda found: b" " * len(found[0]), text)
    try:
        text.decode()
    except UnicodeDecodeError as error:
        # Its end may be cut off within a letter.
        cut = error.start > len(text) - 4
        text = text[: error.start] if cut else text.decode("latin-1").encode()
    answer = readings.answer(readings.canonical(text).text)
    if answer is None:
        return (Part(0, len(comment), UNKNOWN, "", UNDETERMINED, 0.0),)
    found, rest = [], bytearray(text)
    introduced = [_introduced(one) for one in answer for _ in one["matches"]]
    placed = readings.by_words(text, answer)
    grounds = _grounds(placed)
    for start, end, expression in claims.of(text, placed, introduced):
        if expression is not None:
            found.append(Part(start, end, expression, *grounds[start, end]))
        rest[start:end] = b"\n\n" + b" " * max(0, end - start - 2)
    for expression in _beside(text.decode("utf-8", "replace"), bytes(rest), found, comment):
        rule = "rider" if expression in (NO_AI, RESTRICTED) else "strict-words"
        found.append(Part(0, len(text), expression, rule, WORDS, 100.0))
    if len(text) <= len(comment):
        return tuple(found)
    return tuple(one._replace(start=0, end=len(comment)) for one in found)


def _grounds(
    placed: Sequence[tuple[Mapping[str, Any], Span]],
) -> dict[Span, tuple[str, str, float]]:
    """Span -> rule, matcher and score of what matched there; the worse score of two."""
    found: dict[Span, tuple[str, str, float]] = {}
    for match, span in placed:
        one = (match["rule"], match["matcher"], float(match["score"]))
        found[span] = min(found.get(span, one), one, key=lambda told: told[2])
    return found


def _introduced(detection: Mapping[str, Any]) -> bool:
    """Whether a detection is "released under the terms of" and what follows that."""
    stated = ids(normalize(detection["expression"]) or UNKNOWN)
    parts = (ids(normalize(match["expression"]) or UNKNOWN) for match in detection["matches"])
    return any(part <= ELSEWHERE and not part & stated for part in parts)


def _beside(whole: str, rest: bytes, found: Sequence[Part], comment: bytes) -> list[str]:
    """Strict words of what no notice covers, and its riders where one, or a tag, stands beside."""
    tags = [one.span() for one in _TAG_LINE.finditer(comment)]
    text = rest.decode("utf-8", "replace")
    said = strict_words(text)
    found = [one for one in found if one.expression not in ELSEWHERE]
    if any(_GNU_ID.search(one.expression) for one in found):
        # A notice that names its GNU license goes on to speak of it.
        said = [expression for expression in said if not _GNU_ID.search(expression)]
    if found or tags:
        extra = {*said, *riders(text, bans=False)}
        return sorted(extra or _open_doubts(comment, rest, found, tags))
    abroad = limits_abroad(text, sure=True)
    if abroad:
        return sorted({*said, *abroad})
    return sorted({*said, *limits(text)}) or named(whole)


def _open_doubts(
    comment: bytes, rest: bytes, found: Sequence[Part], tags: Sequence[Span]
) -> list[str]:
    """ALTERED where sentences near open notices, or a tag, take back what these grant.

    In the same paragraph any limit does; farther away it must be about the license.
    """
    if not all(license_class(one.expression) in OPEN for one in found):
        return []
    if len(comment) == len(rest):
        spans = [*((one.start, one.end) for one in found), *tags]
        if any(_is_limited(comment, rest, span) for span in spans):
            return [ALTERED]
    start = max(0, min((one.start for one in found), default=0) - NEAR)
    end = max((one.end for one in found), default=NEAR) + NEAR
    near = rest[start:end].decode("utf-8", "replace")
    return takes_back("\n\n".join(one for one in sentences(near) if _ABOUT_IT.search(one)))


def _is_limited(comment: bytes, rest: bytes, span: Span) -> bool:
    """Whether a sentence in the paragraph of a statement may set a limit.

    ``rest`` is ``comment`` without what states a license.
    """
    start, end = span
    before = _EMPTY.split(comment[max(0, start - NEAR) : start])[-1]
    after = _EMPTY.split(comment[end : end + NEAR], maxsplit=1)[0]
    left = rest[start - len(before) : start].decode("utf-8", "replace")
    right = rest[end : end + len(after)].decode("utf-8", "replace")
    if any(map(doubtful, sentences(left, fold=False))):
        return True
    following = sentences(right, fold=False)
    first = following[:1] if right[:1] in ", " and not right.lstrip(" ").startswith("\n") else []
    return any(doubtful(one, one in first) for one in following)


def headers(contents: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The license each file states about itself: SPDX expression and byte span, or null.

    ``contents`` is string or binary, large or not; a null content states nothing. A tag is the
    whole statement of a file that has one, but for what its comment says that is stricter or of
    another license; otherwise all notices of the leading comment bind together. Where all that it
    says is that its license stands elsewhere, ``elsewhere`` tells so, and the span is that of the
    pointer. ``rule`` names all that matched, ``matcher`` and ``score`` are those of the weakest.
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
    if not len(array):
        return SCHEMA.empty_table()
    tagged = _tags(data, offsets)
    found = _notices(data, offsets, tagged)
    said = tagged | {row: _both(tagged.get(row, ()), parts) for row, parts in found.items()}
    rows = sorted(row for row, parts in said.items() if parts)
    if not rows:
        return conform(pa.table({"rule": pa.nulls(len(array), pa.string())}), SCHEMA)
    told = pa.Table.from_pylist([_told(said[row]) for row in rows], schema=SCHEMA)
    at = np.full(len(array), -1)
    at[rows] = np.arange(len(rows))
    return told.take(pa.array(at, mask=at < 0)).combine_chunks()


def _told(parts: Said) -> dict[str, Any]:
    """The row of SCHEMA for what one file says."""
    telling = tuple(part for part in parts if part.expression not in ELSEWHERE)
    expression = _settled(tuple(part.expression for part in telling)) if telling else None
    elsewhere = None if telling else combine([part.expression for part in parts])
    parts = telling or parts
    score, matcher = min((part.score, part.matcher) for part in parts)
    return {
        "header_expression": expression,
        "start": min(part.start for part in parts),
        "end": max(part.end for part in parts),
        "elsewhere": elsewhere,
        "rule": "; ".join(list(dict.fromkeys(part.rule for part in parts))[:8]),
        "matcher": matcher,
        "score": score,
    }


@lru_cache(maxsize=65536)
def _settled(expressions: tuple[str, ...]) -> str | None:
    # Notices of the GNU licenses name their version once and speak of "the GPL" after that.
    named = [text for text in expressions if text != "GPL-1.0-or-later"]
    expression = settle(named if any(_GNU_ID.search(text) for text in named) else expressions)
    return None if license_class(expression) == "unstated" else expression
