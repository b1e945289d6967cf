"""Measures near-dedup beside other projects, and how right its answers are.

    python benchmarks/dedup.py CORPUS                    all tables but synthetic
    python benchmarks/dedup.py CORPUS --only peers       one of peers, pair, truth, edits, growth
    python benchmarks/dedup.py --only synthetic --files 20000000     see dedup_files.py

CORPUS is what corpus.py built. Rates are MB (10^6 bytes) of text a second, Parquet to Parquet, on
one core (taskset); imports and compilation are not counted. Peers are installed with pip into a
throw-away environment (--venv keeps one); what has no wheel that works is skipped with a reason.
text-dedup is not measured: its newest wheel, 0.0.3 of 2021, has no MinHash.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate import __version__
from stackcurate.dedup.alone import dedup_parquet
from stackcurate.dedup.header import header_ends
from stackcurate.dedup.near import signatures, text_buffers
from stackcurate.dedup.settings import Settings
from stackcurate.engine.base import SerialEngine
from stackcurate.engine.local import LocalEngine

PEERS = ("datatrove", "datasketch", "rensa", "daft")
BARS = {"datatrove": 60.0, "datasketch": 10.0, "rensa": 3.0, "daft": 2.5}
WHEELS = [
    "datasketch>=2",
    "xxhash",
    "rensa",
    "daft",
    "datatrove[processing,io]",
    "spacy",
    "pandas",
    "numpy>=2",
]
LIMIT = 180  # seconds for one run of a peer
ALL = Settings(scope="all")
HERE = Path(__file__).parent
TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def file_set(corpus: Path, most: int, out: Path, rows: int = 4000) -> int:
    """Rows (id, content) of UTF-8 files from all over the corpus; returns their bytes."""
    files = sorted((corpus / "parquet").glob("*.parquet"))
    share = most // len(files)
    texts: list[str] = []
    total = 0
    for file in files:
        size = 0
        for batch in pq.ParquetFile(file).iter_batches(50, columns=["content"]):
            for data in batch.column(0).to_pylist():
                try:
                    texts.append(data.decode())
                except UnicodeDecodeError:
                    continue
                size += len(data)
            if size >= share:
                break
        total += size
    table = pa.table({"id": pa.array(range(len(texts)), pa.int64()), "content": texts})
    pq.write_table(table, out, compression="zstd", row_group_size=rows)
    return total


def ours(path: Path, out: Path, workers: int = 0) -> dict[str, float]:
    """One run of `stackcurate.dedup.alone`; ``workers`` 0 is this process alone.

    Worker processes do the same once before, so that no worker's imports are counted (a small
    file would warm one of them only).
    """
    shutil.rmtree(out, ignore_errors=True)
    used = time.process_time()
    if workers:
        with LocalEngine(workers) as engine:
            dedup_parquet(path, out, "content", "id", ALL, engine)
            begin = time.monotonic()
            found = dedup_parquet(path, out, "content", "id", ALL, engine)
            wall = time.monotonic() - begin
        return {"wall": wall, "kept": found.kept}
    begin = time.monotonic()
    found = dedup_parquet(path, out, "content", "id", ALL, SerialEngine())
    wall = time.monotonic() - begin
    return {"wall": wall, "processor": time.process_time() - used, "kept": found.kept}


def sign_only(path: Path) -> dict[str, float]:
    """Read and sign, as Daft does."""
    begin, used, rows = time.monotonic(), time.process_time(), 0
    for batch in pq.ParquetFile(path).iter_batches(2000, columns=["content"]):
        rows += signatures(batch.column(0), ALL).num_rows
    return {
        "wall": time.monotonic() - begin,
        "processor": time.process_time() - used,
        "kept": rows,
    }


def one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def environment(place: Path | None, beside: Path) -> Path:
    """The interpreter of an environment with the peers."""
    folder = place or beside / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for wheel in WHEELS:  # one that cannot be had shall not keep the others away
            install = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", wheel]
            subprocess.run(install, capture_output=True, timeout=900)
    return python


def peers(given: argparse.Namespace, beside: Path) -> None:
    """End to end beside each peer, and signatures beside Daft's.

    Ours runs between the peers' runs, and of all runs of each the best counts: what else the
    machine does meanwhile falls on both.
    """
    python = environment(given.venv, beside)
    path = beside / "set.parquet"
    size = file_set(given.corpus, given.bytes, path) / 1e6
    ours(path, beside / "out")
    best: dict[str, float] = {}
    signed: dict[str, float] = {}
    theirs: dict[str, dict[str, float]] = {}
    failed: dict[str, str] = {}
    for _ in range(given.repeat):
        for name in PEERS:
            best = _best(best, ours(path, beside / "out"), ours(path, beside / "out"))
            signed = _best(signed, sign_only(path), sign_only(path))
            if name in failed:
                continue
            try:
                theirs[name] = _best(theirs.get(name, {}), peer(python, name, path, beside / name))
            except RuntimeError as error:
                failed[name] = str(error)
    print(f"\n{size:.1f} MB of text, {pq.ParquetFile(path).metadata.num_rows} files, one core")
    print(f"{'':<24}{'MB/s wall':>11}{'MB/s cpu':>10}{'kept':>8}{'ours is':>10}{'bar':>7}")
    _line("stackcurate end to end", size, best)
    _line("stackcurate signatures", size, signed)
    for name in PEERS:
        if name in failed:
            print(f"{name:<24}{failed[name]}")
            continue
        times = theirs[name]["processor"] / (signed if name == "daft" else best)["processor"]
        _line(name, size, theirs[name], f"{times:9.1f}x{BARS[name]:6.1f}x")


def _best(*runs: dict[str, float]) -> dict[str, float]:
    """The least of each number; runs that did not happen are empty."""
    done = [run for run in runs if run]
    return {key: min(run[key] for run in done) for key in done[0]}


def peer(python: Path, name: str, path: Path, out: Path) -> dict[str, float]:
    """One run of a peer. Raises RuntimeError, with a word for the table, where it does not end."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    command = [python, HERE / "dedup_peers.py", name, path, out]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took more than {LIMIT} s") from None
    if done.returncode:
        raise RuntimeError(f"skipped: {done.stderr.strip().splitlines()[-1][:100]}")
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _line(name: str, size: float, found: dict[str, float], more: str = "") -> None:
    wall, processor = size / found["wall"], size / found["processor"]
    print(f"{name:<24}{wall:11.2f}{processor:10.2f}{found['kept']:8.0f}{more}", flush=True)


