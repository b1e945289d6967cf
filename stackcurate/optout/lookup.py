"""Looking up an account, repository, address or SWHID: what was asked, what is published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stackcurate.errors import ConfigError
from stackcurate.optout.preview import Place, count_held
from stackcurate.optout.registry import APPROVED, Registry, Request
from stackcurate.optout.subjects import (
    GROUP_HOSTS,
    ORIGIN,
    OWNER,
    REPOSITORY,
    SWHID,
    TWO_LEVEL_HOSTS,
    Subject,
    origin_key,
    parse,
)
from stackcurate.text import visible, with_commas

HOST = "github.com"  # of names that come without one


@dataclass(frozen=True)
class Answer:
    """``requests``: what concerns the asked-for thing, as dicts; ``held``: what releases hold."""

    subject: str
    withdrawn: bool
    requests: list[dict[str, Any]]
    held: list[dict[str, Any]]

    def json(self) -> str:
        """As one JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    def text(self) -> str:
        """As lines for a person."""
        lines = [f"{visible(self.subject)}: {'withdrawn' if self.withdrawn else 'not withdrawn'}"]
        for one in self.requests:
            subject = visible(one["subject"])
            lines.append(
                f"  request {one['id']}: {subject} ({one['reach']}), {one['state']} {one['time']}"
            )
        if not self.requests:
            lines.append("  no request concerns it")
        for one in self.held:
            lines.append(
                f"  {one['release']} holds {with_commas(one['files'])} files of "
                f"{with_commas(one['repositories'])} repositories"
            )
        if not self.held:
            lines.append("  no published version holds any of it")
        return "\n".join(lines)


def with_host(name: str) -> str:
    """``name`` as an address: one without a host (``owner``, ``owner/name``) is GitHub's."""
    first = name.strip().lstrip("@").split("/")[0]
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*", first)
    return f"{HOST}/{name.strip().lstrip('@')}" if plain else name.strip()


def subject_of(asked: str) -> Subject:
    """What a person means who types an owner, a repository, an address or a SWHID."""
    if asked.strip().startswith("swh:"):
        return parse(SWHID, asked)
    key = origin_key(with_host(asked))
    levels = key.count("/") + 1
    host = key.partition("/")[0]
    if host in TWO_LEVEL_HOSTS or host in GROUP_HOSTS or host.startswith("gitlab."):
        if levels < 2:
            raise ConfigError(f"{asked!r} is a host; name an account, a repository or a SWHID")
        return parse(OWNER if levels == 2 else REPOSITORY, key)
    return parse(ORIGIN, key)


def lookup(asked: str, registry: Registry, where: Sequence[Place]) -> Answer:
    """The requests that cover ``asked`` or something of it, and what each release holds."""
    subject = subject_of(asked)
    found = list(_concerning(subject, registry))
    covered = any(one.state == APPROVED and _covers(one, subject) for one in found)
    held = [
        {"release": place.name, "repositories": repositories, "files": files}
        for place in where
        for repositories, files in [count_held(place, subject)]
        if repositories or files
    ]
    requests = [
        {
            "id": one.id,
            "subject": str(one.subject),
            "reach": one.reach,
            "state": one.state,
            "time": one.time,
        }
        for one in found
    ]
    return Answer(str(subject), covered, requests, held)


def _concerning(subject: Subject, registry: Registry) -> Iterator[Request]:
    for request in registry.requests:
        known = request.subject
        if known is None:
            continue
        below = subject.kind == OWNER and known.value.startswith(subject.value + "/")
        if below or known.value == subject.value or _covers(request, subject):
            yield request


def _covers(request: Request, subject: Subject) -> bool:
    """Whether a request takes the whole of ``subject``."""
    known = request.subject
    assert known is not None
    if known.glob is not None:
        return False
    if known.value == subject.value:
        return known.kind == OWNER or subject.kind != OWNER
    return known.kind == OWNER and subject.value.startswith(known.value + "/")
