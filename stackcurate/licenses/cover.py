"""Which license covers which file of a root: the nearest folder that states one.

A folder of other people's code (``node_modules/x``) without a statement of its own does not
inherit: the license of the project is not theirs to give. Nor does a folder that stands on its own,
as ``folders`` says of submodules. Statements about paths speak for the files they name, unless a
folder further down states something of its own. Only folders are walked; files follow with Arrow.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stackcurate.licenses.expression import combine
from stackcurate.licenses.inherit import COVER, OPEN
from stackcurate.licenses.paths import AGGREGATE, OVERRIDE, literal
from stackcurate.licenses.policy import RANK

# Folders whose subfolders are other people's packages.
_FOREIGN = frozenset([
    "node_modules", "bower_components", "jspm_packages", "third_party", "third-party",
    "thirdparty", "3rdparty", "3rd_party", "vendor", "vendored", "_vendor", "pods", "carthage",
    "site-packages", "dist-packages",
])  # fmt: skip
_INSTALLED = ("site-packages", "dist-packages")  # single files in there are packages too
_FOREIGN_PATTERNS = sorted(re.escape(name) for name in _FOREIGN)
_PATTERN_CHARS = 4000


def climb(directory: str, alone: Collection[str] = ()) -> Iterator[str]:
    """``directory`` and the folders above that may speak for it, nearest first.

    Ends at the root, at a folder of ``alone``, or at a package of others, for whom the folders
    above do not speak.
    """
    while True:
        yield directory
        above, _, name = directory.rpartition("/")
        if not directory or directory in alone or above.rpartition("/")[2].lower() in _FOREIGN:
            return
        if name.lower() in _INSTALLED:
            return
        directory = above


def of_others(paths: pa.Array) -> pa.Array:
    """Which files lie in a folder of other people's packages."""
    return pc.match_substring_regex(paths, rf"(?i)/(?:{'|'.join(_FOREIGN_PATTERNS)})/")


def _nearest(
    directory: str, rows: Mapping[str, int], memo: dict[str, int], alone: Collection[str]
) -> int:
    """The row of the folder that speaks for ``directory``, or -1. Walks up once per folder."""
    climbed = []
    answer = -1
    for at in climb(directory, alone):
        if at in memo:
            answer = memo[at]
            break
        climbed.append(at)
        if at in rows:
            answer = rows[at]
            break
    memo.update(dict.fromkeys(climbed, answer))
    return answer


def _edges(directories: Sequence[str], alone: Collection[str]) -> NDArray[np.int64]:
    """The length of the topmost folder that may speak for each directory."""
    memo: dict[str, int] = {}
    edges = []
    for directory in directories:
        climbed = []
        for at in climb(directory, alone):
            if at in memo:
                break
            climbed.append(at)
        memo.update(dict.fromkeys(climbed, memo.get(at, len(at))))
        edges.append(memo[directory])
    return np.array(edges, np.int64)


def _taken(
    folder: str, patterns: Sequence[str], paths: pa.Array, edges: NDArray[np.int64],
    heads: Collection[str],
) -> NDArray[np.bool_]:  # fmt: skip
    """Which files below ``folder`` the patterns take; ``edges`` are those of the files, ``heads``
    the folders that stand on their own, as patterns write them.
    """
    below = pc.starts_with(paths, f"{folder}/").to_numpy(zero_copy_only=False)
    theirs = "|".join(_FOREIGN_PATTERNS)
    inside = rf"^{_quoted(folder)}/(?s:.*/)?(?i:{theirs})/"
    foreign = pc.match_substring_regex(paths, inside).to_numpy(zero_copy_only=False)
    foreign = foreign | (edges > len(folder))
    prefix = f"{_written(folder)}/"
    taken = np.zeros(len(paths), bool)
    for group in _groups(patterns, prefix, heads):
        # Who does not name a folder of other people's code does not speak for it.
        allowed = below if _names_others(group, prefix, heads) else below & ~foreign
        at = np.flatnonzero(allowed)
        if len(at):
            some = paths.take(pa.array(at))
            hit = pc.match_substring_regex(some, rf"^{_quoted(folder)}/(?:{group})$")
            taken[at[hit.to_numpy(zero_copy_only=False)]] = True
    return taken


def _written(path: str) -> str:
    return "".join(map(literal, path))


def _names_others(pattern: str, prefix: str, heads: Collection[str]) -> bool:
    """Whether a pattern below ``prefix`` names a folder of packages, or begins with one of
    ``heads``.
    """
    if any(re.search(one, pattern, re.I) for one in _FOREIGN_PATTERNS):
        return True
    ends = re.finditer(r"/|\(|\Z", pattern) if heads else ()
    return any(prefix + pattern[: at.start()] in heads for at in ends)


