"""The language stage in the pipeline."""

import pickle

import pyarrow as pa

from stackcurate import schema
from stackcurate.languages.stage import Language
from stackcurate.stages import RowStage

BATCH = pa.table(
    {
        "path": ["/a.py", "/b.h", "/tests/c.rb", "/data", "/vendor/yarn.lock"],
        "content": pa.array(["x = 1\n", "int x;\n", "puts 1\n", "?", ""], pa.large_string()),
        "verdict": pa.array([None, None, "optout:path", None, None], pa.string()),
    }
)


def judged(stage: Language) -> list:
    return stage.judge(schema.fill(BATCH, stage.find(BATCH)))["verdict"].to_pylist()


def test_fills_what_it_says():
    stage = Language()
    found = stage.find(BATCH)
    assert isinstance(stage, RowStage)
    assert tuple(found.column_names) == stage.fills
    for name in stage.fills:
        assert found.schema.field(name).type == schema.FILE.field(name).type
    assert found["language"].to_pylist() == ["Python", "C", "Ruby", None, "YAML"]
    assert found["is_test"].to_pylist() == [False, False, True, False, False]


def test_every_language_is_kept_by_default():
    assert judged(Language()) == [None, None, "optout:path", None, None]


def test_keep_and_drop():
    unwanted = "language:unwanted"
    keep = Language(keep=frozenset(["Python", "Ruby"]))
    assert judged(keep) == [None, unwanted, "optout:path", unwanted, unwanted]
    drop = Language(drop=frozenset(["Python"]))
    assert judged(drop) == [unwanted, None, "optout:path", None, None]


def test_pickles():
    stage = Language(keep=frozenset(["C"]))
    assert pickle.loads(pickle.dumps(stage)) == stage
