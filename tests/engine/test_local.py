"""The local engine: results for all, failures named, errors raised, nothing left running."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from stackcurate.engine.base import Failure, SerialEngine
from stackcurate.engine.local import LocalEngine
from stackcurate.errors import InputError


def square(n: int) -> int:
    return n * n


def act(folder: str, item: str) -> str:
    """Do what the item says; leave a mark for each attempt."""
    with open(os.path.join(folder, item), "a") as log:
        log.write(f"{os.getpid()}\n")
    if item == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "hang":
        time.sleep(60)
    if item == "raise":
        raise ValueError("hunter2 is in this message")
    if item == "input":
        end = time.monotonic() + 30  # the error shall meet the hanging task, not come before it
        other = os.path.join(folder, "hang")
        while not (os.path.exists(other) and os.path.getsize(other)) and time.monotonic() < end:
            time.sleep(0.01)
        raise InputError("bad repository", "corrupt")
    return item


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_comes_back_under_its_number(workers: int) -> None:
    with LocalEngine(workers) as engine:
        assert sorted(engine.map(square, range(7))) == [(n, n * n) for n in range(7)]
        assert sorted(engine.map(square, [5])) == [(0, 25)]
    assert list(SerialEngine().map(square, [2])) == [(0, 4)]


def test_a_dead_a_hanging_and_a_raising_task_fail_and_the_rest_goes_on(tmp_path) -> None:
    items = ["a", "die", "b", "hang", "raise", "c"]
    with LocalEngine(2) as engine:
        results = dict(engine.map(partial(act, str(tmp_path)), items, timeout=4))
    assert [results[n] for n in (0, 2, 5)] == ["a", "b", "c"]
    assert results[1].reason == "crashed" and "SIGKILL" in results[1].message
    assert results[3].reason == "timeout"
    assert results[4].reason == "crashed" and "ValueError" in results[4].message
    assert "hunter2" not in results[4].message
    for item in ("die", "hang", "raise"):  # each was tried twice
        assert len((tmp_path / item).read_text().split()) == 2
    assert all(not isinstance(results[n], Failure) for n in (0, 2, 5))


def test_an_error_of_ours_ends_the_map_and_leaves_no_process(tmp_path) -> None:
    with LocalEngine(2) as engine:
        with pytest.raises(InputError, match="bad repository"):
            list(engine.map(partial(act, str(tmp_path)), ["hang", "input"], timeout=50))
        assert sorted(engine.map(square, [3])) == [(0, 9)]
    (pid,) = (tmp_path / "hang").read_text().split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


SCRIPT = """
import sys
print("script", flush=True)
from stackcurate.engine.local import LocalEngine
with LocalEngine(2) as engine:
    print(sorted(engine.map(abs, [-1, 2])))
"""


def test_a_script_without_a_guard_runs_once(tmp_path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True)
    assert done.stdout.decode().splitlines() == ["script", "[(0, 1), (1, 2)]"], done.stderr


OWN = """
from dataclasses import dataclass
from stackcurate.engine.local import LocalEngine

@dataclass(frozen=True)
class Times:
    by: int
    def __call__(self, n): return n * self.by

if __name__ == "__main__":
    with LocalEngine(2) as engine:
        print(sorted(engine.map(abs, [-1, 2])), sorted(engine.map(Times(3), [1, 2])))
"""


def test_tasks_may_be_defined_in_the_script(tmp_path) -> None:
    (tmp_path / "script.py").write_text(OWN)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True)
    assert done.stdout.decode().strip() == "[(0, 1), (1, 2)] [(0, 3), (1, 6)]", done.stderr


def test_modules_that_lie_where_the_command_runs_are_not_loaded(tmp_path) -> None:
    trap = "open('sprung', 'w').close()\nraise ImportError\n"
    for name in ("numba", "pyarrow", "numpy", "yaml"):
        (tmp_path / f"{name}.py").write_text(trap)
    lines = ["from stackcurate.engine.local import LocalEngine", "with LocalEngine(1) as engine:"]
    lines.append("    print(list(engine.map(abs, [-1])))")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "run.py").write_text("\n".join(lines))
    place = [sys.executable, "scripts/run.py"]
    done = subprocess.run(place, cwd=tmp_path, capture_output=True)
    assert done.stdout.decode().strip() == "[(0, 1)]", done.stderr
    assert not (tmp_path / "sprung").exists()
