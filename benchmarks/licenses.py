"""Measures license detection against ScanCode's full matcher, on the texts of real packages.

    python benchmarks/licenses.py CORPUS... [--sample N] [--store FILE] [--headers N] [--list FILE]
    python benchmarks/licenses.py --metadata FOLDER      against the packages' own metadata

A CORPUS is a Parquet file or a folder of them with ``content``, ``path`` and ``repo_name`` (as
``benchmarks/corpus.py`` writes it), or a folder of packages (``/usr/share/doc``: Debian's copyright
files). Distinct license files, manifests and leading comments of source files are shown to both.
``--sample N`` takes N of each, by digest, so that a larger sample holds the smaller one.

What the full matcher said about a text, and how long one worker took, is kept in ``--store``: it is
asked about each text once, and later runs add the recorded seconds to their own. Index loads and
compilation are left out of every speed. Seconds are those of the processor. Prints

* both matchers on the same texts, ours as if there were no known texts and no parsers of manifests:
  same matches (rule, lines, score), same class and expression, speed; also of each half of the
  packages, of which one was never looked at while the matcher was written;
* what the tool concludes in the end (parsers of manifests first, mentions in comments nothing):
  share of texts by step, same class and same expression, and every disagreement (``--list``);
* speed cold, and with a cache built on one half of the packages and measured on the other;
* header tags over all source files, MB/s;
* the same counting disagreements that were judged in our favor (``licenses_judged.jsonl``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import metadata
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.licenses import heads, matcher, names, rules
from stackcurate.licenses.alone import scan_records
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.decode import text_of
from stackcurate.licenses.detect import Steps, Text, detect_texts, settle
from stackcurate.licenses.detections import detect
from stackcurate.licenses.expression import _key as meaning
from stackcurate.licenses.expression import license_class, normalize, parse
from stackcurate.licenses.header import headers
from stackcurate.licenses.policy import OPEN
from stackcurate.licenses.scancode import Answer, Judge, detector
from stackcurate.licenses.spoken import UNKNOWN

# Who is right where the two differ, and why: causes stand in README.md.
JUDGED = Path(__file__).with_name("licenses_judged.jsonl")
DECIDING = (names.LICENSE_FILE, names.MANIFEST)
LONGEST = 1 << 20  # bytes of a text that is compared
SOURCE = "source"  # kind of a leading comment


@dataclass(frozen=True)
class Item:
    """One distinct text: where it was first seen, its kind, and its bytes."""

    package: str
    path: str
    kind: str
    data: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha1(self.data, usedforsecurity=False).digest()

    def text(self) -> Text:
        name = self.path.rpartition("/")[2]
        name = "debian/copyright" if self.path.endswith("debian/copyright") else name
        return Text(self.digest, name, self.kind, self.data)


class Recorded:
    """Answers like a ``Judge``, each text asked once ever; ``seconds`` adds up the processor's."""

    def __init__(self, store: Cache, judge: Judge) -> None:
        self.store, self.judge, self.seconds = store, judge, 0.0
        self.by = f"{detector()} timed"

    def ask(self, texts: Sequence[str]) -> list[Answer]:
        keys = [hashlib.sha1(text.encode(), usedforsecurity=False).digest() for text in texts]
        known = self.store.get(keys, self.by)
        answers = []
        for key, text in zip(keys, texts, strict=True):
            if key not in known:
                answer = self.judge.ask([text])[0]
                took = answer.seconds
                known[key] = [answer.detections, answer.failure, took]
                self.store.put({key: known[key]}, self.by)
            detections, failure, took = known[key]
            self.seconds += took
            answers.append(Answer(detections, failure))
        return answers


# --- the texts ------------------------------------------------------------------------------------


def _files(corpus: Path) -> Iterator[tuple[str, str, bytes]]:
    """(package, path, bytes) of every file of a corpus."""
    tables = sorted(corpus.glob("*.parquet")) if corpus.is_dir() else [corpus]
    for table in tables:
        for batch in pq.ParquetFile(table).iter_batches(
            2000, columns=["repo_name", "path", "content"]
        ):
            for row in batch.to_pylist():
                yield row["repo_name"], "/" + row["path"].lstrip("/"), row["content"]
    if tables:
        return
    for package in sorted(corpus.iterdir()):
        for path in sorted(package.rglob("*")) if package.is_dir() else ():
            if path.is_file() and not path.is_symlink():
                inside = "/" + path.relative_to(package).as_posix()
                inside = "/debian/copyright" if inside == "/copyright" else inside
                yield package.name, inside, path.read_bytes()


Places = dict[tuple[str, bytes], list[str]]  # kind and digest of a text -> packages, once per file


