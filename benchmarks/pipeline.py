"""Measures a run against the copy limit: what this machine needs just to read, hash and write.

    python benchmarks/pipeline.py CORPUS                      the frame alone, one worker
    python benchmarks/pipeline.py CORPUS --detectors on       all stages, license cache warm
    python benchmarks/pipeline.py CORPUS --pair               two workers beside one
    python benchmarks/pipeline.py CORPUS --growth parquet-x10 cost per byte of a larger corpus

CORPUS is what corpus.py built. The frame is: list, choose, fetch, decode, signals, hash, write,
ledger; its `filter` measures and drops nothing. Rates are MB (10^6 bytes) of text that reaches
`fetch`. The copy limit is taken before and after each run by a loop in a process of its own: read
zstd Parquet, SHA-256 each file, write Parquet with zstd level 3, on one core. Linux only: time and
memory of workers are read below /proc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from signals_only import Signals

from stackcurate import __version__, config
from stackcurate.engine.local import LocalEngine
from stackcurate.pipeline.run import run

FRAME = ("optout", "choose", "fetch", "filter")
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Watch:
    """Watches a run: processor and wall seconds of each phase, memory of all processes."""

    phases: dict[str, list[float]] = field(
        default_factory=dict
    )  # name: [wall, processor, of it system]
    largest: int = 0  # bytes, the most that one process held
    together: int = 0  # bytes, the most that all held at one time
    _now: tuple[str, float, float, float] = ("start", 0.0, 0.0, 0.0)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._now = ("start", time.monotonic(), *_processor())
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._sampler.join()

    def phase(self, name: str, total: int, done: int) -> None:
        now = (time.monotonic(), *_processor())
        before, *begin = self._now
        spent = self.phases.setdefault(before, [0.0, 0.0, 0.0])
        for i, (one, other) in enumerate(zip(now, begin, strict=True)):
            spent[i] += one - other
        self._now = (name, *now)

    def step(self, name: str, files: int, size: int) -> None: ...

    def note(self, message: str) -> None:
        print(message, file=sys.stderr)

    def _sample(self) -> None:
        while not self._over.wait(0.1):
            held = []
            for process in _processes():
                lines = _read(f"/proc/{process}/status").splitlines()
                sizes = {line.split(":")[0]: line.split()[1] for line in lines if "kB" in line}
                self.largest = max(self.largest, int(sizes.get("VmHWM", 0)) * 1024)
                held.append(int(sizes.get("VmRSS", 0)) * 1024)
            self.together = max(self.together, sum(held))


def _processes() -> list[int]:
    """This process and all below it."""
    found = [os.getpid()]
    for process in found:
        for thread in _listed(f"/proc/{process}/task"):
            found += map(int, _read(f"/proc/{process}/task/{thread}/children").split())
    return found


def _processor() -> tuple[float, float]:
    """Processor seconds of this process and all below, ended ones too; and the system's part."""
    total = system = 0
    for process in _processes():
        words = _read(f"/proc/{process}/stat").rpartition(")")[2].split()
        total += sum(map(int, words[11:15]))
        system += sum(map(int, words[12:15:2]))
    return total / TICK, system / TICK


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # it ended meanwhile
        return ""


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


@dataclass(frozen=True)
class Measured:
    """One run: wall and processor seconds, text and files that reached `fetch`."""

    wall: float
    processor: float
    text: int
    files: int
    listed: int
    kept: int
    watch: Watch

    @property
    def per_second(self) -> float:
        return self.text / 1e6 / self.wall

    @property
    def per_processor(self) -> float:
        return self.text / 1e6 / self.processor


def measure(given: argparse.Namespace, data: Path, work: Path, workers: int) -> Measured:
    """Run the pipeline over ``data``, from nothing but the license cache."""
    for name in ("releases", "runs/bench"):
        shutil.rmtree(work / name, ignore_errors=True)
    checked = config.load(_config(given, data, work))
    if given.detectors == "off":
        checked = replace(checked, stages=FRAME, filter=Signals())
    start = time.monotonic()
    with Watch() as watch, LocalEngine(workers) as engine:
        before = _processor()[0]
        done = run(checked, engine, watch)
        watch.phase("end", 0, 0)
        processor = _processor()[0] - before
    wall = time.monotonic() - start
    fetched = done.work["fetch"]
    listed = done.work["list"]["files"]
    kept = sum(pq.ParquetFile(f).metadata.num_rows for f in done.release.glob("data/*/*.parquet"))
    return Measured(wall, processor, fetched["bytes"], fetched["files"], listed, kept, watch)


