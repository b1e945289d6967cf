"""Globs: the reading of .gitignore, on hostile patterns too."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.optout.globs import MAX_GLOBS, match_globs, parse_control_file


def taken(glob, *paths):
    found = match_globs(pa.array(paths, pa.string()), [glob]).to_pylist()
    return [path for path, hit in zip(paths, found, strict=True) if hit]


CASES = [
    # glob, taken, not taken
    ("secret.txt", ["/secret.txt", "/a/b/secret.txt"], ["/secret.txt2", "/xsecret.txt"]),
    ("/secret.txt", ["/secret.txt"], ["/a/secret.txt"]),
    ("docs/a.md", ["/docs/a.md"], ["/x/docs/a.md", "/docs/b.md"]),
    ("docs", ["/docs", "/docs/a.md", "/x/docs/y/z"], ["/docs2/a", "/mydocs"]),
    ("/docs/", ["/docs/a", "/docs/b/c"], ["/docs", "/x/docs/a"]),
    ("docs/**", ["/docs/a", "/docs/b/c"], ["/docs", "/x/docs/a"]),
    ("**/docs/*.md", ["/docs/a.md", "/x/y/docs/a.md"], ["/docs/x/a.md"]),
    ("a/**/z", ["/a/z", "/a/b/z", "/a/b/c/z"], ["/a/zz", "/b/a/z"]),
    ("*.py", ["/a.py", "/x/b.py"], ["/a.pyc", "/py"]),
    ("/*.py", ["/a.py"], ["/x/b.py"]),
    ("src/*/main.?s", ["/src/a/main.ts", "/src/b/main.js"], ["/src/a/b/main.ts", "/src/a/main.s"]),
    ("[ab].c", ["/a.c", "/b.c"], ["/c.c"]),
    ("[!ab].c", ["/c.c"], ["/a.c", "//.c"]),
    ("[a-c]x", ["/bx"], ["/dx"]),
    ("[z-a]x", ["/[z-a]x"], ["/zx"]),
    ("[!-a]x", ["/0x", "/Zx"], ["/-x", "/ax"]),
    ("[a-c-e]x", ["/bx", "/-x", "/ex"], ["/dx"]),
    ("[a-]x", ["/-x", "/ax"], ["/bx"]),
    ("[]a]x", ["/]x", "/ax"], ["/bx"]),
    ("[x", ["/[x"], ["/x"]),
    ("a[*]b", ["/a*b"], ["/axb"]),
    ("a+(b).txt", ["/a+(b).txt"], ["/aab.txt"]),
    (r"a\xE9.c", [r"/a\xE9.c"], ["/aé.c"]),
    ("grün.c", ["/grün.c"], ["/grun.c"]),
    ("!keep", ["/!keep"], ["/keep"]),
    ("new\nline", ["/new\nline"], ["/new", "/line"]),
    ("*.c", ["/new\nline.c"], []),
]


@pytest.mark.parametrize(("glob", "yes", "no"), CASES)
def test_globs(glob, yes, no):
    assert taken(glob, *yes, *no) == yes


@given(st.text(max_size=40) | st.text(alphabet="[]!^-*?/a\\z\n", max_size=20))
def test_every_string_is_a_glob_that_re2_takes(text):
    assert len(match_globs(pa.array(["/a/b"]), [text])) == 1


@given(
    st.text(
        alphabet=st.characters(exclude_characters="*?[/", exclude_categories=("Cs",)), min_size=1
    )
)
def test_a_name_without_wildcards_takes_itself(name):
    if name.strip():
        assert taken(name, "/" + name.strip()) == ["/" + name.strip()]


def test_many_globs_answer_as_each_alone():
    globs = [f"dir{n}/*.c" for n in range(900)] + ["*.h"]
    paths = pa.array(["/dir7/a.c", "/dir7/x/a.c", "/x.h", "/dir900/a.c", None])
    assert match_globs(paths, globs).to_pylist() == [True, False, True, False, False]
    assert match_globs(paths, []).to_pylist() == [False] * 5


def test_stars_in_a_row_stay_linear():
    assert taken("*a" * 200, "/" + "a" * 5000 + "b") == []


def test_control_file():
    assert parse_control_file(b"") == []
    assert parse_control_file(b"# please leave us out\n\n") == []
    assert parse_control_file(b"docs/**\r\n# no\r\n  *.pem \n") == ["docs/**", "*.pem"]
    assert parse_control_file(b"\xef\xbb\xbfdocs/**") == ["docs/**"]
    assert parse_control_file("docs/**\n".encode("utf-16")) == ["docs/**"]
    assert parse_control_file(b"caf\xe9.c") == [r"caf\xe9.c"]  # as schema.escape_name spells it


@pytest.mark.parametrize(
    "data", [b"/", b"**", b"*/**", b"\0\1\2", b"a\n" * (MAX_GLOBS + 1), b"a" * 1001]
)
def test_a_control_file_that_says_everything_or_nothing_takes_the_repository(data):
    assert parse_control_file(data) == []


def test_a_lone_star_is_every_file_and_stays_a_glob():
    assert parse_control_file(b"*") == ["*"]
    assert taken("*", "/a", "/b/c") == ["/a", "/b/c"]
