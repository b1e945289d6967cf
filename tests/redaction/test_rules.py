"""Every rule of the table proves itself on its own examples and survives its worst case."""

from __future__ import annotations

import random
import re
import time

import pyarrow as pa
import pytest

from stackcurate.errors import ConfigError
from stackcurate.redaction.blocks import BLOCKS
from stackcurate.redaction.examples import base62, expand
from stackcurate.redaction.find import find
from stackcurate.redaction.judges import JUDGES
from stackcurate.redaction.rules import Rule, _initials, load, table_digest, tlds
from stackcurate.redaction.settings import Settings

TABLE = load()
PATHS = ("src/app.py", "deploy/app.env", "home/.netrc", "home/.pgpass")


def rules_of(text: str, path: str) -> set[str]:
    spans = find(pa.array([text], pa.large_string()), pa.array([path]), Settings())
    return {span.rule.id for span in spans}


@pytest.mark.parametrize("rule", TABLE.rules, ids=lambda rule: rule.id)
def test_examples(rule: Rule) -> None:
    kernel_only = rule.scan.startswith(b"SCAN-NEVER")
    assert rule.match or kernel_only
    for text in rule.match:
        # Another rule may be surer of the same text; somebody must take it.
        assert any(rules_of(text, path) for path in PATHS), rule.id
        if rule.judge not in BLOCKS:
            assert rule.exact.search(text.encode()), rule.id
    for text in rule.no_match:
        assert not any(rule.id in rules_of(text, path) for path in PATHS), rule.id


@pytest.mark.parametrize(
    "rule",
    [rule for rule in TABLE.rules if not rule.scan.startswith(b"SCAN-NEVER")],  # kernels find those
    ids=lambda rule: rule.id,
)
def test_scan_pattern_matches_wherever_the_exact_one_does(rule: Rule) -> None:
    for text in (*rule.match, *rule.no_match):
        for line in text.encode().split(b"\n"):
            for match in rule.exact.finditer(line):
                assert re.search(rule.scan, line[max(0, match.start() - 40) : match.end() + 40])


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i:pass(?!x)|(?:data|db)_?key|[_.]pw|(?-i:Pw(?<=[a-z]Pw))|pa(?:ss|d)|p)[ =]",
        r"(?i:k[()|\]]y|(?:a|(?:b|c)d)?e|\(f)=",
        "(?i:(?:a|b)?c|d)=",
        "plain",
    ],
)
def test_words_sorted_by_their_first_letter_match_the_same(pattern: str) -> None:
    plain = re.compile(pattern)
    chance = random.Random(7)
    pieces = [
        "pass",
        "PASS",
        "x",
        "=",
        " ",
        "data",
        "db_key",
        "_pw",
        ".PW",
        "aPw",
        "Pw",
        "pad",
        "p",
    ]
    pieces += ["k(y", "K|Y", "a", "ad", "cde", "(f", "c", "d", "plain"]
    hits = 0
    for _ in range(3000):
        text = "".join(chance.choices(pieces, k=6))
        spans = [match.span() for match in plain.finditer(text)]
        hits += len(spans)
        assert [match.span() for match in re.finditer(_initials(pattern), text)] == spans, text
    assert hits > 100


def test_the_names_rules_skip_to_first_letters() -> None:
    for name in ("assigned-quoted", "assigned-line", "assigned-bare", "named-random"):
        assert TABLE.rules[TABLE.number(name)].exact.pattern.startswith(b"(?:"), name


def test_table_is_sound() -> None:
    for rule in TABLE.rules:
        assert rule.judge in JUDGES or rule.judge in BLOCKS, rule.id
        assert 0 < rule.confidence <= 1
        assert rule.about
        assert b"\\b" not in rule.scan, "files adjoin in the buffer: no edges in scan patterns"
        assert not rule.exact.search(b"\n" * 9)
    assert len(TABLE.rules) >= 200
    assert len(table_digest()) == 64


def test_no_example_in_the_table_is_a_live_format() -> None:
    """The file itself, as a scanner would see it, holds no complete token."""
    from stackcurate.redaction.rules import TABLE as path

    text = path.read_text("utf-8")
    spans = find(pa.array([text], pa.large_string()), pa.array(["table.yaml"]), Settings())
    by_format = {"named-key", "assigned-quoted", "assigned-line", "assigned-bare", "url-password"}
    others = {span.rule.id for span in spans if span.rule.kind == "key"}
    assert others <= by_format


@pytest.mark.parametrize("rule", TABLE.rules, ids=lambda rule: rule.id)
def test_worst_case_stays_linear(rule: Rule) -> None:
    """Twice the hostile text may not cost more than linear growth explains, with wide room."""
    seeds = [*(text.encode()[:60] for text in rule.match[:1]), b"a1", b'"', b"password=", b"eyJ"]
    for seed in seeds:
        pumped = seed.replace(b"\n", b" ") * (20000 // max(1, len(seed)))
        started = time.process_time()
        for _ in rule.exact.finditer(pumped):
            pass
        # A backtracking bomb takes minutes here; bounded patterns take milliseconds.
        assert time.process_time() - started < 5


def test_bad_table_names_the_rule(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "rules.yaml"
    path.write_text(
        "edges: {word: a-z}\nwords: {}\nrules:\n"
        "  - {id: broken, kind: key, about: x, pattern: '(', confidence: 1}\n"
    )
    with pytest.raises(ConfigError, match="broken"):
        load(path)


def test_examples_expand_the_same_everywhere() -> None:
    assert expand("x{a-c*3}y", "rule") == expand("x{a-c*3}y", "rule")
    assert len(expand("{A-Za-z0-9*30}{crc*6}", "github")) == 36
    assert expand("no hole", "x") == "no hole"
    assert base62(61, 2) == "0z"


def test_tlds_are_small_letters() -> None:
    assert b"com" in tlds() and b"example" not in tlds()
    assert all(name == name.lower() for name in tlds())
