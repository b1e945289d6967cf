"""Slow, plain twins for the dedup tests: unhashed shingles, all pairs, and a run over parts."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stackcurate.dedup.match import Part, Summary, dedup
from stackcurate.dedup.near import signatures
from stackcurate.dedup.settings import Settings
from stackcurate.engine.base import Engine, SerialEngine
from stackcurate.storage.partitions import read_arrow, write_arrow

_TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def plain_shingles(text: bytes, ngram: int = 5) -> frozenset[bytes]:
    tokens = _TOKEN.findall(text)
    return frozenset(b" ".join(tokens[i : i + ngram]) for i in range(len(tokens) - ngram + 1))


def jaccard(one: frozenset, other: frozenset) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


@dataclass(frozen=True)
class StoredTexts:
    """Texts of each part in a folder, found by row number; picklable."""

    folder: Path

    def __call__(self, part: int, rows: np.ndarray) -> pa.Array:
        assert (np.diff(rows) > 0).all()
        table = read_arrow(self.folder / f"texts-{part}.arrow")
        at = {row: index for index, row in enumerate(table["row"].to_pylist())}
        return table["text"].combine_chunks().take(pa.array([at[r] for r in rows.tolist()]))


class PicklingEngine(SerialEngine):
    """Sends every task through a pickle, as worker processes do, and the items backwards."""

    def map(
        self, task: Callable[[Any], Any], items: Sequence[Any], timeout: float | None = None
    ) -> Iterator[tuple[int, Any]]:
        for number, item in reversed(list(enumerate(items))):
            yield number, pickle.loads(pickle.dumps(task))(item)


@dataclass(frozen=True)
class File:
    name: str
    text: str
    rank: int
    group: str = ""


def lay_out(folder: Path, parts: Sequence[Sequence[File]], settings: Settings) -> list[Part]:
    """Write the files as parts numbered 10, 20, ...; row numbers have gaps and do not ascend."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for at, files in enumerate(parts):
        number = 10 * (at + 1)
        rows = pa.array([(7 * i + 3) % (7 * len(files) + 1) for i in range(len(files))], pa.int32())
        texts = pa.array([f.text for f in files], pa.large_string())
        signed = signatures(texts, settings)
        digests = [hashlib.sha256(f.text.encode()).digest() for f in files]
        table = pa.table(
            {
                "row": rows,
                "group": pa.array([f.group for f in files], pa.string()),
                "rank": pa.array([f.rank.to_bytes(12, "big") for f in files], pa.binary(12)),
                "text_sha256": pa.array(digests, pa.binary(32)),
                "shingles": signed["shingles"],
                "signature": signed["signature"],
            }
        )
        write_arrow(folder / f"part-{number}.arrow", table)
        write_arrow(folder / f"texts-{number}.arrow", pa.table({"row": rows, "text": texts}))
        out.append(Part(number, folder / f"part-{number}.arrow"))
    return out


@dataclass(frozen=True)
class Outcome:
    verdict: str | None
    kept: str | None
    similarity: float | None
    cluster_size: int | None


def decide(
    folder: Path,
    parts: Sequence[Sequence[File]],
    settings: Settings,
    engine: Engine | None = None,
) -> tuple[dict[str, Outcome], Summary]:
    """Run dedup over the parts; the outcome of every file by name (kept alone: all None)."""
    laid = lay_out(folder, parts, settings)
    engine = engine or PicklingEngine()
    summary = dedup(laid, StoredTexts(folder), engine, folder / "work", settings)
    name_at = {}
    for part, files in zip(laid, parts, strict=True):
        rows = read_arrow(part.path, ["row"])["row"].to_pylist()
        name_at.update({(part.number, row): f.name for row, f in zip(rows, files, strict=True)})
    outcomes = {f.name: Outcome(None, None, None, None) for files in parts for f in files}
    for part in laid:
        for d in read_arrow(folder / "work" / f"decisions-{part.number}.arrow").to_pylist():
            kept = None if d["kept_row"] is None else name_at[d["kept_part"], d["kept_row"]]
            outcomes[name_at[part.number, d["row"]]] = Outcome(
                d["verdict"], kept, d["similarity"], d["cluster_size"]
            )
    return outcomes, summary
