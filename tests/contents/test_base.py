from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.contents.base import Problem, name_of, unpack


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()


def reason(result: bytes | Problem) -> str:
    assert isinstance(result, Problem)
    return result.reason


@given(st.binary(max_size=3000), st.integers(1, 700), st.integers(0, 9))
def test_any_bytes_come_back_however_the_body_is_cut(data: bytes, step: int, level: int) -> None:
    body = gzip.compress(data, level)
    chunks = [body[at : at + step] for at in range(0, len(body), step)]
    assert unpack(chunks, sha1(data), len(data)) == data


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_changed_body_never_gives_other_bytes(data: bytes, draw: st.DataObject) -> None:
    body = bytearray(gzip.compress(data))
    at = draw.draw(st.integers(0, len(body) - 1))
    body[at] ^= draw.draw(st.integers(1, 255))
    result = unpack([bytes(body)], sha1(data), 1000)
    assert result == data or reason(result) in ("corrupt", "too_large")


@given(st.binary(max_size=300), st.data())
def test_every_truncation_is_corrupt(data: bytes, draw: st.DataObject) -> None:
    body = gzip.compress(data)
    cut = draw.draw(st.integers(0, len(body) - 1))
    assert reason(unpack([body[:cut]], sha1(data), 1000)) == "corrupt"


@pytest.mark.parametrize("cut", [0, 5])
def test_trailing_bytes_are_corrupt(cut: int) -> None:
    body = gzip.compress(b"text") + b"more"
    chunks = [body[: len(body) - 4 + cut], body[len(body) - 4 + cut :]]
    assert reason(unpack(chunks, sha1(b"text"), 10)) == "corrupt"


def test_a_second_gzip_member_is_corrupt() -> None:
    body = gzip.compress(b"text") + gzip.compress(b"")
    assert reason(unpack([body], sha1(b"text"), 10)) == "corrupt"


def test_other_bytes_than_the_name_says_are_corrupt() -> None:
    assert reason(unpack([gzip.compress(b"text")], sha1(b"Text"), 10)) == "corrupt"


@pytest.mark.parametrize(("length", "good"), [(9, True), (10, True), (11, False)])
def test_the_limit_is_inclusive(length: int, good: bool) -> None:
    data = b"x" * length
    result = unpack([gzip.compress(data)], sha1(data), 10)
    assert result == data if good else reason(result) == "too_large"


def test_limit_zero_gives_the_empty_blob_alone() -> None:
    assert unpack([gzip.compress(b"")], sha1(b""), 0) == b""
    assert reason(unpack([gzip.compress(b"a")], sha1(b"a"), 0)) == "too_large"


def test_a_bomb_is_not_inflated() -> None:
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", mtime=0) as file:
        for _ in range(200):
            file.write(b"\0" * (1 << 20))
    body = target.getvalue()
    tracemalloc.start()
    assert reason(unpack([body], sha1(b""), 1 << 20)) == "too_large"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20  # 200 MiB when inflated


def test_an_endless_body_that_inflates_to_nothing_is_left() -> None:
    header = gzip.compress(b"")[:3] + b"\x08" + b"\0" * 6  # a file name follows, and never ends
    read = 0

    def chunks():  # type: ignore[no-untyped-def]
        nonlocal read
        yield header
        while True:
            read += 1
            yield b"n" * 65536

    assert reason(unpack(chunks(), sha1(b""), 1 << 20)) == "too_large"
    assert read < 30


def test_an_id_of_another_length_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        name_of(b"short")
