"""`run`, `plan`, `status` and `report`: building a release and watching it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import click

from stackcurate import config as configs
from stackcurate import report
from stackcurate.cli.progress import watcher
from stackcurate.engine.base import Engine
from stackcurate.engine.local import LocalEngine
from stackcurate.errors import EXIT_SET_ASIDE, ConfigError
from stackcurate.pipeline import plan as plans
from stackcurate.pipeline import run as runs
from stackcurate.pipeline import status as states
from stackcurate.releases.manifest import read_manifest

CONFIG = click.argument("config", type=click.Path(path_type=Path))
LOG_FORMAT = click.option(
    "--log-format",
    type=click.Choice(["auto", "plain", "json"]),
    default="auto",
    help="Bars on a terminal and plain lines elsewhere (auto), or JSON lines for machines.",
)


def default_workers() -> int:
    """As many workers as this process may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command("run")
@CONFIG
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: one per core.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Take only the first N containers (repositories, archives, files) of each source, for a "
    "look. The release is named NAME-limitN.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 where an input was set aside.")
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where tasks run: processes of this machine, or the Ray cluster that RAY_ADDRESS names "
    "(needs stackcurate[ray], and paths that all machines share).",
)
@LOG_FORMAT
def run_command(
    config: Path,
    workers: int | None,
    limit: int | None,
    strict: bool,
    engine_name: str,
    log_format: str,
) -> int:
    """Build the release that CONFIG describes.

    Killed and started again, it goes on where it was. Run again after it is done, it verifies the
    release and exits 0; where config, inputs or opt-outs changed meanwhile, it exits 2 and names
    the next version number.

    \b
    Example:  stackcurate run configs/v2.1.yaml --workers 2
              stackcurate run configs/v2.1.yaml --limit 3 --strict
    """
    os.environ["STACKCURATE_LOG_FORMAT"] = log_format
    checked = configs.load(config)
    with _engine(engine_name, workers or default_workers()) as engine:
        result = runs.run(checked, engine, watcher(log_format), limit)
    if log_format != "json":
        click.echo(report.Report.of(result.manifest).as_text())
    word = "written to" if result.built else "verified at"
    name = f"{checked.name} v{checked.version}"
    look = "" if limit is None else f", a look at the first {limit} of each source,"
    click.echo(f"{name}{look} {word} {_shown(result.release)}")
    if result.problems:
        were = "input was" if result.problems == 1 else "inputs were"
        where = _shown(config if limit is None else result.release)
        click.echo(
            f"{result.problems} {were} set aside; `stackcurate report {where}` lists them", err=True
        )
    return EXIT_SET_ASIDE if strict and result.problems else 0


def _engine(name: str, workers: int) -> contextlib.AbstractContextManager[Engine]:
    if name == "local":
        return LocalEngine(workers)
    from stackcurate.engine.ray import RayEngine  # an extra

    return RayEngine(workers)


@click.command("plan")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def plan_command(config: Path, as_json: bool) -> None:
    """Say what `run CONFIG` would do, on how much, and what it would cost. Starts nothing.

    \b
    Example:  stackcurate plan configs/v2.1.yaml
    """
    found = plans.plan(configs.load(config), default_workers())
    click.echo(found.json() if as_json else found.text())


@click.command("status")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status_command(config: Path, as_json: bool) -> None:
    """Say how far the run of CONFIG is: phases done, rates, what was set aside.

    \b
    Example:  stackcurate status configs/v2.1.yaml
    """
    found = states.status(configs.load(config))
    click.echo(found.json() if as_json else found.text())


@click.command("report")
@click.argument("release", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    help="Plain text, the numbers as JSON, or the page that also lies in the release.",
)
def report_command(release: Path, form: str) -> None:
    """Show what became of every file: RELEASE is a release folder, or the config that built it.

    \b
    Example:  stackcurate report releases/stack-sample/v2.1.0
              stackcurate report configs/v2.1.yaml --format html > report.html
    """
    manifest = read_manifest(release_of(release))
    shown = report.Report.of(manifest)
    render = {"text": shown.as_text, "json": shown.as_json, "html": shown.as_html}[form]
    sys.stdout.write(render().rstrip("\n") + "\n")


def release_of(place: Path) -> Path:
    """The release folder that a release folder or a config names."""
    if place.is_dir():
        return place
    if not place.exists():
        raise ConfigError(f"{place} is neither a release folder nor a config")
    folder = configs.load(place).release_folder
    if not folder.exists():
        raise ConfigError(f"{place.name} has no release yet; `stackcurate run {place}` builds it")
    return folder


def _shown(path: Path) -> str:
    """A path as people type it: relative where it lies below the current folder."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
