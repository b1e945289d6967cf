"""Every removal is backed by a kept file that really is alike, however the files lie."""

from __future__ import annotations

import itertools
import pickle
import random
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackcurate.dedup.match import dedup
from stackcurate.dedup.settings import Settings
from stackcurate.dedup.steps import Bundle, Part, Plan, bundled
from stackcurate.dedup.summary import Round, Summary
from stackcurate.engine.base import Failure, SerialEngine
from stackcurate.errors import ConfigError, IntegrityError, StopError
from stackcurate.storage.partitions import read_arrow

from .twin import File, PicklingEngine, StoredTexts, decide, jaccard, lay_out, plain_shingles

ALL = Settings(scope="all")


def made_text(seed: int, words: int = 300) -> str:
    random_ = random.Random(seed)
    return " ".join(f"w{random_.randrange(5000)}" for _ in range(words))


def edited(text: str, share: float, seed: int) -> str:
    """Replace so many of the words."""
    random_ = random.Random(seed)
    words = text.split(" ")
    for at in random_.sample(range(len(words)), round(share * len(words))):
        words[at] = f"e{random_.randrange(10**6)}"
    return " ".join(words)


def families(seed: int, count: int) -> list[File]:
    """Originals, exact copies and copies with up to 9 % of the words replaced."""
    random_ = random.Random(seed)
    texts = []
    for family in range(count):
        original = made_text(1000 * seed + family, random_.choice([20, 100, 400]))
        texts.append(original)
        for copy in range(random_.randrange(6)):
            texts.append(edited(original, random_.choice([0, 0, 0.01, 0.03, 0.05, 0.09]), copy))
    ranks = random_.sample(range(10**6), len(texts))
    return [
        File(f"f{n}", text, rank) for n, (text, rank) in enumerate(zip(texts, ranks, strict=True))
    ]


def split(files: Sequence[File], parts: int, seed: int) -> list[list[File]]:
    random_ = random.Random(seed)
    shuffled = random_.sample(list(files), len(files))
    out: list[list[File]] = [[] for _ in range(parts)]
    for file in shuffled:
        out[random_.randrange(parts)].append(file)
    return out


def check_truth(files: Sequence[File], outcomes: dict, threshold: float = 0.7) -> tuple[int, int]:
    """Precision over all removals; returns (pairs at the threshold, those kept on both)."""
    by_name = {file.name: file for file in files}
    shingles = {file.name: plain_shingles(file.text.encode()) for file in files}
    clusters: dict[str, int] = {}
    for name, outcome in outcomes.items():
        if outcome.verdict is None:
            continue
        clusters[outcome.kept] = clusters.get(outcome.kept, 1) + 1
        kept = by_name[outcome.kept]
        assert outcomes[kept.name].verdict is None and kept.rank < by_name[name].rank
        if outcome.verdict == "dedup:exact":
            assert kept.text == by_name[name].text and outcome.similarity == 1
        else:
            truth = jaccard(shingles[name], shingles[kept.name])
            assert truth >= threshold and outcome.similarity == pytest.approx(truth)
            assert kept.text != by_name[name].text
    for name, outcome in outcomes.items():
        assert outcome.cluster_size == clusters.get(name)
    pairs = missed = 0
    for one, other in itertools.combinations(files, 2):
        same = one.text == other.text
        if same or jaccard(shingles[one.name], shingles[other.name]) >= threshold:
            pairs += 1
            missed += outcomes[one.name].verdict is None and outcomes[other.name].verdict is None
    return pairs, missed


def test_truth_on_planted_families(tmp_path: Path):
    files = families(1, 60)
    outcomes, summary = decide(tmp_path, split(files, 3, 1), ALL)
    pairs, missed = check_truth(files, outcomes)
    assert pairs > 150 and missed <= 0.01 * pairs
    kept = [name for name, outcome in outcomes.items() if outcome.verdict is None]
    assert summary.files == len(files) and summary.kept == len(kept)
    assert summary.exact + summary.near == len(files) - len(kept)
    assert summary.exact > 10 and summary.near > 10
    assert sum(size * count for size, count in summary.cluster_sizes.items()) == sum(
        o.cluster_size or 0 for o in outcomes.values()
    )
    assert not (tmp_path / "work" / "steps").exists()


