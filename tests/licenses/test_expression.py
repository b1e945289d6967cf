import pytest

from stackcurate.licenses.explain import explain
from stackcurate.licenses.expression import (
    BadExpression,
    combine,
    ids,
    known,
    license_class,
    normalize,
    parse,
)


@pytest.mark.parametrize(
    ("written", "normal", "class_"),
    [
        ("MIT", "MIT", "permissive"),
        ("mit", "MIT", "permissive"),
        ("MIT OR GPL-2.0", "MIT OR GPL-2.0-only", "permissive"),
        ("MIT AND GPL-2.0+", "MIT AND GPL-2.0-or-later", "copyleft"),
        ("MIT or (gpl-2.0+ and ZLIB)", "MIT OR (GPL-2.0-or-later AND Zlib)", "permissive"),
        ("(GPL-3.0-only OR MIT) AND AGPL-3.0-only", "(GPL-3.0-only OR MIT) AND AGPL-3.0-only",
         "network_copyleft"),
        ("GPL-2.0-with-classpath-exception", "GPL-2.0-only WITH Classpath-exception-2.0",
         "weak_copyleft"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception", "permissive"),
        ("MIT WITH Commons-Clause", "MIT WITH LicenseRef-scancode-commons-clause",
         "source_available"),
        ("GPL-3.0+ WITH GCC-exception-3.1", "GPL-3.0-or-later WITH GCC-exception-3.1",
         "weak_copyleft"),
        ("GPL-3.0-only WITH nobody-knows", "GPL-3.0-only WITH nobody-knows", "unknown"),
        ("Apache-2.0+", "Apache-2.0+", "permissive"),
        ("LicenseRef-mine", "LicenseRef-mine", "unknown"),
        ("MIT AND LicenseRef-mine", "MIT AND LicenseRef-mine", "unknown"),
        ("MIT OR LicenseRef-mine", "MIT OR LicenseRef-mine", "permissive"),
        ("MIT AND LicenseRef-scancode-warranty-disclaimer",
         "MIT AND LicenseRef-scancode-warranty-disclaimer", "permissive"),
        ("JSON", "JSON", "source_available"),
        ("CC-BY-NC-4.0", "CC-BY-NC-4.0", "source_available"),
        ("MIT AND MIT AND (MIT AND ISC)", "MIT AND ISC", "permissive"),
        ("(MIT OR ISC) AND (ISC OR MIT)", "MIT OR ISC", "permissive"),
    ],
)  # fmt: skip
def test_forms_and_classes(written, normal, class_):
    assert normalize(written) == normal
    assert license_class(written) == class_
    assert normalize(normal) == normal


@pytest.mark.parametrize(
    "written",
    ["", " ", "(", "((((", "MIT AND", "OR", "(MIT", "MIT)", "MIT, ISC", "MIT License", "M\0IT",
     "(" * 5000 + "MIT" + ")" * 5000, "MIT AND " * 2000 + "MIT", "a" * 5000],
)  # fmt: skip
def test_what_is_no_expression(written):
    assert normalize(written) is None
    assert license_class(written) == "unknown"
    with pytest.raises(BadExpression):
        parse(written)


def test_nothing_stated_is_unstated():
    assert license_class(None) == "unstated"


def test_overrides_go_by_any_name():
    assert license_class("JSON", {"json": "permissive"}) == "permissive"
    assert license_class("GPL-2.0", {"GPL-2.0-only": "permissive"}) == "permissive"
    assert license_class("MIT AND JSON", {"MIT": "proprietary"}) == "proprietary"


def test_texts_that_follow_a_choice_are_its_texts():
    assert combine(["MIT OR GPL-2.0-only", "MIT", "GPL-2.0-only"]) == "MIT OR GPL-2.0-only"
    # One text alone does not show that the choice is what it belongs to.
    assert combine(["MIT OR GPL-2.0-only", "GPL-2.0-only"]) == (
        "(MIT OR GPL-2.0-only) AND GPL-2.0-only"
    )
    assert combine(["MIT", "Apache-2.0"], "OR") == "MIT OR Apache-2.0"
    assert combine([]) is None


def test_ids_and_known():
    assert ids("MIT OR GPL-2.0 WITH Classpath-exception-2.0") == {
        "MIT", "GPL-2.0-only", "Classpath-exception-2.0",
    }  # fmt: skip
    assert known("MIT OR Zlib") and not known("MIT OR Zlip") and not known("(")


def test_explain_names_every_part():
    parts = explain("(MIT OR GPL-2.0-only WITH Classpath-exception-2.0) AND Zlib")
    assert [part.license_class for part in parts] == [
        "permissive", "permissive", "permissive", "weak_copyleft", "copyleft", "weak_copyleft",
        "permissive",
    ]  # fmt: skip
    assert "OSI approved" in next(part.why for part in parts if part.text.strip() == "MIT")
