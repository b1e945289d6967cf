"""The registry of opt-outs: who asked for what, what was decided, in lines that nobody can rewrite.

The public part is append-only JSON Lines of events. Each line holds the digest of the line before,
so that an altered, removed or swapped line breaks the chain where it stands. The current state is a
fold over the events; runs depend on nothing else. Names, proofs and reasons stand in a private file
beside it; a public line holds only a salted digest of its private one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.optout.subjects import KINDS, Subject, parse_all
from stackcurate.optout.tombstones import NONE, Tombstones, read_tombstones

FIRST = "0" * 64  # `previous` of the first event

REVIEW, PENDING, APPROVED = "review", "pending", "approved"
DENIED, UNDONE = "denied", "undone"
# type of event -> (states it may follow, state it leads to); None is "no such request yet".
# `ask` records a request that nobody could read yet: it has no subject until `submit` gives one.
# `bury` keeps the tombstones of what an approved request withdrew (see tombstones.py).
STEPS: dict[str, tuple[tuple[str | None, ...], str]] = {
    "ask": ((None,), REVIEW),
    "submit": ((None, REVIEW), PENDING),
    "approve": ((PENDING, DENIED, UNDONE), APPROVED),
    "deny": ((PENDING, REVIEW), DENIED),
    "undo": ((APPROVED,), UNDONE),
    "bury": ((APPROVED,), APPROVED),
}
# place: the files where the subject has them; copies: equal contents elsewhere as well
REACHES = ("place", "copies")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._#/-]{0,99}")


@dataclass(frozen=True)
class Event:
    """One line of the public part.

    ``id`` names the request; ``subject`` and ``reach`` are set on ``submit`` alone, ``tombstones``
    (the SHA-256 of a file of them) on ``bury``. ``time`` is UTC, ``YYYY-MM-DDTHH:MM:SSZ``.
    ``private`` is the SHA-256 of the private line, or None.
    """

    type: str
    id: str
    time: str
    subject: Subject | None = None
    reach: str | None = None
    tombstones: str | None = None
    private: str | None = None
    previous: str = FIRST
    digest: str = ""


@dataclass(frozen=True)
class Private:
    """What stays with the maintainer: who acted, on what proof, and why.

    ``salt`` is random hex from the caller; without it the public digest could be guessed back.
    """

    actor: str
    evidence: str
    reason: str
    salt: str

    def digest(self, event_id: str, event_type: str, time: str) -> str:
        """The commitment to this note that the public line carries."""
        return _sha256(self.line(event_id, event_type, time))

    def line(self, event_id: str, event_type: str, time: str) -> str:
        """The line of the private file."""
        return _canonical({"id": event_id, "type": event_type, "time": time, **vars(self)})


@dataclass(frozen=True)
class Request:
    """Where one request stands after all events.

    ``subject`` is None while nobody could read what is asked for (state ``review``, or ``denied``
    from there). ``time`` is that of its newest event; ``buried`` names its files of tombstones.
    """

    id: str
    subject: Subject | None
    reach: str
    state: str
    time: str
    buried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registry:
    """The state of a registry: requests in the order they came, and where the chain ends.

    ``first`` is the digest of the first event: the salt of the tombstones. ``tombstones`` are those
    of the approved requests.
    """

    requests: tuple[Request, ...] = ()
    head: str = FIRST
    newest: str | None = None
    events: int = 0
    first: str = FIRST
    tombstones: Tombstones = NONE

    def approved(self, kind: str | None = None) -> list[Request]:
        """The requests that apply, of one kind or all."""
        return [
            request
            for request in self.requests
            if request.state == APPROVED and kind in (None, _subject(request).kind)
        ]

    def subjects(self, kind: str) -> list[Subject]:
        """What the approved requests of one kind withdraw."""
        return [_subject(request) for request in self.approved(kind)]

    def reaching(self, reach: str) -> Registry:
        """The same registry with only the requests of one reach: what also takes equal contents."""
        return replace(self, requests=tuple(r for r in self.requests if r.reach == reach))


def _subject(request: Request) -> Subject:
    """The subject of an approved request; `step` approves none without."""
    assert request.subject is not None
    return request.subject


EMPTY = Registry()


def read(path: Path, head: str | None = None) -> Registry:
    """The verified state of the registry at ``path``.

    ``head`` is a digest that must be in the chain (for example from a release's manifest): only so
    can lines missing from the end be noticed. Raises IntegrityError that names the first bad line.
    """
    state = fold(read_events(path, head))
    buried = sorted({name for request in state.approved() for name in request.buried})
    return replace(state, tombstones=read_tombstones(path, buried)) if buried else state


def read_events(path: Path, head: str | None = None) -> list[Event]:
    """All events of the public part, chain checked; subjects normalized. Errors as in ``read``."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read the opt-out registry {path.name}: {error.strerror}"
        ) from None
    raw = verify_chain(data, path.name)
    if head not in (None, FIRST, *(event["digest"] for event in raw)):
        raise IntegrityError(
            f"{path.name}: lines were removed after line {len(raw)}; "
            f"the chain no longer holds the digest {head}"
        )
    return _events(raw, path.name)


