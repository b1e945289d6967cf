"""Kernels over the tops of source files: the leading comment, and SPDX tags.

One pass per file over at most ``HEAD`` bytes; nothing here knows what a license means.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HEAD = 8192  # bytes of a file that are looked at
MAX_TAGS = 16  # SPDX tags of one file that are reported
_TAG = np.frombuffer(b"spdx-license-identifier:", np.uint8)

# Words without which no rule of a license that is not open can match (but for a fiftieth of them; a
# test counts), and words that limit the use in other ways: four bytes of each, or eight where four
# are too common. A short name brings the space before it: "mpl" alone is in "example".
_FOREIGN = (
    "kommerzi", "vertraul", "gebrauch", "untersag", "verboten", "gewerbli", "interdit", "comercia",
    " proibid", " vietato", " vietata", "komercyj", "омме", "прещ", "商业", "商業", "商用", "禁止",
    "仅供", "仅限", "僅供", "未经", "未經", "nehmigun", "аспр", "無断", "転載", "再配",
    "营利", "營利", "営利", "상업", "무단", "영리",
)  # fmt: skip
_FOREIGN_STEMS = [one if len(one) == 8 else one[-4:] for one in (w.encode() for w in _FOREIGN)]
STEMS = (
    b"lice", b"lise", b"lisc", b"perm", b"publ", b"redi", b"trai", b"noti", b"prie", b"fide",
    b"unau", b"hibi", b"secr", b"comm", b"agre", b"attr", b"mozi", b"lega", b"copl", b"left",
    b"eula", b"gfdl", b"cddl", b"sspl", b"eupl", b"lppl", b"ceci", b"apsl", b"affe", b"arti",
    b"poly", b"acad", b"educ", b"forb", b"evil", b"gran", b"righ", b"stri", b" mpl", b" epl",
    b" osl", b" qpl", b" cpl", b" cc ", b" cc-", b" spl", b"bsd ", b"reew", b"hare", b"glpl",
    b"glpv", b"glp-", b"lal-", b"lili", b"afpl", b"[cc ", b"ccby", b"cc_b", b"erms", b"spdx",
    b"copr", b" llm", b" ai ", b"use only", b"ses only", b"perty of", b"ot copy.", b"openrail",
    b"sed sour", b"pen sour", b"datasets", b"see copy", b"busl", *_FOREIGN_STEMS,
)  # fmt: skip
# Where no comment opens a file: words of a license that is not open, or of a limit.
SURE_STEMS = (
    b"licensed", b" license", b" licence", b"public l", b" gpl", b"lgpl", b"agpl", b"gplv", b"gnu ",
    b"propriet", b"confiden", b"commerci", b"redistri", b"rictly p", b"unauthor", b"academic",
    b"use only", b"ses only", b" commons", b"sspl", b"busl", b"perty of",
    b"enses/by",
    *_FOREIGN_STEMS,
)  # fmt: skip
SHORT = 12  # bytes of a comment that may be a mere sign of one
TOP = 2048  # bytes that are read of a file that no comment opens
_GPL = np.uint32(int.from_bytes(b"gpl", "big"))
_GNU = np.uint32(int.from_bytes(b"gnu", "big"))  # also where its license is named in Chinese
_MIX = np.uint32(0x9E3779B1)


def _stem_table(stems: tuple[bytes, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Open-addressed by the hash of a stem's last four bytes: these, and all eight or 0."""
    tails, whole = np.zeros(1 << 12, np.uint32), np.zeros(1 << 12, np.uint64)
    for stem in stems:
        folded = bytes(byte | 0x20 for byte in stem)
        number = int.from_bytes(folded[-4:], "big")
        at = (number * int(_MIX) & 0xFFFFFFFF) >> 20
        while tails[at]:
            at = (at + 1) & 0xFFF
        tails[at] = number
        whole[at] = int.from_bytes(folded, "big") if len(folded) > 4 else 0
    return tails, whole


_TAILS, _WHOLE = _stem_table(STEMS)
_SURE_TAILS, _SURE_WHOLE = _stem_table(SURE_STEMS)

