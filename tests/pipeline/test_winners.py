"""The rows of a partition that `choose` keeps, and how they are cut into slices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stackcurate.pipeline.choose import CHOSEN, WITHDRAWN_COPIES, address
from stackcurate.pipeline.listing import LISTED, Partition
from stackcurate.pipeline.winners import (
    SLICE_BYTES,
    SLICE_ROWS,
    UNKNOWN_LENGTH,
    WinnersItem,
    WinnersTask,
    slices_of,
)
from stackcurate.schema import conform
from stackcurate.storage import partitions
from stackcurate.storage.exchange import write_exchange


class Plain:
    """A source whose files are read one by one."""


@pytest.fixture
def made(tmp_path):
    def make(lengths: list[int | None], chosen: list[dict]) -> Path:
        """Winners of partition 1, which lists files of these lengths."""
        rows = [{"root": "r", "path": f"/{n}", "length": one, "input": 0, "locator": n}
                for n, one in enumerate(lengths)]  # fmt: skip
        listing = tmp_path / "listing.arrow"
        partitions.write_arrow(listing, conform(pa.Table.from_pylist(rows), LISTED))
        nothing = {"place1": -1, "place2": -1, "place3": -1, "marks": 0, "places": 1, "classes": 0}
        table = pa.Table.from_pylist([nothing | one for one in chosen]) if chosen else None
        table = conform(table, CHOSEN) if table else CHOSEN.empty_table()
        (tmp_path / "choose").mkdir()
        home = np.full(table.num_rows, 1)
        write_exchange(tmp_path / "choose" / "chosen.arrow", table, home, 2)
        index = tmp_path / "book.json"
        partitions.write_json(index, {"inputs": [[0, ["c", 1, ""]]], "listings": []})
        part = Partition(1, listing, tmp_path / "heads.arrow", "p/1")
        out = tmp_path / "out"
        WinnersTask((Plain(),))(WinnersItem(part, (tmp_path / "choose",), index, out))
        return out

    return make


def at(row: int, partition: int = 1) -> int:
    return int(address(partition, np.array([row]))[0])


def rows_of(folder: Path) -> list[int]:
    return partitions.read_arrow(folder / "winners.arrow")["row"].to_pylist()


def test_only_contents_whose_best_place_is_here_are_rows_of_it(made) -> None:
    out = made([1, 1, 1, 1], [{"place0": at(3)}, {"place0": at(0)}, {"place0": at(2, 0)}])
    assert rows_of(out) == [0, 3]
    assert slices_of(out) == [(0, 2)]


def test_a_content_withdrawn_with_all_copies_has_no_winner(made) -> None:
    out = made([1, 1], [{"place0": at(0), "marks": WITHDRAWN_COPIES}, {"place0": at(1)}])
    assert rows_of(out) == [1]


def test_nothing_chosen_is_no_slice(made) -> None:
    out = made([1], [])
    assert rows_of(out) == [] and slices_of(out) == []


def test_lengths_that_are_absent_or_lies_cut_without_overflow(made) -> None:
    lengths = [None, 0, -5, SLICE_BYTES, 2**62, 2**62, 10]
    out = made(lengths, [{"place0": at(n)} for n in range(len(lengths))])
    cuts = slices_of(out)
    assert [n for begin, end in cuts for n in range(begin, end)] == list(range(len(lengths)))
    assert [4, 5] in [list(cut) for cut in cuts] and [5, 6] in [list(cut) for cut in cuts]
    assert UNKNOWN_LENGTH < SLICE_BYTES


def test_many_empty_files_are_cut_by_their_number(made) -> None:
    count = 2 * SLICE_ROWS + 10
    out = made([0] * count, [{"place0": at(n)} for n in range(count)])
    sizes = [end - begin for begin, end in slices_of(out)]
    assert sum(sizes) == count and len(sizes) == 2 and max(sizes) < 1.001 * SLICE_ROWS
