"""Signals of whole columns."""

import pyarrow as pa
import pytest

from stackcurate import schema
from stackcurate.filters.signals import signals


def row(value: str) -> dict:
    return signals(pa.array([value], pa.large_string())).to_pylist()[0]


def test_known_numbers():
    found = row("ab1\r\n\nécd e\n")
    assert found == {
        "num_lines": 3,
        "avg_line_length": pytest.approx(8 / 3),
        "max_line_length": 5,
        "alpha_fraction": pytest.approx(6 / 12),
        "alphanum_fraction": pytest.approx(7 / 12),
        "encoded_fraction": 0.0,
        "max_encoded_run": 0,
    }


def test_empty_is_all_zero():
    assert set(row("").values()) == {0}
    assert row("\n\n")["num_lines"] == 2 and row("\n\n")["avg_line_length"] == 0


def test_encoded():
    found = row("key = '" + "Zm9v" * 500 + "'\n")
    assert found["max_encoded_run"] == 2000
    assert found["encoded_fraction"] == pytest.approx(2000 / 2009)


def test_every_form_of_column():
    values = ["a\n", None, "漢字\n", "", "x" * 100]
    expected = signals(pa.array(values, pa.large_string()))
    assert expected.schema == schema.SIGNALS
    assert expected.to_pylist()[1] == dict.fromkeys(schema.SIGNALS.names)
    for kind in (pa.string(), pa.binary(), pa.large_binary()):
        assert signals(pa.array(values, pa.large_string()).cast(kind)).equals(expected)
    chunked = pa.chunked_array([pa.array(values[:2]), pa.array(values[2:])])
    assert signals(chunked).equals(expected)
    sliced = pa.array(["zz", *values, "q"], pa.large_string()).slice(1, 5)
    assert signals(sliced).equals(expected)


def test_no_rows():
    for empty in (pa.array([], pa.large_string()), pa.chunked_array([], pa.string())):
        assert signals(empty).num_rows == 0
    assert signals(pa.nulls(3, pa.large_string()))["num_lines"].null_count == 3
