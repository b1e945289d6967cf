import pickle
import sqlite3

import pytest

from stackcurate.errors import StopError
from stackcurate.licenses.cache import Cache


def test_answers_are_kept_by_detector(tmp_path):
    cache = Cache(tmp_path / "c.sqlite")
    cache.put({b"a": [{"x": 1}], b"b": []}, "scancode 1")
    assert cache.get([b"a", b"b", b"c", b"a"], "scancode 1") == {b"a": [{"x": 1}], b"b": []}
    assert cache.get([b"a"], "scancode 2") == {}
    assert (cache.hits, cache.misses) == (2, 2)


def test_the_first_answer_stays(tmp_path):
    cache, other = Cache(tmp_path / "c.sqlite"), Cache(tmp_path / "c.sqlite")
    cache.put({b"a": 1}, "d")
    other.put({b"a": 2}, "d")
    assert cache.get([b"a"], "d") == {b"a": 1}


def test_it_pickles_as_its_path(tmp_path):
    cache = Cache(tmp_path / "c.sqlite")
    cache.put({b"a": 1}, "d")
    cache.close()
    assert pickle.loads(pickle.dumps(cache)).get([b"a"], "d") == {b"a": 1}


def test_many_keys():
    cache = Cache()
    keys = [n.to_bytes(2, "big") for n in range(1500)]
    cache.put(dict.fromkeys(keys, 0), "d")
    assert len(cache.get(keys, "d")) == 1500


def test_a_file_that_is_no_cache_stops(tmp_path):
    path = tmp_path / "c.sqlite"
    path.write_text("this is no database, and long enough to be read as a header of one " * 20)
    with pytest.raises(StopError):
        Cache(path).get([b"a"], "d")
    assert not isinstance(StopError, sqlite3.Error)
