"""What a run would read, how long and how much disk it may take, before anything is started."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from stackcurate import config as configs
from stackcurate.config import Config
from stackcurate.errors import ConfigError
from stackcurate.licenses import review
from stackcurate.pipeline.status import measured_rate
from stackcurate.releases.manifest import read_manifest
from stackcurate.text import as_size

# Where no run on this machine has been measured: archived MB/s of one worker, all stages on,
# license cache cold. A low guess; the first run replaces it.
DEFAULT_RATE = 8.0
# The spill is lz4 over source code; the release zstd-3 over the same. Measured on packages of three
# ecosystems, see benchmarks/README.md.
SPILL_SHARE = 0.40
RELEASE_SHARE = 0.30


@dataclass(frozen=True)
class SourcePlan:
    """One source: how many containers, and bytes on disk."""

    kind: str
    path: str
    containers: int
    bytes: int


@dataclass(frozen=True)
class Plan:
    """The answer of `plan`. ``state`` is what `run` would do first."""

    name: str
    version: str
    state: str
    sources: tuple[SourcePlan, ...]
    stages: tuple[str, ...]
    look_inside: str
    decisions: str
    workers: int
    bytes: int
    rate: float
    measured: bool
    seconds: float
    spill_bytes: int
    release_bytes: int

    def json(self) -> str:
        """As one JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    def text(self) -> str:
        """As lines for a person."""
        lines = [f"{self.name} v{self.version}: {self.state}", ""]
        for source in self.sources:
            lines.append(
                f"  {source.kind:<10} {source.containers:>8,} containers  "
                f"{as_size(source.bytes):>10} on disk   {source.path}"
            )
        rate = f"{self.rate:.1f} MB/s a worker"
        basis = (
            "measured on this machine" if self.measured else "a guess; the first run measures it"
        )
        lines += [
            "",
            f"  stages       {' → '.join(self.stages)}",
            f"  look_inside  {self.look_inside}: "
            + (
                "only files whose folder allows them are fetched"
                if self.look_inside == "allowed"
                else "files with no stated license are fetched too, so that their headers can speak"
            ),
            f"  decisions    {self.decisions}",
            f"  time         {_duration(self.seconds)} with {self.workers} workers "
            f"({rate}, {basis})",
            f"  disk         at most {as_size(self.spill_bytes)} for the spill (removed after) "
            f"and {as_size(self.release_bytes)} for the release",
            "",
            "Sizes are those of the sources; what opt-out, license and copies drop comes off.",
        ]
        return "\n".join(lines)


def plan(config: Config, workers: int) -> Plan:
    """Look at the sources' containers, and at what earlier runs took; start nothing."""
    sources = []
    for number, source in enumerate(config.sources):
        containers = configs.containers(config, number)
        size = sum(container.size for container in containers)
        path = getattr(source, "path", "")
        sources.append(SourcePlan(source.kind, str(path), len(containers), size))
    total = sum(source.bytes for source in sources)
    rate = measured_rate(config)
    speed = rate or DEFAULT_RATE
    return Plan(
        name=config.name,
        version=config.version,
        state=_state(config),
        sources=tuple(sources),
        stages=config.stages,
        look_inside=config.license.look_inside,
        decisions=review.state(config.license.decisions),
        workers=workers,
        bytes=total,
        rate=speed,
        measured=rate is not None,
        seconds=total / 1e6 / speed / workers,
        spill_bytes=int(total * SPILL_SHARE),
        release_bytes=int(total * RELEASE_SHARE),
    )


def _state(config: Config) -> str:
    if config.release_folder.exists():
        try:
            manifest: dict[str, Any] = read_manifest(config.release_folder)
        except ConfigError:
            return f"{config.release_folder} is there but is no release; `run` will refuse it"
        kept = manifest["counts"]["kept"]["files"]
        return f"published with {kept:,} files; `run` will verify it"
    if (config.run_folder / "work").exists():
        return "begun; `run` will go on where it stopped"
    return "new"


def _duration(seconds: float) -> str:
    if seconds < 60:  # workers take some seconds to start, and dedup its rounds
        return "about a minute"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"
