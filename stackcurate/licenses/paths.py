"""Statements about paths: ``debian/copyright``, ``.reuse/dep5``, ``REUSE.toml``, ``x.license``.

Each paragraph names files by globs and says their license. It becomes one statement whose rule
carries the globs, so that evidence still says in one row what was said, where, and about what.
Of several paragraphs that take a file the last one counts, as both formats ask. How such a
statement stands to what the file says itself is its *precedence*, in the words of the REUSE
specification (3.3): ``closest`` (the file's own word counts), ``aggregate`` (both bind) or
``override`` (the file is not asked). ``.reuse/dep5`` aggregates; a file ``x.license`` beside ``x``
stands in the place of what ``x`` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from email.parser import HeaderParser
from itertools import pairwise
from typing import Any, NamedTuple

from stackcurate.licenses.expression import combine, ids, is_strict, license_class, listed
from stackcurate.licenses.fields import Refused, toml
from stackcurate.licenses.manifests import dep5_expression
from stackcurate.licenses.policy import OPEN, RANK
from stackcurate.licenses.spoken import UNKNOWN

MAX_CHARS = 400_000  # of one file
MAX_STATEMENTS = 1000  # of one file; one with more is not read by its paragraphs
MAX_GLOBS = 2000  # of one statement
_RULE = "paths:"
_TAG = re.compile(r"SPDX-License-Identifier:([^\r\n]{0,1000})")
CLOSEST, AGGREGATE, OVERRIDE = "closest", "aggregate", "override"
SIDECAR = "sidecar"  # the form of ``x.license``
_FORMAT = re.compile(r"(?i)\ufeff?(?:\s*#[^\n]*\n)*\s*format(?:-specification)?:")
_SAYS_DEP5 = re.compile(rf"{_FORMAT.pattern}\s*\S*(?:copyright[-_]?format|dep-?5)")
_VERSIONED = re.compile(r"\b(?:(?:[AL]?GPL|GFDL)-|Artistic)")  # the text may not say which one
_ALTERED = re.compile("LicenseRef-stackcurate-")  # riders and changed words
# Where names of DEP-5 are joined, what binds least first.
_JOINTS = [
    re.compile(rf"{sign}({words})\s+", re.I)
    for sign, words in ((r"\s*,\s*", "and|or"), (r"\s+", "and/or|or"), (r"\s+", "and"))
]
_CATCH_ALL = frozenset(("*", "./*", "**", "/**", "**/*"))


class Said(NamedTuple):
    """The license of the files that ``globs`` take; byte span of the paragraph that says so.

    A paragraph of DEP-5 that names no files, and whose license no other names, has no ``globs``.
    """

    globs: list[str]
    expression: str
    start: int
    end: int
    form: str  # dep5, reuse or sidecar: how its globs are read
    precedence: str = CLOSEST
    why: str = ""  # of a file that nobody read, and that therefore is unknown

    @property
    def rule(self) -> str:
        """The statement's rule in EVIDENCE; ``globs_of`` reads it back."""
        form = self.form + ("" if self.precedence == CLOSEST else f"/{self.precedence}")
        said = f"{_RULE}{form} {json.dumps(self.globs, ensure_ascii=False)}"
        return f"{said} {self.why}" if self.why else said


def about_paths(rule: str | None) -> bool:
    """Whether a rule of EVIDENCE carries globs."""
    return rule is not None and rule.startswith(_RULE)


def globs_of(rule: str) -> tuple[str, list[str]]:
    """(form, globs) of a rule that ``about_paths``."""
    form, _, said = rule[len(_RULE) :].partition(" ")
    return form.partition("/")[0], json.JSONDecoder().raw_decode(said)[0]


def precedence_of(rule: str) -> str:
    """How a statement stands to the file's own word: closest, aggregate or override."""
    form = rule[len(_RULE) :].partition(" ")[0]
    return form.partition("/")[2] or CLOSEST


def catches_all(rule: str) -> bool:
    """Whether a rule speaks about every file of its folder."""
    return any(glob in _CATCH_ALL for glob in globs_of(rule)[1])


