"""The labelled set is sound, and the scorecard holds its bars on it."""

from __future__ import annotations

import re

import pytest

from stackcurate.redaction.checkdigits import luhn
from stackcurate.redaction.labelled import SEED, cases
from stackcurate.redaction.rules import load, table_digest
from stackcurate.redaction.scorecard import scorecard
from stackcurate.redaction.settings import KINDS, Settings

CARD = scorecard()


@pytest.mark.parametrize("kind", KINDS)
def test_bars(kind: str) -> None:
    scores = CARD["kinds"][kind]
    assert scores["labels"] >= 18
    assert scores["recall"] >= 0.96  # passwords of plain letters are what is missed
    assert scores["precision"] >= 0.95


def test_it_names_what_it_measured() -> None:
    assert CARD["rules"] == table_digest() and CARD["settings"] == Settings().digest()
    assert scorecard() == CARD


def test_labels_stand_where_they_say() -> None:
    for case in cases():
        for label in case.labels:
            value = case.text[label.start : label.end]
            assert value and value == value.strip() and label.kinds[0] in KINDS
            assert not re.search(rb"[{}<>\1\2\3]", value), (label.format, case.path)
            if label.kinds == ("card",):
                assert luhn(re.sub(r"\D", "", value.decode()))
    assert len({case.path for case in cases()}) >= 20


def test_no_value_is_shared_with_the_rules_examples() -> None:
    assert SEED not in {rule.id for rule in load().rules}
    examples = "\n".join(text for rule in load().rules for text in rule.match).encode()
    for case in cases():
        for label in case.labels:
            assert case.text[label.start : label.end] not in examples


def test_a_loose_look_finds_less() -> None:
    loose = scorecard(Settings(sensitivity="loose"))["kinds"]["all"]
    assert loose["found"] <= CARD["kinds"]["all"]["found"]
