"""Values whose name stands apart: cells of CSV, SQL, Markdown and HTML, pairs of YAML, JSON, XML.

Those whose name may matter are written out as lines ``name: value`` for the rules to look at.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .names import PASSWORD_NAME
from .rules import national_words

_NAME = re.compile(
    PASSWORD_NAME.pattern
    + rb"|card|(?<![a-z])(?:pan|sin|tfn|nino|nhs|rut|lat|lng|lon|ssn|tel|key|dni|nie|nif|nir|egn"
    rb"|cnp|oib|bsn|cpf|cpr|iin|inn|nric|afm)(?![a-z])|cc_?n|phone|mobile|telef|fax|handy|whatsapp|puhelin|t(?:\xc3\xa9|e)l(?:\xc3\xa9|e)ph|celular|m(?:\xc3\xb3|o)vil|gsm|msisdn"
    rb"|contact|location|coord|gps|geo|position|waypoint|(?<![a-z])(?:loc|pos|home|place|point|start|depot|where)(?![a-z])|lat_?l|center|origin|destination|address|ubicac|standort|koord|posizion|lokaliz|social|insur|my_?number"
    rb"|(?:^|[a-z_ -])ip(?:v?4)?(?:[_ ]?addr\w*)?$|mac|secret|token"
    rb"|_key|ap[ip][_ ]?key|bearer|salt|pepper|webhook|(?-i:Authorization$)"
    rb"|(?-i:[a-z]Key(?![a-z]))|national|tax_?"
    rb"(?:id|file|num)|pesel|curp|isik|kood|kenni|person|hetu|f.dsel|tckn|(?:sa|za)_?id|burger|codice|fiscal|steuer|aadha|kimlik"
    rb"|cedula|rodne|snils|iban|latitud|longitud|breite|l(?:\xc3\xa4|ae)nge(?:n|$)|amka|emso|jmbg|rijks|regist"
)
_VERSION = re.compile(
    rb"(?i)(?:^|[_ -]|(?-i:[a-z])(?=[VFR]))(?:versions?|ver|firmware|release|build)$"
)
_DELIMITER = {"csv": b",", "tsv": b"\t", "psv": b"|"}
_INSERT = re.compile(
    rb"(?i)insert\s{1,8}into\s{1,8}[\w.\"`\[\]]{1,120}\s{0,8}\(([^()]{1,2000})\)\s{0,8}values\s{0,8}"
)
# A table that is filled without its columns named: they are where it was made.
_CREATE = re.compile(
    rb"(?i)create\s{1,8}table\s{1,8}(?:if\s{1,8}not\s{1,8}exists\s{1,8})?[\"`\[]?([\w.]{1,120})[\"`\]]?\s{0,8}"
    rb"\(((?:[^();]|\([^();]{0,200}\)){1,4000})\)"
)
_COLUMN = re.compile(rb"(?:^|,)\s{0,80}[\"`\[]?(\w{1,60})(?:[^(),]|\([^()]{0,200}\)){0,300}")
_INSERT_ALL = re.compile(
    rb"(?i)insert\s{1,8}into\s{1,8}[\"`\[]?([\w.]{1,120})[\"`\]]?\s{1,8}values\s{0,8}"
)
_COPY = re.compile(
    rb"(?i)copy\s{1,8}[\w.\"]{1,120}\s{0,8}\(([^()]{1,2000})\)\s{1,8}from\s{1,8}stdin[^\n]{0,80}\n"
)
_ROW = re.compile(rb"\s{0,80}\(")
_VALUE = re.compile(
    rb"\s{0,40}(?:N?'((?:[^']|'')*)'|\"([^\"]*)\"|([^,()']*(?:\([^()]*\))?[^,()']*))\s{0,40}"
)
_SQL = frozenset(("sql", "pgsql", "dump"))
_NAME_VALUE = re.compile(
    rb"(?:name|key)[\"']?:[ \t]{0,8}[\"']?([\w.-]{3,80})[\"']?,?\s{1,60}"
    rb"[\"']?value[\"']?:[ \t]{0,8}[\"']?((?:[A-Z][A-Za-z]{2,9}[ ])?[^\s\"'{}]{4,600})"
)
_KEY_VAL = re.compile(
    rb"(?:name|key):[ \t]{0,8}[\"']?([\w.-]{3,80})[\"']?\s{1,60}"
    rb"val:[ \t]{0,8}[\"']?([^\s\"'{}]{4,600})"
)
_VALUE_NAME = re.compile(
    rb"[\"']value[\"']:[ \t]{0,8}[\"'](?P<value>[^\s\"'{}]{4,600})[\"'],\s{1,60}"
    rb"[\"'](?:name|key)[\"']:[ \t]{0,8}[\"'](?P<name>[\w.-]{3,80})[\"']"
)
# What Terraform made by chance and keeps in its state.
_MADE = re.compile(
    rb'"type":\s{0,4}"(random_password)"[^\0]{0,2000}?"result":\s{0,4}"([^"\\\n]{6,200})"'
)
_VARIABLE = re.compile(
    rb'variable[ \t]{1,4}"([\w-]{3,80})"[ \t]{0,4}\{[^{}]{0,400}?default[ \t]{0,8}='
    rb'[ \t]{0,4}"([^"\n]{4,600})"'
)
# A chart's value, as Terraform sets it.
_SET = re.compile(
    rb'name[ \t]{1,8}=[ \t]{1,4}"([\w.-]{3,80})"\s{1,60}'
    rb'value[ \t]{1,8}=[ \t]{1,4}"([^"\n$]{4,600})"'
)
_ELEMENT = re.compile(
    rb"<(\w{0,60}(?:[Pp]assword|[Ss]ecret|[Tt]oken|[Kk]ey))>\s{1,60}<[Vv]alue>([^<\n]{4,600})</"
)
_NAMED_ELEMENT = re.compile(
    rb"<\w{1,30}[ \t][^<>\n]{0,80}?(?:name|key|id)=[\"']([\w.-]{3,80})[\"'][^<>\n]{0,80}>"
    rb"([^<>\n]{4,600})</"
)
# Fields that say what they are in their own names: Argument.name above Argument.value (JMeter).
_FIELD_NAME = rb'<\w{1,30}[ \t]name="\w{0,40}[.]name">(?P<name>[^<>\n]{3,80})</\w{1,30}>'
_FIELD_VALUE = rb'<\w{1,30}[ \t]name="\w{0,40}[.]value">(?P<value>[^<>\n]{4,600})</\w{1,30}>'
_FIELDS = re.compile(_FIELD_NAME + rb"\s{0,60}" + _FIELD_VALUE)
_FIELDS_TURNED = re.compile(_FIELD_VALUE + rb"\s{0,60}" + _FIELD_NAME)
_VALUED = re.compile(
    rb"<\w{1,30}[ \t][^<>\n]{0,80}?(?:name|key|id)=[\"']([\w.-]{3,80})[\"'][^<>\n]{0,80}>\s{0,60}"
    rb"<value>([^<>\n]{4,600})</value>"
)
_PROPERTY = re.compile(rb"<name>([^<>\n]{3,80})</name>\s{0,60}<value>([^<\n]{4,600})</value>")
_PLIST = re.compile(rb"<key>([^<>\n]{2,80})</key>\s{0,60}<(?:string|real)>([^<\n]{4,600})</")
_PARAMETER = re.compile(
    rb"Parameter(?:Key|Name)[\"']?[:=][ \t]{0,8}[\"']?([\w.-]{3,80})[\"']?,?\s{0,60}"
    rb"[\"']?ParameterValue[\"']?[:=][ \t]{0,8}[\"']?([^\s\"'{}]{4,600})"
)
# Each with a word that no match is without: most files lack it.
# Postman: the kind of login, whose fields are named key and value.
_LOGIN = re.compile(
    rb'"(api_?key)"\s{0,4}:\s{0,4}\[[^\]]{0,200}?"value"\s{0,4}:\s{0,4}"([^"\s]{16,600})"\s{0,8}\}'
)
# A parameter and, among what is said about it, the default that it takes.
_DEFAULTED = re.compile(
    rb"(?m)^[ \t]{0,40}[\"']?([\w.-]{3,80})[\"']?:[ \t]{0,4}\{?[ \t]{0,4}\r?\n"
    rb"(?:[ \t]{1,40}[\"']?[A-Z]?[a-z]\w{1,30}[\"']?:[^\n]{0,200}\n){0,6}?"
    rb"[ \t]{1,40}[\"']?[Dd]efault[\"']?:[ \t]{1,8}[\"']?([^\s\"'{}!*&]{4,600})"
)
# Headers as recorders of HTTP write them: a name, and its values in a list below.
_LISTED = re.compile(
    rb"(?m)^[ \t]{0,40}[\"']?([\w.-]{3,80})[\"']?:[ \t]{0,4}\r?\n"
    rb"[ \t]{0,40}-[ \t]{1,4}[\"']?([^\s\"'{}:]{4,600})[\"']?[ \t]{0,4}\r?$"
)
_YAML_PAIRS = ((_KEY_VAL, b"val:"), (_DEFAULTED, b"assw"), (_LISTED, b"Key:"), (_LISTED, b"Token:"))
_DATA_PAIRS = (
    (_NAME_VALUE, b"value"),
    (_VALUE_NAME, b"value"),
    (_PARAMETER, b"ParameterValue"),
    (_LOGIN, b'"apikey"'),
)
_XML_PAIRS = (
    (_ELEMENT, b"alue>"),
    (_NAMED_ELEMENT, b"="),
    (_VALUED, b"<value>"),
    (_PROPERTY, b"<value>"),
    (_FIELDS, b".value"),
    (_FIELDS_TURNED, b".value"),
)
_PAIRS = {
    **dict.fromkeys(("json", "har"), (*_DATA_PAIRS, (_DEFAULTED, b"assw"))),
    **dict.fromkeys(("yaml", "yml"), (*_DATA_PAIRS, *_YAML_PAIRS)),
    **dict.fromkeys(("tf", "tfvars", "hcl"), ((_VARIABLE, b"variable"), (_SET, b"value"))),
    **dict.fromkeys(("xml", "config", "resx", "jmx"), (*_XML_PAIRS, (_PLIST, b"<key>"))),
    **dict.fromkeys(("plist", "mobileconfig"), ((_PLIST, b"<key>"),)),
    "tfstate": ((_MADE, b"random_password"),),
}
_SECRETS = {
    **dict.fromkeys(
        ("chap-secrets", "pap-secrets"),
        re.compile(
            rb"(?m)^[ \t]{0,8}(?!#)\S{1,80}[ \t]{1,40}\S{1,80}[ \t]{1,40}[\"']?([^\s\"'#]{4,200})"
        ),
    ),
    "sasl_passwd": re.compile(
        rb"(?m)^(?!#)\S{1,120}[ \t]{1,40}[^\s:]{1,120}:(\S{4,200})[ \t]*\r?$"
    ),
    "userlist.txt": re.compile(rb'(?m)^"[^"\n]{1,80}"[ \t]{1,8}"([^"\n]{4,200})"'),
    "ipsec.secrets": re.compile(
        rb"(?m)^[^#\n]{0,200}:[ \t]{1,8}(?:PSK|EAP|XAUTH|NTLM)[ \t]{1,8}[\"']?([^\s\"'#]{4,200})"
    ),
}
_WITH_BARS = frozenset(("md", "markdown", "mdx", "org", "feature", "textile", "txt"))
_TABLE_ROW = re.compile(rb"(?m)^[ \t]{0,8}\|([^\n]{3,4000})\|[ \t]*\r?$")
_DIVIDER = re.compile(rb"[ \t:|-]+")
_HTML = frozenset(
    ("html", "htm", "xhtml", "erb", "ejs", "hbs", "vue", "jsp", "twig", "php", "phtml")
)
_HTML_TABLE = re.compile(rb"(?i)<table\b")
_HTML_ROW = re.compile(rb"(?i)<tr\b")
_HTML_CELL = re.compile(
    rb"(?i)<t([hd])(?:[ \t][^<>\n]{0,200})?>\s{0,60}(?:<(?:b|code|tt)>)?([^<>\n]{0,600})<"
)
LONGEST, LONGEST_NAME = 600, 80  # bytes of a cell and of what names it


@dataclass(frozen=True, slots=True)
class Line:
    """``name: value`` in the lines that stand for a table; its value is ``start`` in the file."""

    at: int
    start: int
    end: int
    is_version: bool = False  # which no address is, whatever the rest of its row says


def lines(text: bytes, path: str) -> tuple[bytes, list[Line]]:
    """The lines for the cells of a table, and where each cell stands; nothing for other files."""
    name = path.lower().rpartition("/")[2]
    kind = name.rpartition(".")[2]
    if kind in _DELIMITER:
        cells = _separated(text, _DELIMITER[kind])
    elif kind in _PAIRS:
        cells = (
            cell for pair, word in _PAIRS[kind] if word in text for cell in _paired(text, pair)
        )
    elif kind in _WITH_BARS:
        cells = _piped(text)
    elif kind in _HTML:
        cells = _marked(text)
    elif name in _SECRETS:
        cells = _secrets(text, _SECRETS[name])
    elif kind in _SQL:
        cells = _inserted(text)
    else:
        return b"", []
    return written(cells, text)


def written(cells: Iterator[Cell], text: bytes) -> tuple[bytes, list[Line]]:
    """A line ``name: value`` for each cell that is no longer than ``LONGEST``."""
    out: list[bytes] = []
    places: list[Line] = []
    length = 0
    for title, start, end in cells:
        if 0 < end - start <= LONGEST and b"\n" not in text[start:end]:
            head = title.replace(b" ", b"_") + b": "
            is_version = _VERSION.search(title) is not None
            places.append(Line(length + len(head), start, end, is_version))
            out += [head, text[start:end], b"\n"]
            length += len(head) + end - start + 1
    return b"".join(out), places


def lines_below(text: bytes, header: int) -> tuple[bytes, list[Line], int]:
    """As ``lines``, for the table whose first line begins at ``header``, and where it ends."""
    cells = list(_separated(text, b",", header))
    last = cells[-1][2] if cells else header
    end = text.find(b"\n", last)
    return *written(iter(cells), text), len(text) if end < 0 else end


_COMMENT = re.compile(rb"[\"'`)\]};,][^\n]{0,60}?(?://|#|--|/\*|<!--)[ \t]{0,4}([^\n]{2,80})")
# What replaces a number must speak as the number did: redacting twice changes nothing.
_OWN_NUMBER = re.compile(rb"(?:[0-9][ ./-]?){7}|(?:<|&lt;|__)[A-Z_]{3,16}(?:>|&gt;|__)")
_MARKS = b" \t\r#/*-<>!;:=({[\"'`"
_PUNCTUATION = re.compile(rb"[^\w.\x80-\xff]+")


def lines_near(text: bytes, numbers: list[tuple[int, int]]) -> tuple[bytes, list[Line]]:
    """As ``lines``, for ``numbers`` that the line above, or the comment behind, may name."""
    return written((cell for number in numbers for cell in _named_near(text, *number)), text)


def _named_near(text: bytes, start: int, end: int) -> Iterator[Cell]:
    stop = text.rfind(b"\n", 0, start)
    above = text[max(0, text.rfind(b"\n", 0, max(0, stop)) + 1, stop - 200) : max(0, stop)]
    behind = _COMMENT.match(text, end)
    for name in (above, behind[1] if behind else b""):
        if name and _tells(name) and not _OWN_NUMBER.search(name):
            words = _PUNCTUATION.sub(b" ", name).decode("utf-8", "ignore").strip()
            for one in dict.fromkeys((words[-30:], words[:30])):
                yield one.encode(), start, end


@lru_cache(maxsize=4096)
def _tells(text: bytes) -> bool:
    """A word for a number of a person stands in ``text``; short ones must not be words of prose."""
    return any(
        word.lower() not in _WORDS_OF_PROSE or (word.isupper() and len(word) > 2)
        for word in _national_words(text)
    )


def _national_words(text: bytes) -> Iterator[bytes]:
    for match in national_words().finditer(text):
        before, first = text[max(0, match.start() - 1) : match.start()], match[0][:1]
        if not before.isalpha() or (before.islower() and first.isupper()):
            yield match[0]


_WORDS_OF_PROSE = frozenset(
    b"id uid run pan fin sin tin inn ni kt rc nas cf avs ird identity".split()
)


def is_table(path: str) -> bool:
    """A file in whose form values stand apart from their names."""
    name = path.lower().rpartition("/")[2]
    kind = name.rpartition(".")[2]
    sorts = (_DELIMITER, _PAIRS, _SQL, _WITH_BARS, _HTML)
    return name in _SECRETS or any(kind in sort for sort in sorts)


Cell = tuple[bytes, int, int]


def _separated(text: bytes, delimiter: bytes, start: int = -1) -> Iterator[Cell]:
    """Cells of the table whose names stand at ``start``, down to a line of another width."""
    first = text.find(b"\n", max(0, start))
    if first < 0:
        return
    # Spreadsheets write semicolons where the comma is in numbers, and tabs into any file.
    delimiter = max(
        (delimiter, b";", b"\t", b"|"), key=lambda one: text.count(one, max(0, start), first)
    )
    names = [
        name.strip(b" \"'\r\xef\xbb\xbf") for name in text[max(0, start) : first].split(delimiter)
    ]
    wanted = [number for number, name in enumerate(names) if _names(name)]
    if not wanted or len(names) > 500:
        return
    cell = re.compile(
        rb'[ ]?(?:"((?:[^"\n]|"")*)"[^\n%b]*|([^\n%b]*))' % ((re.escape(delimiter),) * 2)
    )
    at = first + 1
    while at < len(text):
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        if text.find(b'"', at, end) < 0:
            row = _plain_row(text[at:end], at, delimiter)
        else:
            row = _quoted_row(text, at, cell, delimiter)
        if start >= 0 and len(row) != len(names):
            return
        for number in wanted:
            if number < len(row):
                yield names[number], *row[number]
        at = end + 1


def _plain_row(line: bytes, at: int, delimiter: bytes) -> list[tuple[int, int]]:
    """First and last byte of each cell of a line without quotes."""
    row = []
    for one in line.split(delimiter):
        row.append((at + one.startswith(b" "), at + len(one)))
        at += len(one) + 1
    return row


def _quoted_row(
    text: bytes, at: int, cell: re.Pattern[bytes], delimiter: bytes
) -> list[tuple[int, int]]:
    """As ``_plain_row``, where cells may be quoted, and hold the delimiter then."""
    row = []
    while True:
        match = cell.match(text, at)
        assert match  # it can be empty
        row.append(match.span(match.lastindex or 0))
        at = match.end()
        if text[at : at + 1] != delimiter:
            return row
        at += 1


def _paired(text: bytes, pair: re.Pattern[bytes]) -> Iterator[Cell]:
    for match in pair.finditer(text):
        name, value = ("name", "value") if pair.groupindex else (1, 2)
        if _names(match[name]):
            yield match[name], *match.span(value)


def _piped(text: bytes) -> Iterator[Cell]:
    """Cells below a header that names them, and those whose first column does."""
    names: list[bytes] = []
    above: list[bytes] = []
    end = -2
    for row in _TABLE_ROW.finditer(text):
        cells = row[1].split(b"|")
        if row.start() != end + 1:
            names, above = [], []
        end = row.end()
        if _DIVIDER.fullmatch(row[1]):
            names = above
            continue
        above = [cell.strip(b" `*_\t") for cell in cells]
        start = row.start(1)
        for number, cell in enumerate(cells):
            value = cell.strip(b" `*\t")
            begin = start + cell.find(value)
            start += len(cell) + 1
            name = names[number] if number < len(names) else b""
            for one in (name, above[0] if number == 1 else b"") if number else ():
                if _names(one) and (b" " not in value or not PASSWORD_NAME.search(one)):
                    yield one, begin, begin + len(value)
                    break


def _marked(text: bytes) -> Iterator[Cell]:
    """Cells of HTML's tables, below a row of heads or beside one."""
    tables = [0, *(table.start() for table in _HTML_TABLE.finditer(text)), len(text)]
    for first, last in itertools.pairwise(tables):
        names: list[bytes] = []
        rows = [row.start() for row in _HTML_ROW.finditer(text, first, last)]
        for start, end in itertools.pairwise([*rows, last]):
            cells = list(_HTML_CELL.finditer(text, start, end))
            heads = [cell[2].strip() for cell in cells if cell[1] in b"hH"]
            if len(heads) == len(cells):
                names = heads
                continue
            for number, cell in enumerate(cells):
                name = heads[0] if heads else names[number] if number < len(names) else b""
                if cell[1] in b"dD" and _names(name):
                    yield name, cell.start(2), cell.start(2) + len(cell[2].rstrip())


