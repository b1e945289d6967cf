"""Hands the pipeline's spilled texts to `dedup`, and reads back what it decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.dedup.match import Part, Summary, dedup
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.spill import open_spill
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import one_chunk
from stackcurate.storage import partitions


@dataclass(frozen=True)
class SpilledTexts:
    """Texts of a part by row, for verification; picklable."""

    spills: tuple[Path, ...]

    def __call__(self, part: int, rows: np.ndarray) -> pa.LargeStringArray:
        table = open_spill(self.spills[part]).read(np.asarray(rows))
        return one_chunk(table, "content")


@dataclass(frozen=True)
class Twins:
    """What `dedup` decided: a file per body, and numbers for the report."""

    folder: Path
    summary: Summary

    def decisions(self, number: int) -> pa.Table:
        """Rows of one body that are dropped or have a cluster (see dedup.match)."""
        return partitions.read_arrow(self.folder / f"decisions-{number}.arrow")


def find_twins(run: Run, bodies: Sequence[Body]) -> Twins:
    """Exact, then near duplicates over everything that is left."""
    settings = run.config.dedup
    place = run.place("dedup", [body.folder.name for body in bodies], settings)
    place.mkdir(parents=True, exist_ok=True)
    parts = [Part(body.number, body.folder / "signatures.arrow") for body in bodies]
    texts = SpilledTexts(tuple(body.folder / "spill.arrow" for body in bodies))
    run.progress.phase("dedup", 1, 0)
    summary = dedup(parts, texts, run.engine, place, settings)
    run.progress.step("dedup", 0, 0)
    return Twins(place, summary)
