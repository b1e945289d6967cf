"""The recipe: from a config to a release that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackcurate import config as configs
from stackcurate.config import Config
from stackcurate.engine.base import Engine
from stackcurate.errors import ConfigError, StopError
from stackcurate.licenses import review, warm
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.stage import Header
from stackcurate.optout import registry as optouts
from stackcurate.pipeline import alarm
from stackcurate.pipeline import inputs as heads
from stackcurate.pipeline.addresses import write_address_book
from stackcurate.pipeline.body import BodyTask
from stackcurate.pipeline.choose import choose, targets_for
from stackcurate.pipeline.culprits import FILE as QUARANTINE
from stackcurate.pipeline.culprits import Quarantine
from stackcurate.pipeline.decide import decide
from stackcurate.pipeline.digests import check_key, write_digests
from stackcurate.pipeline.earlier import Earlier, earlier_parts, find_earlier
from stackcurate.pipeline.evidence import gather
from stackcurate.pipeline.fetch import fetch
from stackcurate.pipeline.forks import find_forks
from stackcurate.pipeline.keep import keep
from stackcurate.pipeline.ledger import write_ledger
from stackcurate.pipeline.links import follow_links
from stackcurate.pipeline.listing import find_partitions, list_files
from stackcurate.pipeline.older import find_older
from stackcurate.pipeline.release import Finished, check_number, finish, previous_of, same_release
from stackcurate.pipeline.review import write_review
from stackcurate.pipeline.roots import decide_roots, group_inputs
from stackcurate.pipeline.ship import ship
from stackcurate.pipeline.tasks import Run
from stackcurate.pipeline.twins import find_twins
from stackcurate.pipeline.winners import find_winners
from stackcurate.redaction.stage import Redact
from stackcurate.stages import RowStage
from stackcurate.storage import partitions
from stackcurate.storage.durable import Durable
from stackcurate.storage.journal import Journal, Progress

# A task that reads contents and takes longer is taken for hung. A slice holds 48 MiB, so this is
# some hundred times what it should take.
TASK_SECONDS = 1800.0


@dataclass(frozen=True)
class Result:
    """What a run ended with; ``built`` is False where the release stood and was verified."""

    release: Path
    built: bool
    manifest: dict[str, Any]
    problems: int
    seconds: dict[str, float]
    work: dict[str, dict[str, int]]


def run(
    config: Config,
    engine: Engine,
    progress: Progress,
    limit: int | None = None,
    timeout: float = TASK_SECONDS,
) -> Result:
    """Build the release of ``config``, and first the one it names as ``previous``.

    Goes on where a killed run stopped. ``limit`` takes only the first containers of each source,
    for a look; its release bears ``-limit`` in its name and is no version of the full one.
    Raises the errors of ``errors.py``; nothing is published then.
    """
    if limit is not None:
        config = _limited(config, limit)
    elif config.previous is not None:
        before = configs.load(config.previous)
        if not before.release_folder.exists():
            progress.note(f"{before.name} v{before.version} is not there yet and comes first")
            run(before, engine, progress, timeout=timeout)
    check_key(config)
    file = config.license.decisions
    told = review.state(file)  # a line that cannot be read ends the run here
    if file is not None and not file.exists():
        progress.note(f"license decisions: {told}")
    with partitions.disk_errors(config.run_folder), _alone(config.run_folder):
        partitions.clear_parts(config.run_folder)
        journal = Journal(config.run_folder / "journal.jsonl")
        with Durable(config.run_folder) as durable:
            return _run(Run(config, engine, progress, journal, durable, timeout), limit)


def _run(run: Run, limit: int | None) -> Result:
    config = run.config
    registry = _registry(config)
    run.journal.write("start", config=config.path.name, workers=run.engine.workers)

    # No bytes yet: what is there, who withdrew, what do the folders state, which copy is kept.
    inputs = heads.find_inputs(run, limit)
    heads.read_heads(run, inputs)
    lock = heads.lock(run, inputs)
    before = find_earlier(run)
    if config.release_folder.exists():
        return _stands(run, lock, before, registry)
    check_number(run, lock, registry)  # before any work: another number is another run
    roots = decide_roots(run, inputs, registry)
    groups = group_inputs(run, inputs, roots)
    listed = list_files(run, groups, inputs)
    found = find_partitions(groups, listed)
    book = write_address_book(run, inputs, found)
    targets = targets_for(sum(_rows(one.path) for one in found))
    quarantine = Quarantine(run.folder / QUARANTINE, config.quarantine)
    _compile_once(run)
    found = follow_links(run, found, book, quarantine)
    evidence = gather(run, found, book, targets, quarantine)
    forks = find_forks(run, roots, found, listed, evidence)
    decided = decide(run, found, evidence, registry, targets, quarantine, forks)
    chosen = choose(run, decided, targets)

    # The one pass over the bytes.
    winners = find_winners(run, found, chosen, book)
    stages = row_stages(config)
    matching = config.dedup.matching if "dedup" in config.stages else None
    settings = [config.stages, stages, (config.dedup.signing, config.dedup.scope), config.fetch]
    known = Cache(config.runs / "licenses.sqlite")
    task = BodyTask(config.sources, stages, matching, config.fetch.max_bytes, known=known)
    bodies = fetch(run, task, settings, book, found, decided, winners, quarantine)
    write_digests(config, [body.folder for body in bodies])
    older = find_older(run, found, decided, bodies)
    write_review(run.folder, evidence, found, decided, bodies, older)

    # Files against each other, then out.
    twins = None
    if matching is not None:
        twins = find_twins(run, bodies, earlier_parts(run, before, registry, len(bodies)))
    kept = keep(run, bodies, twins, evidence.shares)
    lost = None
    if twins is not None:
        previous = previous_of(config)
        lost = alarm.watch(run, inputs, found, bodies, kept, previous)
    shipped = ship(run, bodies, kept, registry)
    ledger = write_ledger(run, found, decided, chosen, bodies, kept, older)
    finished = Finished(
        inputs, lock, roots, groups, listed, decided, evidence, bodies, kept, shipped, ledger,
        before, forks, lost, registry, quarantine,
    )  # fmt: skip
    run.durable.settle(_stays(run))
    manifest, problems = finish(run, finished)
    run.journal.write("published", release=config.release_folder.name)
    _clean(run)
    return Result(config.release_folder, True, manifest, problems, run.seconds, run.work)


def _registry(config: Config) -> optouts.Registry:
    file = config.optout.registry
    return optouts.EMPTY if file is None else optouts.read(file)


def _compile_once(run: Run) -> None:
    """Let one worker compile the license matcher where nobody did; all others load it then."""
    if {"license", "header"}.isdisjoint(run.config.stages) or not warm.is_cold():
        return
    run.progress.note(warm.NOTE)
    for _ in run.engine.map(warm.compile_kernels, [None]):
        pass


def row_stages(config: Config) -> tuple[RowStage, ...]:
    """The stages that look at bytes, in the order of the config."""
    settings = config.license
    made: dict[str, RowStage] = {
        "header": Header.of(settings),
        "language": config.language,
        "filter": config.filter,
        "redact": Redact(config.redact),
    }
    return tuple(made[name] for name in config.stages if name in made)


def _stands(
    run: Run,
    lock: Sequence[dict[str, Any]],
    before: Sequence[Earlier],
    registry: optouts.Registry,
) -> Result:
    """The release is there: verify it where it is what the config asks for."""
    manifest, problems = same_release(run, lock, before, registry)
    _clean(run)  # what a run that was killed between publishing and this left
    return Result(run.config.release_folder, False, manifest, problems, {}, {})


def _limited(config: Config, limit: int) -> Config:
    if limit < 1:
        raise ConfigError("--limit takes a whole number from 1")
    return replace(config, name=f"{config.name}-limit{limit}", previous=None)


def _rows(path: Path) -> int:
    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        return sum(reader.get_batch(n).num_rows for n in range(reader.num_record_batches))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the run folder: two runs of one version would only race for the same names."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        if os.name != "nt":
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StopError(
                    f"another run works in {folder}; wait for it, or give this config another "
                    "version or `runs:` folder"
                ) from None
        yield


# What a published run keeps: heads name the input lock, roots and choose hold every origin and
# every content's places, for previews and provenance. Texts and narrow rows can be made again.
_KEPT_WORK = ("heads", "roots", "choose")


def _stays(run: Run) -> list[Path]:
    work = run.folder / "work"
    return [output for phase in _KEPT_WORK for output in sorted((work / phase).glob("*"))]


def _clean(run: Run) -> None:
    """Give the disk back after publishing; the ledger, the journal and _KEPT_WORK stay."""
    phases = sorted((run.folder / "work").iterdir())
    phases = [folder for folder in phases if folder.name not in _KEPT_WORK]
    # Forgetting what lay in memory of the system takes time too: each worker forgets some.
    outputs = [output for folder in phases for output in sorted(folder.iterdir())]
    for _ in run.engine.map(_remove, outputs):
        pass
    for folder in phases:
        _remove(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
