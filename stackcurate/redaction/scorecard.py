"""How well redaction does on the labelled set: recall and precision per kind, for each release."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from .find import Span, find
from .labelled import Case, Label, cases
from .rules import table_digest
from .settings import Settings

COVER = 0.9  # share of a labelled value that a finding must cover


def scorecard(settings: Settings | None = None, engine: str | None = None) -> dict[str, Any]:
    """Counts, recall and precision per kind, with the digests of rules and settings.

    A value counts as found where a finding of a right kind covers nine tenths of it. A finding
    counts as false where it lies on no label, or only on labels of other kinds. The kind ``all``
    asks only whether a value was found at all, under whatever kind.
    """
    settings = settings or Settings()
    kinds: dict[str, Counter[str]] = {}
    for case, spans in looked_at(settings, engine):
        _count(case, spans, kinds)
    return {
        "rules": table_digest(),
        "settings": settings.digest(),
        "sensitivity": settings.sensitivity,
        "kinds": {kind: _scores(counts) for kind, counts in sorted(kinds.items())},
    }


def looked_at(settings: Settings, engine: str | None = None) -> list[tuple[Case, list[Span]]]:
    """Each labelled case with what is found in it."""
    all_cases = cases()
    contents = pa.array([case.text.decode() for case in all_cases], pa.large_string())
    paths = pa.array([case.path for case in all_cases])
    found: list[list[Span]] = [[] for _ in all_cases]
    for span in find(contents, paths, settings, engine):
        found[span.file].append(span)
    return list(zip(all_cases, found, strict=True))


def covered(label: Label, spans: list[Span]) -> bool:
    """Whether ``spans`` cover enough of the label's value."""
    total = sum(max(0, min(span.end, label.end) - max(span.start, label.start)) for span in spans)
    return total >= COVER * (label.end - label.start)


def on_label(span: Span, labels: tuple[Label, ...]) -> bool:
    """Whether ``span`` lies on a label that allows its kind."""
    return any(
        span.start < label.end and label.start < span.end and span.rule.kind in label.kinds
        for label in labels
    )


def _count(case: Case, spans: list[Span], kinds: dict[str, Counter[str]]) -> None:
    for label in case.labels:
        right = [span for span in spans if span.rule.kind in label.kinds]
        for kind, those in ((label.kinds[0], right), ("all", spans)):
            counts = kinds.setdefault(kind, Counter())
            counts["labels"] += 1
            counts["found"] += covered(label, those)
    for span in spans:
        counts = kinds.setdefault(span.rule.kind, Counter())
        counts["findings"] += 1
        counts["false"] += not on_label(span, case.labels)
        anywhere = any(span.start < one.end and one.start < span.end for one in case.labels)
        kinds.setdefault("all", Counter())["findings"] += 1
        kinds["all"]["false"] += not anywhere


def _scores(counts: Counter[str]) -> dict[str, float | int | None]:
    labels, findings = counts["labels"], counts["findings"]
    return {
        "labels": labels,
        "found": counts["found"],
        "findings": findings,
        "false": counts["false"],
        "recall": round(counts["found"] / labels, 4) if labels else None,
        "precision": round(1 - counts["false"] / findings, 4) if findings else None,
    }
