from __future__ import annotations

import gzip
import hashlib
import importlib
import pickle
import time
from collections.abc import Iterator

import pytest

from stackcurate.contents import open_store
from stackcurate.contents.s3 import S3Store
from stackcurate.errors import ConfigError, Problem, TransientError

pytest.importorskip("s3fs")
pytest.importorskip("moto.server")


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()


def reason(result: bytes | Problem) -> str:
    assert isinstance(result, Problem)
    return result.reason


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    system = s3fs.S3FileSystem(key="key", secret="secret", endpoint_url=url)
    system.call_s3("create_bucket", Bucket="archive", ACL="public-read")
    for number in range(40):
        data = b"blob %d\n" % number
        put(system, data, gzip.compress(data))
    put(system, b"cut", gzip.compress(b"cut")[:-2])
    put(system, b"nothing", b"")
    put(system, b"other", gzip.compress(b"another"))
    put(system, b"z" * 5_000_000, gzip.compress(b"z" * 5_000_000, 0))
    yield url
    server.stop()


def put(system: object, data: bytes, body: bytes) -> None:
    path = f"archive/some/prefix/content/{sha1(data).hex()}"
    system.pipe_file(path, body)  # type: ignore[attr-defined]


def at(endpoint: str, url: str = "s3://archive/some/prefix") -> S3Store:
    store = open_store({"url": url, "endpoint_url": endpoint, "anonymous": True})
    assert isinstance(store, S3Store)
    return store


def test_blobs_come_back_with_and_without_the_last_folder(endpoint: str) -> None:
    for url in ("s3://archive/some/prefix", "s3://archive/some/prefix/content/"):
        assert at(endpoint, url).get(sha1(b"blob 7\n"), 100) == b"blob 7\n"


def test_many_come_back_in_order_with_faults_between(endpoint: str) -> None:
    wanted = [b"blob %d\n" % number for number in range(40)]
    wanted[5:5] = [b"cut", b"nothing", b"other", b"absent", b"z" * 5_000_000]
    store = pickle.loads(pickle.dumps(at(endpoint)))
    results = list(store.get_many([sha1(data) for data in wanted], 1000))
    assert [number for number, _ in results] == list(range(45))
    assert [reason(result) for _, result in results[5:10]] == [
        "corrupt", "corrupt", "corrupt", "missing", "too_large"
    ]  # fmt: skip
    assert all(results[n][1] == wanted[n] for n in range(45) if not 5 <= n < 10)


def test_a_wrong_bucket_is_no_missing_blob(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="NoSuchBucket"):
        at(endpoint, "s3://nobucket/x").get(bytes(20), 10)


def test_leaving_early_ends_the_threads(endpoint: str) -> None:
    for _, result in at(endpoint).get_many([sha1(b"blob 1\n")] * 100, 100):
        assert result == b"blob 1\n"
        break


def flaky(monkeypatch: pytest.MonkeyPatch, faults: list[Exception]) -> None:
    real = S3Store._request

    def request(self: S3Store, name: str, length: int) -> bytes:
        if faults:
            raise faults.pop(0)
        return real(self, name, length)

    monkeypatch.setattr(S3Store, "_request", request)


def test_transient_faults_are_tried_again_with_growing_pauses(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky(monkeypatch, [OSError("slow down"), TimeoutError(), ConnectionError()])
    pauses: list[float] = []
    base = at(endpoint)
    store = S3Store(base.url, base.endpoint_url, pause=pauses.append)
    assert store.get(sha1(b"blob 3\n"), 100) == b"blob 3\n"
    assert len(pauses) == 3 and pauses == sorted(pauses)


def test_a_store_that_never_answers_is_transient_not_missing(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky(monkeypatch, [ConnectionError("x") for _ in range(100)])
    store = S3Store("s3://archive/some/prefix", endpoint, pause=lambda seconds: None)
    with pytest.raises(TransientError, match="6 tries"):
        store.get(sha1(b"blob 3\n"), 100)


def test_pauses_double_and_stay_bounded() -> None:
    from stackcurate.contents.s3 import _pause_seconds

    low, high = bytes(20), bytes(19) + b"\xff"
    assert [_pause_seconds(n, high) for n in range(7)] == [0.5, 1, 2, 4, 8, 16, 20]
    assert _pause_seconds(3, low) == 2


def test_without_s3fs_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ConfigError, match=r"pip install stackcurate\[s3\]"):
        open_store("s3://archive")


def test_the_default_pause_pickles() -> None:
    assert pickle.loads(pickle.dumps(S3Store("s3://archive"))).pause is time.sleep
