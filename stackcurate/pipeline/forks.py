"""Repositories that are one another's forks, mirrors or vendored copies, before `choose`.

Two kinds of evidence. *Ancestry*: the first parents of both heads lead to the same first revision,
so a hard fork is found that shares no file any more (a history that was merged in, as by ``git
subtree``, leads nowhere: it is no first parent). *Content*: at least half of what each holds, the
other holds as well. A repository of which another holds four fifths, but not the other way round,
is *vendored* there: reported, never collapsed.

Shares are measured on samples: all contents of a root with up to ``SAMPLE`` files, of a larger one
those whose hash is below a limit, about ``SAMPLE`` of them, looked up among all files of the other
root. Contents that more than ``EVERYWHERE`` roots hold (license texts, empty files, boilerplate)
count for nothing, and ``LEAST`` shared contents are the least that says something. Contents travel
to folding tasks as 12 bytes each; no process holds more than one target, and a few bytes per root.

Among related roots the best by the order of ``roots`` stays. In order of that rank, a root is a
fork where it is related to a better one that is no fork itself, so there is no chain from like to
unlike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.kernels.shared import families, sampled_pairs
from stackcurate.pipeline.evidence import Evidence, read_folders
from stackcurate.pipeline.inputs import meta_of
from stackcurate.pipeline.listing import Partition
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import ORIGIN_GROUPS, one_chunk
from stackcurate.sources.ids import content_id
from stackcurate.storage import partitions
from stackcurate.storage.exchange import read_exchange, write_exchange

SAMPLE = 256  # contents of a root that are looked up
EVERYWHERE = 256  # roots: a content in more of them tells nothing
MEETS = 16  # best-ranked roots that a root meets in one content
LEAST = 8  # shared contents
ALIKE = 0.5  # share of each held by the other: a fork or mirror
VENDORED = 0.8  # share held by the other, where that is not so the other way round
TARGET_ROWS = 4_000_000  # of 12 bytes, some five times that while they are sorted
ANCESTRY, CONTENT, INSIDE = "ancestry", "content", "vendored"

_ORDER = [
    ("star_events_count", "descending"), ("fork_events_count", "descending"),
    ("gha_created_at", "ascending"), ("github_id", "ascending"), ("visit_date", "descending"),
    ("committer_date", "descending"), ("origin", "ascending"), ("source", "ascending"),
    ("input", "ascending"),
]  # fmt: skip


@dataclass(frozen=True)
class Forks:
    """What was found: ``folder`` holds ``groups.arrow`` and ``collapsed.arrow`` (input, root)."""

    folder: Path

    def groups(self) -> pa.Table:
        """Schema ORIGIN_GROUPS."""
        return partitions.read_arrow(self.folder / "groups.arrow")

    @property
    def collapsed(self) -> Path:
        """The roots whose files are dropped."""
        return self.folder / "collapsed.arrow"


@dataclass(frozen=True)
class SendItem:
    """One partition; ``roots`` are the numbers of all roots by rank (input, root)."""

    partition: Partition
    roots: Path
    evidence: Evidence | None
    targets: int
    out: Path


def send_task(item: SendItem) -> tuple[int, int]:
    """Send what each root of a partition holds to the folding tasks."""
    listed = partitions.read_arrow(item.partition.path, ["input", "root", "content_id"])
    known = partitions.read_arrow(item.roots, ["input", "root"])
    owner = _owners(listed, known)
    withdrawn: list[int] = []
    if item.evidence is not None:
        wishes = read_folders(item.evidence, item.partition.number)[1]
        whole = pc.equal(pc.fill_null(pc.list_value_length(wishes["globs"]), 0), 0)
        gone = pc.is_in(one_chunk(known, "root"), one_chunk(wishes.filter(whole), "root"))
        withdrawn = np.flatnonzero(gone.to_numpy(zero_copy_only=False)).tolist()
        owner[np.isin(owner, withdrawn)] = -1
    nothing = pa.scalar(content_id(b""), listed["content_id"].type)
    there = pc.fill_null(pc.not_equal(listed["content_id"], nothing), False)
    takes_part = there.to_numpy() & (owner >= 0)
    hashes = _hashes(one_chunk(listed.filter(pa.array(takes_part)), "content_id"))
    target = (hashes >> np.uint64(32)) * np.uint64(item.targets) >> np.uint64(32)
    table = pa.table({"hash": hashes, "owner": owner[takes_part].astype(np.uint32)})
    with partitions.whole_folder(item.out) as part:
        path = part / "held.arrow"
        write_exchange(path, table, target.astype(np.int64), item.targets, compress=False)
        partitions.write_json(part / "meta.json", {"withdrawn": withdrawn})
    return listed.num_rows, 0


def _owners(listed: pa.Table, known: pa.Table) -> np.ndarray:
    """The number of each row's root, -1 for none. The rows of a root lie together: runs do."""
    roots = one_chunk(listed, "root").dictionary_encode().indices.to_numpy()
    inputs = listed["input"].to_numpy()
    new = np.ones(len(roots), bool)
    new[1:] = (roots[1:] != roots[:-1]) | (inputs[1:] != inputs[:-1])
    begins = np.flatnonzero(new)
    runs = listed.select(["input", "root"]).take(pa.array(begins))
    found = pc.index_in(_keys(runs), _keys(known)).fill_null(-1).to_numpy()
    return np.repeat(found.astype(np.int64), np.diff(np.append(begins, len(roots))))


