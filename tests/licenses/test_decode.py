import pytest

from stackcurate.licenses.decode import MAX_BYTES, text_of


@pytest.mark.parametrize(
    ("data", "expected", "exact"),
    [
        (b"plain", b"plain", True),
        ("naïve ©".encode(), "naïve ©".encode(), True),
        ("naïve".encode("latin-1"), "naïve".encode(), False),
        ("tëxt".encode("utf-16"), "tëxt".encode(), False),
        (b"\xfe\xff" + "big".encode("utf-16-be"), b"big", False),
        ("no mark".encode("utf-16-le"), b"no mark", False),
        (b"", b"", True),
    ],
)
def test_encodings(data, expected, exact):
    assert text_of(data) == (expected, exact)


def test_html_is_stripped():
    text, exact = text_of(
        b"<html><head><script>var a;</script></head><p>One &amp; two<br>three</p>"
    )
    assert text.split() == [b"One", b"&", b"two", b"three"] and not exact


def test_a_few_signs_are_no_html():
    assert text_of(b"<year> by <name>, see <p> and more").exact


def test_rtf_is_stripped():
    rtf = rb"{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator x;}\b One\b0\par two\'e9 \u233?{\i three}}"
    text, exact = text_of(rtf)
    assert "".join(text.decode().split()).startswith("Onetwo\u00e9\u00e9") and not exact
    assert b"Arial" not in text and b"generator" not in text


@pytest.mark.parametrize(
    "data", [b"{\\rtf" + b"{" * 100_000, b"{\\rtf}}}}\\'zz\\u99999999", b"<html>" * 50_000]
)
def test_hostile_markup(data):
    assert isinstance(text_of(data).data, bytes)


def test_size_is_bounded():
    assert len(text_of(b"x" * (3 << 20)).data) == MAX_BYTES
