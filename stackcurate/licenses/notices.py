"""The NOTICE bundle of a subset of a release: every license text it rests on, and for what.

``texts.parquet`` of a release holds the texts of license files and manifests that kept files rest
on, each once, linked by ``content_id`` to evidence and by evidence to files. A file that is covered
by its own header carries its notice itself; the bundle quotes the head of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stackcurate.licenses import heads

TEXTS = pa.schema(
    [
        ("content_id", pa.string()),  # as in evidence.parquet
        ("kind", pa.string()),  # license_file, manifest, ...
        ("text", pa.large_string()),  # decoded, and redacted where the release is
    ]
)


class Notice(NamedTuple):
    """One text of the bundle and what it covers."""

    expression: str
    text: str
    repositories: tuple[str, ...]
    files: int


def leading_comment(text: str) -> str:
    """The comment that opens a source file, where its notice stands; empty where there is none."""
    data = text.encode()[: heads.HEAD]
    end = int(heads.comment_end(np.frombuffer(data, np.uint8), 0, len(data)))
    return data[:end].decode("utf-8", "replace").strip()


def bundle(rows: Iterable[Mapping[str, Any]], texts: Mapping[str, str]) -> list[Notice]:
    """The notices of files, each text and expression once, sorted by expression and text.

    ``rows`` are files with ``repo_name``, ``license_expression``, ``evidence`` (the EVIDENCE row's
    ``kind`` and ``content_id``, or None) and, where the kind is ``header``, ``head`` (the start of
    the content). ``texts`` gives the text of a content id. What a host declares, and texts that are
    not there, leave the expression alone to speak.
    """
    found: dict[tuple[str, str], tuple[set[str], int]] = {}
    for row in rows:
        evidence = row["evidence"] or {}
        if evidence.get("kind") == "header":
            text = leading_comment(row["head"] or "")
        else:
            text = texts.get(evidence.get("content_id") or "", "").strip()
        key = (row["license_expression"] or "no license stated", text)
        repositories, files = found.get(key, (set(), 0))
        repositories.add(row["repo_name"] or "")
        found[key] = (repositories, files + 1)
    return [
        Notice(expression, text, tuple(sorted(repositories)), files)
        for (expression, text), (repositories, files) in sorted(found.items())
    ]


def written(notices: Iterable[Notice], title: str) -> Iterator[str]:
    """The bundle as lines of plain text."""
    yield title
    for one in notices:
        shown = ", ".join(one.repositories)
        files = "1 file" if one.files == 1 else f"{one.files:,} files"
        yield ""
        yield "=" * 80
        yield one.expression
        yield f"{files} of {shown}"
        yield "-" * 80
        yield one.text or "(no text: see the expression above)"
