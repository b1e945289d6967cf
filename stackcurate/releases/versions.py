"""Version numbers say what changed: who reads one knows what to expect before downloading anything.

    major   the schema, a policy or a detector: any row may have been decided anew
    minor   other inputs, or withdrawals taken back: rows come, rows that stay mean the same
    patch   rows are withdrawn, nothing else

What changed is read from two manifests, so it is known before a release is built. Detectors are the
tables, stackcurate's own version (its last number aside: a patch of the tool finds the same), and
the libraries that read licenses, secrets, persons or encodings (`DETECTORS`). The other libraries
move, join and write rows; across their versions a release keeps its rows and may change its bytes,
which needs no number of its own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from stackcurate.config import ORDER, Config
from stackcurate.errors import ConfigError
from stackcurate.releases.manifest import MANIFEST, read_manifest

#: Parts of the config that decide about files; the others name things, or say where they lie.
POLICIES = ("stages", "license", "fetch", "language", "filter", "redact", "dedup")

#: Libraries whose version can change what is found in a file.
DETECTORS = (
    "chardetng-py",
    "detect-secrets",
    "license-expression",
    "phonenumbers",
    "scancode-toolkit",
)

LEVELS = ("patch", "minor", "major")
_FOLDER = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Changes:
    """What differs between two manifests, by name; empty where nothing does.

    ``tools`` maps a library to its version then and now. ``inputs`` counts containers of the input
    lock: added, removed, changed. ``sources`` is whether the config takes other kinds or parts of
    sources. ``optout`` is whether the registry's head differs, ``restored`` whether requests were
    undone meanwhile.
    """

    schema: bool = False
    policies: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    tools: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    inputs: Mapping[str, int] = field(default_factory=dict)
    sources: bool = False
    optout: bool = False
    restored: bool = False

    @property
    def detectors(self) -> tuple[str, ...]:
        """Tables and tools that may find something else now, as words."""
        tools = [
            f"{name} {then} → {now}"
            for name, (then, now) in self.tools.items()
            if name in DETECTORS or (name == "stackcurate" and _short(then) != _short(now))
        ]
        return (*(f"the table {name}" for name in self.tables), *tools)


@dataclass(frozen=True)
class Needed:
    """The least step that a change asks for, and why."""

    level: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """A release that stands in a folder of releases."""

    name: str
    version: str
    path: Path

    @property
    def number(self) -> tuple[int, int, int]:
        return parse(self.version)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """What differs between two manifests; ``new`` may lack ``files``, ``counts`` and ``totals``."""
    tools = {
        name: (old["tools"].get(name, "absent"), new["tools"].get(name, "absent"))
        for name in sorted({*old["tools"], *new["tools"]})
        if old["tools"].get(name) != new["tools"].get(name)
    }
    before, after = old["optout"], new["optout"]
    return Changes(
        schema=old["schema"]["digest"] != new["schema"]["digest"],
        policies=tuple(one for one in POLICIES if policy(old, one) != policy(new, one)),
        tables=tuple(
            name
            for name in sorted({*old["tables"], *new["tables"]})
            if old["tables"].get(name) != new["tables"].get(name)
        ),
        tools=tools,
        inputs=_inputs(old["inputs"], new["inputs"]),
        sources=_sources(old["config"]) != _sources(new["config"]),
        optout=before.get("head") != after.get("head"),
        restored=int(after.get("undone", 0)) > int(before.get("undone", 0)),
    )


def policy(manifest: Mapping[str, Any], name: str) -> Any:
    """One of POLICIES as the release applied it: what the config leaves out has its default."""
    written = manifest["config"].get(name)
    if name == "stages":
        return list(ORDER) if written is None else list(written)
    kind = get_type_hints(Config)[name]
    if not {*(written or {})} <= {one.name for one in dataclasses.fields(kind)}:
        return written  # options of another version of the tool
    try:
        return TypeAdapter(kind).validate_python(written or {})
    except (ValidationError, ConfigError, ValueError):  # values of another version of the tool
        return written


def needed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Needed:
    """The least step from the release ``old`` to ``new``, both manifests."""
    found = changes(old, new)
    major = [f"the {name} policy changed" for name in found.policies]
    major += [f"{what} changed" for what in found.detectors]
    if found.schema:
        major.insert(0, "the schema changed")
    if major:
        return Needed("major", tuple(major))
    minor = [f"{count} inputs {how}" for how, count in found.inputs.items() if count]
    if found.sources:
        minor.append("the config names other sources")
    if found.restored:
        minor.append("withdrawals were undone, so files come back")
    return Needed("minor", tuple(minor)) if minor else Needed("patch", ())


def check_version(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise ConfigError where the number of ``new`` says less than what changed since ``old``.

    Both are manifests, or as much of one as `changes` reads beside ``name`` and ``version``. The
    message proposes the right number. A release of another name is no version of the old one.
    """
    if old["name"] != new["name"]:
        return
    then, now = parse(old["version"]), parse(new["version"])
    what = needed(old, new)
    least = step(then, what.level)
    held = {"major": 1, "minor": 2, "patch": 3}[what.level]
    if now > then and now[:held] >= least[:held]:
        return
    proposed = ".".join(map(str, least))
    if now <= then:
        words = f"it does not come after {old['version']}"
    else:
        reasons = "; ".join(what.reasons)
        words = f"against {old['version']} it takes a {what.level} step: {reasons}"
    raise ConfigError(
        f"version: {new['version']} contradicts what {new['name']} would hold: {words}. "
        f"Set `version: {proposed}`"
    )


