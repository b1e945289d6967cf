"""Requests from where people file them, into the registry: what was understood is said.

Three files are read. ``jsonl``: the list that the public tracker publishes (``issue``, ``author``,
``optout_repos``, ``optout_owners``). ``csv``: columns ``kind`` and ``value``, or one of ``owner``,
``repository``, ``origin``, ``swhid``; and ``path``, ``reach``, ``id``, ``account``, ``time``,
``evidence``. ``issues``: GitHub issues as JSON (its API, or ``gh issue list --json``), in free
words or in the form of 2026. Every request waits for a decision; what nobody can tell is in review.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from stackcurate.errors import ConfigError
from stackcurate.optout import words
from stackcurate.optout.lookup import with_host
from stackcurate.optout.reading import HOST, Reading, read_text
from stackcurate.optout.registry import REACHES, Event, Private, Registry, append
from stackcurate.optout.subjects import KINDS, OWNER, PATH, REPOSITORY, Subject, parse, parse_all
from stackcurate.text import visible

FORMATS = ("jsonl", "csv", "issues")
#: Characters of a request that its private note keeps.
KEPT_WORDS = 2_000

# The form's fields by the words that their titles begin with.
_FIELDS = (
    ("accounts", re.compile(r"(?i)^accounts? and organi[sz]ations? to remove")),
    ("repositories", re.compile(r"(?i)^specific repositor")),
    ("authority", re.compile(r"(?i)^(?:optional\W+)?your relationship")),
    ("proof", re.compile(r"(?i)^(?:optional\W+)?a link that helps")),
    ("notes", re.compile(r"(?i)^anything else")),
)
_EMPTY = re.compile(r"(?i)^[\W_]*(?:no response|none|n/?a|nothing)?[\W_]*$")
_ACCOUNT = re.compile(
    rf"(?:(?:https?://)?(?:www\.)?{re.escape(HOST)}/|@)?([A-Za-z0-9][A-Za-z0-9-]{{0,38}})/?"
)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)?")


@dataclass(frozen=True)
class Asked:
    """One request as it came: what was read of it, who asks, and where the proof lies."""

    id: str
    time: str
    readings: tuple[Reading, ...]
    account: str = ""
    evidence: str = ""
    reach: str = "place"


@dataclass(frozen=True)
class Taken:
    """What became of each request of a file; ``lines`` are (id, subject or None, why)."""

    lines: tuple[tuple[str, str | None, str], ...]
    known: int

    @property
    def review(self) -> int:
        return sum(subject is None for _, subject, _ in self.lines)

    def json(self) -> str:
        """As one JSON object."""
        return json.dumps({**asdict(self), "review": self.review}, indent=1, ensure_ascii=False)

    def text(self) -> str:
        """As lines for a person."""
        lines = [
            f"{name}: {visible(subject) if subject else 'review: ' + visible(why)}"
            for name, subject, why in self.lines
        ]
        read = len(self.lines) - self.review
        lines.append(
            f"{read} read and pending, {self.review} in review, {self.known} known already"
        )
        return "\n".join(lines)


def read_file(path: Path, form: str | None, now: str) -> list[Asked]:
    """The requests of a file. ``now`` is for those that bear no time. Raises ConfigError."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    form = form or {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(path.suffix, "issues")
    readers: dict[str, Callable[[str, str], Iterator[Asked]]] = {
        "jsonl": _published, "csv": _table, "issues": _issues,
    }  # fmt: skip
    try:
        return list(readers[form](text, now))
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise ConfigError(f"{path.name} does not read as {form} ({type(error).__name__})") from None


def from_text(id_: str, text: str, account: str, time: str) -> Asked:
    """A request in free words, or in the form."""
    return Asked(id_, time, tuple(read_issue(text, account, "")), account, "")


def read_issue(body: str, account: str, title: str) -> list[Reading]:
    """The readings of an issue: the form where its titles are there, else free words."""
    fields = _form(body)
    if "accounts" in fields or "repositories" in fields:
        return _read_form(fields, account)
    return read_text(body, account, title)


