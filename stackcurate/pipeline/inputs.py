"""The first step: which containers there are, and which origins, revisions and roots they hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stackcurate.engine.base import Failure
from stackcurate.errors import ConfigError, InputError
from stackcurate.pipeline.tasks import Run
from stackcurate.schema import HEAD, REVISION, conform
from stackcurate.sources.base import Container, Heads, Problem, Source
from stackcurate.storage import partitions


@dataclass(frozen=True)
class Input:
    """One container of one source, and where its heads lie."""

    source: int  # position in config.sources
    container: Container
    out: Path


@dataclass(frozen=True)
class Group:
    """Containers that one task reads; ``heads``: the rows that represent them (`roots.ROOTS`)."""

    number: int
    inputs: tuple[int, ...]
    heads: Path


@dataclass(frozen=True)
class HeadsTask:
    """Ask a source for the heads of one container; what is broken is set aside with its reason."""

    sources: tuple[Source, ...]

    def __call__(self, item: Input) -> tuple[int, int]:
        source = self.sources[item.source]
        with partitions.whole_folder(item.out) as part:
            scratch = part / "scratch"
            scratch.mkdir()
            try:
                found = source.heads(item.container, scratch)
            except InputError as error:
                problem = Problem(item.container.key, error.reason, str(error))
                found = Heads(HEAD.empty_table(), REVISION.empty_table(), "", [problem])
            shutil.rmtree(scratch)
            save_heads(part, found)
        return found.heads.num_rows, item.container.size


def save_heads(folder: Path, found: Heads) -> None:
    """Write the answer of ``Source.heads`` into a folder."""
    partitions.write_arrow(folder / "heads.arrow", conform(found.heads, HEAD))
    partitions.write_arrow(folder / "revisions.arrow", conform(found.revisions, REVISION))
    meta = {"digest": found.digest, "problems": [asdict(problem) for problem in found.problems]}
    partitions.write_json(folder / "meta.json", meta)


def find_inputs(run: Run, limit: int | None = None) -> list[Input]:
    """All containers of all sources in their order, each with the place of its heads."""
    from stackcurate.config import containers  # no worker needs it: see pipeline/tasks.py

    inputs = []
    for number, source in enumerate(run.config.sources):
        for container in containers(run.config, number)[:limit]:
            # The position of a source does not change what its container holds.
            place = run.place("heads", source.kind, source, container.key, container.stamp)
            inputs.append(Input(number, container, place))
    if not inputs:
        kinds = ", ".join(source.kind for source in run.config.sources)
        raise ConfigError(
            f"the sources ({kinds}) hold nothing to read; check the paths under `sources:` in "
            f"{run.config.path.name}"
        )
    return inputs


def read_heads(run: Run, inputs: Sequence[Input]) -> None:
    """Make the heads of every input. A container that kills its reader twice is set aside."""

    def failed(item: Input, failure: Failure) -> None:
        problem = Problem(item.container.key, failure.reason, failure.message)
        with partitions.whole_folder(item.out) as part:
            save_heads(part, Heads(HEAD.empty_table(), REVISION.empty_table(), "", [problem]))

    run.do("heads", HeadsTask(run.config.sources), inputs, failed, run.timeout)


def lock(run: Run, inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """The input lock: per container its source kind, key, digest and snapshots."""
    rows = []
    for item in inputs:
        heads = partitions.read_arrow(item.out / "heads.arrow", ["snapshot_id"])
        rows.append(
            {
                "source": item.source,
                "kind": run.config.sources[item.source].kind,
                "key": item.container.key,
                "digest": meta_of(item.out)["digest"],
                "snapshots": sorted({s for s in heads["snapshot_id"].to_pylist() if s}),
            }
        )
    return rows


def problems_of(folders: Sequence[Path]) -> list[Problem]:
    """Everything that was set aside, in the order of the folders."""
    return [Problem(**row) for folder in folders for row in meta_of(folder)["problems"]]


def meta_of(folder: Path) -> dict[str, Any]:
    """The small facts that a task left beside its tables."""
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text())
    return meta