# Kinds of block comments: how they open and close.
_BLOCKS = [
    (b"/*", b"*/"), (b"<!--", b"-->"), (b"(*", b"*)"), (b"{-", b"-}"), (b'"""', b'"""'),
    (b"'''", b"'''"), (b"{#", b"#}"), (b"--[[", b"]]"), (b"<%--", b"--%>"), (b"=begin", b"=end"),
    (b"=pod", b"=cut"), (b'r"""', b'"""'), (b"#|", b"|#"), (b"/+", b"+/"), (b"%{", b"%}"),
    (b"#=", b"=#"), (b"<#--", b"-->"), (b"<#", b"#>"), (b"{{--", b"--}}"), (b"{{!--", b"--}}"),
    (b"<%#", b"%>"), (b"@*", b"*@"), (b"#[\n", b"]#"), (b"#[ ", b"]#"), (b"=head", b"=cut"),
    (b"#if 0", b"#endif"), (b"{%- comment", b"endcomment"), (b"{% comment", b"endcomment"),
    (b"<%doc>", b"</%doc>"), (b"{$", b"}"), (b"###\n", b"###"), (b"#*", b"*#"),
    (b"\\begin{comment}", b"\\end{comment}"),
]  # fmt: skip
# How a line opens that is a comment by itself, or code that may stand above a notice.
_LINE = [b"#", b"//", b"--", b";", b"%", b'"', b"'", b"!", b"*", b"dnl", b"DNL", b"rem ", b"REM ",
         b"@rem", b"@REM", b"::", b".\\\"", b"'\\\"", b"@c ", b"C ", b"c ", b"C\n", b"c\n", b"C\t", b"c\t", b"C\r", b"@c\n", b"rem\n", b"REM\n", b"rem\r", b"REM\r", b"|", b"..", b"<?", b"<!DOCTYPE",  # noqa: E501
         b"<!doctype", b"package ", b"@echo", b"@charset", b"\\", b"{{!", b"<html", b"<head", b"\xef\xbb\xbf",  # noqa: E501
         b"module ", b"namespace ", b"use strict", b"coding", b"$",
         b"import ", b"from ", b"use ", b"require", b"__"]  # fmt: skip


def _table(strings: list[bytes]) -> np.ndarray:
    """Strings as rows of bytes, length first."""
    width = max(map(len, strings)) + 1
    table = np.zeros((len(strings), width), np.uint8)
    for row, string in enumerate(strings):
        table[row, 0] = len(string)
        table[row, 1 : len(string) + 1] = np.frombuffer(string, np.uint8)
    return table


_OPENS = _table([opens for opens, _ in _BLOCKS])
_CLOSES = _table([closes for _, closes in _BLOCKS])
_LINES = _table(_LINE)


@njit(cache=True, nogil=True)
def _at(data, at, stop, row):  # type: ignore[no-untyped-def]
    size = row[0]
    if at + size > stop:
        return False
    for i in range(size):  # noqa: SIM110  (numba compiles no generators)
        if data[at + i] != row[i + 1]:
            return False
    return True


@njit(cache=True, nogil=True)
def _is_pascal(data, at, stop):  # type: ignore[no-untyped-def]
    """Whether "{" opens a comment: words or stars follow, as in no JSON and few other texts."""
    if data[at] != 123:
        return False
    at += 1
    while at < stop and (data[at] == 32 or 9 <= data[at] <= 13):
        at += 1
    return at < stop and (65 <= data[at] <= 90 or data[at] == 42 or data[at] == 40)


@njit(cache=True, nogil=True)
def comment_end(data, begin, stop):  # type: ignore[no-untyped-def]
    """Where the comment that opens ``data[begin:stop]`` ends; ``begin`` where there is none."""
    at = begin
    end = begin
    if stop - at >= 3 and data[at] == 0xEF and data[at + 1] == 0xBB:  # byte order mark
        at += 3
    while at < stop:
        byte = data[at]
        if byte == 32 or (9 <= byte <= 13):
            at += 1
            continue
        block = -1
        for row in range(_OPENS.shape[0]):
            if _at(data, at, stop, _OPENS[row]):
                block = row
                break
        if block >= 0:
            at += _OPENS[block, 0]
            while at < stop and not _at(data, at, stop, _CLOSES[block]):
                at += 1
            at = min(stop, at + _CLOSES[block, 0])
            end = at
            continue
        if _is_pascal(data, at, stop):
            while at < stop and data[at] != 125:
                at += 1
            at = min(stop, at + 1)
            end = at
            continue
        line = False
        for row in range(_LINES.shape[0]):
            if _at(data, at, stop, _LINES[row]):
                line = True
                break
        if not line:
            return end
        while at < stop and data[at] != 10:
            at += 1
        end = at
    return end


