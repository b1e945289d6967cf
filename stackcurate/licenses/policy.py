"""The license policy: a versioned table says what each license is, settings say what is let in.

Deny by default: what the table does not know is ``unknown``, and no policy allows ``unknown``.
Nothing is fetched at run time; the table is written by ``scripts/make_licenses.py``, and its digest
goes into the release's manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from stackcurate.errors import ConfigError
from stackcurate.licenses.places import PLACES

# From the most to the least that a license lets its licensee do. AND takes the worst of its parts,
# OR the best. ``unknown`` comes last: what nobody can read is not granted.
CLASSES = (
    "public_domain",
    "permissive",
    "weak_copyleft",
    "copyleft",
    "network_copyleft",
    "source_available",
    "proprietary",
    "no_ai",
    "unstated",
    "unknown",
)
RANK = {name: rank for rank, name in enumerate(CLASSES)}

OPEN = frozenset(("permissive", "public_domain"))
POLICIES: dict[str, frozenset[str]] = {
    "permissive": OPEN,
    "weak_copyleft": OPEN | {"weak_copyleft"},
    "open_source": frozenset(CLASSES[:5]),
}


@dataclass(frozen=True)
class License:
    """What the table knows about one license or exception."""

    id: str  # SPDX id, or LicenseRef-scancode-KEY where SPDX has none
    license_class: str
    category: str = ""  # ScanCode's
    neutral: bool = False  # grants and denies nothing: skipped beside other licenses
    exception: bool = False
    why: str = ""
    blue_oak: str = ""
    osi: bool = False
    fsf: bool = False  # on the FSF's list of free licenses; what is not on it may be free too


# Names this package gives to what no license list has; see riders.py and expression.py.
RIDERS = (
    License("LicenseRef-stackcurate-no-ai", "no_ai", "own", why="forbids training or mining"),
    License("LicenseRef-stackcurate-restricted", "source_available", "own", why="limits the use"),
    License("LicenseRef-stackcurate-altered", "unknown", "own", why="a known text, changed"),
)
# What a reviewer says of a text that has no name of its own: its class.
DECIDED = {
    name: License(
        f"LicenseRef-stackcurate-decided-{name.replace('_', '-')}",
        name,
        "own",
        why="a person read it",
    )
    for name in CLASSES
    if name != "unknown"
}


@dataclass(frozen=True)
class Table:
    """All licenses by lower-case id, key and former id."""

    licenses: Mapping[str, License]
    former: Mapping[str, str]  # lower-case former ids that stand for an expression
    version: int
    sources: Mapping[str, str]
    digest: str

    def find(self, name: str) -> License | None:
        """The license called ``name`` (SPDX id, former id or ScanCode key; case does not count)."""
        return self.licenses.get(name.lower())


def _license(row: Mapping[str, Any]) -> License:
    return License(
        id=row["id"],
        license_class=row["class"],
        category=row["category"],
        neutral=row.get("neutral", False),
        exception=row.get("exception", False),
        why=row.get("why", ""),
        blue_oak=row.get("blue_oak", ""),
        osi=row.get("osi", False),
        fsf=row.get("fsf", False),
    )


@lru_cache(maxsize=1)
def table() -> Table:
    """The table that ships with the tool; read once per process."""
    data = (files("stackcurate") / "tables" / "licenses.json").read_bytes()
    raw = json.loads(data)
    found: dict[str, License] = {}
    # Later entries replace earlier ones: living licenses come after deprecated ones, and SPDX ids
    # after ScanCode keys, because some are spelt alike (BSL-1.0 is Boost's, bsl-1.0 is not).
    rows = sorted(raw["licenses"], key=lambda row: not row.get("deprecated", False))
    for row in rows:
        found[row["key"].lower()] = _license(row)
    for row in rows:
        found[f"licenseref-scancode-{row['key'].lower()}"] = _license(row)
    for row in rows:
        found[row["id"].lower()] = _license(row)
    former: dict[str, str] = {}
    for old, new in raw["aliases"].items():
        if " " in new:
            former[old.lower()] = new
        elif new.lower() in found:
            found.setdefault(old.lower(), found[new.lower()])
    for rider in (*RIDERS, *DECIDED.values()):
        found[rider.id.lower()] = rider
    return Table(found, former, raw["version"], raw["sources"], hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class LicenseSettings:
    """The ``license`` section of the config.

    ``look_inside``: ``allowed`` fetches only files whose folder allows them, ``open`` also those
    where nothing is stated, so that their own headers can speak. ``policy`` names a set of classes
    (see ``POLICIES``); ``allow``, where it is not empty, replaces it. ``overrides`` sets the class
    of single licenses: ``{"JSON": "permissive"}``. ``keep_unstated`` keeps files where neither
    folder nor header says anything (what The Stack v2 calls ``no_license``). ``places`` says whose
    license counts where the same bytes lie in several places: ``origin-most``, ``strictest`` or
    ``any-permissive`` (see ``licenses/places.py``). ``decisions`` is a file of what people decided
    about single texts (see ``licenses/review.py``).
    """

    look_inside: str = "allowed"
    policy: str = "permissive"
    allow: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    keep_unstated: bool = False
    places: str = PLACES[0]
    decisions: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "allow", tuple(self.allow))
        object.__setattr__(self, "overrides", dict(self.overrides))
        if self.look_inside not in ("allowed", "open"):
            raise ConfigError(f"license.look_inside is {self.look_inside!r}; use allowed or open")
        if self.policy not in POLICIES:
            raise ConfigError(f"license.policy is {self.policy!r}; use one of {sorted(POLICIES)}")
        if self.places not in PLACES:
            raise ConfigError(f"license.places is {self.places!r}; use one of {list(PLACES)}")
        for name in self.allow:
            if name not in RANK:
                raise ConfigError(f"license.allow holds {name!r}; classes are {list(CLASSES)}")
        for key, name in self.overrides.items():
            if name not in RANK:
                raise ConfigError(
                    f"license.overrides.{key} is {name!r}; use one of {list(CLASSES)}"
                )

    @property
    def allowed(self) -> frozenset[str]:
        """The classes that may be released."""
        return frozenset(self.allow) if self.allow else POLICIES[self.policy]

    def digest(self) -> str:
        """SHA-256 (hex) over the table and everything here that changes a decision."""
        said = [table().digest, self.look_inside, sorted(self.allowed), self.keep_unstated]
        said.append(self.places)
        said.append(sorted(self.overrides.items()))
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()
