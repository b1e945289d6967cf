"""What a person asked for, from the words they used: read as it stands, or handed to a person.

A request in free words may hold a list, a rant, a quotation, a page's address, a typo. Four rules
keep the reading below what was asked:

1. Only what is named is read. A repository named is that repository; an account is read from the
   single word of the template (``all``), from the form's own box, or from a text in which every
   word is known and no repository is named.
2. A name counts where it stands alone on its line, or in a sentence that asks for removal and holds
   no word that `words.py` does not know.
3. A word that turns, narrows or widens (except, keep, fork, mistake, …) sends all to review.
4. Quotations, hidden comments and the template's own hints are nobody's request.

A ``tree/`` or ``blob/`` address is a path of the repository, and the repository itself only where
the address ends at the branch and the text says "repository"; everything else about it is review.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from stackcurate.errors import ConfigError
from stackcurate.optout import words
from stackcurate.optout.subjects import (
    GROUP_HOSTS,
    ORIGIN,
    OWNER,
    PATH,
    REPOSITORY,
    SWHID,
    TWO_LEVEL_HOSTS,
    Subject,
    parse,
)

LONGEST = 100_000  # characters of a request; GitHub allows 65,536
HOST = "github.com"

_FORGES = (*TWO_LEVEL_HOSTS, *GROUP_HOSTS)
# Hosts and owners that requests link to without meaning them.
_CONTEXT_HOSTS = (
    "huggingface.co", "hf.co", "softwareheritage.org", "bigcode-project.org", "arxiv.org",
    "stackoverflow.com", "stackexchange.com", "twitter.com", "x.com", "wikipedia.org", "gdpr.eu",
)  # fmt: skip
_CONTEXT_OWNERS = ("bigcode-project", "huggingface", "softwareheritage")
# First levels of GitHub's addresses that are no accounts.
_PAGES = frozenset(
    [
        "about", "apps", "collections", "contact", "customer-stories", "enterprise", "events",
        "explore", "features", "issues", "join", "login", "logout", "marketplace", "new",
        "notifications", "pricing", "pulls", "readme", "search", "security", "sessions",
        "settings", "site", "sponsors", "stars", "topics", "trending", "watching",
    ]
)  # fmt: skip
_BRANCHES = re.compile(
    r"(?:main|master|develop|dev|trunk|HEAD|gh-pages|v?\d+(?:\.\d+)+|[0-9a-f]{40})"
)
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_PLACEHOLDER = re.compile(
    r"(?i)(?:(?:your[-_]?)?user(?:name)?|owner|org|my-?org)/(?:repo|name|repository)(?:[-_]?\w{1,4})?"
)
_NO_NAMES = frozenset(
    [
        "and/or", "his/her", "he/she", "him/her", "s/he", "w/o", "n/a", "yes/no", "24/7",
        "tcp/ip", "ci/cd", "i/o", "on/off", "true/false", "either/or", "input/output",
        "pros/cons", "read/write", "issues/prs", "client/server", "km/h", "gpl/mit",
        "mit/apache", "repo/repos",
    ]
)  # fmt: skip
_SOURCE = re.compile(
    r"(?i)\.(?:c|cc|cpp|cs|css|go|h|html?|ini|java|json|md|php|rb|rs|sh|sql|toml|ts|txt|xml|ya?ml|py)$"
)

_LINK = re.compile(r"\[([^\]\n]{0,300})\]\(\s*<?([^()\s<>]{1,500})>?[^()\n]{0,100}\)")
_TOKEN = re.compile(
    r"""swh:1:\w+:[0-9a-f]+(?:;[^\s<>`"']+)?
    | [A-Za-z][\w+.-]*:/{1,3}[^\s<>`"'|,\\]+
    | [\w.-]+@[\w.-]+:[^\s<>`"'|,]+
    | (?<![\w@])@[A-Za-z0-9][A-Za-z0-9-]*(?![\w.@-])
    | [^\s<>`"'|,;()\[\]{}*\\]*[^\s<>`"'|,;()\[\]{}*]*[/\\][^\s<>`"'|,;()\[\]{}]*""",
    re.VERBOSE,
)
_MARK = "\ue000"  # stands for a name that was taken out of its line
_BULLET = re.compile(r"^\s*(?:[-*+•·]|\d{1,3}[.)])\s+|^\s*-(?=[A-Za-z0-9])")
_HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u00ad\ue000]")
_TAGS = re.compile(r"(?i)<\s*/?\s*(?:a|del|s|strike|script|style|iframe|svg|img|input|form)\b")
_HINT = re.compile(
    r"(?i)^\W*(?:note|hint)\W|^\W*if you (?:don'?t want|would like to exclude|want)\b"
)
_TEMPLATE = re.compile(r"(?i)following data\b.{0,40}\bremoved")
_ELSEWHERE = re.compile(
    r"(?i)^\W*(?:commits?|(?:github )?issues?|stack ?overflow\b.*|pull requests?|<[^>]*>)\W*$"
)
_TITLE = re.compile(r"(?i)^\W*opt[- ]?out(?: request)?(?: for)?\W*([A-Za-z0-9-]*)\W*$")


@dataclass(frozen=True)
class Reading:
    """One thing that was asked for. Without a subject it goes to review, and ``why`` says why."""

    subject: Subject | None
    words: str
    why: str = ""


@dataclass(frozen=True)
class _Name:
    """Something in a text that names a thing: ``kind`` is read, account, ignored or unclear."""

    kind: str
    text: str
    subject: Subject | None = None
    why: str = ""
    bare: bool = False


def read_text(body: str, account: str = "", title: str = "") -> list[Reading]:
    """The readings of a request in free words, by ``account`` (may be unknown: "").

    Always at least one. The same thing named twice is one reading.
    """
    titled = _TITLE.match(title)
    if title and not titled:
        body = f"{title}\n\n{body}"
    if len(body) > LONGEST:
        return [Reading(None, body[:200], "it is too long to be read safely")]
    trap = _trap(body)
    if trap:
        return [Reading(None, body[:2_000], trap)]
    lines = list(_lines(body))
    text = "\n".join(lines)
    about = titled[1] if titled else ""
    readings = _all_line(lines, account, about) + _named(lines, account)
    if not readings:
        readings = [_whole_account(text, account)]
    turned = words.TURNS.search(_without_names(text))
    if turned:
        why = f"it says {turned.group()!r}"
        return _once([_unclear(one, why) for one in readings])
    return _once(readings)


def _unclear(reading: Reading, why: str) -> Reading:
    if reading.subject is None:
        return reading
    return Reading(None, f"{reading.subject}: {reading.words}", why)


def _once(readings: Sequence[Reading]) -> list[Reading]:
    found: dict[object, Reading] = {}
    for one in readings:
        found.setdefault(one.subject or (one.words, one.why), one)
    return list(found.values())


def _trap(body: str) -> str:
    """Why a text may not be what it looks like, or ""."""
    if _HIDDEN.search(body.replace("\u200b\n", "\n")):
        return "it holds characters that hide or turn text"
    if _TAGS.search(body):
        return "it holds HTML that can show something else than it says"
    if re.search(r"~~(?!~)[^\n~]+~~", body):
        return "something in it is struck out"
    return ""


def _lines(body: str) -> Iterator[str]:
    """The lines that are the person's own request, without Markdown's marks."""
    body = re.sub(r"(?s)<!--.*?(?:-->|$)", "", body.replace("\r\n", "\n").replace("\r", "\n"))
    body = re.sub(r"!\[[^\]\n]*\]\([^()\n]*\)", " ", body)
    quoted = False
    for line in body.split("\n"):
        if re.match(r"\s{0,3}(?:[-*+]\s+)?>", line):
            quoted = True
            continue
        if not line.strip():
            quoted = False
        if quoted:  # Markdown goes on with a quotation until a blank line
            continue
        if re.match(r"^\s*(?:```|~~~)", line) or _HINT.search(line):
            continue
        if re.match(
            r"(?i)^\s*(?:on|am|le|el)\b.{3,80}\b(?:wrote|schrieb|écrit|escribió)\s*:", line
        ):
            continue
        yield line


def _named(lines: Sequence[str], account: str) -> list[Reading]:
    """Readings of everything that is named, line by line."""
    text = "\n".join(lines)
    heading = _heading(lines)
    found: list[Reading] = []
    context: list[_Name] = []
    for line in lines:
        plain, names = _take_out(line, account, text)
        if re.match(r"^\s*(?:[-*+]|\d+[.)])?\s*\[ \]", line) and names:
            found += [Reading(None, one.text, "its box is not ticked") for one in names]
            continue
        plain = re.sub(r"^\s*(?:[-*+]\s*)?\[[xX]\]", " ", plain)
        if not names:
            found += _unnamed_item(plain)
            continue
        for sentence in re.split(r"(?<=[.!?;])\s+", _BULLET.sub("", plain)):
            mine = [names[ord(c) - 0xE001] for c in sentence if "\ue001" <= c <= "\uf8ff"]
            paths = all(one.subject and one.subject.kind == PATH for one in mine)
            why = _doubt(sentence, bool(heading), paths) if mine else ""
            if not why:
                found += [_reading(one) for one in mine if one.kind in ("read", "unclear")]
                context += [one for one in mine if one.kind == "account"]
            else:
                context += [
                    replace(one, why=why) for one in mine if one.kind in ("read", "unclear")
                ]
                context += [one for one in mine if one.kind == "account"]
    found += _context(context, found, account)
    if heading is False:
        return [_unclear(one, "the line above the list is not understood") for one in found]
    return found


def _doubt(sentence: str, headed: bool, paths: bool) -> str:
    """Why a sentence with names in it (as private-use characters) may ask for something else.

    ``paths``: the names are paths, so that words such as "file" are no surprise.
    """
    pieces = re.split("[\ue001-\uf8ff]", sentence)
    rest = " ".join(pieces)
    if not re.search(r"\w", rest) or (
        not words.unknown(rest, words.LABELS) and not words.ASKS.search(rest)
    ):
        return ""
    strange = words.unknown(rest)
    if paths:
        strange = [word for word in strange if not words.PARTS.fullmatch(word)]
    if strange:
        return f"its sentence holds words that are not understood: {', '.join(strange[:3])}"
    if not headed and not words.ASKS.search(rest):
        return "nothing in the sentence asks for removal"
    if any(words.is_place(before, after) for before, after in pairwise(pieces)):
        return "it may be the place that something else is to be removed from"
    return ""


def _heading(lines: Sequence[str]) -> bool | None:
    """Whether a line that opens a list asks for removal; False where it is not understood."""
    state: bool | None = None
    for line in lines:
        if re.search(r"[:：]\s*$", line) and not _TOKEN.search(line):
            if words.ASKS.search(line):
                state = True if state is None else state
            elif words.unknown(line):
                return False
    return state


def _reading(name: _Name) -> Reading:
    return Reading(name.subject if name.kind == "read" else None, name.text, name.why)


def _context(context: Sequence[_Name], found: Sequence[Reading], account: str) -> list[Reading]:
    """Names that are mentioned and not clearly asked for: nothing where they add nothing."""
    values = {one.subject.value for one in found if one.subject is not None}
    more = []
    for name in context:
        value = name.subject.value if name.subject else ""
        if value in values or (name.kind == "account" and _adds_nothing(value, values, account)):
            continue
        if name.kind == "account" and not values and not name.why:
            continue  # `_whole_account` looks at it
        why = name.why or "an account is named beside repositories"
        more.append(Reading(None, name.text, why))
    return more


def _adds_nothing(value: str, values: set[str], account: str) -> bool:
    mine = value == f"{HOST}/{account.lower()}"
    return bool(values) and (mine or any(one.startswith(value + "/") for one in values))


def _unnamed_item(plain: str) -> list[Reading]:
    """A list item without a name that could be read."""
    if not _BULLET.match(plain):
        return []
    item = _BULLET.sub("", plain).strip()
    if (
        not re.search(r"\w", item)
        or _ELSEWHERE.match(item)
        or item.strip(" .\"'`*_").lower() == "all"
    ):
        return []
    return [Reading(None, item, "this list item names nothing that could be told for certain")]


def _all_line(lines: Sequence[str], account: str, about: str) -> list[Reading]:
    """The template's ``all``: the account that asks, unless something else is named beside it."""
    items = [_BULLET.sub("", line).strip(" .\"'`*_").lower() for line in lines]
    if "all" not in items:
        return []
    text = "\n".join(lines)
    if about and about.lower() not in (account.lower(), "all", "username"):
        return [
            Reading(None, "all", f"the title names {about!r}, and {account or 'nobody'!r} asks")
        ]
    if not account or not _OWNER.fullmatch(account):
        return [Reading(None, "all", "nobody knows whose account it is")]
    if not (_TEMPLATE.search(text) or [one for one in items if one] == ["all"]):
        return [Reading(None, "all", "'all' stands in a text that is not the template")]
    if _named(lines, account):
        return [Reading(None, "all", "it says 'all' and names something else beside it")]
    return [Reading(parse(OWNER, f"{HOST}/{account}"), "all")]


def _whole_account(text: str, account: str) -> Reading:
    """The reading of a text that names no repository: an account, if every word says so."""
    names = [name for line in text.split("\n") for name in _take_out(line, account, text)[1]]
    owners = {name.subject for name in names if name.kind == "account" and name.subject}
    rest = " ".join(_take_out(line, account, text)[0] for line in text.split("\n"))
    rest = re.sub("[\ue000-\uf8ff]", " ", rest)
    if len(owners) > 1 or any(name.kind == "unclear" for name in names):
        return Reading(None, text[:2_000], "it names more than one account, or none for certain")
    if not (words.ASKS.search(rest) and words.names_all(_without_account(rest, account))):
        return Reading(
            None, text[:2_000], "it names no repository and is not clearly about an account"
        )
    if owners:
        return Reading(owners.pop(), text[:200])
    if not account or not _OWNER.fullmatch(account):
        return Reading(None, text[:2_000], "nobody knows whose account it is")
    return Reading(parse(OWNER, f"{HOST}/{account}"), text[:200])


def _without_account(text: str, account: str) -> str:
    return re.sub(rf"(?i)(?<![\w-]){re.escape(account)}(?![\w-])", " ", text) if account else text


def _without_names(text: str) -> str:
    return _TOKEN.sub(" ", text)


def _take_out(line: str, account: str, text: str) -> tuple[str, list[_Name]]:
    """The line with a private-use character for each name, and the names."""
    names: list[_Name] = []

    def keep(name: _Name) -> str:
        names.append(name)
        return f" {chr(0xE000 + len(names))} " if len(names) < 5_000 else " "

    def link(found: re.Match[str]) -> str:
        label, address = found[1], found[2]
        name = _name(address, account, text)
        looks = [_name(token, account, text) for token in _TOKEN.findall(label)]
        if any(one.subject != name.subject for one in looks if one.subject):
            return keep(
                _Name("unclear", found[0], None, "a link shows one name and leads to another")
            )
        return keep(name)

    line = _LINK.sub(link, line)
    line = _TOKEN.sub(lambda found: keep(_name(found[0], account, text)), line)
    return re.sub(r"[`*]", " ", line), names


def _name(token: str, account: str, text: str) -> _Name:
    """What one token names."""
    token = token.strip().rstrip(".,;:!?*~'\")]}>").lstrip("*'\"(<[{")
    try:
        return _named_by(token, account, text)
    except (ConfigError, ValueError):
        return _Name("unclear", token, None, "it is no address that could be read")


def _named_by(token: str, account: str, text: str) -> _Name:
    if token.startswith("swh:1:"):
        return _Name("read", token, parse(SWHID, token))
    if token.startswith("@"):
        return _Name("account", token, parse(OWNER, f"{HOST}/{token[1:]}"))
    if any(ord(c) > 127 for c in token):
        return _Name("unclear", token, None, "its letters are not those that addresses are made of")
    scp = re.fullmatch(r"git@([\w.-]+):(.+)", token)
    if scp:
        return _at(scp[1].lower(), scp[2], token, text)
    scheme = re.match(r"(?i)^([a-z][\w+.-]*):(/*)", token)
    if scheme:
        if (
            scheme[1].lower() not in ("http", "https", "git", "ssh", "git+https")
            or scheme[2] != "//"
        ):
            return _Name("unclear", token, None, "the address is mistyped")
        parts = urlsplit(token)
        if parts.username not in (None, "git") or parts.password:
            return _Name("unclear", token, None, "the address hides its host behind a name")
        return _at((parts.hostname or "").removeprefix("www."), parts.path, token, text)
    first, _, rest = token.partition("/")
    if "." in first and re.search(r"\.[A-Za-z]{2,}$", first):
        return _at(first.lower().removeprefix("www."), rest, token, text, scheme=False)
    return _bare(token, account, text)


def _bare(token: str, account: str, text: str) -> _Name:
    """owner/name without a host."""
    if (
        token.lower() in _NO_NAMES
        or _PLACEHOLDER.fullmatch(token)
        or not re.search(r"[A-Za-z]", token)
    ):
        return _Name("ignored", token)
    parts = token.rstrip("/").split("/")
    if len(parts) != 2 or not _OWNER.fullmatch(parts[0]) or not _NAME.fullmatch(parts[1]):
        return _Name("unclear", token, None, "it is no owner/name that could be read")
    owner, name = parts
    if owner.lower() in _CONTEXT_OWNERS:
        return _Name("ignored", token)
    foreign = owner.lower() != account.lower()
    if foreign and (words.PARTS.search(_without_names(text)) or _SOURCE.search(name)):
        return _Name("unclear", token, None, "it may be a path, and not owner/name")
    return _Name("read", token, parse(REPOSITORY, f"{HOST}/{owner}/{name}"), bare=True)


def _at(host: str, path: str, token: str, text: str, scheme: bool = True) -> _Name:
    """What an address on ``host`` names."""
    if any(host == one or host.endswith("." + one) for one in _CONTEXT_HOSTS):
        return _Name("ignored", token)
    parts = [unquote(part) for part in re.split(r"[?#]", path)[0].split("/") if part]
    if host in TWO_LEVEL_HOSTS:
        return _on_forge(host, parts, token, text)
    if host in GROUP_HOSTS or host.startswith("gitlab."):
        if "-" in parts or not parts:
            return _Name("unclear", token, None, "it is a page within a repository")
        kind = OWNER if len(parts) == 1 else REPOSITORY
        subject = parse(kind, f"{host}/{'/'.join(parts)}")
        return _Name("account" if kind == OWNER else "read", token, subject)
    if (
        host.endswith((".github.io", ".githubusercontent.com", "gist.github.com"))
        or host == "gist.github.com"
    ):
        return _Name("unclear", token, None, "it is a page, and no repository")
    if difflib.get_close_matches(host, _FORGES, 1, 0.8):
        return _Name("unclear", token, None, "the host is mistyped")
    if not scheme or not parts:
        return _Name("unclear" if parts and len(parts) > 1 else "ignored", token, None,
                     "nobody can tell whether this is an address")  # fmt: skip
    return _Name("read", token, parse(ORIGIN, token))


def _on_forge(host: str, parts: Sequence[str], token: str, text: str) -> _Name:
    if not parts or (parts[0].lower() in _PAGES and host == HOST):
        return _Name("ignored", token)
    if parts[0].lower() in ("orgs", "users", "organizations") and len(parts) > 1:
        parts = parts[1:2]
    if parts[0].lower() in _CONTEXT_OWNERS:
        return _Name("ignored", token)
    if not _OWNER.fullmatch(parts[0]):
        return _Name("unclear", token, None, "it names no account")
    if len(parts) == 1:
        return _Name("account", token, parse(OWNER, f"{host}/{parts[0]}"))
    if not _NAME.fullmatch(parts[1]):
        return _Name("unclear", token, None, "it names no repository")
    repository = f"{host}/{parts[0]}/{parts[1].removesuffix('.git')}"
    if len(parts) == 2:
        return _Name("read", token, parse(REPOSITORY, repository))
    if parts[2] not in ("tree", "blob") or len(parts) < 4:
        return _Name("unclear", token, None, "it is a page within a repository")
    return _within(repository, parts[2:], token, text)


def _within(repository: str, parts: Sequence[str], token: str, text: str) -> _Name:
    """A tree/ or blob/ address: ``parts`` are the word, the branch and the path."""
    says = words.REPOSITORY.search(_without_names(text)) and not words.PARTS.search(
        _without_names(text)
    )
    if not _BRANCHES.fullmatch(parts[1]):
        return _Name("unclear", token, None, "branch and path cannot be told apart")
    if len(parts) == 2:
        if says and parts[0] == "tree":
            return _Name("read", token, parse(REPOSITORY, repository))
        return _Name("unclear", token, None, "it is a branch, and may mean the repository")
    if says:
        return _Name("unclear", token, None, "it is a path, and the text says repository")
    # glob characters of a real name mean themselves
    glob = "/" + "/".join(re.sub(r"([*?\[])", r"[\1]", part) for part in parts[2:])
    return _Name("read", token, parse(PATH, repository, glob))
