"""Checks a release against what it says of itself, streaming, without trusting any of it.

The order matters: nothing is parsed before its checksum holds, so a damaged file is named as such
and not by the error it happens to cause in a library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from stackcurate.errors import IntegrityError, StopError
from stackcurate.releases import checks
from stackcurate.releases.checks import Outcome, Rescan, Withdrawn
from stackcurate.releases.manifest import read_manifest

# What a manifest of another shape or a file that only seems whole makes the libraries raise.
_UNREADABLE = (pa.ArrowException, duckdb.Error, OSError, KeyError, TypeError, ValueError)

# Checks that ask callables of other rooms; their errors are bugs, not damage, and pass through.
_ALARMS = {"opt-out", "rescan"}

#: Problems that a check names one by one; further ones are counted.
NAMED = 20


@dataclass(frozen=True)
class Check:
    """One named check: what it found in a sentence, and the problems, the first ones by name."""

    name: str
    passed: bool
    summary: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """All checks of one release. ``findings`` are what ``rescan`` saw, as dicts (never values)."""

    release: str
    checks: tuple[Check, ...]
    findings: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def demand(self) -> None:
        """Raise where a check failed: IntegrityError for damage, StopError for what should not be
        published (opted out, or personal data by the release's own settings)."""
        failed = [check for check in self.checks if not check.passed]
        if not failed:
            return
        words = "; ".join(
            f"{check.name}: {', '.join(check.problems[:3]) or check.summary}" for check in failed
        )
        kind = StopError if {check.name for check in failed} <= _ALARMS else IntegrityError
        raise kind(f"{self.release} does not verify: {words}")

    def text(self) -> str:
        """The checks as lines for a person."""
        lines = []
        for check in self.checks:
            lines.append(f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<10} {check.summary}")
            lines += [f"      - {problem}" for problem in check.problems]
        return "\n".join(lines) + "\n"


def verify(
    release: Path,
    files_only: bool = False,
    withdrawn: Withdrawn | None = None,
    rescan: Rescan | None = None,
    texts: bool = True,
) -> Verification:
    """Check the release folder ``release``.

    ``files_only`` compares checksums and nothing else. ``withdrawn`` says what the opt-out registry
    withdraws; ``rescan`` runs detectors over the content. ``texts=False`` leaves out the hashing of
    every text: for the run that has just made the hashes.
    Memory is bounded by a row group and DuckDB's 1 GB, whatever the release holds.
    Raises ConfigError where there is no release, IntegrityError where its manifest is unreadable;
    everything else is in the answer (see `Verification.demand`).
    """
    manifest = read_manifest(release)
    plan: list[tuple[str, Callable[[], Outcome]]] = [
        ("checksums", lambda: checks.checksums(release, manifest)),
    ]
    findings: list[Mapping[str, Any]] = []
    if not files_only:
        plan += [
            ("schema", lambda: checks.schema(release, manifest)),
            ("counts", lambda: checks.counts(release, manifest)),
            ("ledger", lambda: checks.ledger(release, manifest)),
            ("unique", lambda: checks.unique(release, manifest)),
        ]
        if texts:
            plan.append(("texts", lambda: checks.texts(release, manifest)))
        if withdrawn is not None:
            plan.append(("opt-out", lambda: checks.opted_out(release, manifest, withdrawn)))
        if rescan is not None:
            plan.append(("rescan", lambda: checks.rescanned(release, manifest, rescan, findings)))
    return Verification(str(release), tuple(_run(plan)), tuple(findings))


def _run(plan: list[tuple[str, Callable[[], Outcome]]]) -> Iterator[Check]:
    """Run the checks in order; after damaged bytes or a foreign schema the rest has no meaning."""
    for name, check in plan:
        try:
            summary, problems = check()
        except _UNREADABLE as error:
            if name in _ALARMS:
                raise
            # the words of a library may quote what the files hold: its error's name is enough
            summary, problems = "cannot be read", [f"{type(error).__name__} while reading"]
        if len(problems) > NAMED:
            problems = [*problems[:NAMED], f"and {len(problems) - NAMED} more"]
        yield Check(name, not problems, summary, tuple(problems))
        if problems and name in ("checksums", "schema"):
            return


__all__ = ["Check", "Rescan", "Verification", "Withdrawn", "verify"]
