"""The engine for one machine: worker processes that may die without taking the run with them.

A worker takes one task at a time over its own pipe. When it dies or runs past the limit, its task
is tried once more with no other task beside it (memory may have been the reason), and only then
becomes a Failure. Workers end with their parent, however it dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any, TypeVar

from stackcurate.engine.attempt import attempt, one_thread_each
from stackcurate.engine.base import Failure, with_retries
from stackcurate.engine.unused import do_without_unused

T = TypeVar("T")
# Libraries read it when they are loaded, so it is set before. Arrow's allocator gives freed memory
# back to the system at once and faults it in again for the next batch: a tenth of a run. Slices are
# of one size, so a worker may keep what its largest took. OpenBLAS shall start no thread where
# workers fork.
AT_START = {"MIMALLOC_PURGE_DELAY": "-1", "OPENBLAS_NUM_THREADS": "1"}
# Tasks make lists of bytes and no cycles to speak of. Looking for some after every 700 objects,
# over all that the imports left, is a fiftieth of a run.
_GARBAGE = 50_000
# Forking beside Arrow's threads can deadlock, and a process from nothing needs a second to load
# what tasks use. So a process without threads loads it once, and workers are forked from that.
_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")


class LocalEngine:
    """Maps tasks over ``workers`` processes; use it as a context manager so that they end."""

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)
        self._pool: list[_Worker] = []

    def __enter__(self) -> LocalEngine:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._pool:
            worker.process.kill()  # all at once: giving their memory back takes time
        for worker in self._pool:
            worker.stop()
        self._pool = []

    def map(
        self,
        task: Callable[[T], Any],
        items: Sequence[T],
        timeout: float | None = None,
        retry: bool = True,
    ) -> Iterator[tuple[int, Any]]:
        """See ``engine.base.Engine``; ``timeout`` is seconds per task."""
        run = partial(self._run, task, items, timeout)
        return with_retries(run, len(items), self.workers, retry)

    def _run(
        self,
        task: Callable[[T], Any],
        items: Sequence[T],
        timeout: float | None,
        numbers: Sequence[int],
        workers: int,
    ) -> Iterator[tuple[int, Any]]:
        waiting = deque(numbers)
        busy: dict[_Worker, int] = {}
        main = b"__main__" in pickle.dumps((task, [items[number] for number in numbers[:1]]))
        idle = self._take(min(workers, len(waiting)), main)
        try:
            while waiting or busy:
                while waiting and idle:
                    worker = idle.pop()
                    busy[worker] = waiting.popleft()
                    worker.start_task(task, items[busy[worker]], timeout)
                for worker in _finished(busy):
                    number = busy.pop(worker)
                    result = worker.result()
                    if isinstance(result, Failure) and not worker.answered:
                        self._pool.remove(worker)
                        worker.stop()
                        worker = self._take(1, main, beside=[*idle, *busy])[0]
                    idle.append(worker)
                    if isinstance(result, BaseException):
                        raise result
                    yield number, result
        finally:
            for worker in busy:  # an error ended the map: what still runs has no reader
                self._pool.remove(worker)
                worker.stop()

    def _take(self, count: int, main: bool, beside: Sequence[_Worker] = ()) -> list[_Worker]:
        """Workers that wait for a task, ``main``: and that have run the caller's script."""
        for worker in [one for one in self._pool if main and not one.main]:
            self._pool.remove(worker)
            worker.stop()
        free = [worker for worker in self._pool if worker not in beside]
        while len(free) < count:
            worker = _Worker(main)
            self._pool.append(worker)
            free.append(worker)
        return free[:count]


def _finished(busy: dict[_Worker, int]) -> list[_Worker]:
    """Wait until a worker answers, dies or runs out of time; return those that did."""
    now = time.monotonic()
    deadlines = [worker.deadline for worker in busy if worker.deadline is not None]
    patience = max(0.0, min(deadlines) - now) if deadlines else None
    sources: dict[Any, _Worker] = {worker.pipe: worker for worker in busy}
    sources |= {worker.process.sentinel: worker for worker in busy}
    done = {sources[ready] for ready in wait(list(sources), patience)}
    now = time.monotonic()
    done |= {worker for worker in busy if worker.deadline is not None and worker.deadline <= now}
    return sorted(done, key=lambda worker: busy[worker])


class _Worker:
    """One process and the pipe to it; ``main`` says whether it runs the caller's script first.

    Python has every process do so that is not a plain fork, for what may be defined there. It costs
    half a second of each worker's start, and starts a script without `if __name__ == "__main__"`
    all over again, so only tasks that are defined there ask for it.
    """

    def __init__(self, main: bool) -> None:
        for name, value in AT_START.items():
            os.environ.setdefault(name, value)
        if _FORKS:
            _CONTEXT.set_forkserver_preload(["stackcurate.pipeline.preload"])
        self.main = main
        self.pipe, theirs = _CONTEXT.Pipe()
        about = (theirs, dict(os.environ))
        self.process = _CONTEXT.Process(target=_serve, args=about, daemon=False)
        with contextlib.nullcontext() if main else _no_script():
            self.process.start()
        theirs.close()
        self.deadline: float | None = None
        self.answered = False  # the last task; a worker that only raised an error can go on
        self._limit: float | None = None

    def start_task(self, task: Callable[[Any], Any], item: Any, timeout: float | None) -> None:
        self._limit = timeout
        self.answered = False
        self.deadline = None if timeout is None else time.monotonic() + timeout
        with contextlib.suppress(BrokenPipeError, ConnectionError):  # result() says that it died
            self.pipe.send((task, item))

    def result(self) -> Any:
        """What the task returned or raised, or a Failure when the worker died or is overdue."""
        try:
            if self.pipe.poll():
                result = self.pipe.recv()
                self.answered = True
                return result
        except (EOFError, ConnectionError):
            pass
        self.process.join(0.2)
        if self.process.is_alive():
            return Failure("timeout", f"ran longer than {self._limit:g} s")
        code = self.process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Failure("crashed", f"the worker process ended with {how}")

    def stop(self) -> None:
        """End the process: it has nothing to tidy up, whether it waits or works."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


@contextlib.contextmanager
def _no_script() -> Iterator[None]:
    """Within it a process that starts finds no script to run, as in an interactive session."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _serve(pipe: Connection, environment: dict[str, str]) -> None:
    """The worker's loop: one task after another until the pipe closes."""
    _die_with_parent()
    os.environ.clear()
    os.environ.update(environment)  # what it forked from started in an older one
    gc.set_threshold(_GARBAGE)
    do_without_unused()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    one_thread_each()
    while True:
        try:
            task, item = pipe.recv()
        except (EOFError, ConnectionError):
            return
        try:
            pipe.send(attempt(task, item))
        except (BrokenPipeError, ConnectionError):
            return


def _die_with_parent() -> None:
    """Ask Linux to end this process with its parent; elsewhere the closed pipe does.

    What workers fork from ends with the process that uses them.
    """
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
