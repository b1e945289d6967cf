"""Where the older places of laundered contents lie: what `why` and reviewers are told.

`choose` hands a content the address of its oldest place under a refused license, as a number. The
partitions that hold such places say what stands there, each in one task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.licenses.places import NO_PLACE
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.storage import partitions

FILE = "laundered.arrow"  # of a body
LAUNDERED = pa.schema([("row", pa.int32()), ("refused_at", pa.int64())])
STANDS = pa.schema(
    [
        ("address", pa.int64()),
        ("origin", pa.string()),
        ("path", pa.string()),
        ("license_expression", pa.string()),
    ]
)


@dataclass(frozen=True)
class OlderItem:
    """A partition, what was decided about it, and the rows that are asked for, rising."""

    partition: Partition
    decided: Path
    rows: tuple[int, ...]
    out: Path


def older_task(item: OlderItem) -> tuple[int, int]:
    """Write what stands at some rows of a partition."""
    rows = pa.array(item.rows, pa.int64())
    listed = partitions.read_arrow(item.partition.path, ["path"]).take(rows)
    columns = ["head", "license_expression"]
    decided = partitions.read_arrow(item.decided / "rows.arrow", columns).take(rows)
    heads = partitions.read_arrow(item.partition.heads, ["origin"]).take(decided["head"])
    address = (np.int64(item.partition.number) << 32) + np.array(item.rows, np.int64)
    found = [pa.array(address), heads["origin"], listed["path"], decided["license_expression"]]
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "stands.arrow", pa.table(found, schema=STANDS))
    return len(rows), 0


def find_older(
    run: Run, found: Sequence[Partition], decided: Sequence[Path], bodies: Sequence[Body]
) -> dict[int, Path]:
    """The folders of `older_task` by number of partition, of those that hold such places."""
    asked = [np.empty(0, np.int64)]
    asked += [laundered(body.folder)["refused_at"].to_numpy() for body in bodies]
    addresses = np.unique(np.concatenate(asked))
    addresses = addresses[addresses != NO_PLACE]
    numbers = addresses >> 32
    items, names = [], [body.folder.name for body in bodies]
    for part, decisions in zip(found, decided, strict=True):
        rows = tuple((addresses[numbers == part.number] & 0xFFFFFFFF).tolist())
        if rows:
            place = run.place("older", names, part.name, part.number, decisions.name)
            items.append(OlderItem(part, decisions, rows, place))
    made = run.do("older", older_task, items)
    return {one.partition.number: folder for one, folder in zip(items, made, strict=True)}


def laundered(body: Path) -> pa.Table:
    """The rows that a body dropped as laundered: schema LAUNDERED."""
    return partitions.read_arrow(body / FILE)


def stands(older: Mapping[int, Path], addresses: np.ndarray) -> dict[int, dict[str, str]]:
    """Row of STANDS by address, for those that may be told."""
    found: dict[int, dict[str, str]] = {}
    for number in np.unique(addresses[addresses != NO_PLACE] >> 32).tolist():
        table = partitions.read_arrow(older[number] / "stands.arrow")
        wanted = np.isin(table["address"].to_numpy(), addresses)
        found |= {row["address"]: row for row in table.filter(pa.array(wanted)).to_pylist()}
    return found
