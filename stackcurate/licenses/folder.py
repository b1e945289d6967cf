"""What one folder states: its license files and manifests, judged together.

License files speak first. A text cannot say everything: the GPL's is the same for "only" and "or
later", and LICENSE-MIT beside LICENSE-APACHE does not say whether both bind. Where a manifest
beside them says it, and takes nothing away, its word is the folder's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stackcurate.licenses import names
from stackcurate.licenses.expression import combine, ids, license_class, operands
from stackcurate.licenses.policy import RANK
from stackcurate.licenses.spoken import UNKNOWN


@dataclass(frozen=True)
class Statement:
    """One folder's evidence: kind, file name, expression (None: undetermined) and evidence id.

    ``path`` is the whole path of the file that says it, in this folder or another; ``base`` the
    folder from which its words name files, where that is another one (it is a link).
    """

    kind: str
    name: str
    expression: str | None
    evidence_id: str
    rule: str = ""
    start: int = 0
    path: str | None = None
    base: str | None = None


def decide(statements: Sequence[Statement]) -> tuple[str, str] | None:
    """Expression and evidence id of one folder's statements; None where none can decide.

    A manifest that is stricter than the license file beside it contradicts it: both bind.
    """
    ordered = sorted(statements, key=lambda s: (s.kind, s.name, s.evidence_id))
    files = [s for s in ordered if s.kind == names.LICENSE_FILE and _says_something(s)]
    manifests = [s for s in ordered if s.kind == names.MANIFEST and _says_something(s)]
    if not files:
        manifest = combine(dict.fromkeys(s.expression or UNKNOWN for s in manifests))
        return (manifest, manifests[0].evidence_id) if manifest else None
    if any(s.expression is None for s in files):
        undetermined = next(s for s in files if s.expression is None)
        return UNKNOWN, undetermined.evidence_id
    expression = _of_files(files)
    clearer = _clearer(expression, manifests)
    if clearer is not None:
        return clearer
    # What says it: the file of the same class, not one that lies beside it.
    name = license_class(expression)
    first = next((s for s in files if license_class(s.expression) == name), files[0]).evidence_id
    for statement in manifests:
        said = statement.expression
        worse = said and said != UNKNOWN and _worse(said, expression)
        if worse and not _families(said or "") <= _families(expression):
            return combine([expression, said or ""]) or expression, statement.evidence_id
    return expression, first


def _of_files(files: Sequence[Statement]) -> str:
    """What license files state together: they bind together, with two exceptions.

    A file that offers a choice goes with the texts of that choice, and the GPL's text stands beside
    the LGPL because the LGPL is written as an addition to it.
    """
    parts = dict.fromkeys(s.expression for s in files if s.expression)
    names_ = " ".join(s.name.lower() for s in files)
    if len(parts) == 2 and ("lesser" in names_ or "lgpl" in names_):
        lesser = [part for part in parts if part.startswith("LGPL-")]
        full = [part for part in parts if part.startswith("GPL-")]
        if lesser and full:
            return lesser[0]
    expression = combine(parts) or UNKNOWN
    offers, texts = _offers_and_texts(expression)
    met = [_families(offer) for offer in offers if _families(offer) <= _families_of(texts)]
    bound = [one for one in operands(expression) if one in offers or not _within(one, met)]
    return combine(bound) or UNKNOWN


def _clearer(expression: str, manifests: Sequence[Statement]) -> tuple[str, str] | None:
    """A manifest's expression and evidence id, where it says more clearly what the files say."""
    said = dict.fromkeys(s.expression for s in manifests)
    manifest = next(iter(said), None)
    if len(said) != 1 or manifest is None or UNKNOWN in ids(manifest) or manifest == expression:
        return None
    offers, texts = _offers_and_texts(expression)
    stated = _families_of(texts)
    # Texts of what the manifest offers; a file that says "either of these" is of the same mind.
    chosen = " OR " in manifest and len(stated) > 1 and stated <= _families(manifest)
    chosen = chosen and all(_families(offer) & _families(manifest) for offer in offers)
    # The same and more, and no laxer: "or later", or a second license whose text is elsewhere.
    refined = _families(expression) <= _families(manifest) and not _worse(expression, manifest)
    return (manifest, manifests[0].evidence_id) if chosen or refined else None


def _offers_and_texts(expression: str) -> tuple[list[str], list[str]]:
    """The parts that bind together: those that offer a choice, and the others."""
    parts = operands(expression)
    return [one for one in parts if " OR " in one], [one for one in parts if " OR " not in one]


def _within(text: str, offered: Sequence[frozenset[str]]) -> bool:
    return any(_families(text) <= one for one in offered)


def _families_of(expressions: Sequence[str]) -> frozenset[str]:
    return frozenset().union(*(_families(one) for one in expressions))


def _families(expression: str) -> frozenset[str]:
    """Licenses without "only" and "or later", which the texts of GNU licenses do not say."""
    return frozenset(re.sub(r"-(?:only|or-later)$", "", name) for name in ids(expression))


def _worse(one: str, other: str) -> bool:
    return RANK[license_class(one)] > RANK[license_class(other)]


def _says_something(statement: Statement) -> bool:
    return statement.expression is None or license_class(statement.expression) != "unstated"
