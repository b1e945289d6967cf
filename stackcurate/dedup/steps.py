"""What all steps of the matching share: the plan of one run, its files, and doing a step once.

Files are known by their *number*: their place in the order of rank over all parts, 0 the best.
Numbers are cut into *slots*, stretches of about ``SLOT_ROWS``; a slot is the target to which
records about a file travel. Every step writes whole files into one folder and then a small JSON
note of its result. The note is the mark that the step is finished, so a killed run goes on. Waiting
for the disk after each of these files would take as long as the work, so nobody does: after a crash
of the system (another boot) the steps begin anew.
"""

from __future__ import annotations

import functools
import json
import os
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stackcurate.dedup.settings import Settings
from stackcurate.engine.base import Engine, Failure
from stackcurate.errors import StopError
from stackcurate.schema import one_chunk
from stackcurate.storage.exchange import read_exchange, write_exchange
from stackcurate.storage.partitions import boot, read_arrow, whole

# What one task takes at once, at settings.memory_mb of 1024; more or less memory scales them all.
SLOT_ROWS = 1 << 18  # 67 MB of sketches a slot at 256 permutations
DIGESTS = 1 << 22  # (digest, number) records of one target: 150 MB
BAND_RECORDS = 1 << 23  # (key, number) records of one target: 100 MB, some three times that sorted
BUNDLE_BYTES = 1 << 25  # records of small parts that are one bundle: some 60,000 files
CHUNK_ROWS = 1 << 16  # files whose band records are written in one go: 33 MB
GROUP_SHINGLES = 1 << 21  # better files of one verification task: 16 MB of hashes
CHUNK_SHINGLES = 1 << 22  # texts read at once: about 40 MB of ordinary code
SYNCED = not boot()  # where boots have no names, every file of a step waits for the disk
MOST_FILES = (1 << 32) - 2  # numbers travel as uint32
FEW_BUNDLES = 64  # an input that would be fewer is bundled less, so that workers share it


@dataclass(frozen=True)
class Part:
    """One partition's records: an Arrow file, one row per file that takes part.

    Columns ``row`` int32 (unique in the part), ``group`` string (near-duplicates are sought within
    it), ``rank`` fixed-size binary (smaller is better; unique over all parts), ``text_sha256``
    binary(32), ``shingles`` int32 and ``signature`` as ``near.signatures`` gives them.

    ``earlier`` files stay whatever they are like, and rank before all others: by their place, of
    which ``first`` is that of row 0. They need no ``rank``; those of all others must not begin with
    a zero byte then.
    """

    number: int
    path: Path
    earlier: bool = False
    first: int = 0


@dataclass(frozen=True)
class Bundle:
    """Parts that the steps handle as one: each would cost a task and a file in every step.

    In the steps ``row`` is unique in a bundle: ``firsts`` is what is added to the rows of each part
    (known once the parts were looked at).
    """

    parts: tuple[Part, ...]
    firsts: tuple[int, ...] = ()

    @property
    def earlier(self) -> bool:
        return self.parts[0].earlier

    def read(self, columns: list[str]) -> pa.Table:
        """These columns of all parts; ``row`` as it is in the bundle."""
        tables = []
        for part, first in zip(self.parts, self.firsts, strict=True):
            table = read_arrow(part.path, columns)
            if first:
                row = pa.array(numpy(table, "row") + np.int32(first))
                table = table.set_column(columns.index("row"), "row", row)
            tables.append(table)
        return pa.concat_tables(tables)

    def split(self, rows: np.ndarray) -> Iterable[tuple[Part, slice, np.ndarray]]:
        """For ascending ``rows``: (part, which of them, its own rows)."""
        edges = np.append(np.searchsorted(rows, np.array(self.firsts)), len(rows)).tolist()
        for number, (part, first) in enumerate(zip(self.parts, self.firsts, strict=True)):
            which = slice(edges[number], edges[number + 1])
            yield part, which, rows[which] - np.int32(first)


