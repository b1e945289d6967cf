from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import shutil
from pathlib import Path

import pytest

from stackcurate.contents import open_store
from stackcurate.contents.local import LocalStore
from stackcurate.errors import ConfigError, Problem, TransientError


def put(root: Path, data: bytes, body: bytes | None = None) -> bytes:
    blob_id = hashlib.sha1(data).digest()
    folder = root / "content"
    folder.mkdir(exist_ok=True)
    (folder / blob_id.hex()).write_bytes(gzip.compress(data) if body is None else body)
    return blob_id


def reason(result: bytes | Problem) -> str:
    assert isinstance(result, Problem)
    return result.reason


def test_the_folder_above_content_and_content_itself_are_one_store(tmp_path: Path) -> None:
    blob_id = put(tmp_path, b"hello\n")
    above, itself = open_store(tmp_path), open_store(str(tmp_path / "content"))
    assert above == itself
    assert above.get(blob_id, 100) == itself.get(blob_id, 100) == b"hello\n"


def test_it_survives_pickling(tmp_path: Path) -> None:
    blob_id = put(tmp_path, b"x")
    assert pickle.loads(pickle.dumps(open_store(tmp_path))).get(blob_id, 1) == b"x"


def test_each_fault_has_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = put(tmp_path, b"good")
    truncated = put(tmp_path, b"truncated", gzip.compress(b"truncated")[:-3])
    plain = put(tmp_path, b"plain", b"plain")
    empty = put(tmp_path, b"nothing", b"")
    other = put(tmp_path, b"other", gzip.compress(b"another"))
    large = put(tmp_path, b"y" * 3_000_000)
    (tmp_path / "content" / ("0" * 40)).mkdir()
    ids = [good, truncated, plain, b"\1" * 20, empty, other, large, bytes(20), good]
    results = dict(open_store(tmp_path).get_many(ids, 1000))
    assert results.pop(0) == results.pop(8) == b"good"
    assert [reason(results[at]) for at in range(1, 8)] == [
        "corrupt", "corrupt", "missing", "corrupt", "corrupt", "too_large", "corrupt"
    ]  # fmt: skip


def test_a_blob_of_many_chunks(tmp_path: Path) -> None:
    data = os.urandom(1 << 20) * 3 + b"end"
    blob_id = put(tmp_path, data)
    assert open_store(tmp_path).get(blob_id, len(data)) == data


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    os.mkfifo(tmp_path / "content" / ("0" * 40))
    assert reason(open_store(tmp_path).get(bytes(20), 10)) == "corrupt"


def test_a_store_that_goes_away_is_no_missing_blob(tmp_path: Path) -> None:
    put(tmp_path, b"x")
    store = open_store(tmp_path)
    shutil.rmtree(tmp_path / "content")
    with pytest.raises(TransientError):
        store.get(bytes(20), 10)


@pytest.mark.parametrize(
    "spec",
    ["absent-folder", "http://example.org/x", "s3://", {"url": ""}, {"folder": "x"}, {"bad": 1}],
)
def test_wrong_specs_are_config_errors(spec: object) -> None:
    with pytest.raises(ConfigError, match="contents"):
        open_store(spec)  # type: ignore[arg-type]


def test_options_of_s3_do_not_fit_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="anonymous"):
        open_store({"url": tmp_path, "anonymous": True})


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="no folder"):
        LocalStore(tmp_path / "file")
