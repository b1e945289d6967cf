"""What a planted file is: its bytes, and beside them what must become of it and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

KEPT = "kept"
FILE, EXECUTABLE, SYMLINK, SUBMODULE, FOLDER = 0o100644, 0o100755, 0o120000, 0o160000, 0o040000


@dataclass(frozen=True)
class Planted:
    """One file. ``path`` has no leading slash. ``redactions`` counts distinct values by kind.

    ``data`` is the target of a symlink, and None for a submodule, whose revision is ``target``.
    ``shown`` is the path in listings where it is not the path itself with a slash.
    """

    path: bytes
    data: bytes | None
    outcome: str = KEPT
    why: str = "nothing speaks against it"
    mode: int = FILE
    redactions: dict[str, int] = field(default_factory=dict)
    target: str | None = None
    shown: str | None = None

    @property
    def listed(self) -> str:
        """The path as ``schema.escape_name`` spells it, for comparing."""
        if self.shown is not None:
            return self.shown
        try:
            return "/" + self.path.decode()
        except UnicodeDecodeError:
            doubled = self.path.replace(b"\\", b"\\\\")
            return "/" + doubled.decode("utf-8", "backslashreplace")


def plant(
    path: str | bytes, data: str | bytes, outcome: str = KEPT, why: str = "", **more: Any
) -> Planted:
    """A regular file unless ``mode`` says otherwise; text becomes UTF-8."""
    name = path.encode() if isinstance(path, str) else path
    body = data.encode() if isinstance(data, str) else data
    return Planted(name, body, outcome, why or "nothing speaks against it", **more)


def symlink(path: str, target: str) -> Planted:
    return Planted(
        path.encode(), target.encode(), "source:symlink", "a link is no file of its own", SYMLINK
    )


def submodule(path: str, revision: str) -> Planted:
    return Planted(
        path.encode(),
        None,
        "source:submodule",
        "a submodule is another repository",
        SUBMODULE,
        target=revision,
    )


def all_become(files: Iterable[Planted], outcome: str, why: str) -> list[Planted]:
    """The same files where the whole origin has one outcome."""
    return [replace(one, outcome=outcome, why=why, redactions={}) for one in files]


class Expectations:
    """Collects what must become of every file of every source; writes ``expected.json``."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []

    def add(self, source: str, origin: str, files: Iterable[Planted]) -> None:
        for one in files:
            entry: dict[str, Any] = {
                "source": source,
                "origin": origin,
                "path": one.listed,
                "outcome": one.outcome,
                "why": one.why,
            }
            if one.redactions:
                entry["redactions"] = dict(sorted(one.redactions.items()))
            self.files.append(entry)

    def document(self, config: str) -> dict[str, Any]:
        files = sorted(self.files, key=lambda f: (f["source"], f["origin"], f["path"]))
        return {"config": config, "files": files}
