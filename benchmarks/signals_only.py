"""The `filter` of the frame, in a module of its own: workers need not load the benchmark for it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from stackcurate.filters.stage import Filter


@dataclass(frozen=True)
class Signals(Filter):
    """Measures every text and drops none, so that it needs no language."""

    def judge(self, batch: pa.Table) -> pa.Table:
        return batch
