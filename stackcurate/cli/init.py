"""`init`: a commented config for what a person has on disk."""

from __future__ import annotations

import itertools
import textwrap
from collections import Counter
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.errors import ConfigError
from stackcurate.redaction.settings import KINDS
from stackcurate.sources.parquet_columns import find_columns, is_text

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
  # allow: [public_domain]        # these classes instead of a policy
  # overrides: {{JSON: permissive}}   # the class of single licenses, by SPDX id
  # keep_unstated: false          # true keeps files that nothing licenses
  # places: origin-most           # origin-most | strictest | any-permissive: whose license counts
  #                               # where the same bytes lie in several places
  # decisions: decisions.jsonl    # what people decided about single texts (license review)
choose:
  forks: keep                     # keep and report | collapse to the best repository | ignore
fetch:
  max_bytes: 10485760             # longer files are dropped unread
language:
  keep: []                        # empty keeps every language
filter: {{}}                        # defaults in the spirit of The Stack v2; each rule can be null
redact:
  sensitivity: balanced           # strict | balanced | loose
  # kinds: {{mac: off, phone: 0.85}} # how sure a finding must be: 0 (take all) to 1, on or off;
{kinds}
  # rules: {{ipv4-address: 0.9}}    # the same for one rule; wins over its kind
  # mark: [username]              # kinds that are reported and left in the text
  # attribution: keep             # keep | redact: addresses and names in copyright notices
  # digest_key: env:DIGEST_KEY    # or file:/PATH: HMACs of the values, in the run folder alone
dedup:
  threshold: 0.7                  # exact Jaccard similarity of word 5-grams
  scope: language                 # language | all | repository
  # against: [releases/old/v1.0.0] # what these hold is not released again; also folders of Parquet:
  #   - {{path: other, columns: {{content: text, id: hexsha, language: lang}}}}
  # earlier: drop                 # drop | mark (keep, and say so in the ledger)
  # store: false                  # true ships signatures, so that later releases hash only the new
release:
  shard_bytes: 268435456          # text per Parquet file, about; small folders are cut finer
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
        "    contents: {contents}    # content/<sha1>, gzip; a folder or s3://bucket/prefix\n"
    ),
    "parquet": ("  - kind: parquet\n    path: {path}\n{columns}"),
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
            sources += _source(kind, Path(path), folder)
            name = name or Path(path).resolve().name
    margin = "  #" + " " * 31 + "# "
    kinds = textwrap.fill(
        f"kinds: {' '.join(KINDS)}", 100, initial_indent=margin, subsequent_indent=margin
    )
    return _TEMPLATE.format(name=_clean(name or "my-stack"), sources=sources, kinds=kinds)


def _source(kind: str, path: Path, folder: Path) -> str:
    """One entry of ``sources``, with what a look at ``path`` tells."""
    facts = {"path": _quoted(_relative(path, folder))}
    if kind == "swh_graph":
        store = _store_near(path) or path.resolve().parent / "contents"
        facts["contents"] = _quoted(_relative(store, folder))
    if kind == "parquet":
        facts["columns"] = _columns(path, folder)
    return _SOURCES[kind].format(**facts)


def _store_near(path: Path) -> Path | None:
    """A folder in or beside ``path`` that is called like a content store."""
    places = [place / name for place in (path.resolve(), path.resolve().parent) for name in _STORES]
    return next((place for place in places if _holds_blobs(place)), None)


def _holds_blobs(place: Path) -> bool:
    names = (path.name for path in itertools.islice(place.iterdir(), 9)) if place.is_dir() else ()
    return any(len(name) == 40 for name in names)


_STORES = ("content", "contents")
_USUAL = "    # columns: {content: content, path: path, repo_name: repo_name}   # ours: theirs\n"


def _columns(path: Path, folder: Path) -> str:
    """The lines about columns: the usual ones, or a proposal where their names are not known."""
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    try:
        schema = pq.read_schema(files[0])
    except (IndexError, OSError, pa.ArrowException):
        return _USUAL  # `plan` says what is wrong with it
    found = find_columns(schema, {}).file
    if "content" in found:
        return _USUAL
    if "blob_id" in found:
        store = _store_near(path if path.is_dir() else path.parent)
        where = _quoted(_relative(store, folder)) if store else "s3://softwareheritage"
        return f"    contents: {where}    # ids alone: where content/<sha1> lies, gzip\n"
    texts = [field.name for field in schema if is_text(field.type)]
    if not texts:
        return _USUAL
    proposal = {"content": _longest(files[0], texts)}
    named = [name for name in texts if "path" in name.lower() or "file" in name.lower()]
    if "path" not in found and named and named[0] != proposal["content"]:
        proposal["path"] = named[0]
    pairs = ", ".join(f"{ours}: {_quoted(theirs)}" for ours, theirs in proposal.items())
    return f"    columns: {{{pairs}}}   # ours: theirs, by the look of it; please check\n"


def _longest(path: Path, names: list[str]) -> str:
    """The column that takes the most bytes."""
    metadata = pq.read_metadata(path)
    sizes = Counter[str]()
    for group in range(metadata.num_row_groups):
        about = metadata.row_group(group)
        for number in range(about.num_columns):
            column = about.column(number)
            sizes[column.path_in_schema] += column.total_uncompressed_size
    return max(names, key=lambda name: sizes[name])


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
