"""The journal: what ran, when and how fast, for people. Nothing reads it to decide anything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Progress(Protocol):
    """Who watches a run: a terminal, a log, or nobody."""

    def phase(self, name: str, total: int, done: int) -> None:
        """A phase of ``total`` tasks begins; ``done`` of them stood from before."""
        ...

    def step(self, name: str, files: int, size: int) -> None:
        """One task of the phase ended, with files and bytes it handled."""
        ...

    def note(self, message: str) -> None:
        """One sentence for people."""
        ...


class Silent:
    """Nobody watches."""

    def phase(self, name: str, total: int, done: int) -> None: ...

    def step(self, name: str, files: int, size: int) -> None: ...

    def note(self, message: str) -> None: ...


@dataclass
class Journal:
    """Appends one JSON line an event to ``path``; a line cut by a kill is skipped by readers."""

    path: Path
    clock: Callable[[], float] = field(default=time.time)

    def write(self, event: str, **facts: Any) -> None:
        line = json.dumps({"time": round(self.clock(), 3), "event": event, **facts}, sort_keys=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def read(self) -> list[dict[str, Any]]:
        """All whole lines, oldest first; an absent journal is empty."""
        if not self.path.exists():
            return []
        events = []
        for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue
        return events