def verify_chain(data: bytes, name: str = "registry") -> list[dict[str, Any]]:
    """The lines of a public part as objects, each checked against its digest and the line before.

    Raises IntegrityError naming the first line that was altered, removed, inserted or swapped.
    """
    lines = data.split(b"\n")
    if lines[-1]:
        raise IntegrityError(
            f"{name}: line {len(lines)} is incomplete; it was never acknowledged, cut it"
        )
    events: list[dict[str, Any]] = []
    for number, line in enumerate(lines[:-1], 1):
        event = _sealed(line)
        if event is None:
            raise IntegrityError(f"{name}: line {number} was altered: it does not match its digest")
        events.append(event)
    later = {event["digest"]: number for number, event in enumerate(events, 1)}
    previous = FIRST
    for number, event in enumerate(events, 1):
        if event["previous"] != previous:
            raise IntegrityError(f"{name}: {_break(number, later.get(event['previous']))}")
        previous = event["digest"]
    return events


def _break(number: int, named: int | None) -> str:
    """What a broken link at line ``number`` means; ``named`` is the line it claims to follow."""
    if named is not None and named >= number:
        return f"line {number} was swapped: it follows what is now line {named}"
    if named is not None:
        return f"line {number} does not follow line {number - 1}: it was copied or inserted"
    if number == 1:
        return "line 1 is not the first event: lines before it were removed"
    return (
        f"a line before line {number} was removed, "
        f"or line {number - 1} was altered and sealed again"
    )


