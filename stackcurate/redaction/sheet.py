"""A sheet of findings in context, values masked, for a person to judge; and what the person said.

The sample is the same for the same input: findings are drawn by a hash of their place, as many from
every rule as there are, up to an equal share. Masks keep how long a value is and where it has
letters, digits and signs; the rest of the context is shown as a strict redaction leaves it.
"""

from __future__ import annotations

import csv
import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .alone import redact_records
from .settings import Settings

COLUMNS = ("judgement", "rule", "kind", "confidence", "findings", "file", "line", "context")
BEFORE, AFTER = 80, 40  # characters of context
RIGHT, WRONG = ("y", "yes", "right", "1"), ("n", "no", "wrong", "0")


@dataclass(frozen=True, order=True)
class Entry:
    """One drawn finding; ``draw`` orders the entries of a rule."""

    draw: int
    rule: str = field(compare=False)
    kind: str = field(compare=False)
    confidence: float = field(compare=False)
    file: str = field(compare=False)
    line: int = field(compare=False)
    context: str = field(compare=False)


class Sample:
    """Findings drawn rule by rule; holds ``size`` entries of each rule at most."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.counts: Counter[str] = Counter()
        self.drawn: dict[str, list[tuple[int, Entry]]] = {}

    def add(self, entry: Entry) -> None:
        self.counts[entry.rule] += 1
        heap = self.drawn.setdefault(entry.rule, [])
        if len(heap) < self.size:
            heapq.heappush(heap, (-entry.draw, entry))
        else:
            heapq.heappushpop(heap, (-entry.draw, entry))

    def entries(self) -> list[Entry]:
        """``size`` entries, one from each rule in turn, by rule."""
        queues = {rule: sorted(one for _, one in heap) for rule, heap in sorted(self.drawn.items())}
        chosen: list[Entry] = []
        turn = 0
        while len(chosen) < self.size and any(turn < len(queue) for queue in queues.values()):
            chosen += [queue[turn] for queue in queues.values() if turn < len(queue)]
            turn += 1
        return sorted(chosen[: self.size], key=lambda one: (one.rule, one.draw))


def of_texts(records: Iterable[Mapping[str, Any]], settings: Settings, size: int) -> Sample:
    """Findings of records with ``id``, ``path`` and ``text``."""
    sample = Sample(size)
    strict = Settings(sensitivity="strict")
    for record in records:
        text = record.get("text")
        if not text:
            continue
        (found,) = redact_records([record], settings)
        if not found["findings"]:
            continue
        (hidden,) = redact_records([record], strict)
        name = str(record.get("path") or record.get("id") or "")
        masked = mask(text, [*found["findings"], *hidden["findings"]])
        for one in found["findings"]:
            sample.add(_entry(name, masked, one))
    return sample


def of_release(rows: Iterable[tuple[str, str, Sequence[Mapping[str, Any]]]], size: int) -> Sample:
    """Findings of a release: (path, shipped text, redactions with spans in UTF-8 bytes of it).

    What was replaced cannot be shown any more; the sheet shows what stands in its place.
    """
    sample = Sample(size)
    strict = Settings(sensitivity="strict")
    for path, text, redactions in rows:
        if not redactions:
            continue
        raw = text.encode()
        (hidden,) = redact_records([{"id": path, "path": path, "text": text}], strict)
        masked = mask(text, hidden["findings"])
        for one in redactions:
            start = len(raw[: one["start"]].decode("utf-8", "ignore"))
            end = start + len(raw[one["start"] : one["end"]].decode("utf-8", "ignore"))
            sample.add(_entry(path, masked, {**one, "start": start, "end": end}))
    return sample


def mask(text: str, findings: Iterable[Mapping[str, Any]]) -> str:
    """``text`` with the findings' characters replaced by their class: A, a, 9; some signs stay."""
    out = list(text)
    for one in findings:
        for at in range(one["start"], min(one["end"], len(out))):
            out[at] = _masked(out[at])
    return "".join(out)


def _masked(char: str) -> str:
    if char.isdigit():
        return "9"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return char if char in "@.:/-_+ \n\r\t" else "*"


def _entry(name: str, masked: str, one: Mapping[str, Any]) -> Entry:
    start, end = one["start"], one["end"]
    before, value = masked[max(0, start - BEFORE) : start], masked[start:end][:200]
    context = f"{before}«{value}»{masked[end : end + AFTER]}"
    draw = hashlib.blake2b(f"{name}\0{start}\0{one['rule']}".encode(), digest_size=8).digest()
    return Entry(
        int.from_bytes(draw, "big"),
        one["rule"],
        one["kind"],
        round(float(one["confidence"]), 2),
        name,
        masked.count("\n", 0, start) + 1,
        context.replace("\r", "").replace("\n", "⏎").replace("\t", " "),
    )


def write(sample: Sample, target: Path) -> int:
    """The sheet as tab-separated lines under a header; returns how many findings it holds."""
    entries = sample.entries()
    with target.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, "excel-tab", lineterminator="\n")
        out.writerow(COLUMNS)
        for one in entries:
            count = sample.counts[one.rule]
            place = one.file, one.line, one.context
            out.writerow(("", one.rule, one.kind, one.confidence, count, *place))
    return len(entries)


@dataclass(frozen=True)
class Verdict:
    """What a person said about one rule: ``right`` of ``judged``, of ``findings`` there are."""

    rule: str
    findings: int
    judged: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.judged

    @property
    def interval(self) -> tuple[float, float]:
        """Where the precision lies with 95 % certainty (Wilson)."""
        z, n, p = 1.96, self.judged, self.precision
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


def read(source: Path) -> list[Verdict]:
    """The verdicts of a judged sheet, by rule; ConfigError names a line that cannot be read."""
    judged: Counter[str] = Counter()
    right: Counter[str] = Counter()
    findings: dict[str, int] = {}
    for number, row in _rows(source):
        word = row["judgement"].strip().lower()
        if not word or word == "?":
            continue
        if word not in RIGHT + WRONG:
            raise ConfigError(f"{source}, line {number}: the judgement must be y, n or ?")
        judged[row["rule"]] += 1
        right[row["rule"]] += word in RIGHT
        findings[row["rule"]] = int(row["findings"])
    if not judged:
        raise ConfigError(f"{source}: nothing is judged; write y or n into the first column")
    return [Verdict(rule, findings[rule], judged[rule], right[rule]) for rule in sorted(judged)]


def _rows(source: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with source.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, dialect="excel-tab")
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ConfigError(f"{source} is no sheet of findings: its header differs")
        for number, row in enumerate(rows, 2):
            if None in row.values() or not row["findings"].isdigit():
                raise ConfigError(f"{source}, line {number}: a column is missing")
            yield number, row


def overall(verdicts: Iterable[Verdict]) -> float:
    """The precision of all findings of the judged rules, each rule by how many it has."""
    known = list(verdicts)
    return sum(one.precision * one.findings for one in known) / sum(one.findings for one in known)
