"""What a stage is to the pipeline: it states its columns, looks, and judges; it never deletes.

``find`` looks at bytes and fills columns; ``judge`` reads findings and marks verdicts through
``schema.drop``. They are apart so that a changed policy can decide again without reading a byte.
"""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

import pyarrow as pa


@runtime_checkable
class RowStage(Protocol):
    """A stage that judges rows by themselves.

    ``needs`` and ``fills`` name columns; ``find`` returns a table of the ``fills`` columns with the
    rows of ``batch``; ``judge`` returns ``batch`` with verdicts. Implementations are frozen
    dataclasses whose fields are their options, so that they pickle and have a digest.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    fills: ClassVar[tuple[str, ...]]

    def find(self, batch: pa.Table) -> pa.Table: ...

    def judge(self, batch: pa.Table) -> pa.Table: ...
