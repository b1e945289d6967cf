"""The door of redaction to the pipeline: fills ``content`` and ``redactions``, drops nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..schema import one_chunk
from .digests import COLUMN
from .redact import redact
from .rules import table_digest
from .settings import Settings


@dataclass(frozen=True)
class Redact:
    """Replace personal data and secrets, or mark them, and note where they stood.

    Where the settings name a key there is a third column, ``digests.COLUMN``.

    ``engine`` is for tests: results are the same on every engine.
    """

    name: ClassVar[str] = "redact"
    needs: ClassVar[tuple[str, ...]] = ("content", "path", "content_id")
    fills: ClassVar[tuple[str, ...]] = ("content", "redactions")

    settings: Settings = field(default_factory=Settings)
    engine: str | None = None

    def find(self, batch: pa.Table) -> pa.Table:
        """``content`` as it ships and ``redactions`` in its bytes; null content stays null."""
        content = one_chunk(batch, "content").cast(pa.large_string())
        there = content.is_valid()
        rows = pc.indices_nonzero(there)
        paths = one_chunk(batch, "path").take(rows)
        done = redact(content.take(rows), paths, _ids(batch).take(rows), self.settings, self.engine)
        columns = {"content": done.contents, "redactions": done.findings}
        if done.digests is not None:
            columns[COLUMN] = done.digests
        if len(rows) == len(content):
            return pa.table(columns)
        back = np.full(len(content), -1, np.int64)
        back[rows.to_numpy()] = np.arange(len(rows))
        index = pa.array(back, mask=back < 0)
        return pa.table({name: column.take(index) for name, column in columns.items()})

    def judge(self, batch: pa.Table) -> pa.Table:
        """A file is never dropped for what it holds."""
        return batch

    def digest(self) -> str:
        """Names what decides: the settings and the rule table."""
        return f"{self.settings.digest()}-{table_digest()}"


def _ids(batch: pa.Table) -> pa.Array:
    """``content_id`` as 20 bytes, from bytes or from hex digits."""
    ids = one_chunk(batch, "content_id")
    if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type):
        raw = [None if one is None else bytes.fromhex(one) for one in ids.to_pylist()]
        return pa.array(raw, pa.binary(20))
    return ids
