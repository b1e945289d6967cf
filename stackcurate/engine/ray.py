"""The engine for a cluster: the same tasks as Ray tasks, the same files between them.

Nothing travels through Ray but tasks, items and short answers; tables stay in the run folder. So
every machine must see the run folder, the sources and the releases under the same paths (a shared
file system), and have the same stackcurate installed.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from stackcurate.engine.attempt import attempt, one_thread_each
from stackcurate.engine.base import Failure, with_retries
from stackcurate.engine.local import AT_START
from stackcurate.engine.unused import do_without_unused
from stackcurate.errors import ConfigError

try:
    import ray
except ModuleNotFoundError:
    raise ConfigError("Ray is not installed: pip install 'stackcurate[ray]'") from None

T = TypeVar("T")
# What says that a worker or its machine died, not that a task raised: tasks answer their errors.
_DIED = (ray.exceptions.RayError,)


class RayEngine:
    """At most ``workers`` tasks at a time; use it as a context manager.

    Joins the cluster that RAY_ADDRESS names, or starts one on this machine.
    """

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)

    def __enter__(self) -> RayEngine:
        ray.init(
            include_dashboard=False,
            log_to_driver=False,
            runtime_env={"env_vars": AT_START},
            **({} if _joins() else {"num_cpus": self.workers}),
        )
        self._work = ray.remote(num_cpus=1, max_retries=0)(_work)
        return self

    def __exit__(self, *_: object) -> None:
        ray.shutdown()

    def map(
        self,
        task: Callable[[T], Any],
        items: Sequence[T],
        timeout: float | None = None,
        retry: bool = True,
    ) -> Iterator[tuple[int, Any]]:
        """See ``engine.base.Engine``; ``timeout`` is seconds per task with its worker's start."""
        run = partial(self._run, ray.put(task), items, timeout)
        return with_retries(run, len(items), self.workers, retry)

    def _run(
        self,
        task: Any,
        items: Sequence[Any],
        timeout: float | None,
        numbers: Sequence[int],
        workers: int,
    ) -> Iterator[tuple[int, Any]]:
        waiting = deque(numbers)
        busy: dict[Any, tuple[int, float]] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < workers:
                    number = waiting.popleft()
                    end = float("inf") if timeout is None else time.monotonic() + timeout
                    busy[self._work.remote(task, items[number])] = number, end
                patience = max(0.0, min(end for _, end in busy.values()) - time.monotonic())
                ready, _ = ray.wait([*busy], timeout=None if timeout is None else patience)
                for one in ready:
                    number, _ = busy.pop(one)
                    result = _answer(one)
                    if isinstance(result, BaseException):
                        raise result
                    yield number, result
                now = time.monotonic()
                for one in [one for one, (_, end) in busy.items() if end <= now]:
                    number, _ = busy.pop(one)
                    ray.cancel(one, force=True)
                    yield number, Failure("timeout", f"ran longer than {timeout:g} s")
        finally:
            for one in busy:  # an error ended the map: what still runs has no reader
                ray.cancel(one, force=True)


def _joins() -> bool:
    return bool(os.environ.get("RAY_ADDRESS"))


def _answer(one: Any) -> Any:
    """What the task returned or raised, or a Failure where its worker died."""
    try:
        return ray.get(one)
    except _DIED as error:
        return Failure("crashed", f"the worker ended with {type(error).__name__}")


def _work(task: Callable[[Any], Any], item: Any) -> Any:
    do_without_unused()
    one_thread_each()
    return attempt(task, item)
