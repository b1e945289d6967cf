"""`why`: one command that answers for any path, hash or repository."""

from __future__ import annotations

from pathlib import Path

import click

from stackcurate import config as configs
from stackcurate.errors import ConfigError
from stackcurate.pipeline import why as whys


@click.command("why")
@click.argument("asked", metavar="PATH|HASH|REPO")
@click.argument(
    "place", metavar="[CONFIG|RELEASE]", required=False, type=click.Path(path_type=Path)
)
@click.option("--most", default=whys.MOST, show_default=True, help="Rows shown at the most.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def why_command(asked: str, place: Path | None, most: int, as_json: bool) -> None:
    """Say what became of a file and why, stage by stage.

    Ask for a path (/src/app.py, or the end of one), a hash (content id, SHA-1, SHA-256 or row key
    of a file; revision, directory or snapshot of a repository; SWHIDs too) or a repository (origin
    URL, or owner/name). With the config, the answer comes from the run folder
    and is whole; with a release folder it goes as far as what is published. Without either, the
    one config under configs/ with a release is taken.

    \b
    Example:  stackcurate why /src/app.py configs/v2.1.yaml
              stackcurate why swh:1:cnt:8baef1b4abc478178b004d62031cf7fe6db6f903 releases/x/v1.0.0
    """
    release, run_folder = _folders(place or _newest())
    answer = whys.why(asked, release, run_folder, most)
    click.echo(answer.json() if as_json else answer.text())
    if not (answer.total or answer.set_aside or answer.repositories):
        raise click.exceptions.Exit(1)


def _folders(place: Path) -> tuple[Path | None, Path | None]:
    if place.is_dir():
        if (place / "manifest.json").exists():
            return place, None
        if (place / "ledger").is_dir():
            return None, place
        raise ConfigError(f"{place} is neither a release nor a run folder")
    config = configs.load(place)
    release = config.release_folder if config.release_folder.exists() else None
    if release is None and not (config.run_folder / "ledger").is_dir():
        raise ConfigError(f"{place.name} has not run yet; `stackcurate run {place}` comes first")
    return release, config.run_folder


def _newest() -> Path:
    """The last config under configs/ whose release stands."""
    for path in sorted(Path("configs").glob("*.y*ml"), reverse=True):
        if configs.load(path).release_folder.exists():
            return path
    raise ConfigError("name the config or the release folder to look in: `why ASKED CONFIG`")
