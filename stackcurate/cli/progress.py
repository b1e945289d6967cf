"""Progress for people on a terminal, plain lines elsewhere, JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from stackcurate.storage.journal import Progress as Watcher


def watcher(log_format: str) -> Watcher:
    """Who should watch: ``auto`` decides by whether standard error is a terminal."""
    if log_format == "json":
        return JsonLines()
    if log_format == "auto" and sys.stderr.isatty():
        return Bars()
    return Lines()


class _Counting:
    """Adds up what a phase has done, for rates."""

    def __init__(self) -> None:
        self.name = ""
        self.total = self.done = self.files = self.size = 0
        self.start = time.monotonic()

    def begin(self, name: str, total: int, done: int) -> None:
        self.name, self.total, self.done = name, total, done
        self.files = self.size = 0
        self.start = time.monotonic()

    def add(self, files: int, size: int) -> None:
        self.done += 1
        self.files += files
        self.size += size

    def rates(self) -> str:
        seconds = max(time.monotonic() - self.start, 1e-9)
        words = [f"{self.files:,} files", f"{self.files / seconds:,.0f} files/s"]
        if self.size:
            words.append(f"{self.size / seconds / 1e6:,.1f} MB/s")
        return ", ".join(words)


class Lines:
    """A line when a phase begins, and one every few seconds while it lasts."""

    def __init__(self) -> None:
        self._count = _Counting()
        self._last = 0.0

    def phase(self, name: str, total: int, done: int) -> None:
        self._count.begin(name, total, done)
        self._last = time.monotonic()
        stood = f", {done} stand already" if done else ""
        print(f"{name}: {total} tasks{stood}", file=sys.stderr, flush=True)

    def step(self, name: str, files: int, size: int) -> None:
        self._count.add(files, size)
        ended = self._count.done >= self._count.total
        if ended or time.monotonic() - self._last > 10:
            self._last = time.monotonic()
            text = f"{name}: {self._count.done}/{self._count.total} tasks, {self._count.rates()}"
            print(text, file=sys.stderr, flush=True)

    def note(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)


class JsonLines:
    """One JSON object a line on standard error."""

    def __init__(self) -> None:
        self._count = _Counting()

    def phase(self, name: str, total: int, done: int) -> None:
        self._count.begin(name, total, done)
        self._write(event="phase", phase=name, tasks=total, done=done)

    def step(self, name: str, files: int, size: int) -> None:
        self._count.add(files, size)
        seconds = round(time.monotonic() - self._count.start, 3)
        self._write(
            event="step",
            phase=name,
            tasks=self._count.total,
            done=self._count.done,
            files=self._count.files,
            bytes=self._count.size,
            seconds=seconds,
        )

    def note(self, message: str) -> None:
        self._write(event="note", message=message)

    def _write(self, **facts: object) -> None:
        print(json.dumps({"level": "info", **facts}), file=sys.stderr, flush=True)


class Bars:
    """One bar per phase, with rates and the time left."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._count = _Counting()

    def phase(self, name: str, total: int, done: int) -> None:
        self._end()
        self._count.begin(name, total, done)
        self._bar = Progress(
            TextColumn("[bold]{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[rates]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._bar.add_task(name, total=total, completed=done, rates="")
        self._bar.start()
        if done >= total:
            self._end()

    def step(self, name: str, files: int, size: int) -> None:
        self._count.add(files, size)
        if self._bar is not None:
            task = self._bar.tasks[0].id
            self._bar.update(task, completed=self._count.done, rates=self._count.rates())
            if self._count.done >= self._count.total:
                self._end()

    def note(self, message: str) -> None:
        self._console.print(message, markup=False, highlight=False)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
