"""Near-dedup of very many files whose texts are made up on the fly, for benchmarks/dedup.py.

    python benchmarks/dedup.py --only synthetic --files 20000000 --work FOLDER

A text is 64 words of five letters that follow from the file's number, so none is ever stored: the
signatures are made from it by the kernels, and verification makes it again. Every tenth file is
the one before it with a stretch of words changed (similarity 0.6 to 0.85), every hundredth an exact
copy, and 2 in 1,000 are one of a family of up to 4,000 around a template that all of them are near
to and that few of them are near to each other: the shape of generated code and boilerplate.
Nothing else about the run is made up: bands, links, estimate, exact verification, cover.
"""

from __future__ import annotations

import argparse
import os
import resource
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from stackcurate.dedup.match import Part, dedup
from stackcurate.dedup.near import signatures
from stackcurate.dedup.settings import Settings
from stackcurate.engine.local import LocalEngine
from stackcurate.storage.partitions import write_arrow

PART_ROWS = 1 << 18
BATCH = 1 << 15
WORDS = 64
WIDTH = 6  # bytes of a word and its blank
_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz012345", np.uint8)


def _mixed(values: np.ndarray) -> np.ndarray:
    """splitmix64 (Steele, Lea, Flood 2014) of uint64 values, in place."""
    values += np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def texts(files: np.ndarray) -> pa.LargeStringArray:
    """The texts of files by number (int64)."""
    origin = files.copy()
    run = np.zeros(len(files), np.int64)  # words of their own, from ``begin``
    twin = files % 10 == 9
    origin[twin] -= 1
    run[twin] = 1 + files[twin] // 10 % 8
    copy = files % 100 == 57
    origin[copy] -= 7
    template = files % 500 == 3
    family = files // 500
    # Families of 1 to 4,000 files; the first of a family is its template.
    origin[template] = (family - family % (1 + 4000 // (1 + family // 4000 % 97)))[
        template
    ] * 500 + 3
    run[template] = np.where(origin == files, 0, 4 + family % 4)[template]
    begin = _mixed(files.astype(np.uint64)) % np.uint64(WORDS - 8)
    place = np.arange(WORDS, dtype=np.int64)
    own = (place >= begin.astype(np.int64)[:, None]) & (
        place < (begin.astype(np.int64) + run)[:, None]
    )
    seeds = np.where(own, files[:, None] + (1 << 40), origin[:, None]) * WORDS + place
    words = _mixed(seeds.astype(np.uint64))
    letters = np.empty((len(files), WORDS, WIDTH), np.uint8)
    for letter in range(WIDTH - 1):
        letters[:, :, letter] = _LETTERS[words >> np.uint64(5 * letter) & np.uint64(31)]
    letters[:, :, WIDTH - 1] = ord(" ")
    ends = np.arange(len(files) + 1, dtype=np.int64) * (WORDS * WIDTH)
    return pa.LargeStringArray.from_buffers(len(files), pa.py_buffer(ends), pa.py_buffer(letters))


@dataclass(frozen=True)
class MakePart:
    """Records of one part, as the pipeline's ``fetch`` leaves them."""

    folder: Path
    files: int
    settings: Settings

    def path(self, part: int) -> Path:
        return self.folder / f"part-{part}.arrow"

    def __call__(self, part: int) -> None:
        first = part * PART_ROWS
        tables = []
        for begin in range(first, min(first + PART_ROWS, self.files), BATCH):
            files = np.arange(begin, min(begin + BATCH, first + PART_ROWS, self.files))
            signed = signatures(texts(files), self.settings)
            tables.append(_records(files, files - first, signed))
        write_arrow(self.path(part), pa.concat_tables(tables), rows=8192)


def _records(files: np.ndarray, rows: np.ndarray, signed: pa.Table) -> pa.Table:
    number = files.astype(np.uint64)
    # Ranks in another order than the files lie, each once: an odd factor permutes 64-bit numbers.
    rank = number * np.uint64(0x9E3779B97F4A7C15)
    digest = np.zeros((len(files), 4), np.uint64)
    digest[:, 0] = _mixed(np.where(files % 100 == 57, number - np.uint64(7), number))
    group = pa.array([""]).take(pa.array(np.zeros(len(files), np.int32)))
    return pa.table(
        {
            "row": rows.astype(np.int32),
            "group": group,
            "rank": _fixed(rank.astype(">u8"), 8),
            "text_sha256": _fixed(digest, 32),
            "shingles": signed["shingles"],
            "signature": signed["signature"],
        }
    )


def _fixed(data: np.ndarray, width: int) -> pa.Array:
    buffers = [None, pa.py_buffer(np.ascontiguousarray(data))]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(data), buffers)


