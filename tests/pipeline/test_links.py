"""Links of roots that are spread over several partitions, with a source made here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from stackcurate.engine.base import Failure
from stackcurate.licenses import links
from stackcurate.pipeline.control import control_rows, followed
from stackcurate.pipeline.culprits import Quarantine
from stackcurate.pipeline.links import LinksItem, LinksTask, _Links
from stackcurate.pipeline.listing import LISTED, Partition
from stackcurate.pipeline.roots import ROOTS
from stackcurate.sources.base import Problem
from stackcurate.sources.ids import content_id
from stackcurate.storage import partitions

FILE, LINK, SUBMODULE = 0o100644, 0o120000, 0o160000


@dataclass(frozen=True)
class Store:
    """Gives contents by the paths of rows; what is not there is missing."""

    data: dict[str, bytes]

    def read(self, container, wanted, limit):
        for row, path in enumerate(wanted["path"].to_pylist()):
            found = self.data.get(path)
            yield row, Problem(path, "missing", "gone") if found is None else found


def row(path: str, mode: int = FILE, said: bytes = b"x", root: str = "r") -> dict:
    verdict = {FILE: None, LINK: "source:symlink", SUBMODULE: "source:submodule"}[mode]
    one = None if mode == SUBMODULE else content_id(said)
    return {"root": root, "path": path, "content_id": one, "length": len(said), "mode": mode,
            "container": "c", "verdict": verdict, "input": 0}  # fmt: skip


def followed_in(folder: Path, *parts: list[dict], dead: str = "", skip=()) -> list[Partition]:
    heads = [{"root": "r", "verdict": "optout:origin" if dead == "r" else None},
             {"root": "q", "verdict": None}]  # fmt: skip
    partitions.write_arrow(folder / "heads.arrow", pa.Table.from_pylist(heads, schema=ROOTS))
    book = folder / "book.json"
    book.write_text(json.dumps({"inputs": [[0, ["c", 1, ""]]], "listings": []}))
    found, data = [], {}
    for number, rows in enumerate(parts):
        path = folder / f"part-{number:06d}.arrow"
        partitions.write_arrow(path, pa.Table.from_pylist(rows, schema=LISTED))
        links_ = folder / "links" / path.name
        found.append(Partition(number, path, folder / "heads.arrow", f"p/{number}", links_))
        data |= {one["path"]: SAID[one["path"]] for one in rows if one["path"] in SAID}
    task = LinksTask((Store(data),))
    task(LinksItem(tuple(found), book, folder / "links", skip=frozenset(skip)))
    return found


SAID = {
    "/a/LICENSE": b"../docs/words",
    "/b/LICENSE": b"../a/LICENSE",
    "/c/LICENSE": b"../docs",
    "/d/LICENSE": b"../sub/LICENSE",
    "/e/LICENSE": b"../lost",
    "/f/LICENSE": b"../sub",
}


def link(path: str, root: str = "r") -> dict:
    return row(path, LINK, SAID[path], root)


def told(partition: Partition) -> dict[str, tuple[str | None, str | None]]:
    return {r["link"]: (r["path"], r["why"]) for r in followed(partition).to_pylist()}


def test_a_target_may_lie_in_another_partition(tmp_path):
    one, two, three = followed_in(
        tmp_path,
        [link("/a/LICENSE"), row("/a/x.py")],
        [link("/b/LICENSE"), link("/c/LICENSE"), link("/d/LICENSE"), row("/sub", SUBMODULE)],
        [row("/docs/words", said=b"MIT"), link("/f/LICENSE")],
    )
    assert told(one) == {"/a/LICENSE": ("/docs/words", None)}
    # a link to a folder is like a folder; what lies in a submodule is not there
    assert told(two) == {
        "/b/LICENSE": ("/docs/words", None), "/d/LICENSE": (None, links.NOWHERE),
    }  # fmt: skip
    assert told(three) == {"/f/LICENSE": (None, links.UNREAD)}
    (asked,) = control_rows(one, True).to_pylist()
    assert (asked["link"], asked["path"], asked["kind"]) == (
        "/a/LICENSE", "/docs/words", "license_file",
    )  # fmt: skip
    assert asked["content_id"] == content_id(b"MIT") and asked["row"] is None
    assert control_rows(one, False).num_rows == 0


def test_links_stay_in_their_root(tmp_path):
    (one,) = followed_in(tmp_path, [link("/a/LICENSE"), row("/docs/words", root="q", said=b"MIT")])
    assert told(one) == {"/a/LICENSE": (None, links.NOWHERE)}


def test_roots_that_nobody_may_read_are_left_alone(tmp_path):
    (one,) = followed_in(tmp_path, [link("/a/LICENSE"), row("/docs/words")], dead="r")
    assert told(one) == {} and not one.links.exists()


def test_what_cannot_be_read_leads_nowhere(tmp_path):
    skip = [(content_id(SAID["/a/LICENSE"]).hex(), "crashed")]
    rows = [link("/a/LICENSE"), link("/e/LICENSE"), row("/docs/words"), row("/lost")]
    rows[-1] |= {"verdict": "source:unreadable"}
    (one,) = followed_in(tmp_path, rows, skip=skip)
    assert told(one) == {"/a/LICENSE": (None, links.UNREAD), "/e/LICENSE": (None, links.UNREAD)}


def test_links_that_kill_a_worker_are_found_and_set_aside(tmp_path):
    class Calls:
        def place(self, *inputs):
            return tmp_path / partitions.digest(*inputs)

    parts = [[link("/a/LICENSE"), row("/docs/words")], [link("/b/LICENSE"), link("/c/LICENSE")]]
    found = followed_in(tmp_path, *parts)
    suspects = _Links(Calls(), Quarantine(tmp_path / "quarantine.jsonl"))
    item = suspects.again(LinksItem(tuple(found), tmp_path / "book.json", tmp_path))
    assert suspects.size(item) == 3 and item.skip == frozenset()
    name = suspects.accuse(suspects.part(item, 1, 2), 1, Failure("timeout", "too long"))
    one = content_id(SAID["/b/LICENSE"]).hex()
    assert name == f"swh:1:cnt:{one}"
    again = suspects.again(item)
    assert again.skip == {(one, "timeout")} and again.out != item.out
    data = {path: SAID[path] for path in ("/a/LICENSE", "/b/LICENSE", "/c/LICENSE")}
    LinksTask((Store(data),))(again)
    led = partitions.read_arrow(again.out / found[1].path.name).to_pylist()
    assert next((r["link"], r["why"]) for r in led) == ("/b/LICENSE", links.UNREAD)


@pytest.mark.parametrize("cut", [(0, 1), (1, 2), (1, 3), (0, 3)])
def test_a_part_of_the_links(tmp_path, cut):
    parts = [[link("/a/LICENSE"), row("/docs/words")], [link("/b/LICENSE"), link("/c/LICENSE")]]
    found = followed_in(tmp_path, *parts)
    out = tmp_path / "some"
    data = {path: SAID[path] for path in ("/a/LICENSE", "/b/LICENSE", "/c/LICENSE")}
    item = LinksItem(tuple(found), tmp_path / "book.json", out, *cut)
    assert LinksTask((Store(data),))(item)[0] == cut[1] - cut[0]


def test_names_that_are_not_utf8(tmp_path):
    def raw(one: dict, name: bytes) -> dict:
        return one | {"path_bytes": name, "path": name.decode("utf-8", "backslashreplace")}

    target = b"../\xe9/words"
    rows = [row("/a/COPYING", LINK, target), raw(row("/words", said=b"MIT"), b"/\xe9/words")]
    SAID_ = {"/a/COPYING": target}
    path = tmp_path / "part-000000.arrow"
    partitions.write_arrow(path, pa.Table.from_pylist(rows, schema=LISTED))
    heads = [{"root": "r", "verdict": None}]
    partitions.write_arrow(tmp_path / "heads.arrow", pa.Table.from_pylist(heads, schema=ROOTS))
    book = tmp_path / "book.json"
    book.write_text(json.dumps({"inputs": [[0, ["c", 1, ""]]], "listings": []}))
    one = Partition(0, path, tmp_path / "heads.arrow", "p/0", tmp_path / "links" / path.name)
    LinksTask((Store(SAID_),))(LinksItem((one,), book, tmp_path / "links"))
    assert told(one) == {"/a/COPYING": ("/\\xe9/words", None)}
