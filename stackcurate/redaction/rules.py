"""The rule table: read, checked and compiled; every fact about a secret's shape is in it, not here.

A rule has an *exact* pattern, which Python's ``re`` runs on small regions of text, and a *scan*
pattern that matches wherever the exact one does and that Hyperscan, RE2 and ``re`` read alike. The
scan pattern is the exact one without its edges, unless the table gives a cheaper one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ..errors import ConfigError
from .examples import expand
from .place import FILES
from .settings import KINDS

TABLE = Path(__file__).parent.parent / "tables" / "redactions.yaml"
TLDS = Path(__file__).parent.parent / "tables" / "redaction_tlds.txt"

_KEYS = {
    *("id", "kind", "about", "pattern", "vendor", "named", "value", "scan", "gate", "edge"),
    *("files", "judge", "confidence", "match", "no_match"),
}
# A scan pattern may end where the shortest match ends; repeats above 1,000 are beyond RE2.
_OPEN_END = re.compile(r"(?:\{([1-9]\d*),\d*\})?(?:=\{0,\d\})?$")
# Look-arounds only narrow what matches, and scan engines do not know them.
_LOOK_AROUND = re.compile(r"\(\?<?[!=](?:[^()\\]|\\.)*\)")
# NAME: &str = "V", Name { get; set; } = "V", <name>V</name>, #define NAME "V", and plainer ones.
_ASSIGN = (
    r"""[\w.-]{0,30}["'`\])]{0,3}[ \t]{0,4}"""
    r"""(?:=>|:=|={1,3}|:[ \t]?&?[A-Za-z][\w<>.?]{0,20}[ \t]?=|\{[a-z; \t]{3,40}\}[ \t]?="""
    r"""|:|,|\(|>|[ \t])"""
    r"""[ \t]{0,4}@?["'`]?"""
)

# A word of its own (also of camelCase or snake_case), and the value some words behind it.
_WORD = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))(?i:{})(?![a-z])"
_GAP = r"[^\n0-9]{0,40}"


@dataclass(frozen=True)
class Rule:
    """One shape of a secret. ``exact`` marks the value with its last named group, or matches it.

    Rules with a ``gate`` match only in regions that hold a long number (``kernels/digits.py``) or a
    name for secrets (``Table.gate``), those with ``files`` only in files of that sort
    (``place.FILES``).
    """

    id: str
    kind: str
    judge: str
    confidence: float
    exact: re.Pattern[bytes]
    scan: bytes
    gate: str | None
    files: str | None
    about: str
    named: str | None
    match: tuple[str, ...]
    no_match: tuple[str, ...]


@dataclass(frozen=True, eq=False)  # one per file: told apart, and hashed, by identity
class Table:
    """All rules in the order of the table, and the SHA-256 (hex) of the files they are from.

    ``gate`` is the scan pattern of the words one of which every match of a rule behind the gate
    ``names`` holds.
    """

    rules: tuple[Rule, ...]
    digest: str
    gate: bytes

    def number(self, rule_id: str) -> int:
        """The place of a rule in ``rules``."""
        return [rule.id for rule in self.rules].index(rule_id)


