"""Subjects: every spelling of a place meets in one key; nothing wider than asked is accepted."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.errors import ConfigError
from stackcurate.optout.subjects import origin_key, origin_keys, parse

SPELLINGS = {
    "github.com/alice/tool": [
        "https://github.com/alice/tool",
        "http://www.GitHub.com/Alice/Tool.git/",
        "git://github.com/alice/tool.git",
        "git+https://github.com/alice/tool.git#main",
        "ssh://git@github.com:22/alice/tool",
        "git@github.com:alice/tool.git",
        "github.com:alice/tool",
        "https://user:p@ss@github.com/alice/tool",
        "https://github.com:443/alice//tool///",
        "github.com/alice/tool/tree/main/src",
        "https://github.com/alice/tool?tab=readme",
        "  https://github.com./alice/tool\n",
    ],
    "gitlab.com/group/sub/tool": [
        "https://gitlab.com/Group/Sub/Tool.git",
        "https://gitlab.com/group/sub/tool/-/blob/main/a.c",
    ],
    "gitlab.example.org/group/tool": ["https://gitlab.example.org/Group/tool"],
    # no forge known to ignore case: the path stays as it is
    "hg.example.org/Alice/Tool": ["https://HG.example.org/Alice/Tool/"],
    "example.org/cgi?p=Tool": ["https://example.org/cgi?p=Tool.git"],
    "example.org:8080/x": ["svn://example.org:8080/x"],
    "packages/tool-1.0.tgz": ["packages/tool-1.0.tgz"],
    "srv/repos/tool": ["srv/repos/tool.git"],
    "github.com": ["https://github.com/"],
}


@pytest.mark.parametrize(
    ("key", "spelling"), [(k, s) for k, all_ in SPELLINGS.items() for s in all_]
)
def test_spellings_meet_in_one_key(key, spelling):
    assert origin_key(spelling) == key


def test_other_places_stay_apart():
    urls = [
        "https://github.com/alice/tool",
        "https://github.com/alice/tool2",
        "https://github.com/alice-b/tool",
        "https://gitlab.com/alice/tool",
        "https://gitlab.com/alice/tool/sub",
        "https://hg.example.org/alice/tool",
        "https://hg.example.org/Alice/tool",
        "https://github.com.example.org/alice/tool",
        "https://example.org/github.com/alice/tool",
        "https://github.com@example.org/alice/tool",
    ]
    assert len({origin_key(url) for url in urls}) == len(urls)


def test_columns_keep_nulls_rows_and_emptiness():
    assert origin_keys(pa.array([None, "https://a.b/c"])).to_pylist() == [None, "a.b/c"]
    assert origin_keys(pa.array([], pa.string())).to_pylist() == []
    assert origin_keys(pa.chunked_array([["x/Y"], ["Z"]])).to_pylist() == ["x/Y", "z"]


PARTS = st.sampled_from(
    [
        "https://",
        "git@",
        "github.com",
        "gitlab.com",
        "a.b",
        "/",
        ":",
        ".git",
        "Al",
        "é",
        "#",
        "?",
        " ",
        "\n",
        "-",
        "@",
        "www.",
    ]
)


@given(st.lists(PARTS, max_size=8).map("".join))
def test_a_column_answers_as_its_rows_do(text):
    other = "https://github.com/Alice/tool.git"
    assert origin_keys(pa.array([other, text]))[1].as_py() == origin_key(text)


def test_keys_are_stable_under_a_second_reading():
    for key in SPELLINGS:
        assert origin_key(key) == key


def test_parse_normalizes():
    assert parse("owner", "https://github.com/Alice").value == "github.com/alice"
    assert parse("owner", "gitlab.com/Group/Sub").value == "gitlab.com/group/sub"
    assert (
        parse("path", "git@github.com:Alice/Tool.git", "docs/**").value == "github.com/alice/tool"
    )
    cnt = "swh:1:cnt:" + "a1" * 20
    assert parse("swhid", f" {cnt}\n").value == cnt


@pytest.mark.parametrize(
    ("kind", "value", "glob"),
    [
        ("account", "github.com/alice", None),
        ("owner", "github.com", None),
        ("owner", "alice", None),
        ("owner", "github.com/alice/tool", None),
        ("owner", "", None),
        ("repository", "github.com/alice", None),
        ("repository", "gitlab.com", None),
        ("origin", "  ", None),
        ("path", "github.com/alice/tool", None),
        ("path", "github.com/alice/tool", " / "),
        ("path", "github.com/alice/tool", "**"),
        ("path", "github.com/alice/tool", "a" * 1001),
        ("repository", "github.com/alice/tool", "docs/**"),
        ("swhid", "swh:1:cnt:" + "A1" * 20, None),
        ("swhid", "swh:1:ori:" + "a1" * 20, None),
        ("swhid", "swh:1:cnt:" + "a1" * 20 + ";path=/x", None),
        ("swhid", "a1" * 20, None),
    ],
)
def test_parse_refuses_what_is_less_or_more_than_one_subject(kind, value, glob):
    with pytest.raises(ConfigError):
        parse(kind, value, glob)


def test_a_swhid_with_qualifiers_is_explained():
    with pytest.raises(ConfigError, match="one place"):
        parse("swhid", "swh:1:cnt:" + "a1" * 20 + ";origin=https://a.b/c")


def test_a_bare_owner_and_name_is_one_of_githubs() -> None:
    wanted = parse("repository", "Joe/My.Tool").value
    assert wanted == "github.com/joe/my.tool" == origin_key("parquet:Joe/My.Tool")
    assert parse("path", "joe/tool", "*.py").value == "github.com/joe/tool"
    with pytest.raises(ConfigError):
        parse("owner", "joe")
