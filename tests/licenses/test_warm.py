import subprocess
import sys
from types import SimpleNamespace

import pytest

from stackcurate.licenses import warm
from stackcurate.pipeline.run import _compile_once

_CHECK = """
from numba.core.dispatcher import Dispatcher
from stackcurate.licenses import align, heads, joined, matcher, query, refine, rules, texts, warm
from stackcurate.licenses import words
warm.compile_kernels()
called = [matcher.prefixes, matcher.merge, matcher._whole, matcher._tagged, matcher._exact,
          matcher._take_all, matcher._leave_out, matcher._is_open, matcher._approximate,
          matcher.breadth, align.candidates, refine.refine, query._read, words._words,
          texts._scan, heads.find_tags, heads.find_speaking]
print([kernel.__name__ for kernel in called if not kernel.signatures])
"""


def test_every_kernel_that_python_calls_is_there_after_warming():
    out = subprocess.run([sys.executable, "-c", _CHECK], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]", out.stdout + out.stderr


def test_cold_means_that_numba_kept_nothing(monkeypatch):
    warm.compile_kernels()
    assert not warm.is_cold()
    index = warm.refine.refine._cache._cache_file
    monkeypatch.setattr(index, "_index_path", index._index_path + ".gone")
    assert warm.is_cold()


@pytest.mark.parametrize(
    ("cold", "stages", "tasks"),
    [
        (True, ("license",), 1),
        (True, ("header",), 1),
        (True, ("filter",), 0),
        (False, ("license",), 0),
    ],
)
def test_a_run_compiles_in_one_worker_before_the_others(monkeypatch, cold, stages, tasks):
    given, notes = [], []
    engine = SimpleNamespace(map=lambda task, items: given.append((task, len(items))) or ())
    run = SimpleNamespace(
        config=SimpleNamespace(stages=stages),
        engine=engine,
        progress=SimpleNamespace(note=notes.append),
    )
    monkeypatch.setattr(warm, "is_cold", lambda: cold)
    _compile_once(run)
    assert given == [(warm.compile_kernels, 1)] * tasks and notes == [warm.NOTE] * tasks
