"""The report: where the files of a run went and what a release holds, as text, JSON and one page.

Everything comes from a manifest, or from the counts of a run that has no release yet, so a report
can be drawn again from a release alone. Names in it come from strangers: they are made visible
(`text.visible`) for every form, and the page escapes them, loads nothing and runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import jinja2

from stackcurate.text import as_share, as_size, visible, with_commas

_SINGULAR = {"repositories": "repository"}
_RELATIONS = {
    "ancestry": "share their first revision with a better one",
    "content": "hold about what a better one holds",
    "vendored": "lie within another as a copy",
}

#: Rows that a chart shows; the rest is summed up and stands in the folded table.
SHOWN = 20


@dataclass(frozen=True)
class Drop:
    """What one reason of a stage dropped: files, and their bytes as listed."""

    reason: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Step:
    """One stage of the funnel: what came in, what it dropped by reason (most files first)."""

    stage: str
    files: int
    bytes: int
    drops: tuple[Drop, ...]

    @property
    def dropped(self) -> int:
        return sum(drop.files for drop in self.drops)

    @property
    def dropped_bytes(self) -> int:
        return sum(drop.bytes for drop in self.drops)


@dataclass(frozen=True)
class Share:
    """One row of a chart: a name, a second word about it, files (or findings) and bytes."""

    name: str
    note: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Origin:
    """One source of the config: files that it listed, and those of them that were kept."""

    name: str
    listed: int
    kept: int


@dataclass(frozen=True)
class Report:
    """A release, or a run without one, in numbers. All names are fit to print."""

    title: str
    version: str
    release_id: str
    listed_files: int
    listed_bytes: int
    kept_files: int
    kept_bytes: int
    text_bytes: int
    funnel: tuple[Step, ...]
    sources: tuple[Origin, ...]
    languages: tuple[Share, ...]
    licenses: tuple[Share, ...]
    classes: tuple[Share, ...]
    redactions: tuple[Share, ...]
    clusters: tuple[Share, ...]
    earlier: tuple[Share, ...]
    forks: tuple[Share, ...]
    problems: tuple[Mapping[str, str], ...]
    optout: tuple[tuple[str, str], ...]

    def listed_size(self, size: int) -> str:
        """Bytes as listed; a dash where no source knew the sizes of its files before reading."""
        return as_size(size) if self.listed_bytes or not self.listed_files else "–"

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Report:
        """The report of a manifest, or of any mapping with ``name``, ``version``, ``counts``."""
        counts = manifest["counts"]
        totals = manifest.get("totals") or {}
        return cls(
            title=visible(manifest.get("title") or manifest["name"]),
            version=visible(manifest["version"]),
            release_id=visible(manifest.get("release_id") or ""),
            listed_files=counts["listed"]["files"],
            listed_bytes=counts["listed"]["bytes"],
            kept_files=counts["kept"]["files"],
            kept_bytes=counts["kept"]["bytes"],
            text_bytes=totals.get("bytes", 0),
            funnel=_funnel(counts),
            sources=tuple(
                Origin(visible(name), part["listed"]["files"], part["kept"]["files"])
                for name, part in sorted(counts.get("sources", {}).items())
            ),
            languages=_shares(totals.get("languages", ()), "language", empty="undecided"),
            licenses=_shares(totals.get("licenses", ()), "expression", "class", empty="none"),
            classes=_shares(totals.get("classes", ()), "class", empty="none"),
            redactions=tuple(
                Share(visible(entry["kind"]), visible(entry["rule"]), entry["findings"], 0)
                for entry in totals.get("redactions", ())
            ),
            clusters=tuple(
                Share(_sizes(entry["least"], entry["most"]), "", entry["clusters"], 0)
                for entry in totals.get("clusters", ())
            ),
            earlier=tuple(
                Share(visible(one["name"]), reason, one[reason], 0)
                for one in (manifest.get("dedup") or {}).get("against", ())
                for reason in ("exact", "near")
            ),
            forks=tuple(
                Share(visible(relation), _RELATIONS.get(relation, ""), count, 0)
                for relation, count in (manifest.get("forks") or {}).items()
                if count
            ),
            problems=tuple(
                {key: visible(str(one)) for key, one in sorted(problem.items())}
                for problem in manifest.get("problems", ())
            ),
            optout=tuple(
                (visible(key), visible(one if isinstance(one, str) else json.dumps(one)))
                for key, one in sorted((manifest.get("optout") or {}).items())
            ),
        )

    def as_json(self) -> str:
        """The report as canonical JSON, for machines."""
        return json.dumps(asdict(self), sort_keys=True, indent=2, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """The report as plain lines for a terminal or a mail."""
        parts = [f"{self.title} {self.version}  {self.release_id}".rstrip(), self._funnel_text()]
        if self.sources:
            parts.append(self._sources_text())
        for title, unit, rows in self._charts():
            if rows:
                parts.append(_text_table(title, unit, rows))
        if self.problems:
            lines = [f"Set aside: {with_commas(len(self.problems))}"]
            lines += [
                f"  {problem.get('where', '')}: {problem.get('reason', '')}: "
                f"{problem.get('message', '')}"
                for problem in self.problems[:SHOWN]
            ]
            if len(self.problems) > SHOWN:
                lines.append(f"  and {with_commas(len(self.problems) - SHOWN)} more")
            parts.append("\n".join(lines))
        return "\n\n".join(parts) + "\n"

    def as_html(self) -> str:
        """One self-contained page: no scripts, nothing fetched, light and dark."""
        return _template().render(report=self, shown=SHOWN)

    def _charts(self) -> tuple[tuple[str, str, tuple[Share, ...]], ...]:
        return (
            ("Languages", "files", self.languages),
            ("License classes", "files", self.classes),
            ("Licenses", "files", self.licenses),
            ("Redactions", "findings", self.redactions),
            ("Near-duplicate clusters by size", "clusters", self.clusters),
            ("Held by earlier releases", "files", self.earlier),
            ("Related repositories", "repositories", self.forks),
        )

    def _sources_text(self) -> str:
        wide = max(len(source.name) for source in self.sources)
        lines = [
            f"  {source.name:<{wide}}  {with_commas(source.listed):>14} listed"
            f"  {with_commas(source.kept):>14} kept  {as_share(source.kept, source.listed):>7}"
            for source in self.sources
        ]
        return "\n".join(["Sources", *lines])

    def _funnel_text(self) -> str:
        rows = [("listed", self.listed_files, self.listed_bytes)]
        for step in self.funnel:
            for drop in step.drops:
                rows.append((f"- {step.stage}:{drop.reason}", drop.files, drop.bytes))
        rows.append(("kept", self.kept_files, self.kept_bytes))
        wide = max(len(name) for name, _, _ in rows)
        lines = [
            f"{name:<{wide}}  {with_commas(files):>14} files  {self.listed_size(size):>9}"
            f"  {as_share(files, self.listed_files):>7}"
            for name, files, size in rows
        ]
        return "\n".join(lines)


def html_of(manifest: Mapping[str, Any]) -> str:
    """report.html of a manifest: what `releases.publish` is given."""
    return Report.of(manifest).as_html()


def _funnel(counts: Mapping[str, Any]) -> tuple[Step, ...]:
    """The stages in order, each with what was left when it began."""
    dropped = counts["dropped"]
    order = ["source", *counts["stages"]]
    order += sorted(set(dropped) - set(order))
    files, size = counts["listed"]["files"], counts["listed"]["bytes"]
    steps = []
    for stage in order:
        if stage == "source" and stage not in dropped:
            continue
        reasons = [
            Drop(visible(reason), count["files"], count["bytes"])
            for reason, count in dropped.get(stage, {}).items()
        ]
        reasons.sort(key=lambda drop: (-drop.files, drop.reason))
        step = Step(visible(stage), files, size, tuple(reasons))
        steps.append(step)
        files, size = files - step.dropped, size - step.dropped_bytes
    return tuple(steps)


def _shares(
    entries: Sequence[Mapping[str, Any]], key: str, note: str | None = None, empty: str = ""
) -> tuple[Share, ...]:
    return tuple(
        Share(
            visible(entry[key] or f"({empty})"),
            visible(entry[note] or "") if note else "",
            entry["files"],
            entry["bytes"],
        )
        for entry in entries
    )


def _sizes(least: int, most: int | None) -> str:
    if most is None:
        return f"{least:,}+"
    return "alone" if most == 1 else f"{least:,}" if least == most else f"{least:,}–{most:,}"


def _text_table(title: str, unit: str, rows: tuple[Share, ...]) -> str:
    total = sum(row.files for row in rows)
    shown = [(f"{row.name}  {row.note}".rstrip(), row.files) for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        shown.append((f"({len(rows) - SHOWN} more)", sum(row.files for row in rows[SHOWN:])))
    wide = max(len(name) for name, _ in shown)
    lines = []
    for name, files in shown:
        word = _SINGULAR.get(unit, unit.removesuffix("s")) if files == 1 else unit
        lines.append(
            f"  {name:<{wide}}  {with_commas(files):>14} {word:<{len(unit)}}"
            f"  {as_share(files, total):>7}"
        )
    return "\n".join([title, *lines])


def _template() -> jinja2.Template:
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("stackcurate", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters |= {"count": with_commas, "size": as_size}
    env.globals["share"] = as_share
    return env.get_template("report.html")
