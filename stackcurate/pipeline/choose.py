"""One place per content: an associative fold per ``content_id`` over all files of the run.

A *record* stands for all places of a content seen so far: the rank of the best one, its address and
up to three more, how many places there are, which license classes they have, the oldest date, and
whether somebody withdrew it. Folding records gives records, so each partition folds its own first
and the empty blob with a hundred million places costs one record per partition.

Rank, smallest first: not dropped; license allowed before open; not vendored; recognized name; more
stars; more forks; older commit; origin; path. It ends in the file's own name, so it is total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.kernels.places import PLACES, merge_places
from stackcurate.licenses.places import NO_PLACE
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import ID, key_of
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange, write_exchange

# Bits of `marks`: what any place of a content carries.
WITHDRAWN, WITHDRAWN_COPIES = 1, 2

RECORD = pa.schema(
    [
        ("content_id", ID),
        ("rank", pa.binary()),  # first byte 0 where a place is alive, else all are dropped
        *((f"place{n}", pa.int64()) for n in range(PLACES)),  # address, -1 for none; best first
        ("places", pa.int64()),
        ("classes", pa.int64()),  # one bit per license class, see decide.CLASSES
        ("oldest", pa.int64()),  # nanoseconds; the greatest int64 where no place has a date
        ("oldest_allowed", pa.int64()),  # of places whose license is allowed; see NO_PLACE
        ("oldest_refused", pa.int64()),  # of places with a license that is stated and refused
        ("refused_at", pa.int64()),  # address of that place; NO_PLACE where nobody may look there
        ("marks", pa.int8()),
    ]
)

# What returns to a partition about each content it holds alive.
CHOSEN = pa.schema(
    [
        ("content_id", ID),
        *((f"place{n}", pa.int64()) for n in range(PLACES)),
        ("kept_row_key", pa.string()),
        ("places", pa.int64()),
        ("classes", pa.int64()),
        ("oldest", pa.int64()),
        ("oldest_allowed", pa.int64()),
        ("oldest_refused", pa.int64()),
        ("refused_at", pa.int64()),
        ("marks", pa.int8()),
    ]
)

# About 200 bytes a record: a target of this many is folded within 1 GB. Fewer are cut into up to
# eight targets that are worth a task, so that workers can share them out.
TARGET_RECORDS, WORTH_A_TARGET = 2_000_000, 100_000
NO_DATE = np.iinfo(np.int64).max


def address(partition: int, row: np.ndarray) -> np.ndarray:
    """The address of listed rows: partition in the upper, row in the lower 32 bits."""
    return (np.int64(partition) << 32) | row.astype(np.int64)


def fold(records: pa.Table) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Fold records with equal content_id.

    Returns (records sorted by content_id, one each; the order in which the input was sorted; the
    bounds of the groups in that order).
    """
    if not records.num_rows:
        return RECORD.empty_table(), np.zeros(0, np.int64), np.zeros(1, np.int64)
    keys = [("content_id", "ascending"), ("rank", "ascending")]
    order = pc.sort_indices(records, sort_keys=keys)
    records = records.take(order).combine_chunks()
    ids = np.frombuffer(_values(records["content_id"]), np.uint8).reshape(-1, ID.byte_width)
    new = np.ones(len(ids), bool)
    new[1:] = (ids[1:] != ids[:-1]).any(axis=1)
    begins = np.flatnonzero(new)
    starts = np.append(begins, len(ids)).astype(np.int64)
    places = np.stack([records[f"place{n}"].to_numpy() for n in range(PLACES)], axis=1)
    merged = merge_places(starts, np.ascontiguousarray(places))
    first = records.select(["content_id", "rank"]).take(pa.array(begins))
    sums = {
        "places": np.add.reduceat(records["places"].to_numpy(), begins),
        "classes": np.bitwise_or.reduceat(records["classes"].to_numpy(), begins),
        **{
            name: np.minimum.reduceat(records[name].to_numpy(), begins)
            for name in ("oldest", "oldest_allowed", "oldest_refused")
        },
        "refused_at": _at_oldest(records, starts),
        "marks": np.bitwise_or.reduceat(records["marks"].to_numpy(), begins),
    }
    columns = [first["content_id"], first["rank"], *(pa.array(column) for column in merged.T)]
    folded = pa.Table.from_arrays([*columns, *map(pa.array, sums.values())], schema=RECORD)
    return folded, order.to_numpy(), starts


def _at_oldest(records: pa.Table, starts: np.ndarray) -> np.ndarray:
    """Per group the least address of those of its records that have its ``oldest_refused``."""
    dates, begins = records["oldest_refused"].to_numpy(), starts[:-1]
    oldest = np.repeat(np.minimum.reduceat(dates, begins), np.diff(starts))
    places = np.where(dates == oldest, records["refused_at"].to_numpy(), NO_PLACE)
    found: np.ndarray = np.minimum.reduceat(places, begins)
    return found


def write_records(path: Path, records: pa.Table, targets: int) -> None:
    """Fold the records of one partition and write them for the folding tasks."""
    folded, _, _ = fold(records)
    write_exchange(path, folded, target_of(folded["content_id"], targets), targets)