def gather(corpora: Sequence[Path]) -> tuple[list[Item], list[bytes], Places]:
    """Distinct control texts and leading comments, the tops of all source files, and places.

    Places are those of the control texts.
    """
    found: dict[tuple[str, bytes], Item] = {}
    tops: list[bytes] = []
    places: Places = {}
    for corpus in corpora:
        for package, path, data in _files(corpus):
            kind = names.control_files(pa.array([path]))[0].as_py()
            if kind in DECIDING and 0 < len(data) <= LONGEST:
                item = Item(package, path, kind, data)
                found.setdefault((kind, item.digest), item)
                places.setdefault((kind, item.digest), []).append(package)
            elif kind is None and b"\0" not in data[: heads.HEAD]:
                tops.append(data)
                top = np.frombuffer(data[: heads.HEAD], np.uint8)
                comment = data[: int(heads.comment_end(top, 0, len(top)))]
                if len(comment) > 40:
                    item = Item(package, path, SOURCE, comment)
                    found.setdefault((SOURCE, item.digest), item)
    return sorted(found.values(), key=lambda item: item.digest), tops, places


def sample(items: Sequence[Item], kind: str, count: int | None) -> list[Item]:
    """The first ``count`` texts of a kind by digest; comments only where they may speak."""
    mine = [item for item in items if item.kind == kind]
    if kind == SOURCE:
        stems = (b"licen", b"copyright", b"spdx", b"permission", b"gpl", b"public domain")
        mine = [one for one in mine if any(stem in one.data.lower() for stem in stems)]
    return mine[:count]


# --- both readings --------------------------------------------------------------------------------


def shown(item: Item) -> str:
    """The text of an item as both matchers get it; a comment is not taken for a page."""
    data = item.data if item.kind == SOURCE else text_of(item.data).data
    return data.decode("utf-8", "replace")


def first_half(package: str) -> bool:
    """Whether a package is one of the half that was looked at."""
    return not hashlib.sha1(package.encode(), usedforsecurity=False).digest()[0] & 1


def as_text(kind: str, items: Sequence[Item], judge: Recorded) -> None:
    """Print both matchers on the same texts, without anything else the tool knows."""
    counts: Counter[tuple[bool, str]] = Counter()
    before, spent = judge.seconds, 0.0
    for item in items:
        text = shown(item)
        full = judge.ask([text])[0]
        began = time.process_time()
        found = matcher.matches(text, rules.load())
        spent += time.process_time() - began
        half = first_half(item.package)
        if full.failure is not None or found is None:
            counts[half, "unfinished"] += 1
            continue
        asked, matches = found
        said = [text[asked.begin[m.first] : asked.end[m.last]].lower() for m in matches]
        mine = [one for one in detect(matches, said) if one.expression]
        ours_ = [(m.rule, m.line, m.last_line, m.score) for one in mine for m in one.matches]
        theirs = [
            (m["rule"], *m["lines"], m["score"]) for d in full.detections for m in d["matches"]
        ]
        tag = "spdx-license-identifier"  # has no rule of its own
        alike = [a[1:] if a[0].startswith(tag) else a for a in ours_] == [
            b[1:] if b[0].startswith(tag) else b for b in theirs
        ]
        own = settle([one.expression or "" for one in mine])
        other = settle([normalize(d["expression"]) or "" for d in full.detections])
        counts[half, "texts"] += 1
        counts[half, "matches"] += alike
        counts[half, "class"] += license_class(own) == license_class(other)
        counts[half, "expression"] += same(own, other)
        counts[half, "lax"] += license_class(own) in OPEN and license_class(other) not in OPEN
    size = sum(len(item.data) for item in items) / 1e6
    took = judge.seconds - before
    print(f"\n{kind} as text: {len(items)} distinct texts, {size:.2f} MB")
    for name, halves in (("all", (True, False)), ("half held out", (False,))):
        texts, alike, classes, said_same, lax, odd = (
            sum(counts[half, key] for half in halves)
            for key in ("texts", "matches", "class", "expression", "lax", "unfinished")
        )
        print(
            f"  {name} ({texts}): same matches {alike / max(texts, 1):.2%}, class "
            f"{classes / max(texts, 1):.2%}, expression {said_same / max(texts, 1):.2%}; "
            f"permissive where ScanCode is not {lax}, unfinished {odd}"
        )
    print(
        f"  cold {size / spent:.3f} MB/s, ScanCode {size / max(took, 1e-9):.4f} MB/s: "
        f"{took / spent:.0f} times"
    )


def truth(item: Item, judge: Recorded) -> tuple[str | None, bool]:
    """ScanCode's expression for the whole text, and whether it finished."""
    answer = judge.ask([shown(item)])[0]
    said = [normalize(one["expression"]) or "" for one in answer.detections]
    # A license file in which nothing is found states something that cannot be read.
    nothing = UNKNOWN if item.kind == names.LICENSE_FILE else None
    return settle(said) if any(said) else nothing, answer.failure is None


