"""`license` over paths, records or a text: which license covers files, and what says so."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from stackcurate.cli import records
from stackcurate.cli.alone import each, either, one_input, record_options, wants_parquet
from stackcurate.cli.records import Record
from stackcurate.cli.run import default_workers
from stackcurate.licenses import warm
from stackcurate.licenses.alone import (
    EVIDENCE_STRUCT,
    MAX_BYTES,
    flat_records,
    scan_path,
    scan_records,
)
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.scancode import Judge
from stackcurate.licenses.tree import root_of
from stackcurate.text import visible

_NOTICE = 1000  # bytes of the longest notices at the top of source files
_LICENSE = pa.schema(
    [
        ("id", pa.string()),
        ("license_expression", pa.string()),
        ("license_class", pa.string()),
        ("evidence", EVIDENCE_STRUCT),
    ]
)


@click.command("license")
@record_options
@click.option(
    "--as-text",
    is_flag=True,
    help="Read every file as one text, as a scanner does: no fields, no folders, mentions count.",
)
def license_command(
    paths: tuple[Path, ...],
    source: Path | None,
    target: Path | None,
    as_json: bool,
    as_text: bool,
) -> None:
    """Say which license covers files, and what says so.

    With PATHS (files, folders, repositories), each file is covered by its own header, else by the
    nearest folder that states a license, those above in the same repository included; a license
    file or manifest that is named itself tells what it states. Else for records {id, path, text or
    content_b64}: a license file or manifest states what it states, any other file speaks through
    its header. A percentage tells how much of a known text stands there, where it is not word for
    word.

    Records out, for both: {id, license_expression, license_class, evidence: {kind, path, rule,
    matcher, score, start, end}}. The id of a file is its path; evidence names the file that
    says it, and the bytes there. What stays undecided is null.

    \b
    Example:  stackcurate license .
              stackcurate license < COPYING
              stackcurate license --in files.jsonl --json
    """
    one_input(paths, source)
    tell_compiling()
    with contextlib.closing(Cache(cache_path())) as cache, Judge(default_workers()) as judge:
        if paths and not as_text:
            scanned = ((path, scan_path(path, cache, judge)) for path in paths)
            rows = (row for path, table in scanned for row in _as_asked(path, table))
            parquet = wants_parquet(target, as_json, False)
            line = None if as_json or target else _license_line
            records.write(rows, target, _LICENSE, parquet, line)
            return

        def work(given: Iterable[Record]) -> Iterator[Record]:
            bare = ({**one, "text": either(one)} for one in given)
            if as_text:
                return flat_records(bare)
            return scan_records(bare, cache, judge, LicenseSettings())

        given: Any = sys.stdin.buffer
        start = b"" if source is not None or paths else given.peek(4)[:4]
        if start and not start.lstrip().startswith(b"{") and start != b"PAR1":
            text = given.read(MAX_BYTES)
            (source_,) = work([{"id": "-", "text": text}])
            (license_,) = work([{"id": "-", "path": "LICENSE", "text": text}])
            as_license = _is_license(license_, text) or not source_["license_expression"]
            _one_text(license_ if as_license else source_, target, as_json)
            return

        each(paths, source, target, as_json, work, _LICENSE, _license_line)


def _as_asked(path: Path, table: pa.Table) -> Iterator[Record]:
    """Rows of ``scan_path`` with paths as the one who asked for ``path`` would write them."""
    base = path.absolute() if path.is_dir() else root_of(path)
    shown = str(base) if path.is_absolute() else os.path.relpath(base)
    for row in table.to_pylist():
        evidence = row["evidence"]
        if evidence is not None:
            evidence["path"] = os.path.normpath(f"{shown}/{evidence['path']}")
            evidence["score"] = round(evidence["score"], 2)  # it was a 32-bit number
        yield {"id": os.path.normpath(f"{shown}/{row.pop('path')}"), **row}


def _is_license(read: Record, text: bytes) -> bool:
    """Whether what was read as a license is longer than a notice, and most of a text."""
    evidence = read["evidence"]
    if evidence is None or read["license_class"] == "unknown":
        return False
    size = evidence["end"] - evidence["start"]
    return bool(size > max(_NOTICE, len(text) / 2))


def _one_text(row: Record, target: Path | None, as_json: bool) -> None:
    """Write what one text of standard input says: a line for people, unless asked otherwise."""

    def line(row: Record) -> str:
        kind = (row["evidence"] or {}).get("kind", "nothing")
        return f"{row['license_expression'] or '-'}  {row['license_class'] or '-'}  {kind}"

    parquet = wants_parquet(target, as_json, False)
    records.write([row], target, _LICENSE, parquet, None if as_json or target else line)


def _license_line(row: Record) -> str:
    license_, source = row["license_expression"] or "-", row["evidence"] or {}
    where = "header" if source.get("kind") == "header" else visible(source.get("path") or "")
    says = [where] if where and where != visible(row["id"] or "") else []
    # What stands there word for word needs no number.
    says += [f"{source['score']:.0f} %"] if "3-seq" in (source.get("matcher") or "") else []
    told = f"  ({', '.join(says)})" if says else ""
    return f"{license_:<30} {row['license_class'] or '-':<16} {visible(row['id'] or '')}{told}"


def tell_compiling() -> None:
    """Say why the first text takes so long."""
    if warm.is_cold():
        click.echo(warm.NOTE, err=True)


def cache_path() -> Path | None:
    """Where answers of the full matcher are kept between calls; None where no folder can be had."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for folder in (Path(home) / "stackcurate", Path(tempfile.gettempdir()) / "stackcurate-cache"):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder / "licenses.sqlite"
    return None
