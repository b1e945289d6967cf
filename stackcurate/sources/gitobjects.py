"""Reads git's objects and refs through the git command, from repositories that nobody trusts.

Every call runs with an environment of its own: no configuration but the repository's, no hooks, no
replace refs, no network and no lazy fetch. Bytes come from one long-lived ``git cat-file --batch``
process, which sees the repository's objects from an empty repository of ours, and so none of its
configuration; when an object kills it (damaged zlib data, a cut pack), a new one goes on behind
that object.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

from stackcurate.errors import ConfigError, InputError
from stackcurate.sources.base import Problem
from stackcurate.sources.gitfind import common_folder
from stackcurate.sources.ids import MODE_TREE, object_id

# Asked ahead of the answers. 95 lines of 41 bytes stay under 4,096 bytes, which every pipe takes
# without blocking, so that no thread has to feed the process.
WINDOW = 95
_SKIP = 1 << 20
_DEATHS = 1000  # processes in a row that die unanswered before the rest is given up

_OVERRIDES = (
    "core.fsmonitor=false",
    "core.hooksPath=" + os.devnull,
    "protocol.allow=never",
    "core.multiPackIndex=true",
    "gc.auto=0",
)


def git_environment() -> dict[str, str]:
    """The whole environment of a git process; nothing of ours but PATH is inherited."""
    keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return keep | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_NO_LAZY_FETCH": "1",  # git 2.45 and security releases; the next line binds older ones
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ATTR_NOSYSTEM": "1",
        "LC_ALL": "C",
    }


def git_arguments(folder: Path, *arguments: str) -> list[str]:
    """The command line of ``git`` on the repository whose git folder is ``folder``."""
    command = ["git", "--git-dir", str(folder), "--no-pager", "--literal-pathspecs"]
    for override in _OVERRIDES:
        command += ["-c", override]
    return [*command, *arguments]


def run_git(folder: Path, *arguments: str) -> bytes | None:
    """Standard output of a git command; None where it failed."""
    try:
        done = subprocess.run(
            git_arguments(folder, *arguments),
            env=git_environment(),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise _no_git(folder) from error
    return done.stdout if done.returncode == 0 else None


def _no_git(folder: Path) -> Exception:
    if folder.is_dir():
        return ConfigError("the source kind `git` needs the git command; install git")
    return InputError("the repository is gone", "missing")


class Answer(NamedTuple):
    """What git said about one object; ``body`` is None where only its size was asked."""

    kind: str  # blob, tree, commit, tag
    size: int
    body: bytes | None


class ObjectReader:
    """Objects of one repository by id. A context manager; use it from one thread."""

    def __init__(self, folder: Path, sizes_only: bool = False) -> None:
        self._folder = folder
        self._objects = (common_folder(folder) / "objects").resolve()
        self._mode = "--batch-check" if sizes_only else "--batch"
        self._sizes_only = sizes_only
        self._process: subprocess.Popen[bytes] | None = None
        self._shell = tempfile.TemporaryDirectory(prefix="stackcurate-git-")
        for part in ("objects", "refs"):
            (Path(self._shell.name) / part).mkdir()
        (Path(self._shell.name) / "HEAD").write_text("ref: refs/heads/none\n")

    def __enter__(self) -> ObjectReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._shell.cleanup()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # unwritten ids of a dead process
                    pipe.close()
        process.wait()

    def read(
        self, ids: Sequence[bytes], limit: int | None = None
    ) -> Iterator[tuple[int, Answer | Problem]]:
        """Yield (number, answer) for the 20-byte ``ids``, in order, each exactly once.

        A Problem has the reason ``missing``, ``corrupt`` or, over ``limit`` bytes, ``too_large``.
        Read each iterator to its end before the next; leaving the context ends one in between.
        """
        at = 0
        deaths = 0  # in a row, without an answer between them
        suspect = -1  # where the last process died; a process that dies there again names it
        while at < len(ids):
            before = at
            for answer in self._answers(ids, at, limit):
                yield at, answer
                at += 1
            if at == len(ids):
                return
            self._stop()
            deaths = 1 if at > before else deaths + 1
            if deaths > _DEATHS:
                for rest in range(at, len(ids)):
                    yield rest, Problem(ids[rest].hex(), "corrupt", "git ends on every object")
                return
            if at == suspect:
                yield at, Problem(ids[at].hex(), "corrupt", "git cannot read the object")
                at += 1
                suspect = -1
            else:
                suspect = at

    def _answers(
        self, ids: Sequence[bytes], start: int, limit: int | None
    ) -> Iterator[Answer | Problem]:
        """Answers from ``start`` on; ends early where the process ends."""
        process = self._process or self._start()
        assert process.stdin is not None and process.stdout is not None
        asked = start
        for at in range(start, len(ids)):
            if asked - at <= WINDOW // 2 and asked < len(ids):
                ahead = ids[asked : at + WINDOW]
                with contextlib.suppress(OSError):  # dead; its answers are still in the pipe
                    process.stdin.write(b"".join(b"%s\n" % one.hex().encode() for one in ahead))
                    process.stdin.flush()
                asked += len(ahead)
            answer = self._answer(process.stdout, ids[at], limit)
            if answer is None:
                return
            yield answer

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(
                git_arguments(Path(self._shell.name), "cat-file", self._mode),
                env=git_environment() | {"GIT_OBJECT_DIRECTORY": str(self._objects)},
                cwd=self._shell.name,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=1 << 18,
            )
        except FileNotFoundError as error:
            raise _no_git(self._folder) from error
        return self._process

    def _absent(self, name: str) -> Problem:
        """What git calls missing: an object that is not there, or a loose one that is damaged."""
        if (self._objects / name[:2] / name[2:]).is_file():
            return Problem(name, "corrupt", "the object is there, but git cannot read it")
        return Problem(name, "missing", "the repository does not have the object")

    def _answer(self, pipe: IO[bytes], wanted: bytes, limit: int | None) -> Answer | Problem | None:
        """The next answer; None where the process ended before it was whole."""
        line = pipe.readline()
        if not line.endswith(b"\n"):
            return None
        words = line.split()
        if len(words) != 3:
            return self._absent(wanted.hex())
        kind, size = words[1].decode("ascii", "replace"), int(words[2])
        if self._sizes_only:
            return Answer(kind, size, None)
        if limit is not None and size > limit:
            message = f"{size} bytes are more than the limit of {limit}"
            return Problem(wanted.hex(), "too_large", message) if _skip(pipe, size + 1) else None
        body = pipe.read(size)
        if len(body) != size or pipe.read(1) != b"\n":
            return None
        return Answer(kind, size, body)


def _skip(pipe: IO[bytes], count: int) -> bool:
    """Read ``count`` bytes and forget them; False where the pipe ends before."""
    while count:
        got = len(pipe.read(min(count, _SKIP)))
        if not got:
            return False
        count -= got
    return True


def read_checked(
    reader: ObjectReader, ids: Sequence[bytes], kind: str
) -> Iterator[tuple[int, bytes | Problem]]:
    """Bodies of objects that are of ``kind`` and hash to their id; everything else is a Problem."""
    for number, answer in reader.read(ids):
        if isinstance(answer, Problem):
            yield number, answer
        elif answer.kind != kind:
            yield number, Problem(ids[number].hex(), "corrupt", f"a {answer.kind}, not a {kind}")
        elif object_id(kind, answer.body or b"") != ids[number]:
            yield number, Problem(ids[number].hex(), "corrupt", "its bytes do not have this id")
        else:
            yield number, answer.body or b""


def parse_tree(body: bytes) -> list[tuple[int, bytes, bytes]]:
    """The (mode, name, id) entries of a tree object. Raises ValueError where it is malformed."""
    entries = []
    at = 0
    end = len(body)
    while at < end:
        space = body.index(b" ", at)
        nul = body.index(b"\0", space)
        if nul + 21 > end:
            raise ValueError("a tree entry is cut")
        digits = body[at:space]
        if not digits.isdigit() or len(digits) > 7:
            raise ValueError("a tree entry without a mode")
        mode = int(digits, 8)
        entries.append((mode, body[space + 1 : nul], body[nul + 1 : nul + 21]))
        at = nul + 21
    return entries


def is_tree(mode: int) -> bool:
    """True for a directory entry, also with the permission bits of old or odd tools."""
    return mode & 0o170000 == MODE_TREE


class Person(NamedTuple):
    """Who and when, as a commit records it; numbers are None where they cannot be read."""

    name: bytes  # "Name <mail>"
    seconds: int | None
    offset_minutes: int | None


class Commit(NamedTuple):
    """The parts of a commit object that the tables carry."""

    tree: bytes
    parents: tuple[bytes, ...]
    author: Person
    committer: Person


_PERSON = re.compile(rb"(.*>)\s*(-?\d{1,20})(?:\s+([+-]?)(\d{1,8}))?\s*\Z", re.DOTALL)
_NOBODY = Person(b"", None, None)


def parse_person(value: bytes) -> Person:
    """Split ``Name <mail> 1700000000 +0100``; what does not fit is all name."""
    match = _PERSON.match(value)
    if match is None:
        return Person(value, None, None)
    name, seconds, sign, offset = match.groups()
    when: int | None = int(seconds)
    if when is not None and not -(2**63) <= when < 2**63:
        when = None
    minutes = None
    if offset is not None:
        minutes = int(offset) // 100 * 60 + int(offset) % 100
        minutes = -minutes if sign == b"-" else minutes
        if not -(2**15) <= minutes < 2**15:
            minutes = None
    return Person(name, when, minutes)


def parse_commit(body: bytes) -> Commit:
    """Read a commit object. Raises ValueError where it names no tree."""
    tree: bytes | None = None
    parents: list[bytes] = []
    author = committer = _NOBODY
    for line in body.partition(b"\n\n")[0].split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"tree" and tree is None:
            tree = _hex_id(value)
        elif key == b"parent":
            parents.append(_hex_id(value))
        elif key == b"author" and author is _NOBODY:
            author = parse_person(value)
        elif key == b"committer" and committer is _NOBODY:
            committer = parse_person(value)
    if tree is None:
        raise ValueError("a commit without a tree")
    return Commit(tree, tuple(parents), author, committer)


def parse_tag(body: bytes) -> bytes:
    """The id a tag object points at. Raises ValueError where it is malformed."""
    key, _, value = body.partition(b"\n")[0].partition(b" ")
    if key != b"object":
        raise ValueError("a tag without an object")
    return _hex_id(value)


def _hex_id(value: bytes) -> bytes:
    target = bytes.fromhex(value.decode("ascii"))
    if len(target) != 20:
        raise ValueError("not an object id")
    return target
