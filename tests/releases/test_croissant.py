"""croissant.json names every Parquet file by digest and every column, as the vocabulary has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest

from stackcurate.releases.columns import MEANINGS
from stackcurate.releases.croissant import CONFORMS_TO, NAME, croissant
from stackcurate.releases.manifest import build_manifest, read_manifest
from stackcurate.schema import FILE

from .helpers import HOSTILE, corpus, facts

TYPES = {"sc:Text", "sc:Integer", "sc:Float", "sc:Boolean", "sc:Date"}


@pytest.fixture
def said(release: Path) -> dict[str, Any]:
    return json.loads((release / NAME).read_text())


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_it_ships_with_the_release_and_says_what_the_manifest_says(
    release: Path, said: dict[str, Any]
) -> None:
    manifest = read_manifest(release)
    assert NAME in {entry["path"] for entry in manifest["files"]}
    assert said["conformsTo"] == CONFORMS_TO
    assert (said["@type"], said["name"]) == ("sc:Dataset", manifest["name"])
    assert (said["version"], said["identifier"]) == (manifest["version"], manifest["release_id"])
    assert manifest["release_id"] in said["citeAs"]


def test_every_parquet_file_is_there_with_its_digest(release: Path, said: dict[str, Any]) -> None:
    objects = {one["name"]: one for one in said["distribution"] if one["@type"] == "cr:FileObject"}
    found = {path.relative_to(release).as_posix() for path in release.rglob("*.parquet")}
    assert set(objects) == found
    for name, one in objects.items():
        data = (release / unquote(one["contentUrl"])).read_bytes()
        assert one["sha256"] == hashlib.sha256(data).hexdigest(), name
        assert one["contentSize"] == f"{len(data)} B"
    (data_set,) = [one for one in said["distribution"] if one["@type"] == "cr:FileSet"]
    assert {
        path.relative_to(release).as_posix() for path in release.glob(data_set["includes"])
    } == {name for name in found if name.startswith("data/")}


def test_every_column_is_a_field_that_reads_itself(release: Path, said: dict[str, Any]) -> None:
    (records,) = said["recordSet"]
    fields = {field["name"]: field for field in records["field"]}
    shipped = pq.read_schema(next(release.glob("data/*/*.parquet"))).names
    assert list(fields) == FILE.names == shipped
    for name, field in fields.items():
        assert field["description"] == MEANINGS[name]
        assert field.get("repeated", False) == str(FILE.field(name).type).startswith("list")
        leaves = field.get("subField", [field])
        assert {leaf["dataType"] for leaf in leaves} <= TYPES
        assert {leaf["source"]["extract"]["column"] for leaf in leaves} == {name}
    parts = fields["redactions"]["subField"]
    wanted = [part.name for part in FILE.field("redactions").type.value_type]
    assert [part["source"]["transform"]["jsonPath"] for part in parts] == wanted
    types = {name: fields[name].get("dataType") for name in ("path", "is_test", "places")}
    assert types == {"path": "sc:Text", "is_test": "sc:Boolean", "places": "sc:Integer"}
    assert fields["visit_date"]["dataType"] == "sc:Date"
    assert fields["alpha_fraction"]["dataType"] == "sc:Float"


def test_ids_are_unique_references_lead_somewhere_and_terms_are_known(said: dict[str, Any]) -> None:
    body = {key: value for key, value in said.items() if key != "@context"}
    made = [node["@id"] for node in nodes(body) if "@type" in node and "@id" in node]
    assert len(made) == len(set(made))
    assert {node["@id"] for node in nodes(body) if set(node) == {"@id"}} <= set(made)
    assert not any(set(one) & set(' #?"<>') for one in made)
    used = {key for node in nodes(body) for key in node if not key.startswith("@")}
    schema_org = {
        "alternateName", "contentSize", "contentUrl", "creator", "description", "distribution",
        "encodingFormat", "identifier", "keywords", "license", "name", "sha256", "version",
        "familyName", "givenName", "url",
    }  # fmt: skip
    assert used - schema_org <= set(said["@context"])


def test_persons_groups_and_hostile_words() -> None:
    person = {"given-names": "Ada", "family-names": "L", "orcid": "https://orcid.org/0"}
    made = facts({}, [], authors=["A Group", person], title=HOSTILE, description=HOSTILE)
    totals = {"files": 0, "bytes": 0, "languages": [], "classes": [], "licenses": []}
    said = json.loads(croissant(made, build_manifest(made, {}, totals)))
    assert said["creator"] == [
        {"@type": "sc:Organization", "name": "A Group"},
        {
            "@type": "sc:Person",
            "name": "Ada L",
            "givenName": "Ada",
            "familyName": "L",
            "url": "https://orcid.org/0",
        },
    ]
    assert said["description"] == HOSTILE


def test_the_reference_reader_takes_it_and_reads_the_files(release: Path) -> None:
    reader = pytest.importorskip(
        "mlcroissant",
        reason="mlcroissant is not among our wheels (it needs jsonpath-rw, a source package)",
    )
    found = reader.Dataset(release / NAME)
    assert not found.metadata.issues.errors
    assert {word.split('"')[1] for word in found.metadata.issues.warnings} <= {
        "https://schema.org/datePublished"  # a release does not know when it was made
    }
    texts = sorted(record["files/content"].decode() for record in found.records("files"))
    assert texts == sorted(row["content"] for row in corpus())