@njit(cache=True, nogil=True)
def _legal(data, begin, stop):  # type: ignore[no-untyped-def]
    """Whether a stem of legal language occurs."""
    last = np.uint64(0)  # the last eight bytes, letters in lower case
    for at in range(begin, stop):
        last = np.uint64((last << np.uint64(8)) | np.uint64(data[at] | 0x20))
        four = np.uint32(last & np.uint64(0xFFFFFFFF))
        place = ((np.uint64(four) * np.uint64(_MIX)) & np.uint64(0xFFFFFFFF)) >> np.uint64(20)
        while _TAILS[place]:
            if _TAILS[place] == four and (_WHOLE[place] == 0 or _WHOLE[place] == last):
                return True
            place = (place + np.uint64(1)) & np.uint64(0xFFF)
        if four & np.uint32(0xFFFFFF) in (_GPL, _GNU):
            return True
    return False


@njit(cache=True, nogil=True)
def _surely_legal(data, begin, stop):  # type: ignore[no-untyped-def]
    """Whether a stem of ``SURE_STEMS`` occurs."""
    last = np.uint64(0)
    for at in range(begin, stop):
        last = np.uint64((last << np.uint64(8)) | np.uint64(data[at] | 0x20))
        four = np.uint32(last & np.uint64(0xFFFFFFFF))
        place = ((np.uint64(four) * np.uint64(_MIX)) & np.uint64(0xFFFFFFFF)) >> np.uint64(20)
        while _SURE_TAILS[place]:
            whole = _SURE_WHOLE[place]
            if _SURE_TAILS[place] == four and (whole == 0 or whole == last):
                return True
            place = (place + np.uint64(1)) & np.uint64(0xFFF)
    return False


@njit(cache=True, nogil=True)
def _is_data(data, begin, stop):  # type: ignore[no-untyped-def]
    """Whether a text opens as JSON does, and is no notebook."""
    at = begin
    while at < stop and (data[at] == 32 or 9 <= data[at] <= 13):
        at += 1
    if at == stop or (data[at] != 123 and data[at] != 91):  # "{", "["
        return False
    near = min(stop - 7, at + 40)
    while at < near:
        if data[at] == 34 and data[at + 1] == 99 and data[at + 2] == 101 and data[at + 3] == 108:
            return False  # "cells
        at += 1
    return True


@njit(cache=True, nogil=True)
def find_tags(data, offsets, out):  # type: ignore[no-untyped-def]
    """Write (row, byte after the tag's colon) of SPDX tags in file heads; return how many."""
    count = 0
    size = _TAG.size
    for row in range(offsets.size - 1):
        begin = offsets[row]
        stop = min(offsets[row + 1], begin + HEAD)
        at = begin
        tags = 0
        while at < stop - size:
            # "-" stands at 4 and 12 of the tag and is rarer than its letters.
            if data[at + 4] != 45 or data[at] | 0x20 != 115:
                at += 1
                continue
            same = 0
            while same < size and (data[at + same] | 0x20) == (_TAG[same] | 0x20):
                same += 1
            if same < size:
                at += 1
                continue
            at += size
            out[count, 0] = row
            out[count, 1] = at
            count += 1
            tags += 1
            if tags == MAX_TAGS or count == out.shape[0]:
                break
        if count == out.shape[0]:
            break
    return count


@njit(cache=True, nogil=True)
def find_speaking(data, offsets, out):  # type: ignore[no-untyped-def]
    """Write (row, end, whether it is a comment) of tops that may speak of a license.

    That is the leading comment with a stem of legal language or, where there is none, the top of
    the text with a sure one. Return how many.
    """
    count = 0
    for row in range(offsets.size - 1):
        begin = offsets[row]
        stop = comment_end(data, begin, min(offsets[row + 1], begin + HEAD))
        speaks = _legal(data, begin, stop)
        comment = speaks or stop - begin >= SHORT
        if not comment:
            stop = min(offsets[row + 1], begin + TOP)
            speaks = _surely_legal(data, begin, stop) and not _is_data(data, begin, stop)
        if speaks:
            out[count, 0], out[count, 1], out[count, 2] = row, stop, comment
            count += 1
    return count