def _keys(table: pa.Table) -> pa.Array:
    keys = pc.binary_join_element_wise(table["input"].cast(pa.string()), table["root"], " ")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _hashes(ids: pa.Array) -> np.ndarray:
    """The first 64 bits of each id: SHA-1 spreads them evenly."""
    width = ids.type.byte_width
    data = np.frombuffer(ids.buffers()[1] or b"", np.uint8)
    rows = data[ids.offset * width : (ids.offset + len(ids)) * width].reshape(-1, width)
    return np.ascontiguousarray(rows[:, :8]).view(">u8").ravel().astype(np.uint64)


def _once(hashes: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """(hash, owner) sorted by both, each once."""
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    records = np.zeros(int(new.sum()), [("hash", "u8"), ("owner", "u4")])
    records["hash"], records["owner"] = hashes[new], owners[new]
    return records


@dataclass(frozen=True)
class MeetItem:
    """One target of contents; ``limits`` bounds the sample of each root."""

    target: int
    sent: tuple[Path, ...]
    limits: Path
    shares: int
    out: Path


def meet_task(item: MeetItem) -> tuple[int, int]:
    """Count what samples share within one target, and send the counts to their roots."""
    table = read_exchange([path / "held.arrow" for path in item.sent], item.target)
    records = _once(table["hash"].to_numpy(), table["owner"].to_numpy())
    limits = np.load(item.limits, mmap_mode="r")
    pairs, samples = sampled_pairs(
        records["hash"].copy(), records["owner"].copy(), np.asarray(limits), EVERYWHERE, MEETS
    )
    with partitions.whole_folder(item.out) as part:
        for name, values in (("pairs", pairs), ("samples", samples.astype(np.uint64) << 32)):
            found, count = np.unique(values, return_counts=True)
            counts = pa.table({"pair": found, "count": count.astype(np.int64)})
            share = (found >> np.uint64(32)).astype(np.int64) % item.shares
            write_exchange(part / f"{name}.arrow", counts, share, item.shares)
    return table.num_rows, 0


@dataclass(frozen=True)
class LinkItem:
    """The roots whose number leaves ``share`` when divided by the number of shares."""

    share: int
    met: tuple[Path, ...]
    out: Path


def link_task(item: LinkItem) -> tuple[int, int]:
    """Which roots are held by others to half or more: (a, b, shared contents, sample of a)."""
    pair, count = _sums([folder / "pairs.arrow" for folder in item.met], item.share)
    owner, sample = _sums([folder / "samples.arrow" for folder in item.met], item.share)
    a = pair >> np.uint64(32)
    size = sample[np.searchsorted(owner >> np.uint64(32), a)] if len(a) else count
    held = (count >= LEAST) & (count >= ALIKE * size)
    table = pa.table(
        {
            "a": a[held].astype(np.int64),
            "b": (pair[held] & np.uint64(0xFFFFFFFF)).astype(np.int64),
            "shared": count[held] / size[held],
        }
    )
    with partitions.whole_folder(item.out) as part:
        partitions.write_arrow(part / "links.arrow", table)
    return len(pair), 0


def _sums(paths: Sequence[Path], share: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts by pair, ascending."""
    table = read_exchange(paths, share)
    pair, count = table["pair"].to_numpy(), table["count"].to_numpy()
    order = np.argsort(pair, kind="stable")
    pair, count = pair[order], count[order]
    first = (
        np.flatnonzero(np.append(True, pair[1:] != pair[:-1])) if len(pair) else pair.astype(int)
    )
    return pair[first], np.add.reduceat(count, first) if len(pair) else count


def find_forks(
    run: Run,
    roots: Path,
    found: Sequence[Partition],
    listed: Sequence[Path],
    evidence: Evidence | None,
) -> Forks | None:
    """Relate all roots that are not withdrawn; None where ``choose.forks`` says ``ignore``."""
    policy = run.config.choose.forks
    if policy == "ignore":
        return None
    numbers = _numbers(run, roots, listed)
    sizes = [
        partitions.read_arrow(folder / "counts.arrow", ["files"])["files"] for folder in listed
    ]
    rows = sum(int(pc.sum(size).as_py() or 0) for size in sizes)
    targets = max(1, -(-rows // TARGET_ROWS))
    told = evidence.names if evidence else []
    sends = [
        SendItem(
            one, numbers / "roots.arrow", evidence, targets,
            run.place("forks", one.name, one.number, numbers.name, targets, told),
        )
        for one in found
    ]  # fmt: skip
    sent = tuple(run.do("forks", send_task, sends))
    links: list[pa.Table] = []
    if sent:
        names = [folder.name for folder in sent]
        meets = [
            MeetItem(target, sent, numbers / "limits.npy", targets,
                     run.place("meet", names, target, targets))
            for target in range(targets)
        ]  # fmt: skip
        met = tuple(run.do("forks", meet_task, meets))
        names = [folder.name for folder in met]
        items = [LinkItem(n, met, run.place("link", names, n)) for n in range(targets)]
        done = run.do("forks", link_task, items)
        links = [partitions.read_arrow(folder / "links.arrow") for folder in done]
    place = run.place("origin_groups", names if sent else [], numbers.name, policy)
    if not place.exists():
        gone = {n for folder in sent for n in _withdrawn(folder)}
        _decide(place, numbers, links, gone, policy == "collapse")
    return Forks(place)


def _withdrawn(folder: Path) -> list[int]:
    found: list[int] = meta_of(folder)["withdrawn"]
    return found


def _numbers(run: Run, roots: Path, listed: Sequence[Path]) -> Path:
    """All roots that somebody may represent, by rank, and the limits of their samples."""
    place = run.place("ranks", roots.name, [folder.name for folder in listed])
    if place.exists():
        return place
    columns = ["input", "root", "origin", "first_revision", "represents", "verdict"]
    wanted = list(dict.fromkeys([*columns, *(name for name, _ in _ORDER)]))
    table = partitions.read_arrow(roots / "roots.arrow", wanted)
    table = table.filter(pc.and_(table["represents"], pc.is_null(table["verdict"])))
    table = table.sort_by(_ORDER).select(columns[:4]).combine_chunks()
    counts = [partitions.read_arrow(folder / "counts.arrow") for folder in listed]
    files = np.zeros(table.num_rows, np.int64)
    if counts:
        counted = pa.concat_tables(counts)
        at = pc.index_in(_keys(counted), _keys(table))
        mine = pc.is_valid(at)
        rows = at.filter(mine).to_numpy()
        np.add.at(files, rows, counted["files"].filter(mine).to_numpy())
    limits = np.full(len(files), 2**64 - 1, np.uint64)
    large = files > SAMPLE
    limits[large] = np.uint64(2**64 - 1) // files[large].astype(np.uint64) * np.uint64(SAMPLE)
    with partitions.whole_folder(place) as part:
        partitions.write_arrow(part / "roots.arrow", table)
        np.save(part / "limits.npy", limits)
    return place


def _decide(
    place: Path, numbers: Path, links: Sequence[pa.Table], gone: set[int], collapse: bool
) -> None:
    """Write what each root is to a better one, and which are dropped for it."""
    roots = partitions.read_arrow(numbers / "roots.arrow")
    known = _Shares(links)
    first = one_chunk(roots, "first_revision").dictionary_encode().indices.fill_null(-1)
    out = np.zeros(roots.num_rows, bool)
    out[list(gone)] = True
    alike = (known.back >= 0) & (known.b < known.a)
    of, by_ancestry = families(
        first.to_numpy().astype(np.int64),
        out,
        known.a[alike],
        known.b[alike],
        known.share[alike],
    )
    forks = np.flatnonzero(of >= 0)
    inside = (known.back < 0) & (known.share >= VENDORED)
    one = np.concatenate([forks, known.a[inside]])
    other = np.concatenate([of[forks], known.b[inside]])
    relation = np.full(len(one), INSIDE, object)
    relation[: len(forks)] = np.where(by_ancestry[forks], ANCESTRY, CONTENT)
    groups = pa.table(
        {
            "origin": roots["origin"].take(pa.array(one)),
            "root": roots["root"].take(pa.array(one)),
            "relation": pa.array(relation, pa.string()),
            "of_origin": roots["origin"].take(pa.array(other)),
            "shared": known.of(one, other),
            "shared_back": known.of(other, one),
            "collapsed": pa.array((relation != INSIDE) & collapse, pa.bool_()),
        }
    ).cast(ORIGIN_GROUPS)
    groups = groups.sort_by([(name, "ascending") for name in ("of_origin", "origin", "relation")])
    dropped = roots.select(["input", "root"]).take(pa.array(forks))
    with partitions.whole_folder(place) as part:
        partitions.write_arrow(part / "groups.arrow", groups)
        partitions.write_arrow(
            part / "collapsed.arrow", dropped if collapse else dropped.slice(0, 0)
        )


class _Shares:
    """All links as arrays, ascending by (a, b): 32 bytes each."""

    def __init__(self, links: Sequence[pa.Table]) -> None:
        names = ("a", "b", "shared")
        a, b, share = (
            np.concatenate([table[n].to_numpy() for table in links] or [np.zeros(0)]) for n in names
        )
        order = np.lexsort((b, a))
        self.a, self.b = a[order].astype(np.int64), b[order].astype(np.int64)
        self.share = share[order]
        self.back = self._find(self.b, self.a)  # the number of the link from b to a, or -1

    def _find(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        keys, wanted = self.a << 32 | self.b, a << 32 | b
        at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        return np.where(keys[at] == wanted, at, -1) if len(keys) else np.full(len(wanted), -1)

    def of(self, a: np.ndarray, b: np.ndarray) -> pa.Array:
        """What b holds of the sample of a; null where that is below half."""
        at = self._find(a, b)
        none = np.full(1, np.nan)
        return pa.array(np.append(self.share, none)[at], mask=at < 0)