@lru_cache(maxsize=4)
def load(path: Path = TABLE) -> Table:
    """Read the rule table; ConfigError names the rule and what is wrong with it."""
    raw = path.read_bytes()
    document = yaml.load(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    edges: dict[str, str] = document["edges"]
    words: dict[str, str] = document["words"]
    rules = tuple(_rule(entry, edges, words) for entry in document["rules"])
    ids = [rule.id for rule in rules]
    if len(set(ids)) != len(ids):
        raise ConfigError(f"{path.name}: a rule id stands twice")
    gate = _LOOK_AROUND.sub("", f"(?i:{words['gate']})").encode()
    return Table(rules, hashlib.sha256(raw + TLDS.read_bytes()).hexdigest(), gate)


@lru_cache(maxsize=1)
def national_words() -> re.Pattern[bytes]:
    """The words that name numbers of persons, of all rules for such; what stands before is open."""
    words = [rule.named for rule in load().rules if rule.kind == "national_id" and rule.named]
    return re.compile(f"{_initials(f'(?i:{chr(124).join(words)})')}(?![a-z])".encode())


def table_digest() -> str:
    """Digest of the rule table and its lists, for task names and the release's manifest."""
    return load().digest


@lru_cache(maxsize=1)
def tlds() -> frozenset[bytes]:
    """Top-level domains in small letters, internationalized ones in their ``xn--`` form."""
    lines = TLDS.read_bytes().splitlines()
    return frozenset(line for line in lines if not line.startswith(b"#"))


def _shortest(pattern: str) -> str:
    """``pattern`` without what its end may repeat: it matches wherever ``pattern`` does."""
    end = _OPEN_END.search(pattern)
    return pattern[: end.start()] + (f"{{{end[1]}}}" if end[1] else "") if end else pattern


def _patterns(entry: dict[str, Any]) -> tuple[str, str]:
    """The exact pattern without its edges, and the scan pattern, of a table entry."""
    if "named" in entry:
        value = f"(?P<value>{entry['value']})"
        exact = (
            _WORD.format(entry["named"])
            + _GAP
            + r"(?<![\w.])(?<![=\s(,:]-)"
            + value
            + r"(?![\w]|[.-]\w)"
        )
        return exact, entry.get("scan") or f"(?i:{entry['named']}){_GAP}(?:{entry['value']})"
    pattern = entry.get("pattern") or f"(?i:{entry['vendor']}){_ASSIGN}(?P<value>{entry['value']})"
    return pattern, entry.get("scan") or _shortest(pattern)


_FIRST = re.compile(
    r"\[(?P<marks>[^\]A-Za-z0-9^]+)\]|\(\?-i:(?P<cased>[A-Z])|(?P<letter>[a-z])|(?P<other>[^\x00-\x7f])"
)


def _initials(pattern: str) -> str:
    """``pattern`` with the words it begins with, in any case, sorted by their first character.

    Python's ``re`` then skips to the characters that can begin a match, which is eight times as
    fast; ``(?i:...)`` it tries at every place. What is matched stays the same.
    """
    end = _closing(pattern) if pattern.startswith("(?i:") else 0
    firsts: dict[str, list[str]] = {}
    for word in _spread(pattern[4:end]):
        first = _FIRST.match(word)
        if not first:
            return pattern
        rest = word[first.end() :]
        if first["letter"]:
            for letter in (first["letter"], first["letter"].upper()):
                firsts.setdefault(letter, []).append(rest)
        elif first["other"]:
            firsts.setdefault(first["other"], []).append(rest)
        elif first["cased"]:
            firsts.setdefault(first["cased"], []).append(f"(?-i:{rest}")
        else:
            for mark in first["marks"]:
                firsts.setdefault(re.escape(mark), []).append(rest)
    words = (f"{first}(?i:{'|'.join(rests)})" for first, rests in firsts.items())
    return f"(?:{'|'.join(words)}){pattern[end + 1 :]}" if firsts else pattern


def _closing(pattern: str) -> int:
    """Where the bracket that ``pattern`` begins with closes."""
    depth = 0
    for place in _unescaped(pattern):
        depth += {"(": 1, ")": -1}.get(pattern[place], 0)
        if not depth:
            return place
    return 0


def _spread(pattern: str) -> Iterator[str]:
    """The alternatives of ``pattern``, those of a group in front spread out: (?:a|b)c is ac, bc."""
    for word in _alternatives(pattern):
        end = _closing(word) if word.startswith("(?:") else 0
        if end and word[end + 1 : end + 2] not in ("?", "*", "{"):
            yield from (f"{head}{word[end + 1 :]}" for head in _spread(word[3:end]))
        else:
            yield word


def _alternatives(pattern: str) -> list[str]:
    out: list[str] = []
    depth = start = 0
    for place in _unescaped(pattern):
        depth += {"(": 1, ")": -1}.get(pattern[place], 0)
        if pattern[place] == "|" and not depth:
            out.append(pattern[start:place])
            start = place + 1
    return [*out, pattern[start:]]


def _unescaped(pattern: str) -> Iterator[int]:
    """Places of the characters outside classes that no backslash stands before."""
    for token in re.finditer(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(.)", pattern):
        if token[1]:
            yield token.start()


def _rule(entry: dict[str, Any], edges: dict[str, str], words: dict[str, str]) -> Rule:
    name = entry.get("id", "?")
    unknown = set(entry) - _KEYS
    if unknown or entry.get("kind") not in KINDS or entry.get("files") not in (None, *FILES):
        raise ConfigError(f"redaction rule {name}: unknown key, kind or files {sorted(unknown)}")
    if entry.get("gate") not in (None, "names", "numbers"):
        raise ConfigError(f"redaction rule {name}: unknown gate")
    edge = edges[entry.get("edge", "none" if "named" in entry else "word")]
    pattern, scan = _patterns(entry)
    for word, text in words.items():
        pattern = pattern.replace(f"<<{word}>>", text)
        scan = scan.replace(f"<<{word}>>", text)
    scan = _LOOK_AROUND.sub("", scan)
    # MY_VENDOR_KEY names the vendor too; NAME=value ends no base64 before the value.
    before = "A-Za-z" if "vendor" in entry else edge.replace("=", "")
    left = f"(?<![{before}])"
    if "-" in before:  # "${NAME:-value}"
        left = f"(?:{left}|(?<=:-))"
    guarded = f"{left}(?:{pattern})(?![{edge}])" if edge else _initials(pattern)
    try:
        exact = re.compile(guarded.encode())
        re.compile(scan.encode())
    except re.error as error:
        raise ConfigError(f"redaction rule {name}: bad pattern: {error}") from None
    return Rule(
        id=name,
        kind=entry["kind"],
        judge=entry.get("judge", "token"),
        confidence=float(entry["confidence"]),
        exact=exact,
        scan=re.sub(r"\(\?P<\w+>", "(?:", scan).encode(),
        gate=entry.get("gate"),
        files=entry.get("files"),
        about=entry["about"],
        named=entry.get("named"),
        match=tuple(expand(text, name) for text in entry.get("match", ())),
        no_match=tuple(expand(text, name) for text in entry.get("no_match", ())),
    )
