"""What people decided about headers and single files, put in the place of what was read there.

A decision names what it is about by a digest: of a header's words, wherever they stand; of these
words in one repository, whose folders contradict them; or of one file's bytes. The first replaces
what the words mean. The others are the last word about these files: no folder speaks against them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.licenses.expression import license_class, normalize
from stackcurate.licenses.review import MATCHER, Decision, said_in
from stackcurate.schema import fill, one_chunk

# What `overrule` adds to the columns of ``header.headers``.
WHO = pa.schema(
    [
        ("detector", pa.string()),  # who decided
        ("decided", pa.string()),  # the id of the decision
        ("last_word", pa.bool_()),  # whether the folder has no say
    ]
)


def words_id(words: bytes) -> str:
    """The id of some words: git's, of a file that holds nothing else."""
    return hashlib.sha1(b"blob %d\0" % len(words) + words, usedforsecurity=False).hexdigest()


def words_of(origin: str, words: bytes) -> str:
    """The id of a header's words in the files of one repository."""
    return words_id(b"header of %s\n%s" % (origin.encode(), words))


def overrule(batch: pa.Table, found: pa.Table, decided: Mapping[str, Decision]) -> pa.Table:
    """``found`` (see ``header.headers``) of a batch, as people decided it, with the columns of WHO.

    Reads ``content``, ``content_id``, ``origin``.
    """
    nobody = pa.table([pa.nulls(found.num_rows, f.type) for f in WHO], schema=WHO)
    answers = _decisions(batch, found, decided) if decided else []
    if not answers:
        return fill(found, nobody)
    said = fill(found, nobody).to_pylist()
    for row, key, last_word in answers:
        one = decided[key]
        expression = normalize(one.expression or "")
        if expression is not None and license_class(expression) == "unstated":
            expression = None  # it says nothing after all
        said[row] |= {
            **({"start": 0, "end": 0} if said[row]["start"] is None else {}),
            "header_expression": expression,
            "rule": said_in(one),
            "matcher": MATCHER,
            "score": 100.0,
            "detector": one.who,
            "decided": key,
            "last_word": last_word and expression is not None,
        }
    return pa.Table.from_pylist(said, schema=pa.schema([*found.schema, *WHO]))


def _decisions(
    batch: pa.Table, found: pa.Table, decided: Mapping[str, Decision]
) -> list[tuple[int, str, bool]]:
    """(row, id of the decision, whether it is the last word), each row once."""
    ids: list[Any] = batch["content_id"].to_pylist()
    keys = [one.hex() if isinstance(one, bytes) else one for one in ids]
    answers = [(row, key, True) for row, key in enumerate(keys) if key in decided]
    taken = {row for row, _, _ in answers}
    for row in pc.indices_nonzero(one_chunk(found, "start").is_valid()).to_pylist():
        if row not in taken:
            words = words_at(batch, row, found["start"][row].as_py(), found["end"][row].as_py())
            here = words_of(batch["origin"][row].as_py(), words)
            if here in decided:
                answers.append((row, here, True))
            elif words_id(words) in decided:
                answers.append((row, words_id(words), False))
    return answers


def words_at(batch: pa.Table, row: int, start: int, end: int) -> bytes:
    """Bytes of a file's content."""
    buffer = batch["content"][row].as_buffer()
    return bytes(memoryview(buffer)[start:end])
