"""What every source gives the pipeline: containers, heads, listed files, and bytes on demand.

A *container* is a thing that can be read by itself: a git repository, an archive, a Parquet file, a
graph export. The pipeline asks three questions, each as a task of its own:

1. ``heads``: which origins, branches, revisions and roots does a container hold?
2. ``files``: which files do these roots hold (no bytes leave)?
3. ``read``: the bytes of these files.

Nothing here decides what is kept. What cannot be read is a ``Problem`` with a short reason, and the
rest of the container goes on; an ``InputError`` sets the whole container aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import pyarrow as pa

from stackcurate.errors import Problem

__all__ = ["GROUP", "Container", "Grouped", "Heads", "Problem", "Source"]


@dataclass(frozen=True)
class Container:
    """One readable unit of a source.

    ``key`` is its stable name within the source (a relative path, with "/"), never an absolute
    path: it may enter a release. ``size`` is bytes on disk. ``stamp`` changes when the container
    does (sizes, modification times, refs): it names tasks and never enters a release.
    """

    key: str
    size: int
    stamp: str


@dataclass(frozen=True)
class Heads:
    """The answer to the first question.

    ``heads`` has schema HEAD, ``revisions`` schema REVISION; ``digest`` (hex) identifies the
    container's state for the input lock: same digest, same files.
    """

    heads: pa.Table
    revisions: pa.Table
    digest: str
    problems: list[Problem] = field(default_factory=list)


class Source(Protocol):
    """A frozen, picklable dataclass whose fields are its options in the YAML."""

    kind: ClassVar[str]

    def containers(self) -> list[Container]:
        """All containers, sorted by key. Cheap: names and sizes only."""
        ...

    def heads(self, container: Container, scratch: Path) -> Heads:
        """Origins and revisions of one container. ``scratch`` is an empty folder of the task."""
        ...

    def files(
        self, container: Container, roots: Sequence[str], scratch: Path
    ) -> Iterator[pa.RecordBatch]:
        """The files of ``roots`` in this container as LISTING batches of at most 65,536 rows.

        Every entry is listed; what is not a regular file carries its verdict: ``source:symlink``,
        ``source:submodule``, ``source:skipped``, ``source:special``, ``source:unsafe_path``,
        ``source:unsafe_link``, ``source:bomb``, ``source:unreadable``.
        """
        ...

    def read(
        self, container: Container, wanted: pa.Table, limit: int
    ) -> Iterator[tuple[int, bytes | memoryview | Problem]]:
        """The bytes of the LISTING rows ``wanted`` (not empty), as (row number, bytes), any order.

        Of a symbolic link they are its target, as in git. A view keeps all of the memory that it
        looks into; copy what stays.

        A row that cannot be had comes as a Problem with reason ``missing``, ``corrupt`` or, where
        it is longer than ``limit`` bytes, ``too_large``. Ids are checked by the caller.
        """
        ...


# ``first`` locator of a group of files, ascending, and the mean bytes of one of them, as estimated.
GROUP = pa.schema([("first", pa.int64()), ("mean", pa.int64())])


@runtime_checkable
class Grouped(Protocol):
    """A source whose files lie in groups of which each is read from its start."""

    def groups(self, container: Container) -> pa.Table:
        """The groups of a container, schema GROUP; none where it cannot be opened. Cheap."""
        ...
