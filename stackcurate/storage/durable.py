"""Which outputs of a run have reached the disk, so that nobody waits for it after each of them.

Tasks write into the memory of the system and rename; a killed process loses nothing of that, only a
crash of the system does. So the outputs are made durable from time to time, beside the work, and
noted. A run that goes on after another boot forgets those that are not noted and makes them again.
A short run never waits, and what it removed before the disk asked for it was never written.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from stackcurate.storage.partitions import boot, sync

EVERY = 60.0  # seconds between two rounds: what a crash of the system may cost


class Durable:
    """The outputs ``work/PHASE/NAME`` of a run folder; a context manager, so that its thread ends.

    ``durable.jsonl`` beside them tells the boots under which work was done, and the outputs that
    are on the disk for sure. Where boots have no names, tasks wait for the disk themselves.
    """

    def __init__(self, run_folder: Path, every: float = EVERY) -> None:
        self.folder, self.log = run_folder / "work", run_folder / "durable.jsonl"
        self.every = every
        self._waiting: list[Path] = []
        self._since = time.monotonic()
        self._thread = ThreadPoolExecutor(1)
        self._round: Future[None] | None = None

    def __enter__(self) -> Durable:
        self._forget()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def made(self, output: Path) -> None:
        """An output stands; a round begins where the last one is long ago.

        Raises OSError where the disk failed in an earlier round.
        """
        if not boot():
            return
        self._waiting.append(output)
        if self._round is not None and self._round.done():
            self._round.result()
            self._round = None
        if self._round is None and time.monotonic() - self._since >= self.every:
            self._round = self._thread.submit(self._settle, self._waiting)
            self._waiting, self._since = [], time.monotonic()

    def settle(self, outputs: Iterable[Path]) -> None:
        """Make these durable now, and wait for it."""
        if boot():
            self._thread.submit(self._settle, list(outputs)).result()

    def _settle(self, outputs: Iterable[Path]) -> None:
        names = []
        for output in outputs:
            if not output.exists():  # cleaned away meanwhile
                continue
            for place in (*output.rglob("*"), output, output.parent):
                sync(place)
            names.append(str(output.relative_to(self.folder)))
        self._note({"outputs": names})

    def _forget(self) -> None:
        """Remove what an earlier boot made and did not note."""
        noted: set[str] = set()
        last = None
        for line in self._lines():
            noted.update(line.get("outputs", ()))
            last = line.get("boot", last)
        if not boot() or last == boot():
            return
        for output in self.folder.glob("*/*"):
            if str(output.relative_to(self.folder)) not in noted:
                shutil.rmtree(output, ignore_errors=True)
        self._note({"boot": boot()})

    def _lines(self) -> list[dict[str, Any]]:
        """The log's whole lines; one that a crash cut says nothing."""
        if not self.log.exists():
            return []
        lines = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
        return lines

    def _note(self, line: dict[str, Any]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        sync(self.log.parent)