def test_truth_on_real_files(tmp_path: Path):
    paths = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*/*.py"))
    random_ = random.Random(3)
    texts = [p.read_text(errors="replace") for p in random_.sample(paths, min(250, len(paths)))]
    texts = [text for text in texts if len(text) < 30_000]
    lines = [text.split("\n") for text in texts[:80]]
    for index, some in enumerate(lines):
        for at in random_.sample(range(len(some)), len(some) * (index % 12) // 100):
            some[at] = some[at] + f"  # seen {index}"
    texts += ["\n".join(some) for some in lines]
    files = [File(f"f{n}", text, n) for n, text in enumerate(texts)]
    outcomes, _ = decide(tmp_path, split(files, 2, 5), Settings(scope="all", skip_header=False))
    pairs, missed = check_truth(files, outcomes)
    assert pairs > 40 and missed <= 0.01 * pairs


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), parts=st.integers(1, 5), order=st.integers(0, 10**6))
def test_partitions_and_order_change_nothing(tmp_path_factory, seed, parts, order):
    files = families(seed, 12)
    one, _ = decide(tmp_path_factory.mktemp("one"), [files], ALL)
    other, _ = decide(tmp_path_factory.mktemp("other"), split(files, parts, order), ALL)
    assert one == other


def test_many_slots_targets_and_groups_change_nothing(tmp_path: Path, monkeypatch):
    files = families(7, 40)
    one, summary = decide(tmp_path / "one", split(files, 2, 1), ALL)
    for name, small in [
        ("SLOT_ROWS", 11),
        ("BAND_RECORDS", 700),
        ("CHUNK_ROWS", 13),
        ("CHUNK_SHINGLES", 900),
    ]:
        monkeypatch.setattr(f"stackcurate.dedup.steps.{name}", small)
    monkeypatch.setattr("stackcurate.dedup.verify.GROUP_SHINGLES", 800)
    monkeypatch.setattr("stackcurate.dedup.verify.CHUNK_SHINGLES", 900)
    other, small_summary = decide(tmp_path / "other", split(files, 3, 2), ALL)
    assert one == other and summary == small_summary


def test_copies_follow_a_file_that_is_dropped_as_near(tmp_path: Path):
    best = made_text(1)
    near = edited(best, 0.02, 1)
    files = [File("best", best, 1), File("near", near, 2), File("copy", near, 3)]
    outcomes, summary = decide(tmp_path, [files], ALL)
    assert outcomes["copy"].kept == outcomes["near"].kept == "best"
    assert outcomes["copy"].verdict == "dedup:near"
    assert outcomes["copy"].similarity == outcomes["near"].similarity < 1
    assert outcomes["best"].cluster_size == 3
    assert (summary.exact, summary.near, summary.cluster_sizes) == (0, 2, {3: 1})


def test_no_chain_from_like_to_unlike(tmp_path: Path):
    """b is like a, c is like b but not like a: c stays, with b's removal resting on a alone."""
    a = made_text(2, 1000)
    b = edited(a, 0.045, 1)
    c = edited(b, 0.045, 2)
    files = [File("a", a, 1), File("b", b, 2), File("c", c, 3)]
    shingles = [plain_shingles(f.text.encode()) for f in files]
    assert jaccard(shingles[0], shingles[2]) < 0.62 < jaccard(shingles[1], shingles[2])
    outcomes, _ = decide(tmp_path, [files], Settings(scope="all", threshold=0.62))
    assert [outcomes[n].verdict for n in "abc"] == [None, "dedup:near", None]
    joined, summary = decide(
        tmp_path / "joined", [files], Settings(scope="all", cluster="components")
    )
    assert joined["b"].kept == joined["c"].kept == "a" and joined["c"].similarity is None
    assert summary.near == 2


def test_groups_part_near_but_not_equal_texts(tmp_path: Path):
    text = made_text(3)
    files = [
        File("a", text, 1, "C"),
        File("b", edited(text, 0.01, 1), 2, "C++"),
        File("c", edited(text, 0.01, 2), 3, "C"),
        File("d", text, 4, "C++"),
    ]
    outcomes, _ = decide(tmp_path, [files], Settings())
    assert [outcomes[n].kept for n in "abcd"] == [None, None, "a", "a"]
    assert outcomes["d"].verdict == "dedup:exact"


def test_texts_without_shingles_are_compared_exactly(tmp_path: Path):
    texts = ["", "a b", "a b", "a c", "", "# License\n"]
    files = [File(str(n), text, n) for n, text in enumerate(texts)]
    outcomes, summary = decide(tmp_path, [files], ALL)
    assert [outcomes[str(n)].kept for n in range(6)] == [None, None, "1", None, "0", None]
    assert (summary.unsigned, summary.exact, summary.near) == (4, 2, 0)


def test_a_bucket_of_strangers_is_cut_and_counted(tmp_path: Path):
    """Files that share one frequent half meet, at most ``reach`` better ones each."""
    common = made_text(4, 300)
    files = [File(f"f{n}", common + " " + made_text(50 + n, 300), n) for n in range(30)]
    narrow = Settings(scope="all", links=1, reach=2, estimate_margin=1)
    outcomes, summary = decide(tmp_path, [files], narrow)
    assert summary.giant_buckets > 0 and summary.kept == 30
    assert all(outcome.verdict is None for outcome in outcomes.values())
    _, wide = decide(tmp_path / "wide", [files], Settings(scope="all", estimate_margin=1))
    assert wide.giant_buckets == 0 and wide.rounds[-1].pairs == 0
    assert sum(r.pairs for r in wide.rounds) > sum(r.pairs for r in summary.rounds)


def test_the_effort_is_told_in_words():
    rounds = [Round(9, 1200, 3, 2, 5), Round(0, 34, 0, 7, 5)]
    some = Summary(9, 1, 1, 7, 0, {}, rounds, 7, 0, 0)
    assert some.effort() == (
        "1,234 pairs compared exactly in 2 rounds; 7 buckets were too large for all to meet: cut "
        "by rank"
    )
    assert replace(some, giant_buckets=0).effort().endswith("in 2 rounds")


def test_nothing_and_empty_parts(tmp_path: Path):
    outcomes, summary = decide(tmp_path / "a", [[], []], ALL)
    assert outcomes == {} and summary.files == 0
    files = families(9, 5)
    outcomes, _ = decide(tmp_path / "b", [[], files, []], ALL)
    assert read_arrow(tmp_path / "b" / "work" / "decisions-10.arrow").num_rows == 0
    alone, _ = decide(tmp_path / "c", [files], ALL)
    assert outcomes == alone


@dataclass(frozen=True)
class CountingEngine(PicklingEngine):
    """Notes how many tasks each step had."""

    counts: list[int] = field(default_factory=list)

    def map(
        self, task: Callable[[Any], Any], items: Sequence[Any], timeout: float | None = None
    ) -> Iterator[tuple[int, Any]]:
        self.counts.append(len(items))
        return super().map(task, items, timeout)


def test_many_small_parts_are_handled_in_bundles(tmp_path: Path):
    """Hundreds of parts, most of them without rows, cost the tasks of some sixty."""
    files = families(13, 60)
    one, summary = decide(tmp_path / "one", [files], ALL)
    engine = CountingEngine()
    many, same = decide(tmp_path / "many", split(files, 400, 3), ALL, engine)
    assert one == many and summary == same and summary.near > 5
    assert 60 < max(engine.counts) < 90


def test_bundles_keep_to_their_size_and_earlier_parts_to_themselves(tmp_path: Path):
    parts = []
    for number, size in enumerate([10, 10, 1000, 10, 10, 10, 3000, 10]):
        (tmp_path / str(number)).write_bytes(b"x" * size)
        parts.append(Part(number, tmp_path / str(number), number > 4))
    small = Settings(memory_mb=64)  # a sixteenth of BUNDLE_BYTES
    for bytes_, expected in [
        (16 * 1020, [[0, 1, 2], [3, 4], [5], [6], [7]]),
        (16 * 5000, [[0, 1, 2, 3, 4], [5, 6, 7]]),
        (0, [[n] for n in range(8)]),
    ]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("stackcurate.dedup.steps.BUNDLE_BYTES", bytes_)
            patch.setattr("stackcurate.dedup.steps.FEW_BUNDLES", 1)
            found = [[part.number for part in one.parts] for one in bundled(parts, small)]
        assert found == expected
    assert len(bundled(parts, small)) == 6  # with more than a 64th of all in none of several
    assert bundled([], small) == ()


def test_a_plan_travels_as_a_name(tmp_path: Path):
    """Tens of thousands of parts are not sent with every task."""
    parts = tuple(Part(n, tmp_path / f"{n:040}") for n in range(2000))
    plan = Plan(tmp_path, ALL, (Bundle(parts, tuple(range(2000))),), (7,), (0, 7))
    with pytest.raises(ValueError, match="write the plan"):
        pickle.dumps(plan)
    plan.write()
    sent = pickle.dumps(plan)
    assert len(sent) < 1000 and pickle.loads(sent) == plan
    begun = replace(plan, starts=())
    begun.write()
    assert pickle.loads(pickle.dumps(begun)) == begun != pickle.loads(sent) == plan


class Killed(BaseException):
    """What kill -9 is to a test."""


@dataclass
class DyingEngine:
    """Dies after so many tasks."""

    left: int
    workers: int = 1

    def map(
        self, task: Callable[[Any], Any], items: Sequence[Any], timeout: float | None = None
    ) -> Iterator[tuple[int, Any]]:
        for number, item in reversed(list(enumerate(items))):
            if self.left == 0:
                raise Killed
            self.left -= 1
            yield number, task(item)


@pytest.mark.parametrize(("few", "least"), [(64, 10), (1, 5)])  # each part alone; all in one
def test_a_killed_run_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch, few, least):
    monkeypatch.setattr("stackcurate.dedup.steps.FEW_BUNDLES", few)
    files = families(11, 30)
    parts = split(files, 3, 1)
    expected, summary = decide(tmp_path / "one", parts, ALL)
    laid = lay_out(tmp_path / "two", parts, ALL)
    work = tmp_path / "two" / "work"
    kills = 0
    for budget in itertools.cycle([1, 3, 2]):
        try:
            again = dedup(laid, StoredTexts(tmp_path / "two"), DyingEngine(budget), work, ALL)
            break
        except Killed:
            kills += 1
            assert kills < 500
    assert kills > least and again == summary
    for part in laid:
        name = f"decisions-{part.number}.arrow"
        assert (work / name).read_bytes() == (tmp_path / "one" / "work" / name).read_bytes()
    assert dedup(laid, StoredTexts(tmp_path / "gone"), SerialEngine(), work, ALL) == summary
    assert expected


def test_a_folder_of_other_settings_is_refused(tmp_path: Path):
    decide(tmp_path, [families(1, 2)], ALL)
    with pytest.raises(ConfigError, match="other settings"):
        decide(tmp_path, [families(1, 2)], Settings(scope="all", threshold=0.8))


def test_equal_ranks_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="same rank"):
        decide(tmp_path, [[File("a", "x", 1)], [File("b", "y", 1)]], ALL)


def test_texts_that_are_not_those_signed_stop_the_run(tmp_path: Path):
    text = made_text(5)
    parts = [[File("a", text, 1), File("b", edited(text, 0.01, 1), 2)]]
    laid = lay_out(tmp_path, parts, ALL)

    def other_texts(part, rows):
        return pa.array(["something else"] * len(rows), pa.large_string())

    with pytest.raises(IntegrityError, match="part 10"):
        dedup(laid, other_texts, SerialEngine(), tmp_path / "work", ALL)


def test_a_failed_task_stops_with_a_word_what_to_do(tmp_path: Path):
    class Failing(SerialEngine):
        def map(self, task, items, timeout=None):
            yield from ((n, Failure("crashed", "signal 9")) for n in range(len(items)))

    laid = lay_out(tmp_path, [families(1, 1)], ALL)
    with pytest.raises(StopError, match=r"sample-0 crashed.*fewer workers"):
        dedup(laid, StoredTexts(tmp_path), Failing(), tmp_path / "work", ALL)


def test_arithmetic_of_the_plan(tmp_path: Path):
    """What grows with the files is the number of targets, not their size."""
    for files in (1, 10**6, 10**8):
        plan = Plan(tmp_path, Settings(), (), rows=(files,))
        assert files / plan.slots <= 1 << 18
        assert files * 42 / plan.band_targets <= 1 << 23
