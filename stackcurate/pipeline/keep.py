"""After the barriers: which spilled rows ship, and what became of the others.

One task per body. Its decisions name the kept twin by row key, so that ledger and release can say
it without looking elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.pipeline.evidence import evidence_shares
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.tasks import Run
from stackcurate.pipeline.twins import Twins
from stackcurate.storage import partitions
from stackcurate.storage.exchange import write_exchange

# Row by row with the body's rows.arrow.
KEEP = pa.schema(
    [
        ("verdict", pa.string()),
        ("kept_row_key", pa.string()),
        ("similarity", pa.float32()),
        ("cluster_size", pa.int64()),  # on kept rows; null where the file stands alone
    ]
)


@dataclass(frozen=True)
class KeepItem:
    """One body and what dedup decided about it; ``keys`` are all bodies' row keys.

    What ships rests on evidence, which is told in ``shares`` parts, see `evidence.Evidence`.
    """

    body: Path
    decisions: Path | None
    keys: tuple[Path, ...]
    shares: int
    out: Path


def keep_task(item: KeepItem) -> tuple[int, int]:
    """Write KEEP for one body, and count what ships by language folder."""
    columns = ["text_bytes", "license_evidence"]
    rows = partitions.read_arrow(item.body / "rows.arrow", columns)
    count = rows.num_rows
    verdict = np.full(count, None, object)
    twin = np.full(count, None, object)
    similarity = np.full(count, np.nan, np.float32)
    size = np.zeros(count, np.int64)
    if item.decisions is not None:
        found = partitions.read_arrow(item.decisions)
        at = found["row"].to_numpy()
        verdict[at] = found["verdict"].to_pylist()
        similarity[at] = found["similarity"].fill_null(np.nan).to_numpy()
        size[at] = found["cluster_size"].fill_null(0).to_numpy()
        twin[at] = _twin_keys(found, item.keys)
    kept = np.array([one is None for one in verdict], bool)
    table = pa.table(
        [
            pa.array(verdict, pa.string()),
            pa.array(twin, pa.string(), mask=kept),
            pa.array(similarity, mask=np.isnan(similarity) | kept),
            pa.array(size, mask=~kept | (size <= 1)),
        ],
        schema=KEEP,
    )
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "keep.arrow", table)
        _write_evidence(part, item, rows.filter(pa.array(kept))["license_evidence"])
        partitions.write_json(part / "meta.json", _sizes(item.body, rows, kept))
    return count, 0


def _write_evidence(part: Path, item: KeepItem, used: pa.ChunkedArray) -> None:
    """The ids of the evidence that shipping rows rest on, and the headers among it."""
    ids = pa.table({"evidence_id": pc.unique(used.drop_null()).sort()})
    said = partitions.read_arrow(item.body / "evidence.arrow")
    headers = said.filter(pc.is_in(said["evidence_id"], ids["evidence_id"].combine_chunks()))
    for name, table in (("used", ids), ("headers", headers)):
        shares = evidence_shares(table["evidence_id"], item.shares)
        write_exchange(part / f"{name}.arrow", table, shares, item.shares)


def _twin_keys(found: pa.Table, keys: Sequence[Path]) -> list[str | None]:
    """Row keys of the kept twins, read at their addresses only."""
    parts = found["kept_part"].fill_null(-1).to_numpy()
    rows = found["kept_row"].fill_null(-1).to_numpy()
    twins: list[str | None] = [None] * len(parts)
    for part in np.unique(parts[parts >= 0]).tolist():
        known = np.load(keys[part], mmap_mode="r")
        for at in np.flatnonzero(parts == part).tolist():
            twins[at] = known[rows[at]].decode()
    return twins


def _sizes(body: Path, rows: pa.Table, kept: np.ndarray) -> dict[str, object]:
    """Text bytes that ship per language folder; folders of which nothing ships are left out."""
    sizes = {}
    lengths = rows["text_bytes"].to_numpy()
    for folder, (begin, end) in meta_of(body)["folders"].items():
        if kept[begin:end].any():
            sizes[folder] = int(lengths[begin:end][kept[begin:end]].sum())
    return {"sizes": sizes}


def keep(run: Run, bodies: Sequence[Body], twins: Twins | None, shares: int) -> list[Path]:
    """Decide every body's rows; returns the folders, in the order of ``bodies``."""
    keys = tuple(body.folder / "keys.npy" for body in bodies)
    stamp = twins.folder.name if twins else ""
    items = []
    for body in bodies:
        decisions = twins.folder / f"decisions-{body.number}.arrow" if twins else None
        place = run.place("keep", body.folder.name, body.number, stamp, shares)
        items.append(KeepItem(body.folder, decisions, keys, shares, place))
    return run.do("keep", keep_task, items)


def kept_rows(folder: Path, begin: int, end: int) -> np.ndarray:
    """Numbers of the rows in [begin, end) of a body that ship."""
    table = partitions.read_arrow(folder / "keep.arrow", ["verdict"]).slice(begin, end - begin)
    return begin + np.flatnonzero(pc.is_null(table["verdict"]).to_numpy())
