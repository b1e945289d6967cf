"""`verify` and `query`: what a researcher does with a release."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from stackcurate.cli.run import release_of
from stackcurate.errors import EXIT_DONE, EXIT_INTEGRITY
from stackcurate.index.query import query
from stackcurate.index.show import as_csv, as_json_lines, as_table
from stackcurate.optout import registry as optouts
from stackcurate.pipeline.release import withdrawn_in
from stackcurate.pipeline.rescan import rescanner
from stackcurate.releases.manifest import read_manifest
from stackcurate.releases.verify import verify


@click.command("verify")
@click.argument("release", type=click.Path(path_type=Path))
@click.option("--files", "files_only", is_flag=True, help="Compare checksums and nothing else.")
@click.option(
    "--rescan",
    is_flag=True,
    help="Run the detectors again: fails on what the release's own settings would redact, and "
    "lists what a strict scan still sees.",
)
@click.option(
    "--registry",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Opt-out registry: nothing that it withdraws may be inside.",
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def verify_command(
    release: Path, files_only: bool, rescan: bool, registry: Path | None, as_json: bool
) -> int:
    """Check RELEASE (a folder, or the config that built it) against what it says of itself.

    Checksums, schema, row counts, the ledger's sums, texts against their digests, and that nothing
    opted out is inside. Exits 3 and names what is wrong where a check fails.

    \b
    Example:  stackcurate verify releases/stack-sample/v2.1.0 --registry optout.jsonl
    """
    folder = release_of(release)
    withdrawn = withdrawn_in(optouts.read(registry)) if registry else None
    if withdrawn is None and not release.is_dir():
        from stackcurate import config as configs

        known = configs.load(release).optout.registry
        withdrawn = withdrawn_in(optouts.read(known)) if known else None
    scan = rescanner(read_manifest(folder)) if rescan else None
    found = verify(folder, files_only, withdrawn, scan)
    if as_json:
        checks = [
            {"name": c.name, "passed": c.passed, "summary": c.summary, "problems": c.problems}
            for c in found.checks
        ]
        click.echo(json.dumps({"passed": found.passed, "checks": checks}, indent=1))
    else:
        click.echo(found.text(), nl=False)
        if withdrawn is None and not files_only:
            click.echo("--    opt-out    not checked: name the registry with --registry FILE")
        for line in found.findings[:200]:
            click.echo(f"  strict scan: {json.dumps(dict(line), sort_keys=True)}")
    return EXIT_DONE if found.passed else EXIT_INTEGRITY


@click.command("query")
@click.argument("release", type=click.Path(path_type=Path))
@click.option("--language", help="Files in this language.")
@click.option(
    "--license", "license_", help="Files whose SPDX expression is this, or holds this id."
)
@click.option("--repo", help="Files of this repository (owner/name or origin URL).")
@click.option("--path", help="Files whose path matches this glob (** crosses folders).")
@click.option("--pattern", help="Files whose content matches this regular expression (RE2).")
@click.option(
    "--sql",
    help="A SELECT over the views files, repositories, revisions, origin_groups, ledger, evidence.",
)
@click.option("--count-by", help="Count files and bytes by this column instead of listing them.")
@click.option("--limit", type=click.IntRange(1), help="Rows at the most.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    help="Table on a terminal, JSON Lines elsewhere, unless said.",
)
def query_command(
    release: Path,
    language: str | None,
    license_: str | None,
    repo: str | None,
    path: str | None,
    pattern: str | None,
    sql: str | None,
    count_by: str | None,
    limit: int | None,
    form: str | None,
) -> None:
    """Ask a release with filters or SQL, read-only, through DuckDB.

    \b
    Example:  stackcurate query releases/x/v1.0.0 --language Python --count-by license_expression
              stackcurate query releases/x/v1.0.0 --sql "SELECT repo_name, count(*) FROM files
              GROUP BY 1"
    """
    form = form or ("table" if sys.stdout.isatty() else "json")
    show = {"table": as_table, "json": as_json_lines, "csv": as_csv}[form]
    with query(
        release_of(release), language, license_, repo, path, pattern, sql, count_by, limit
    ) as answer:
        lines = 0
        for line in show(answer):
            click.echo(line)
            lines += 1
    if lines <= {"table": 2, "csv": 1, "json": 0}[form]:  # the head alone
        click.echo("no row matches; --count-by language (or another column) tells what is there",
                   err=True)  # fmt: skip
