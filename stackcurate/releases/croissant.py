"""croissant.json: the release for tools that read datasets by the Croissant vocabulary (1.0).

Written from the manifest: every Parquet file with its SHA-256, and the columns of the files as a
record set. A release knows neither its address nor its date, so `url` and `datePublished` are left
to whoever hosts it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from stackcurate.releases.citation import authors
from stackcurate.releases.cite import bibtex
from stackcurate.releases.columns import MEANINGS
from stackcurate.releases.facts import ReleaseFacts
from stackcurate.schema import FILE

NAME = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_PARQUET = "application/x-parquet"  # what readers of 1.0 know; the registered name is newer
_SET, _DATA = "files", "data"  # ids of the record set, and of the set of files that it reads

# The terms of Croissant 1.0, as its specification and its reference reader map them: readers
# compare the context as a whole.
_OWN = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
)  # fmt: skip
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _OWN},
}


def croissant(facts: ReleaseFacts, manifest: Mapping[str, Any]) -> str:
    """The JSON-LD of the release that ``manifest`` describes."""
    totals = manifest["totals"]
    described = facts.description or f"{facts.heading}: source files, built with stackcurate."
    value = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": manifest["name"],
        "alternateName": facts.heading,
        "description": described,
        "identifier": manifest["release_id"],
        "version": manifest["version"],
        "keywords": ["code", "source code", "stackcurate"],
        "license": "Each file keeps its own license: see the field license_expression",
        "creator": [_creator(author) for author in authors(facts)],
        "citeAs": bibtex(
            authors(facts), facts.heading, facts.version, manifest["release_id"], None
        ),
        "isLiveDataset": False,
        "distribution": list(_distribution(manifest["files"])),
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _SET,
                "name": _SET,
                "description": f"One record per file: {totals['files']} of them.",
                "key": {"@id": f"{_SET}/content_id"},
                "field": [_field(column) for column in FILE],
            }
        ],
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _distribution(files: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The set of data files, and every Parquet file by itself."""
    yield {
        "@type": "cr:FileSet",
        "@id": _DATA,
        "name": _DATA,
        "description": "The files of the dataset, a folder per language.",
        "encodingFormat": _PARQUET,
        "includes": "data/*/*.parquet",
    }
    for entry in files:
        if entry["path"].endswith(".parquet"):
            place = quote(entry["path"])
            yield {
                "@type": "cr:FileObject",
                "@id": place,
                "name": entry["path"],
                "contentUrl": place,
                "contentSize": f"{entry['bytes']} B",
                "encodingFormat": _PARQUET,
                "sha256": entry["sha256"],
            }


def _field(column: pa.Field) -> dict[str, Any]:
    """A column as a field; a list of records as a repeated field with sub-fields."""
    made = {
        "@type": "cr:Field",
        "@id": f"{_SET}/{column.name}",
        "name": column.name,
        "description": MEANINGS[column.name],
    }
    kind = column.type
    if pa.types.is_list(kind):
        made["repeated"] = True
        kind = kind.value_type
    source = {"fileSet": {"@id": _DATA}, "extract": {"column": column.name}}
    if not pa.types.is_struct(kind):
        return made | {"dataType": _data_type(kind), "source": source}
    made["subField"] = [
        {
            "@type": "cr:Field",
            "@id": f"{_SET}/{column.name}/{part.name}",
            "name": part.name,
            "dataType": _data_type(part.type),
            "source": source | {"transform": {"jsonPath": part.name}},
        }
        for part in kind
    ]
    return made


def _data_type(kind: pa.DataType) -> str:
    for test, name in (
        (pa.types.is_boolean, "sc:Boolean"),
        (pa.types.is_integer, "sc:Integer"),
        (pa.types.is_floating, "sc:Float"),
        (pa.types.is_timestamp, "sc:Date"),
    ):
        if test(kind):
            return name
    return "sc:Text"


def _creator(author: Mapping[str, Any]) -> dict[str, str]:
    """A person or a group by schema.org's words."""
    family = author.get("family-names")
    if not family:
        return {"@type": "sc:Organization", "name": str(author.get("name", ""))}
    given = str(author.get("given-names", ""))
    person = {"@type": "sc:Person", "name": f"{given} {family}".strip()}
    parts = {"givenName": given, "familyName": str(family), "url": str(author.get("orcid", ""))}
    return person | {name: value for name, value in parts.items() if value}
