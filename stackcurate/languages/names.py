"""What a file's name alone says about its language."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from stackcurate.languages.table import Names, facts


@dataclass(frozen=True)
class ByName:
    """Candidates of a base name: none, one or several, and the fact that gave them.

    ``method`` is ``filename`` or ``extension``; ``default`` is the language to fall back on when
    several share the extension and the content is not clear.
    """

    candidates: Names
    method: str
    default: str | None
    has_extension: bool


@functools.lru_cache(maxsize=1 << 16)
def by_name(name: str) -> ByName:
    """The candidates of base name ``name``: exact file name first, then the longest extension.

    ``a.blade.php`` is tried as ``.blade.php`` before ``.php``. An extension is looked up as it is
    written (``.C`` is C++), then in lower case; in a name without lower-case letters (``MAIN.C``)
    capitals say nothing, so only the lower-case form counts.
    """
    table = facts()
    known = table.by_filename.get(name)
    if known:
        return ByName(known, "filename", None, True)
    shouting = name == name.upper() and name.rfind(".") > 0
    at = name.find(".")
    has_extension = 0 <= at < len(name) - 1
    while at >= 0:
        extension = name[at:]
        for spelling in (extension.lower(),) if shouting else (extension, extension.lower()):
            found = table.by_extension.get(spelling)
            if found:
                return ByName(
                    found, "extension", table.default_of_extension.get(spelling), has_extension
                )
        at = name.find(".", at + 1)
    return ByName((), "extension", None, has_extension)