def pair(given: argparse.Namespace, beside: Path) -> None:
    """Two workers beside one, and two copy loops beside one, in turns over one larger file set."""
    sys.path.insert(0, str(HERE))
    from pipeline import copies

    data = beside / "data"
    data.mkdir()
    size = file_set(given.corpus, given.bytes * 16, data / "set.parquet", rows=1000) / 1e6
    path = data / "set.parquet"
    found, rates = [], {1: 0.0, 2: 0.0}
    print(f"\n{size:.0f} MB of text; rates in MB/s by the clock")
    print(f"{'run':>4}{'one worker':>12}{'two':>8}{'times':>7}{'two copy loops, times':>24}"
          f"{'efficiency':>12}")  # fmt: skip
    for number in range(given.repeat):
        walls: dict[int, list[float]] = {1: [], 2: []}
        loops: dict[int, list[float]] = {1: [], 2: []}
        for count in (1, 2, 2, 1):
            loops[count].append(copies(data, beside, count)[0])
            walls[count].append(ours(path, beside / "out", count)["wall"])
        rates = {count: size * len(walls[count]) / sum(walls[count]) for count in (1, 2)}
        copy_gain = 2 * sum(loops[2]) / sum(loops[1])
        gain = rates[2] / rates[1]
        found.append(gain / copy_gain)
        print(
            f"{number + 1:>4}{rates[1]:>12.1f}{rates[2]:>8.1f}{gain:>7.2f}{copy_gain:>24.2f}"
            f"{found[-1]:>12.3f}", flush=True,
        )  # fmt: skip
    print(f"median efficiency of two workers: {statistics.median(found):.3f} (bar 0.93)")


def shingles(text: bytes) -> frozenset[bytes]:
    """Independent of the kernels: unhashed word 5-grams."""
    tokens = TOKEN.findall(text)
    return frozenset(b" ".join(tokens[i : i + 5]) for i in range(len(tokens) - 4))


def below_headers(texts: Sequence[str]) -> list[frozenset[bytes]]:
    data, offsets = text_buffers(pa.array(texts, pa.large_string()))
    begins = header_ends(data, offsets)
    return [
        shingles(data[a:b].tobytes())
        for a, b in zip(begins.tolist(), offsets[1:].tolist(), strict=True)
    ]