def step(number: tuple[int, int, int], level: str) -> tuple[int, int, int]:
    """The next number after ``number`` by a step of ``level``."""
    major, minor, patch = number
    if level == "major":
        return major + 1, 0, 0
    return (major, minor + 1, 0) if level == "minor" else (major, minor, patch + 1)


def parse(version: str) -> tuple[int, int, int]:
    """``2.1.0`` as numbers that sort; ConfigError where it is none."""
    found = _FOLDER.fullmatch(f"v{version.removeprefix('v')}")
    if found is None:
        raise ConfigError(f"{version!r} is not a version number; they look like 2.1.0")
    return int(found[1]), int(found[2]), int(found[3])


def list_releases(folder: Path, name: str | None = None) -> list[Listed]:
    """The releases below ``folder`` (``NAME/vX.Y.Z``), by name and number."""
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder of releases; name one with --releases")
    return sorted(_standing(folder, name), key=lambda one: (one.name, one.number))


def latest(folder: Path, name: str) -> Listed:
    """The newest release of ``name``; ConfigError where there is none."""
    found = list_releases(folder, name)
    if not found:
        known = sorted({one.name for one in list_releases(folder)})
        others = f"; there are {', '.join(known)}" if known else ""
        raise ConfigError(f"no release of {name} stands in {folder}{others}")
    return found[-1]


def find(folder: Path, name: str, version: str | None = None) -> tuple[Listed, dict[str, Any]]:
    """One release by name and version (the newest unless said), and its manifest."""
    if version is None:
        one = latest(folder, name)
    else:
        matching = [x for x in list_releases(folder, name) if x.number == parse(version)]
        if not matching:
            raise ConfigError(f"{name} has no release {version} in {folder}")
        one = matching[0]
    return one, read_manifest(one.path)


def _standing(folder: Path, name: str | None) -> Iterator[Listed]:
    for place in sorted(folder.iterdir()):
        if not place.is_dir() or name not in (None, place.name):
            continue
        for release in place.iterdir():
            if _FOLDER.fullmatch(release.name) and (release / MANIFEST).is_file():
                yield Listed(place.name, release.name[1:], release)


def _sources(config: Mapping[str, Any]) -> Any:
    """What a config takes from where, but the places: the input lock knows what lies there."""
    options = [
        {key: one for key, one in source.items() if key not in ("path", "contents")}
        for source in config.get("sources", ())
    ]
    return options, config.get("repositories") is not None


def _inputs(old: Any, new: Any) -> dict[str, int]:
    """Containers added, removed and changed, whatever the place of their source in the config."""
    before, after = _locked(old), _locked(new)
    return {
        "added": sum(len(after[key]) for key in after.keys() - before.keys()),
        "removed": sum(len(before[key]) for key in before.keys() - after.keys()),
        "changed": sum(before[key] != after[key] for key in before.keys() & after.keys()),
    }


def _locked(inputs: Any) -> dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]]:
    found: dict[tuple[str, str], list[tuple[str, tuple[str, ...]]]] = {}
    for one in inputs:
        state = (one["digest"], tuple(one.get("snapshots", ())))
        found.setdefault((one["kind"], one["key"]), []).append(state)
    return {key: sorted(states) for key, states in found.items()}


def _short(version: str) -> str:
    """Major and minor of a version: ``0.1.3`` as ``0.1``."""
    return ".".join(version.split(".")[:2])
