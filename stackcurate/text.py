"""Makes values fit for people's eyes: hostile names cannot act on a terminal, sizes read easily."""

from __future__ import annotations

import unicodedata

# Controls, formats (bidirectional overrides, zero widths), surrogates, private and unassigned
# characters, line and paragraph separators: all that moves or hides text around it.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str, longest: int = 200) -> str:
    """``text`` with every character that is not seen as itself written ``\\xNN`` or ``\\uNNNN``.

    Longer than ``longest`` characters, it ends in an ellipsis.
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isascii() and cut.isprintable():
        return cut
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in _HIDDEN else c
        for c in cut
    )


def with_commas(number: int) -> str:
    """``1234567`` as ``1,234,567``."""
    return f"{number:,}"


def as_size(number: int) -> str:
    """Bytes in powers of 1,000: ``999 B``, ``1.5 kB``, ``67.5 TB``."""
    if abs(number) < 1000:
        return f"{number} B"
    size = float(number)
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if abs(size) < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} PB"


def as_share(part: int, whole: int) -> str:
    """A share in percent: ``12.3 %``; what is there but rounds to nothing reads ``<0.1 %``."""
    if not whole:
        return "-"
    share = 100 * part / whole
    return "<0.1 %" if 0 < share < 0.05 else f"{share:.1f} %"
