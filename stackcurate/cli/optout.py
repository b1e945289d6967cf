"""`optout`: the maintainer's desk: requests in, decisions with their reach in sight, answers."""

from __future__ import annotations

import datetime
import getpass
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stackcurate import config as configs
from stackcurate.errors import ConfigError
from stackcurate.optout import inbox, lookup, preview, receipt
from stackcurate.optout import registry as optouts
from stackcurate.optout.registry import Event, Private, Registry, Request
from stackcurate.optout.subjects import KINDS, Subject, parse
from stackcurate.pipeline import withdraw
from stackcurate.text import visible, with_commas


@dataclass(frozen=True)
class Desk:
    """Where the registry, the releases and the runs are."""

    registry: Path
    releases: Path
    runs: Path

    def read(self) -> Registry:
        """The state of the registry; an empty one where nothing was asked yet."""
        return optouts.read(self.registry) if self.registry.exists() else optouts.EMPTY

    def places(self) -> list[preview.Place]:
        return preview.places(self.releases, self.runs) if self.releases.is_dir() else []


def desk(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where things are, for every command of the group."""

    def run(registry: Path | None, config: Path | None, **rest: Any) -> Any:
        return command(_desk(registry, config), **rest)

    run.__doc__, run.__name__ = command.__doc__, command.__name__
    run.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    path = click.Path(path_type=Path)
    run = click.option(
        "--config", type=path, help="Take registry, releases and runs from this config."
    )(run)
    return click.option(
        "--registry", type=path, help="The registry. Default: optout.jsonl here, or the config's."
    )(run)


def _desk(registry: Path | None, config: Path | None) -> Desk:
    here = Path.cwd()
    if config is None:
        return Desk(registry or here / "optout.jsonl", here / "releases", here / "runs")
    known = configs.load(config)
    place = registry or known.optout.registry
    if place is None:
        raise ConfigError(f"{config} names no registry (optout.registry); give --registry FILE")
    return Desk(place, known.releases, known.runs)


ID = click.argument("id_", metavar="ID")
IDS = click.argument("ids", metavar="ID...", nargs=-1, required=True)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
ACTOR = click.option("--actor", help="Who acts; kept private. Default: your login name.")
REASON = click.option("--reason", default="", help="Why; kept private.")


@click.group("optout")
def optout_command() -> None:
    """Work through opt-out requests: read, look before deciding, decide, apply, answer.

    \b
    Take in:    stackcurate optout submit | import
    Look:       stackcurate optout list | show | preview | lookup | log
    Decide:     stackcurate optout approve | deny | undo
    Carry out:  stackcurate optout apply | receipt | reply

    \b
    Example:  stackcurate optout import issues.json
              stackcurate optout approve issue-4711
              stackcurate optout apply releases/x/v1.0.0
    """


@optout_command.command("submit")
@click.option("--owner", help="An account or organization, present and future repositories.")
@click.option("--repository", help="One repository: owner/name or its address.")
@click.option("--origin", help="One address on any host, as the archive knows it.")
@click.option("--swhid", help="A content, directory, revision or snapshot: swh:1:cnt:…")
@click.option("--path", "glob", help="A path glob within the repository of --repository.")
@click.option(
    "--text",
    type=click.File(encoding="utf-8"),
    help="Read a request in free words (- for standard input).",
)
@click.option("--account", help="With --text: the account that asks.")
@click.option(
    "--reach",
    type=click.Choice(optouts.REACHES),
    default="place",
    help="This place, or equal contents elsewhere too.",
)
@click.option(
    "--id",
    "id_",
    help="The request's id; one in review gets its subject. Default: the next number.",
)
@click.option("--evidence", default="", help="Proof of who asks; kept private.")
@ACTOR
@REASON
@desk
def submit(
    desk: Desk, owner: str | None, repository: str | None, origin: str | None, swhid: str | None,
    glob: str | None, text: Any, account: str | None, reach: str, id_: str | None, evidence: str,
    actor: str | None, reason: str,
) -> None:  # fmt: skip
    """Record one request. It waits until somebody approves or denies it.

    \b
    Example:  stackcurate optout submit --repository alice/tool --evidence "mail of 3 May"
              stackcurate optout submit --text request.txt --account alice
    """
    registry = desk.read()
    number = id_ or f"request-{len(registry.requests) + 1}"
    if text is not None:
        asked = [inbox.from_text(number, text.read(), account or "", _now())]
        _say(inbox.take_in(desk.registry, registry, asked, actor or _login(), _salt))
        return
    subject = _subject(owner, repository, origin, swhid, glob)
    event = Event("submit", number, _now(), subject, reach)
    _write(desk, [event], actor, evidence, reason)
    click.echo(f"{number}: {visible(str(subject))} ({reach}) is pending")


def _subject(
    owner: str | None,
    repository: str | None,
    origin: str | None,
    swhid: str | None,
    glob: str | None,
) -> Subject:
    given = {"owner": owner, "repository": repository, "origin": origin, "swhid": swhid}
    named = {kind: value for kind, value in given.items() if value is not None}
    if len(named) != 1:
        raise ConfigError(f"name exactly one of: {', '.join('--' + kind for kind in given)}")
    ((kind, value),) = named.items()
    if glob is not None:
        if kind != "repository":
            raise ConfigError("--path goes with --repository")
        return parse("path", lookup.with_host(value), glob)
    return parse(kind, lookup.with_host(value) if kind in ("owner", "repository") else value)


@optout_command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--format", "form", type=click.Choice(inbox.FORMATS), help="Default: told from the file."
)
@click.option("--dry-run", is_flag=True, help="Say how each request is read; write nothing.")
@ACTOR
@AS_JSON
@desk
def import_(
    desk: Desk, file: Path, form: str | None, dry_run: bool, actor: str | None, as_json: bool
) -> None:
    """Read requests from FILE: optouts.jsonl, a CSV table, or exported GitHub issues (JSON).

    Says what it understood of each. What is unclear goes to review and is never read as more than
    was asked. Requests that the registry holds already are passed over.

    \b
    Example:  stackcurate optout import issues.json --dry-run
    """
    asked = inbox.read_file(file, form, _now())
    known = desk.read()
    if dry_run:
        taken = inbox.plan(known, asked)
    else:
        taken = inbox.take_in(desk.registry, known, asked, actor or _login(), _salt)
    click.echo(taken.json() if as_json else taken.text())


@optout_command.command("list")
@click.option("--state", type=click.Choice(["review", "pending", "approved", "denied", "undone"]))
@click.option("--kind", type=click.Choice(KINDS))
@AS_JSON
@desk
def list_(desk: Desk, state: str | None, kind: str | None, as_json: bool) -> None:
    """List requests, oldest first.

    \b
    Example:  stackcurate optout list --state pending
    """
    for one in desk.read().requests:
        if state not in (None, one.state) or kind not in (None, one.subject and one.subject.kind):
            continue
        if as_json:
            click.echo(json.dumps(_row(one), sort_keys=True))
        else:
            click.echo(f"{one.state:<9} {one.time[:10]}  {one.id:<16} {_words(one)}")


@optout_command.command("show")
@ID
@AS_JSON
@desk
def show(desk: Desk, id_: str, as_json: bool) -> None:
    """Show a request with everything that was written about it, the private part too.

    \b
    Example:  stackcurate optout show issue-4711
    """
    chosen = _chosen(desk.read(), [id_])
    names = {one.id for one in chosen}
    events = [one for one in optouts.read_events(desk.registry) if one.id in names]
    notes = optouts.notes(desk.registry, names)
    if as_json:
        click.echo(
            json.dumps({"requests": [_row(one) for one in chosen], "notes": notes}, indent=1)
        )
        return
    for one in chosen:
        click.echo(f"{one.id}: {_words(one)}: {one.state}")
    for event in events:
        click.echo(f"  {event.time}  {event.id}: {event.type}")
        for note in notes:
            if (note["id"], note["type"], note["time"]) == (event.id, event.type, event.time):
                said = [
                    (name, note[name]) for name in ("actor", "reason", "evidence") if note[name]
                ]
                for name, value in said:
                    click.echo(f"      {name}: {visible(value, 2_000)}")


@optout_command.command("preview")
@IDS
@AS_JSON
@desk
def preview_(desk: Desk, ids: Sequence[str], as_json: bool) -> None:
    """Say what approving would withdraw: repositories, files, languages, versions, other names.

    \b
    Example:  stackcurate optout preview issue-4711
    """
    found = preview.preview(_clear(_chosen(desk.read(), ids)), desk.places())
    click.echo(found.json() if as_json else found.text())


@optout_command.command("approve")
@IDS
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--evidence", default="", help="What proves the right to ask; kept private.")
@ACTOR
@REASON
@desk
def approve(
    desk: Desk, ids: Sequence[str], yes: bool, evidence: str, actor: str | None, reason: str
) -> None:
    """Show what would be withdrawn, ask, and approve.

    \b
    Example:  stackcurate optout approve issue-4711 --evidence "asked from the account itself"
    """
    chosen = _clear(_chosen(desk.read(), ids))
    click.echo(preview.preview(chosen, desk.places()).text())
    if not yes and not click.confirm("Approve?"):
        click.echo("nothing was approved")
        raise click.exceptions.Exit(1)
    _decide(desk, "approve", chosen, actor, evidence, reason)


@optout_command.command("deny")
@IDS
@ACTOR
@REASON
@desk
def deny(desk: Desk, ids: Sequence[str], actor: str | None, reason: str) -> None:
    """Deny requests; it can be changed by approving them later.

    \b
    Example:  stackcurate optout deny issue-4711 --reason "not the owner"
    """
    _decide(desk, "deny", _chosen(desk.read(), ids), actor, "", reason)


@optout_command.command("undo")
@IDS
@ACTOR
@REASON
@desk
def undo(desk: Desk, ids: Sequence[str], actor: str | None, reason: str) -> None:
    """Take approvals back: the next full run can hold the files again.

    \b
    Example:  stackcurate optout undo issue-4711 --reason "asked for by the owner"
    """
    _decide(desk, "undo", _chosen(desk.read(), ids), actor, "", reason)


@optout_command.command("lookup")
@click.argument("asked", metavar="OWNER|REPO|URL|SWHID")
@AS_JSON
@desk
def lookup_(desk: Desk, asked: str, as_json: bool) -> None:
    """Say what was asked and decided about something, and what the releases hold of it.

    A name without a host is GitHub's.

    \b
    Example:  stackcurate optout lookup alice/tool
    """
    found = lookup.lookup(asked, desk.read(), desk.places())
    click.echo(found.json() if as_json else found.text())


@optout_command.command("log")
@click.option(
    "--verify", is_flag=True, help="Check every line; name the first that is not as it was."
)
@click.option(
    "--head", help="With --verify: a digest that must be in the chain, of a manifest say."
)
@desk
def log(desk: Desk, verify: bool, head: str | None) -> None:
    """Show the events of the registry, or check them.

    \b
    Example:  stackcurate optout log --verify
    """
    events = optouts.read_events(desk.registry, head)
    if not verify:
        for event in events:
            subject = f"  {visible(str(event.subject))} ({event.reach})" if event.subject else ""
            click.echo(f"{event.time}  {event.type:<8} {event.id}{subject}")
        return
    state = optouts.read(desk.registry, head)
    lost = optouts.verify_private(desk.registry)
    for line in lost:
        click.echo(f"private part: {line}", err=True)
    click.echo(
        f"{with_commas(state.events)} events, every one as it was written; head {state.head}"
    )
    if lost:
        raise click.exceptions.Exit(3)


@optout_command.command("apply")
@click.argument("release", type=click.Path(path_type=Path, exists=True, file_okay=False))
@desk
def apply(desk: Desk, release: Path) -> None:
    """Write the patch of RELEASE, a version that holds nothing withdrawn, and the receipts.

    Only the shards that held something are written again. Nothing else changes.

    \b
    Example:  stackcurate optout apply releases/stack-sample/v2.1.0
    """
    registry = desk.read()
    release = release.resolve()
    patch = withdraw.withdraw(release, registry, preview.run_of(release, desk.runs))
    made = withdraw.record(desk.registry, patch, registry, _now())
    click.echo(f"{with_commas(patch.files)} files withdrawn; written to {patch.release}")
    for one in made:
        click.echo(f"  {one['request']}: {with_commas(one['matched']['files'])} files")


@optout_command.command("receipt")
@ID
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "html"]),
    default="json",
    help="JSON, or one page.",
)
@desk
def receipt_(desk: Desk, id_: str, form: str) -> None:
    """Print what a request took from which release, what stayed and why, with both digests.

    \b
    Example:  stackcurate optout receipt issue-4711 --format html > receipt.html
    """
    for one in _chosen(desk.read(), [id_]):
        made = receipt.kept(desk.registry, one.id)
        if form == "html":
            sys.stdout.write(receipt.page(one, made) + "\n")
        else:
            click.echo(json.dumps({**_row(one), "receipts": made}, indent=1, sort_keys=True))


@optout_command.command("reply")
@ID
@desk
def reply(desk: Desk, id_: str) -> None:
    """Write the answer to whoever asked.

    \b
    Example:  stackcurate optout reply issue-4711
    """
    for one in _chosen(desk.read(), [id_]):
        said = optouts.notes(desk.registry, {one.id})
        reason = next((note["reason"] for note in reversed(said) if note["type"] == "deny"), "")
        click.echo(receipt.answer(one, receipt.kept(desk.registry, one.id), reason), nl=False)


def _chosen(registry: Registry, ids: Sequence[str]) -> list[Request]:
    """The named requests; the name of an issue stands for all its parts."""
    found: list[Request] = []
    for name in ids:
        mine = [one for one in registry.requests if one.id == name or one.id.startswith(name + "/")]
        if not mine:
            raise ConfigError(f"the registry knows no request {name!r}; `optout list` shows them")
        found += [one for one in mine if one not in found]
    return found


def _clear(chosen: Sequence[Request]) -> list[Request]:
    """The same, if all subjects are known. ConfigError where one is in review: settle it first."""
    for one in chosen:
        if one.subject is None:
            raise ConfigError(
                f"{one.id} is in review: settle it with `optout submit --id {one.id} --repository "
                f"NAME`, or deny it; `optout show {one.id}` says why"
            )
    return list(chosen)


def _decide(
    desk: Desk, step: str, chosen: Sequence[Request], actor: str | None, evidence: str, reason: str
) -> None:
    now = _now()
    state = _write(desk, [Event(step, one.id, now) for one in chosen], actor, evidence, reason)
    after = {one.id: one.state for one in state.requests}
    for one in chosen:
        click.echo(f"{one.id}: {_words(one)}: {after[one.id]}")


def _write(
    desk: Desk, events: Sequence[Event], actor: str | None, evidence: str, reason: str
) -> Registry:
    notes = [Private(actor or _login(), evidence, reason, _salt()) for _ in events]
    return optouts.append(desk.registry, events, notes)


def _row(one: Request) -> dict[str, Any]:
    subject = None if one.subject is None else vars(one.subject)
    return {
        "id": one.id,
        "subject": subject,
        "reach": one.reach,
        "state": one.state,
        "time": one.time,
    }


def _words(one: Request) -> str:
    return "not clear yet" if one.subject is None else f"{visible(str(one.subject))} ({one.reach})"


def _say(taken: inbox.Taken) -> None:
    click.echo(taken.text())


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _salt() -> str:
    return secrets.token_hex(16)
