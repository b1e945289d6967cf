"""ScanCode's license rules as arrays, from ``tables/license_rules.npz``.

A rule is a row of numbers and a run of word ids. Words are known by their hashes only. Ids below
``legal`` are words that licenses are made of ("legalese" to ScanCode); what a rule asks of a match
is counted in all words and in these. What can be derived quickly is derived when the table is
loaded, in some 0.3 s and 60 MB.
"""

from __future__ import annotations

import io
import lzma
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Bits of a rule's flags.
TEXT, NOTICE, REFERENCE, TAG, INTRO, CLUE = 1, 2, 4, 8, 16, 32
FALSE_POSITIVE, CONTINUOUS, SMALL, UNKNOWN = 64, 128, 256, 512
STARTS_LICENSE, ENDS_LICENSE, APPROXIMATE, POINTS_TO_FILE, FREE_UNKNOWN = (
    1024, 2048, 4096, 8192, 16384,
)  # fmt: skip
HIGH_MASKS, LOW_MASKS = 2, 3  # columns of 64 common words each, license words and others
SYMBOL, ALL, ANY, WITH = 0, 1, 2, 3  # kinds of expression trees
STOP = -2  # the id of a word that is passed over
# Numbers of every rule; all but the first four are named as in ScanCode.
FIELDS = (
    "flags", "expression", "relevance", "coverage", "min_matched_length",
    "min_high_matched_length", "min_matched_length_unique", "min_high_matched_length_unique",
    "length_unique",
)  # fmt: skip

_FNV, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIX, _SHIFT = np.uint64(0xD6E8FEB86659FD93), np.uint64(32)
BASE = np.uint64(0x9E3779B97F4A7C15)


class Lexicon(NamedTuple):
    """Which words the rules know."""

    slots: NDArray[np.int32]  # open-addressed by word hash: entry of ``word`` + 1, or 0
    word: NDArray[np.uint64]
    word_id: NDArray[np.int16]
    marks: NDArray[np.int32]  # word ids that open a line with an SPDX tag, three a row
    digit: NDArray[np.bool_]  # by word id: made of digits only
    legal: int


class Facts(NamedTuple):
    """What is known of each rule, by its row."""

    legal: int
    tokens: NDArray[np.int16]  # word ids of all rules
    start: NDArray[np.int64]  # first of a rule's tokens; one more than rules
    length: NDArray[np.int32]
    flags: NDArray[np.int32]
    expression: NDArray[np.int32]
    coverage: NDArray[np.int32]  # least share of a rule that must be found, percent
    min_length: NDArray[np.int32]
    min_high: NDArray[np.int32]
    rank: NDArray[np.int32]  # of the rule's name among all names
    phrase_start: NDArray[np.int32]  # into ``phrases``; one more than rules
    phrases: NDArray[np.int32]  # rule, first and last word of a phrase that must be whole
    stop_start: NDArray[np.int32]
    stops: NDArray[np.int32]  # rule, word (or -1), number of stop words after it
    tree_of: NDArray[np.int32]  # expression -> tree
    tree_kind: NDArray[np.int32]
    tree_start: NDArray[np.int32]
    tree_parts: NDArray[np.int32]


class Whole(NamedTuple):
    """Finds rules that stand in a text word for word."""

    power: NDArray[np.uint64]  # of BASE
    slots: NDArray[np.int32]  # open-addressed by hash of all words: rule + 1, or 0
    hashes: NDArray[np.uint64]
    head_slots: NDArray[np.int32]  # by hash of the first 1, 2, 4, 8 … words: head + 1, or 0
    head: NDArray[np.uint64]
    head_lengths: NDArray[np.int32]  # head -> its rules' lengths in ``lengths``; one more
    lengths: NDArray[np.int32]


