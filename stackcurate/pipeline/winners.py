"""Chosen rows into slices: what one pass over the bytes takes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.pipeline import spill
from stackcurate.pipeline.choose import PLACES, WITHDRAWN_COPIES, read_chosen
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.storage import partitions

# Archived bytes of one slice. A worker holds them about six times over (bytes, text, redacted text,
# sorted text, shingles, signatures): some 400 MB.
SLICE_BYTES = 48 * 1024 * 1024
SLICE_ROWS = 40_000
UNKNOWN_LENGTH = 64 * 1024  # what a file counts as where the source does not know its length

WINNERS = pa.schema(
    [
        ("row", pa.int32()),
        ("places", pa.int64()),
        ("classes", pa.int64()),
        ("oldest", pa.int64()),
        ("oldest_allowed", pa.int64()),
        ("oldest_refused", pa.int64()),
        *((f"place{n}", pa.int64()) for n in range(1, PLACES)),
    ]
)


@dataclass(frozen=True)
class WinnersItem:
    """One partition and the folding tasks that decided about it."""

    partition: Partition
    chosen: tuple[Path, ...]
    out: Path


def winners_task(item: WinnersItem) -> tuple[int, int]:
    """Write the rows of a partition that `choose` keeps, in order, and where to cut them."""
    number = item.partition.number
    chosen = read_chosen(item.chosen, number)
    copies = chosen["marks"].to_numpy() & WITHDRAWN_COPIES
    mine = (chosen["place0"].to_numpy() >> 32 == number) & (copies == 0)
    chosen = chosen.filter(pa.array(mine))
    rows = chosen["place0"].to_numpy() & 0xFFFFFFFF
    table = chosen.append_column("row", pa.array(rows.astype(np.int32)))
    table = table.select(WINNERS.names).sort_by("row")
    lengths = partitions.read_arrow(item.partition.path, ["length"])["length"].take(table["row"])
    sizes = pc.fill_null(lengths, UNKNOWN_LENGTH).to_numpy()
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "winners.arrow", table)
        # Rows cost time too: a slice of a million empty files is still cut.
        weights = np.maximum(sizes, SLICE_BYTES // SLICE_ROWS)
        cuts = list(spill.cuts(np.cumsum(weights), SLICE_BYTES))
        meta = {"slices": cuts, "files": table.num_rows, "bytes": int(sizes.sum())}
        partitions.write_json(part / "meta.json", meta)
    return table.num_rows, int(sizes.sum())


def find_winners(run: Run, found: Sequence[Partition], chosen: Sequence[Path]) -> list[Path]:
    """Make the winners of every partition."""
    names = [folder.name for folder in chosen]
    items = [
        WinnersItem(one, tuple(chosen), run.place("winners", names, one.name, one.number))
        for one in found
    ]
    return run.do("winners", winners_task, items)


def slices_of(folder: Path) -> list[tuple[int, int]]:
    """Where the winners of a partition are cut."""
    return [(begin, end) for begin, end in meta_of(folder)["slices"]]
