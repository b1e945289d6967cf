"""Literals that may hold text, and long numbers, against regular expressions over whole files."""

from __future__ import annotations

import base64
import binascii
import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from stackcurate.kernels.digits import LEAST as DIGITS
from stackcurate.kernels.digits import long_numbers
from stackcurate.kernels.literals import LEAST, NIBBLES, VALUES, text_literals

PIECES = [
    *(
        " ",
        "\n",
        "=",
        "==",
        '"',
        "'",
        "/",
        "-",
        "_",
        "abc",
        "foo_bar",
        "AAAA",
        "7",
        "1.2",
        "12",
        " 34",
    ),
    *(
        base64.b64encode(text.encode()).decode()
        for text in ("DB_PASSWORD=x", "hello, world of text")
    ),
    *(text.encode().hex() for text in ("plain text", "token=abcdefgh")),
    *("d09GMgABAAAAA", "4111 1111 1111 1111", "48.1234, 9.1234", "1.2.3.4.5.6", "é"),
]
FILES = st.lists(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join), min_size=1, max_size=4
)


def buffer(files: list[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    raw = [file.encode() for file in files]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in raw])]).astype(np.int64)
    return np.frombuffer(b"".join(raw), np.uint8), offsets


def is_text(run: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\n\r" for byte in run)


@settings(max_examples=300, deadline=None)
@given(FILES)
def test_literals(files: list[str]) -> None:
    data, offsets = buffer(files)
    found = {
        tuple(map(int, row))
        for row in zip(*text_literals(data, offsets, VALUES, NIBBLES)[0], strict=True)
    }
    expected = set()
    for number, text in enumerate(files):
        for run in re.finditer(rb"[A-Za-z0-9+/_-]{%d,}" % LEAST, text.encode()):
            at = offsets[number] + run.start(), offsets[number] + run.end()
            head = base64.urlsafe_b64decode(run[0][:20][: len(run[0]) // 4 * 4].translate(URL))
            pairs = re.fullmatch(rb"(?:[0-9a-fA-F]{2})+", run[0])
            is_hex = pairs is not None and is_text(binascii.unhexlify(run[0])[:12])
            if is_hex or is_text(head):
                expected.add((number, *map(int, at), int(is_hex)))
    assert found == expected


URL = bytes.maketrans(b"+/", b"-_")


@settings(max_examples=300, deadline=None)
@given(FILES)
def test_long_numbers(files: list[str]) -> None:
    data, offsets = buffer(files)
    found = set(long_numbers(data, offsets).tolist())
    every, sure = set(), set()
    for number, text in enumerate(files):
        for run in re.finditer(rb"[0-9](?:[ ./-]?[0-9]){%d,}" % (DIGITS - 1), text.encode()):
            last = int(offsets[number]) + run.end() - 1
            every.add(last)
            if re.search(rb"[0-9]{2}", run[0]):  # two digits side by side
                sure.add(last)
    assert sure <= found <= every


def test_literals_by_chance_stand_between_equal_quotes_and_mix() -> None:
    good = b"aB3dEfGhIjKlMnOpQrStUvW9"
    text = b"x = '%s', \"%s', '%s+', '%s', '%s'" % (
        good,
        good,
        good,
        good.lower(),
        good.replace(b"3", b"c"),
    )
    data = np.frombuffer(text, np.uint8)
    offsets = np.array([0, len(text)], np.int64)
    _, mixed = text_literals(data, offsets, VALUES, NIBBLES)
    assert mixed.tolist() == [5]