def ours(items: Sequence[Item], cache: Cache, judge: Any) -> list[str | None]:
    """What ``stackcurate license`` says of each text by itself, as a record with its path."""
    records = (
        {"id": n, "path": item.path if item.kind != SOURCE else "", "text": item.data}
        for n, item in enumerate(items)
    )
    return [one["license_expression"] for one in scan_records(records, cache, judge)]


def same(one: str | None, other: str | None) -> bool:
    """Whether two expressions mean the same, order aside."""
    if one is None or other is None:
        return one == other
    return meaning(parse(one)) == meaning(parse(other))


def compare(items: Sequence[Item], mine: Sequence[str | None], judge: Recorded) -> dict[str, Any]:
    """Agreement of the texts that both could read, and the list of disagreements."""
    counts: Counter[str] = Counter()
    listed = []
    for item, own in zip(items, mine, strict=True):
        said, finished = truth(item, judge)
        if not finished:
            counts["unfinished"] += 1
            continue
        classes = license_class(own), license_class(said)
        counts["texts"] += 1
        counts["class"] += classes[0] == classes[1]
        counts["expression"] += same(own, said)
        # Nothing stated is no contradiction: the file's folder speaks for it.
        silent = own is None and said is not None
        counts["silent"] += silent
        counts["contradicted"] += not silent and classes[0] != classes[1]
        counts["lax"] += classes[0] in OPEN and classes[1] not in OPEN
        counts["stricter"] += classes[0] not in OPEN and classes[1] in OPEN
        if not same(own, said) or classes[0] != classes[1]:
            listed.append(
                {"package": item.package, "path": item.path, "kind": item.kind, "ours": own,
                 "class": classes[0], "scancode": said, "scancode_class": classes[1],
                 "sha1": item.digest.hex()}
            )  # fmt: skip
    return {"counts": dict(counts), "listed": listed}


# --- the measurements -----------------------------------------------------------------------------


def timed(items: Sequence[Item], cache: Cache, judge: Recorded) -> tuple[float, list[Any]]:
    """(seconds with the full matcher's recorded ones, readings)."""
    before = judge.seconds
    began = time.process_time()
    mine = ours(items, cache, judge)
    return time.process_time() - began + judge.seconds - before, mine


def judged() -> dict[str, dict[str, Any]]:
    """The judgements by the SHA-1 of their text."""
    return {one["sha1"]: one for one in map(json.loads, JUDGED.read_text().splitlines())}


def answers(one: dict[str, Any]) -> str:
    """A short digest of both answers about a text: a judgement is about these and no others."""
    said = f"{one['ours']}\0{one['scancode']}".encode()
    return hashlib.blake2b(said, digest_size=4).hexdigest()


