"""Licenses that a text only compares itself with, and files that it says to see."""

import pytest

from tests.licenses.conftest import body, rows, text

OWNER = "Copyright (c) 2020 Jane Roe\n\n"
MIT = " ".join(body("mit").split())


def stated(more):
    (row,) = rows(text(f"{OWNER}{more}\n\n{MIT}\n"))
    return row["expression"]


@pytest.mark.parametrize(
    "more",
    [
        "GPL-compatible doesn't mean that we're distributing this under the GPL.",
        "All our licenses, unlike the GPL, let you distribute a modified version.",
        "The GPL-compatible licenses make it possible to combine Harbor with other software that "
        "is released under the GPL; the others don't.",
    ],
)
def test_a_license_that_is_only_compared_with_binds_nobody(more):
    assert stated(more) == "MIT"


@pytest.mark.parametrize(
    "more",
    [
        "This software is released under the GPL.",
        "It is compatible with other programs, and it is released under the GPL.",
        "Parts of it are other software that is released under the GPL.",
        "Unlike the rest, this file is released under the GPL.",
    ],
)
def test_a_license_that_a_part_is_under_still_binds(more):
    assert "GPL" in stated(more)


def test_a_pointer_beside_a_name_falls_away():
    more = (
        "Harbor is licensed under the three-clause BSD license; see the file LICENSE for details."
    )
    assert stated(more) == "BSD-3-Clause AND MIT"
