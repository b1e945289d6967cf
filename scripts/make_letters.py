"""Builds stackcurate/tables/letters.json, so that signals do not depend on the Python that counts.

Usage: ``python scripts/make_letters.py``. The ranges are those of the Unicode version of the Python
that runs this (``str.isalpha`` and ``str.isalnum``), which the file names.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "stackcurate" / "tables" / "letters.json"


def ranges(test: Callable[[str], bool]) -> list[list[int]]:
    """Inclusive ranges of code points, in order, whose character passes ``test``."""
    found: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if test(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return found


if __name__ == "__main__":
    table = {
        "source": "Unicode Character Database, as str.isalpha and str.isalnum read it",
        "version": unicodedata.unidata_version,
        "alpha": ranges(str.isalpha),
        "alphanum": ranges(str.isalnum),
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in table.items()]
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
