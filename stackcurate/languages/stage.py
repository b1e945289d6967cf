"""The language stage: names each file's language and role, drops what nobody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate import schema
from stackcurate.languages import detect, flags


@dataclass(frozen=True)
class Language:
    """Name each file's language; drop the languages nobody asked for.

    keep: languages to keep; empty keeps every language, also files without one.
    drop: languages to drop, after ``keep``.
    """

    name: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("path", "content")
    fills: ClassVar[tuple[str, ...]] = (*detect.SCHEMA.names, *flags.SCHEMA.names)

    keep: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()

    def find(self, batch: pa.Table) -> pa.Table:
        """Language, method, confidence, candidates and flags of every row."""
        found = detect.detect(batch["path"], batch["content"])
        return schema.fill(found, flags.flags(batch["path"], batch["content"], found["language"]))

    def judge(self, batch: pa.Table) -> pa.Table:
        """Mark ``language:unwanted`` where the language is not kept."""
        unwanted = _is_one_of(batch["language"], self.drop)
        if self.keep:
            unwanted = pc.or_(unwanted, pc.invert(_is_one_of(batch["language"], self.keep)))
        return schema.drop(batch, unwanted, "language:unwanted")


def _is_one_of(languages: pa.ChunkedArray, wanted: frozenset[str]) -> pa.ChunkedArray:
    """True where the language is in ``wanted``; false for null."""
    return pc.is_in(languages, pa.array(sorted(wanted), pa.string()))