def glob_regex(glob: str, form: str) -> str:
    """RE2 pattern of one glob over paths below the file's folder, without a leading slash.

    In DEP-5 ``*`` and ``?`` cross folders; in REUSE ``*`` stays within a name and ``**`` crosses
    them, and there is no ``?``. A backslash takes the next sign as it is. In DEP-5 a glob that
    names a folder takes all of it, as many people write it.
    """
    out, at = [], 0
    glob = glob.removeprefix("./").removeprefix("/")
    while at < len(glob):
        char = glob[at]
        if char == "\\" and at + 1 < len(glob):
            at += 1
            out.append(literal(glob[at]))
        elif glob.startswith("**", at) or (char == "*" and form == "dep5"):
            out.append("(?s:.*)")
            at += glob.startswith("**", at)
        elif char == "*":
            out.append("[^/]*")
        elif char == "?" and form == "dep5":
            out.append("(?s:.)")
        else:
            out.append(literal(char))
        at += 1
    return "".join(out).removesuffix("/") + "(?s:/.*)?" if form == "dep5" else "".join(out)


def literal(char: str) -> str:
    """One sign of a path as ``glob_regex`` writes it."""
    plain = not char.isascii() or char.isalnum() or char in " _/\n\t"
    return char if plain else f"\\x{{{ord(char):02x}}}"


def statements(
    name: str, data: bytes, read: Callable[[bytes], str | None] | None = None
) -> list[Said]:
    """What a file says about paths, in its order; empty where it is of none of the formats.

    ``name`` decides the format: a ``.toml`` is REUSE's, a ``.license`` stands beside one file,
    everything else may be DEP-5. A REUSE file that could cost too much is unknown, one of Debian
    is left to who reads it as text. ``read`` gives the expression of a license text whose short
    name nobody knows.
    """
    text = data[:MAX_CHARS].decode("utf-8", "replace")
    base = name.rpartition("/")[2]
    if base.lower().endswith(".license"):
        return _sidecar(base, text)
    if base.lower().endswith(".toml"):
        return _bounded_reuse(data, text)
    said = _dep5(text, read)
    bounded = len(data) <= MAX_CHARS and len(said) <= MAX_STATEMENTS
    if base != "dep5":
        return said if bounded else []
    said = said if bounded else [_unread(data, "too long")]
    return [one._replace(precedence=AGGREGATE) for one in said]


def is_dep5(data: bytes) -> bool:
    """Whether a text says that it is in Debian's form, whatever the file is called."""
    return _SAYS_DEP5.match(data[:4000].decode("utf-8", "replace")) is not None


def _dep5(text: str, read: Callable[[bytes], str | None] | None) -> list[Said]:
    if not _FORMAT.match(text):
        return []
    parts, at = [], 0
    for paragraph in re.split(r"(\r?\n[ \t]*\r?\n)", text):
        size = len(paragraph.encode())
        if paragraph.strip():
            parts.append((at, at + size, HeaderParser().parsestr(paragraph.strip("\r\n"))))
        at += size
    bodies: dict[str, str] = {}
    for _, _, message in parts:
        short, _, body = (message.get("License") or "").partition("\n")
        if body.strip():
            bodies.setdefault(short.strip().lower(), body)
    said: list[Said] = []
    beside: list[Said] = []
    for start, end, message in parts:
        globs = (message.get("Files") or "").split()
        if message.get("License"):
            short = message["License"].partition("\n")[0].strip()
            expression = _named(short, bodies, read)
            one = Said(globs[:MAX_GLOBS], expression, start, end, "dep5")
            (said if globs else beside).append(one)
    stated = frozenset().union(*(ids(one.expression) for one in said))
    # Texts of what files are under say nothing more; what nothing refers to stands beside it.
    return [*said, *(one for one in beside if said and not ids(one.expression) <= stated)]


def _named(
    short: str, bodies: Mapping[str, str], read: Callable[[bytes], str | None] | None
) -> str:
    """What the names of DEP-5 mean, each by the text that is given for it.

    "A or B, and C" is a choice of A and B that binds beside C: a comma ends what stands before it,
    else "and" binds closer than "or".
    """
    if short.lower() in bodies:
        return _short_name(short, bodies[short.lower()], read)
    for sign in _JOINTS:
        parts = sign.split(short)
        if len(parts) > 2:
            word = "OR" if any("or" in one.lower() for one in parts[1::2]) else "AND"
            sides = [_named(part.strip(" ,"), bodies, read) for part in parts[::2] if part.strip()]
            return combine(sides, word) or UNKNOWN
    return _short_name(short, None, read)


