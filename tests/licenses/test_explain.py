import pytest

from stackcurate.licenses.explain import diagnose, explain, notes, suggestions
from stackcurate.licenses.expression import BadExpression


def test_the_part_that_decides_is_named():
    whole, mit, with_, gpl, exception = explain("MIT OR GPL-2.0-only WITH Classpath-exception-2.0")
    assert whole.why.endswith("(MIT)") and mit.license_class == "permissive"
    assert with_.why == "the exception eases copyleft to weak_copyleft"
    assert gpl.text == "    GPL-2.0-only" and "after WITH" in exception.why
    assert explain("MIT AND SSPL-1.0")[0].why == "all bind: the worst part counts (SSPL-1.0)"
    assert explain("MIT AND ISC")[0].why == "all bind: the worst part counts"
    assert explain("JSON", {"JSON": "permissive"})[1].why.endswith("override in the config")
    with pytest.raises(BadExpression):
        explain("MIT OR")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("GPL-2.0", "GPL-2.0 is written GPL-2.0-only today"),
        ("mit", None),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0 today"),
        ("BSD-3-Cluase", "did you mean BSD-3-Clause"),
        ("Zqxjk", "is on no list, so its class is unknown"),
        ("LicenseRef-own", "`license: overrides:` can say its class"),
        ("GPL-2.0-only AND Apache-2.0", "version 3"),
        ("GPL-2.0-or-later AND Apache-2.0", None),
        ("GPL-3.0-only AND Apache-2.0", None),
        ("GPL-2.0-only AND GPL-3.0-only", "version"),
        ("GPL-2.0-or-later AND GPL-3.0-only", None),
        ("GPL-3.0-or-later AND AGPL-3.0-only", None),
        ("GPL-2.0-only AND AGPL-3.0-only", "version 3"),
        ("GPL-2.0-or-later AND CDDL-1.0", "the GPL does not allow"),
        ("MPL-2.0 AND GPL-3.0-only", None),
        ("AGPL-3.0-only AND SSPL-1.0", "no further restrictions"),
        ("GPL-2.0-only OR Apache-2.0", None),
        ("MIT AND ISC", None),
    ],
)
def test_notes(text, said):
    found = notes(text)
    assert (found == []) if said is None else any(said in one for one in found), found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(MIT", "parentheses"), ("MIT OR", "ends with"), ("MIT OR AND ISC", "side by side"),
        ("Apache 2.0", "Apache-2.0"), ("", "empty"), ("MIT&ISC", "ids are letters"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_told_why(text, why):
    assert why in diagnose(text)


def test_suggestions_are_bounded_and_listed():
    assert suggestions("GPL-3.0-ony")[0] == "GPL-3.0-only"
    assert suggestions("") == [] and len(suggestions("GPL")) <= 3
