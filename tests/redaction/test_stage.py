"""The stage fills its columns for every row and drops none."""

from __future__ import annotations

import pickle

import pyarrow as pa

from stackcurate.redaction.settings import Settings
from stackcurate.redaction.stage import Redact
from stackcurate.schema import FINDING


def table(contents: list[str | None]) -> pa.Table:
    return pa.table(
        {
            "content": pa.chunked_array([pa.array(contents, pa.large_string())]),
            "path": [f"/f{number}.py" for number in range(len(contents))],
            "content_id": pa.array([b"i" * 20] * len(contents), pa.binary(20)),
        }
    )


def test_dropped_rows_stay_null() -> None:
    batch = table([None, "m.keller@uni-weimar.de", None, "x"])
    found = Redact().find(batch)
    assert found.column_names == list(Redact.fills)
    assert found["content"].to_pylist() == [None, "__EMAIL__", None, "x"]
    lengths = [None if one is None else len(one) for one in found["redactions"].to_pylist()]
    assert lengths == [None, 1, None, 0]
    assert found["redactions"].type == pa.list_(FINDING)
    assert Redact().judge(batch) is batch


def test_empty_batch_and_hex_ids() -> None:
    assert Redact().find(table([])).num_rows == 0
    batch = table(["host = '85.214.132.117'"])
    as_text = batch.set_column(2, "content_id", pa.array([(b"i" * 20).hex()]))
    assert Redact().find(as_text).equals(Redact().find(batch))


def test_pickles_and_has_a_digest() -> None:
    stage = Redact(Settings(sensitivity="loose"))
    assert pickle.loads(pickle.dumps(stage)) == stage
    assert stage.digest() != Redact().digest()
