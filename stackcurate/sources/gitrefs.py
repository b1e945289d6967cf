"""Reads the branches of a repository and gives the snapshot id that the archive would give."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stackcurate.errors import InputError
from stackcurate.sources.base import Problem
from stackcurate.sources.gitobjects import ObjectReader, run_git
from stackcurate.sources.ids import snapshot_id

_TARGETS = {"commit": "revision", "tag": "release", "tree": "directory", "blob": "content"}


@dataclass(frozen=True)
class Refs:
    """Branches by full name, as the git protocol would show them.

    ``targets`` are object ids, ``aliases`` names of other branches (HEAD, mostly); ``snapshot`` is
    null where a target is missing, so that its kind cannot be known.
    """

    targets: dict[bytes, bytes]
    aliases: dict[bytes, bytes]
    snapshot: bytes | None

    def find(self, branch: str) -> tuple[bytes, bytes] | None:
        """(full name, object id) of a branch given as people write it."""
        name = branch.encode("utf-8", "surrogateescape")
        for full in (name, b"refs/heads/" + name, b"refs/tags/" + name, b"refs/remotes/" + name):
            for _ in range(8):  # an alias of an alias; never round in circles
                if full in self.targets:
                    return full, self.targets[full]
                if full not in self.aliases:
                    break
                full = self.aliases[full]
        found = b"refs/remotes/origin/" + name
        return (found, self.targets[found]) if found in self.targets else None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all branches and what they point at."""
        lines = [name + b"\0" + target for name, target in sorted(self.targets.items())]
        lines += [name + b"\0alias " + target for name, target in sorted(self.aliases.items())]
        return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _ignored(name: bytes) -> bool:
    """Branches that the archive's git loader leaves out: GitHub's automatic merges."""
    return name.startswith(b"refs/pull/") and name.endswith(b"/merge")


def read_refs(folder: Path, key: str, problems: list[Problem]) -> Refs:
    """All refs and HEAD. Raises InputError where git cannot open the repository ``key``."""
    listed = run_git(folder, "for-each-ref", "--format=%(objectname) %(symref)%00%(refname)")
    if listed is None:
        raise InputError(f"{key}: git cannot open this repository", "corrupt")
    targets: dict[bytes, bytes] = {}
    aliases: dict[bytes, bytes] = {}
    for line in listed.splitlines():
        about, _, name = line.partition(b"\0")
        target, _, symbolic = about.partition(b" ")
        if _ignored(name):
            continue
        if symbolic:
            aliases[name] = symbolic
        else:
            targets[name] = bytes.fromhex(target.decode())
    _add_head(folder, targets, aliases)
    aliases = {name: to for name, to in aliases.items() if to in targets or to in aliases}
    return Refs(targets, aliases, _snapshot(folder, targets, aliases, problems))


def _add_head(folder: Path, targets: dict[bytes, bytes], aliases: dict[bytes, bytes]) -> None:
    """HEAD as an alias, or detached as a branch of its own; unborn it is not shown, as git does."""
    name = _symbolic_head(folder)
    if name is not None:
        if name in targets or name in aliases:
            aliases[b"HEAD"] = name
        return
    detached = run_git(folder, "rev-parse", "--quiet", "--verify", "HEAD")
    if detached is not None:
        targets[b"HEAD"] = bytes.fromhex(detached.decode().strip())


def _symbolic_head(folder: Path) -> bytes | None:
    """The branch that HEAD names; None where it is detached. Asks git for other ref formats."""
    try:
        text = (folder / "HEAD").read_bytes()
    except OSError:
        text = b""
    if text.startswith(b"ref: refs/heads/") and not text.startswith(b"ref: refs/heads/.invalid"):
        return text[len(b"ref: ") :].rstrip()
    symbolic = run_git(folder, "symbolic-ref", "--quiet", "HEAD")
    return None if symbolic is None else symbolic.rstrip(b"\n")


def _snapshot(
    folder: Path,
    targets: dict[bytes, bytes],
    aliases: dict[bytes, bytes],
    problems: list[Problem],
) -> bytes | None:
    # Nothing but commits may be a branch: their kind is known without a look.
    others = {name: to for name, to in targets.items() if not name.startswith(b"refs/heads/")}
    ids = list(dict.fromkeys(others.values()))
    kinds: dict[bytes, str] = {}
    if ids:
        with ObjectReader(folder, sizes_only=True) as reader:
            for number, answer in reader.read(ids):
                if not isinstance(answer, Problem):
                    kinds[ids[number]] = _TARGETS[answer.kind]
    branches: dict[bytes, tuple[str, bytes] | None] = {
        name: (kinds.get(target, "revision"), target) for name, target in targets.items()
    }
    lost = {name: target for name, target in others.items() if target not in kinds}
    for name, target in sorted(lost.items()):
        where = name.decode("utf-8", "backslashreplace")
        problems.append(Problem(where, "missing", f"its target {target.hex()} is not there"))
    for name, target in aliases.items():
        branches[name] = ("alias", target)
    return snapshot_id(branches) if branches and not lost else None
