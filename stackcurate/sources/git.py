"""The source `git`: local repositories, bare or not, one or a folder of them.

Ids are the ones git and Software Heritage would give. Nothing in a repository is trusted: commits
and directories are hashed again, and what is damaged costs only the files it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from stackcurate.errors import ConfigError, InputError
from stackcurate.schema import HEAD, REVISION, escape_name
from stackcurate.sources.base import Container, Heads, Problem
from stackcurate.sources.gitfind import common_folder, find_repositories, git_folder
from stackcurate.sources.githistory import History
from stackcurate.sources.gitobjects import Commit, ObjectReader, Person, run_git
from stackcurate.sources.gitrefs import Refs, read_refs
from stackcurate.sources.gittree import Trees, list_root
from stackcurate.sources.origins import clean_origin, given_origin, repository_name

_NANOSECONDS = 1_000_000_000
_LAST_SECOND = (2**63 - 1) // _NANOSECONDS


@dataclass(frozen=True)
class Git:
    """Repositories at or below ``path``; a repository inside another's work tree is not searched.

    ``branch``: ``HEAD`` (where it names a branch that is not there: main, else master), a branch or
    tag name, or a full ref. ``as_of``: an ISO date or time (UTC
    where it names no zone; a date means its whole day); the newest commit of the branch whose
    committer date is not later. ``origins`` maps container keys to origin URLs; then come the
    repository's own ``remote.origin.url``, ``origin_prefix`` + key, and ``git:`` + key.
    ``history``: ``head`` records the head revision, ``all`` every revision it descends from.
    A root that holds more than ``max_files`` files is set aside in one row.
    """

    kind: ClassVar[str] = "git"

    path: Path
    branch: str = "HEAD"
    as_of: str | date | None = None
    origin_prefix: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    history: str = "head"
    max_files: int = 10_000_000

    def __post_init__(self) -> None:
        latest_second(self.as_of)
        if self.history not in ("head", "all"):
            raise ConfigError(f"history: {self.history!r} is not one of head, all")

    def containers(self) -> list[Container]:
        """Every repository, by its path below ``path``. Symbolic links are not followed."""
        return find_repositories(self.path)

    def heads(self, container: Container, scratch: Path) -> Heads:
        """The chosen branch of one repository; no row where it has no commit to offer."""
        folder = git_folder(self.path, container.key)
        settings = _settings(folder, container.key)
        problems: list[Problem] = []
        refs = read_refs(folder, container.key, problems)
        origin = self._origin(settings, container.key)
        revisions: dict[bytes, Commit] = {}
        head: dict[str, object] | None = None
        with ObjectReader(folder) as reader:
            history = History(folder, reader, problems)
            chosen = self._choose(refs, history, problems)
            if chosen is not None:
                branch, revision, commit = chosen
                head = _head_row(container.key, origin, refs, branch, revision, commit)
                first = history.first(revision)
                head["first_revision"] = first.hex() if first else None
                revisions[revision] = commit
                if self.history == "all":
                    revisions = history.below(revision)
        rows = [head] if head else []
        return Heads(
            pa.Table.from_pylist(rows, schema=HEAD),
            revision_table(revisions),
            _digest(origin, refs, head),
            [replace(one, where=f"{container.key}: {one.where}") for one in problems],
        )

    def files(
        self, container: Container, roots: Sequence[str], scratch: Path
    ) -> Iterator[pa.RecordBatch]:
        """Files of ``roots``; directories that roots share are read once."""
        folder = git_folder(self.path, container.key)
        trees = Trees()
        for root in roots:
            yield from list_root(folder, trees, bytes.fromhex(root), container.key, self.max_files)

    def read(
        self, container: Container, wanted: pa.Table, limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        """Bytes by ``content_id``; rows that share one are read once."""
        rows: dict[bytes, list[int]] = {}
        for number, one in enumerate(wanted["content_id"].to_pylist()):
            if one is None:
                yield number, Problem(container.key, "missing", "the row names no content")
            else:
                rows.setdefault(one, []).append(number)
        ids = list(rows)
        with ObjectReader(git_folder(self.path, container.key)) as reader:
            for at, answer in reader.read(ids, limit):
                result: bytes | Problem
                if isinstance(answer, Problem):
                    result = answer
                elif answer.kind != "blob":
                    result = Problem(ids[at].hex(), "corrupt", f"a {answer.kind}, not a blob")
                else:
                    result = answer.body or b""
                for number in rows[ids[at]]:
                    yield number, result

    def _origin(self, settings: Mapping[str, str], key: str) -> str:
        explicit = self.origins.get(key)
        if explicit is not None:
            return given_origin(explicit)
        remote = clean_origin(settings.get("remote.origin.url", ""))
        if remote is not None:
            return remote
        if self.origin_prefix is not None:
            return given_origin(self.origin_prefix + key)
        return "git:" + key

    def _choose(
        self, refs: Refs, history: History, problems: list[Problem]
    ) -> tuple[bytes, bytes, Commit] | None:
        """(branch name, revision, commit) of the wanted branch and date."""
        found = refs.find(self.branch)
        for usual in _USUAL if found is None and self.branch == "HEAD" else ():
            found = found or refs.find(f"refs/heads/{usual}")
        if found is None:
            message = "no commits" if not refs.targets else f"no branch {self.branch!r}"
            problems.append(Problem(self.branch, "empty", f"{message} in this repository"))
            return None
        name, target = found
        tip = history.peel(target)
        if tip is None:
            return None
        latest = latest_second(self.as_of)
        if latest is not None:
            tip = history.newest(tip, latest)
            if tip is None:
                message = f"no commit of {self.branch} is as old as {self.as_of}"
                problems.append(Problem(self.branch, "too_young", message))
                return None
        commit = history.commit(tip)
        return None if commit is None else (name, tip, commit)


_USUAL = ("main", "master")  # where HEAD names a branch that is not there


def _settings(folder: Path, key: str) -> dict[str, str]:
    """The repository's own configuration, without what it includes; the last of equal keys counts.

    Raises InputError where it cannot be read, or where object ids are not SHA-1.
    """
    common = common_folder(folder)
    if not (common / "config").exists():
        return {}
    listed = run_git(common, "config", "--file", "config", "--no-includes", "--null", "--list")
    if listed is None:
        raise InputError(f"{key}: git cannot read this repository's configuration", "corrupt")
    lines = listed.decode("utf-8", "replace").split("\0")
    settings = {name: value for name, _, value in (line.partition("\n") for line in lines)}
    form = settings.get("extensions.objectformat", "sha1")
    if form != "sha1":
        raise InputError(
            f"{key}: its object ids are {form}; only repositories with SHA-1 ids are read, because "
            "the archive's ids are SHA-1",
            "unsupported",
        )
    return settings


def latest_second(as_of: str | date | None) -> int | None:
    """The last second (Unix time, UTC) that counts as not later than ``as_of``."""
    if as_of is None:
        return None
    try:
        text = as_of if isinstance(as_of, str) else as_of.isoformat()
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ConfigError(f"as_of: {as_of!r} is not an ISO date such as 2023-09-06") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    whole_day = 86_399 if len(text) <= len("2023-09-06") else 0
    return int(moment.timestamp()) + whole_day


def revision_table(revisions: Mapping[bytes, Commit]) -> pa.Table:
    """Commits by id as REVISION rows, sorted by id; persons as SHA-256 of their full name."""
    rows = [
        {
            "revision_id": one.hex(),
            "directory_id": commit.tree.hex(),
            "parents": [parent.hex() for parent in commit.parents],
            "author": _hashed(commit.author),
            "committer": _hashed(commit.committer),
            "date_seconds": commit.author.seconds,
            "date_offset_minutes": commit.author.offset_minutes,
            "committer_date_seconds": commit.committer.seconds,
            "committer_date_offset_minutes": commit.committer.offset_minutes,
        }
        for one, commit in sorted(revisions.items())
    ]
    return pa.Table.from_pylist(rows, schema=REVISION)


def _hashed(person: Person) -> str | None:
    return hashlib.sha256(person.name).hexdigest() if person.name else None


def _head_row(
    key: str, origin: str, refs: Refs, branch: bytes, revision: bytes, commit: Commit
) -> dict[str, object]:
    return {
        "root": commit.tree.hex(),
        "origin": origin,
        "visit_type": "git",
        "repo_name": repository_name(origin),
        "snapshot_id": refs.snapshot.hex() if refs.snapshot else None,
        "branch_name": escape_name(branch)[0],
        "revision_id": revision.hex(),
        "directory_id": commit.tree.hex(),
        "revision_date": _nanoseconds(commit.author.seconds),
        "committer_date": _nanoseconds(commit.committer.seconds),
        "container": key,
    }


def _nanoseconds(seconds: int | None) -> int | None:
    if seconds is None or abs(seconds) > _LAST_SECOND:
        return None
    return seconds * _NANOSECONDS


def _digest(origin: str, refs: Refs, head: Mapping[str, object] | None) -> str:
    """Ids pin all files of a repository, so its refs and the chosen head say what it held."""
    chosen = head or {}
    parts = [
        origin,
        refs.digest,
        *(str(chosen.get(name)) for name in ("branch_name", "revision_id", "directory_id")),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