def in_favor(listed: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The disagreements that were judged, and in which ours was found right."""
    known = judged()
    mine = [one for one in listed if known.get(one["sha1"], {}).get("answers") == answers(one)]
    return [one for one in mine if known[one["sha1"]]["right"] == "ours"]


def report(kind: str, items: Sequence[Item], judge: Recorded) -> list[dict[str, Any]]:
    """Print agreement and speed of one kind of text; the disagreements."""
    size = sum(len(item.data) for item in items) / 1e6
    spent, mine = timed(items, Cache(), judge)
    steps = Steps()
    if kind != SOURCE:
        detect_texts([item.text() for item in items], Cache(), judge, steps)
    before = judge.seconds
    found = compare(items, mine, judge)
    full = judge.seconds - before
    counts = found["counts"]
    texts = max(counts.get("texts", 0), 1)
    print(f"\n{kind}: {len(items)} distinct texts, {size:.2f} MB")
    print(
        f"  same class {counts.get('class', 0) / texts:.2%}, same expression "
        f"{counts.get('expression', 0) / texts:.2%}; permissive where ScanCode is not "
        f"{counts.get('lax', 0)}, the reverse {counts.get('stricter', 0)}, "
        f"silent where ScanCode speaks {counts.get('silent', 0)}, "
        f"another class {counts.get('contradicted', 0)}, "
        f"unfinished {counts.get('unfinished', 0)}"
    )
    right = in_favor(found["listed"])
    differ = [one["class"] != one["scancode_class"] for one in right]
    lax = [one for one in found["listed"] if one["class"] in OPEN]
    lax = [one for one in lax if one["scancode_class"] not in OPEN and one not in right]
    print(
        f"  {len(found['listed'])} differ, {len(right)} of them judged ours; with these the class "
        f"{(counts.get('class', 0) + sum(differ)) / texts:.2%}, the expression "
        f"{(counts.get('expression', 0) + len(right)) / texts:.2%}; permissive for us alone and "
        f"not judged ours {len(lax)}"
    )
    if kind != SOURCE:
        shares = {field.name: getattr(steps, field.name) for field in fields(steps)}
        print("  steps: " + ", ".join(f"{k} {v / len(items):.1%}" for k, v in shares.items() if v))
    print(
        f"  cold {size / spent:.3f} MB/s, ScanCode {size / max(full, 1e-9):.4f} MB/s: "
        f"{full / spent:.1f} times"
    )
    return found["listed"]


def warm(items: Sequence[Item], places: Places, judge: Recorded) -> None:
    """Print hit rate and speed with a cache that was built on half of the packages.

    The other half is read file by file, as often as a text occurs there.
    """
    built: list[Item] = []
    files: list[Item] = []
    for item in items:
        packages = places[item.kind, item.digest]
        built += [item] if any(map(first_half, packages)) else []
        files += [item] * sum(not first_half(package) for package in packages)
    cache = Cache()
    timed(built, cache, judge)
    fresh, steps = Cache(), Steps()
    cold, _ = timed(files, fresh, judge)
    cache.hits = cache.misses = 0
    detect_texts([item.text() for item in files], cache, judge, steps)
    hits, asked = cache.hits, max(cache.hits + cache.misses, 1)
    known = {item.digest for item in built}
    again = sum(item.digest in known for item in files)
    refilled = Cache()
    timed(built, refilled, judge)
    spent, _ = timed(files, refilled, judge)
    size = sum(len(item.data) for item in files) / 1e6
    print(
        f"\nhalf of the packages cached: {len(files)} files of the other half, {size:.2f} MB; "
        f"{again / len(files):.1%} are texts of the first half, {steps.words / len(files):.1%} "
        f"known word for word without a cache, {asked} asked the cache, {hits} of them known; "
        f"{size / spent:.2f} MB/s, without the cache {size / cold:.2f} MB/s"
    )


def tag_speed(tops: Sequence[bytes]) -> None:
    """Print the speed of headers over whole files, in batches of 2,000."""
    arrays = [pa.array(tops[at : at + 2000], pa.large_binary()) for at in range(0, len(tops), 2000)]
    if not arrays:
        return
    headers(arrays[0].slice(0, 10))
    size, stated = sum(map(len, tops)) / 1e6, 0
    began = time.perf_counter()
    for array in arrays:
        stated += len(array) - headers(array)["header_expression"].null_count
    spent = time.perf_counter() - began
    print(
        f"\nheaders of {len(tops):,} files, {size:.0f} MB: {size / spent:.0f} MB/s, "
        f"{stated:,} files state a license"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path, nargs="*")
    parser.add_argument("--metadata", type=Path, metavar="FOLDER", help="see metadata.py")
    parser.add_argument("--sample", type=int, help="texts of each kind; default: all")
    parser.add_argument("--headers", type=int, help="leading comments; default: as --sample")
    parser.add_argument("--store", type=Path, help="what the full matcher said, kept between runs")
    parser.add_argument("--list", type=Path, help="write the disagreements here, as JSON Lines")
    args = parser.parse_args()
    if args.metadata:
        with Judge() as judge:
            metadata.report(args.metadata, judge, args.list)
        return
    items, tops, places = gather(args.corpus)
    packages = len({item.package for item in items})
    size = sum(len(item.data) for item in items if item.kind != SOURCE) / 1e6
    print(f"{packages} packages, {len(items)} distinct texts, {size:.1f} MB of control files")
    tag_speed(tops)
    del tops
    with Judge() as full:
        judge = Recorded(Cache(args.store), full)
        began = time.perf_counter()
        full.ask(["MIT"])
        print(f"ScanCode's index: {time.perf_counter() - began:.1f} s to load, left out below")
        began = time.process_time()
        matcher.matches("Licensed under the MIT license, a copy of which is here.", rules.load())
        print(f"our rules and kernels: {time.process_time() - began:.1f} s to load, left out below")
        ours([Item("", "LICENSE", names.LICENSE_FILE, b"MIT License")], Cache(), judge)
        listed, control = [], []
        for kind in (*DECIDING, SOURCE):
            count = args.headers if kind == SOURCE and args.headers is not None else args.sample
            some = sample(items, kind, count)
            if not some:
                continue
            as_text(kind, some, judge)
            listed += report(kind, some, judge)
            control += some if kind != SOURCE else []
        warm(control, places, judge)
    if args.list:
        lines = [json.dumps(one, sort_keys=True, ensure_ascii=False) for one in listed]
        args.list.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
