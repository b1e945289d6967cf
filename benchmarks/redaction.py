"""Redaction measured: speed beside detect-secrets, scorecard, findings on real code.

    python -m benchmarks.redaction --corpus FOLDER [--megabytes 40] [--peer-megabytes 1]
    python -m benchmarks.redaction --clean FOLDER --sample 200 > sheet.txt

A corpus is a folder of Parquet files with columns ``path`` and ``content``. ``--clean`` names a
folder of source files in which nobody keeps secrets; ``--sample`` prints findings in their lines
for a person to judge. Times are CPU seconds of one thread, the best of ``--repeat`` calls: the
first one also pays for memory that the machine hands out for the first time.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.redaction.alone import git_blob_id
from stackcurate.redaction.find import find
from stackcurate.redaction.redact import redact
from stackcurate.redaction.scorecard import scorecard
from stackcurate.redaction.settings import Settings

LARGEST = 1 << 20  # bytes of one file of a clean folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--clean", type=Path, action="append", default=[])
    parser.add_argument("--megabytes", type=float, default=40.0)
    parser.add_argument("--peer-megabytes", type=float, default=0.5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sample", type=int, default=0)
    options = parser.parse_args()
    card = scorecard()
    print(json.dumps(card, indent=1))
    if options.corpus:
        speed(options.corpus, options.megabytes, options.peer_megabytes, options.repeat)
    for folder in options.clean:
        clean(folder, options.sample)


def speed(corpus: Path, megabytes: float, peer_megabytes: float, repeat: int) -> None:
    """MB/s of our redaction per Parquet file, and of detect-secrets on the first files of each."""
    # Compiles, and loads the numbering plans of all countries.
    redact(*_columns([("a.py", "x = 'y'\n"), ("b.md", "phone: 030 901820\n")]), Settings())
    ours = theirs = 0.0
    sizes = times = 0.0
    for name in sorted(corpus.glob("*.parquet")):
        files = list(_first(_rows(name), megabytes))
        columns = _columns(files)
        size = sum(len(text.encode()) for _, text in files)
        seconds, done = _timed(lambda columns=columns: redact(*columns, Settings()), repeat)
        sizes, times = sizes + size, times + seconds
        found = sum(len(row) for row in done.findings)
        part = list(_first(files, peer_megabytes))
        part_size = sum(len(text.encode()) for _, text in part)
        part_columns = _columns(part)
        same, _ = _timed(lambda columns=part_columns: redact(*columns, Settings()), repeat)
        peer = detect_secrets_seconds(part)
        ours, theirs = ours + same, theirs + peer
        print(
            f"{name.name}: {size / 1e6:.1f} MB at {size / 1e6 / seconds:.0f} MB/s,"
            f" {found} findings; detect-secrets {part_size / 1e6 / peer:.3f} MB/s"
            f" on the first {part_size / 1e6:.2f} MB",
            flush=True,
        )
    print(f"in all {sizes / 1e6:.1f} MB at {sizes / 1e6 / times:.0f} MB/s")
    print(f"detect-secrets takes {theirs / ours:.0f} times as long on the same files")


def detect_secrets_seconds(files: list[tuple[str, str]]) -> float:
    """CPU seconds of ``scan_file`` with default plugins and filters, files on disk beforehand."""
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, (path, text) in enumerate(files):
            place = Path(folder, f"{number}-{Path(path).name}"[:200])
            place.write_bytes(text.encode())
            paths.append(str(place))
        with default_settings():
            started = time.process_time()
            for path in paths:
                for _ in scan_file(path):
                    pass
            return time.process_time() - started


def clean(folder: Path, sample: int) -> None:
    """Findings per MB by rule, and a sample of them in their lines."""
    files = list(_sources(folder))
    columns = _columns(files)
    size = sum(len(text.encode()) for _, text in files)
    spans = find(*columns[:2], Settings())
    print(f"{folder.name}: {len(files)} files, {size / 1e6:.1f} MB, {len(spans)} findings,")
    print(f"  {len(spans) / (size / 1e6):.2f} per MB, by rule:")
    for rule, count in Counter(span.rule.id for span in spans).most_common():
        print(f"  {count:6d} {rule}")
    chosen = sorted(random.Random(1).sample(range(len(spans)), min(sample, len(spans))))
    for number in chosen:
        span = spans[number]
        path, text = files[span.file]
        raw = text.encode()
        before = raw[max(0, span.start - 50) : span.start].decode(errors="replace")
        value = raw[span.start : span.end][:60].decode(errors="replace")
        after = raw[span.end : span.end + 20].decode(errors="replace")
        line = f"{before}«{value}»{after}".replace("\n", "⏎")
        print(f"{span.rule.id}\t{path}\t{line}")


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            continue
        raw = path.read_bytes()
        if b"\0" not in raw:
            try:
                yield str(path.relative_to(folder)), raw.decode()
            except UnicodeDecodeError:
                continue


def _rows(name: Path) -> Iterator[tuple[str, str]]:
    for batch in pq.ParquetFile(name).iter_batches(500, columns=["path", "content"]):
        for path, content in zip(batch["path"], batch["content"], strict=True):
            raw = content.as_py()
            if raw is not None:
                text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
                yield path.as_py() or "", text


def _first(rows: Iterator[tuple[str, str]] | list[tuple[str, str]], megabytes: float):  # type: ignore[no-untyped-def]
    total = 0
    for path, text in rows:
        yield path, text
        total += len(text)
        if total >= megabytes * 1e6:
            return


def _columns(files: list[tuple[str, str]]) -> tuple[pa.Array, pa.Array, pa.Array]:
    contents = pa.array([text for _, text in files], pa.large_string())
    ids = pa.array([git_blob_id(text.encode()) for _, text in files], pa.binary(20))
    return contents, pa.array([path for path, _ in files], pa.string()), ids


def _timed(work, repeat):  # type: ignore[no-untyped-def]
    best = float("inf")
    for _ in range(repeat):
        started = time.process_time()
        result = work()
        best = min(best, time.process_time() - started)
    return best, result


if __name__ == "__main__":
    main()