Texts = Callable[[int, np.ndarray], pa.Array]
"""(part number, row numbers ascending) -> their texts in that order; picklable."""


@dataclass(frozen=True)
class Plan:
    """What a task must know. ``starts`` are the slots' first numbers and the number of files.

    It travels to workers as the name of a file, which each reads once: tens of thousands of parts
    take longer to send than most tasks take.
    """

    folder: Path
    settings: Settings
    bundles: tuple[Bundle, ...]
    rows: tuple[int, ...] = ()  # files per bundle
    starts: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        path = self._note()
        if not path.exists():
            raise ValueError("write the plan before it is sent")
        return read_plan, (str(path),)

    def write(self) -> None:
        """Write the plan where the workers read it."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        with whole(self._note(), SYNCED) as part:
            part.write_bytes(pickle.dumps(held))

    def _note(self) -> Path:
        filled = bool(self.rows) + bool(self.starts)  # each stage of the plan has its file
        return self.folder / f"plan-{filled}.pickle"

    @property
    def files(self) -> int:
        return sum(self.rows)

    @property
    def earlier(self) -> int:
        """How many files stay whatever they are like: the first numbers."""
        pairs = zip(self.bundles, self.rows, strict=True)
        return sum(rows for bundle, rows in pairs if bundle.earlier)

    @property
    def slots(self) -> int:
        return max(1, -(-self.files // self.sized(SLOT_ROWS)))

    @property
    def digest_targets(self) -> int:
        return max(1, -(-self.files // self.sized(DIGESTS)))

    @property
    def band_targets(self) -> int:
        records = self.files * self.settings.bands
        few = min(8, records >> 18)  # so that workers share even a small input
        return max(1, few, -(-records // self.sized(BAND_RECORDS)))

    def sized(self, amount: int) -> int:
        """An amount that a task takes at once, as ``settings.memory_mb`` allows."""
        return max(1, amount * self.settings.memory_mb // 1024)

    def chunks(self, bundle: int) -> list[tuple[int, int]]:
        """The row ranges in which a bundle's records are written."""
        rows, step = self.rows[bundle], self.sized(CHUNK_ROWS)
        return [(at, min(at + step, rows)) for at in range(0, rows, step)]

    def path(self, name: str, *numbers: int) -> Path:
        return self.folder / ("-".join([name, *map(str, numbers)]) + ".bin")

    def paths(self, name: str, count: int) -> list[Path]:
        return [self.path(name, number) for number in range(count)]

    def homes(self, address: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(part number, row in the part) of each (bundle, row in the bundle)."""
        firsts = np.array(
            [(at, first) for at, bundle in enumerate(self.bundles) for first in bundle.firsts],
            np.int64,
        ).reshape(-1, 2)
        numbers = np.array([part.number for b in self.bundles for part in b.parts], np.int32)
        place = address[:, 0].astype(np.int64) << 32 | address[:, 1]
        at = np.searchsorted(firsts[:, 0] << 32 | firsts[:, 1], place, side="right") - 1
        return numbers[at], (address[:, 1] - firsts[at, 1]).astype(np.int32)

    def slot_of(self, numbers: np.ndarray) -> np.ndarray:
        """The slot of each number."""
        return np.searchsorted(np.array(self.starts[1:-1]), numbers, side="right")


def read_plan(path: str) -> Plan:
    """The plan that was written to ``path``."""
    return _read_plan(path, os.stat(path).st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _read_plan(path: str, time: int) -> Plan:
    held: dict[str, Any] = pickle.loads(Path(path).read_bytes())
    return Plan(**held)


def bundled(parts: Sequence[Part], settings: Settings) -> tuple[Bundle, ...]:
    """Neighbors among the parts in bundles, by the size of their records; no result depends on it.

    Parts of earlier files are in bundles of their own.
    """
    sizes = [part.path.stat().st_size for part in parts]
    most = min(BUNDLE_BYTES * settings.memory_mb // 1024, sum(sizes) // FEW_BUNDLES)
    bundles: list[list[Part]] = []
    held = 0
    for part, size in zip(parts, sizes, strict=True):
        if bundles and bundles[-1][0].earlier == part.earlier and held + size <= most:
            bundles[-1].append(part)
            held += size
        else:
            bundles.append([part])
            held = size
    return tuple(Bundle(tuple(some)) for some in bundles)


def run(engine: Engine, plan: Plan, name: str, task: Callable[[int], Any], count: int) -> list[Any]:
    """Do ``task(0)`` to ``task(count - 1)`` unless their notes are there; returns their results."""
    notes = [plan.folder / f"{name}-{number}.json" for number in range(count)]
    left = [number for number, note in enumerate(notes) if not note.exists()]
    for at, result in engine.map(Noted(plan.folder, name, task), left):
        if isinstance(result, Failure):
            raise StopError(
                f"dedup: step {name}-{left[at]} {result.reason} ({result.message}); nothing was "
                "decided. Start again with fewer workers or more memory: it goes on where it was"
            )
    return [json.loads(note.read_text()) for note in notes]


@dataclass(frozen=True)
class Noted:
    """A task whose result is noted when all its files are written."""

    folder: Path
    name: str
    task: Callable[[int], Any]

    def __call__(self, number: int) -> None:
        result = json.dumps(self.task(number))
        with whole(self.folder / f"{self.name}-{number}.json", SYNCED) as part:
            part.write_text(result)


def save(path: Path, values: np.ndarray) -> None:
    """Write an array whole; ``load`` maps it."""
    with whole(path, SYNCED) as part, open(part, "wb") as out:
        np.save(out, values)


def send(
    path: Path,
    table: pa.Table,
    target: np.ndarray,
    targets: int,
    compress: bool = True,
    **more: int,
) -> None:
    """``write_exchange`` for a step's file."""
    write_exchange(path, table, target, targets, compress=compress, synced=SYNCED, **more)


def load(path: Path) -> np.ndarray:
    """Map a saved array into memory, read-only."""
    return np.load(str(path), mmap_mode="r")  # a Path would be resolved, link by link


def live_path(plan: Plan, number: int) -> Path:
    """Where the bitmap of the files that are kept before round ``number`` lies."""
    return plan.path("live", number)


def read_live(plan: Plan, number: int) -> np.ndarray:
    """The bitmap of the files that are kept before round ``number``: one bit per file."""
    return np.asarray(load(live_path(plan, number)))


def numpy(table: pa.Table, name: str) -> np.ndarray:
    """A column of numbers without nulls as one array."""
    return one_chunk(table, name).to_numpy(zero_copy_only=False)


def received(paths: Sequence[Path], target: int, *names: str) -> list[np.ndarray]:
    """The named columns of everything sent to ``target``."""
    table = read_exchange(paths, target)
    return [numpy(table, name) for name in names]


def fixed(table: pa.Table, name: str, dtype: str | np.dtype) -> np.ndarray:
    """A fixed-size binary column as rows of ``dtype``; what lies under nulls is kept."""
    column = one_chunk(table, name)
    width = column.type.byte_width
    data = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    data = data[column.offset * width : (column.offset + len(column)) * width]
    return data.view(dtype) if len(data) else np.zeros(0, dtype)


def by_slot(plan: Plan, numbers: np.ndarray) -> Iterable[tuple[int, slice, np.ndarray]]:
    """For ascending ``numbers``: (slot, which of them, their places in the slot)."""
    edges = np.searchsorted(numbers, np.array(plan.starts))
    for slot in range(plan.slots):
        if edges[slot] < edges[slot + 1]:
            which = slice(int(edges[slot]), int(edges[slot + 1]))
            yield slot, which, numbers[which].astype(np.int64) - plan.starts[slot]


def gather(plan: Plan, name: str, numbers: np.ndarray) -> np.ndarray:
    """What the slots' saved arrays ``name`` hold for ascending ``numbers`` (one or more)."""
    pieces = [load(plan.path(name, slot))[at] for slot, _, at in by_slot(plan, numbers)]
    return np.concatenate(pieces)
