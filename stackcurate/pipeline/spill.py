"""The one spill: redacted text on local disk between its scan and its release.

Rows lie in the order in which a release wants them, in small batches, so that a reader of any range
takes in little more than that range. Batches are lz4 where the disk is the narrow place, and plain
where it is wide: packing costs a sixth of a run. A spill that is large beside the memory passes it
(see ``storage.passing``). No byte of a release depends on either.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.storage.passing import is_bulk, write_behind

_SCHEMA = pa.schema([("content", pa.large_string())])
BATCH_BYTES = 1 << 20


# Plain text is for disks that hold this many times of it, and that few workers write to: a core
# makes some 70 MB/s of text, and a usual disk takes 500.
WIDE_TIMES, WIDE_WORKERS = 4, 8


@dataclass(frozen=True)
class Way:
    """How a spill takes its way over the disk."""

    packed: bool = True  # lz4
    passing: bool = False  # the memory of the system is too small to hold it


def way_of(folder: Path, size: int, workers: int) -> Way:
    """The way of ``size`` bytes of text over the disk of ``folder``."""
    free = shutil.disk_usage(folder).free
    wide = workers <= WIDE_WORKERS and free > WIDE_TIMES * size
    return Way(packed=not wide, passing=is_bulk(size))


def write_spill(path: Path, contents: pa.LargeStringArray, order: np.ndarray, way: Way) -> None:
    """Write texts, row ``order[i]`` as row i, in batches of about BATCH_BYTES.

    A longer text is a batch of its own.
    """
    ends = np.cumsum(text_lengths(contents)[order])
    options = pa.ipc.IpcWriteOptions(compression="lz4" if way.packed else None)
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, _SCHEMA, options=options) as writer,
    ):
        for begin, end in cuts(ends, BATCH_BYTES):
            rows = contents.take(pa.array(order[begin:end]))
            writer.write_batch(pa.record_batch([rows], schema=_SCHEMA))
    written = [end for _, end in cuts(ends, BATCH_BYTES)]
    np.save(path.with_suffix(".npy"), np.array(written, np.int64))
    if way.passing:
        write_behind(path)


def cuts(ends: np.ndarray, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows of about ``size`` bytes, at least one row; ``ends`` are running totals."""
    begin = 0
    while begin < len(ends):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + size, side="right")))
        yield begin, end
        begin = end


def text_lengths(contents: pa.LargeStringArray) -> np.ndarray:
    """UTF-8 bytes per row, int64."""
    return np.diff(offsets(contents))


def offsets(contents: pa.LargeStringArray) -> np.ndarray:
    """The offsets of a large string array's rows in its data, int64, one more than rows."""
    buffer = contents.buffers()[1]
    if buffer is None or not len(contents):
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, np.int64)[contents.offset : contents.offset + len(contents) + 1]


class Batches:
    """Reads rows of an Arrow file by number; holds the last batch it inflated.

    ``ends`` is the running total of rows after each batch. The file is mapped, or read in pieces of
    its own: pages that are mapped cannot be given back.
    """

    def __init__(self, path: Path, ends: np.ndarray, mapped: bool = True) -> None:
        self.path = path
        self._reader = pa.ipc.open_file((pa.memory_map if mapped else pa.OSFile)(str(path)))
        self._ends = ends
        self._held: tuple[int, pa.RecordBatch] | None = None

    def read(self, rows: np.ndarray) -> pa.Table:
        """The rows of ``rows`` (ascending), in that order."""
        batch_of = np.searchsorted(self._ends, rows, side="right")
        pieces = []
        for batch in np.unique(batch_of).tolist():
            first = int(self._ends[batch - 1]) if batch else 0
            inside = rows[batch_of == batch] - first
            held = self._batch(batch)
            if inside[-1] - inside[0] + 1 == len(inside):  # a run needs no copy
                pieces.append(held.slice(int(inside[0]), len(inside)))
            else:
                pieces.append(held.take(pa.array(inside, pa.int64())))
        return pa.Table.from_batches(pieces, self._reader.schema)

    def _batch(self, number: int) -> pa.RecordBatch:
        if self._held is None or self._held[0] != number:
            self._held = (number, self._reader.get_batch(number))
        return self._held[1]


def open_spill(path: Path, mapped: bool = True) -> Batches:
    """A reader of the spilled texts at ``path``; its one column is ``content``."""
    return Batches(path, np.load(path.with_suffix(".npy")), mapped)
