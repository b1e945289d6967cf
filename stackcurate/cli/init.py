"""`init`: a commented config for what a person has on disk."""

from __future__ import annotations

from pathlib import Path

import click

from stackcurate.errors import ConfigError

_TEMPLATE = """\
# A stackcurate config. Check it with `stackcurate plan`, build it with `stackcurate run`.
name: {name}
version: 1.0.0          # major.minor.patch; a published version is never written over
# previous: v0.9.yaml   # the config of the release before this one, for the changelog
title: {name}
description: ""
authors: []

# Where repository snapshots come from. Several sources may stand side by side.
sources:
{sources}
# repositories: facts.parquet   # stars, forks, declared licenses (shape of the GHArchive merge)
# quarantine: releases/NAME/v1.0.0   # a release: what killed a worker there is not tried again

# The order is fixed; license, header, language, filter, redact and dedup may be left out.
stages: [optout, license, choose, fetch, header, language, filter, redact, dedup]

optout:
  # registry: optout.jsonl        # who withdrew what; applied before anything is read
license:
  look_inside: allowed            # open: also fetch files that nothing licenses, for their headers
  policy: permissive              # the license classes that may be released
choose:
  forks: keep                     # keep and report | collapse to the best repository | ignore
fetch:
  max_bytes: 10485760             # longer files are dropped unread
language:
  keep: []                        # empty keeps every language
filter: {{}}                        # defaults in the spirit of The Stack v2; each rule can be null
redact:
  sensitivity: balanced           # strict | balanced | loose
dedup:
  threshold: 0.7                  # exact Jaccard similarity of word 5-grams
  scope: language                 # language | all | repository
  # against: [releases/old/v1.0.0] # what these hold is not released again; also folders of Parquet:
  #   - {{path: other, columns: {{content: text, id: hexsha, language: lang}}}}
  # earlier: drop                 # drop | mark (keep, and say so in the ledger)
  # store: false                  # true ships signatures, so that later releases hash only the new
release:
  shard_bytes: 268435456          # text per Parquet file
  row_group_bytes: 33554432

releases: releases
runs: runs
"""

_SOURCES = {
    "git": (
        "  - {{kind: git, path: {path}}}            "
        "# one repository, bare or not, or a folder of them\n"
    ),
    "archive": (
        "  - {{kind: archive, path: {path}}}        "
        "# tar, zip, wheels, npm packs, sdists, or a folder\n"
    ),
    "swh_graph": (
        "  - kind: swh_graph                # a Software Heritage graph export (ORC or Parquet)\n"
        "    path: {path}\n"
        "    contents: {path}/../contents    # content/<sha1>, gzip; a folder or s3://bucket/prefix\n"
    ),
    "parquet": (
        "  - kind: parquet\n"
        "    path: {path}\n"
        "    # columns: {{content: content, path: path, repo_name: repo_name}}   # ours: theirs\n"
    ),
}


@click.command("init")
@click.option(
    "--git", "git", multiple=True, type=click.Path(), help="Repositories, or a folder of them."
)
@click.option("--archive", "archive", multiple=True, type=click.Path(), help="Archives or folders.")
@click.option("--swh-graph", "swh_graph", multiple=True, type=click.Path(), help="A graph export.")
@click.option(
    "--parquet", "parquet", multiple=True, type=click.Path(), help="Parquet, or a dataset."
)
@click.option("--name", help="Name of the release. Default: the folder's.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write here instead of standard output."
)
def init_command(
    git: tuple[str, ...],
    archive: tuple[str, ...],
    swh_graph: tuple[str, ...],
    parquet: tuple[str, ...],
    name: str | None,
    out: Path | None,
) -> None:
    """Write a commented config for the repositories, archives or datasets in DIR.

    \b
    Example:  stackcurate init --git ~/src --out config.yaml
    """
    given = {"git": git, "archive": archive, "swh_graph": swh_graph, "parquet": parquet}
    if not any(given.values()):
        raise ConfigError(
            "say what to read: --git DIR, --archive DIR, --swh-graph DIR or --parquet DIR"
        )
    text = config_text(given, name, Path.cwd() if out is None else out.resolve().parent)
    if out is None:
        click.echo(text, nl=False)
        return
    if out.exists():
        raise ConfigError(f"{out} is there already; choose another name")
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}; next: stackcurate plan {out}")


def config_text(given: dict[str, tuple[str, ...]], name: str | None, folder: Path) -> str:
    """The config as YAML; paths are written relative to ``folder`` where they lie below it."""
    sources = ""
    for kind, paths in given.items():
        for path in paths:
            if not Path(path).exists():
                raise ConfigError(f"{path} does not exist")
            sources += _SOURCES[kind].format(path=_quoted(_relative(Path(path), folder)))
            name = name or Path(path).resolve().name
    return _TEMPLATE.format(name=_clean(name or "my-stack"), sources=sources)


def _relative(path: Path, folder: Path) -> str:
    try:
        return path.resolve().relative_to(folder).as_posix() or "."
    except ValueError:
        return str(path.resolve())


def _quoted(text: str) -> str:
    """YAML's double quotes where the text needs them."""
    if text and all(char.isalnum() or char in "/._-+" for char in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _clean(name: str) -> str:
    kept = "".join(char if char.isalnum() or char in "._-" else "-" for char in name.lower())
    return kept.encode("ascii", "ignore").decode().lstrip("._-") or "my-stack"
