"""Card and citation: complete, readable, and safe with names from strangers."""

from __future__ import annotations

import pytest
import yaml

from stackcurate.releases.card import _cell, _code, card, drops, size_category
from stackcurate.releases.citation import citation
from stackcurate.releases.columns import MEANINGS
from stackcurate.releases.manifest import build_manifest
from stackcurate.schema import FILE

from .helpers import HOSTILE, facts

TOTALS = {
    "files": 3,
    "bytes": 30,
    "languages": [{"language": "Python", "folder": "Python", "files": 3, "bytes": 30}],
    "licenses": [
        {"expression": f"LicenseRef-{n} | {HOSTILE}", "class": None, "files": 1, "bytes": 10}
        for n in range(30)
    ],
    "classes": [{"class": None, "files": 3, "bytes": 30}],
    "redactions": [],
    "clusters": [],
}


def test_every_column_has_a_meaning_and_no_other() -> None:
    assert list(MEANINGS) == FILE.names


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**9, "1B<n<10B"), (10**13, "n>1T")],
)
def test_size_categories(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_cells_cannot_leave_their_table() -> None:
    for shown in (_cell(HOSTILE + "|x`"), _code(HOSTILE + "|x`")):
        assert "\n" not in shown and "\x1b" not in shown
        assert "|" not in shown.replace("\\|", "")
    assert "<" not in _cell(HOSTILE).replace("\\<", "")
    assert _code("a`b") == "`a'b`"
    assert _cell("*none*") == "*none*"


def test_card_shortens_long_lists_and_says_so() -> None:
    made = facts({}, [], optout={}, description="What it is.", title="A title")
    text = card(made, build_manifest(made, {}, TOTALS))
    assert "# A title 1.0.0\n\nWhat it is.\n" in text
    assert "5 more expressions are in `manifest.json`." in text
    assert "built without an opt-out registry" in text
    assert "No redactions were made" in text
    assert "| *none* | 3 | 30 B |" in text
    assert "\n\n\n" not in text
    header = yaml.safe_load(text.split("---\n")[1])
    assert [config["config_name"] for config in header["configs"]] == ["default", "Python"]


def test_drops_follow_the_road_whatever_the_order_of_the_counts() -> None:
    one = {"files": 1, "bytes": 1}
    dropped = {stage: {"b": one, "a": one} for stage in ("dedup", "zzz", "source", "optout")}
    found = [
        f"{stage}:{reason}"
        for stage, reason, _ in drops({"stages": ["optout", "dedup"], "dropped": dropped})
    ]
    assert found == [
        f"{stage}:{reason}" for stage in ("source", "optout", "dedup", "zzz") for reason in "ab"
    ]


def test_citation_takes_names_and_persons() -> None:
    person = {"given-names": "Ada", "family-names": "L: #1"}
    made = facts({}, [], authors=["A Group", person], title="T: 'quoted'", description="D")
    found = yaml.safe_load(citation(made, build_manifest(made, {}, TOTALS)))
    assert found["authors"] == [{"name": "A Group"}, person]
    assert (found["title"], found["abstract"]) == ("T: 'quoted'", "D")
    assert found["identifiers"][0]["value"].startswith("stack-test-v1.0.0-")
    assert "date-released" not in found
