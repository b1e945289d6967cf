"""`language`, `redact` and `dedup` alone, for people with their own pipeline."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pyarrow as pa

from stackcurate.cli import records
from stackcurate.cli.progress import watcher
from stackcurate.cli.records import Record
from stackcurate.cli.run import LOG_FORMAT, default_workers
from stackcurate.cli.sheet import print_verdict, write_sheet
from stackcurate.dedup.alone import dedup_parquet
from stackcurate.dedup.plot import svg
from stackcurate.dedup.settings import Settings as DedupSettings
from stackcurate.engine.local import LocalEngine
from stackcurate.errors import ConfigError
from stackcurate.languages.alone import languages
from stackcurate.pipeline.decode import decode
from stackcurate.redaction.alone import redact_records
from stackcurate.redaction.settings import Settings as RedactSettings
from stackcurate.text import visible

_LANGUAGE = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("method", pa.string()),
        ("confidence", pa.float32()),
    ]
)
_REDACT = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        (
            "findings",
            pa.list_(
                pa.struct(
                    [
                        ("rule", pa.string()),
                        ("kind", pa.string()),
                        ("start", pa.int64()),
                        ("end", pa.int64()),
                        ("confidence", pa.float32()),
                    ]
                )
            ),
        ),
    ]
)


def record_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that the three record commands share."""
    for decorate in reversed(
        (
            click.argument("paths", nargs=-1, type=click.Path(path_type=Path)),
            click.option("--in", "source", type=click.Path(path_type=Path, dir_okay=False),
                         help="JSON Lines (id, path, text or content_b64) or Parquet. Default: "
                         "standard input."),
            click.option("--out", "target", type=click.Path(path_type=Path, dir_okay=False),
                         help="Parquet for NAME.parquet, else JSON Lines. Default: standard "
                         "output."),
            click.option("--json", "as_json", is_flag=True, help="JSON Lines, whatever came in."),
        )
    ):  # fmt: skip
        command = decorate(command)
    return command


@click.command("language")
@record_options
def language_command(
    paths: tuple[Path, ...], source: Path | None, target: Path | None, as_json: bool
) -> None:
    """Name the language of files or records.

    With PATHS, a line per file; else a record {id, language, method, confidence} per record
    {id, path, text or content_b64}. What stays undecided is null.

    \b
    Example:  stackcurate language src/
              stackcurate language --in files.jsonl --out languages.parquet
    """

    def work(rows: Iterable[Record]) -> Iterator[Record]:
        return languages(rows)

    def line(row: Record) -> str:
        return f"{row['language'] or '-':<20} {row['method'] or '-':<10} {visible(row['id'] or '')}"

    each(paths, source, target, as_json, work, _LANGUAGE, line)


@click.command("redact")
@record_options
@click.option(
    "--sensitivity",
    type=click.Choice(["strict", "balanced", "loose"]),
    default="balanced",
    show_default=True,
    help="How sure a finding must be: strict redacts too much rather than too little.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Write a sheet of N findings in context, values masked, to --out, for a person to judge. "
    "PATHS may be a release.",
)
@click.option(
    "--judged",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="SHEET",
    help="Read a judged sheet and print the precision of each rule.",
)
def redact_command(
    paths: tuple[Path, ...],
    source: Path | None,
    target: Path | None,
    as_json: bool,
    sensitivity: str,
    sample: int | None,
    judged: Path | None,
) -> None:
    """Replace personal data and secrets in files or records.

    With PATHS, a line per finding (never its value), and no file is changed; with --json or --out,
    and for records, {id, text, findings: [{rule, kind, start, end, confidence}]} per record, where
    start and end count Unicode characters of the given text. Text that cannot be decoded gives
    null.

    \b
    Example:  stackcurate redact src/
              stackcurate redact --in files.jsonl --out clean.jsonl --sensitivity strict
              stackcurate redact RELEASE --sample 200 --out sheet.tsv
              stackcurate redact --judged sheet.tsv
    """
    one_input(paths, source)
    if judged is not None:
        print_verdict(judged)
        return
    settings = RedactSettings(sensitivity=sensitivity)
    if sample is not None:
        write_sheet(paths, source, target, settings, sample, _text)
        return

    def work(given: Iterable[Record]) -> Iterator[Record]:
        return redact_records(({**one, "text": _text(one)} for one in given), settings)

    if paths and not (as_json or target):
        texts: dict[str, str] = {}

        def remembering(given: Iterable[Record]) -> Iterator[Record]:
            for one in given:
                text = _text(one)
                texts.clear() if len(texts) > 1000 else None
                texts[one["id"]] = text or ""
                yield from redact_records([{**one, "text": text}], settings)

        for row in remembering(records.from_paths(paths)):
            for finding in row["findings"] or ():
                number = texts[row["id"]].count("\n", 0, finding["start"]) + 1
                place = f"{visible(row['id'])}:{number}"
                click.echo(
                    f"{place}  {finding['kind']}  {finding['rule']}  {finding['confidence']}"
                )
        return
    each(paths, source, target, as_json, work, _REDACT, None)


