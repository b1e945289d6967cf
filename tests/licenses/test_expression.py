import pytest

from stackcurate.licenses.explain import explain
from stackcurate.licenses.expression import (
    BadExpression,
    combine,
    ids,
    known,
    license_class,
    listed,
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


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["GPL-2.0-only", "Classpath-exception-2.0", "GPL-1.0-or-later"],
         "GPL-2.0-only WITH Classpath-exception-2.0"),
        (["GPL-2.0-only", "GPL-3.0-or-later", "GCC-exception-3.1"],
         "GPL-2.0-only AND GPL-3.0-or-later WITH GCC-exception-3.1"),
        (["Apache-2.0", "MIT", "LLVM-exception"], "Apache-2.0 WITH LLVM-exception AND MIT"),
        (["EPL-2.0 OR GPL-2.0-only", "Classpath-exception-2.0"],
         "EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0"),
        (["EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0", "EPL-2.0", "GPL-2.0-only",
          "Classpath-exception-2.0"], "EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0"),
        (["GPL-3.0-or-later", "GCC-exception-3.1", "Bison-exception-2.2"],
         "GPL-3.0-or-later WITH GCC-exception-3.1 AND GPL-3.0-or-later WITH Bison-exception-2.2"),
        (["LGPL-2.1-only", "GPL-2.0-only", "Font-exception-2.0"],
         "LGPL-2.1-only AND GPL-2.0-only WITH Font-exception-2.0"),
        # By itself it is one of some version of its license.
        (["Classpath-exception-2.0"], "GPL-1.0-or-later WITH Classpath-exception-2.0"),
        (["MIT", "LLVM-exception"], "MIT AND Apache-2.0 WITH LLVM-exception"),
        # Another file's license keeps what it says.
        (["GPL-3.0-only", "GPL-1.0-or-later WITH GCC-exception-3.1"],
         "GPL-3.0-only AND GPL-1.0-or-later WITH GCC-exception-3.1"),
        # What takes something away is no exception that eases.
        (["Apache-2.0", "LicenseRef-scancode-commons-clause"],
         "Apache-2.0 AND LicenseRef-scancode-commons-clause"),
    ],
)  # fmt: skip
def test_no_exception_stands_alone(parts, expected):
    assert combine(parts) == expected
    assert combine([expected]) == expected


def test_refs_are_their_authors_own():
    assert normalize("MIT OR LicenseRef-Commercial") == "MIT OR LicenseRef-Commercial"
    assert license_class("LicenseRef-Commercial") == "proprietary"
    assert normalize("licenseref-scancode-commercial-license") == (
        "LicenseRef-scancode-commercial-license"
    )


def test_ids_of_no_list_are_unknown_ones():
    unknown = "LicenseRef-scancode-unknown-spdx"
    assert listed("BSD") == unknown
    assert listed("MIT OR Foo") == f"MIT OR {unknown}"
    assert listed("GPL-3.0-only WITH foo") == f"GPL-3.0-only WITH {unknown}"
    assert listed("LicenseRef-mine AND mit") == "LicenseRef-mine AND MIT"
    assert listed("(") is None


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
    facts = next(part.why for part in parts if part.text.strip() == "MIT")
    assert "OSI approved" in facts and "FSF: free" in facts and "Blue Oak: " in facts
