"""How a release is named in a paper: BibTeX, APA, or its CITATION.cff.

All three come from the release's CITATION.cff, the one place that says who made it. A release does
not know when it was made (the same input gives the same bytes): the year is the writer's to give.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from stackcurate.errors import IntegrityError
from stackcurate.releases.manifest import read_manifest
from stackcurate.text import visible

FORMATS = ("bibtex", "apa", "cff")
CITATION = "CITATION.cff"

# TeX reads these as commands.
_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{c: "\\" + c for c in "&%$#_{}"},
}


def cite(release: Path, form: str = "bibtex", year: int | None = None) -> str:
    """The citation of the release folder in one of FORMATS.

    Raises ConfigError where there is no release, IntegrityError where its citation is damaged.
    """
    manifest = read_manifest(release)
    try:
        text = (release / CITATION).read_text(encoding="utf-8")
        said = yaml.safe_load(text)
        authors = [dict(author) for author in said["authors"]]
        title = str(said["title"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        raise IntegrityError(
            f"{release / CITATION} is missing or damaged; `stackcurate verify {release}` says more"
        ) from None
    if form == "cff":
        return text
    facts = (title, str(manifest["version"]), str(manifest["release_id"]), year)
    return bibtex(authors, *facts) if form == "bibtex" else apa(authors, *facts)


def bibtex(
    authors: Sequence[Mapping[str, Any]],
    title: str,
    version: str,
    release_id: str,
    year: int | None,
) -> str:
    """A BibTeX entry; its key is the release id, so that two versions can be cited side by side."""
    names = " and ".join(_bibtex_name(author) for author in authors)
    fields = {
        "title": "{" + _tex(title) + "}",
        "author": names,
        "version": _tex(version),
        "note": f"Data set, stackcurate release id {_tex(release_id)}",
    }
    if year is not None:
        fields["year"] = str(year)
    body = "".join(f"  {name:<7} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{re.sub(r'[^A-Za-z0-9.:_-]', '-', release_id)},\n{body}}}\n"


def apa(
    authors: Sequence[Mapping[str, Any]],
    title: str,
    version: str,
    release_id: str,
    year: int | None,
) -> str:
    """A reference in the style of APA 7: authors, year, title, version, kind, release id."""
    names = [_apa_name(author) for author in authors]
    if len(names) > 20:  # the style's own rule: the first 19, an ellipsis, the last
        names = [*names[:19], f". . . {names[-1]}"]
        who = ", ".join(names)
    else:
        who = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, & {names[-1]}"
    who = who if who.endswith(".") else f"{who}."
    when = "n.d." if year is None else str(year)
    title = visible(title, 1000)
    return f"{who} ({when}). {title} (Version {version}) [Data set]. Release id {release_id}.\n"


def _bibtex_name(author: Mapping[str, Any]) -> str:
    """Persons as ``Family, Given``; a group in braces, so that nobody splits its name."""
    family = str(author.get("family-names", "")).strip()
    if not family:
        return "{" + _tex(str(author.get("name", "")).strip()) + "}"
    before = str(author.get("name-particle", "")).strip()
    name = f"{before} {family}".strip()
    parts = [name, author.get("name-suffix", ""), author.get("given-names", "")]
    return ", ".join(_tex(str(part)) for part in parts if part)


def _apa_name(author: Mapping[str, Any]) -> str:
    family = str(author.get("family-names", "")).strip()
    if not family:
        return visible(str(author.get("name", "")).strip(), 1000)
    name = f"{author.get('name-particle', '')} {family}".strip()
    given = str(author.get("given-names", "")).split()
    initials = " ".join("-".join(f"{part[0]}." for part in one.split("-") if part) for one in given)
    return visible(", ".join(part for part in (name, initials) if part), 1000)


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in visible(text, 1000))
