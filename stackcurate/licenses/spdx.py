"""Writes what a scan found as an SPDX 2.3 document, the bill of materials that other tools read.

Facts only: every file with its digests and the license concluded for it. SPDX knows listed ids and
LicenseRefs, so an id that is neither becomes a LicenseRef, and every LicenseRef comes with the text
that it stands for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stackcurate import __version__
from stackcurate.licenses.expression import combine, ids
from stackcurate.licenses.policy import table

NONE = "NOASSERTION"


def sbom(
    name: str,
    scanned: pa.Table,
    own: Mapping[str, str],
    digests: Mapping[str, tuple[str, str]],
    texts: Mapping[str, str],
    created: str,
) -> dict[str, Any]:
    """An SPDX 2.3 document (JSON) of a folder.

    ``scanned`` and ``own`` are what ``alone.scan`` gives, ``digests`` the SHA-1 and SHA-256 (hex)
    of each path's bytes, ``texts`` what states a license, by the path of the ``evidence`` of
    ``scanned`` or of ``own`` (for headers ``header:`` and that path). ``created`` is a time as
    ``2026-01-31T00:00:00Z``, the only value here that is not a fact about the files. Paths without
    digests (they could not be read) are left out.
    """
    rows = [row for row in scanned.to_pylist() if row["path"] in digests]
    files = [
        _file(number, row, listed(own.get(row["path"])), digests[row["path"]])
        for number, row in enumerate(rows, 1)
    ]
    stated = {one["licenseConcluded"] for one in files} - {NONE}
    inside = {listed(own.get(row["path"])) for row in rows} - {NONE}
    declared = [listed(row["license_expression"]) for row in rows if _is_of_root(row["evidence"])]
    key = hashlib.sha256("".join(sorted(both[1] for both in digests.values())).encode()).hexdigest()
    package = _package(name, files, stated, inside, next(iter(declared), None))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:sha256:{key}",
        "creationInfo": {"created": created, "creators": [f"Tool: stackcurate-{__version__}"]},
        "packages": [package],
        "files": files,
        "relationships": [
            _relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package"),
            *(_relation("SPDXRef-Package", "CONTAINS", one["SPDXID"]) for one in files),
        ],
        "hasExtractedLicensingInfos": _explained(stated | inside, _texts_of_refs(rows, own, texts)),
    }


def _file(
    number: int, row: Mapping[str, Any], found: str, digests: tuple[str, str]
) -> dict[str, Any]:
    evidence = row["evidence"] or {"kind": "", "path": ""}
    source = "header" if evidence["kind"] == "header" else evidence["path"] or "nothing"
    return {
        "SPDXID": f"SPDXRef-File-{number}",
        "fileName": f".{row['path']}",
        "checksums": _checksums(digests),
        "licenseConcluded": listed(row["license_expression"]),
        "licenseInfoInFiles": sorted(_names(found)),
        "copyrightText": NONE,
        "comment": f"stated by {source}",
    }


def _is_of_root(evidence: Mapping[str, Any] | None) -> bool:
    """Whether a file of the root itself, and no header, says a license."""
    return (
        evidence is not None and evidence["kind"] != "header" and evidence["path"].count("/") == 1
    )


def _texts_of_refs(
    rows: list[dict[str, Any]], own: Mapping[str, str], texts: Mapping[str, str]
) -> dict[str, str]:
    """The text that each license name stands for, as far as ``texts`` has it."""
    found: dict[str, str] = {}
    for row in rows:
        evidence = row["evidence"] or {"kind": "", "path": ""}
        key = f"header:{evidence['path']}" if evidence["kind"] == "header" else evidence["path"]
        inside = (own.get(row["path"]), texts.get(row["path"]))
        for expression, text in ((row["license_expression"], texts.get(key)), inside):
            for ref in _names(listed(expression)) if text else ():
                found.setdefault(ref, text or "")
    return found


def _package(
    name: str,
    files: list[dict[str, Any]],
    stated: set[str],
    inside: set[str],
    declared: str | None,
) -> dict[str, Any]:
    return {
        "SPDXID": "SPDXRef-Package",
        "name": name,
        "downloadLocation": NONE,
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": _code(files)},
        "licenseConcluded": combine(sorted(stated)) or NONE,
        "licenseDeclared": declared or NONE,
        "licenseInfoFromFiles": sorted(set().union(*map(_names, inside))) or [NONE],
        "copyrightText": NONE,
    }


def _checksums(digests: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"algorithm": algorithm, "checksumValue": value}
        for algorithm, value in zip(("SHA1", "SHA256"), digests, strict=True)
    ]


def listed(expression: str | None) -> str:
    """An expression whose ids are all SPDX's own or LicenseRefs; NOASSERTION for None."""
    if expression is None:
        return NONE
    # SPDX 2.3 has no exceptions of one's own making.
    if re.search(r"\bWITH LicenseRef-", expression):
        return NONE
    names = sorted(ids(expression), key=len, reverse=True)
    for name in names:
        known = table().find(name.removesuffix("+"))
        if known is None and not name.startswith("LicenseRef-"):
            own = "LicenseRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)
            expression = re.sub(rf"(?<![\w.+-]){re.escape(name)}(?![\w.+-])", own, expression)
    return expression


def _names(expression: str) -> frozenset[str]:
    """The licenses of an expression; its exceptions cannot stand alone."""
    if expression == NONE:
        return frozenset({NONE})
    after = set(re.findall(r"\bWITH ([\w.-]+)", expression))
    return frozenset(ids(expression) - after)


def _relation(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _code(files: list[dict[str, Any]]) -> str:
    """SPDX's verification code: SHA-1 over the sorted SHA-1s of all files."""
    digests = sorted(one["checksums"][0]["checksumValue"] for one in files)
    return hashlib.sha1("".join(digests).encode(), usedforsecurity=False).hexdigest()


def _explained(stated: set[str], said_by: Mapping[str, str]) -> list[dict[str, str]]:
    found = []
    for name in sorted(set().union(*map(_names, stated))):
        if name.startswith("LicenseRef-"):
            known = table().find(name)
            why = known.why or known.category if known else ""
            said = f"see the license database of ScanCode; {why}" if known else "no list has it"
            text = said_by.get(name) or said
            found.append({"licenseId": name, "extractedText": text, "comment": said})
    return found
