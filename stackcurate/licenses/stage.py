"""The license room's door to the pipeline: settings, and the ``header`` stage.

The folder has spoken before a byte was fetched; here the file speaks for itself, and both are
judged together:

====================  ===========================================  ====================
folder                header                                       result
====================  ===========================================  ====================
allowed               none                                         folder's license
override              any, or none                                 folder's license
aggregate             any                                          both, where both are allowed
any                   allowed, and the folder is not refused       header's license
allowed               not allowed                                  header:conflict
refused               allowed                                      header:conflict
refused               none, or not allowed                         header:refused
open                  not allowed                                  header:refused
open                  none                                         header:unstated
====================  ===========================================  ====================

``override`` and ``aggregate`` are allowed folders whose REUSE file says how it stands to headers.
A header that is allowed refines an allowed folder (a BSD file in an MIT project); the header wins.
An open file without a header stays where ``keep_unstated`` asks for it, with the class
``unstated``. A file without a header whose content lies elsewhere under a license that is refused
may be ``license:laundered``; see ``places``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.decided import overrule
from stackcurate.licenses.detect import OWN, detected_by, evidence_id
from stackcurate.licenses.expression import combine, ids, license_class
from stackcurate.licenses.header import TAG, WORDS, headers
from stackcurate.licenses.inherit import GRANTED, OPEN, REFUSED
from stackcurate.licenses.names import without_header
from stackcurate.licenses.paths import AGGREGATE, OVERRIDE
from stackcurate.licenses.places import PLACES, laundered
from stackcurate.licenses.policy import POLICIES, LicenseSettings
from stackcurate.licenses.review import Decision, read
from stackcurate.schema import EVIDENCE, drop, fill, one_chunk

__all__ = ["Header", "LicenseSettings", "header_evidence"]


# How what a header states is known: columns of ``headers``, as `Header` names them.
GROUNDS = (
    "header_start",
    "header_end",
    "header_elsewhere",
    "header_rule",
    "header_matcher",
    "header_score",
    "header_detector",
    "header_decided",
)


@dataclass(frozen=True)
class Header:
    """Let each file's own license notice speak, and drop what its folder and it disagree about.

    ``allow`` are the classes that may be released, ``overrides`` sets classes of single licenses,
    ``keep_unstated`` keeps files for which nothing is stated, ``places`` says whose license
    counts where one content lies in several places (``licenses.places``), ``decided`` is what
    people decided (``licenses.decided``); a file about which they did is judged as an open one.
    """

    name: ClassVar[str] = "header"
    needs: ClassVar[tuple[str, ...]] = (
        "content",
        "content_id",
        "path",
        "license_expression",
        "license_class",
        "license_state",
        "license_evidence",
    )
    fills: ClassVar[tuple[str, ...]] = (
        "header_expression",
        "header_class",
        *GROUNDS,
        "license_expression",
        "license_class",
        "license_evidence",
        "license_state",
        "detected_licenses",
        "license_type",
    )

    allow: frozenset[str] = POLICIES["permissive"]
    overrides: Mapping[str, str] = field(default_factory=dict)
    keep_unstated: bool = False
    places: str = PLACES[0]
    decided: Mapping[str, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: LicenseSettings) -> Header:
        """The stage that follows the config's ``license`` section."""
        overrides = dict(settings.overrides)
        decided = read(settings.decisions)
        return cls(settings.allowed, overrides, settings.keep_unstated, settings.places, decided)

    def find(self, batch: pa.Table) -> pa.Table:
        """The header of every file, and the license that folder and header leave it with."""
        found = overrule(batch, headers(batch["content"]), self.decided)
        said = one_chunk(found, "header_expression")
        state = _column(batch, "license_state")
        unheard = pc.fill_null(pc.equal(state, OVERRIDE), False)
        unheard = pc.or_(unheard, without_header(batch["path"], one_chunk(found, "matcher")))
        nothing = pa.scalar(None, pa.string())
        said = pc.if_else(unheard, nothing, said)
        elsewhere = pc.if_else(unheard, nothing, one_chunk(found, "elsewhere"))
        found = fill(found, pa.table({"header_expression": said, "elsewhere": elsewhere}))
        speaks = pc.is_valid(said)
        last_word = pc.and_(pc.fill_null(one_chunk(found, "last_word"), False), speaks)
        state = pc.if_else(last_word, pa.scalar(OPEN), state)
        evidence = _evidence_ids(batch, found)
        both = _both(state, _column(batch, "license_expression"), said)
        classes = _classes(both, self.overrides)
        expression = pc.if_else(speaks, both, _column(batch, "license_expression"))
        class_ = pc.if_else(speaks, classes, _column(batch, "license_class"))
        class_ = pc.fill_null(class_, "unstated")
        own = pc.if_else(speaks, evidence, _column(batch, "license_evidence"))
        # The Stack v2 knows two values; what other policies let in has none.
        permissive = pc.is_in(class_, pa.array(sorted(POLICIES["permissive"])))
        typed = pc.if_else(
            permissive,
            "permissive",
            pc.if_else(pc.equal(class_, "unstated"), "no_license", pa.scalar(None, pa.string())),
        )
        return pa.table(
            {
                "header_expression": said,
                "header_class": pc.if_else(speaks, classes, pa.scalar(None, pa.string())),
                **{name: found[name.removeprefix("header_")] for name in GROUNDS},
                "license_expression": expression,
                "license_class": class_,
                "license_evidence": own,
                "license_state": state,
                "detected_licenses": _id_lists(expression),
                "license_type": typed,
            }
        )

    def judge(self, batch: pa.Table) -> pa.Table:
        """Mark refused, contradicting and unstated files; see the table above."""
        state = _column(batch, "license_state")
        speaks = pc.is_valid(_column(batch, "header_expression"))
        allowed = pc.fill_null(
            pc.is_in(_column(batch, "header_class"), pa.array(sorted(self.allow), pa.string())),
            False,
        )
        good = pc.and_(speaks, allowed)
        bad = pc.and_(speaks, pc.invert(allowed))
        refused, open_ = pc.equal(state, REFUSED), pc.equal(state, OPEN)
        granted = pc.is_in(state, pa.array(GRANTED))
        conflict = pc.or_(pc.and_(granted, bad), pc.and_(refused, good))
        batch = drop(batch, conflict, "header:conflict")
        # A header that grants is the author's own word, and travels with the bytes.
        copied = pc.and_(laundered(batch, self.places), pc.invert(good))
        batch = drop(batch, pc.and_(copied, pc.invert(bad)), "license:laundered")
        batch = drop(batch, pc.or_(refused, bad), "header:refused")
        if not self.keep_unstated:
            batch = drop(batch, pc.and_(open_, pc.invert(speaks)), "header:unstated")
        return batch


