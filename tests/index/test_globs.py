"""Globs over paths of a release, against what a person would say."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.index.globs import regex_of_glob

CASES = [
    ("*.py", "/a.py", True),
    ("*.py", "/src/deep/a.py", True),
    ("*.py", "/a.py/b", False),
    ("*.py", "/a.pyc", False),
    ("src/*.py", "/src/a.py", True),
    ("src/*.py", "/src/deep/a.py", False),
    ("src/*.py", "/lib/src/a.py", False),
    ("/src/**/*.py", "/src/a.py", True),
    ("/src/**/*.py", "/src/x/y/a.py", True),
    ("/src/**", "/src/x/y", True),
    ("/src/**", "/srcs/x", False),
    ("**/test/**", "/a/test/b/c", True),
    ("/a?.c", "/ab.c", True),
    ("/a?.c", "/a/.c", False),
    ("/a[1].c", "/a[1].c", True),
    ("/a[1].c", "/a1.c", False),
    ("a+(b)|c", "/x/a+(b)|c", True),
]


@pytest.mark.parametrize(("glob", "path", "hit"), CASES)
def test_globs(glob: str, path: str, hit: bool) -> None:
    assert (re2.fullmatch("(?s)" + regex_of_glob(glob), path) is not None) is hit


@given(st.text(alphabet=st.characters(exclude_characters="*?/", codec="utf-8"), min_size=1))
def test_a_name_without_stars_is_itself(name: str) -> None:
    assert re2.fullmatch("(?s)" + regex_of_glob(name), "/folder/" + name)
    assert not re2.fullmatch("(?s)" + regex_of_glob(name), "/folder/" + name + "x")


def test_stars_of_names_cross() -> None:
    assert re2.fullmatch("(?s)" + regex_of_glob("https://*.org/*", True), "https://a.org/b/c")
