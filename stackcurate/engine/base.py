"""The engine's one verb: map a picklable task over items, and say what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """A task that killed its worker (``crashed``) or ran past its limit (``timeout``)."""

    reason: str
    message: str


class Engine(Protocol):
    """Runs ``task(item)`` for every item, in any order, on any number of workers.

    Yields (item number, result) as items finish; a result is what the task returned, or a Failure.
    An exception that a task raises ends the map and is raised here. Tasks and items are picklable;
    results are small: tables travel through files. With ``retry``, a task fails only when it fails
    again with no other beside it.
    """

    workers: int

    def map(
        self,
        task: Callable[[T], Any],
        items: Sequence[T],
        timeout: float | None = None,
        retry: bool = True,
    ) -> Iterator[tuple[int, Any]]: ...


def with_retries(
    run: Callable[[Sequence[int], int], Iterator[tuple[int, Any]]],
    count: int,
    workers: int,
    retry: bool,
) -> Iterator[tuple[int, Any]]:
    """Results of ``count`` items from ``run(item numbers, workers)``.

    With ``retry``, what failed runs once more, alone: memory that others took may have been the
    reason.
    """
    suspects: list[int] = []
    for number, result in run(range(count), workers):
        if retry and isinstance(result, Failure):
            suspects.append(number)
        else:
            yield number, result
    for number in sorted(suspects):
        yield from run([number], 1)


@dataclass(frozen=True)
class SerialEngine:
    """Runs everything in this process, in order: for tests and debugging. No limits, no retries."""

    workers: int = 1

    def map(
        self,
        task: Callable[[T], Any],
        items: Sequence[T],
        timeout: float | None = None,
        retry: bool = True,
    ) -> Iterator[tuple[int, Any]]:
        for number, item in enumerate(items):
            yield number, task(item)
