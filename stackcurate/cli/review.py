"""`license review`: license texts that a person should read, and what the person says."""

from __future__ import annotations

import contextlib
import getpass
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click

from stackcurate import config as configs
from stackcurate.errors import ConfigError
from stackcurate.licenses import review
from stackcurate.licenses.closest import closest, differences
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.policy import DECIDED
from stackcurate.text import visible, with_commas

_LINES = 12  # of a text that are shown at first
_RUNS = 8  # differences that are shown
_LIKE = {"header": 0.3}  # licenses that share less are not named; a header may be a line
_LIKE_TEXT = 0.05
_HELP = (
    "  an SPDX expression (MIT, GPL-2.0-only OR MIT), or a class: " + ", ".join(DECIDED) + "\n"
    "  t: the whole text   s: skip   q: quit"
)

# What an answer means, by why it is asked.
_OF_A_TEXT = "which license, or class, these words state wherever they stand"
_TO_DECIDE = {
    "elsewhere": "the license of these files",
    "conflict": "the license of these files; `unstated` lets their folder speak",
    "laundered": "the license of these files: a class that is let in keeps them",
    "together": "the license of every folder that states just this",
}

Ask = Callable[[str, str], str]  # (question, default) -> answer


@click.command("review")
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Texts shown.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text.")
@click.option("--list", "only_list", is_flag=True, help="Show only, also on a terminal.")
@click.option("--decided", "show_decided", is_flag=True, help="Show the decisions in force.")
@click.option("--decide", nargs=2, metavar="ID ANSWER", help="Decide about one text and end.")
@click.option("--undo", metavar="ID", help="Take the decision about a text back and end.")
@click.option("--why", default="", help="Reason of --decide or --undo.")
@click.option("--who", default="", help="Who decides.  [default: git's user.name]")
def review_command(
    config: Path,
    limit: int,
    as_json: bool,
    only_list: bool,
    show_decided: bool,
    decide: tuple[str, str] | None,
    undo: str | None,
    why: str,
    who: str,
) -> None:
    """Show what CONFIG's run could not decide for certain, and write what a person says.

    License texts and headers that are unknown, changed, limited or an open license in part only;
    headers that contradict their folder, folders that contradict themselves; files that an older
    repository holds under a refused license. Those that decide most files come first, each with the
    known licenses it is most like. On a terminal it asks: the answer is an SPDX expression or a
    class (`unstated`: it says nothing after all).

    A decision is a line {"content_id", "expression", "who", "when", "why"} in the file that
    `license.decisions` names; it counts from the next build on, and a later line with a null
    expression takes it back. It is about a text, or a header's words, wherever they stand; about
    a header that contradicts its folder, in that repository only; about a folder, all folders that
    state just this; about laundered files, these files.

    \b
    Example:  stackcurate license review configs/v2.1.yaml --limit 5
              stackcurate license review config.yaml --decide 3f2c permissive --why "ISC, reworded"
              stackcurate license review config.yaml --undo 3f2c --why "it forbids resale"
    """
    checked = configs.load(config)
    file = checked.license.decisions
    known = review.read(file)
    if show_decided:
        for key, one in sorted(known.items()):
            click.echo(f"{key}  {one.expression}  {one.who}, {one.when}: {visible(one.why)}")
        return
    place = checked.run_folder / "review.jsonl"
    if not place.exists():
        raise ConfigError(f"no queue in {checked.run_folder}; `stackcurate run` writes it")
    with place.open(encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    if decide or undo:
        answer = decide[1] if decide else None
        ids = _ids_of(decide[0] if decide else undo or "", rows, _file(file))
        _write(_file(file), ids, answer, who or _me(), why)
        return
    open_ = [row for row in rows if _is_open(row, known)]
    if as_json:
        for row in open_[:limit]:
            click.echo(json.dumps(row | {"closest": _closest(row)}, ensure_ascii=False))
        return
    open_ = _show_all(open_, file, limit, only_list, who)
    more = " (the queue holds no more)" if len(rows) >= review.MOST else ""
    waiting = f"{with_commas(len(open_))} {'waits' if len(open_) == 1 else 'wait'}{more}"
    click.echo(f"\n{waiting}; decisions: {review.state(file)}")


def _show_all(
    open_: list[dict[str, Any]], file: Path | None, limit: int, only_list: bool, who: str
) -> list[dict[str, Any]]:
    """Show entries, and ask about them where somebody is there; returns those still open."""
    if sys.stdin.isatty() and sys.stdout.isatty() and not only_list and open_ and file is not None:
        ask_all(open_[:limit], file, lambda text, default: _ask(text, default), who)
        known = review.read(file)
        return [row for row in open_ if _is_open(row, known)]
    for row in open_[:limit]:
        _show(row)
    if open_ and file is None:
        click.echo("to decide, name a file under `license: decisions:` in the config")
    return open_


def ask_all(rows: Sequence[Mapping[str, Any]], file: Path, ask: Ask, who: str = "") -> None:
    """Show each text and write what ``ask`` answers, until the end or ``q``."""
    for row in rows:
        _show(row)
        while True:
            answer = ask("expression, class, t, s, q or ?", "s").strip()
            if answer in ("q", "s"):
                break
            if answer == "t":
                click.echo("\n".join(visible(line) for line in row["text"].splitlines()))
            elif answer == "?" or review.meant(answer) is None:
                click.echo(_HELP)
            else:
                meant = review.meant(answer) or ""
                click.echo(f"  that is {meant}, class {license_class(meant)}")
                who = who or ask("who decides", _me())
                why = ""
                while not why.strip():
                    why = ask("why", "")
                _write(file, _every(row), answer, who, why)
                break
        if answer == "q":
            return


def _ask(text: str, default: str) -> str:
    return str(click.prompt(text, default=default, show_default=bool(default)))


def _show(row: Mapping[str, Any]) -> None:
    files = "1 file" if row["files"] == 1 else f"{with_commas(row['files'])} files"
    click.echo(f"\n{files}  {row['content_id']}  {row['kind']}")
    click.echo(f"  {visible(row.get('origin', ''))} {visible(row['path'])}".replace("   ", "  "))
    click.echo(f"  {review.WHY[row['why']]}")
    older = row.get("older")
    no_likes = row["why"] in ("laundered", "conflict", "together", "elsewhere")
    if older:
        place = " ".join(filter(None, (older["origin"], older["path"]))) or "(withdrawn)"
        click.echo(f"  older: {visible(place)}, {older['license_expression'] or 'not told'}")
        click.echo(f"  here: {row['folder']}")
    else:
        said = f"{row['expression']} ({row['license_class']}), {row['matcher']} {row['score']:g}"
        click.echo(f"  read as {said}  {visible(row['rule'] or '')}")
    if row["kind"] == "header":
        click.echo(f"  folder: {row['folder']}; so far: {row['outcome'] or 'let in'}")
    click.echo(f"  to decide: {_TO_DECIDE.get(row['why'], _OF_A_TEXT)}")
    lines = row["text"].splitlines()
    for line in lines[:_LINES]:
        click.echo(f"  | {visible(line, 100)}")
    if len(lines) > _LINES:
        click.echo(f"  | … {with_commas(len(lines) - _LINES)} more lines")
    if no_likes:  # what it says is not in question
        return
    least = _LIKE.get(row["kind"], _LIKE_TEXT)
    like = [one for one in closest(row["text"]) if one.similarity >= least]
    for one in like:
        click.echo(f"  like {one.id} ({one.license_class}): {one.similarity:.1%}")
    if not like:
        click.echo("  like no known license")
        return
    found = differences(row["text"], like[0].text)
    for difference in found[:_RUNS]:
        if difference.missing:
            click.echo(f"    - {visible(difference.missing, 160)}")
        if difference.added:
            click.echo(f"    + {visible(difference.added, 160)}")
    if len(found) > _RUNS:
        click.echo(f"    … {with_commas(len(found) - _RUNS)} more differences")


def _closest(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": one.id, "license_class": one.license_class, "similarity": round(one.similarity, 4)}
        for one in closest(row["text"])
    ]


def _every(row: Mapping[str, Any]) -> list[str]:
    """The ids that a decision about an entry is about."""
    return row.get("also") or [row["content_id"]]


def _is_open(row: Mapping[str, Any], known: Mapping[str, review.Decision]) -> bool:
    return any(one not in known for one in _every(row))


def _ids_of(start: str, rows: Sequence[Mapping[str, Any]], file: Path) -> list[str]:
    """What the one entry of the queue, or else the one line of the file, that begins so is about.

    Lines that were taken back count too: they may be decided anew before the next build.
    """
    known = {one: [one] for one in review.every_id(file)}
    known |= {row["content_id"]: _every(row) for row in rows}
    found = [one for one in sorted(known) if one.startswith(start.lower())] if start else []
    if len(found) != 1:
        raise ConfigError(
            f"{visible(start)!r} begins {len(found)} of what waits or was decided; "
            "`license review` and `license review --decided` show the ids"
        )
    return known[found[0]]


def _file(file: Path | None) -> Path:
    if file is None:
        raise ConfigError("the config names no file for decisions: set `license: decisions:`")
    return file


def _write(file: Path, ids: Sequence[str], answer: str | None, who: str, why: str) -> None:
    """Write one decision about each id; a null ``answer`` takes decisions back."""
    expression = None if answer is None else review.meant(answer)
    if answer is not None and expression is None:
        raise ConfigError(f"{visible(answer)!r} is neither an SPDX expression nor a class")
    if not why.strip():
        raise ConfigError("a decision needs a reason: --why")
    when = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for one in ids:
        review.add(file, review.Decision(one, expression, who, when, why.strip()))
    what = ids[0][:12] if len(ids) == 1 else f"{with_commas(len(ids))} files"
    verb = "is" if len(ids) == 1 else "are"
    done = f"{what} {verb} {expression or 'open again'}"
    click.echo(f"{done}; written to {file}, it counts from the next build on")


def _me() -> str:
    """The name that git knows, else the account's."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        command = ["git", "config", "user.name"]
        name = subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()
        if name:
            return name
    return getpass.getuser()