@click.command("dedup")
@click.argument("source", metavar="IN.parquet", required=False, type=click.Path(path_type=Path))
@click.argument("out", metavar="OUT_DIR", required=False, type=click.Path(path_type=Path))
@click.option("--column", default="content", show_default=True, help="Column that holds the text.")
@click.option("--id", "id_", default="id", show_default=True, help="Column that names a row.")
@click.option("--group", help="Column within which duplicates are sought, for example language.")
@click.option(
    "--threshold", default=0.7, show_default=True, help="Jaccard similarity of a near twin."
)
@click.option(
    "--permutations", default=256, show_default=True, help="Length of a MinHash signature."
)
@click.option("--ngram", default=5, show_default=True, help="Words of a shingle.")
@click.option("--bands", default=42, show_default=True, help="Bands of a signature.")
@click.option("--rows", default=6, show_default=True, help="Values of a band.")
@click.option("--seed", default=1, show_default=True, help="Seed of the permutations.")
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: one per core.")
@click.option(
    "--memory-mb", default=1024, show_default=True, help="About what a worker takes for matching."
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Also drop what this Parquet file, folder or release holds. May stand several times.",
)
@click.option("--explain", is_flag=True, help="Print and plot what bands and rows find, and stop.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --explain: write the curve to this SVG file too.",
)
@LOG_FORMAT
def dedup_command(
    source: Path | None,
    out: Path | None,
    column: str,
    id_: str,
    group: str | None,
    threshold: float,
    permutations: int,
    ngram: int,
    bands: int,
    rows: int,
    seed: int,
    workers: int | None,
    memory_mb: int,
    against: tuple[Path, ...],
    explain: bool,
    plot: Path | None,
    log_format: str,
) -> None:
    """Remove exact and near duplicates from a Parquet file or a folder of them.

    Writes OUT_DIR/kept.parquet (the kept rows, all columns, in their order) and
    OUT_DIR/clusters.parquet (id, cluster, kept, representative, similarity: one row per input row).
    Every dropped row names a kept row whose exact similarity reaches the threshold; earlier rows
    are kept before later ones.

    \b
    Example:  stackcurate dedup files.parquet out --column content --id id
              stackcurate dedup --explain --threshold 0.8 --bands 20 --rows 12
    """
    settings = DedupSettings(
        threshold=threshold, permutations=permutations, ngram=ngram, bands=bands, rows=rows,
        seed=seed, scope="language" if group else "all", memory_mb=memory_mb,
    )  # fmt: skip
    if explain:
        click.echo(explain_text(settings))
        if plot is not None:
            plot.write_text(svg(settings))
        return
    if source is None or out is None:
        raise ConfigError(
            "dedup needs IN.parquet and OUT_DIR; `stackcurate dedup --help` shows how"
        )
    progress = watcher(log_format)
    with LocalEngine(workers or default_workers()) as engine:
        found = dedup_parquet(source, out, column, id_, settings, engine, group, against)
    earlier = found.earlier_exact + found.earlier_near
    more = f", {earlier:,} more that --against holds" if against else ""
    progress.note(
        f"{found.files:,} rows: {found.exact:,} exact and {found.near:,} near duplicates dropped"
        f"{more}, {found.kept:,} kept in {out}; {found.effort()}"
    )