def header_evidence(batch: pa.Table) -> pa.Table:
    """EVIDENCE rows of the headers in a batch that ``Header`` has filled, each content once."""
    rows = batch.filter(pc.is_valid(batch["header_expression"]))
    seen = {}
    columns = ["content_id", "header_expression", "license_evidence"]
    for row in rows.select([*columns, *GROUNDS]).to_pylist():
        seen[row["license_evidence"]] = {
            "evidence_id": row["license_evidence"],
            "content_id": row["content_id"],
            "kind": "header",
            "start": row["header_start"],
            "end": row["header_end"],
            "expression": row["header_expression"],
            "score": row["header_score"],
            "rule": row["header_rule"],
            "matcher": row["header_matcher"],
            "detector": row["header_detector"]
            or (OWN if row["header_matcher"] in (TAG, WORDS) else detected_by()),
        }
    return pa.Table.from_pylist([seen[key] for key in sorted(seen)], schema=EVIDENCE)


def _column(batch: pa.Table, name: str) -> pa.Array:
    column = batch[name].combine_chunks()
    return column.cast(pa.string()) if pa.types.is_null(column.type) else column


def _per_distinct(values: pa.Array, make: object, type_: pa.DataType) -> pa.Array:
    coded = values.dictionary_encode()
    made = [make(text) for text in coded.dictionary.to_pylist()]  # type: ignore[operator]
    return pa.array(made, type_).take(coded.indices)


def _both(state: pa.Array, folder: pa.Array, said: pa.Array) -> pa.Array:
    """What headers say, together with what the folder says where both bind."""
    aggregate = pc.and_(pc.fill_null(pc.equal(state, AGGREGATE), False), pc.is_valid(said))
    rows = pc.indices_nonzero(aggregate)
    if not len(rows):
        return said
    pairs = zip(folder.take(rows).to_pylist(), said.take(rows).to_pylist(), strict=True)
    bound = pa.array([combine(one for one in pair if one) for pair in pairs], pa.string())
    return pc.replace_with_mask(said, aggregate, bound)


def _classes(expressions: pa.Array, overrides: Mapping[str, str]) -> pa.Array:
    return _per_distinct(expressions, lambda text: license_class(text, overrides), pa.string())


def _id_lists(expressions: pa.Array) -> pa.Array:
    """The ids of each expression, sorted, as The Stack v2 lists them; empty where none is known."""
    lists = _per_distinct(expressions, lambda text: sorted(ids(text)), pa.list_(pa.string()))
    return pc.if_else(pc.is_valid(lists), lists, pa.scalar([], pa.list_(pa.string())))


def _evidence_ids(batch: pa.Table, found: pa.Table) -> pa.Array:
    """Evidence ids of the headers; null where a file has none."""
    content = _column(batch, "content_id")
    # One array: pyarrow 25 crashes on a column of no chunks.
    rows = pc.indices_nonzero(one_chunk(found, "header_expression").is_valid()).to_pylist()
    made: list[str | None] = [None] * batch.num_rows
    content_ids = content.to_pylist() if rows else []
    columns = [found[name].to_pylist() for name in ("start", "end", "header_expression")]
    for row in rows:
        content_id = content_ids[row]
        text = content_id.hex() if isinstance(content_id, bytes) else content_id
        made[row] = evidence_id(
            text or "", "header", columns[0][row], columns[1][row], columns[2][row]
        )
    return pa.array(made, pa.string())