class Alike(NamedTuple):
    """Finds rules that share words with a text; a place is one of ``rules``."""

    rules: NDArray[np.int32]  # those that may be matched in part, few distinct words first
    size: NDArray[np.int32]  # distinct words
    least_high: NDArray[np.uint16]  # license words, and words, that a text must share, from 1
    least: NDArray[np.uint16]
    coverage: NDArray[np.int32]  # least share of the words, percent
    common: NDArray[np.int16]  # word id -> its bit in ``masks``, or -1: the words of most rules
    masks: NDArray[np.uint64]  # a column of 64 such words, then a place; license words come first
    repeat_start: NDArray[np.int64]  # rule -> its words that repeat; one more than rules
    repeats: NDArray[np.int16]  # word id and how often beyond once
    posting_start: NDArray[np.int64]  # other word id -> its places in ``postings``; one more
    postings: NDArray[np.uint16]


class Rules(NamedTuple):
    """The table for kernels, in parts: each kernel is given what it needs."""

    words: Lexicon
    facts: Facts
    whole: Whole
    alike: Alike


class Table(NamedTuple):
    """``Rules`` and what Python needs beside them."""

    rules: Rules
    relevance: NDArray[np.int32]  # of each rule
    expressions: list[str]  # SPDX
    identifiers: list[str]
    detector: str


