"""Where a file's own text begins: a license header at the top says nothing about the code below.

Swapping one license header for another takes small files that are otherwise equal below any
threshold, and sharing one makes strangers look alike. So it is left out of the shingles.

The rule, linear and blind to the language: at the top of a file come shebangs, ``<?php`` and
``<?xml ?>`` openings, blank lines and comments. A comment is a block (``/* */``, ``<!-- -->``,
``(* *)``, ``{- -}``, triple quotes and others below) or a run of lines that begin with one line
mark; a blank line ends a run. The header ends with the last of these comments that speaks of
copyright or a license. It has at most ``MOST`` bytes: a comment that runs past that is no header.
"""

from __future__ import annotations

import numpy as np
from numba import njit

MOST = 16_384  # bytes; the longest common header, the whole Apache or MPL text, has under 12,000

_BLOCKS = (
    (b"/*", b"*/"),
    (b"<!--", b"-->"),
    (b"<%--", b"--%>"),
    (b"<#--", b"-->"),
    (b"(*", b"*)"),
    (b"{-", b"-}"),
    (b"{#", b"#}"),
    (b"{*", b"*}"),
    (b"@*", b"*@"),
    (b'"""', b'"""'),
    (b"'''", b"'''"),
    (b"--[[", b"]]"),
    (b"#|", b"|#"),
    (b"#=", b"=#"),
    (b"%{", b"%}"),
    (b"=begin", b"=end"),
)
_LINES = (
    b"//",
    b"#",
    b"--",
    b";",
    b"%",
    b"!",
    b"'",
    b'.\\"',
    b"'\\\"",
    b"dnl ",
    b"REM ",
    b"rem ",
    b"@rem ",
)
_WORDS = (
    b"copyright",
    b"license",
    b"licence",
    b"spdx-",
    b"rights reserved",
    b"public domain",
    b"\xc2\xa9",
)


def _packed(words: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Words as one byte array and their offsets, for the kernel."""
    offsets = np.cumsum([0, *map(len, words)]).astype(np.int64)
    return np.frombuffer(b"".join(words), dtype=np.uint8), offsets


_OPEN, _OPEN_AT = _packed([begin for begin, _ in _BLOCKS])
_CLOSE, _CLOSE_AT = _packed([end for _, end in _BLOCKS])
_LINE, _LINE_AT = _packed(list(_LINES))
_WORD, _WORD_AT = _packed(list(_WORDS))


@njit(cache=True, nogil=True)
def _is_at(data: np.ndarray, at: int, end: int, words: np.ndarray, begin: int, stop: int) -> bool:
    """Whether ``words[begin:stop]`` stands at ``at``."""
    if at + stop - begin > end:
        return False
    same = True
    for i in range(stop - begin):
        same &= data[at + i] == words[begin + i]
    return same


@njit(cache=True, nogil=True)
def _which(data: np.ndarray, at: int, end: int, words: np.ndarray, offsets: np.ndarray) -> int:
    """The number of the first word that stands at ``at``, or -1."""
    for word in range(len(offsets) - 1):
        if _is_at(data, at, end, words, offsets[word], offsets[word + 1]):
            return word
    return -1


@njit(cache=True, nogil=True)
def _line_end(data: np.ndarray, at: int, end: int) -> int:
    """Where the next line begins."""
    while at < end and data[at] != 10 and data[at] != 13:
        at += 1
    if at + 1 < end and data[at] == 13 and data[at + 1] == 10:
        at += 1
    return min(at + 1, end)


@njit(cache=True, nogil=True)
def _line_mark(data: np.ndarray, at: int, end: int) -> int:
    """The number of the line comment mark at ``at``, or -1.

    ``#`` with a small letter behind is a directive of the C preprocessor.
    """
    mark = _which(data, at, end, _LINE, _LINE_AT)
    if mark == 1 and at + 1 < end and 97 <= data[at + 1] <= 122:
        return -1
    return mark


@njit(cache=True, nogil=True)
def _comment_end(data: np.ndarray, at: int, end: int) -> int:
    """Where the comment that begins at ``at`` ends; ``at`` if none does, -1 if it has no end."""
    block = _which(data, at, end, _OPEN, _OPEN_AT)
    if block >= 0:
        at += _OPEN_AT[block + 1] - _OPEN_AT[block]
        while at < end:
            if _is_at(data, at, end, _CLOSE, _CLOSE_AT[block], _CLOSE_AT[block + 1]):
                return at + _CLOSE_AT[block + 1] - _CLOSE_AT[block]
            at += 1
        return -1
    mark = _line_mark(data, at, end)
    if mark < 0:
        return at
    while at < end:
        at = _line_end(data, at, end)
        begin = at
        while begin < end and (data[begin] == 32 or data[begin] == 9):
            begin += 1
        if begin >= end or _line_mark(data, begin, end) != mark:
            break
    return at


@njit(cache=True, nogil=True)
def _speaks_of_license(data: np.ndarray, begin: int, end: int) -> bool:
    for at in range(begin, end):
        first = data[at]
        if 65 <= first <= 90:
            first = np.uint8(first + 32)
        for word in range(len(_WORD_AT) - 1):
            if first != _WORD[_WORD_AT[word]]:
                continue
            size = _WORD_AT[word + 1] - _WORD_AT[word]
            if at + size > end:
                continue
            same = True
            for i in range(1, size):
                byte = data[at + i]
                if 65 <= byte <= 90:
                    byte = np.uint8(byte + 32)
                if byte != _WORD[_WORD_AT[word] + i]:
                    same = False
                    break
            if same:
                return True
    return False


@njit(cache=True, nogil=True)
def _is_opening(data: np.ndarray, at: int, end: int) -> bool:
    """Whether this line may stand before a header: a shebang or a ``<?`` opening."""
    return at + 1 < end and (
        (data[at] == 35 and data[at + 1] == 33) or (data[at] == 60 and data[at + 1] == 63)
    )


@njit(cache=True, nogil=True)
def header_end(data: np.ndarray, begin: int, end: int) -> int:
    """Where the text below the license header of ``data[begin:end]`` begins; ``begin`` if none."""
    end = min(end, begin + MOST)
    at = begin
    if at + 2 < end and data[at] == 0xEF and data[at + 1] == 0xBB and data[at + 2] == 0xBF:
        at += 3
    header = begin
    while at < end:
        if data[at] == 32 or 9 <= data[at] <= 13:
            at += 1
        elif _is_opening(data, at, end):
            at = _line_end(data, at, end)
        else:
            after = _comment_end(data, at, end)
            if after <= at:  # no comment, or one without end
                break
            if _speaks_of_license(data, at, after):
                header = after
            at = after
    return header


@njit(cache=True, nogil=True)
def header_ends(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """``header_end`` of each text ``data[offsets[i]:offsets[i + 1]]``, int64."""
    out = np.empty(len(offsets) - 1, dtype=np.int64)
    for row in range(len(out)):
        out[row] = header_end(data, offsets[row], offsets[row + 1])
    return out