def made_again(part: int, rows: np.ndarray) -> pa.LargeStringArray:
    """Texts for verification (``steps.Texts``)."""
    return texts(part * PART_ROWS + rows.astype(np.int64))


@dataclass
class Watch:
    """Looks now and then at the disk below a folder, the memory of all processes, and the step."""

    folder: Path
    disk: int = 0
    memory: int = 0  # of the largest process, without mapped files
    steps: Counter[str] = field(default_factory=Counter)
    done: threading.Event = field(default_factory=threading.Event)

    def look(self, every: float = 1.0) -> None:
        while not self.done.wait(every):
            sizes, newest, step = 0, 0.0, "start"
            for place, _, names in os.walk(self.folder):
                for name in names:
                    try:
                        stat = os.stat(os.path.join(place, name))
                    except OSError:
                        continue
                    sizes += stat.st_blocks * 512
                    if (
                        name.endswith(".json")
                        and place.endswith("steps")
                        and stat.st_mtime > newest
                    ):
                        newest, step = stat.st_mtime, name.rsplit("-", 1)[0]
            self.disk = max(self.disk, sizes)
            self.steps[step] += 1
            self.memory = max([self.memory, *map(_anonymous, _family())])


def _family() -> list[int]:
    """This process and its children."""
    me = os.getpid()
    found = [me]
    for task in Path(f"/proc/{me}/task").glob("*/children"):
        found += [int(pid) for pid in task.read_text().split()]
    return found


def _anonymous(pid: int) -> int:
    """Bytes of a process that are not pages of files."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(x.split()[1]) * 1024 for x in lines if x.startswith(("RssAnon", "RssShmem")))


def files(given: argparse.Namespace, beside: Path) -> None:
    """Sign, match, verify and cover ``given.files`` files."""
    settings = Settings(scope="all", cluster=given.cluster)
    make = MakePart(beside, given.files, settings)
    count = -(-given.files // PART_ROWS)
    with LocalEngine(given.workers) as engine:
        list(engine.map(make, [0]))  # compiles
        begin = time.monotonic()
        for _, outcome in engine.map(make, range(count)):
            assert outcome is None, outcome
        made = time.monotonic()
        watch = Watch(beside)
        looking = threading.Thread(target=watch.look, daemon=True)
        looking.start()
        parts = [Part(number, make.path(number)) for number in range(count)]
        summary = dedup(parts, made_again, engine, beside / "work", settings)
        wall = time.monotonic() - made
        watch.done.set()
        looking.join()
    worst = max(resource.getrusage(who).ru_maxrss for who in (-1, 0)) / 1024  # -1: children
    print(
        f"synthetic: {given.files:,} files in {count} parts, {given.workers} workers, "
        f"{given.cluster}\n  made and signed in {made - begin:.0f} s\n  matched in {wall:.0f} s "
        f"({given.files / wall:,.0f} files/s)\n  "
        f"largest process {watch.memory / 1e6:.0f} MB of its "
        f"own, {worst:.0f} MB with mapped files\n  disk at most {watch.disk / 1e9:.1f} GB "
        f"({watch.disk / given.files:.0f} bytes a file, the records included)\n  "
        f"{summary.exact:,} exact, {summary.near:,} near, {summary.kept:,} kept, "
        f"{summary.comparisons / given.files:.3f} exact comparisons a file, "
        f"{summary.giant_buckets:,} buckets cut"
    )
    for number, done in enumerate(summary.rounds):
        print(f"  round {number}: {done}")
    print("  seconds by the step last finished: " + ", ".join(
        f"{step} {seconds}" for step, seconds in watch.steps.most_common(14)))  # fmt: skip
