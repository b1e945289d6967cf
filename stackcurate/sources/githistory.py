"""Walks the commits of a repository: finds the newest one that is not later than a date."""

from __future__ import annotations

from pathlib import Path

from stackcurate.sources.base import Problem
from stackcurate.sources.gitobjects import (
    Commit,
    ObjectReader,
    parse_commit,
    parse_tag,
    read_checked,
    run_git,
)

_NESTED_TAGS = 16


class History:
    """Commits by id, each read and checked once; what cannot be read goes to ``problems``."""

    def __init__(self, folder: Path, reader: ObjectReader, problems: list[Problem]) -> None:
        self._folder = folder
        self._reader = reader
        self._problems = problems

    def peel(self, target: bytes) -> bytes | None:
        """The commit that a branch or (annotated, nested) tag stands for."""
        for _ in range(_NESTED_TAGS):
            answer = next(iter(list(self._reader.read([target]))))[1]
            if isinstance(answer, Problem):
                self._problems.append(answer)
                return None
            if answer.kind == "commit":
                return target
            if answer.kind != "tag":
                break
            try:
                target = parse_tag(answer.body or b"")
            except ValueError as error:
                self._problems.append(Problem(target.hex(), "corrupt", str(error)))
                return None
        self._problems.append(Problem(target.hex(), "not_a_commit", "the branch names no commit"))
        return None

    def commit(self, one: bytes) -> Commit | None:
        """One commit; None, and a Problem, where it cannot be read."""
        return self.read([one]).get(one)

    def read(self, ids: list[bytes]) -> dict[bytes, Commit]:
        """Those of ``ids`` that can be read."""
        found: dict[bytes, Commit] = {}
        for number, body in read_checked(self._reader, ids, "commit"):
            if isinstance(body, Problem):
                self._problems.append(body)
                continue
            try:
                found[ids[number]] = parse_commit(body)
            except ValueError as error:
                self._problems.append(Problem(ids[number].hex(), "corrupt", str(error)))
        return found

    def below(self, tip: bytes) -> dict[bytes, Commit]:
        """``tip`` and every commit it descends from, as far as they can be read."""
        listed = run_git(self._folder, "rev-list", tip.hex())
        if listed is not None:
            return self.read([bytes.fromhex(line.decode()) for line in listed.split()])
        found: dict[bytes, Commit] = {}
        seen = {tip}
        level = [tip]
        while level:
            commits = self.read(level)
            found |= commits
            parents = (parent for commit in commits.values() for parent in commit.parents)
            level = [one for one in dict.fromkeys(parents) if one not in seen]
            seen.update(level)
        return found

    def first(self, tip: bytes) -> bytes | None:
        """The commit without parents to which first parents lead from ``tip``.

        None where the history ends early: in a shallow or a damaged repository.
        """
        listed = run_git(self._folder, "rev-list", "--first-parent", "--max-parents=0", tip.hex())
        if not listed or not listed.strip():
            return None
        found = bytes.fromhex(listed.split()[0].decode())
        commit = History(self._folder, self._reader, []).commit(found)
        return found if commit is not None and not commit.parents else None

    def newest(self, tip: bytes, latest: int) -> bytes | None:
        """The commit at or below ``tip`` with the newest committer date up to ``latest``.

        Among commits of one second it is the one that is no parent of another of them, and of
        those the smallest id. A commit whose date cannot be read is not chosen.
        """
        dated = self._dated(tip)
        dates = [seconds for seconds, _ in dated.values() if seconds is not None]
        newest = max((seconds for seconds in dates if seconds <= latest), default=None)
        if newest is None:
            return None
        tied = {one: parents for one, (seconds, parents) in dated.items() if seconds == newest}
        inner = {parent for parents in tied.values() for parent in parents}
        return min((one for one in tied if one not in inner), default=min(tied))

    def _dated(self, tip: bytes) -> dict[bytes, tuple[int | None, tuple[bytes, ...]]]:
        return {
            one: (commit.committer.seconds, commit.parents)
            for one, commit in self.below(tip).items()
        }