def _short_name(short: str, body: str | None, read: Callable[[bytes], str | None] | None) -> str:
    """What a short name of DEP-5 means; one that nobody knows means the text that is given.

    Where both are known and of one class, the text counts: "BSD" and "Expat" stand for many; so
    it does where it says more than the name, as that of Ruby, which offers BSD too. But
    texts of GNU and Artistic licenses are the same for several versions, so their names count. A
    text that takes back what a permissive name gives counts beside it, and so does one that is
    stricter than any other name and of another license altogether.
    """
    expression = dep5_expression(short) if short else None
    said = None
    if body and read:
        said = read(re.sub(r"(?m)^[ \t]+(?:\.[ \t]*$)?", "", body).encode("utf-8", "replace"))
    if expression is None or said is None:
        return expression or said or UNKNOWN
    both = {license_class(expression), license_class(said)}
    alike = len(both) == 1 or both <= OPEN or ids(expression) <= ids(said)
    if alike and not _VERSIONED.search(f"{expression} {said}") and "unknown" not in both:
        return said
    if license_class(expression) in OPEN:
        strict = is_strict(said) or _ALTERED.search(said) is not None
    else:  # texts of GNU licenses name other ones, so only one that has nothing of the name counts
        worse = RANK[license_class(said)] > RANK[license_class(expression)]
        strict = worse and not _families(said) & _families(expression)
        strict = strict and license_class(said) != "unknown"
    return (combine([expression, said]) or expression) if strict else expression


def _families(expression: str) -> frozenset[str]:
    """The licenses of an expression, whatever their version."""
    return frozenset(re.sub(r"-\d.*", "", name) for name in ids(expression))


def whole(said: Sequence[Said]) -> str | None:
    """One expression of all paragraphs; None where none is.

    What a file says of its folder is less (``inherit``): the terms of Debian's own files, say, are
    not those of the program. Asked by itself it states all that stands in it.
    """
    return combine(one.expression for one in said)


def _bounded_reuse(data: bytes, text: str) -> list[Said]:
    """What a REUSE.toml says; one that could cost too much leaves its files unknown."""
    try:
        if len(data) > MAX_CHARS:
            raise Refused("too long")
        said = _reuse(text)
        if len(said) > MAX_STATEMENTS:
            raise Refused("too many annotations")
    except (Refused, RecursionError) as error:
        return [_unread(data, str(error) if isinstance(error, Refused) else "too deep to parse")]
    except ValueError:
        return []
    return said


def _unread(data: bytes, why: str) -> Said:
    return Said(["**"], UNKNOWN, 0, len(data), "reuse", why=f"not read, {why}")


def _reuse(text: str) -> list[Said]:
    document = toml(text.encode())
    said = []
    entries = document.get("annotations")
    entries = entries if isinstance(entries, list) else []
    for entry, (start, end) in zip(entries, _spans(text, len(entries)), strict=True):
        if not isinstance(entry, dict):
            continue
        globs = _strings(entry.get("path"))
        stated = _strings(entry.get("SPDX-License-Identifier"))
        if globs and stated:
            expression = combine([listed(one) or UNKNOWN for one in stated]) or UNKNOWN
            word = str(entry.get("precedence", CLOSEST)).lower()
            how = word if word in (AGGREGATE, OVERRIDE) else CLOSEST
            said.append(Said(globs[:MAX_GLOBS], expression, start, end, "reuse", how))
    return said


def _sidecar(name: str, text: str) -> list[Said]:
    """The tags of ``x.license``, about ``x`` alone."""
    tags = [one for one in _TAG.finditer(text) if one[1].strip()]
    if not tags:
        return []
    stated = [listed(one[1].strip().removesuffix("*/").strip()) or UNKNOWN for one in tags]
    start, end = (len(text[:at].encode()) for at in (tags[0].start(), tags[-1].end()))
    file = name[: -len(".license")]
    return [Said([file], combine(stated) or UNKNOWN, start, end, SIDECAR, OVERRIDE)]


def _spans(text: str, count: int) -> list[tuple[int, int]]:
    """Bytes of each ``[[annotations]]`` table; where they cannot be told apart, ever shorter tails.

    Starts rise in any case, because the order of statements counts.
    """
    heads = [
        one.start() for one in re.finditer(r"(?m)^[ \t]*\[\[[ \t]*annotations[ \t]*\]\]", text)
    ]
    if len(heads) != count:
        return [(number, len(text.encode())) for number in range(count)]
    edges = [*(len(text[:at].encode()) for at in heads), len(text.encode())]
    return list(pairwise(edges))


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]
