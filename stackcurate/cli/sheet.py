"""`redact --sample` and `--judged`: a sheet of findings for a person, and what the person said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from stackcurate.cli import records
from stackcurate.errors import ConfigError
from stackcurate.redaction import sheet
from stackcurate.redaction.settings import Settings

BATCH = 500  # rows of a release that are held at a time


def write_sheet(
    paths: Sequence[Path],
    source: Path | None,
    target: Path | None,
    settings: Settings,
    size: int,
    text: Callable[[records.Record], str | None],
) -> None:
    """Draw ``size`` findings from a release, files or records, and write the sheet."""
    if target is None:
        raise ConfigError("--sample writes a sheet: name it with --out SHEET.tsv")
    release = len(paths) == 1 and (paths[0] / "manifest.json").is_file()
    if release:
        drawn = sheet.of_release(_rows(paths[0]), size)
    else:
        given = records.from_paths(paths) if paths else records.from_stream(source)[0]
        drawn = sheet.of_texts(({**one, "text": text(one)} for one in given), settings, size)
    count = sheet.write(drawn, target)
    found, rules = sum(drawn.counts.values()), len(drawn.counts)
    click.echo(
        f"{count} of {found:,} findings by {rules} rules in {target}; write y or n into the first "
        f"column, then: stackcurate redact --judged {target}"
    )


def _rows(release: Path) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for shard in sorted((release / "data").rglob("*.parquet")):
        columns = ["path", "content", "redactions"]
        for batch in pq.ParquetFile(shard).iter_batches(BATCH, columns=columns):
            rows: Iterable[dict[str, Any]] = batch.to_pylist()
            for row in rows:
                yield row["path"] or "", row["content"] or "", row["redactions"] or []


def print_verdict(source: Path) -> None:
    """Precision per rule and over all, from a judged sheet."""
    verdicts = sheet.read(source)
    width = max(len(one.rule) for one in verdicts)
    click.echo(f"{'rule':<{width}}  findings  judged  right  precision  (95 %)")
    for one in verdicts:
        low, high = one.interval
        click.echo(
            f"{one.rule:<{width}}  {one.findings:>8,}  {one.judged:>6}  {one.right:>5}"
            f"  {one.precision:>9.2f}  ({low:.2f} to {high:.2f})"
        )
    click.echo(
        f"all, each rule by its findings: {sheet.overall(verdicts):.3f}"
        f" ({sum(one.judged for one in verdicts)} judged)"
    )
