"""The entropy kernel against detect-secrets' own plugins, line by line."""

from __future__ import annotations

import random

import numpy as np
import pytest
from detect_secrets.plugins.high_entropy_strings import (
    Base64HighEntropyString,
    HexHighEntropyString,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.kernels.entropy import CLASSES, MARGIN, high_entropy


def kernel(files: list[bytes]) -> list[list[tuple[str, bool]]]:
    """Values and alphabets that the kernel finds, per file."""
    data = np.frombuffer(b"".join(files), np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(file) for file in files])]).astype(np.int64)
    out: list[list[tuple[str, bool]]] = [[] for _ in files]
    starts, ends, hexes = high_entropy(data, CLASSES, offsets)
    for start, end, is_hex in zip(starts, ends, hexes, strict=True):
        file = int(np.searchsorted(offsets, start, "right")) - 1
        out[file].append((data[start:end].tobytes().decode(), bool(is_hex)))
    return out


def plugins(line: str) -> set[str]:
    """What the two plugins of detect-secrets report on one line."""
    return {
        secret.secret_value
        for plugin in (Base64HighEntropyString(), HexHighEntropyString())
        for secret in plugin.analyze_line("x.py", line) or ()
    }


def same(found: set[str], line: str) -> bool:
    """Equal, but for values whose entropy is the limit itself: those the kernel returns too."""
    plugin = HexHighEntropyString()
    extra = found - plugins(line)
    at_limit = {v for v in extra if abs(plugin.calculate_shannon_entropy(v) - 3.0) < MARGIN}
    return plugins(line) <= found and extra == at_limit


LINES = st.text(alphabet="abcdef0123456789GHXYZ+/-_=\\'\" ;é", max_size=90)


@settings(deadline=None)
@given(st.lists(LINES, max_size=5))
def test_finds_what_detect_secrets_finds(lines: list[str]) -> None:
    found = kernel(["\n".join(lines).encode()])[0]
    for line in lines:
        alone = {value for value, _ in kernel([line.encode()])[0]}
        assert same(alone, line)
        assert alone <= {value for value, _ in found}


@pytest.mark.parametrize("alphabet", ["0123456789abcdef", "0123456789", "abcXYZ0189+/-_="])
def test_random_strings_of_every_length(alphabet: str) -> None:
    draw = random.Random(alphabet)
    lines = [
        f"key = '{''.join(draw.choices(alphabet, k=size))}'" for size in range(1, 90) for _ in "ab"
    ]
    found = kernel([line.encode() + b"\n" for line in lines])
    for line, values in zip(lines, found, strict=True):
        assert same({value for value, _ in values}, line)


def test_files_do_not_touch() -> None:
    value = b"Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3A"
    assert kernel([b"'" + value[:20], value[20:] + b"'"]) == [[], []]
    assert kernel([b"'" + value + b"'", b"x"])[0] == [(value.decode(), False)]


def test_hex_is_told_apart() -> None:
    assert kernel([b"'0123456789abcdef0123'"]) == [[("0123456789abcdef0123", True)]]


def test_margin_is_small() -> None:
    assert 0 < MARGIN < 1e-6
