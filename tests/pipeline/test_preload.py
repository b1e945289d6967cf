"""What workers are forked from: loaded in peace, and without what no task uses."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)


def test_ctrl_c_while_it_loads_shows_nobody_a_traceback() -> None:
    done = python(
        "import importlib, os, signal\n"
        "load = importlib.import_module\n"
        "def interrupted(name):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return load(name)\n"
        "importlib.import_module = interrupted\n"
        "import stackcurate.pipeline.preload\n"
        "print('loaded')\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "loaded\n", "")


@pytest.mark.parametrize(
    "task",
    [
        "from stackcurate.filters.signals import signals\n"
        "signals(pa.array(['text', None], pa.large_string()))",
        "from stackcurate.redaction.redact import redact\n"
        "from stackcurate.redaction.settings import Settings\n"
        "ids = pa.array(['0' * 40])\n"
        "redact(pa.array(['a = 1'], pa.large_string()), pa.array(['a.py']), ids, Settings())",
        "from stackcurate.dedup.near import signatures\n"
        "from stackcurate.dedup.settings import Settings\n"
        "signatures(pa.array(['a b c d e f'], pa.large_string()), Settings())",
    ],
)
def test_kernels_ask_for_nothing_that_workers_do_without(task: str) -> None:
    done = python(
        f"import stackcurate.pipeline.preload\nimport sys\nimport pyarrow as pa\n{task}\n"
        "print([name for name in ('pandas', 'scipy') if name in sys.modules])\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
