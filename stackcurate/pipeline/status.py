"""How far a run is, from its folder alone; it may be running, killed or done."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stackcurate.config import Config
from stackcurate.storage.journal import Journal
from stackcurate.text import visible

# The phases of `pipeline.run`, in order.
PHASES = (
    "heads",
    "roots",
    "list",
    "links",
    "control",
    "judge",
    "evidence",
    "forks",
    "decide",
    "choose",
    "winners",
    "fetch",
    "earlier",
    "dedup",
    "keep",
    "alarm",
    "ship",
    "ledger",
)


@dataclass(frozen=True)
class Phase:
    """One phase: outputs that stand, and what its last finished pass took."""

    name: str
    outputs: int
    seconds: float | None
    files: int
    bytes: int


@dataclass(frozen=True)
class Status:
    """The answer of `status`; ``state`` is new, running or stopped, or published."""

    name: str
    version: str
    state: str
    phases: tuple[Phase, ...]
    quarantined: int
    set_aside: tuple[dict[str, Any], ...]

    def json(self) -> str:
        """As one JSON object."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    def text(self) -> str:
        """As lines for a person."""
        lines = [f"{self.name} v{self.version}: {self.state}"]
        for phase in self.phases:
            took = "" if phase.seconds is None else f"{phase.seconds:>10.1f} s"
            rate = ""
            if phase.seconds and phase.bytes:
                rate = f"{phase.bytes / 1e6 / phase.seconds:>8.1f} MB/s"
            lines.append(f"  {phase.name:<9} {phase.outputs:>7,} outputs {took:>12} {rate}")
        if self.quarantined:
            lines.append(f"  {self.quarantined} contents in quarantine (quarantine.jsonl)")
        for problem in self.set_aside[:20]:
            lines.append(f"  set aside: {visible(told(problem))}")
        if len(self.set_aside) > 20:
            lines.append(f"  … and {len(self.set_aside) - 20:,} more; --json shows them too")
        return "\n".join(lines)


def status(config: Config) -> Status:
    """Read the run folder and the journal."""
    folder = config.run_folder
    events = Journal(folder / "journal.jsonl").read()
    last = {event["phase"]: event for event in events if event.get("event") == "phase"}
    phases = []
    for name in PHASES:
        event = last.get(name, {})
        outputs = _outputs(folder / "work" / name)
        if outputs or event:
            phases.append(
                Phase(
                    name,
                    outputs or int(event.get("tasks", 0)),
                    event.get("seconds"),
                    int(event.get("files", 0)),
                    int(event.get("bytes", 0)),
                )
            )
    quarantine = folder / "quarantine.jsonl"
    return Status(
        name=config.name,
        version=config.version,
        state=_state(config, events),
        phases=tuple(phases),
        quarantined=len(quarantine.read_text().splitlines()) if quarantine.exists() else 0,
        set_aside=tuple(set_aside(folder)),
    )


def measured_rate(config: Config) -> float | None:
    """Archived MB/s per worker of the whole of an earlier run of any config here, or None."""
    best: float | None = None
    for path in sorted(config.runs.glob("*/v*/journal.jsonl")):
        workers, size, seconds = 1, 0, 0.0
        for event in Journal(path).read():
            if event.get("event") == "start":
                workers, size, seconds = int(event.get("workers", 1)), 0, 0.0
            elif event.get("event") == "phase":
                seconds += float(event.get("seconds", 0))
                size += int(event.get("bytes", 0)) if event.get("phase") == "fetch" else 0
            elif event.get("event") == "published" and size > 50e6 and seconds:
                best = size / 1e6 / seconds / workers
    return best


def _state(config: Config, events: list[dict[str, Any]]) -> str:
    if config.release_folder.exists():
        return f"published as {config.release_folder}"
    if not events:
        looks = sorted(config.releases.glob(f"{config.name}-limit*/v{config.version}"))
        return "not begun" + "".join(f"; a look stands at {one}" for one in looks)
    return "running" if _locked(config.run_folder / "lock") else "stopped; `run` goes on from here"


def _locked(path: Path) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _outputs(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(1 for one in folder.iterdir() if not one.name.startswith("."))


def told(problem: dict[str, Any]) -> str:
    """A problem as a line for people."""
    return f"{problem['where']}: {problem['reason']}: {problem['message']}"


def set_aside(folder: Path) -> list[dict[str, Any]]:
    """The problems that a run met while it looked at its containers and listed them."""
    found = []
    for meta in sorted((folder / "work").glob("*/*/meta.json")):
        if meta.parent.parent.name in ("heads", "list"):
            found += json.loads(meta.read_text())["problems"]
    return found