def _sealed(line: bytes) -> dict[str, Any] | None:
    """The object of a line whose bytes are exactly what ``_seal`` writes for it, else None."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("previous"), str):
        return None
    try:
        return event if _seal(event).encode() == line else None
    except UnicodeEncodeError:
        return None


def _seal(event: dict[str, Any]) -> str:
    """The line of an event: canonical JSON with the digest of everything else."""
    body = {key: value for key, value in event.items() if key != "digest"}
    return _canonical({**body, "digest": _sha256(_canonical(body))})


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _canonical(value: dict[str, Any]) -> str:
    return _ENCODER.encode(value)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _events(raw: Sequence[dict[str, Any]], name: str) -> list[Event]:
    """Objects to events; keys are computed for all subjects at once, as there are thousands."""
    found = []
    for number, event in enumerate(raw, 1):
        try:
            found.append(_event(event))
        except (ConfigError, TypeError) as error:
            raise ConfigError(f"{name}, line {number}: {error}") from None
    try:
        subjects = parse_all([event.subject for event in found])
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
    return [replace(e, subject=s) for e, s in zip(found, subjects, strict=True)]


def _event(raw: dict[str, Any]) -> Event:
    """One object as an event, checked; its subject not normalized yet."""
    subject = raw.get("subject")
    if subject is not None:
        if not isinstance(subject, dict) or not isinstance(subject.get("value"), str):
            raise ConfigError("a subject is an object with kind, value (a string), and glob")
        if not isinstance(subject.get("glob"), (str, type(None))):
            raise ConfigError("a glob is a string")
        subject = Subject(subject.get("kind", ""), subject["value"], subject.get("glob"))
    fields: dict[str, Any] = {name: raw.get(name) for name in ("reach", "tombstones", "private")}
    event = Event(
        type=raw.get("type", ""),
        id=raw.get("id", ""),
        time=raw.get("time", ""),
        subject=subject,
        previous=raw["previous"],
        digest=raw["digest"],
        **fields,
    )
    check_event(event)
    return event


def check_event(event: Event) -> None:
    """Raise ConfigError where an event is not one by itself (its place in the story aside)."""
    if event.type not in STEPS:
        raise ConfigError(f"unknown type of event {event.type!r}; one of: {', '.join(STEPS)}")
    if not _ID.fullmatch(event.id):
        raise ConfigError("an id has 1 to 100 letters, digits or ._#/- and begins with the former")
    if not _TIME.fullmatch(event.time):
        raise ConfigError("a time reads YYYY-MM-DDTHH:MM:SSZ, in UTC")
    if event.type == "submit":
        if event.subject is None or event.reach not in REACHES:
            raise ConfigError(f"a submit says subject and reach ({' or '.join(REACHES)})")
    elif event.subject is not None or event.reach is not None:
        raise ConfigError(f"{event.type} names its request by id alone")
    if (event.tombstones is not None) != (event.type == "bury"):
        raise ConfigError("bury names a file of tombstones, and nothing else does")


def fold(events: Sequence[Event]) -> Registry:
    """The state after all events. Raises ConfigError for a step that its request does not allow."""
    requests: dict[str, Request] = {}
    for event in events:
        requests[event.id] = step(requests.get(event.id), event)
    return Registry(
        requests=tuple(requests.values()),
        head=events[-1].digest if events else FIRST,
        first=events[0].digest if events else FIRST,
        newest=max((event.time for event in events), default=None),
        events=len(events),
    )


def step(request: Request | None, event: Event) -> Request:
    """One request after one event more."""
    allowed, state = STEPS[event.type]
    if (request.state if request else None) not in allowed:
        where = f"is {request.state}" if request else "is unknown"
        raise ConfigError(f"cannot {event.type} {event.id}: the request {where}")
    if event.type == "submit":
        assert event.subject is not None and event.reach is not None  # check_event saw to it
        return Request(event.id, event.subject, event.reach, state, event.time)
    if request is None:
        return Request(event.id, None, "place", state, event.time)
    if event.type == "approve" and request.subject is None:
        raise ConfigError(
            f"cannot approve {event.id}: nobody has said yet what it asks for; submit it first"
        )
    buried = (*request.buried, event.tombstones) if event.tombstones else request.buried
    return replace(request, state=state, time=event.time, buried=buried)


def append(path: Path, events: Sequence[Event], notes: Sequence[Private | None] = ()) -> Registry:
    """Add events to the registry at ``path``, and their notes to ``private_path(path)``.

    ``previous``, ``digest`` and ``private`` of the given events are filled in. All are added in one
    synced write, under a lock, or none. Returns the new state. Raises ConfigError for a step that
    is not allowed, IntegrityError if the chain is broken already.
    """
    subjects = parse_all([event.subject for event in events])
    events = [replace(e, subject=s) for e, s in zip(events, subjects, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file, _locked(file):
        old = read_events(path)
        lines, private_lines, new = [], [], []
        previous = old[-1].digest if old else FIRST
        for number, event in enumerate(events):
            note = notes[number] if number < len(notes) else None
            if note is not None:
                event = replace(event, private=note.digest(event.id, event.type, event.time))
                private_lines.append(note.line(event.id, event.type, event.time))
            check_event(event)
            lines.append(seal(replace(event, previous=previous)))
            previous = json.loads(lines[-1])["digest"]
            new.append(replace(event, digest=previous))
        state = fold([*old, *new])
        # the private notes first: a note without its event is noise, the reverse is a loss
        if private_lines:
            _write_lines(private_path(path), private_lines)
        _write_lines(path, lines)
    return state


def seal(event: Event) -> str:
    """The line of ``event``, without newline; ``event.digest`` is ignored and computed."""
    raw = {name: value for name, value in vars(event).items() if value is not None}
    if event.subject is not None:
        raw["subject"] = {k: v for k, v in vars(event.subject).items() if v is not None}
    return _seal(raw)


def private_path(path: Path) -> Path:
    """Where the private part of the registry at ``path`` lies."""
    return path.with_name(path.stem + ".private" + path.suffix)


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    private = path.stem.endswith(".private")
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with open(os.open(path, flags, 0o600 if private else 0o644), "ab") as file:
        file.write("".join(line + "\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _locked(file: IO[bytes]) -> Iterator[None]:
    """One writer at a time, where the system has advisory locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def notes(path: Path, ids: Container[str]) -> list[dict[str, Any]]:
    """What the private part says about these requests, oldest first; [] where there is none."""
    beside = private_path(path)
    lines = beside.read_text(encoding="utf-8").splitlines() if beside.exists() else []
    return [note for line in lines for note in [json.loads(line)] if note["id"] in ids]


def verify_private(path: Path) -> list[str]:
    """What is wrong with the private part beside ``path``: a sentence per lost or altered note."""
    events = [event for event in read_events(path) if event.private is not None]
    beside = private_path(path)
    lines = beside.read_text(encoding="utf-8").splitlines() if beside.exists() else []
    known = {_sha256(line) for line in lines}
    return [
        f"the private note of {event.type} {event.id} at {event.time} is missing or was altered"
        for event in events
        if event.private not in known
    ]


def summary(registry: Registry) -> dict[str, Any]:
    """The cut-off that a manifest carries: numbers and digests, no names."""
    states = Counter(request.state for request in registry.requests)
    kinds = Counter(_subject(request).kind for request in registry.approved())
    return {
        "head": registry.head,
        "newest_event": registry.newest,
        "events": registry.events,
        "approved": {kind: kinds[kind] for kind in KINDS},
        "pending": states[PENDING],
        "review": states[REVIEW],
        "denied": states[DENIED],
        "undone": states[UNDONE],
    }
