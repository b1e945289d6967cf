"""What a file's own first and last lines say about its language: shebangs and editor modelines."""

from __future__ import annotations

import re

from stackcurate.languages.table import Names, facts

# A shebang longer than this is no shebang; Linux reads 256 bytes of it.
SHEBANG_BYTES = 512
# Emacs reads the first two lines, vim five at either end by default.
MODELINE_LINES = 5
MODELINE_BYTES = 2048

_VERSION = re.compile(r"[\d.]+$")
_EXEC = re.compile(rb"^[ \t]*exec[ \t]+([\w./+-]+)[^\n]*\$", re.MULTILINE)
_EMACS = re.compile(rb"-\*-[ \t]*([^\n]*?)[ \t]*-\*-")
_EMACS_MODE = re.compile(rb"(?:^|;)[ \t]*mode[ \t]*:[ \t]*([\w+#*-]+)", re.IGNORECASE)
_VIM = re.compile(
    rb"(?:^|[ \t])(?:vim?|Vim|ex)(?:[<=>]?\d+)?:[^\n]*?\b(?:ft|filetype|syntax)=([\w+#-]+)"
)


def interpreter(data: bytes) -> str | None:
    """The program that the shebang of ``data`` starts, without folder; None where there is none.

    Sees through ``env`` with its options and assignments, and through scripts that start as
    ``sh`` and ``exec`` the real interpreter on themselves within the first lines.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if not data.startswith(b"#!"):
        return None
    line = data[2:SHEBANG_BYTES].split(b"\n", 1)[0].decode("latin-1").split()
    if not line:
        return None
    program = line[0].rsplit("/", 1)[-1]
    if program == "env":
        rest = [word for word in line[1:] if not word.startswith("-") and "=" not in word]
        if not rest:
            return None
        program = rest[0].rsplit("/", 1)[-1]
    if program == "sh":
        jump = _EXEC.search(b"\n".join(data[:MODELINE_BYTES].split(b"\n")[1:MODELINE_LINES]))
        if jump:
            program = jump.group(1).decode("latin-1").rsplit("/", 1)[-1]
    return program


def by_shebang(data: bytes) -> Names:
    """The languages of the interpreter of the first line; ``python3.11`` counts as ``python``."""
    program = interpreter(data)
    if program is None:
        return ()
    known = facts().by_interpreter
    program = program.lower().removesuffix(".exe")
    return known.get(program) or known.get(_VERSION.sub("", program).rstrip("-")) or ()


def by_modeline(data: bytes) -> str | None:
    """The language that an Emacs or vim modeline names, None where there is none we know."""
    head = data[:MODELINE_BYTES].split(b"\n")[:MODELINE_LINES]
    tail = data[-MODELINE_BYTES:].split(b"\n")[-MODELINE_LINES - 1 :]
    for line in head:
        for mode in _emacs_modes(line):
            language = facts().by_alias.get(mode)
            if language:
                return language
    for line in (*head, *tail):
        found = _VIM.search(line)
        if found:
            language = facts().by_alias.get(found.group(1).decode("latin-1").lower())
            if language:
                return language
    return None


def _emacs_modes(line: bytes) -> list[str]:
    found = _EMACS.search(line)
    if not found:
        return []
    body = found.group(1)
    if b":" in body:
        modes = _EMACS_MODE.findall(body)
    else:
        modes = [body.strip(b" \t;")]
    return [mode.decode("latin-1").lower().removesuffix("-mode") for mode in modes]
