"""Exact and near duplicates over all partitions of a run, as a recipe.

1. Number the files by rank. 2. Equal texts: the best-ranked stays. 3. Cut signatures into bands and
meet in buckets. 4. Round by round: each kept file meets the best kept members of its buckets;
pairs that look alike are verified by their exact Jaccard; the cover decides who is kept. The rounds
end when no new pair is left. 5. Tell each part.

The result depends on texts, ranks, groups and settings only: not on how files lie in parts, on
their order, or on the number of workers. Small parts are handled in bundles. All tables that grow
with the files travel through exchange files; in memory are a slot, a bucket target or a
verification group at a time, and one bit per file.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from stackcurate.dedup.bands import KeepSketches, MakeBuckets, SendBands, SendPairs
from stackcurate.dedup.decide import (
    DECISION,
    SendDecisions,
    SendTwins,
    WriteDecisions,
    cover_all,
    decisions_path,
    join_all,
)
from stackcurate.dedup.exact import drop_equal, number_files
from stackcurate.dedup.settings import Settings
from stackcurate.dedup.steps import (
    MOST_FILES,
    SYNCED,
    Part,
    Plan,
    Texts,
    bundled,
    live_path,
    read_live,
    run,
    save,
)
from stackcurate.dedup.summary import Round, Summary
from stackcurate.dedup.verify import Estimate, SendSets, Verify, group_edges
from stackcurate.engine.base import Engine
from stackcurate.errors import ConfigError
from stackcurate.storage.partitions import boot, clear_parts, whole, write_arrow, write_json

__all__ = ["DECISION", "Part", "Summary", "Texts", "dedup"]


def dedup(
    partitions: Sequence[Part], texts: Texts, engine: Engine, work: Path, settings: Settings
) -> Summary:
    """Decide which files are duplicates; see the module for how, ``steps.Part`` for the input.

    Writes ``work/decisions-<part number>.arrow`` (schema DECISION, ascending by row) for each part,
    with a row for every dropped file and for every kept file that stands for others. ``work``
    belongs to this input and these settings: started again after a kill, the same call goes on
    where it was; started with other settings it raises ConfigError.
    """
    done = work / "summary.json"
    _claim(work, settings, partitions)
    if done.exists():
        shutil.rmtree(work / "steps", ignore_errors=True)
        return Summary.from_json(json.loads(done.read_text()))
    clear_parts(work)
    plan = Plan(work / "steps", settings, bundled(partitions, settings))
    plan.folder.mkdir(parents=True, exist_ok=True)
    plan.write()
    plan = number_files(plan, engine) if partitions else plan
    if plan.files > MOST_FILES:
        raise ConfigError(f"dedup takes at most {MOST_FILES} files at once, not {plan.files}")
    summary = _match(plan, texts, engine) if plan.files else _nothing(plan)
    write_json(done, asdict(summary))
    shutil.rmtree(plan.folder)
    return summary


def _match(plan: Plan, texts: Texts, engine: Engine) -> Summary:
    if not live_path(plan, 0).exists():
        save(live_path(plan, 0), drop_equal(plan, engine))
    signed = sum(run(engine, plan, "bands", SendBands(plan), len(plan.bundles)))
    run(engine, plan, "bucket", MakeBuckets(plan), plan.band_targets)
    _forget(plan, "bands")
    run(engine, plan, "sketch", KeepSketches(plan), plan.slots)
    _forget(plan, "sketches")
    if plan.settings.cluster == "components":
        limited = sum(run(engine, plan, "pairs-0", SendPairs(plan, 0), plan.band_targets))
        join_all(plan)
        rounds = [Round(0, 0, 0, limited, 0)]
    else:
        rounds = _rounds(plan, texts, engine)
    run(engine, plan, "twins", SendTwins(plan), plan.slots)
    decided = run(engine, plan, "decide", SendDecisions(plan), plan.slots)
    run(engine, plan, "write", WriteDecisions(plan), len(plan.bundles))
    verdicts: Counter[str] = Counter()
    sizes: Counter[int] = Counter()
    for by_verdict, histogram in decided:
        verdicts.update(by_verdict)
        sizes.update({int(size): count for size, count in histogram.items()})
    unique = int(np.bitwise_count(read_live(plan, 0)).sum())
    files = plan.files - plan.earlier
    return Summary(
        files=files,
        exact=verdicts["dedup:exact"],
        near=verdicts["dedup:near"],
        kept=files - verdicts.total(),
        earlier_exact=verdicts["dedup:earlier_exact"],
        earlier_near=verdicts["dedup:earlier_near"],
        unsigned=unique - signed,
        cluster_sizes=dict(sorted(sizes.items())),
        rounds=rounds,
        giant_buckets=rounds[-1].limited,
    )


def _rounds(plan: Plan, texts: Texts, engine: Engine) -> list[Round]:
    """Meet, verify and cover until no new pair is left."""
    rounds: list[Round] = []
    groups: list[int] = []  # link files per round
    chunks: list[list[int]] = []  # files of sets per round and bundle
    while True:
        number = len(rounds)
        done, link_files, set_files = _round(plan, texts, engine, number, groups, chunks)
        rounds.append(done)
        groups.append(link_files)
        chunks.append(set_files)
        widest = plan.settings.width(number) == plan.settings.reach
        if done.pairs == 0 and (done.limited == 0 or widest):
            _forget(plan, "sets")
            return rounds


def _round(
    plan: Plan,
    texts: Texts,
    engine: Engine,
    number: int,
    groups: list[int],
    chunks: list[list[int]],
) -> tuple[Round, int, list[int]]:
    note = plan.folder / f"round-{number}.json"
    if note.exists():
        done, link_files, set_files = json.loads(note.read_text())
        return Round(**done), link_files, set_files
    limited = sum(run(engine, plan, f"pair-{number}", SendPairs(plan, number), plan.band_targets))
    met = run(engine, plan, f"estimate-{number}", Estimate(plan, number), plan.slots)
    if number and not any(compared for _, compared in met):  # nothing to verify, no new link
        link_files, set_files = 0, [0] * len(plan.bundles)
        verified: list[tuple[int, int]] = []
        live = read_live(plan, number)
        save(live_path(plan, number + 1), live)
    else:
        edges = tuple(group_edges(plan, number))
        send = SendSets(plan, number, edges, texts, tuple(chunks))
        set_files = run(engine, plan, f"set-{number}", send, len(plan.bundles))
        verify = Verify(plan, number, edges, tuple(set_files))
        link_files = len(edges) - 1
        verified = run(engine, plan, f"verify-{number}", verify, link_files)
        live = cover_all(plan, number, [*groups, link_files])
    done = Round(
        pairs=sum(pairs for pairs, _ in met),
        compared=sum(compared for compared, _ in verified),
        links=sum(links for _, links in verified),
        limited=limited,
        kept=int(np.bitwise_count(live).sum()),
    )
    write_json(note, [asdict(done), link_files, set_files], SYNCED)
    for name in ("pairs", "wanted", "asked"):
        _forget(plan, f"{name}-{number}")
    return done, link_files, set_files


def _forget(plan: Plan, name: str) -> None:
    """Give back the disk of files whose readers are all done."""
    for path in plan.folder.glob(f"{name}-*.bin"):
        path.unlink()


def _claim(work: Path, settings: Settings, partitions: Sequence[Part]) -> None:
    """Note whose folder this is, or refuse another call's; forget the steps of another boot."""
    parts = [(part.number, part.earlier) for part in partitions]
    mine = json.loads(json.dumps({"settings": asdict(settings), "parts": parts}))
    note = work / "settings.json"
    if note.exists():
        noted = json.loads(note.read_text())
        if noted["boot"] != boot():
            shutil.rmtree(work / "steps", ignore_errors=True)
        if noted != mine | {"boot": noted["boot"]}:
            raise ConfigError(f"{work.name} was begun with other settings; give an empty folder")
    write_json(note, mine | {"boot": boot()})


def _nothing(plan: Plan) -> Summary:
    for bundle in plan.bundles:
        for part in bundle.parts:
            with whole(decisions_path(plan, part)) as beside:
                write_arrow(beside, DECISION.empty_table())
    return Summary(0, 0, 0, 0, 0, {}, [], 0, 0, 0)
