"""The address book of a run: where inputs and listings lie, for tasks that look elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from stackcurate.pipeline.inputs import Input
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.sources.base import Container
from stackcurate.storage import partitions


@dataclass(frozen=True)
class AddressBook:
    """Inputs as (position of the source, container), and listings by number of partition."""

    inputs: tuple[tuple[int, Container], ...]
    listings: tuple[Path, ...]


def write_address_book(run: Run, inputs: Sequence[Input], found: Sequence[Partition]) -> Path:
    """Write the book where its contents name it."""
    book = {
        "inputs": [
            [one.source, [one.container.key, one.container.size, one.container.stamp]]
            for one in inputs
        ],
        "listings": [str(one.path) for one in found],
    }
    path = run.place("addresses", book).with_suffix(".json")
    if not path.exists():
        partitions.write_json(path, book)
    return path


@lru_cache(maxsize=1)
def address_book(path: Path) -> AddressBook:
    """Read the book that `write_address_book` wrote."""
    book: dict[str, Any] = json.loads(path.read_text())
    inputs = tuple((source, Container(*container)) for source, container in book["inputs"])
    return AddressBook(inputs, tuple(Path(listing) for listing in book["listings"]))
