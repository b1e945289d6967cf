"""Values fit for people's eyes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.text import as_share, as_size, visible


@given(st.text())
def test_nothing_hidden_survives(text: str) -> None:
    shown = visible(text)
    assert all(c.isprintable() or c.isspace() for c in shown)
    assert not set(shown) & set("\n\r\t\x1b\u202e\u200b\x9b")


def test_plain_names_stay() -> None:
    for name in ("owner/repo", "größe/日本語 (x)", "a\\b"):
        assert visible(name) == name
    assert visible("a\u202eb\n\x1b[1m") == "a\\u202eb\\n\\x1b[1m"
    assert visible("x" * 300) == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (67_500_000_000_000, "67.5 TB"),
        (1_200_000_000_000_000, "1.2 PB"),
        (-1500, "-1.5 kB"),
    ],
)
def test_sizes(number: int, shown: str) -> None:
    assert as_size(number) == shown


def test_shares() -> None:
    assert [as_share(*pair) for pair in [(1, 3), (0, 3), (1, 10_000), (0, 0)]] == [
        "33.3 %",
        "0.0 %",
        "<0.1 %",
        "-",
    ]
