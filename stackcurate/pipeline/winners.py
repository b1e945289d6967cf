"""Chosen rows into slices: what one pass over the bytes takes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.pipeline import spill
from stackcurate.pipeline.addresses import AddressBook, address_book
from stackcurate.pipeline.choose import PLACES, WITHDRAWN_COPIES, read_chosen
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.sources.base import Grouped, Source
from stackcurate.storage import partitions

# Archived bytes of one slice. A worker holds them about six times over (bytes, text, redacted text,
# sorted text, shingles, signatures): some 400 MB. What must be read whole anyway may be twice this.
SLICE_BYTES = 48 * 1024 * 1024
SLICE_ROWS = 40_000
UNKNOWN_LENGTH = 64 * 1024  # what a file counts as where the source does not know its length

WINNERS = pa.schema(
    [
        ("row", pa.int32()),
        ("row_key", pa.string()),
        ("places", pa.int64()),
        ("classes", pa.int64()),
        ("oldest", pa.int64()),
        ("oldest_allowed", pa.int64()),
        ("oldest_refused", pa.int64()),
        ("refused_at", pa.int64()),
        *((f"place{n}", pa.int64()) for n in range(1, PLACES)),
    ]
)


@dataclass(frozen=True)
class WinnersItem:
    """One partition and the folding tasks that decided about it; ``index`` is the address book."""

    partition: Partition
    chosen: tuple[Path, ...]
    index: Path
    out: Path


@dataclass(frozen=True)
class WinnersTask:
    """Write the rows of a partition that `choose` keeps, in order, and where to cut them."""

    sources: tuple[Source, ...]

    def __call__(self, item: WinnersItem) -> tuple[int, int]:
        table = _kept(item)
        columns = ["input", "locator", "length"]
        listed = partitions.read_arrow(item.partition.path, columns).take(table["row"])
        units, sizes = self._units(listed, address_book(item.index))
        with partitions.whole_folder(item.out) as part:
            partitions.write_arrow(part / "winners.arrow", table)
            # Rows cost time too: a slice of a million empty files is still cut.
            # A length may be a lie, and sums of lies overflow.
            weights = np.clip(sizes, SLICE_BYTES // SLICE_ROWS, 3 * SLICE_BYTES)
            cuts = slice_cuts(weights, units)
            meta = {"slices": cuts, "files": table.num_rows, "bytes": int(sizes.sum())}
            partitions.write_json(part / "meta.json", meta)
        return table.num_rows, int(sizes.sum())

    def _units(self, listed: pa.Table, book: AddressBook) -> tuple[np.ndarray, np.ndarray]:
        """Per row a number that neighbors share where they are read together, and its bytes."""
        sizes = listed["length"].fill_null(-1).to_numpy().copy()
        inputs, locators = listed["input"].to_numpy(), listed["locator"].to_numpy()
        units = np.arange(len(sizes))
        for number in np.unique(inputs).tolist():
            position, container = book.inputs[number]
            source = self.sources[position]
            if not isinstance(source, Grouped):
                continue
            rows = np.flatnonzero(inputs == number)
            groups = source.groups(container)
            if not groups.num_rows:
                continue
            starts = groups["first"].to_numpy()
            mine = np.maximum(np.searchsorted(starts, locators[rows], "right") - 1, 0)
            # Rows of a container lie together, so the first row of a group names it.
            units[rows] = rows[np.searchsorted(mine, mine)] if _rising(mine) else rows
            unknown = sizes[rows] < 0
            sizes[rows[unknown]] = groups["mean"].to_numpy()[mine[unknown]]
        return units, np.where(sizes < 0, UNKNOWN_LENGTH, sizes)


def _rising(values: np.ndarray) -> bool:
    return bool((values[1:] >= values[:-1]).all())


def slice_cuts(weights: np.ndarray, units: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of rows of about SLICE_BYTES by ``weights``, cut between ``units`` where they can be.

    ``units`` gives neighbors that are read together the same number: cutting them would read them
    once per slice. Only units of more than two slices are cut.
    """
    starts = np.flatnonzero(np.append(True, units[1:] != units[:-1])) if len(units) else units
    bounds = np.append(starts, len(units))
    total = np.append(0, np.cumsum(weights))
    pieces: list[int] = []
    heavy = total[bounds[1:]] - total[bounds[:-1]] > 2 * SLICE_BYTES
    for number in np.flatnonzero(heavy).tolist():
        begin, end = int(bounds[number]), int(bounds[number + 1])
        inner = spill.cuts(np.cumsum(weights[begin:end]), SLICE_BYTES)
        pieces += [begin + cut for cut, _ in inner]
    bounds = np.unique(np.append(bounds, np.array(pieces, bounds.dtype)))
    ranges = spill.cuts(total[bounds[1:]], SLICE_BYTES)
    return [(int(bounds[begin]), int(bounds[end])) for begin, end in ranges]


def _kept(item: WinnersItem) -> pa.Table:
    """The WINNERS rows of a partition."""
    number = item.partition.number
    chosen = read_chosen(item.chosen, number)
    copies = chosen["marks"].to_numpy() & WITHDRAWN_COPIES
    mine = (chosen["place0"].to_numpy() >> 32 == number) & (copies == 0)
    chosen = chosen.filter(pa.array(mine))
    rows = chosen["place0"].to_numpy() & 0xFFFFFFFF
    table = chosen.append_column("row", pa.array(rows.astype(np.int32)))
    table = table.append_column(
        "row_key", table["kept_row_key"]
    )  # the kept place is the row itself
    return table.select(WINNERS.names).sort_by("row")


def find_winners(
    run: Run, found: Sequence[Partition], chosen: Sequence[Path], book: Path
) -> list[Path]:
    """Make the winners of every partition; ``book`` is the run's address book."""
    names = [folder.name for folder in chosen]
    items = [
        WinnersItem(one, tuple(chosen), book, run.place("winners", names, one.name, one.number))
        for one in found
    ]
    return run.do("winners", WinnersTask(run.config.sources), items)


def slices_of(folder: Path) -> list[tuple[int, int]]:
    """Where the winners of a partition are cut."""
    return [(begin, end) for begin, end in meta_of(folder)["slices"]]
