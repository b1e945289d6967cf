"""Hands the pipeline's spilled texts to `dedup`, and reads back what it decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.dedup.match import Part, Summary, dedup
from stackcurate.pipeline.earlier import NO_PARTS, EarlierParts
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.spill import open_spill
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import one_chunk
from stackcurate.storage import partitions


@dataclass(frozen=True)
class SpilledTexts:
    """Texts of a part by row, for verification; picklable."""

    spills: tuple[str, ...]  # not Path: they go to workers often, and tens of thousands of them
    earlier: EarlierParts = NO_PARTS

    def __call__(self, part: int, rows: np.ndarray) -> pa.Array:
        if part >= len(self.spills):
            return self.earlier.texts(part, rows)
        table = open_spill(Path(self.spills[part])).read(np.asarray(rows))
        return one_chunk(table, "content")


@dataclass(frozen=True)
class Twins:
    """What `dedup` decided: a file per body, and numbers for the report."""

    folder: Path
    summary: Summary
    earlier: EarlierParts = NO_PARTS
    marks: Path | None = None  # where kept files like earlier ones are only marked

    def decisions(self, number: int) -> Path:
        """Rows of one body that are dropped or have a cluster (see dedup.match)."""
        return self.folder / f"decisions-{number}.arrow"

    def marked(self, number: int) -> Path | None:
        """The same for kept rows and earlier files; null where those were dropped or not sought."""
        return None if self.marks is None else self.marks / f"decisions-{number}.arrow"


def find_twins(run: Run, bodies: Sequence[Body], earlier: EarlierParts) -> Twins:
    """Exact, then near duplicates over everything that is left, and what earlier releases hold.

    Where that is only to be marked, the files are matched among themselves first, and those that
    are kept then meet the earlier ones.
    """
    marks = run.config.dedup.earlier == "mark" and bool(earlier.parts)
    parts = [Part(body.number, body.folder / "signatures.arrow") for body in bodies]
    texts = SpilledTexts(tuple(str(body.folder / "spill.arrow") for body in bodies), earlier)
    names: list[object] = [body.folder.name for body in bodies]
    held = () if marks else earlier.parts
    run.progress.phase("dedup", 2 if marks else 1, 0)
    place = run.place("dedup", names, run.config.dedup.matching, () if marks else earlier.digests)
    summary = _matched(run, [*parts, *held], texts, place)
    if not marks:
        return Twins(place, summary, earlier)
    second = run.place("dedup", names, run.config.dedup.matching, earlier.digests, "marks")
    kept = [_kept(part, place, second) for part in parts]
    _matched(run, [*kept, *earlier.parts], texts, second)
    return Twins(place, summary, earlier, second)


def _matched(run: Run, parts: list[Part], texts: SpilledTexts, place: Path) -> Summary:
    place.mkdir(parents=True, exist_ok=True)
    summary = dedup(parts, texts, run.engine, place, run.config.dedup.matching)
    run.progress.step("dedup", 0, 0)
    run.progress.note(f"near duplicates: {summary.effort()}")
    return summary


def _kept(part: Part, decided: Path, place: Path) -> Part:
    """The part without the rows that are dropped."""
    path = place / f"kept-{part.number}.arrow"
    if not path.exists():
        found = partitions.read_arrow(decided / f"decisions-{part.number}.arrow")
        gone = found.filter(pc.is_valid(found["verdict"]))["row"]
        table = partitions.read_arrow(part.path)
        table = table.filter(
            pc.invert(pc.is_in(table["row"], one_chunk(pa.table([gone], ["r"]), "r")))
        )
        with partitions.whole(path) as beside:
            partitions.write_arrow(beside, table, rows=8192)
    return Part(part.number, path)
