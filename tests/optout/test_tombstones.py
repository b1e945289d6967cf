"""Tombstones tell who has a file that it was withdrawn, and tell nobody what it was."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stackcurate.errors import IntegrityError
from stackcurate.optout import tombstones as t

ONE, TWO = "ab" * 20, "cd" * 20


def test_contents_are_known_again_as_text_and_as_bytes(tmp_path) -> None:
    registry = tmp_path / "optout.jsonl"
    digest = t.write_list(registry, t.text_of("salt", [ONE]))
    known = t.read_tombstones(registry, [digest])
    assert known.among(pa.array([ONE, TWO, None])).to_pylist() == [True, False, False]
    raw = pa.array([bytes.fromhex(TWO), bytes.fromhex(ONE)], pa.binary(20))
    assert known.among(raw).to_pylist() == [False, True]
    assert t.NONE.among(raw).to_pylist() == [False, False]


def test_a_list_names_no_content_and_its_order_tells_nothing() -> None:
    text = t.text_of("salt", [ONE, TWO], ["ef" * 16])
    assert ONE not in text and TWO not in text
    assert text == t.text_of("salt", [TWO, ONE, ONE], ["ef" * 16])
    assert t.text_of("other", [ONE]).splitlines()[1] != t.text_of("salt", [ONE]).splitlines()[1]


def test_lists_join_under_one_salt_only() -> None:
    both = t.merged([t.text_of("salt", [ONE]), t.text_of("salt", [TWO])])
    assert both == t.text_of("salt", [ONE, TWO])
    with pytest.raises(IntegrityError, match="salts"):
        t.merged([t.text_of("salt", [ONE]), t.text_of("other", [TWO])])


@pytest.mark.parametrize("text", ["", "{", "[]\n", '{"salt": "x"}\n{"content": "zz"}\n', "1\n"])
def test_a_damaged_list_is_named_as_such(text) -> None:
    with pytest.raises(IntegrityError):
        t.merged([text])
