"""`license` with its sub-commands, and `notices`."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from stackcurate.cli import scan as scans
from stackcurate.cli.review import review_command
from stackcurate.cli.run import default_workers, release_of
from stackcurate.errors import ConfigError
from stackcurate.index.query import query
from stackcurate.licenses import spdx
from stackcurate.licenses.alone import MAX_BYTES, scan
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.explain import BadExpression, diagnose, explain, notes
from stackcurate.licenses.heads import HEAD
from stackcurate.licenses.notices import Papers, bundle, leading_comment, written
from stackcurate.licenses.policy import POLICIES
from stackcurate.licenses.scancode import Judge
from stackcurate.licenses.tree import root_of
from stackcurate.releases.manifest import read_manifest
from stackcurate.text import visible


class _WithDefault(click.Group):
    """A group that is a command by itself: what is no sub-command goes to ``default``."""

    default: click.Command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:  # fmt: skip
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        return self.default.make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


license_command = _WithDefault("license", help=scans.license_command.help)
license_command.default = scans.license_command
scans.license_command.epilog = (
    "Also: `license explain EXPRESSION` says what an expression means, `license sbom PATH` writes "
    "an SPDX document, `license review CONFIG` shows what to decide. A file "
    "of such a name is meant by ./explain."
)


@license_command.command("explain")
@click.argument("words", metavar="EXPRESSION", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per part.")
def explain_command(words: tuple[str, ...], as_json: bool) -> None:
    """Say what EXPRESSION means: every part, its class and why, and what to know beside.

    Former ids are shown under their names of today, misspelt ones with what they may have meant,
    and parts that cannot bind one work together are named.

    \b
    Example:  stackcurate license explain "MIT OR GPL-2.0-only WITH Classpath-exception-2.0"
    """
    expression = " ".join(words)
    try:
        parts = explain(expression)
    except BadExpression as error:
        why = visible(diagnose(expression))
        raise ConfigError(f"{visible(expression)!r} is {error}: {why}") from error
    beside = notes(expression)
    if as_json:
        for part in parts:
            click.echo(json.dumps(part.__dict__))
        for note in beside:
            click.echo(json.dumps({"note": note}))
        return
    width = max(len(part.text) for part in parts)
    for part in parts:
        click.echo(f"{part.text:<{width}}  {part.license_class:<16}  {part.why}")
    click.echo("".join(f"\n{note}" for note in beside), nl=bool(beside))
    open_ = [
        name for name, classes in sorted(POLICIES.items()) if parts[0].license_class in classes
    ]
    click.echo(f"\nLet in by the policies: {', '.join(open_) or 'none'}")


@license_command.command("sbom")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
def sbom_command(path: Path) -> None:
    """Write the licenses of the files at PATH as an SPDX 2.3 document (JSON).

    The time of its making is SOURCE_DATE_EPOCH where that is set.

    \b
    Example:  stackcurate license sbom . > sbom.spdx.json
    """
    scans.tell_compiling()
    with contextlib.closing(Cache(scans.cache_path())) as cache, Judge(default_workers()) as judge:
        scanned, own = scan(path, cache, judge)
    root = path if path.is_dir() else root_of(path)
    digests = {}
    for inside in scanned["path"].to_pylist():
        with contextlib.suppress(OSError), open(root / inside[1:], "rb") as stream:
            both = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
            while block := stream.read(1 << 20):
                both[0].update(block)
                both[1].update(block)
            digests[inside] = (both[0].hexdigest(), both[1].hexdigest())
    texts = _stating(root, scanned.to_pylist(), own)
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    document = spdx.sbom(path.resolve().name, scanned, own, digests, texts, created)
    click.echo(json.dumps(document, indent=1))


def _stating(root: Path, rows: list[dict[str, Any]], own: dict[str, str]) -> dict[str, str]:
    """The texts behind LicenseRefs, as ``spdx.sbom`` asks for them."""
    found: dict[str, str] = {}
    asked = [(row["evidence"], row["license_expression"]) for row in rows if row["evidence"]]
    headers = {evidence["path"] for evidence, _ in asked if evidence["kind"] == "header"}
    asked += [({"kind": "", "path": p}, said) for p, said in own.items() if p not in headers]
    for evidence, expression in asked:
        header, place = evidence["kind"] == "header", evidence["path"]
        key = f"header:{place}" if header else place
        if place and key not in found and "LicenseRef-" in spdx.listed(expression):
            with contextlib.suppress(OSError), open(root / place.removeprefix("/"), "rb") as stream:
                text = text_of(stream.read(MAX_BYTES)).data.decode("utf-8", "replace")
                found[key] = leading_comment(text) if header else text
    return found


license_command.add_command(review_command)


@click.command("notices")
@click.argument("release", type=click.Path(path_type=Path))
@click.option(
    "--where",
    default="true",
    show_default=True,
    help="SQL condition over the columns of the files.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per notice.")
def notices_command(release: Path, where: str, as_json: bool) -> None:  # fmt: skip
    """Write the NOTICE bundle of RELEASE, or of the files that --where takes.

    Every license and notice text that goes with these files, once, with its repositories; headers
    of files that state their license themselves are quoted.

    \b
    Example:  stackcurate notices releases/x/v1.0.0 --where "language = 'Python'" > NOTICE
    """
    folder = release_of(release)
    manifest = read_manifest(folder)
    if not (folder / "texts.parquet").exists():
        raise ConfigError(f"{folder} has no texts.parquet; it was built without license texts")
    if not (folder / "papers.parquet").exists():
        click.echo("this release is of an older form: its NOTICE files are not inside", err=True)
    found = bundle(_rows(folder, where), _texts(folder, where), _papers(folder, where))
    if as_json:
        for one in found:
            click.echo(json.dumps(one._asdict(), ensure_ascii=False))
        return
    name, version = manifest["name"], manifest["version"]
    for line in written(found, f"Notices for {name} v{version}, files where {where}"):
        click.echo(line)


def _rows(folder: Path, where: str) -> Iterator[dict[str, Any]]:
    """The files that a condition takes, with the evidence they rest on."""
    sql = (
        "SELECT f.origin, f.repo_name, f.path, f.license_expression, e.kind, e.content_id, "
        f"CASE WHEN e.kind = 'header' THEN left(f.content, {HEAD}) END AS head "
        f"FROM (SELECT * FROM files WHERE {where}) f "
        "LEFT JOIN evidence e ON e.evidence_id = f.license_evidence"
    )
    names = ("origin", "repo_name", "path", "license_expression")
    with query(folder, sql=sql) as answer:
        for *said, kind, content_id, head in answer.rows():
            evidence = {"kind": kind, "content_id": content_id} if kind else None
            yield dict(zip(names, said, strict=True)) | {"evidence": evidence, "head": head}


def _papers(folder: Path, where: str) -> Papers:
    """The license and notice files of the repositories that these files are from."""
    sql = f"SELECT * FROM papers WHERE origin IN (SELECT origin FROM files WHERE {where})"
    with query(folder, sql=sql) as answer:
        return Papers.of(dict(zip(answer.columns, row, strict=True)) for row in answer.rows())


def _texts(folder: Path, where: str) -> dict[str, str]:
    """The texts that these files and their repositories point at, by content id."""
    sql = (
        f"WITH f AS (SELECT origin, license_evidence FROM files WHERE {where}) "
        "SELECT content_id, text FROM texts WHERE content_id IN "
        "(SELECT content_id FROM papers WHERE origin IN (SELECT origin FROM f)) OR content_id IN "
        "(SELECT content_id FROM evidence WHERE evidence_id IN (SELECT license_evidence FROM f))"
    )
    with query(folder, sql=sql) as answer:
        return dict(answer.rows())
