"""The tables hold what the code relies on."""

import json

import pytest
import re2
import yaml

from stackcurate.languages.table import TABLES, facts, language_names

RULES = yaml.safe_load((TABLES / "languages.evidence.yaml").read_text("utf-8"))


def search(pattern: str, data: bytes) -> bool:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return bool(re2.compile(f"(?m){pattern}".encode(), options).search(data))


def test_whole_table_with_source_and_notice():
    table = json.loads((TABLES / "languages.json").read_text("utf-8"))
    assert len(table["languages"]) > 700
    assert table["version"] and table["license"] == "MIT"
    assert "Permission is hereby granted" in table["notice"]
    assert list(table["languages"]) == sorted(table["languages"])


def test_one_language_a_line():
    lines = (TABLES / "languages.json").read_text("utf-8").splitlines()
    assert sum(line.startswith('"Python": {') for line in lines) == 1


@pytest.mark.parametrize("language", sorted(RULES["evidence"]))
def test_every_pattern_matches_its_example(language):
    assert language in facts().languages
    for weight, pattern, example in RULES["evidence"][language]:
        data = example.encode("latin-1" if "\x80" in example else "utf-8")
        assert search(pattern, data), pattern
        assert weight in (1, 2, 4, 8)


def test_evidence_is_only_for_languages_that_share_a_name():
    table = facts()
    shared = {
        name
        for lookup in (table.by_extension, table.by_filename, table.by_interpreter)
        for names in lookup.values()
        if len(names) > 1
        for name in names
    }
    assert set(table.evidence) <= shared


def test_defaults_are_candidates():
    table = facts()
    for extension, language in table.default_of_extension.items():
        candidates = table.by_extension[extension]
        assert language in candidates and len(candidates) > 1, extension
    for program, language in table.default_of_interpreter.items():
        assert language in table.by_interpreter[program]
    assert set(RULES["modes"].values()) <= set(language_names())
