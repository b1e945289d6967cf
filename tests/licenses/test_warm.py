import subprocess
import sys

from stackcurate.licenses import warm

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
