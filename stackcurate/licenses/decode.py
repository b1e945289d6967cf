"""License files come as UTF-16, HTML, RTF and old encodings; here they become UTF-8 text.

A text whose bytes are already plain UTF-8 keeps its offsets, so that evidence can point into the
file; anything converted is pointed at as a whole.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from typing import NamedTuple

MAX_BYTES = 1 << 20  # of one text; a license is shorter, and what is longer is no license

_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|p|br|div|h[1-6]|li|pre|table|span)\b", re.I
)
_RTF_TOKEN = re.compile(
    r"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|[\r\n]+|(.[^\\{}\r\n]*)",
    re.I,
)
# RTF destinations that hold no text of the document.
_RTF_SKIP = frozenset([
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "footer", "object",
    "themedata", "datastore", "listtable", "listoverridetable", "rsidtbl", "generator",
    "xmlnstbl", "latentstyles", "fldinst",
])  # fmt: skip


# Wide letters, and those of formulas: "ＭＩＴ", "𝗠𝗜𝗧".
_WIDE = re.compile(
    r"[\uff21-\uff3a\uff41-\uff5a]{2,}[\uff01-\uff5e\u3000 ]*|[\U0001d400-\U0001d7ff]+"
)
# What is struck out, in Markdown and in HTML, is not said.
_STRUCK = re.compile(
    r"(?<![~\w])~~(?=[^\s~])[^~\n]{1,200}(?<=[^\s~])~~(?![~\w])|<(s|del|strike)>[^<]{1,400}</\1>",
    re.I,
)


class Text(NamedTuple):
    """UTF-8 bytes of a text, and whether its offsets are those of the file."""

    data: bytes
    exact: bool


class _Stripper(HTMLParser):
    """Text of an HTML page; what is not shown is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("script", "style")
        self.parts.append("\n" if tag in _BLOCKS else " " if tag == "br" else "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in ("script", "style")))
        self.parts.append("\n" if tag in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)


_BLOCKS = frozenset([
    "p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "table", "tr", "td", "th",
    "pre", "title", "body", "hr",
])  # fmt: skip


def _from_html(text: str) -> str:
    stripper = _Stripper()
    stripper.feed(text)
    stripper.close()
    return "".join(stripper.parts)


def _from_rtf(text: str) -> str:
    """The running text of an RTF document; no nesting by recursion, so depth cannot hurt."""
    parts: list[str] = []
    stack: list[bool] = []
    hidden = False
    for token in _RTF_TOKEN.finditer(text):
        word, number, code, sign, brace, plain = token.groups()
        if brace == "{":
            stack.append(hidden)
        elif brace == "}":
            hidden = stack.pop() if stack else False
        elif word and word.lower() in _RTF_SKIP:
            hidden = True
        elif hidden:
            continue
        elif word in ("par", "line", "page", "sect", "row"):
            parts.append("\n")
        elif word in ("tab", "cell"):
            parts.append(" ")
        elif word in ("lquote", "rquote"):
            parts.append("'")
        elif word in ("ldblquote", "rdblquote"):
            parts.append('"')
        elif word == "u" and number:
            parts.append(
                chr(int(number) % 0x10000) if not 0xD800 <= int(number) % 0x10000 < 0xE000 else " "
            )
        elif code:
            parts.append(bytes([int(code, 16)]).decode("cp1252", "replace"))
        elif sign == "*":
            hidden = True
        elif sign == "~":
            parts.append(" ")
        elif plain:
            parts.append(plain)
    return "".join(parts)


def _as_text(data: bytes) -> tuple[str, bool]:
    """The text and whether the bytes were plain UTF-8."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(encoding, "replace"), False
    head = data[:400]
    if head.count(0) > len(head) // 4:  # UTF-16 without a mark
        encoding = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return data.decode(encoding, "replace"), False
    try:
        return data.decode("utf-8"), True
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), False


def text_of(data: bytes) -> Text:
    """The readable text of a license file, at most ``MAX_BYTES`` of it."""
    cut = data[:MAX_BYTES]
    text, exact = _as_text(cut)
    if not text.isascii() and _WIDE.search(text):
        text, exact = _WIDE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text), False
    if ("~~" in text or "</" in text) and _STRUCK.search(text):
        text, exact = _STRUCK.sub(" ", text), False
    if text.lstrip().startswith("{\\rtf"):
        return Text(_from_rtf(text).encode("utf-8", "replace"), False)
    if len(_HTML.findall(text[:20_000].encode("utf-8", "replace"))) >= 3 or re.match(
        r"\s*<(?:!doctype\s+html|html)\b", text, re.I
    ):
        return Text(_from_html(text).encode("utf-8", "replace"), False)
    if exact:
        return Text(cut, True)
    return Text(text.encode("utf-8", "replace"), False)
