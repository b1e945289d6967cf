"""The texts of a release: what its evidence and its papers point at, each once."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.pipeline.evidence import Evidence
from stackcurate.schema import TEXTS, conform


def license_texts(evidence: Evidence, kinds: pa.Table) -> Iterator[pa.Table]:
    """The texts behind ``kinds`` (``content_id``, ``kind``); schema TEXTS, sorted by content id.

    Headers are left out: their files ship. The texts were decoded, and redacted where the files
    are, when they were read; names of authors stay, as their notices ask.
    """
    kinds = kinds.filter(pc.not_equal(kinds["kind"], "header"))
    kinds = kinds.group_by("content_id").aggregate([("kind", "min")])
    ids = kinds["content_id"].combine_chunks()
    for texts in evidence.texts(ids):
        of = kinds["kind_min"].take(pc.index_in(texts["content_id"], ids))
        yield conform(texts.append_column("kind", of), TEXTS)
