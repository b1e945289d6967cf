"""CHANGELOG.md: what a version changed against the one before, with room for a person's words.

Where the previous release is at hand, a diff of the two says what came, went, moved and changed,
and why. From the manifests alone numbers are net: a file that left and one that came cancel out.
Files that an opt-out took away are counted, and nobody is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stackcurate.releases.diff import Diff
from stackcurate.releases.diff_text import cause_table, differing
from stackcurate.releases.facts import ReleaseFacts
from stackcurate.text import as_size, with_commas

Counts = dict[str, tuple[int, int]]


def changelog(
    facts: ReleaseFacts, manifest: Mapping[str, Any], difference: Diff | None = None
) -> str:
    """The changelog of this version on top of that of the previous one.

    ``difference`` is from the previous release to this one. A person's words stand first.
    """
    head = f"# Changelog of {facts.heading}\n"
    section = [f"## {facts.version}", f"Release id: `{manifest['release_id']}`"]
    if facts.notes.strip():
        section.append(facts.notes.strip())
    withdrawn = sum(count["files"] for count in facts.dropped.get("optout", {}).values())
    if facts.previous is None:
        totals = manifest["totals"]
        section.append(
            f"First version: {with_commas(totals['files'])} files, "
            f"{as_size(totals['bytes'])} of text."
        )
    else:
        section += _against(facts.previous.manifest, manifest, difference)
    section.append(f"Files left out by opt-out requests: {with_commas(withdrawn)}.")
    older = "" if facts.previous is None else _sections(facts.previous.changelog)
    return head + "\n" + "\n\n".join(section) + "\n" + (f"\n{older}" if older else "")


def _against(old: Mapping[str, Any], new: Mapping[str, Any], difference: Diff | None) -> list[str]:
    before, after = old["totals"], new["totals"]
    parts = [
        f"Against {old['version']} (net): {_signed(after['files'] - before['files'])} files, "
        f"{_signed_size(after['bytes'] - before['bytes'])} of text; "
        f"now {with_commas(after['files'])} files, {as_size(after['bytes'])}."
    ]
    if difference is not None:
        parts += _causes(difference)
    for title, names, key in (
        ("language", "languages", "language"),
        ("license class", "classes", "class"),
    ):
        rows = _changes(_by(before[names], key), _by(after[names], key))
        parts.append(_table(title, rows) if rows else f"No {title} changed its counts.")
    return parts


def _causes(difference: Diff) -> list[str]:
    """What came, went, moved and changed, by cause, and what differs besides the files."""
    parts = [f"{with_commas(difference.unchanged)} files are the same."]
    if difference.counts:
        parts.append(cause_table(difference))
    said = differing(difference)
    return [*parts, "\n".join(f"- {words}" for words in said)] if said else parts


def _by(entries: Sequence[Mapping[str, Any]], key: str) -> Counts:
    return {entry[key] or "(none)": (entry["files"], entry["bytes"]) for entry in entries}


def _changes(before: Counts, after: Counts) -> list[tuple[str, int, int, int]]:
    """(name, files before, files now, bytes more) of what changed, most files first."""
    rows = []
    for name in before.keys() | after.keys():
        (old_files, old_bytes), (files, size) = before.get(name, (0, 0)), after.get(name, (0, 0))
        if (old_files, old_bytes) != (files, size):
            rows.append((name, old_files, files, size - old_bytes))
    return sorted(rows, key=lambda row: (-abs(row[2] - row[1]), row[0]))


def _table(title: str, rows: list[tuple[str, int, int, int]]) -> str:
    lines = [f"| {title} | files before | files now | change | text |", "|---|---:|---:|---:|---:|"]
    for name, before, now, size in rows:
        cells = (name, with_commas(before), with_commas(now), _signed(now - before))
        lines.append(f"| {' | '.join(cells)} | {_signed_size(size)} |")
    return "\n".join(lines)


def _sections(text: str) -> str:
    """A changelog without its first heading."""
    start = text.find("## ")
    return text[start:] if start >= 0 else ""


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


def _signed_size(number: int) -> str:
    return ("+" if number > 0 else "") + as_size(number)
