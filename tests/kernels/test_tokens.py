"""Token hashes are those of the plain twin: one for each match of a regular expression."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stackcurate.kernels.tokens import ROOM, hash_tokens

from .shingle_twin import TOKEN, token_hash


def hashes(text: bytes, before: bytes = b"ab", after: bytes = b"cd", room: int = 500) -> list[int]:
    """The kernel's hashes of a text that has neighbors, ``room`` at a time."""
    data = np.frombuffer(before + text + after, np.uint8)
    out = np.empty(room, np.uint64)
    found: list[int] = []
    at, end, begun = len(before), len(before) + len(text), -1
    while at < end:
        at, begun, count = hash_tokens(data, at, end, begun, out)
        found += out[:count].tolist()
    assert begun == -1
    return found


def plain(text: bytes) -> list[int]:
    return [token_hash(token) for token in TOKEN.findall(text)]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.text(alphabet="ab_ \n\t.é日0", max_size=300)),
    st.binary(max_size=70),
    st.binary(max_size=70),
    st.integers(ROOM, 80),
)
@example(b"", b"", b"", ROOM)
@example(b"x" * 1000 + b" " * 1000 + b"y", b"x", b"x" * 64, ROOM)
@example(b"12345678" * 3 + b"\0" + b"12345678", b"", b"", ROOM)
@example(b"a " * 200, b"", b"", ROOM)
def test_hashes_equal_the_plain_ones_wherever_a_text_lies(text, before, after, room):
    text = text.encode() if isinstance(text, str) else text
    assert hashes(text, before, after, room) == plain(text)


def test_every_length_and_every_place_in_a_block():
    for size in range(140):
        for gap in (0, 1, 7, 63, 64):
            text = b" " * gap + b"k" * size
            assert hashes(text, b"", b"") == plain(text) == hashes(text, b" ", b"!" * 64)


def test_every_byte():
    for byte in range(256):
        for after in (b"", b" " * 64):
            one = bytes([byte])
            assert hashes(one, b"", after) == plain(one)


def test_comments_of_other_scripts_are_tokens():
    assert hashes("说明 读取 文件".encode()) == plain("说明 读取 文件".encode())
    assert len(hashes("说明 读取 文件".encode())) == 3


def test_short_and_long_tokens_that_differ_little_differ_in_half_of_all_bits():
    """Each bit of a token turns about half of the hash, in the lower and in the upper 32 bits."""
    for size in (1, 5, 8, 9, 16, 21):
        token = (b"aQ3_wZ08" * 3)[:size]
        turned = []
        for bit in range(8 * size):
            other = bytearray(token)
            other[bit // 8] ^= 1 << bit % 8
            if TOKEN.fullmatch(bytes(other)):
                both = hashes(token) + hashes(bytes(other))
                assert len(both) == 2
                turned.append(both[0] ^ both[1])
        for half in (0, 32):
            counts = [(one >> half & 0xFFFFFFFF).bit_count() for one in turned]
            assert min(counts) >= 4 and 12 < sum(counts) / len(counts) < 20