def target_of(content_ids: pa.ChunkedArray, targets: int) -> np.ndarray:
    """Which folding task a content goes to: by its first 32 bits, which SHA-1 spreads evenly."""
    ids = np.frombuffer(_values(content_ids), np.uint8).reshape(-1, ID.byte_width)
    head = np.ascontiguousarray(ids[:, :4]).view(">u4").ravel().astype(np.uint64)
    return (head * np.uint64(targets) >> np.uint64(32)).astype(np.int64)


@dataclass(frozen=True)
class ChooseItem:
    """One folding task: everything about the contents that fall to ``target``."""

    target: int
    partitions: int
    records: tuple[Path, ...]
    out: Path


def choose_task(item: ChooseItem) -> tuple[int, int]:
    """Fold the records of one target and tell each partition what became of its contents."""
    with partitions.whole_folder(item.out) as part:
        records = read_exchange(item.records, item.target)
        folded, order, starts = fold(records)
        group = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        ranks = records["rank"].take(pa.array(order))
        home = records["place0"].to_numpy()[order] >> 32
        alive = (home >= 0) & (_first_bytes(ranks) == 0)
        group, home = group[alive], home[alive]
        keys = _row_keys(folded["rank"])
        chosen = folded.append_column("kept_row_key", keys).select(CHOSEN.names)
        back = chosen.take(pa.array(group)).cast(CHOSEN)
        write_exchange(part / "chosen.arrow", back, home, item.partitions)
        partitions.write_arrow(part / "contents.arrow", folded)
    return records.num_rows, 0


def choose(run: Run, decided: Sequence[Path], targets: int) -> list[Path]:
    """Fold everything; returns the folders of the folding tasks, none where nothing is listed."""
    if not decided:
        return []
    records = tuple(folder / "records.arrow" for folder in decided)
    names = [folder.name for folder in decided]
    items = [
        ChooseItem(target, len(decided), records, run.place("choose", names, target, targets))
        for target in range(targets)
    ]
    return run.do("choose", choose_task, items)


def targets_for(rows: int) -> int:
    """How many folding tasks: depends on the rows alone, so any machine makes the same."""
    return max(1, -(-rows // TARGET_RECORDS), min(8, rows // WORTH_A_TARGET))


def read_chosen(folders: Sequence[Path], partition: int) -> pa.Table:
    """What the folding tasks decided about the contents of one partition (schema CHOSEN)."""
    return read_exchange([folder / "chosen.arrow" for folder in folders], partition)


def rank(
    gone: np.ndarray,
    is_open: np.ndarray,
    vendored: np.ndarray,
    unnamed: np.ndarray,
    stars: np.ndarray,
    forks: np.ndarray,
    date: np.ndarray,
    origin: pa.Array,
    path: pa.Array,
) -> pa.Array:
    """The rank of each row as bytes whose order is the rank's order (see the module's head).

    ``gone`` is 0 for places that are alive, 1 for dropped ones, 2 for withdrawn ones, which have no
    address: so the best place that has one comes first, in whatever order records are folded.
    The next three are boolean, stars and forks int64 (absent as -1), date nanoseconds (absent as
    NO_DATE); ``path`` is binary. Ends in origin, NUL, path.
    """
    fixed = np.zeros(
        len(gone),
        dtype=[("flags", "u1", 4), ("stars", ">u8"), ("forks", ">u8"), ("date", ">u8")],
    )
    for number, flag in enumerate((gone, is_open, vendored, unnamed)):
        fixed["flags"][:, number] = flag
    top = np.uint64(1 << 63)
    fixed["stars"] = top - np.minimum(stars + 1, NO_DATE).astype(np.uint64)
    fixed["forks"] = top - np.minimum(forks + 1, NO_DATE).astype(np.uint64)
    fixed["date"] = (date.astype(np.int64).view(np.uint64)) ^ top  # order of signed numbers
    width = fixed.dtype.itemsize
    head = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(fixed), [None, pa.py_buffer(fixed.tobytes())]
    ).cast(pa.binary())
    tail = pc.binary_join_element_wise(origin.cast(pa.binary()), path, pa.scalar(b"\0"))
    return pc.binary_join_element_wise(head, tail, pa.scalar(b""))


_RANK_HEAD = 28  # bytes of a rank before the origin


def _row_keys(ranks: pa.ChunkedArray) -> pa.Array:
    keys = [key_of(value[_RANK_HEAD:]) for value in ranks.to_pylist()]
    return pa.array(keys, pa.string())


def _first_bytes(column: pa.ChunkedArray) -> np.ndarray:
    head = pc.binary_slice(column, 0, 1).cast(pa.binary(1))
    return np.frombuffer(_values(head), np.uint8)


def _values(column: pa.ChunkedArray | pa.Array) -> memoryview:
    """The bytes of a fixed-size binary column without nulls."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    width = array.type.byte_width
    data = array.buffers()[1]
    if data is None:
        return memoryview(b"")
    return memoryview(data)[array.offset * width : (array.offset + len(array)) * width]
