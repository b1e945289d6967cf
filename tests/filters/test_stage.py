"""The filter stage: each rule drops what it names and nothing else."""

import pickle
from dataclasses import replace

import pyarrow as pa
import pytest

from stackcurate import schema
from stackcurate.filters.stage import Filter
from stackcurate.stages import RowStage

OFF = Filter(
    drop_empty=False,
    max_lines=None,
    max_avg_line_length=None,
    max_line_length=None,
    max_line_length_long=None,
    min_alpha_fraction=None,
    max_encoded_run=None,
    max_encoded_fraction=None,
    drop_generated=False,
)
CODE = "def add(a, b):\n    return a + b\n"


def verdict(
    stage: Filter,
    content: str | None,
    language: str | None = "Python",
    generated: bool = False,
    vendored: bool = False,
) -> str | None:
    batch = pa.table(
        {
            "content": pa.array([content], pa.large_string()),
            "language": pa.array([language], pa.string()),
            "is_generated": [generated],
            "is_vendor": [vendored],
            "verdict": pa.array([None], pa.string()),
        }
    )
    return stage.judge(schema.fill(batch, stage.find(batch)))["verdict"][0].as_py()


CASES = [
    ("filter:empty", "\r\n\n", {"drop_empty": True}, " "),
    ("filter:long_file", "x\n" * 11, {"max_lines": 10}, "x\n" * 10),
    ("filter:avg_line", "x" * 11, {"max_avg_line_length": 10}, "x" * 10),
    ("filter:long_line", "x" * 11, {"max_line_length": 10}, "x" * 10),
    ("filter:alpha", "1 + 2 + a", {"min_alpha_fraction": 0.25}, "a + b"),
    ("filter:encoded", "A" * 1025, {"max_encoded_run": 1024}, "A" * 1024),
    ("filter:encoded", "A" * 64, {"max_encoded_fraction": 0.5}, "A" * 64 + " -" * 40),
]


@pytest.mark.parametrize(("expected", "content", "options", "allowed"), CASES)
def test_each_rule_alone(expected, content, options, allowed):
    assert verdict(replace(OFF, **options), content) == expected
    assert verdict(OFF, content) is None
    assert verdict(replace(OFF, **options), allowed) is None


def test_empty():
    assert verdict(Filter(), "") == "filter:empty"
    assert verdict(Filter(), "\n\r\n") == "filter:empty"
    assert verdict(OFF, "") is None


def test_ordinary_code_is_kept_by_the_defaults():
    assert verdict(Filter(), CODE) is None
    assert verdict(Filter(), CODE, None) is None


def test_long_lines_by_language():
    wide = "word " * 1000
    assert verdict(Filter(), wide) == "filter:long_line"
    assert verdict(Filter(), wide, None) == "filter:long_line"
    assert verdict(Filter(), wide, "Markdown") is None
    assert verdict(Filter(), "word " * 20_001, "Markdown") == "filter:long_line"
    assert verdict(replace(OFF, max_line_length=10), wide, "Markdown") is None


def test_letters_by_language():
    digits = "(1 2 3 4 5 6)"
    assert verdict(Filter(), digits) == "filter:alpha"
    assert verdict(Filter(), digits, "WebAssembly") is None
    assert verdict(Filter(), "- - - - -", "WebAssembly") == "filter:alpha"


def test_flags():
    assert verdict(Filter(), CODE, generated=True) == "filter:generated"
    assert verdict(OFF, CODE, generated=True) is None
    assert verdict(Filter(), CODE, vendored=True) is None
    assert verdict(Filter(drop_vendored=True), CODE, vendored=True) == "filter:vendored"


def test_data_lines():
    stage = Filter(max_data_lines=512)
    assert verdict(stage, "name: a\n" * 513, "YAML") == "filter:data_lines"
    assert verdict(stage, "name: a\n" * 512, "YAML") is None
    assert verdict(stage, "name: a\n" * 513, "Python") is None
    assert verdict(Filter(), "name: a\n" * 513, "YAML") is None


def test_rows_without_content_and_dropped_rows_keep_their_verdict():
    assert verdict(Filter(), None) is None
    batch = pa.table(
        {
            "content": pa.array([""], pa.large_string()),
            "language": pa.array(["C"]),
            "is_generated": pa.array([None], pa.bool_()),
            "is_vendor": pa.array([None], pa.bool_()),
            "verdict": ["fetch:missing"],
        }
    )
    judged = Filter().judge(schema.fill(batch, Filter().find(batch)))
    assert judged["verdict"].to_pylist() == ["fetch:missing"]


def test_is_a_row_stage():
    stage = Filter(max_lines=5)
    assert isinstance(stage, RowStage)
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert stage.fills == tuple(schema.SIGNALS.names)
