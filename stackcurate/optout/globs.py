"""Path globs of opt-outs, with the reading that people know from .gitignore.

- ``*`` and ``?`` stay within a name, ``**`` crosses folders, ``[abc]`` and ``[!abc]`` are classes.
- A glob with a ``/`` before its end starts at the root of the repository; one without matches a
  name at any depth. A leading ``/`` ties a single name to the root.
- A glob that names a folder takes everything below it.
- There is no escape character and no negation: ``[*]`` is a star, ``!`` is a letter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.schema import escape_name

CONTROL_FILE = ".stackcurate-optout"
MAX_GLOBS = 1_000  # of one control file; more is read as the whole repository
MAX_GLOB_CHARS = 1_000

_CLASS = re.compile(r"\[([!^]?)(\]?[^\]/]*)\]")
# RE2 gives a compiled pattern a budget of 8 MB; this many characters stay far below it.
_PATTERN_CHARS = 4_000


def glob_regex(glob: str) -> str:
    """The RE2 pattern (whole path, leading ``/``) of one glob. Works for every string."""
    body = re.sub(r"/+", "/", glob.strip())
    anchored = "/" in body.rstrip("/")
    below_only = body.endswith("/")
    names = [name for name in body.split("/") if name]
    while names and names[-1] == "**":
        names.pop()
        below_only = True
    parts = ["/" if anchored else "/(?:.*/)?"]
    for number, name in enumerate(names):
        last = number + 1 == len(names)
        if name == "**":
            parts.append("(?:.*/)?")
        else:
            parts.append(_name_regex(name) + ("" if last else "/"))
    tail = (r"/.*" if below_only else r"(?:/.*)?") if names else ".*"
    return rf"(?s)^{''.join(parts)}{tail}$"


def _name_regex(name: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(name):
        char = name[at]
        found = _CLASS.match(name, at) if char == "[" else None
        if name.startswith("**", at):
            out.append(".*")
            at += 2
        elif char == "*":
            out.append("[^/]*")
            at += 1
        elif char == "?":
            out.append("[^/]")
            at += 1
        elif found and _class_regex(found):
            out.append(_class_regex(found))
            at = found.end()
        else:
            out.append(_literal(char))
            at += 1
    return "".join(out)


def _literal(char: str) -> str:
    """``char`` for RE2, where nothing but ASCII punctuation may be escaped."""
    plain = not char.isascii() or char.isalnum() or not char.isprintable()
    return char if plain or char == " " else "\\" + char


def _class_regex(found: re.Match[str]) -> str:
    """A class with its ranges, or "" where it is empty or a range runs backwards (then literal)."""
    negated, body = found.group(1), found.group(2)
    for low, high in re.findall(r"(?s)(.)-(.)", body):
        if low > high:
            return ""
    if not body:
        return ""
    # a hyphen at either end is itself, and must not make a range with the "/" before it
    inner = re.sub(r"^-|-$|[\[\]\\^&~|]", lambda char: "\\" + char.group(), body)
    return f"[{'^/' if negated else ''}{inner}]"


def match_globs(paths: pa.Array | pa.ChunkedArray, globs: Sequence[str]) -> pa.Array:
    """Which of ``paths`` (each with a leading ``/``) any glob takes: boolean, never null."""
    if isinstance(paths, pa.ChunkedArray):
        paths = paths.combine_chunks()
    hit = pa.repeat(pa.scalar(False), len(paths))
    for pattern in _patterns(globs):
        found = pc.match_substring_regex(paths, pattern)
        hit = pc.or_(hit, pc.fill_null(found, False))
    return hit


def _patterns(globs: Sequence[str]) -> list[str]:
    """Few patterns for many globs: alternatives joined up to a size that RE2 takes gladly."""
    joined: list[str] = []
    group: list[str] = []
    size = 0
    for glob in sorted(set(globs)):
        pattern = f"(?:{glob_regex(glob)})"
        if group and size + len(pattern) > _PATTERN_CHARS:
            joined.append("|".join(group))
            group, size = [], 0
        group.append(pattern)
        size += len(pattern)
    return [*joined, "|".join(group)] if group else joined


def parse_control_file(data: bytes) -> list[str]:
    """The globs of a ``.stackcurate-optout`` file; an empty list is the whole repository.

    One glob a line; ``#`` opens a comment line, blank lines are nothing. Bytes that are not UTF-8
    are spelled as listings spell them. A file that cannot be read as globs (NUL bytes, more than
    ``MAX_GLOBS`` lines or ``MAX_GLOB_CHARS`` in one) is an owner's wish all the same and takes the
    whole repository.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # what some Windows shells write
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        return []
    lines = (line.strip() for line in data.replace(b"\r", b"\n").split(b"\n"))
    globs = [escape_name(line)[0] for line in lines if line and not line.startswith(b"#")]
    # a line of slashes alone, or of "**", is the root
    whole = any(not glob.strip("/*") and glob != "*" for glob in globs)
    long = len(globs) > MAX_GLOBS or any(len(glob) > MAX_GLOB_CHARS for glob in globs)
    return [] if whole or long else globs