def _form(body: str) -> dict[str, str]:
    """The answers of a form by field."""
    found: dict[str, list[str]] = {}
    field = None
    for line in body.replace("\r\n", "\n").split("\n"):
        title = re.match(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$", line)
        if title:
            field = next((name for name, words_ in _FIELDS if words_.match(title[1])), None)
            if field in found:  # twice the same title: somebody wrote into the form
                return {}
            if field:
                found[field] = []
        elif field:
            found[field].append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def _read_form(fields: dict[str, str], account: str) -> list[Reading]:
    readings: list[Reading] = []
    for line in _entries(fields.get("accounts", "")):
        name = _ACCOUNT.fullmatch(line)
        readings.append(
            Reading(parse(OWNER, f"{HOST}/{name[1]}"), line)
            if name and name[1].lower() not in ("all", "me", "my-username", "my-org", "none")
            else Reading(None, line, "in the form's box for accounts stands no account")
        )
    repositories = fields.get("repositories", "")
    if not _EMPTY.match(repositories):
        for one in read_text(repositories, account):
            wide = one.subject is not None and one.subject.kind == OWNER
            why = "in the form's box for repositories stands an account" if wide else one.why
            readings.append(Reading(None, one.words, why) if wide else one)
    turned = words.TURNS.search(fields.get("notes", ""))
    if turned:
        readings = [
            Reading(None, f"{one.subject or one.words}", f"its notes say {turned.group()!r}")
            for one in readings
        ]
    return readings or [Reading(None, "", "both boxes of the form are empty")]


def _entries(text: str) -> list[str]:
    if _EMPTY.match(text):
        return []
    parts = (re.sub(r"^\s*[-*+]\s+", "", part).strip(" `\"'") for part in re.split(r"[\n,;]", text))
    return [part for part in parts if part]


def _issues(text: str, now: str) -> Iterator[Asked]:
    """GitHub's API and ``gh`` name things differently; pull requests are no requests."""
    data = json.loads(text)
    for one in data if isinstance(data, list) else [data]:
        if "pull_request" in one:
            continue
        author = one.get("user") or one.get("author") or {}
        account = author.get("login", "") if isinstance(author, dict) else str(author)
        url = one.get("html_url") or one.get("url") or ""
        time = _time(one.get("created_at") or one.get("createdAt") or "", now)
        readings = read_issue(one.get("body") or "", account, one.get("title") or "")
        yield Asked(f"issue-{int(one['number'])}", time, tuple(readings), account, url)


def _published(text: str, now: str) -> Iterator[Asked]:
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    entries = [
        (kind, name)
        for one in rows
        for kind, names in ((OWNER, one["optout_owners"]), (REPOSITORY, one["optout_repos"]))
        for name in names
    ]
    known = _entries_at_once(entries)
    for one in rows:
        readings = [known[OWNER, name] for name in one["optout_owners"]]
        readings += [known[REPOSITORY, name] for name in one["optout_repos"]]
        if readings:
            evidence = f"published list of the tracker, issue {one['issue']}"
            yield Asked(
                f"issue-{int(one['issue'])}",
                now,
                tuple(readings),
                one.get("author") or "",
                evidence,
            )


def _table(text: str, now: str) -> Iterator[Asked]:
    rows = csv.DictReader(text.splitlines(), strict=True)
    for number, row in enumerate(rows, 1):
        cells = {(key or "").strip().lower(): (value or "").strip() for key, value in row.items()}
        kinds = [kind for kind in KINDS if kind != PATH and cells.get(kind)]
        kind, value = cells.get("kind", "").lower(), cells.get("value", "")
        if not kind and len(kinds) == 1:
            kind, value = kinds[0], cells[kinds[0]]
        glob = cells.get("path") or None
        if glob and kind in (REPOSITORY, ""):
            kind = PATH
        reach = cells.get("reach") or "place"
        known = reach in REACHES
        if known and len(kinds) <= 1:
            reading = _entry(kind, value, glob)
        else:
            reading = Reading(
                None,
                ", ".join(cells.values()),
                "the row names more than one thing, or an unknown reach",
            )
        yield Asked(
            cells.get("id") or f"row-{number}", _time(cells.get("time", ""), now), (reading,),
            cells.get("account", ""), cells.get("evidence", ""), reach if known else "place",
        )  # fmt: skip


def _entry(kind: str, value: str, glob: str | None = None) -> Reading:
    """A value whose kind is given; what is not of that kind is for review."""
    place = with_host(value) if kind in (OWNER, REPOSITORY, PATH) else value
    try:
        return Reading(parse(kind, place, glob), value)
    except ConfigError as error:
        return Reading(None, value, str(error))


def _entries_at_once(entries: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Reading]:
    """``_entry`` for thousands: all in one go, one by one only where something is wrong."""
    distinct = list(dict.fromkeys(entries))
    try:
        subjects = parse_all([Subject(kind, with_host(name)) for kind, name in distinct])
    except ConfigError:
        if len(distinct) == 1:
            return {distinct[0]: _entry(*distinct[0])}
        half = len(distinct) // 2
        return _entries_at_once(distinct[:half]) | _entries_at_once(distinct[half:])
    pairs = zip(distinct, subjects, strict=True)
    return {entry: Reading(subject, entry[1]) for entry, subject in pairs}


def _time(text: str, now: str) -> str:
    found = _TIME.fullmatch(text.strip())
    return f"{found[1]}T{found[2]}Z" if found else now


def plan(registry: Registry, asked: Sequence[Asked]) -> Taken:
    """What ``take_in`` would do."""
    return _events(registry, asked, "", lambda: "")[2]


def take_in(
    path: Path, registry: Registry, asked: Sequence[Asked], actor: str, salt: Callable[[], str]
) -> Taken:
    """Record the requests in the registry at ``path``: pending, or in review with the reason.

    Those whose id the registry (or its part of an issue) holds already are passed over. The words,
    the account and the reason are private; a request in review says nothing in public.
    """
    events, notes, taken = _events(registry, asked, actor, salt)
    if events:
        append(path, events, notes)
    return taken


def _events(
    registry: Registry, asked: Sequence[Asked], actor: str, salt: Callable[[], str]
) -> tuple[list[Event], list[Private], Taken]:
    held = {one.id for one in registry.requests} | {
        one.id.split("/")[0] for one in registry.requests
    }
    events, notes, lines = [], [], []
    known = 0
    for one in asked:
        if one.id in held:
            known += 1
            continue
        held.add(one.id)
        for number, reading in enumerate(one.readings, 1):
            name = one.id if len(one.readings) == 1 else f"{one.id}/{number}"
            subject = reading.subject
            events.append(
                Event("submit", name, one.time, subject, one.reach) if subject
                else Event("ask", name, one.time)
            )  # fmt: skip
            notes.append(_note(one, reading, actor, salt()))
            lines.append((name, str(subject) if subject else None, reading.why))
    return events, notes, Taken(tuple(lines), known)


def _note(one: Asked, reading: Reading, actor: str, salt: str) -> Private:
    who = f"asked by {one.account}" if one.account else "nobody knows who asks"
    mine = _is_own(one.account, reading.subject)
    proof = "the account itself" if mine else "not the account itself: proof is needed"
    evidence = "; ".join(part for part in (who, proof, one.evidence) if part)
    said = f"in review: {reading.why}; it reads: " if reading.why else "read from: "
    return Private(actor, evidence, said + reading.words[:KEPT_WORDS], salt)


def _is_own(account: str, subject: Subject | None) -> bool:
    own = f"{HOST}/{account.lower()}"
    return bool(account) and subject is not None and (subject.value + "/").startswith(own + "/")
