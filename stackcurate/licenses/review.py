"""What a person decided about a license text, kept as lines in a file and replayed on every build.

A line of the file (JSON Lines, under version control) says ``content_id`` (git's id of the text's
bytes, so that a decision is about these bytes and no others), ``expression``, ``who``, ``when`` and
``why``. The last line about a text counts; one whose expression is null undoes those before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from stackcurate.errors import ConfigError
from stackcurate.licenses.detect import UNDETERMINED, evidence_id
from stackcurate.licenses.expression import license_class, normalize
from stackcurate.licenses.layout import MATCHER as LISTED
from stackcurate.licenses.links import MATCHER as LINK
from stackcurate.licenses.paths import about_paths
from stackcurate.licenses.policy import DECIDED, OPEN
from stackcurate.licenses.riders import ALTERED, NO_AI, RESTRICTED
from stackcurate.schema import EVIDENCE

MATCHER = "review"
TOGETHER = "review-together"  # matcher of statements of a folder that were decided together
MOST = 10_000  # entries of a queue
_NO_TEXT = (LISTED, LINK)  # matchers of what is no text of a license
DOUBTFUL = ("unknown", "no_ai")  # classes of texts that are worth a look
OWN = "LicenseRef-stackcurate-"  # riders and changed texts
APPROXIMATE = "3-seq"  # part of the matchers of texts that are not as the rule has them
NEAR = 90  # score of such a match below which somebody should look before it grants
WHY = {
    "unknown": "no known license explains it",
    "unread": "it takes the matcher too long",
    "changed": "a known license, changed where that changes what it grants",
    "limited": "a known license, and words beside it that take something away",
    "near": "an open license in part only",
    "elsewhere": "the header of these files points to a license that is not there",
    "conflict": "the header of these files contradicts the license of their folder",
    "together": "the license texts and manifests of these folders contradict each other",
    "laundered": "an older repository holds the same bytes under a license that is refused",
    "decided": "a decision about it was taken back; the next build reads it anew",
}
_ID = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True)
class Decision:
    """One line: what a person says a text states, or None where they take it back."""

    content_id: str
    expression: str | None
    who: str
    when: str
    why: str


def parse(text: str, name: str = "decisions") -> dict[str, Decision]:
    """The decisions in force, by content id. Raises ConfigError naming the line that is wrong."""
    found: dict[str, Decision] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            said: Any = json.loads(line)
            one = Decision(**said)
        except (ValueError, TypeError):
            raise ConfigError(
                f"{name}, line {number}: a decision is a JSON object of content_id, expression, "
                "who, when and why"
            ) from None
        if not all(isinstance(v, str) for v in (one.who, one.when, one.why)) or not one.who:
            raise ConfigError(f"{name}, line {number}: who, when and why are text")
        if not isinstance(one.content_id, str) or not _ID.match(one.content_id):
            raise ConfigError(f"{name}, line {number}: content_id is 40 hex digits")
        if one.expression is None:
            found.pop(one.content_id, None)
            continue
        if not isinstance(one.expression, str) or normalize(one.expression) is None:
            raise ConfigError(f"{name}, line {number}: {one.expression!r} is no SPDX expression")
        found[one.content_id] = one
    return found


def read(path: Path | None) -> dict[str, Decision]:
    """The decisions in force of a file; none where ``path`` is None or nothing is there yet."""
    if path is None or not path.exists():
        return {}
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise ConfigError(f"cannot read license.decisions {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None


def said_in(one: Decision) -> str:
    """The rule of what was decided: why and when."""
    return f"{one.why} ({one.when})"


def every_id(path: Path) -> set[str]:
    """All that the lines of a file are about, those included that were taken back."""
    read(path)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {json.loads(line)["content_id"] for line in lines if line.strip()}


def state(path: Path | None) -> str:
    """How many decisions are in force, for a person. Raises ConfigError as ``read`` does."""
    if path is None:
        return "no file is named"
    known = read(path)
    return f"{len(known):,} in force in {path}" if path.exists() else f"none yet: no file {path}"


def digest(decisions: Mapping[str, Decision]) -> str | None:
    """SHA-256 (hex) of the decisions in force; None where there are none.

    Lines that undo each other, and the order of lines, do not change it.
    """
    if not decisions:
        return None
    said = [asdict(decisions[key]) for key in sorted(decisions)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def meant(answer: str) -> str | None:
    """The expression that a reviewer's answer means: an expression, or the name of a class."""
    name = answer.strip().lower().replace("-", "_").replace(" ", "_")
    return DECIDED[name].id if name in DECIDED else normalize(answer)


def add(path: Path, decision: Decision) -> None:
    """Append a decision to the file at ``path``, which is made where it is not there yet."""
    line = json.dumps(asdict(decision), ensure_ascii=False)
    parse(line, "the decision")  # what cannot be read again is not written
    try:
        with path.open("ab+") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 1))
            whole = file.read(1) in (b"", b"\n")
            file.write(("" if whole else "\n").encode() + line.encode() + b"\n")
    except OSError as error:
        raise ConfigError(f"cannot write license.decisions {path}: {error.strerror}") from None


def apply(evidence: pa.Table, decisions: Mapping[str, Decision]) -> pa.Table:
    """EVIDENCE with decided texts replaced by what was decided; statements about paths stay."""
    if not decisions:
        return evidence
    rows = evidence.to_pylist()
    for row in rows:
        one = decisions.get(row["content_id"] or "")
        if one is None or about_paths(row["rule"]) or row["matcher"] in _NO_TEXT:
            continue
        row["expression"] = normalize(one.expression or "")
        row["evidence_id"] = evidence_id(
            row["content_id"], row["kind"], row["start"], row["end"], row["expression"]
        )
        row |= {"score": 100.0, "rule": said_in(one), "matcher": MATCHER}
        row["detector"] = one.who
    return pa.Table.from_pylist(rows, schema=EVIDENCE)


def doubt(row: Mapping[str, Any]) -> str | None:
    """Why a person should look at a statement (a row of EVIDENCE), a word of WHY; None for not."""
    expression = row["expression"]
    if row["matcher"] in (MATCHER, TOGETHER, *_NO_TEXT):
        return "decided" if row["matcher"] == MATCHER else None
    if row["matcher"] == UNDETERMINED or expression is None:
        return "unread"
    if ALTERED in expression:
        return "changed"
    if any(rider in expression for rider in (NO_AI, RESTRICTED)):
        return "limited"
    name = license_class(expression)
    if name in DOUBTFUL:
        return "unknown"
    near = APPROXIMATE in row["matcher"] and row["score"] < NEAR
    return "near" if near and name in OPEN else None


def queue(evidence: pa.Table, decides: Mapping[str, int]) -> list[dict[str, Any]]:
    """The statements that ``doubt`` names, those that decide most files first.

    ``decides`` is the number of files per evidence id. A row has ``files``, ``content_id``,
    ``kind``, ``why``, ``expression``, ``license_class``, ``score``, ``rule``, ``matcher``.
    """
    names: Sequence[str] = ("content_id", "kind", "expression", "score", "rule", "matcher")
    found = [
        {
            "files": decides.get(row["evidence_id"], 0),
            **{name: row[name] for name in names},
            "license_class": license_class(row["expression"]),
            "why": why,
        }
        for row in evidence.to_pylist()
        if (why := doubt(row))
    ]
    return sorted(found, key=order)


def order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a queue is sorted by."""
    return (-row["files"], row["content_id"], row["kind"])
