"""License files that only say where the license is: "See COPYING", "../LICENSE" (a link, copied).

They are read as ``LicenseRef-scancode-unknown`` with a rule that names the file; the folder walk
follows it, and what leads nowhere stays unknown. Maven projects without a license point to their
parent in the same way.
"""

from __future__ import annotations

import posixpath
import re

MATCHER = "pointer"
MAX_BYTES = 400  # of a file that may be one
_RULE = "see:"
_FILE = re.compile(
    r"(?:/|(?:\.{1,2}/)+)?(?:[\w.-]+/){0,8}(?:(?:UN)?LICEN[CS]ES?|COPYING|COPYRIGHT)(?:[-.][\w.-]+)?\Z"
    r"|(?:\.\./)+[\w./-]+\Z|(?:\./)?LICENSES/[\w.+-]+\Z"
)
_SIGNS = re.compile(r"[^\w./-]+")
_TOP = frozenset(("root", "top", "toplevel", "top-level", "main"))
_PARENT = frozenset(("parent", "above"))
_PLAIN = re.compile(
    r"a|all|also|and|are|at|be|by|can|check|code|complete|conditions|contain(?:ed|ing)|copy|copyright|"
    r"details?|directory|distribut(?:ed|ion)|files?|folder|for|found|full|in|included|information|is|its?|"
    r"level|licen[cs](?:ed?|es|ing)|located|look|more|notice|of|on|or|package|please|project|provided|"
    r"read|refer|repo|repository|same|see|software|source|subject|terms|text|that|the|this|to|tree|"
    r"under|which|with|you"
)


def rule(text: bytes) -> str | None:
    """The rule of a text that is nothing but a pointer to one file, or None."""
    if not 0 < len(text) <= MAX_BYTES:
        return None
    said = text.decode("utf-8", "replace").split()
    bare = [word.strip("\"'`<>()[]*,;:#=-").rstrip(".") for word in said]
    files = dict.fromkeys(word for word in bare if _FILE.match(word))
    others = {word.lower() for word in bare if word and word not in files}
    if len(files) != 1 or not all(map(_PLAIN.fullmatch, others - _TOP - _PARENT)):
        return None
    (name,) = files
    if not name.startswith("."):
        name = ("/" if others & _TOP else "../" if others & _PARENT else "") + name.lstrip("/")
    return _RULE + name


def parent(path: str, name: str) -> str:
    """The rule of a Maven project without a license: its parent ``name`` should lie at ``path``."""
    path = path if path.endswith(".xml") else f"{path.rstrip('/')}/pom.xml"
    said = " ".join(f"{_RULE}{_SIGNS.sub('', path)} {name}".split())
    return said[:MAX_BYTES]


def is_pointer(rule: str | None) -> bool:
    """Whether a rule of EVIDENCE points to another file."""
    return rule is not None and rule.startswith(_RULE)


def target(rule: str, folder: str) -> str:
    """The path that a pointer in ``folder`` ("" is the root) means, starting with "/"."""
    name = rule.removeprefix(_RULE).partition(" ")[0]
    return posixpath.normpath(name if name.startswith("/") else f"{folder}/{name}")


def names(wanted: str, name: str) -> bool:
    """Whether ``wanted``, the last part of a pointer, means the file ``name``."""
    return name == wanted or name.startswith(f"{wanted}.")
