"""Compares the license that a package's metadata declares with the one found in its own files.

    python benchmarks/licenses.py --metadata FOLDER [--list FILE]

A truth that neither ScanCode nor this tool wrote: people who know a package wrote its license into
``METADATA`` (PyPI), ``package.json`` (npm) or ``debian/copyright`` (Debian's maintainers, about
somebody else's package). FOLDER is filled with the packages of ``metadata_packages.txt`` by their
own clients, as ``corpus.py`` does, and kept.

What is found comes from the license files at the package's root alone: the metadata is hidden from
the detector. For Debian that is the upstream archive, without the ``debian`` folder.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.parser import HeaderParser
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))

from corpus import DOWNLOADS, Downloads, Package, packages, texts

from stackcurate.licenses import names
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.expression import _key as meaning
from stackcurate.licenses.expression import combine, license_class, parse
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.manifests import declared
from stackcurate.licenses.paths import about_paths, catches_all
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.spoken import UNKNOWN

LIST = Path(__file__).with_name("metadata_packages.txt")
_METADATA = {"pip": r"[^/]+\.dist-info/METADATA", "npm": r"package\.json"}


class Compared(NamedTuple):
    """One package: what its metadata declares, what its files state, and how they relate."""

    package: str
    declared: str
    written: str  # the declaration as people wrote it
    found: str | None
    whole: str | None  # found, the metadata beside it: what a run would decide
    relation: str


RELATIONS = {
    "same": "the same expression",
    "version": "the same license, but for a version or an or-later that one side leaves open",
    "more": "the declared license beside others",
    "less": "a part of what is declared",
    "other": "another license",
    "silent": "no license file at the root",
}
COLUMNS = {
    "class": "files and metadata are of the same class",
    "decided": "files and metadata together give the declared expression, as a run decides it",
}


# --- one package ----------------------------------------------------------------------------------


def read(
    package: Package, folder: Path, cache: Cache, judge: Any
) -> tuple[str, str, list[tuple[str, bytes]]] | None:
    """(declared expression, as written, control files at the root); None where none is declared."""
    files = [(path, data) for path, data in texts(package, folder)]
    if package.ecosystem == "apt":
        stated = _debian(folder, cache, judge)
        files = [(path, data) for path, data in files if not path.startswith("debian/")]
    else:
        told = [(p, d) for p, d in files if re.fullmatch(_METADATA[package.ecosystem], p)]
        stated = _own(*told[0]) if told else None
    if stated is None:
        return None
    return (*stated, files)


def _own(path: str, data: bytes) -> tuple[str, str] | None:
    stated = declared(path, data)
    if stated is None or stated.expression == UNKNOWN:
        return None
    if path.endswith("METADATA"):
        message = HeaderParser().parsestr(data.decode("utf-8", "replace"))
        lines = [message.get("License-Expression"), message.get("License")]
        lines += [one for one in message.get_all("Classifier") or () if one.startswith("License")]
        return stated.expression, "; ".join(line[:80] for line in lines if line)
    return stated.expression, data[stated.start : stated.end].decode("utf-8", "replace")[:200]


def _debian(folder: Path, cache: Cache, judge: Any) -> tuple[str, str] | None:
    """What the last paragraph about all files says in the copyright file of a Debian source."""
    for file in folder.glob("*.debian.tar.*"):
        with tarfile.open(file) as archive:
            stream = archive.extractfile("debian/copyright")
            data = stream.read() if stream else b""
        item = Text(bytes(20), "debian/copyright", names.MANIFEST, data)
        rows = detect_texts([item], cache, judge).to_pylist()
        said = [r for r in rows if about_paths(r["rule"]) and catches_all(r["rule"])]
        if said and said[-1]["expression"] != UNKNOWN:
            paragraph = data[said[-1]["start"] : said[-1]["end"]].decode("utf-8", "replace")
            short = re.search(r"(?m)^License:[ \t]*(.*)$", paragraph)
            return said[-1]["expression"], short[1].strip() if short else ""
    return None


def found_in(files: Sequence[tuple[str, bytes]], hidden: bool, cache: Cache, judge: Any) -> Any:
    """What the root of a package states; ``hidden`` leaves its manifests out."""
    paths = pa.array(["/" + path for path, _ in files], pa.string())
    kinds = names.control_files(paths).to_pylist()
    items = [
        Text(b"%020d" % number, "/" + path, kind, data)
        for number, ((path, data), kind) in enumerate(zip(files, kinds, strict=True))
        if kind not in (None, *names.LAYOUT_KINDS)
        and _at_root(path)
        and not (hidden and kind == names.MANIFEST)
    ]
    evidence = detect_texts(items, cache, judge)
    decided = folders(
        pa.array([item.name for item in items], pa.string()),
        [item.content_id.hex() for item in items],
        evidence,
        LicenseSettings(),
    )
    return next((r["license_expression"] for r in decided.to_pylist() if r["folder"] == ""), None)


def _at_root(path: str) -> bool:
    return "/" not in path or bool(re.match(r"[^/]+\.dist-info/", path))


# --- how two expressions relate -------------------------------------------------------------------


def relation(said: str, found: str | None) -> str:
    """One of RELATIONS: ``said`` is what the metadata declares."""
    if found is None:
        return "silent"
    if meaning(parse(said)) == meaning(parse(found)):
        return "same"
    one, other = _loose(said), _loose(found)
    if one == other:
        return "version"
    return "more" if one < other else "less" if other < one else "other"


def _loose(expression: str) -> frozenset[str]:
    """The licenses of an expression without only, or-later, and the number of BSD's clauses."""
    parts = re.split(r" AND | OR ", expression.replace("(", "").replace(")", ""))
    return frozenset(re.sub(r"-only|-or-later|\+|(?<=^BSD)-[23]-Clause", "", one) for one in parts)


