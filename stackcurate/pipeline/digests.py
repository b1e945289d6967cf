"""Keyed digests of what redaction found, in the run folder: see ``redaction/digests.py``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stackcurate.redaction.digests import COLUMN, DIGEST, read_key
from stackcurate.storage import partitions

if TYPE_CHECKING:  # see pipeline/tasks.py
    from stackcurate.config import Config

NAME = "digests.parquet"
ROWS = pa.schema([("content_id", pa.string()), *DIGEST])


def write_part(folder: Path, batch: pa.Table) -> None:
    """``digests.arrow`` of one slice, where its stages asked for digests."""
    if COLUMN in batch.column_names:
        lists = batch[COLUMN].combine_chunks()
        found = pc.list_flatten(lists)
        ids = batch["content_id"].take(pc.list_parent_indices(lists))
        columns = [ids.combine_chunks(), *(pc.struct_field(found, n) for n in range(3))]
        partitions.write_arrow(folder / "digests.arrow", pa.Table.from_arrays(columns, schema=ROWS))


def check_key(config: Config) -> None:
    """The key that the config names must be there before any work; ConfigError where it is not."""
    if where := _key_place(config):
        read_key(where)


def write_digests(config: Config, slices: Iterable[Path]) -> None:
    """``digests.parquet``: content, kind, number of the value in its file, digest; for one reader.

    They are of all files that redaction saw, whether they ship or not.
    """
    if not _key_place(config):
        return
    with partitions.whole(config.run_folder / NAME) as part:
        part.touch(mode=0o600)
        with pq.ParquetWriter(part, ROWS, compression="zstd") as writer:
            for folder in slices:
                writer.write_table(partitions.read_arrow(folder / "digests.arrow"))


def _key_place(config: Config) -> str | None:
    return config.redact.digest_key if "redact" in config.stages else None