def _config(given: argparse.Namespace, data: Path, work: Path) -> Path:
    written = {
        "name": "bench",
        "version": "1.0.0",
        "sources": [
            {"kind": "parquet", "path": str(data.resolve()), "ids": given.ids},
        ],
        "license": {"policy": "permissive", "look_inside": "open"},
        "releases": str(work / "releases"),
        "runs": str(work / "runs"),
    }
    path = work / "bench.yaml"
    path.write_text(json.dumps(written))  # JSON is YAML
    return path


def copy_loop(data: Path, work: Path) -> dict[str, float]:
    """The copy limit's loop: read zstd Parquet, SHA-256 each file, write zstd-3 Parquet."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    start, used, size = time.monotonic(), time.process_time(), 0
    target = work / f"copy-{os.getpid()}.parquet"
    for file in sorted(data.glob("*.parquet")):
        reader = pq.ParquetFile(file)
        writer = pq.ParquetWriter(
            target,
            pa.schema([("content", pa.large_binary()), ("sha256", pa.binary(32))]),
            compression="zstd",
            compression_level=3,
            use_dictionary=False,
            write_statistics=False,
        )
        for number in range(reader.num_row_groups):
            table = reader.read_row_group(number, ["content"], use_threads=False)
            column = table["content"].cast(pa.large_binary()).combine_chunks()
            column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
            digests = [hashlib.sha256(one.as_buffer()).digest() for one in column]
            hashes = pa.array(digests, pa.binary(32))
            size += sum(one.as_buffer().size for one in column)
            writer.write_table(pa.table([column, hashes], schema=writer.schema))
        writer.close()
    seconds = {"wall": time.monotonic() - start, "processor": time.process_time() - used}
    target.unlink()
    return seconds | {"text": size}


def copies(data: Path, work: Path, count: int = 1) -> tuple[float, float]:
    """(MB per wall second, MB per processor second) of ``count`` copy loops at once, each."""
    command = [sys.executable, __file__, str(data), "--copy-loop", str(work)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(count)]
    found = [json.loads(process.communicate()[0]) for process in running]
    wall = statistics.mean(one["text"] / 1e6 / one["wall"] for one in found)
    return wall, statistics.mean(one["text"] / 1e6 / one["processor"] for one in found)


def compare(given: argparse.Namespace, data: Path, work: Path) -> None:
    """One table: the run by phase, and its ratio to the copy limit."""
    ratios: list[tuple[float, float]] = []
    for number in range(given.repeat):
        before = copies(data, work)
        found = measure(given, data, work, given.workers)
        after = copies(data, work)
        wall, processor = ((a + b) / 2 for a, b in zip(before, after, strict=True))
        ratios.append((found.per_second / given.workers / wall, found.per_processor / processor))
        print(f"\nrun {number + 1} of {given.repeat}")
        report(found, given.workers)
        print(
            f"copy limit: {before[0]:.0f} MB/s before, {after[0]:.0f} after (wall); "
            f"{before[1]:.0f} and {after[1]:.0f} MB per processor second\n"
            f"ratio to the copy limit: {ratios[-1][0]:.3f} by wall, {ratios[-1][1]:.3f} by cpu"
        )
    middle = [statistics.median(side) for side in zip(*ratios, strict=True)]
    print(f"\nmedian ratio: {middle[0]:.3f} by wall, {middle[1]:.3f} by processor")


def report(found: Measured, workers: int) -> None:
    """Print a run by phase. MB/s/core is text that reached `fetch` by processor second."""
    head = f"{'phase':<12}{'wall s':>9}{'cpu s':>9}{'system s':>10}"
    print(f"{head}{'MB/s/core':>11}{'files/s':>11}{'share':>8}")
    for name, (wall, processor, system) in found.watch.phases.items():
        rate = found.text / 1e6 / processor if processor else 0.0
        files = found.files / wall if wall else 0.0
        share = processor / found.processor
        print(
            f"{name:<12}{wall:9.2f}{processor:9.2f}{system:10.2f}{rate:11.0f}{files:11.0f}{share:8.1%}"
        )
    system = sum(spent[2] for spent in found.watch.phases.values())
    print(
        f"{'all':<12}{found.wall:9.2f}{found.processor:9.2f}{system:10.2f}"
        f"{found.per_processor:11.1f}{found.files / found.wall:11.0f}\n"
        f"{found.listed} files listed, {found.files} fetched ({found.text / 1e6:.1f} MB), "
        f"{found.kept} kept; by wall {found.per_second / workers:.1f} MB/s and core\n"
        f"memory: {found.watch.largest / 1e6:.0f} MB in the largest process, "
        f"{found.watch.together / 1e6:.0f} MB in all together"
    )


def pair(given: argparse.Namespace, data: Path, work: Path) -> None:
    """Two workers beside one, against two copy loops beside one."""
    found = []
    for number in range(given.repeat):
        alone, both = copies(data, work)[0], copies(data, work, 2)[0]
        one = measure(given, data, work, 1)
        two = measure(given, data, work, 2)
        both = (both + copies(data, work, 2)[0]) / 2
        alone = (alone + copies(data, work)[0]) / 2
        gain = two.per_second / one.per_second
        found.append(gain / (2 * both / alone))
        print(
            f"run {number + 1}: {one.per_second:.1f} MB/s with one worker, {two.per_second:.1f} "
            f"with two ({gain:.2f} times); copy loops {alone:.0f} alone, {2 * both:.0f} as two "
            f"({2 * both / alone:.2f} times); efficiency {found[-1]:.3f}"
        )
    print(f"median efficiency of two workers: {statistics.median(found):.3f}")


def growth(given: argparse.Namespace, data: Path, work: Path) -> None:
    """Cost per byte of a larger corpus over that of the smaller one."""
    found = []
    for number in range(given.repeat):
        small = measure(given, data, work, given.workers)
        speed = copies(data, work)[1]
        large = measure(given, given.corpus / given.growth, work, given.workers)
        speed = copies(data, work)[1] / speed  # the machine's own change between the two
        rise = small.per_processor / large.per_processor
        found.append(rise)
        print(
            f"run {number + 1}: {small.text / 1e6:.0f} MB at {small.per_processor:.1f} MB per "
            f"processor second ({small.per_second:.1f} by wall), {large.text / 1e6:.0f} MB at "
            f"{large.per_processor:.1f} ({large.per_second:.1f}); cost per byte {rise:.3f} times "
            f"by processor, {small.per_second / large.per_second:.3f} by wall; files that "
            f"survive: {small.kept / small.listed:.3f} and {large.kept / large.listed:.3f}; copy "
            f"loop afterwards {speed:.2f} times as fast"
        )
        report(small, given.workers)
        report(large, given.workers)
    print(f"median growth of the cost per byte: {statistics.median(found):.3f}")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("corpus", type=Path)
    words.add_argument("--detectors", choices=("off", "on"), default="off")
    words.add_argument("--workers", type=int, default=1)
    words.add_argument("--repeat", type=int, default=1)
    words.add_argument("--parquet", default="parquet", help="folder of CORPUS to read")
    words.add_argument(
        "--ids", choices=("auto", "compute"), default="auto",
        help="believe the column content_id until fetch checks it, as configs do (the default), or "
        "hash every content while listing too, as for Parquet without ids",
    )  # fmt: skip
    words.add_argument("--pair", action="store_true")
    words.add_argument("--growth", metavar="FOLDER")
    words.add_argument("--work", type=Path, help="where runs go (default: a folder of CORPUS)")
    words.add_argument("--copy-loop", type=Path, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.copy_loop:
        print(json.dumps(copy_loop(given.corpus, given.copy_loop)))
        return
    data = given.corpus / given.parquet
    how: Callable[[argparse.Namespace, Path, Path], Any] = compare
    how = pair if given.pair else growth if given.growth else compare
    print(f"stackcurate {__version__} {' '.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory(dir=given.work or given.corpus, prefix="run-") as beside:
        measure(given, data, Path(beside), given.workers)  # compiles kernels, fills the cache
        how(given, data, Path(beside))


if __name__ == "__main__":
    main()