def _named(
    chosen: NDArray[np.int64], table: pa.Table, paths: pa.Array, edges: NDArray[np.int64],
    alone: Collection[str],
) -> pa.Table:  # fmt: skip
    """Let rows about files speak for them; changes ``chosen``, and returns a table of its rows.

    Within a folder the last row that takes a file counts; what a folder further down states is
    nearer. Then come the rows of single files. Rows that override count before all of these, the
    highest folder's first.
    """
    said, patterns = table["folder"].to_pylist(), table["patterns"].to_pylist()
    states = table["license_expression"].is_valid().to_pylist()
    forces = np.array([one == OVERRIDE for one in table["precedence"].to_pylist()], bool)
    heads = frozenset(map(_written, alone))
    local: dict[str, NDArray[np.int64]] = {}
    for row, some in enumerate(patterns):
        if some:
            mine = local.setdefault(said[row], np.full(len(paths), -1))
            mine[_taken(said[row], some, paths, edges, heads)] = row
    for folder, mine in sorted(local.items()):
        # Folders sort before what lies in them, so a statement of a folder further down is longer.
        deeper = [n for n, other in enumerate(said) if states[n] and len(other) > len(folder)]
        there = (mine >= 0) & ~forces[mine] & ~np.isin(chosen, deeper)
        chosen[there] = mine[there]
    table = _beside(chosen, table, paths)
    for _, mine in sorted(local.items(), reverse=True):
        there = (mine >= 0) & forces[mine]
        chosen[there] = mine[there]
    return table


def _beside(chosen: NDArray[np.int64], table: pa.Table, paths: pa.Array) -> pa.Table:
    """Rows about single files: they count, and what aggregates binds beside them."""
    patterns = table["patterns"].to_pylist()
    single = {table["folder"][row].as_py(): row for row, some in enumerate(patterns) if some == []}
    if not single:
        return table
    rows, at = list(single.values()), pc.index_in(paths, pa.array(list(single), pa.string()))
    hit = np.flatnonzero(at.is_valid().to_numpy(zero_copy_only=False))
    aggregates = [one == AGGREGATE for one in table["precedence"].to_pylist()]
    both: dict[tuple[int, int], int] = {}
    more: list[dict[str, Any]] = []
    for file in hit.tolist():
        own, other = rows[at[file].as_py()], int(chosen[file])
        chosen[file] = own
        if other >= 0 and aggregates[other]:
            chosen[file] = both.setdefault((own, other), table.num_rows + len(more))
            if chosen[file] == table.num_rows + len(more):
                more.append(_bound(*table.take([own, other]).to_pylist()))
    return pa.concat_tables([table, pa.Table.from_pylist(more, schema=table.schema)])


def _bound(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two rows that both bind: the worse one, with the expression of both."""
    worse = max(one, other, key=lambda row: RANK[row["license_class"]])
    parts = [one["license_expression"], other["license_expression"]]
    return worse | {"license_expression": combine(parts), "patterns": [], "folder": one["folder"]}


def _groups(patterns: Sequence[str], prefix: str, heads: Collection[str]) -> list[str]:
    """Alternatives of patterns, joined up to a size that RE2 takes gladly."""
    single: list[str] = []  # what names folders of others is looked at by itself
    joined: list[str] = []
    for pattern in patterns:
        if len(pattern) >= 2 * _PATTERN_CHARS:
            continue
        if _names_others(pattern, prefix, heads):
            single.append(pattern)
        elif joined and len(joined[-1]) + len(pattern) < _PATTERN_CHARS:
            joined[-1] += f"|{pattern}"
        else:
            joined.append(pattern)
    return [*single, *joined]


def _quoted(folder: str) -> str:
    return re.sub(r"[^\w/ ]", lambda found: f"\\x{{{ord(found[0]):02x}}}", folder, flags=re.ASCII)


def cover(
    paths: pa.Array | pa.ChunkedArray, folders: pa.Table, alone: Collection[str] = ()
) -> pa.Table:
    """The license of each file of one root by its nearest stating folder: schema COVER.

    ``paths`` are full paths starting with "/"; ``folders`` is what ``folders()`` gives; ``alone``
    are more folders that stand on their own. Linear in files; Python only sees the
    distinct directories.
    """
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    directories = pc.replace_substring_regex(paths, r"/[^/]*\z", "").dictionary_encode()
    whole = pc.is_null(folders["patterns"]).to_pylist()
    said = folders["folder"].to_pylist()
    rows = {folder: row for row, folder in enumerate(said) if whole[row]}
    nothing = pc.is_null(folders["license_expression"]).to_pylist()
    alone = {*alone, *(folder for folder, none in zip(said, nothing, strict=True) if none)}
    memo: dict[str, int] = {}
    distinct = [text or "" for text in directories.dictionary.to_pylist()]
    near = np.array([_nearest(text, rows, memo, alone) for text in distinct], np.int64)
    places = directories.indices.to_numpy()
    chosen = near[places] if len(paths) else np.zeros(0, np.int64)
    if not all(whole):
        edges = _edges(distinct, alone)[places] if len(paths) else chosen
        folders = _named(chosen, folders, paths, edges, alone)
    nearest = pa.array(chosen, pa.int64(), mask=chosen < 0)
    taken = folders.select(COVER.names).take(nearest)
    columns = [column.combine_chunks() for column in taken.columns]
    silent = pc.is_null(columns[0])
    columns[1] = pc.if_else(silent, pa.scalar("unstated"), columns[1])
    columns[2] = pc.if_else(silent, pa.scalar(OPEN), columns[2])
    return pa.table(columns, schema=COVER)
