"""The NOTICE bundle of a subset of a release: every license and notice text that goes with it.

``papers.parquet`` of a release says where license and notice files lie in the repositories that
ship files, ``texts.parquet`` holds each distinct text once. With a file go

* the license files of the nearest folder that has some; else, of an installed package that lies
  beside its papers, all of these papers where its license rests on one of them,
* the notices of every folder above it (``NOTICE`` binds whoever passes the code on),
* texts in a ``LICENSES`` folder that its expression names,
* its own header, quoted, where that is what its license rests on,
* else what its license rests on, where no license file is there (a manifest).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from stackcurate.licenses import heads, names
from stackcurate.licenses.cover import climb
from stackcurate.licenses.expression import ids
from stackcurate.licenses.inherit import folder_of, voice_of
from stackcurate.licenses.layout import above, is_info

HEADER = "header"
Paper = tuple[str, str, str]  # kind, path, content_id


class Notice(NamedTuple):
    """One text of the bundle, what it is, and what it goes with."""

    kind: str  # license_file, license_text, notice, header, manifest, or "" where there is no text
    expressions: tuple[str, ...]  # of the files
    text: str
    paths: tuple[str, ...]  # where it lies, by repository; empty for quoted headers
    repositories: tuple[str, ...]
    files: int


@dataclass
class Papers:
    """The license and notice files of repositories, by origin and the folder they speak for; those
    of installed packages by the folder they lie in, too.
    """

    folders: dict[str, dict[str, list[Paper]]] = field(default_factory=dict)
    packages: dict[str, dict[str, list[Paper]]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]]) -> Papers:
        """From rows of ``schema.PAPERS``."""
        found: dict[str, dict[str, list[Paper]]] = {}
        packages: dict[str, dict[str, list[Paper]]] = {}
        for row in rows:
            paper = (row["kind"], row["path"], row["content_id"])
            at = found.setdefault(row["origin"], defaultdict(list))
            at[folder_of(row["path"])].append(paper)
            voice = voice_of(row["path"])
            if is_info(voice):
                packages.setdefault(row["origin"], defaultdict(list))[voice].append(paper)
        return cls(found, packages)

    def of_file(
        self, origin: str, path: str, expression: str | None, content_id: str = ""
    ) -> list[Paper]:
        """All that goes with a file whose license rests on the text ``content_id``, sorted."""
        here = self.folders.get(origin)
        if not here:
            return []
        directory = path.rpartition("/")[0]
        found = set()
        for at in climb(directory):
            licenses = [one for one in here.get(at, ()) if one[0] == names.LICENSE_FILE]
            if licenses:
                found.update(licenses)
                break
        else:
            found.update(self._of_package(origin, path, content_id))
        wanted = ids(expression) if expression else frozenset()
        while True:
            found.update(one for one in here.get(directory, ()) if one[0] == names.NOTICE)
            texts = here.get(f"{directory}/LICENSES", ())
            found.update(one for one in texts if wanted and _stem(one[1]) in wanted)
            if not directory:
                return sorted(found)
            directory = directory.rpartition("/")[0]

    def _of_package(self, origin: str, path: str, content_id: str) -> Iterator[Paper]:
        for voice, papers in self.packages.get(origin, {}).items():
            if path.startswith(f"{above(voice)}/") and any(one[2] == content_id for one in papers):
                yield from papers


def _stem(path: str) -> str:
    """The id that a file of a LICENSES folder is named after."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] if "." in name else name


def leading_comment(text: str) -> str:
    """The comment that opens a source file, where its notice stands; empty where there is none."""
    data = text.encode()[: heads.HEAD]
    end = int(heads.comment_end(np.frombuffer(data, np.uint8), 0, len(data)))
    return data[:end].decode("utf-8", "replace").strip()


@dataclass
class _Entry:
    kinds: set[str] = field(default_factory=set)
    expressions: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)
    repositories: set[str] = field(default_factory=set)
    files: int = 0


def bundle(
    rows: Iterable[Mapping[str, Any]], texts: Mapping[str, str], papers: Papers
) -> list[Notice]:
    """The notices of files, each text once, sorted by expressions and text.

    ``rows`` are files with ``origin``, ``repo_name``, ``path``, ``license_expression``,
    ``evidence`` (the EVIDENCE row's ``kind`` and ``content_id``, or None) and, where the kind is
    ``header``, ``head`` (the start of the content). ``texts`` gives the text of a content id. What
    a host declares, and texts that are not there, leave the expression alone to speak.
    """
    found: dict[str, _Entry] = {}
    for row in rows:
        expression = row["license_expression"]
        for kind, path, text in _of_row(row, texts, papers):
            entry = found.setdefault(text or f"\0{expression}", _Entry())
            entry.kinds.add(kind)
            entry.expressions.add(expression or "no license stated")
            entry.repositories.add(row["repo_name"] or "")
            entry.files += 1
            if path:
                entry.paths.add(f"{row['repo_name'] or ''}{path}")
    made = [
        Notice(
            min(one.kinds, key=_ORDER.index), tuple(sorted(one.expressions)),
            "" if text.startswith("\0") else text,
            tuple(sorted(one.paths)), tuple(sorted(one.repositories)), one.files,
        )
        for text, one in found.items()
    ]  # fmt: skip
    return sorted(made, key=lambda one: (one.expressions, _ORDER.index(one.kind), one.text))


_ORDER = [*names.PAPER_KINDS, HEADER, names.MANIFEST, names.REUSE, names.README, "declared", ""]


def _of_row(
    row: Mapping[str, Any], texts: Mapping[str, str], papers: Papers
) -> list[tuple[str, str, str]]:
    """(kind, path, text) of all that goes with one file; each text once, never nothing."""
    evidence = row["evidence"] or {}
    kind, content_id = evidence.get("kind") or "", evidence.get("content_id") or ""
    lying = papers.of_file(row["origin"], row["path"], row["license_expression"], content_id)
    told = [(one[0], one[1], _tidy(texts.get(one[2], ""))) for one in lying]
    licensed = any(one[0] != names.NOTICE and one[2] for one in told)
    if kind == HEADER:
        told.append((kind, "", _tidy(leading_comment(row["head"] or ""))))
    elif not licensed and all(one[2] != content_id for one in lying):
        told.append((kind, "", _tidy(texts.get(content_id, ""))))
    distinct = {one[2]: one for one in reversed(told) if one[2]}
    return [distinct[text] for text in sorted(distinct)] or [("", "", "")]


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def written(notices: Iterable[Notice], title: str) -> Iterator[str]:
    """The bundle as lines of plain text."""
    yield title
    for one in notices:
        files = "1 file" if one.files == 1 else f"{one.files:,} files"
        yield ""
        yield "=" * 80
        yield ("Notice, with files under " if one.kind == names.NOTICE else "") + "; ".join(
            one.expressions
        )
        yield f"{files} of {', '.join(one.repositories)}"
        yield "-" * 80
        yield one.text or "(no text: see the expression above)"
