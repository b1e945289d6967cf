"""Candidates into findings: the scan's hits, judged region by region, without a value kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..kernels.entropy import CLASSES, high_entropy
from ..kernels.literals import NIBBLES, VALUES, text_literals
from ..kernels.regions import regions
from .assigned import names_key
from .blocks import BLOCKS, NAMED_ELSEWHERE
from .cards import UNSURE_CARD, tells_cards
from .cells import Near, Table, placed, tables, without_versions
from .force import in_force
from .judges import GENERIC, JUDGES
from .national import alike
from .noise import is_random, is_uuid
from .personal import UNSURE_IP, in_copyright_notice
from .phones import UNSURE_PHONE, tells_phones
from .place import FILES, Place, is_lock_path
from .rules import Rule, load
from .scan import scanner
from .settings import Settings
from .whereabouts import UNSURE_MAC, UNSURE_PLACE, tells_places
from .wrapped import SECRETS, Wrapped, wrapped

CHUNK = 1 << 30  # bytes per scan; Hyperscan counts a block's bytes in 32 bits


@dataclass(slots=True)  # not frozen: there are many, and frozen ones are made slowly
class Span:
    """A finding at bytes ``start`` to ``end`` of the given text of row ``file``.

    ``value`` tells equal values of one file from others; it never leaves the process. Where there
    are ``parts`` (first and last byte of each), only those are replaced.
    """

    file: int
    start: int
    end: int
    rule: Rule
    confidence: float
    value: bytes
    parts: tuple[tuple[int, int], ...] = ()

    def __repr__(self) -> str:  # a value must not reach a log by way of a traceback
        return f"Span({self.file}, {self.start}, {self.end}, {self.rule.id})"


def find(
    contents: pa.LargeStringArray,
    paths: pa.Array,
    settings: Settings,
    engine: str | None = None,
) -> list[Span]:
    """All findings at or above their threshold, by file and start; none overlaps another.

    ``contents`` has no nulls; ``paths`` has its length. ``engine`` is one of ``scan.ENGINES``.
    """
    judge = _Judge(settings, paths)
    for first, data, offsets in _chunks(contents):
        judge.chunk(first, data, offsets, engine)
        texts, mixed = text_literals(data, offsets, VALUES, NIBBLES)
        judge.mixed(first, data, offsets, mixed)
        literals = wrapped(data, offsets, texts)
        judge.spans += _inside(first, data, offsets, literals, paths, settings, engine)
    in_tables = tables(contents, paths, judge.near)
    judge.spans = without_versions(judge.spans, in_tables)
    judge.spans += _cells(in_tables, paths, settings, engine)
    peers = _peers(judge, contents, paths)
    again = [*_echoes(judge.spans, contents), *_alike(judge.spans, contents)]
    return settled([*judge.spans, *peers, *again], settings)


def _peers(judge: _Judge, contents: pa.LargeStringArray, paths: pa.Array) -> list[Span]:
    """What only its file can explain: believed where the file has a sure one, or tells it."""
    sure = {(span.rule.kind, span.file) for span in judge.spans}
    told: dict[tuple[str, int], bool] = {}
    for span in judge.unsure:
        key = span.rule.kind, span.file
        if key not in told:
            peers = PEERS.get(span.rule.kind, ())
            told[key] = any((kind, span.file) in sure for kind in peers)
            if not told[key] and span.rule.kind in TELLS:
                text = contents[span.file].as_buffer().to_pybytes()
                told[key] = TELLS[span.rule.kind](text, paths[span.file].as_py() or "")
    return [span for span in judge.unsure if told[span.rule.kind, span.file]]


def _inside(
    first: int,
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    encoded: Iterable[Wrapped],
    paths: pa.Array,
    settings: Settings,
    engine: str | None,
) -> Iterator[Span]:
    """Literals whose decoded text holds a secret: looked into once, so that nothing nests."""
    literals = [one for one in encoded if not is_lock_path(paths[first + one.file].as_py() or "")]
    if not literals:
        return
    # Decoded text is mostly a file of its own (.env, JSON, a key), where values need no quotes.
    names = pa.array([f"{paths[first + one.file].as_py() or ''}.txt" for one in literals])
    judge = _Judge(settings, names)
    texts = pa.array([one.text for one in literals], pa.large_string())
    for row, part, bounds in _chunks(texts):
        judge.chunk(row, part, bounds, engine)
    for span in judge.spans:
        if span.rule.kind in SECRETS:
            one = literals[span.file]
            value = data[offsets[one.file] + one.start : offsets[one.file] + one.end].tobytes()
            yield Span(first + one.file, one.start, one.end, span.rule, span.confidence, value)


def _cells(
    found: list[Table], paths: pa.Array, settings: Settings, engine: str | None
) -> Iterator[Span]:
    """What stands in the cells of the tables ``found``."""
    if not found:
        return
    texts = pa.array([text for _, text, _ in found], pa.large_binary()).cast(pa.large_string())
    judge = _Judge(settings, pa.array([f"{paths[row].as_py()}.txt" for row, _, _ in found]))
    for first, data, offsets in _chunks(texts):
        judge.chunk(first, data, offsets, engine)
    yield from placed(judge.spans, found)


ECHOES = 32  # distinct values per file that are looked for again


def _echoes(spans: list[Span], contents: pa.LargeStringArray) -> list[Span]:
    """Other places of a file where a secret found in it stands, with no name beside it."""
    out: list[Span] = []
    values: dict[int, dict[bytes, Span]] = {}
    for span in spans:
        if span.confidence < 0.6 or len(span.value) < 8:
            continue
        kind = span.rule.kind
        if is_uuid(span.value):
            continue
        if kind == "key" or (kind == "password" and is_random(span.value)):
            values.setdefault(span.file, {}).setdefault(span.value, span)
    for file, seen in values.items():
        text = contents[file].as_buffer().to_pybytes()
        for value, span in list(seen.items())[:ECHOES]:
            for start in _whole(text, value):
                out.append(Span(file, start, start + len(value), span.rule, span.confidence, value))
    return out


def _alike(spans: list[Span], contents: pa.LargeStringArray) -> Iterator[Span]:
    """Numbers of persons in lists of a file in which another of their kind stands by its name."""
    first = {
        (span.file, span.rule.id): span for span in reversed(spans) if span.rule.judge == "national"
    }
    for (row, rule), span in first.items():
        text = contents[row].as_buffer().to_pybytes()
        for start, end in alike(text, rule, span.value):
            yield replace(span, start=start, end=end, value=text[start:end])


def _whole(text: bytes, value: bytes) -> Iterator[int]:
    """Where ``value`` stands in ``text`` without a letter or digit beside it."""
    start = text.find(value)
    while start >= 0:
        end = start + len(value)
        if not text[max(0, start - 1) : start].isalnum() and not text[end : end + 1].isalnum():
            yield start
        start = text.find(value, end)


def _chunks(
    contents: pa.LargeStringArray,
) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.int64]]]:
    """(first row, bytes, offsets from 0) of runs of rows that one scan can take; no copy."""
    if not len(contents):
        return
    _, raw_offsets, raw = contents.buffers()
    all_offsets = np.frombuffer(raw_offsets, np.int64)
    all_offsets = all_offsets[contents.offset : contents.offset + len(contents) + 1]
    data = np.frombuffer(raw, np.uint8) if raw is not None else np.empty(0, np.uint8)
    first = 0
    while first < len(contents):
        limit = all_offsets[first] + CHUNK
        last = max(first + 1, int(np.searchsorted(all_offsets, limit, "right")) - 1)
        bounds = all_offsets[first : last + 1]
        yield first, data[bounds[0] : bounds[-1]], bounds - bounds[0]
        first = last


# Answers that only a file can explain: by a sure finding of the kind, or by its words.
UNSURE = {
    "ip": UNSURE_IP,
    "coordinates": UNSURE_PLACE,
    "phone": UNSURE_PHONE,
    "mac": UNSURE_MAC,
    "card": UNSURE_CARD,
}
_PERSONAL = ("card", "iban", "national_id", "phone", "coordinates")
# Kinds a sure finding of which explains an unsure one.
PEERS = {
    "ip": ("ip",),
    "phone": ("phone",),
    "mac": ("mac",),
    "card": _PERSONAL,
    "coordinates": (*_PERSONAL, "mac"),
}
TELLS = {"coordinates": tells_places, "phone": tells_phones, "card": tells_cards}
MEMO = 4 << 20  # bytes of regions whose answers are kept at a time
_Answer = tuple[int, int, int, float]  # start and end in the region, rule number, confidence


class _Judge:
    """Runs the exact rules over the regions that hits name.

    Equal regions of files with one path, or of any files where no judge asked for the path, get
    equal answers without being judged again, so that a text which repeats costs little. ``steps``
    counts the candidates that were judged, for tests.
    """

    def __init__(self, settings: Settings, paths: pa.Array) -> None:
        self.table = load()
        self.force = in_force(self.table, settings)
        self.paths = paths
        self.mark = frozenset(settings.mark)
        self.keep_attribution = settings.attribution == "keep"
        self.least = self.force.least
        self.spans: list[Span] = []
        self.unsure: list[Span] = []
        self.near: Near = {judge: {} for judge in NAMED_ELSEWHERE}
        self.steps = 0
        self.text = -1, b""
        # By region and rules: answers, and the path that they hold for, if for one only.
        self.memo: dict[tuple[bytes, tuple[int, ...]], tuple[list[_Answer], str | None]] = {}
        self.memo_bytes = 0
        self.path = ""
        self.asked = False  # a judge of the region at hand wanted to know the path

    def chunk(
        self, first: int, data: NDArray[np.uint8], offsets: NDArray[np.int64], engine: str | None
    ) -> None:
        """Find in the files ``offsets`` of ``data``, the first of which is row ``first``."""
        rules, places = scanner(self.table, self.force.active, engine).hits(data, offsets)
        order = np.argsort(places, kind="stable")
        rules = rules[order]
        files, starts, ends = regions(data, offsets, places[order])
        fit = self._fitting(first, files, rules)
        files, starts, ends, rules = files[fit], starts[fit], ends[fit], rules[fit]
        count = len(self.table.rules)
        # One visit per region and rule: regions are numbered as they come, in the text's order.
        region = np.cumsum(np.diff(starts, prepend=-1) != 0)
        keys = np.unique(region * count + self.force.turns[rules])
        at = np.searchsorted(region, keys // count)
        rules = self.force.by_turn[keys % count]
        row, floor = -1, 0
        for bounds, numbers in _grouped(files[at], starts[at], ends[at], rules):
            file, start, _ = bounds
            if file != row:
                row, floor = file, int(offsets[file])
                self._open(first + row)
            self._region(first + file, start - floor, data, offsets, bounds, numbers)
        if self.force.wants_entropy():
            self._entropy(first, data, offsets)

    def _fitting(
        self, first: int, files: NDArray[np.int64], rules: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Which hits of ``rules`` in ``files`` are in files of the sort that their rule is for."""
        fit = np.ones(rules.size, bool)
        for sort, limited in self.force.limited.items():
            hits = np.flatnonzero(np.isin(rules, limited))
            rows, back = np.unique(files[hits], return_inverse=True)
            known = [FILES[sort](self.paths[first + row].as_py() or "") for row in rows.tolist()]
            fit[hits] = np.array(known, bool)[back]
        return fit

    def _open(self, row: int) -> None:
        self.path = self.paths[row].as_py() or ""

    def _region(
        self,
        row: int,
        base: int,
        data: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        bounds: tuple[int, int, int],
        numbers: list[int],
    ) -> None:
        file, start, end = bounds
        region = data[start:end].tobytes()
        if not self.force.blocks.isdisjoint(numbers):
            if self.text[0] != row:  # a file may hold many frames
                self.text = row, data[offsets[file] : offsets[file + 1]].tobytes()
            for number in sorted(self.force.blocks.intersection(numbers)):
                self._block(row, region, base, self.table.rules[number])
            numbers = [number for number in numbers if number not in self.force.blocks]
        if numbers:
            self._note(row, region, base, self._answers(region, numbers))

    def _answers(self, region: bytes, numbers: list[int]) -> list[_Answer]:
        """What the rules ``numbers`` find in ``region``."""
        key = region, tuple(numbers)
        known, path = self.memo.get(key, (None, None))
        if known is not None and path in (None, self.path):
            return known
        answers: list[_Answer] = []
        self.asked = False
        for number in numbers:
            self._rule(region, number, answers)
        if self.memo_bytes > MEMO:
            self.memo, self.memo_bytes = {}, 0
        self.memo[key] = answers, self.path if self.asked else None
        self.memo_bytes += len(region) + 100
        return answers

    def _block(self, row: int, region: bytes, base: int, rule: Rule) -> None:
        text = self.text[1]
        for match in rule.exact.finditer(region):
            self.steps += 1
            if rule.judge in self.near:
                low, high = match.span(match.lastgroup or 0)
                self.near[rule.judge].setdefault(row, []).append((base + low, base + high))
            for found in BLOCKS[rule.judge](text, base + match.start(), base + match.end()):
                value = b"".join(text[start:end] for start, end in found.parts)
                place = row, found.start, found.end
                self.spans.append(Span(*place, rule, rule.confidence, value, found.parts))

    def _rule(self, region: bytes, number: int, answers: list[_Answer]) -> None:
        """Add to ``answers`` what the rule ``number`` finds in ``region``."""
        rule = self.table.rules[number]
        sure = []
        if answers and self.force.generic[number]:
            sure = [(start, end) for start, end, other, _ in answers if self._is_shape(other)]
        for match in rule.exact.finditer(region):
            start, end = match.span(match.lastgroup or 0)
            if not any(low <= start and end <= high for low, high in sure):
                self._candidate(region, match.start(), start, end, number, answers)

    def _is_shape(self, number: int) -> bool:
        """A finding of this rule stands whatever a name says about its value."""
        return not self.force.generic[number] and self.table.rules[number].kind not in self.mark

    def _candidate(
        self, region: bytes, head: int, start: int, end: int, number: int, answers: list[_Answer]
    ) -> None:
        self.steps += 1
        place = Place(region, head, start, end, self.path, self.table.rules[number].id)
        answer = self._judged(place, number)
        self.asked |= place.asked
        if answer:
            answers.append(answer)

    def _judged(self, place: Place, number: int) -> _Answer | None:
        rule = self.table.rules[number]
        confidence = rule.confidence * JUDGES[rule.judge](place)
        if confidence <= 0:
            return None
        if self.force.generic[number] and names_key(place, rule.judge):
            number = self.force.named_key
            rule = self.table.rules[number]
        unsure = rule.confidence * UNSURE.get(rule.kind, -1)
        if confidence < self.least[number] and confidence != unsure:
            return None
        if self.keep_attribution and rule.kind in ("email", "name") and in_copyright_notice(place):
            return None
        return place.start, place.end, number, confidence

    def _note(self, row: int, region: bytes, base: int, answers: list[_Answer]) -> None:
        for start, end, number, confidence in answers:
            rule = self.table.rules[number]
            span = Span(row, base + start, base + end, rule, confidence, region[start:end])
            (self.spans if confidence >= self.least[number] else self.unsure).append(span)

    def mixed(
        self,
        first: int,
        data: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        starts: NDArray[np.int64],
    ) -> None:
        """Judge the literals by chance that begin at ``starts`` of ``data``."""
        number = self.force.literal
        if number not in self.force.active:
            return
        files, from_, to = regions(data, offsets, starts)
        row = done = -1
        for file, low, high in zip(files.tolist(), from_.tolist(), to.tolist(), strict=True):
            if file != row:
                row = file
                self._open(first + row)
            if low != done:
                done = low
                floor = int(offsets[file])
                self._region(first + file, low - floor, data, offsets, (file, low, high), [number])

    def _entropy(self, first: int, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        starts, ends, hexes = high_entropy(data, CLASSES, offsets)
        files, from_, to = regions(data, offsets, starts)
        rows = np.stack([files, from_, to, starts, ends, hexes], axis=1)
        row = -1
        for file, low, high, start, end, is_hex in rows.tolist():
            if file != row:
                row = file
                self._open(first + row)
            region = data[low : max(high, end)].tobytes()
            answers: list[_Answer] = []
            number = self.force.entropy[is_hex]
            self._candidate(region, start - low, start - low, end - low, number, answers)
            self._note(first + file, region, low - int(offsets[file]), answers)


def _grouped(
    files: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    rules: NDArray[np.int64],
) -> Iterator[tuple[tuple[int, int, int], list[int]]]:
    """(file, start, end) of each region with the rules to run there; rows of a region adjoin."""
    numbers = rules.tolist()
    firsts = np.flatnonzero(np.diff(starts, prepend=-1))
    stops = np.append(firsts[1:], len(numbers)).tolist()[: firsts.size]
    bounds = zip(
        files[firsts].tolist(), starts[firsts].tolist(), ends[firsts].tolist(), strict=True
    )
    for bound, low, high in zip(bounds, firsts.tolist(), stops, strict=True):
        yield bound, numbers[low:high]


def settled(spans: list[Span], settings: Settings) -> list[Span]:
    """Overlapping findings made one: it spans them all, by the rule of the widest, most certain.

    Covering the union leaves no tail of a value behind. What is redacted goes before what is only
    marked.
    """
    out: list[Span] = []
    group: list[Span] = []
    stop = -1
    for span in sorted(spans, key=lambda span: (span.file, span.start, -span.end)):
        if group and (span.file != group[0].file or span.start >= stop):
            out.append(_union(group, settings))
            group = []
        stop = max(stop, span.end) if group else span.end
        group.append(span)
    if group:
        out.append(_union(group, settings))
    return out


def _union(group: list[Span], settings: Settings) -> Span:
    if len(group) == 1:
        return group[0]
    best = max(
        group,
        key=lambda span: (
            span.rule.kind not in settings.mark,
            span.end - span.start,
            span.rule.judge not in GENERIC,  # a vendor's shape says more than a name beside it
            span.confidence,
            span.rule.id,
        ),
    )
    start = min(span.start for span in group)
    end = max(span.end for span in group)
    if (start, end) != (best.start, best.end):
        return Span(best.file, start, end, best.rule, best.confidence, best.value)
    if not best.parts:
        return best
    return replace(best, parts=_joined([piece for span in group for piece in _pieces(span)]))


def _pieces(span: Span) -> tuple[tuple[int, int], ...]:
    """What is to be replaced of a finding."""
    return span.parts or ((span.start, span.end),)


def _joined(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Pieces in order, those that overlap as one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if out and start < out[-1][1]:
            out[-1] = out[-1][0], max(end, out[-1][1])
        else:
            out.append((start, end))
    return tuple(out)
