"""Compares what became of the sample data with what its builder said must become of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa


def compare(expected: dict[str, Any], ledger: pa.Table) -> list[str]:
    """Every difference between ``expected.json`` and a ledger (schema LEDGER), as sentences.

    A ledger row of scope file stands for itself. One of scope origin or folder stands for as many
    files of the same outcome below it as it says.
    """
    why = {(f["origin"], f["path"], f["outcome"]): f["why"] for f in expected["files"]}
    wanted = Counter((f["origin"], f["path"], f["outcome"]) for f in expected["files"])
    rows = ledger.select(["scope", "origin", "path", "outcome", "files"]).to_pylist()
    found = Counter()
    for row in rows:
        if row["scope"] == "file":
            found[row["origin"], row["path"], row["outcome"]] += 1
    missing, surplus = wanted - found, found - wanted
    problems = []
    for row in rows:
        if row["scope"] != "file":
            problems += _take_scope(row, missing)
    problems += _differences(missing, surplus, why)
    return problems


def _take_scope(row: dict[str, Any], missing: Counter[tuple[str, str, str]]) -> list[str]:
    """Strike out the expected files that a wider row stands for; say where the number differs."""
    below = (row["path"] or "").rstrip("/") + "/"
    covered = [
        key
        for key in missing
        if key[0] == row["origin"] and key[1].startswith(below) and key[2] == row["outcome"]
    ]
    count = sum(missing.pop(key) for key in covered)
    if count == row["files"]:
        return []
    where = row["origin"] + (row["path"] or "")
    return [f"{where}: {count} files should be {row['outcome']}, the ledger says {row['files']}"]


def _differences(
    missing: Counter[tuple[str, str, str]],
    surplus: Counter[tuple[str, str, str]],
    why: dict[tuple[str, str, str], str],
) -> list[str]:
    got: dict[tuple[str, str], list[str]] = defaultdict(list)
    for origin, path, outcome in sorted(surplus.elements()):
        got[origin, path].append(outcome)
    problems = []
    for key in sorted(missing.elements()):
        origin, path, outcome = key
        others = got[origin, path]
        instead = others.pop(0) if others else "nowhere in the ledger"
        problems.append(f"{origin} {path}: expected {outcome} ({why[key]}), but it is {instead}")
    for (origin, path), outcomes in got.items():
        problems += [f"{origin} {path}: {outcome}, but nobody planted it" for outcome in outcomes]
    return problems


def compare_redactions(expected: dict[str, Any], files: pa.Table) -> list[str]:
    """The same for redactions: distinct values by kind in each released row (schema FILE)."""
    wanted = {(f["origin"], f["path"]): f.get("redactions", {}) for f in expected["files"]}
    problems = []
    for row in files.select(["origin", "path", "redactions"]).to_pylist():
        numbers: dict[str, set[int]] = defaultdict(set)
        for finding in row["redactions"] or []:
            numbers[finding["kind"]].add(finding["number"])
        got = {kind: len(values) for kind, values in sorted(numbers.items())}
        want = wanted.get((row["origin"], row["path"]), {})
        if got != want:
            problems.append(f"{row['origin']} {row['path']}: redacted {got}, expected {want}")
    return problems
