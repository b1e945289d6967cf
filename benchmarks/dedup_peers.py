"""One near-dedup by another project, timed in a process of its own, for benchmarks/dedup.py.

    python dedup_peers.py NAME IN.parquet OUT

Runs under the interpreter of a throw-away environment that has the peer, not stackcurate. Columns
are `id` and `content`. All get word 5-grams, 256 permutations (252 where bands must divide them)
and as near to 42 bands of 6 as they allow. Prints {"wall", "processor", "kept"} as JSON; imports
are not counted.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


def shingles(text: str) -> set[bytes]:
    tokens = TOKEN.findall(text.encode())
    return {b" ".join(tokens[i : i + 5]) for i in range(len(tokens) - 4)}


def rows(path: Path) -> Iterator[tuple[int, str]]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(path).iter_batches(2000):
        yield from zip(batch["id"].to_pylist(), batch["content"].to_pylist(), strict=True)


def write(path: Path, out: Path, kept: set[int]) -> None:
    """The rows that stay, as Parquet."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    stay = pc.is_in(table["id"], pa.array(sorted(kept), pa.int64()))
    pq.write_table(table.filter(stay), out / "kept.parquet", compression="zstd")


def first_ones(path: Path, out: Path, lsh: Any, sketch: Callable[[Any], Any]) -> int:
    """Write the rows that no earlier row is like, by an index of sketches; returns their number."""
    kept: set[int] = set()
    for key, text in rows(path):
        some = shingles(text)
        one = sketch(some)
        if not some or not lsh.query(one):
            kept.add(key)
            if some:
                lsh.insert(key, one)
    write(path, out, kept)
    return len(kept)


def datasketch(path: Path, out: Path) -> Callable[[], int]:
    import xxhash
    from datasketch import MinHash, MinHashLSH

    def hashed(data: bytes) -> int:
        return xxhash.xxh64_intdigest(data) & 0xFFFFFFFF

    def sketch(some: Any) -> Any:
        one = MinHash(256, hashfunc=hashed)
        one.update_batch(some)
        return one

    return lambda: first_ones(path, out, MinHashLSH(num_perm=256, params=(42, 6)), sketch)


def rensa(path: Path, out: Path) -> Callable[[], int]:
    from rensa import RMinHash, RMinHashLSH

    def sketch(some: Any) -> Any:
        one = RMinHash(num_perm=256, seed=1)
        one.update([shingle.decode("utf-8", "replace") for shingle in some])
        return one

    lsh = RMinHashLSH
    return lambda: first_ones(path, out, lsh(threshold=0.7, num_perm=256, num_bands=32), sketch)


def daft(path: Path, out: Path) -> Callable[[], int]:
    """Signatures only."""
    import daft as d

    def work() -> int:
        frame = d.read_parquet(str(path)).select("id", d.col("content").cast(d.DataType.string()))
        text = d.col("content")
        options = {"num_hashes": 256, "ngram_size": 5, "seed": 1}
        try:
            from daft.functions import minhash

            signed = minhash(text, hash_function="xxhash", **options)
        except ImportError:
            signed = text.minhash(hash_function="xxhash", **options)
        return int(frame.select(signed.alias("signature")).collect().count_rows())

    return work


def datatrove(path: Path, out: Path) -> Callable[[], int]:
    """Its documents want ids that are text, so it reads a copy of the file that has such."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from datatrove.executor import LocalPipelineExecutor as Local
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter
    from datatrove.utils.hashing import HashConfig

    table = pq.read_table(path)
    table = table.set_column(0, "id", table["id"].cast(pa.string()))
    given = out / "given"
    given.mkdir()
    pq.write_table(table, given / path.name, compression="zstd", row_group_size=4000)
    config = MinhashConfig(
        n_grams=5,
        num_buckets=42,
        hashes_per_bucket=6,
        hash_config=HashConfig(precision=64, hash_fc="sha1"),
    )

    def work() -> int:
        def step(*pipeline: object, tasks: int = 1) -> None:
            Local(list(pipeline), tasks=tasks, workers=1, skip_completed=False,
                  logging_dir=str(out / "logs")).run()  # fmt: skip

        def reader() -> object:
            return ParquetReader(str(given), text_key="content", id_key="id")

        signatures, buckets, remove = (str(out / n) for n in ("sig", "buckets", "remove"))
        step(reader(), MinhashDedupSignature(signatures, config=config))
        meet = MinhashDedupBuckets(signatures, buckets, config=config)
        step(meet, tasks=42)
        step(MinhashDedupCluster(buckets, remove, config=config))
        step(reader(), MinhashDedupFilter(remove), ParquetWriter(str(out / "kept")))
        return sum(pq.ParquetFile(f).metadata.num_rows for f in out.glob("kept/*.parquet"))

    return work


def main() -> None:
    name, path, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work = globals()[name](path, out)
    begin, used = time.monotonic(), time.process_time()
    kept = work()
    seconds = {"wall": time.monotonic() - begin, "processor": time.process_time() - used}
    print(json.dumps(seconds | {"kept": kept}))


if __name__ == "__main__":
    main()