def all_pairs(sets: Sequence[frozenset[bytes]], threshold: float) -> dict[tuple[int, int], float]:
    """Every pair of similarity >= threshold, by counting shared shingles: no pair is left out."""
    holders: dict[bytes, list[int]] = {}
    for number, some in enumerate(sets):
        for shingle in some:
            holders.setdefault(shingle, []).append(number)
    out = {}
    lists: list[list[list[int]]] = [[holders[s] for s in some] for some in sets]
    for number, held in enumerate(lists):
        shared = np.bincount(
            np.fromiter((n for some in held for n in some if n > number), np.int64),
            minlength=len(sets),
        )
        for other in np.flatnonzero(shared).tolist():
            union = len(sets[number]) + len(sets[other]) - int(shared[other])
            if shared[other] / union >= threshold:
                out[number, other] = int(shared[other]) / union
    return out


def decide(texts: Sequence[str], beside: Path) -> list[dict[str, Any]]:
    path = beside / "truth.parquet"
    ids = pa.array(range(len(texts)), pa.int64())
    pq.write_table(pa.table({"id": ids, "content": pa.array(texts, pa.string())}), path)
    ours(path, beside / "out")
    rows: list[dict[str, Any]] = pq.read_table(beside / "out" / "clusters.parquet").to_pylist()
    return rows


def some_texts(given: argparse.Namespace, beside: Path, count: int) -> list[str]:
    """Files of the corpus of ordinary size, spread over it."""
    path = beside / "some.parquet"
    file_set(given.corpus, count * 60_000, path)
    texts = [t for t in pq.read_table(path)["content"].to_pylist() if 200 < len(t) < 20_000]
    return random.Random(5).sample(texts, min(count, len(texts)))


def truth(given: argparse.Namespace, beside: Path) -> None:
    """Recall and precision against all pairs."""
    texts = some_texts(given, beside, 3000)
    sets = below_headers(texts)
    rows = decide(texts, beside)
    near = {p for p in all_pairs(sets, 0.7) if texts[p[0]] != texts[p[1]]}
    missed = [p for p in near if rows[p[0]]["kept"] and rows[p[1]]["kept"]]
    dropped = [row for row in rows if not row["kept"]]
    wrong = [r for r in dropped if not _right(r, rows, texts, sets)]
    print(
        f"\ntruth: {len(texts)} files, {len(near)} pairs at 0.7 or more (equal texts left out): "
        f"{len(missed)} kept on both sides, recall {1 - len(missed) / max(1, len(near)):.4f} (bar "
        f"0.99); {len(dropped)} dropped, precision {1 - len(wrong) / max(1, len(dropped)):.4f} "
        "(bar 1.0)"
    )


def _right(row: dict[str, Any], rows: Sequence[Any], texts: Sequence[str], sets: Any) -> bool:
    twin, number = row["representative"], row["id"]
    a, b = sets[number], sets[twin]
    alike = texts[number] == texts[twin] or len(a & b) / len(a | b) >= 0.7
    return bool(rows[twin]["kept"] and alike)


