"""How a phase of the pipeline runs: items with an output each, skipped when the output stands."""

from __future__ import annotations

import hashlib
import importlib.metadata
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stackcurate import __version__
from stackcurate.engine.base import Engine, Failure
from stackcurate.errors import StopError
from stackcurate.storage import partitions
from stackcurate.storage.durable import Durable
from stackcurate.storage.journal import Journal, Progress

if TYPE_CHECKING:  # tasks know their own settings; a worker that reads configs starts a sixth later
    from stackcurate.config import Config

# Libraries whose version can change an output. Their versions name tasks and stand in the manifest.
LIBRARIES = (
    "chardetng-py",
    "datasketch",
    "detect-secrets",
    "duckdb",
    "google-re2",
    "hyperscan",
    "license-expression",
    "numba",
    "numpy",
    "phonenumbers",
    "pyarrow",
    "scancode-toolkit",
    "xxhash",
    "zstandard",
)


class Item(Protocol):
    """What a task works on; ``out`` is the folder it makes."""

    @property
    def out(self) -> Path: ...


@dataclass
class Run:
    """One run under way: its config, engine, folder, and who watches."""

    config: Config
    engine: Engine
    progress: Progress
    journal: Journal
    durable: Durable
    timeout: float | None = None  # seconds per task that reads contents
    seconds: dict[str, float] = field(default_factory=dict)
    work: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.config.run_folder

    def place(self, phase: str, *inputs: Any) -> Path:
        """Where an output of ``phase`` made from ``inputs`` lies."""
        return self.folder / "work" / phase / partitions.digest(code_digest(), phase, *inputs)

    def do(
        self,
        phase: str,
        task: Callable[[Any], Any],
        items: Sequence[Item],
        failed: Callable[[Any, Failure], None] | None = None,
        timeout: float | None = None,
        retry: bool = True,
    ) -> list[Path]:
        """Make the outputs that are missing; return all, in the order of ``items``.

        A task returns (files, bytes) for the progress, or None. Without ``failed`` a task that
        crashed ends the run. ``timeout`` and ``retry`` are the engine's.
        """
        waiting = [item for item in items if not item.out.exists()]
        self.progress.phase(phase, len(items), len(items) - len(waiting))
        start = time.monotonic()
        done = {"tasks": 0, "files": 0, "bytes": 0}
        for number, result in self.engine.map(task, waiting, timeout, retry):
            if isinstance(result, Failure):
                self.journal.write("failed", phase=phase, reason=result.reason, why=result.message)
                if failed is None:
                    raise StopError(
                        f"a {phase} task {result.reason}: {result.message}. This is a fault of "
                        "stackcurate or of the machine, not of your data; start the command again "
                        "to go on, and report it if it comes back"
                    )
                failed(waiting[number], result)
                continue
            self.durable.made(waiting[number].out)
            files, size = result or (0, 0)
            done = {
                "tasks": done["tasks"] + 1,
                "files": done["files"] + files,
                "bytes": done["bytes"] + size,
            }
            self.progress.step(phase, files, size)
        self.seconds[phase] = self.seconds.get(phase, 0.0) + time.monotonic() - start
        self.work[phase] = done
        self.journal.write("phase", phase=phase, seconds=round(self.seconds[phase], 3), **done)
        return [item.out for item in items]


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Digest of stackcurate's own files and of the versions of the libraries that matter."""
    hasher = hashlib.sha256()
    root = Path(__file__).parent.parent
    for file in sorted(root.rglob("*")):
        if "__pycache__" not in file.parts and file.is_file():  # code, tables, templates
            hasher.update(str(file.relative_to(root)).encode() + b"\0")
            hasher.update(hashlib.sha256(file.read_bytes()).digest())
    hasher.update(repr(sorted(versions().items())).encode())
    return hasher.hexdigest()


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Version of stackcurate and of each library that can change an output."""
    found = {"stackcurate": __version__}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
