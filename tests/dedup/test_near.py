"""Signatures from any Arrow array of texts, whatever its type, slices and nulls."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from stackcurate.dedup.near import sets, signatures
from stackcurate.dedup.settings import Settings

TEXTS = ["one two three four five six", "a b", "", "one two three four five six", "é ü ö ä ß o"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()]
)
def test_all_types_are_equal(kind):
    expected = signatures(pa.array(TEXTS, pa.large_string()), Settings())
    assert signatures(pa.array(TEXTS).cast(kind), Settings()).equals(expected)


def test_counts_and_nulls():
    table = signatures(pa.array([*TEXTS, None], pa.large_string()), Settings())
    assert table["shingles"].to_pylist() == [2, 0, 0, 2, 2, 0]
    assert table.schema.field("signature").type == pa.binary(512)
    valid = [value is not None for value in table["signature"].to_pylist()]
    assert valid == [True, False, False, True, True, False]
    assert table["signature"][0] == table["signature"][3]


def test_slices_and_no_rows():
    whole = signatures(pa.array(TEXTS, pa.large_string()), Settings())
    part = signatures(pa.array(["x", *TEXTS, "y"], pa.large_string())[1:-1], Settings())
    assert part.equals(whole)
    assert signatures(pa.array([], pa.large_string()), Settings()).num_rows == 0
    assert signatures(pa.array(["", ""], pa.large_string()), Settings()).num_rows == 2


def test_sets_and_the_header():
    texts = pa.array(["# License A\none two three four five six", TEXTS[0]], pa.large_string())
    offsets, hashes = sets(texts, Settings())
    assert offsets.tolist() == [0, 2, 4] and (hashes[:2] == hashes[2:]).all()
    assert (np.diff(hashes[:2].astype(object)) > 0).all()
    offsets, _ = sets(texts, Settings(skip_header=False))
    assert offsets.tolist() == [0, 4, 6]
