"""Loaded by the process that workers are forked from: what the tasks of every run need.

Modules, and the kernels that each run calls: numba keeps them on the disk, but to read one takes up
to a quarter of a second, and where none is kept yet it is compiled here, once and not by each
worker. Nothing here may start a thread.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys

from stackcurate.engine.unused import do_without_unused

# Ctrl-C is for the run, which ends this process. Python ignores it here too, but only once all is
# loaded; until then it would end in a traceback on the terminal.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# Python starts this process with the working directory first on its path. What lies there is data,
# perhaps a hostile repository, and its numpy.py is not ours. Workers get the path of their caller.
sys.path[:] = [place for place in sys.path if place not in ("", os.getcwd())]


def load() -> None:
    """Import what tasks use and call the kernels on next to nothing."""
    for name in ("pyarrow.parquet", "stackcurate.pipeline.body", "stackcurate.pipeline.ship"):
        importlib.import_module(name)

    import numpy as np
    import pyarrow as pa

    from stackcurate.filters.signals import signals
    from stackcurate.kernels.shared import sampled_pairs
    from stackcurate.pipeline.arena import Arena

    arena = Arena(1)
    arena.add(b"text")
    arena.unsure()
    signals(pa.array(["text"], pa.large_string()))
    limits = np.zeros(1, np.uint64)
    limits.flags.writeable = False  # a kernel is another one for memory that it may not write
    sampled_pairs(np.zeros(1, np.uint64), np.zeros(1, np.uint32), limits, 1, 1)


do_without_unused()
with contextlib.suppress(Exception):  # a worker that needs it will say what is wrong
    load()
gc.freeze()  # a collection would write to every object, and each worker would copy its page
