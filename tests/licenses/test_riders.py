import pytest

from stackcurate.licenses.riders import NO_AI, RESTRICTED, riders

RIDERS = [
    ("You may not train artificial intelligence models with it.", [NO_AI]),
    ("Use for machine learning is prohibited without written consent.", [NO_AI]),
    ("No part of this may be included in datasets used for training.", [NO_AI]),
    ("All rights of text and data mining are reserved.", [NO_AI]),
    ("For non-commercial use only.", [RESTRICTED]),
    ("Not for commercial use", [RESTRICTED]),
    ("Commercial use requires a paid license.", [RESTRICTED]),
    ("For academic and research use only", [RESTRICTED]),
    ("The software shall be used for good, not evil.", [RESTRICTED]),
    ("It may not be redistributed.", [RESTRICTED]),
    ("Free for commercial and non-commercial use.", []),
    ("It may be used for non-commercial or commercial purposes.", []),
    ("For any purpose, including without limitation commercial purposes.", []),
    ("Included with or without modifications, in commercial products.", []),
    ("Use without restriction, but not for commercial purposes.", [RESTRICTED]),
    ("With or without changes, for non-commercial use.", [RESTRICTED]),
    ("The name may not be used to endorse products.", []),
    ("A library for training machine learning models.", []),
    ("Thanks to all contributors!", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), RIDERS)
def test_riders(text, expected):
    assert riders(text) == expected
    assert riders(f"# * {text.upper()}\n\nand more") == expected


def test_long_lines_are_bounded():
    assert riders("not commercial " * 20_000) == [RESTRICTED]
    assert riders("a" * 500_000) == []
