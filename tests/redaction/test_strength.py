"""How much a value looks like a password by itself; no value is slow to look at."""

from __future__ import annotations

import time

import pytest

from stackcurate.redaction import noise
from stackcurate.redaction.place import Place
from stackcurate.redaction.strength import (
    LABEL,
    TECHNICAL,
    is_chosen,
    is_label,
    is_long_word,
    is_passphrase,
    is_strong,
    password_strength,
)

CHOSEN = [
    "harbor-candle-stone",
    "Admin_Mira84",
    "kestrel2019",
    "Estrel lamp stone 27",
    "Harbor.1998",
]
LABELS = [
    "sign-up-form",
    "user_password1",
    "Enter your password",
    "forgot-password-link",
    "pbkdf2_sha256",
    "testing123",
]


@pytest.mark.parametrize("value", CHOSEN)
def test_what_people_choose(value: str) -> None:
    assert is_chosen(value.encode())
    assert not is_label(value.encode())


@pytest.mark.parametrize("value", LABELS)
def test_what_interfaces_say(value: str) -> None:
    assert not is_chosen(value.encode())


def test_long_words() -> None:
    assert is_long_word(b"kettleglacierpurple")
    assert not is_long_word(b"kettlestone")
    assert is_long_word(b"kettlestone", 10)
    assert not is_long_word(b"currentpassword")
    assert not is_long_word(b"authentication")


@pytest.mark.parametrize(
    ("line", "sure"),
    [
        (b'password = "kettlestone"', True),
        (b'get_password("kettlestone", user)', False),
        (b"password: kettlestone and more", False),
    ],
)
def test_one_word_counts_as_a_whole_value_only(line: bytes, sure: bool) -> None:
    start = line.index(b"kettlestone")
    place = Place(line, line.index(b"password"), start, start + 11, "src/a.py", "assigned-quoted")
    assert (password_strength(place.value, "words", place) >= 0.6) is sure


SEEDS = [
    b"a",
    b"a1",
    b"1",
    b"-",
    b"aA1.",
    b"pass",
    b"1!",
    b"abc-",
    b"Ab ",
    b"\\",
    b"{",
    b"<",
    b"/a",
]


@pytest.mark.parametrize("seed", SEEDS)
def test_no_value_is_slow(seed: bytes) -> None:
    """A pattern that tries every way to read a value takes minutes for one of 4,000 bytes."""
    for end in (b"", b"\x00", b"!x\x00"):
        value = seed * (4000 // len(seed)) + end
        started = time.process_time()
        noise.noise(value), noise.token_noise(value), noise.is_random(value)
        is_strong(value), is_passphrase(value), is_chosen(value), is_label(value)
        LABEL.search(value), TECHNICAL.search(value)
        place = Place(b"password=" + value, 0, 9, 9 + len(value), "a.py", "x")
        password_strength(value, None, place)
        assert time.process_time() - started < 2
