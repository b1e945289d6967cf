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

from stackcurate.pipeline.earlier import NO_PARTS, EarlierParts
from stackcurate.pipeline.evidence import evidence_shares
from stackcurate.pipeline.fetch import Body
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.shards import spread
from stackcurate.pipeline.tasks import Run
from stackcurate.pipeline.twins import Twins
from stackcurate.storage import partitions
from stackcurate.storage.exchange import write_exchange

EARLIER = "dedup:earlier_"  # verdicts about files that an earlier release holds

# Row by row with the body's rows.arrow.
KEEP = pa.schema(
    [
        ("verdict", pa.string()),
        # The file that stands for a dropped one, or that a marked one is like: its row key, in an
        # earlier foreign release its id. kept_in names the earlier release; null is this one.
        ("kept_row_key", pa.string()),
        ("kept_in", pa.string()),
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
    marks: Path | None
    keys: tuple[Path, ...]
    earlier: EarlierParts
    shares: int
    out: Path


def keep_task(item: KeepItem) -> tuple[int, int]:
    """Write KEEP for one body, and count what ships by language folder."""
    columns = ["text_bytes", "license_evidence", "origin", "repo_hash"]
    rows = partitions.read_arrow(item.body / "rows.arrow", columns)
    count = rows.num_rows
    columns_of: dict[str, np.ndarray] = {
        "verdict": np.full(count, None, object),
        "kept_row_key": np.full(count, None, object),
        "kept_in": np.full(count, None, object),
        "similarity": np.full(count, np.nan, np.float32),
    }
    size = np.zeros(count, np.int64)
    if item.decisions is not None:
        found = partitions.read_arrow(item.decisions)
        size[found["row"].to_numpy()] = found["cluster_size"].fill_null(0).to_numpy()
        _note(columns_of, found.filter(pc.is_valid(found["verdict"])), item)
    kept = np.array([one is None for one in columns_of["verdict"]], bool)
    like = _marked(columns_of, item)
    table = pa.table(
        [
            pa.array(columns_of["verdict"], pa.string()),
            pa.array(columns_of["kept_row_key"], pa.string()),
            pa.array(columns_of["kept_in"], pa.string()),
            pa.array(columns_of["similarity"], mask=np.isnan(columns_of["similarity"])),
            pa.array(size, mask=~kept | (size <= 1)),
        ],
        schema=KEEP,
    )
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "keep.arrow", table)
        ships = rows.filter(pa.array(kept))
        _write_evidence(part, item, ships["license_evidence"])
        origins = pa.table({"origin": pc.unique(ships["origin"].cast(pa.string()))})
        partitions.write_arrow(part / "origins.arrow", origins)
        meta = {"earlier": _like_earlier(table, like)}
        partitions.write_json(part / "meta.json", meta | _sizes(item.body, rows, kept))
    return count, 0


def _write_evidence(part: Path, item: KeepItem, used: pa.ChunkedArray) -> None:
    """The ids of the evidence that shipping rows rest on, and the headers among it."""
    ids = pa.table({"evidence_id": pc.unique(used.drop_null()).sort()})
    said = partitions.read_arrow(item.body / "evidence.arrow")
    headers = said.filter(pc.is_in(said["evidence_id"], ids["evidence_id"].combine_chunks()))
    for name, table in (("used", ids), ("headers", headers)):
        shares = evidence_shares(table["evidence_id"], item.shares)
        write_exchange(part / f"{name}.arrow", table, shares, item.shares)


def _note(columns: dict[str, np.ndarray], found: pa.Table, item: KeepItem) -> None:
    """Write what ``found`` (schema dedup.decide.DECISION, dropped rows) says into ``columns``."""
    at = found["row"].to_numpy()
    columns["verdict"][at] = found["verdict"].to_pylist()
    columns["similarity"][at] = found["similarity"].fill_null(np.nan).to_numpy()
    parts, rows = found["kept_part"].to_numpy(), found["kept_row"].to_numpy()
    for part in np.unique(parts).tolist():
        mine = np.flatnonzero(parts == part)
        if part < len(item.keys):
            known = np.load(item.keys[part], mmap_mode="r")
            keys: list[str | None] = [key.decode() for key in known[rows[mine]].tolist()]
        else:
            keys = item.earlier.ids(part, rows[mine])
            columns["kept_in"][at[mine]] = item.earlier.names[part - item.earlier.first]
        columns["kept_row_key"][at[mine]] = keys


def _marked(columns: dict[str, np.ndarray], item: KeepItem) -> dict[int, str]:
    """Note which kept rows are like an earlier file; returns {row: the verdict it is spared}."""
    if item.marks is None:
        return {}
    found = partitions.read_arrow(item.marks)
    found = found.filter(pc.fill_null(pc.starts_with(found["verdict"], EARLIER), False))
    _note(columns, found, item)
    rows = found["row"].to_pylist()
    columns["verdict"][rows] = None
    return dict(zip(rows, found["verdict"].to_pylist(), strict=True))


def _like_earlier(table: pa.Table, marked: dict[int, str]) -> dict[str, dict[str, int]]:
    """Files with a twin in an earlier release, dropped or marked: {release: {exact, near}}."""
    found: dict[str, dict[str, int]] = {}
    names = table["kept_in"].to_pylist()
    for row in np.flatnonzero(pc.is_valid(table["kept_in"]).to_numpy()).tolist():
        verdict = marked.get(row) or table["verdict"][row].as_py()
        counts = found.setdefault(names[row], {"exact": 0, "near": 0})
        counts[verdict.removeprefix(EARLIER)] += 1
    return found


def _sizes(body: Path, rows: pa.Table, kept: np.ndarray) -> dict[str, object]:
    """Text bytes that ship per language folder, by where the shards may be cut (`shards.spread`).

    Folders of which nothing ships are left out.
    """
    sizes = {}
    lengths, places = rows["text_bytes"].to_numpy(), rows["repo_hash"].to_numpy()
    for folder, (begin, end) in meta_of(body)["folders"].items():
        ships = kept[begin:end]
        if ships.any():
            sizes[folder] = spread(places[begin:end][ships], lengths[begin:end][ships])
    return {"sizes": sizes}


def keep(run: Run, bodies: Sequence[Body], twins: Twins | None, shares: int) -> list[Path]:
    """Decide every body's rows; returns the folders, in the order of ``bodies``."""
    keys = tuple(body.folder / "keys.npy" for body in bodies)
    stamp = [twins.folder.name, twins.marks.name if twins.marks else ""] if twins else []
    items = []
    for body in bodies:
        decisions = twins.decisions(body.number) if twins else None
        marks = twins.marked(body.number) if twins else None
        earlier = twins.earlier if twins else NO_PARTS
        place = run.place("keep", body.folder.name, body.number, stamp, shares)
        items.append(KeepItem(body.folder, decisions, marks, keys, earlier, shares, place))
    return run.do("keep", keep_task, items)


def kept_rows(folder: Path, begin: int, end: int) -> np.ndarray:
    """Numbers of the rows in [begin, end) of a body that ship."""
    table = partitions.read_arrow(folder / "keep.arrow", ["verdict"]).slice(begin, end - begin)
    return begin + np.flatnonzero(pc.is_null(table["verdict"]).to_numpy())
