"""`diff`, `releases`, `reproduce` and `cite`: what a researcher does with several releases."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from stackcurate.cli.progress import watcher
from stackcurate.cli.run import LOG_FORMAT, default_workers, release_of
from stackcurate.engine.local import LocalEngine
from stackcurate.errors import EXIT_DONE, EXIT_INTEGRITY, ConfigError
from stackcurate.optout import registry as optouts
from stackcurate.pipeline import reproduce as reproductions
from stackcurate.pipeline.release import withdrawn_in
from stackcurate.releases import diff_text, versions
from stackcurate.releases.cite import FORMATS, cite
from stackcurate.releases.diff import diff
from stackcurate.releases.manifest import read_manifest
from stackcurate.text import as_size, with_commas

RELEASES = click.option(
    "--releases",
    type=click.Path(path_type=Path),
    default=Path("releases"),
    show_default=True,
    help="The folder of releases.",
)


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "parquet"]),
    default="text",
    help="Counts as text or JSON, or every difference as a row of Parquet (with --out).",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File for the Parquet rows."
)
@click.option(
    "--registry",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Opt-out registry: tells for certain which files went by an opt-out.",
)
def diff_command(
    before: Path, after: Path, form: str, out: Path | None, registry: Path | None
) -> None:
    """Say what changed from release BEFORE to release AFTER (folders, or their configs), and why.

    Files are added, removed, moved (the same content elsewhere) or changed, each by one cause:
    a new state upstream, an opt-out, a license decision, a detector, another copy that is kept now,
    or the config. What opt-outs took away is counted and not named.

    \b
    Example:  stackcurate diff releases/x/v1.0.0 releases/x/v1.1.0
              stackcurate diff v1.0.0 v1.1.0 --format parquet --out differences.parquet
    """
    if (form == "parquet") != (out is not None):
        raise ConfigError("--format parquet and --out FILE go together")
    withdrawn = withdrawn_in(optouts.read(registry)) if registry else None
    found = diff(release_of(before), release_of(after), out, withdrawn)
    if form == "json":
        click.echo(json.dumps(found.plain(), indent=1))
    else:
        click.echo(diff_text.text(found), nl=False)


@click.group("releases", context_settings={"help_option_names": ["-h", "--help"]})
def releases_command() -> None:
    """List releases, show one, or name the newest.

    \b
    Example:  stackcurate releases list
              stackcurate releases show stack-sample 2.1.0
              cd $(stackcurate releases latest stack-sample)
    """


@releases_command.command("list")
@click.argument("name", required=False)
@RELEASES
@click.option("--json", "as_json", is_flag=True, help="As a JSON list.")
def list_command(name: str | None, releases: Path, as_json: bool) -> None:
    """List the releases of NAME, or of all names, oldest first.

    \b
    Example:  stackcurate releases list
              stackcurate releases list stack-sample --json
    """
    rows = []
    for one in versions.list_releases(releases, name):
        manifest = read_manifest(one.path)
        totals = manifest["totals"]
        rows.append(
            {
                "name": one.name,
                "version": one.version,
                "files": totals["files"],
                "bytes": totals["bytes"],
                "release_id": manifest["release_id"],
                "path": str(one.path),
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        size = f"{with_commas(row['files']):>14} files {as_size(row['bytes']):>10}"
        click.echo(f"{row['name']:<24} {row['version']:<10}{size}  {row['release_id']}")


@releases_command.command("show")
@click.argument("name")
@click.argument("version", required=False)
@RELEASES
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show_command(name: str, version: str | None, releases: Path, as_json: bool) -> None:
    """Show one release of NAME: what it holds, what it was built on, the opt-out cut-off.

    \b
    Example:  stackcurate releases show stack-sample
              stackcurate releases show stack-sample 2.1.0
    """
    one, manifest = versions.find(releases, name, version)
    newest = versions.latest(releases, name)
    facts = {
        "release id": manifest["release_id"],
        "folder": str(one.path),
        "files": with_commas(manifest["totals"]["files"]),
        "text": as_size(manifest["totals"]["bytes"]),
        "previous": (manifest["previous"] or {}).get("version", "none: the first"),
        "built with": f"stackcurate {manifest['tools'].get('stackcurate', '(unknown)')}",
        "inputs": with_commas(len(manifest["inputs"])),
        "newest opt-out": manifest["optout"].get("newest_event") or "none",
        "newer version": newest.version if newest.number > one.number else "none",
    }
    if as_json:
        click.echo(json.dumps({"name": one.name, "version": one.version, **facts}, indent=1))
        return
    click.echo(f"{one.name} {one.version}")
    for label, value in facts.items():
        click.echo(f"  {label:<15} {value}")


@releases_command.command("latest")
@click.argument("name")
@RELEASES
def latest_command(name: str, releases: Path) -> None:
    """Print the folder of the newest release of NAME.

    \b
    Example:  cd $(stackcurate releases latest stack-sample)
    """
    click.echo(str(versions.latest(releases, name).path))


@click.command("cite")
@click.argument("release", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="bibtex",
    help="BibTeX, a reference in APA style, or the release's CITATION.cff.",
)
@click.option("--year", type=click.IntRange(1900, 9999), help="When it was published, if known.")
def cite_command(release: Path, form: str, year: int | None) -> None:
    """Print how to cite RELEASE, by version and release id.

    \b
    Example:  stackcurate cite releases/x/v1.0.0 --format apa
    """
    click.echo(cite(release_of(release), form, year), nl=False)


@click.command("reproduce")
@click.argument("release", type=click.Path(path_type=Path))
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The config that built it, or any file where it lay: written paths are relative to it. "
    "Default: the current folder.",
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    metavar="N=PATH",
    help="Where the Nth source of the config (from 1) lies here. May be given several times.",
)
@click.option(
    "--earlier",
    multiple=True,
    metavar="N=PATH",
    help="Where the Nth entry of dedup.against lies here. May be given several times.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="A new folder for the release. Default: a temporary one, removed afterwards.",
)
@click.option(
    "--registry",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The public opt-out registry as it stands now. Default: the one that the config names.",
)
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@LOG_FORMAT
def reproduce_command(
    release: Path,
    config_file: Path | None,
    sources: Sequence[str],
    earlier: Sequence[str],
    out: Path | None,
    registry: Path | None,
    workers: int | None,
    as_json: bool,
    log_format: str,
) -> int:
    """Build RELEASE again from its manifest in another folder, and compare.

    Needs the sources as its input lock names them and the public opt-out registry. What was
    withdrawn since is not written again: the other rows are compared, and these are counted. Where
    libraries or tables are others, rows are compared instead of bytes.

    Exits 0 where it comes out equal, 3 where it differs, 2 where it cannot be told.

    \b
    Example:  stackcurate reproduce releases/stack-sample/v2.1.0 --config configs/v2.1.yaml
    """
    os.environ["STACKCURATE_LOG_FORMAT"] = log_format
    if config_file is None and not release.is_dir():
        config_file = release  # a config names its release, and where its paths begin
    base = Path.cwd() if config_file is None else config_file.resolve().parent
    with ExitStack() as held:
        if out is None:
            out = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="stackcurate-")))
        engine = held.enter_context(LocalEngine(workers or default_workers()))
        found = reproductions.reproduce(
            release_of(release), out, engine, watcher(log_format), base,
            _places("--source", sources), registry, earlier=_places("--earlier", earlier),
        )  # fmt: skip
    click.echo(json.dumps(found.plain(), indent=1) if as_json else found.text(), nl=as_json)
    return EXIT_DONE if found.equal else EXIT_INTEGRITY


def _places(option: str, given: Sequence[str]) -> dict[int, Path]:
    """``N=PATH`` as {N: PATH}."""
    places = {}
    for one in given:
        number, sign, path = one.partition("=")
        if not sign or not number.isdigit() or not path:
            raise ConfigError(f"{option} {one!r}: write N=PATH, with N from 1")
        places[int(number)] = Path(path)
    return places