def _names(name: bytes) -> bool:
    if not 0 < len(name) <= LONGEST_NAME:
        return False
    return (_NAME.search(name) or _VERSION.search(name)) is not None or _tells(name)


def _inserts(text: bytes) -> Iterator[tuple[list[bytes], int]]:
    """Names of the columns that each INSERT fills, and where its rows begin."""
    for insert in _INSERT.finditer(text):
        yield [name.strip(b' "`[]\t\r\n') for name in insert[1].split(b",")], insert.end()
    made = {one[1].lower(): one[2] for one in _CREATE.finditer(text)}
    for insert in _INSERT_ALL.finditer(text):
        body = made.get(insert[1].lower(), b"")
        yield [column[1] for column in _COLUMN.finditer(body)], insert.end()


def _secrets(text: bytes, line: re.Pattern[bytes]) -> Iterator[Cell]:
    """The secrets of files that are made of them."""
    for match in line.finditer(text):
        yield b"password", *match.span(1)


def _copied(text: bytes) -> Iterator[Cell]:
    """Cells of the rows that PostgreSQL's COPY takes from its file, down to a line of ``\\.``."""
    for copy in _COPY.finditer(text):
        names = [name.strip(b' "\t\r\n') for name in copy[1].split(b",")]
        wanted = {number for number, name in enumerate(names) if _names(name)}
        at = copy.end()
        while wanted and at < len(text) and not text.startswith(b"\\.", at):
            end = text.find(b"\n", at)
            end = len(text) if end < 0 else end
            for number, cell in enumerate(text[at:end].rstrip(b"\r").split(b"\t")):
                if number in wanted:
                    yield names[number], at, at + len(cell)
                at += len(cell) + 1
            at = end + 1


def _inserted(text: bytes) -> Iterator[Cell]:
    yield from _copied(text)
    for names, start in _inserts(text):
        wanted = {number for number, name in enumerate(names) if _names(name)}
        at = start
        while wanted and (row := _ROW.match(text, at)):
            at = row.end()
            number = 0
            while match := _VALUE.match(text, at):
                if number in wanted and match.lastindex:
                    yield names[number], *match.span(match.lastindex)
                at = match.end()
                if text[at : at + 1] != b",":
                    break
                number, at = number + 1, at + 1
            at += text[at : at + 1] == b")"
            at += text[at : at + 1] == b","