# --- all packages ---------------------------------------------------------------------------------


def compare(folder: Path, wanted: Sequence[Package], judge: Any) -> Iterator[Compared | str]:
    """One result per package, in order; the name alone where its metadata declares nothing."""
    cache = Cache()
    for package in wanted:
        given = read(package, folder / package.label, cache, judge)
        if given is None:
            yield package.label
            continue
        said, written, files = given
        found = found_in(files, True, cache, judge)
        entire = combine([one for one in (found_in(files, False, cache, judge),) if one])
        yield Compared(package.label, said, written, found, entire, relation(said, found))


def report(folder: Path, judge: Any, listed: Path | None) -> None:
    """Download what is missing, compare, print the table; ``listed`` gets the disagreements."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = packages(LIST)
    downloads = Downloads(folder)
    downloads.prepare(wanted)
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        have = [
            p for p, place in zip(wanted, pool.map(downloads.get, wanted), strict=True) if place
        ]
    print(f"{len(have)} packages, {len(downloads.failed)} could not be had")
    results = list(compare(folder, have, judge))
    told = [one for one in results if isinstance(one, Compared)]
    print(f"{len(told)} declare a license that can be read, {len(results) - len(told)} do not\n")
    _table(told)
    if listed is not None:
        lines = [json.dumps(one._asdict(), ensure_ascii=False) for one in told]
        listed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _table(told: Sequence[Compared]) -> None:
    rows: dict[str, Counter[str]] = {}
    for one in told:
        classes = license_class(one.declared), license_class(one.found)
        for key in (one.declared, "all", f"all of {one.package.partition('/')[0]}"):
            row = rows.setdefault(key, Counter())
            row.update(("packages", one.relation))
            row["class"] += one.found is not None and classes[0] == classes[1]
            row["decided"] += relation(one.declared, one.whole) == "same"
    columns = ["packages", *RELATIONS, *COLUMNS]
    print("| declared | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in sorted(rows.items(), key=lambda item: (-item[1]["packages"], item[0])):
        print(f"| {name} | " + " | ".join(str(row[column]) for column in columns) + " |")
    print("\n" + "\n".join(f"{name}: {text}" for name, text in (RELATIONS | COLUMNS).items()))
