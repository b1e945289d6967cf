"""A choice is read where a text offers one in so many words, and nowhere else."""

import pytest

from stackcurate.licenses.alone import scan_records
from stackcurate.licenses.cache import Cache
from tests.licenses.conftest import NoJudge, body


def said(path, text):
    (found,) = scan_records([{"id": 1, "path": path, "text": text}], Cache(), NoJudge())
    return found["license_expression"]


def comment(text):
    return "/*\n" + "".join(f" * {line}\n" for line in text.splitlines()) + " */\nint x;\n"


OFFERED = [
    ("This software is licensed under the MIT license OR the Apache License 2.0, at your option.",
     "MIT OR Apache-2.0"),
    ("This file is licensed under either the Apache License 2.0 or the GPLv3.",
     "Apache-2.0 OR GPL-3.0-only"),
    ("Licensed under the MIT license or the GPL version 2, at your option.", "MIT OR GPL-2.0-only"),
    ("Dual licensed under the MIT and GPL v2 licenses", "MIT OR GPL-2.0-only"),
    ("License: MIT/GPLv2", "MIT OR GPL-2.0-only"),
    ("Licensed under the GPL. Alternatively, you may use it under the terms of the MIT license.",
     "GPL-1.0-or-later OR MIT"),
    ("Made available under EPL-2.0 OR GPL-2.0 WITH Classpath-exception-2.0",
     "EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), OFFERED)
def test_choices(text, expected):
    assert said("a.c", comment(text)) == expected
    assert said("LICENSE", text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Parts of this are licensed under the MIT license or the GPL version 3.",
        "Licensed under the MIT license and the GPL version 3.",
        "Not licensed under the MIT license or the GPL version 3, but under the GPL version 3.",
        "Each file is licensed under the MIT license or the GPL version 3.",
        "Licensed under the MIT license.\n\nSome of it falls under the GPL version 3.",
    ],
)
def test_what_is_no_choice_binds(text):
    for answer in (said("a.c", comment(text)), said("LICENSE", text)):
        assert "GPL-3.0" in answer and " OR " not in answer


def test_licenses_that_are_only_spoken_of_are_no_choice():
    text = "Licensed under the GPL version 3. You can read more about MIT or Apache elsewhere."
    assert said("a.c", comment(text)) == "GPL-3.0-only"


def test_two_files_of_texts_offer_no_choice_by_themselves():
    """Rust's LICENSE-MIT beside LICENSE-APACHE: without a word of theirs, both bind."""
    assert said("LICENSE", f"{body('mit')}\n\nor perhaps not\n\n{body('gpl-3.0')}") == (
        "MIT AND GPL-3.0-only"
    )
