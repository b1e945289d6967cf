"""Receipts: what one request took from one release, what stayed and why, in words and in digests.

Whoever asked gets an answer that can be checked: the digests of both manifests fix every byte
before and after. Receipts name the asker's own repositories and other people's copies, so they stay
with the maintainer, in a folder beside the registry, and go to the asker alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.optout.apply import BY_COPIES, hits, match_heads
from stackcurate.optout.preview import NAMED, Found, as_if_approved, copied_contents
from stackcurate.optout.registry import Registry, Request
from stackcurate.optout.subjects import OWNER, SWHID, origin_keys
from stackcurate.schema import one_chunk
from stackcurate.storage.partitions import write_json
from stackcurate.text import as_size, visible, with_commas

#: Files that a receipt spells out; all are counted.
FILES = 1_000

Receipt = dict[str, Any]


def receipts(
    found: Found,
    registry: Registry,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    holders: Sequence[str] = (),
) -> list[Receipt]:
    """A receipt per approved request that met something in the release.

    ``before`` and ``after`` are ``release_id``, ``version`` and ``manifest_sha256`` of the two
    releases; ``holders`` are other published versions that may still hold what was withdrawn.
    """  # fmt: skip
    made = []
    for request in _near(found, registry):
        alone = as_if_approved([request], registry)
        files = found.files.drop_columns(["verdict"])
        own = pc.is_valid(hits(files, alone))
        contents = copied_contents(files, found.listed, alone)
        copies = pc.is_in(one_chunk(files, "content_id"), contents, skip_nulls=True)
        mine = found.files.filter(pc.or_(own, copies))
        heads = found.heads.filter(pc.is_valid(match_heads(found.heads, alone)))
        if mine.num_rows or heads.num_rows:
            made.append(_receipt(request, mine, heads, found, before, after, holders))
    return made


def contents_of(request: Request, found: Found, registry: Registry) -> list[str]:
    """Content ids that this request withdraws wherever they stand: what gets tombstones."""
    subject = request.subject
    if subject and subject.kind == SWHID and subject.value.startswith("swh:1:cnt:"):
        return [subject.value.removeprefix("swh:1:cnt:")]
    alone = as_if_approved([request], registry)
    files = found.files.drop_columns(["verdict"])
    ids: list[str] = copied_contents(files, found.listed, alone).to_pylist()
    return ids


def _near(found: Found, registry: Registry) -> Iterator[Request]:
    """The approved requests that can have met a row: few of thousands."""
    origins = pc.unique(
        pa.concat_arrays([one_chunk(found.files, "origin"), one_chunk(found.heads, "origin"),
                          one_chunk(found.listed, "origin")])
    )  # fmt: skip
    names: set[str] = set()
    for key in origin_keys(origins).to_pylist():
        parts = (key or "").split("/")
        names |= {"/".join(parts[:size]) for size in range(1, len(parts) + 1)}
    for request in registry.approved():
        subject = request.subject
        if subject and (subject.kind == SWHID or subject.value in names):
            yield request


def _receipt(
    request: Request, mine: pa.Table, heads: pa.Table, found: Found,
    before: Mapping[str, Any], after: Mapping[str, Any], holders: Sequence[str],
) -> Receipt:  # fmt: skip
    origins = sorted({*heads["origin"].to_pylist(), *mine["origin"].to_pylist()})
    named = mine.select(["origin", "path", "content_id", "row_key", "verdict"])
    return {
        "request": request.id,
        "subject": str(request.subject),
        "reach": request.reach,
        "approved": request.time,
        "before": dict(before),
        "after": dict(after),
        "matched": {
            "repositories": len(origins),
            "names": origins[:NAMED],
            "files": mine.num_rows,
            "bytes": pc.sum(mine["text_bytes"]).as_py() or 0,
            "languages": dict(
                sorted(Counter(n or "unknown" for n in mine["language"].to_pylist()).items())
            ),
            "by_copy": pc.sum(pc.equal(mine["verdict"], BY_COPIES)).as_py() or 0,
        },
        "withdrawn": named.slice(0, FILES).to_pylist(),
        "stayed": list(_stayed(request, mine, heads, found, holders)),
    }


def _stayed(
    request: Request, mine: pa.Table, heads: pa.Table, found: Found, holders: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """What of it is still somewhere, each with its reason."""
    alone = as_if_approved([request])
    listed = found.listed.filter(pc.is_valid(match_heads(found.listed, alone)))
    contents = pa.concat_arrays([one_chunk(mine, "content_id"), one_chunk(listed, "content_id")])
    elsewhere = found.others.filter(pc.is_in(found.others["content_id"], contents, skip_nulls=True))
    kept = elsewhere.filter(pc.equal(elsewhere["outcome"], "kept"))
    if kept.num_rows:
        yield _reason(
            "the same contents at other people's places, which this request does not name", kept
        )
    lost = elsewhere.filter(pc.not_equal(elsewhere["outcome"], "kept"))
    if lost.num_rows:
        yield _reason(
            "other people's copies that were left out of this release already: a patch does not "
            "bring them in, a later full run can",
            lost,
        )
    roots = pc.drop_null(one_chunk(heads, "directory_id"))
    if len(roots) and found.same_root:
        yield {
            "why": "repositories of other people with the same root directory; they are listed, "
            "without files of their own",
            "files": 0,
            "names": found.same_root[:NAMED],
        }
    if holders:
        yield {
            "why": "versions that were published before; they are not changed, and users are asked "
            "to move to the newest",
            "files": 0,
            "names": list(holders),
        }


def _reason(why: str, rows: pa.Table) -> dict[str, Any]:
    names = sorted(set(rows["origin"].to_pylist()))
    return {"why": why, "files": rows.num_rows, "names": names[:NAMED]}


def folder(registry: Path) -> Path:
    """Where the receipts of the registry at ``registry`` lie."""
    return registry.with_name(registry.stem + ".receipts")


def keep(registry: Path, made: Sequence[Receipt]) -> None:
    """Write receipts beside the registry: one file a request and release."""
    for one in made:
        name = f"{one['after']['release_id']}.json"
        place = folder(registry) / quote(one["request"], safe="") / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write_json(place, one)


def kept(registry: Path, request_id: str) -> list[Receipt]:
    """The receipts of one request, by release id."""
    place = folder(registry) / quote(request_id, safe="")
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(place.glob("*.json"))]


def reply(request: Request, made: Sequence[Receipt], reason: str = "") -> str:
    """The answer to whoever asked, in plain words. ``reason`` is why a request was denied."""
    subject = "what you asked for" if request.subject is None else f"`{_name(request)}`"
    words = {
        "review": "We have your request and could not tell for certain which repositories or files "
        "you mean. Please name them, one a line, as `owner/name` or as a link.",
        "pending": f"We have your request about {subject}. It is not decided yet.",
        "denied": f"We did not withdraw {subject}. {reason or 'See below for how to appeal.'}",
        "undone": f"As you wished, the withdrawal of {subject} was undone. The next full release "
        "can hold these files again.",
    }
    if request.state != "approved":
        return f"Hello,\n\n{words[request.state]}\n\n{_END}"
    if not made:
        return (
            f"Hello,\n\nYour request about {subject} is approved. No release has been made since; "
            f"every release from now on leaves it out.\n\n{_END}"
        )
    return f"Hello,\n\n{_done(request, made)}\n\n{_END}"


_END = (
    "Your request is number {id} in the public registry, which holds what was asked and decided, "
    "and no names, addresses or proofs. You can have it undone, or ask somebody else to look at it "
    "again, by answering here."
)


def _name(request: Request) -> str:
    subject = request.subject
    assert subject is not None
    tail = "" if subject.glob is None else f" {subject.glob}"
    extra = ", present and future repositories" if subject.kind == OWNER else ""
    return visible(f"{subject.value}{tail}") + extra


def _done(request: Request, made: Sequence[Receipt]) -> str:
    parts = []
    for one in made:
        matched = one["matched"]
        parts.append(
            f"`{_name(request)}` was withdrawn: {with_commas(matched['files'])} files "
            f"({as_size(matched['bytes'])}) of {with_commas(matched['repositories'])} repositories "
            f"are no longer in version {one['after']['version']} "
            f"(release id {one['after']['release_id']})."
        )
        for stay in one["stayed"]:
            count = f" ({with_commas(stay['files'])} files)" if stay["files"] else ""
            names = ", ".join(visible(name) for name in stay["names"][:5])
            more = f" and {len(stay['names']) - 5} more" if len(stay["names"]) > 5 else ""
            parts.append(f"What stays: {stay['why']}{count}: {names}{more}.")
        parts.append(
            f"To check: the SHA-256 of manifest.json was {one['before']['manifest_sha256']} before "
            f"and is {one['after']['manifest_sha256']} now."
        )
    parts.append(
        "The archive that the files came from has its own terms and its own way to ask for "
        "removal; copies that others downloaded are out of our reach."
    )
    return "\n\n".join(parts)


def answer(request: Request, made: Sequence[Receipt], reason: str = "") -> str:
    """``reply`` with the request's number filled in."""
    return reply(request, made, reason).replace("{id}", visible(request.id)) + "\n"


def page(request: Request, made: Sequence[Receipt]) -> str:
    """The receipts of one request as one page: nothing fetched, nothing run, every name escaped."""
    loader = jinja2.PackageLoader("stackcurate", "optout")
    env = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    env.filters.update({"count": with_commas, "size": as_size, "seen": visible})
    return env.get_template("receipt.html").render(request=request, receipts=made)
