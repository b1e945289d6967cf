"""How a file writes things, as far as a replacement must know: what angles and words mean there.

Markup writes angles as entities. Shell, outside quotes and comments, and code, outside its literals
and comments, take names (``__KEY__``) and numbers, not angles. Everything else takes anything.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

_MARKUP_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s{0,40}<(?:\?xml|!doctype|!--|[a-z])", re.IGNORECASE
)
_SHEBANG = re.compile(rb"#![^\n]{0,80}\b(?:ba|da|k|z)?sh\b")
_SHELL_PATH = re.compile(
    r"(?i)(?:^|/)(?:dockerfile[\w.-]*|containerfile|(?:gnu)?makefile|\.env[\w.-]*"
    r"|\.?(?:bash|zsh)\w*|\.profile|[^/]*\.(?:sh|bash|zsh|ksh|fish|env|envrc|bat|cmd|ps1|psm1|mk|mak))$"
)
# ruff: noqa: SIM905  (lists of words read best as one string that is split)
_MARKUP = frozenset("xml html htm xhtml svg xsd xsl xslt wsdl plist csproj vbproj resx jsp".split())
_SLASHES = frozenset(
    "js mjs cjs jsx ts tsx mts cts java kt kts scala go rs c h cc cpp cxx hh hpp hxx cs php swift"
    " dart groovy gradle vue svelte mdx proto zig json jsonc json5 sol m mm css scss less".split()
)
_HASHES = frozenset(
    "py pyi pyx rb pl pm t r jl ex exs toml tf tfvars hcl nix cmake gd coffee".split()
)
_DASHES = frozenset("sql lua hs elm adb ads vhd vhdl".split())

_STRINGS = (
    rb'"""(?:[^\\]|\\.)*?"""|\'\'\'(?:[^\\]|\\.)*?\'\'\'|"(?:[^"\\\n]|\\.)*"'
    rb"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"
)
_LITERALS = {
    "slashes": re.compile(rb"//[^\n]*|/\*.*?(?:\*/|\Z)|" + _STRINGS, re.DOTALL),
    "hashes": re.compile(rb"#[^\n]*|(?:^|(?<=\n))=begin\b.*?(?:\n=end|\Z)|" + _STRINGS, re.DOTALL),
    "dashes": re.compile(rb"--[^\n]*|/\*.*?(?:\*/|\Z)|\[\[.*?\]\]|" + _STRINGS, re.DOTALL),
}
# Lines that are comments whatever stands above them, or as good as certainly.
_COMMENT_LINE = {
    "slashes": re.compile(rb"\s*(?://|/\*|\*[\s/*])"),
    "hashes": re.compile(rb"\s*#"),
    "dashes": re.compile(rb"\s*--"),
}
_SHELL_COMMENT = re.compile(rb"#(?<!\S#)|::(?<!\S::)|rem\b(?<!\Srem)")
_ESCAPE = re.compile(rb"u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrtbfvae0]")
_NUMBER = re.compile(rb"[0-9][0-9_.]*")


class Syntax:
    """What one file's replacements must look like."""

    def __init__(self, text: bytes, path: str) -> None:
        self.text = text
        self.kind = _kind(path)
        if self.kind in ("", "slashes") and _MARKUP_START.match(text) and not path.endswith("php"):
            self.kind = "markup"
        elif not self.kind and _SHEBANG.match(text):
            self.kind = "shell"
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.literals: Iterator[re.Match[bytes]] | None = None

    def start(self, start: int, end: int) -> int:
        """Where a replacement may begin: behind an escape (``\\n``) that ``text[start]`` ends."""
        if not self.kind or not start or self.text[start - 1] != 92:
            return start
        before = self.text[max(0, start - 16) : start]
        slashes = len(before) - len(before.rstrip(b"\\"))
        escape = _ESCAPE.match(self.text, start, end)
        return escape.end() if slashes % 2 and escape else start

    def written(self, token: bytes, start: int, end: int) -> bytes:
        """``token`` as it must stand for ``text[start:end]`` so that the file still parses."""
        if not token.startswith(b"<") or not self.kind:
            return token
        if self.kind == "markup":
            return b"&lt;" + token[1:-1] + b"&gt;"
        if self._inside(start):
            return token
        if self.kind != "shell" and _NUMBER.fullmatch(self.text, start, end):
            return b"0"
        return b"__" + token[1:-1] + b"__"

    def _inside(self, at: int) -> bool:
        """``at`` lies in a literal or a comment."""
        line = self.text[max(self.text.rfind(b"\n", 0, at) + 1, at - 2000) : at]
        if self.kind == "shell":
            quoted = line.count(b'"') % 2 or line.count(b"'") % 2
            return bool(quoted or _SHELL_COMMENT.search(line))
        if _COMMENT_LINE[self.kind].match(line):
            return True
        if self.literals is None:
            self.literals = _LITERALS[self.kind].finditer(self.text)
        while not self.starts or self.starts[-1] <= at:  # no further than the finding needs
            literal = next(self.literals, None)
            if literal is None:
                break
            self.starts.append(literal.start())
            self.ends.append(literal.end())
        number = bisect_right(self.starts, at) - 1
        return number >= 0 and at < self.ends[number]


@lru_cache(maxsize=4096)
def _kind(path: str) -> str:
    if _SHELL_PATH.search(path):
        return "shell"
    suffix = path.rpartition(".")[2].lower()
    for name, suffixes in (
        ("markup", _MARKUP),
        ("slashes", _SLASHES),
        ("hashes", _HASHES),
        ("dashes", _DASHES),
    ):
        if suffix in suffixes:
            return name
    return ""