def explain_text(settings: DedupSettings) -> str:
    """The S-curve in numbers and as a plot, and what it costs."""
    lines = [
        f"{settings.bands} bands of {settings.rows} rows, {settings.permutations} permutations: "
        "the chance that a pair of files meets, by its true similarity",
        "",
    ]
    for similarity, chance in settings.curve():
        bar = "#" * round(chance * 50)
        mark = "  <- threshold" if abs(similarity - settings.threshold) < 0.025 else ""
        lines.append(f"  {similarity:4.2f}  {chance:7.4f}  {bar}{mark}")
    found = settings.probability(settings.threshold)
    low = settings.threshold - settings.estimate_margin
    lines += [
        "",
        f"A pair at the threshold {settings.threshold} is found with probability {found:.4f}; what "
        "is found is verified by the exact similarity of the word shingles.",
        f"A pair at {low:.2f} meets with probability {settings.probability(low):.4f}; pairs whose "
        "signatures estimate less than that are skipped unverified.",
        f"Disk per file: {settings.bands} band keys of 12 bytes, a signature of "
        f"{2 * settings.permutations} bytes and a sketch of {settings.permutations}: "
        f"{(12 * settings.bands + 3 * settings.permutations) / 1000:.1f} GB per million files.",
        f"Signing costs one multiplication per word and permutation: {settings.permutations} of "
        f"them take about {settings.permutations / 768:.0%} of the time of finding words, where "
        "vectors are wide; about 0.4 pairs per file of real code are verified.",
        f"Memory: about {settings.memory_mb} MB a worker and one bit a file, however many files; "
        "--memory-mb changes the first.",
    ]
    return "\n".join(lines)


def each(
    paths: Sequence[Path],
    source: Path | None,
    target: Path | None,
    as_json: bool,
    work: Callable[[Iterable[Record]], Iterator[Record]],
    schema: pa.Schema,
    line: Callable[[Record], str] | None,
) -> None:
    """Read records, let ``work`` answer each, write the answers."""
    one_input(paths, source)
    if not paths and source is None and sys.stdin.isatty():
        raise ConfigError("give PATHS, or records with --in or on standard input; see --help")
    given, id_type = (records.from_paths(paths), None) if paths else records.from_stream(source)
    parquet = wants_parquet(target, as_json, id_type is not None)
    faults: list[str] = []
    rows = work(_watched(given, faults))
    table = line if paths and not (as_json or target) else None
    if parquet and id_type is not None:  # ids pass through as they are
        schema = schema.set(schema.get_field_index("id"), pa.field("id", id_type))
    elif parquet:  # of JSON Lines: each may be of another type
        rows = (_string_id(row) for row in rows)
    records.write(rows, target, schema, parquet, table)
    if faults:
        click.echo(f"{len(faults)} records could not be read; the first: {faults[0]}", err=True)


def _watched(given: Iterable[Record], faults: list[str]) -> Iterator[Record]:
    """The records; what is wrong with some is noted in ``faults``."""
    for record in given:
        if "error" in record:
            faults.append(str(record["error"]))
        yield record


def one_input(paths: Sequence[Path], source: Path | None) -> None:
    """Refuse a call that names two inputs, or a path that is not there."""
    if paths and source:
        raise ConfigError("give PATHS or --in, not both")
    for path in paths:
        if not path.exists():
            raise ConfigError(f"{path} does not exist")


def wants_parquet(target: Path | None, as_json: bool, came_as_parquet: bool) -> bool:
    """Whether the answer goes out as Parquet: as TARGET's name says, else as the records came."""
    if as_json:
        return False
    return target.suffix == ".parquet" if target else came_as_parquet


def _string_id(row: Record) -> Record:
    return {**row, "id": None if row["id"] is None else str(row["id"])}


def either(record: Record) -> str | bytes | None:
    """The text of a record, or its bytes where it has those."""
    text = record.get("text")
    return text if text is not None else record.get("content")


def _text(record: Record) -> str | None:
    """The text of a record, decoded as the pipeline does; None where it cannot be."""
    if record.get("text") is not None:
        return str(record["text"])
    content = record.get("content")
    if content is None:
        return None
    text, _ = decode(content)
    return None if text is None else text.decode()
