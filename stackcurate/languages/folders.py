"""Names folders and dataset configs after languages, in characters that every reader takes."""

from __future__ import annotations

import functools

from stackcurate.languages.table import language_names

UNKNOWN = "_unknown"  # no language has an underscore first
_FORBIDDEN = {
    "<": "_lt",
    ">": "_gt",
    ":": "_colon",
    "/": "_slash",
    "\\": "_backslash",
    "|": "_bar",
    "?": "_question",
    "*": "_star",
}
# Names that Windows keeps for devices, with or without an extension.
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)


@functools.cache
def folder_name(language: str | None) -> str:
    """The folder of ``language``: what file systems refuse is spelled out.

    ``F*`` becomes ``F_star``, ``F#`` stays, None is ``_unknown``. No two languages of the
    table share a folder, also where letter case does not count (a test holds this).
    """
    if language is None:
        return UNKNOWN
    name = "".join(_FORBIDDEN.get(char, char) for char in language).strip(". ")
    if not name or name.split(".")[0].lower() in _RESERVED or name.startswith("_"):
        name = f"language_{name}"
    return name


def config_name(language: str | None) -> str:
    """The dataset config of ``language``, equal to its folder."""
    return folder_name(language)


@functools.cache
def language_of_folder(folder: str) -> str | None:
    """The language whose folder this is; None for ``_unknown`` and for no folder of the table."""
    for language in language_names():
        if folder_name(language) == folder:
            return language
    return None
