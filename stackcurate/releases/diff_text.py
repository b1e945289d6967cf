"""A diff in words: for a terminal, and as the tables of a changelog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stackcurate.releases.diff import KINDS, Diff
from stackcurate.text import as_size, visible, with_commas

#: What each cause means, for people.
CAUSES = {
    "upstream": "the source has changed",
    "optout": "opt-out",
    "license": "license decision",
    "detector": "detectors",
    "survivor": "another copy is kept",
    "config": "config",
}
_SHOWN = 15  # languages, licenses, repositories that a text names


def text(found: Diff) -> str:
    """The diff as lines for a terminal."""
    before, after = found.files
    lines = [
        f"{found.before} → {found.after}",
        f"{with_commas(before)} files before, {with_commas(after)} now; "
        f"{with_commas(found.unchanged)} the same"
        + (f", {with_commas(found.refreshed)} of them with newer facts" if found.refreshed else ""),
    ]
    lines += [f"  {words}" for words in differing(found)]
    if not found.counts:
        return "\n".join([*lines, "", "no file was added, removed, changed or moved"]) + "\n"
    lines += ["", f"{'kind':<9}{'cause':<24}{'detail':<22}{'files':>12}{'text':>11}"]
    for one in found.counts:
        lines.append(
            f"{one['kind']:<9}{CAUSES[one['cause']]:<24}{one['detail']:<22}"
            f"{with_commas(one['files']):>12}{as_size(one['bytes']):>11}"
        )
    for name, entries in (
        ("language", found.languages),
        ("license", found.licenses),
        ("repository", found.repositories),
    ):
        if entries:  # what an opt-out took away has no repository here
            lines += ["", *_columns(name, entries, found.others if name == "repository" else 0)]
    return "\n".join(lines) + "\n"


def _columns(name: str, entries: Sequence[Mapping[str, Any]], others: int) -> list[str]:
    heads = "".join(f"{kind:>11}" for kind in KINDS)
    lines = [f"{name:<40}{heads}"]
    for entry in entries[:_SHOWN]:
        label = visible(entry[name] or "(none)", 39)
        lines.append(f"{label:<40}" + "".join(f"{with_commas(entry[k]):>11}" for k in KINDS))
    more = max(len(entries) - _SHOWN, 0) + others
    return [*lines, f"… and {with_commas(more)} more"] if more else lines


def differing(found: Diff) -> list[str]:
    """What differs between the two manifests, a sentence each."""
    changes = found.changes
    lines = ["the schema differs"] if changes.schema else []
    inputs = ", ".join(
        f"{with_commas(count)} {how}" for how, count in changes.inputs.items() if count
    )
    lines += [f"inputs: {inputs}"] if inputs else []
    lines += [f"policies that differ: {', '.join(changes.policies)}"] if changes.policies else []
    lines += [f"tables that differ: {', '.join(changes.tables)}"] if changes.tables else []
    tools = ", ".join(f"{name} {then} → {now}" for name, (then, now) in changes.tools.items())
    lines += [f"tools that differ: {tools}"] if tools else []
    return [*lines, "the opt-out registry has grown"] if changes.optout else lines


def cause_table(found: Diff) -> str:
    """Kinds and causes as a Markdown table for the changelog."""
    lines = ["| change | cause | files | text |", "|---|---|---:|---:|"]
    sums: dict[tuple[str, str], list[int]] = {}
    for one in found.counts:
        total = sums.setdefault((one["kind"], one["cause"]), [0, 0])
        total[0] += one["files"]
        total[1] += one["bytes"]
    for (kind, cause), (files, size) in sorted(sums.items(), key=lambda one: _order(*one[0])):
        lines.append(f"| {kind} | {CAUSES[cause]} | {with_commas(files)} | {as_size(size)} |")
    return "\n".join(lines)


def _order(kind: str, cause: str) -> tuple[int, int]:
    return KINDS.index(kind), list(CAUSES).index(cause)