def hash_word(word: str) -> int:
    """The 64-bit hash of a lower-case word, over its code points."""
    value = int(_FNV)
    for char in word:
        value = ((value ^ ord(char)) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    value = ((value ^ (value >> 32)) * int(_MIX)) & 0xFFFFFFFFFFFFFFFF
    return value ^ (value >> 32)


@njit(cache=True, nogil=True, inline="always")
def mixed(token):  # type: ignore[no-untyped-def]
    """A word id as a number whose bits look random."""
    value = (np.uint64(token) + np.uint64(0x1234567)) * _MIX
    value = (value ^ (value >> _SHIFT)) * _PRIME
    return value ^ (value >> _SHIFT)


@njit(cache=True, nogil=True)
def prefixes(tokens):  # type: ignore[no-untyped-def]
    """Polynomial prefix hashes of word ids, one more than words."""
    out = np.zeros(tokens.size + 1, np.uint64)
    for at in range(tokens.size):
        out[at + 1] = out[at] * BASE + mixed(tokens[at])
    return out


@njit(cache=True, nogil=True)
def find(slots, keys, key):  # type: ignore[no-untyped-def]
    """The row of ``key`` in an open-addressed table, or -1."""
    mask = np.uint64(slots.size - 1)
    at = key & mask
    while slots[at]:
        if keys[slots[at] - 1] == key:
            return slots[at] - 1
        at = (at + np.uint64(1)) & mask
    return -1


@njit(cache=True, nogil=True)
def _fill(keys, slots):  # type: ignore[no-untyped-def]
    """Enter keys; a key that is there already keeps its row."""
    mask = np.uint64(slots.size - 1)
    for row in range(keys.size):
        at = keys[row] & mask
        while slots[at] and keys[slots[at] - 1] != keys[row]:
            at = (at + np.uint64(1)) & mask
        if not slots[at]:
            slots[at] = row + 1


def _slots(keys: NDArray[np.uint64]) -> NDArray[np.int32]:
    slots = np.zeros(1 << int(len(keys) * 2).bit_length(), np.int32)
    _fill(keys, slots)
    return slots


@njit(cache=True, nogil=True)
def head_hash(prefix, power, start, log):  # type: ignore[no-untyped-def]
    """Hash of the ``2**log`` words at ``start``; heads of another length never meet it."""
    size = 1 << log
    value = prefix[start + size] - prefix[start] * power[size]
    value = (value + np.uint64(log)) * _MIX
    return value ^ (value >> _SHIFT)


@njit(cache=True, nogil=True)
def _heads(tokens, start, power, whole, heads, pairs):  # type: ignore[no-untyped-def]
    """Fill each rule's whole hash, the hashes of its heads, and (head hash, length) of the last."""
    count = 0
    for row in range(start.size - 1):
        prefix = prefixes(tokens[start[row] : start[row + 1]])
        size = prefix.size - 1
        whole[row] = prefix[size]
        log = 0
        while 1 << log <= size:
            heads[count] = head_hash(prefix, power, 0, log)
            count += 1
            log += 1
        pairs[row] = heads[count - 1]
    return count


@njit(cache=True, nogil=True)
def _count(tokens, start, rows, counts):  # type: ignore[no-untyped-def]
    """Count in how many of ``rows`` each word is."""
    seen = np.full(counts.size, -1, np.int32)
    for row in rows:
        for at in range(start[row], start[row + 1]):
            token = tokens[at]
            if seen[token] != row:
                seen[token] = row
                counts[token] += 1


@njit(cache=True, nogil=True)
def _post(tokens, start, rows, common, places, masks, out):  # type: ignore[no-untyped-def]
    """Write the rules of each word: common words into masks, others from ``places`` on."""
    seen = np.full(places.size, -1, np.int32)
    for number in range(rows.size):
        row = rows[number]
        for at in range(start[row], start[row + 1]):
            token = tokens[at]
            if seen[token] == row:
                continue
            seen[token] = row
            bit = common[token]
            if bit >= 0:
                masks[number, bit >> 6] |= np.uint64(1) << np.uint64(bit & 63)
            else:
                out[places[token]] = number
                places[token] += 1


@njit(cache=True, nogil=True)
def _repeats(tokens, start, rows, words, starts, out, fill):  # type: ignore[no-untyped-def]
    """Count (``fill`` False) or write the words that repeat in a rule."""
    counts = np.zeros(words, np.int32)
    total = 0
    for row in range(start.size - 1):
        starts[row] = total
        if not rows[row]:
            continue
        for at in range(start[row], start[row + 1]):
            counts[tokens[at]] += 1
        for at in range(start[row], start[row + 1]):
            token = tokens[at]
            if counts[token] > 1:
                if fill:
                    out[total, 0], out[total, 1] = token, counts[token] - 1
                total += 1
            counts[token] = 0
    starts[start.size - 1] = total
    return total


def _alike(raw: dict[str, NDArray[Any]], start: NDArray[np.int64], words: int) -> Alike:
    """What leads from words to rules."""
    rows = np.flatnonzero(raw["flags"] & APPROXIMATE).astype(np.int32)
    rows = rows[np.argsort(raw["length_unique"][rows], kind="stable")]
    counts = np.zeros(words, np.int64)
    _count(raw["tokens"], start, rows, counts)
    common = np.full(words, -1, np.int16)
    legal, bits = int(raw["legal"][0]), 64 * HIGH_MASKS
    often = np.argsort(-counts, kind="stable")
    for most, first in ((often[often < legal][:bits], 0), (often[often >= legal], bits)):
        chosen = most[: 64 * (HIGH_MASKS if first == 0 else LOW_MASKS)]
        common[chosen] = np.arange(first, first + len(chosen))
    posting_start = _starts(np.where(common < 0, counts, 0), np.int64)
    postings = np.empty(posting_start[-1], np.uint16)
    masks = np.zeros((len(rows), HIGH_MASKS + LOW_MASKS), np.uint64)
    _post(raw["tokens"], start, rows, common, posting_start[:-1].copy(), masks, postings)
    repeat_start, may = np.zeros(len(start), np.int64), (raw["flags"] & APPROXIMATE) != 0
    few = np.empty((0, 2), np.int16)
    total = _repeats(raw["tokens"], start, may, words, repeat_start, few, False)
    repeats = np.empty((total, 2), np.int16)
    _repeats(raw["tokens"], start, may, words, repeat_start, repeats, True)
    least_high = np.maximum(raw["min_high_matched_length_unique"][rows], 1).astype(np.uint16)
    return Alike(
        rows, raw["length_unique"][rows], least_high,
        raw["min_matched_length_unique"][rows].astype(np.uint16), raw["coverage"][rows],
        common, np.ascontiguousarray(masks.T), repeat_start, repeats, posting_start, postings,
    )  # fmt: skip


def _starts(sizes: NDArray[Any], kind: type = np.int32) -> NDArray[Any]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(kind)


def word_id(rules: Rules, word: str) -> int:
    """The id of a lower-case word, or -1 where no rule has it."""
    entry = find(rules.words.slots, rules.words.word, np.uint64(hash_word(word)))
    return int(rules.words.word_id[entry]) if entry >= 0 else -1


def _marks(slots: NDArray[Any], raw: dict[str, NDArray[Any]]) -> NDArray[np.int32]:
    def number(word: str) -> int:
        return int(raw["word_id"][find(slots, raw["word"], np.uint64(hash_word(word)))])

    words = (("spdx", "license", "identifier"), ("licenses", "nuget", "org"))
    return np.array([[number(word) for word in row] for row in words], np.int32)


@lru_cache(maxsize=1)
def load() -> Table:
    """The installed table, with all that is derived from it."""
    data = (files("stackcurate") / "tables" / "license_rules.npz").read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as packed:
        kinds = {
            n: packed[f"{n}.type"].tobytes().decode() for n in packed.files if f"{n}.type" in packed
        }
        raw = {
            name: np.frombuffer(lzma.decompress(packed[name].tobytes()), kind)
            for name, kind in kinds.items()
        }
        detector = packed["detector"].tobytes().decode()
    start = _starts(raw["length"], np.int64)
    count, words = len(raw["length"]), int(raw["word_id"].max()) + 1
    power = np.ones(1 << 15, np.uint64)
    power[1:] = BASE
    power = np.multiply.accumulate(power)
    whole, pairs = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    every = np.zeros(count * 15, np.uint64)
    used = _heads(raw["tokens"], start, power, whole, every, pairs)
    head = np.unique(every[:used])
    rows = np.searchsorted(head, pairs)
    both = np.unique(np.stack([rows, raw["length"]], 1), axis=0)
    digit = np.zeros(words, np.bool_)
    digit[raw["digits"]] = True
    identifiers = raw["identifiers"].tobytes().decode().split("\n")
    rank = np.empty(count, np.int32)
    rank[sorted(range(count), key=identifiers.__getitem__)] = np.arange(count, dtype=np.int32)
    phrases, stops = raw["phrases"].reshape(-1, 3), raw["stops"].reshape(-1, 3)
    slots, legal = _slots(raw["word"]), int(raw["legal"][0])
    rules = Rules(
        Lexicon(slots, raw["word"], raw["word_id"], _marks(slots, raw), digit, legal),
        Facts(
            legal=legal, tokens=raw["tokens"], start=start, length=raw["length"],
            flags=raw["flags"], expression=raw["expression"], coverage=raw["coverage"],
            min_length=raw["min_matched_length"], min_high=raw["min_high_matched_length"],
            rank=rank, phrase_start=_starts(np.bincount(phrases[:, 0], minlength=count)),
            phrases=phrases, stop_start=_starts(np.bincount(stops[:, 0], minlength=count)),
            stops=stops, tree_of=raw["tree_of"], tree_kind=raw["tree_kind"],
            tree_start=_starts(raw["tree_size"]), tree_parts=raw["tree_parts"],
        ),
        Whole(
            power, _slots(whole), whole, _slots(head), head,
            _starts(np.bincount(both[:, 0], minlength=len(head))), both[:, 1].astype(np.int32),
        ),
        _alike(raw, start, words),
    )  # fmt: skip
    expressions = raw["expressions"].tobytes().decode().split("\n")
    return Table(rules, raw["relevance"], expressions, identifiers, detector)
