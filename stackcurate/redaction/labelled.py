"""The scorecard's labelled set: values in vendors' formats, in many syntaxes, and look-alikes.

Everything is drawn from hashes of names, so the set is the same on every machine, and no file of
ours holds a live-looking secret.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from .examples import expand
from .syntaxes import SYNTAXES, Syntax

PLACES = 6  # syntaxes each format is planted in
SEED = "labelled"
_LUHN = re.compile(r"\{luhn\*(\d+)\}")
_IBAN = re.compile(r"(..)\{iban\*(\d+):([A-Z]*)0-9\}")


@dataclass(frozen=True)
class Label:
    """Bytes ``start`` to ``end`` hold a value of ``kinds[0]``; the other kinds are as right."""

    format: str
    kinds: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Case:
    """One file and what is to be found in it; nothing where ``labels`` is empty."""

    path: str
    text: bytes
    labels: tuple[Label, ...]


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    """The whole set, in a fixed order."""
    text = resources.files("stackcurate.tables").joinpath("redactions_labelled.yaml").read_text()
    table = yaml.safe_load(text)
    return tuple(
        [
            *_planted(table["formats"]),
            *_files(table["files"]),
            *_placed(table),
            *_look_alikes(table),
        ]
    )


def _planted(formats: dict[str, list[dict[str, Any]]]) -> Iterator[Case]:
    turn = 0
    for kind, entries in formats.items():
        for entry in entries:
            for place in range(PLACES):
                syntax = SYNTAXES[turn % len(SYNTAXES)]
                turn += 5  # coprime to the number of syntaxes, so that all of them come round
                yield _plant(kind, entry, syntax, f"{SEED}/{kind}/{entry['id']}/{place}")
            turn += 1


def _plant(kind: str, entry: dict[str, Any], syntax: Syntax, seed: str) -> Case:
    value = _draw(entry["text"], seed)
    if entry.get("group"):
        value = entry["group"].join(value[at : at + 4] for at in range(0, len(value), 4))
    around, path = entry.get("around", "<>"), "/notes.txt"
    if "name" in entry:
        name = syntax.spelling(entry["name"])
        around, path = syntax.text.replace("@", name).replace("<>", around, 1), syntax.path
    else:
        around += "\n"
    kinds = (kind, entry["also"]) if "also" in entry else (kind,)
    return _case(path, around.replace("<>", f"\1{value}\2", 1), kinds, f"{kind}/{entry['id']}")


def _files(entries: list[dict[str, Any]]) -> Iterator[Case]:
    marks = re.compile(r"<((?=[^<>]*[{$!])[^<>/\s]+(?:\\n[^<>\s]*|/[^<>\s]*)*)>")
    for entry in entries:
        kinds = entry["kind"] if isinstance(entry["kind"], list) else [entry["kind"]]
        for place in range(PLACES):
            seed = f"{SEED}{entry['path']}/{place}"
            text = marks.sub(lambda mark: f"\1{expand(mark[1], seed)}\2", entry["text"])  # noqa: B023
            yield _case(entry["path"], expand(text, seed), tuple(kinds), f"file{entry['path']}")


def _placed(table: dict[str, Any]) -> Iterator[Case]:
    """Every place with each sort of value that its kind has, at most ``PLACES`` of them."""
    words = table["words"].split()
    for number, place in enumerate(table["places"]):
        kind, path = place["kind"], place["path"]
        for turn, template in enumerate(table["values"][kind][:PLACES]):
            seed = f"{SEED}/place/{number}/{turn}"
            value = _worded(_draw(template, seed), words, seed)
            marked = place["text"].replace("<>", f"\1{value}\2", 1)
            yield _case(path, marked, (kind,), f"place{path}")


def _worded(text: str, words: list[str], seed: str) -> str:
    """``text`` with a word at each ``[word]``."""
    pieces = text.split("[word]")
    out = pieces[0]
    for number, piece in enumerate(pieces[1:]):
        digest = hashlib.sha256(f"{seed}{number}".encode()).digest()
        out += words[int.from_bytes(digest[:4], "big") % len(words)] + piece
    return out


def _look_alikes(table: dict[str, Any]) -> Iterator[Case]:
    for number, template in enumerate(table["negatives"]):
        text = expand(template, f"{SEED}/negative/{number}") + "\n"
        for path in ("/notes.txt", "/app.py"):
            yield Case(path, text.encode(), ())


_MORE = re.compile(r"\[(email):([^\]]+)\]")


def _case(path: str, marked: str, kinds: tuple[str, ...], name: str) -> Case:
    """A case from a text in which bytes 1 and 2 frame the values; a kind may stand before 3."""
    labels, text = [], b""
    marked = _MORE.sub("\1\\1\3\\2\2", marked)
    for part in re.split("(\1[^\2]*\2)", marked):
        kind, other, value = part.strip("\1\2").rpartition("\3")
        start = len(text)
        text += value.encode()
        if part.startswith("\1"):
            labels.append(Label(name, (kind,) if other else kinds, start, len(text)))
    return Case(path, text, tuple(labels))


def _draw(template: str, seed: str) -> str:
    """``template`` with its holes filled, those for cards and bank accounts with checksums."""
    for pattern, fill in ((_LUHN, _card), (_IBAN, _iban)):
        found = pattern.search(template)
        if found:
            return fill(template, found, seed)
    return expand(template, seed)


def _card(template: str, hole: re.Match[str], seed: str) -> str:
    body = template[: hole.start()] + expand(f"{{0-9*{int(hole[1]) - 1}}}", seed)
    # Counted from the right, before the check digit: every other digit twice, its digits added.
    total = sum(
        sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(body[::-1])
    )
    return body + str(-total % 10)


def _iban(template: str, hole: re.Match[str], seed: str) -> str:
    bank = hole[3]
    account = bank + expand(f"{{0-9*{int(hole[2]) - len(bank)}}}", seed)
    digits = "".join(str(int(char, 36)) for char in f"{account}{hole[1]}00")
    return f"{hole[1]}{98 - int(digits) % 97:02d}{account}"
