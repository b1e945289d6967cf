"""A known text changed at words that change what it grants, and at words that do not."""

import pytest

from stackcurate.licenses.riders import ALTERED, RESTRICTED, riders
from tests.licenses.conftest import body, rows, text

OWNER = "Copyright (c) 2020 Jane Roe\n\n"


def flat(key):
    return " ".join(body(key).split())


def stated(key, old, new):
    known = flat(key)
    assert old in known
    (row,) = rows(text(OWNER + known.replace(old, new)))
    return row["expression"]


CHANGED = [
    ("isc", "is hereby granted", "is hereby denied"),
    ("isc", "for any purpose", "for educational purpose"),
    ("isc", "for any purpose", "for any purpose inside Germany"),
    ("bsd-new", "with or without modification", "without modification"),
    ("bsd-new", "are permitted provided", "are permitted to universities provided"),
    ("boost-1.0", "hereby granted, free", "hereby granted for research, free"),
    ("apache-2.0", "royalty-free, irrevocable copyright", "royalty-bearing, revocable copyright"),
    ("mit", "free of charge", "upon payment of a fee"),
    ("mit", "free of charge", "free of charge for 30 days"),
    ("mit", "to any person obtaining", "to students obtaining"),
    ("mit", "to any person obtaining", "to any natural person obtaining"),
    ("mit", "to any person obtaining", "to any person outside the US obtaining"),
    ("mit", "sublicense, and/or sell copies", "and/or sublicense copies"),
    ("mit", "subject to the following", "subject to our written approval and the following"),
    ("unlicense", "Anyone is free to copy", "Anyone but Acme is free to copy"),
]


@pytest.mark.parametrize(("key", "old", "new"), CHANGED)
def test_a_changed_grant_is_not_permissive(key, old, new):
    assert ALTERED in stated(key, old, new)


SAME = [
    ("mit", "Permission is hereby granted", "Permision is herby granted", "MIT"),
    ("mit", "any person obtaining a copy", "any person obtaining copy", "MIT"),
    ("mit", "following conditions", "following condition", "MIT"),
    ("mit", "this software and associated", "the Acme library and associated", "MIT"),
    ("mit", "sublicense", "sublicence", "MIT"),
    ("isc", "this software for any", "this program for any", "ISC"),
    ("bsd-new", "Redistribution and use", "BSD-3-Clause Redistribution and use", "BSD-3-Clause"),
]


@pytest.mark.parametrize(("key", "old", "new", "expected"), SAME)
def test_names_spelling_and_articles_do_not_count(key, old, new, expected):
    assert stated(key, old, new) == expected


ADDED = [
    "No person or company that sells weapons may use this software.",
    "This license may be revoked at any time.",
    "Citizens of Atlantis are not granted any rights.",
    "Companies with more than 100 employees must obtain a separate license.",
    "Only students of Acme University may use this.",
    "For commercial use please contact sales@example.org.",
    "It is not permitted to use this software in nuclear facilities.",
]


@pytest.mark.parametrize("sentence", ADDED)
def test_sentences_that_take_back_are_riders(sentence):
    assert riders(sentence) == [RESTRICTED]
    (row,) = rows(text(f"{OWNER}{body('mit')}\n\n{sentence}\n"))
    assert RESTRICTED in row["expression"]


def test_sentences_that_take_nothing_back():
    for sentence in (
        "For questions please contact jane@example.org.",
        "Only the documentation is written by hand.",
        "You may use, copy and modify it for commercial purposes.",
        "The name of the author may not be used to endorse products.",
    ):
        assert riders(sentence) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "Permission is hereby granted",
            "Permission is hereby granted (jane@corp.com, corp.org/x)",
        ),
        ("shall be included", "will be included"),
    ],
)
def test_addresses_and_auxiliaries_change_nothing(old, new):
    assert stated("mit", old, new) == "MIT"


def test_a_contraction_is_a_not():
    assert ALTERED in stated("mit", "Permission is hereby", "Permission isn't hereby")