def edits(given: argparse.Namespace, beside: Path) -> None:
    """Planted edits of known kinds and rates."""
    pick = random.Random(9)
    base = [t for t in some_texts(given, beside, 4000) if len(t) > 1500][:400]
    header = "# Copyright 2021 Nobody in particular\n# Licensed under terms of some length\n"

    def renamed(text: str, rate: float) -> str:
        names = sorted(set(re.findall(r"\b[a-z_]\w{3,}\b", text)))
        chosen = set(pick.sample(names, int(len(names) * rate) or min(1, len(names))))
        return re.sub(r"\b[a-z_]\w{3,}\b", lambda m: m[0] + "_x" if m[0] in chosen else m[0], text)

    def lines(text: str, change: Callable[[str], str], rate: float) -> str:
        return "\n".join(change(x) if pick.random() < rate else x for x in text.split("\n"))

    def imports(text: str, rate: float) -> str:
        rows = text.split("\n")
        at = [
            n for n, x in enumerate(rows) if x.startswith(("import ", "from ", "#include", "use "))
        ]
        for n, line in zip(at, pick.sample([rows[n] for n in at], len(at)), strict=True):
            rows[n] = line
        return "\n".join(rows)

    number = iter(range(1 << 30))
    kinds: list[tuple[str, Callable[[str, float], str], tuple[float, ...]]] = [
        ("identifiers renamed", renamed, (0.01, 0.03, 0.06)),
        ("comments changed", lambda t, r: lines(t, lambda x: f"{x} // n{next(number)}", r),
         (0.02, 0.05, 0.1)),
        ("imports reordered", imports, (1,)),
        ("re-indented", lambda t, r: t.replace("    ", "\t"), (1,)),
        ("license header swapped", lambda t, r: header + t, (1,)),
        ("lines added", lambda t, r: lines(t, lambda x: f"{x}\nv{next(number)} = c(x)", r),
         (0.02, 0.05, 0.1)),
    ]  # fmt: skip
    print(
        "\n| edit | rate | pairs | at 0.7 or more | found | groups wiped out |"
        "\n|---|---|---|---|---|---|"
    )
    for name, change, rates in kinds:
        for rate in rates:
            texts = base + [change(text, rate) for text in base]
            sets, rows, half = below_headers(texts), decide(texts, beside), len(base)
            alike = [n for n in range(half) if _jaccard(sets[n], sets[n + half]) >= 0.7]
            found = [n for n in alike if not (rows[n]["kept"] and rows[n + half]["kept"])]
            wiped = sum(not rows[r["representative"]]["kept"] for r in rows)
            assert all(r["kept"] or _right(r, rows, texts, sets) for r in rows)
            share = len(found) / max(1, len(alike))
            print(
                f"| {name} | {rate} | {half} | {len(alike)} | {len(found)} ({share:.4f}) | "
                f"{wiped} |"
            )


def _jaccard(one: frozenset[bytes], other: frozenset[bytes]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0


def growth(given: argparse.Namespace, beside: Path) -> None:
    """Cost per byte at ten times the input: the same files, identifiers salted per copy."""
    sys.path.insert(0, str(HERE))
    from salt import salt

    small, large = beside / "small.parquet", beside / "large.parquet"
    size = file_set(given.corpus, given.bytes, small) / 1e6
    table = pq.read_table(small)
    texts = [text.encode() for text in table["content"].to_pylist()]
    rows = table.num_rows
    with pq.ParquetWriter(large, table.schema, compression="zstd") as writer:
        for copy in range(10):
            changed = texts if copy == 0 else salt(texts, copy)
            ids = pa.array(range(copy * rows, (copy + 1) * rows), pa.int64())
            content = pa.array([t.decode("utf-8", "replace") for t in changed], pa.string())
            writer.write_table(pa.table({"id": ids, "content": content}), row_group_size=4000)
    cost = []
    for path, megabytes in ((small, size), (large, size * 10)):
        found = min((ours(path, beside / "out") for _ in range(2)), key=lambda f: f["processor"])
        cost.append(found["processor"] / megabytes)
        print(
            f"growth: {megabytes:.0f} MB: {1 / cost[-1]:.1f} MB per processor second, "
            f"{megabytes / found['wall']:.1f} by wall; kept {found['kept']:.0f}"
        )
    print(f"growth: cost per byte at ten times {cost[1] / cost[0]:.3f} (bar 1.15)")


TABLES = {"pair": pair, "peers": peers, "truth": truth, "edits": edits, "growth": growth}


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("corpus", type=Path, nargs="?")
    words.add_argument("--only", choices=(*TABLES, "synthetic"))
    words.add_argument("--bytes", type=int, default=24_000_000, help="text of the file set")
    words.add_argument("--venv", type=Path, help="environment of the peers, made where missing")
    words.add_argument("--repeat", type=int, default=3, help="of pair and peers")
    words.add_argument("--workers", type=int, default=2, help="of synthetic")
    words.add_argument("--files", type=int, default=1_000_000, help="of synthetic")
    words.add_argument("--cluster", default="cover", help="of synthetic: cover or components")
    words.add_argument("--work", type=Path, help="where files go (default: the system's place)")
    given = words.parse_args()
    print(f"stackcurate {__version__} {' '.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory(dir=given.work, prefix="dedup-") as made:
        if given.only == "synthetic":
            sys.path.insert(0, str(HERE))
            from dedup_files import files

            files(given, Path(made))
            return
        if given.corpus is None:
            words.error("give CORPUS (what corpus.py built) or --only synthetic")
        for name, table in TABLES.items():
            if given.only in (None, name):
                if name != "pair":
                    one_core()
                beside = Path(made) / name
                beside.mkdir()
                table(given, beside)


if __name__ == "__main__":
    main()
