"""Texts for the kernels that look at characters: what base64, hex and escapes are made of."""

from hypothesis import strategies as st

PIECES = st.sampled_from(
    ["0x1f", "\\x1f", "\\xAB", "1f", "AB", "0X00", "x12", "00x12", "_ab", "0xfff", ",", ", ", " ",
     "\n", "\r\n", ",,", "\\u12ab", "\\u00", "A" * 30, "a=\n", "=" * 64, "é", "\\", "-", "12,34,"]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=60).map("".join),
    st.lists(st.tuples(PIECES, st.integers(1, 12)), max_size=8).map(
        lambda parts: "".join(piece * times for piece, times in parts)
    ),
)
