from stackcurate.licenses.notices import Notice, bundle, leading_comment, written


def row(repo, expression, kind=None, content_id=None, head=None):
    evidence = {"kind": kind, "content_id": content_id} if kind else None
    return {"repo_name": repo, "license_expression": expression, "evidence": evidence, "head": head}


HEADER = "#!/bin/sh\n# Copyright 2020 Jo\n# SPDX-License-Identifier: ISC\n\necho 1\n"
ROWS = [
    row("a/x", "MIT", "license_file", "11"),
    row("b/y", "MIT", "license_file", "22"),  # other bytes, the same words once read
    row("b/y", "MIT", "license_file", "22"),
    row("b/y", "ISC", "header", "33", HEADER),
    row("c/z", "MIT", "declared"),
    row("d/n", None),
]
TEXTS = {"11": "The text.\n", "22": "The text."}


def test_each_text_once_with_all_it_covers():
    comment = "#!/bin/sh\n# Copyright 2020 Jo\n# SPDX-License-Identifier: ISC"
    assert bundle(ROWS, TEXTS) == [
        Notice("ISC", comment, ("b/y",), 1),
        Notice("MIT", "", ("c/z",), 1),
        Notice("MIT", "The text.", ("a/x", "b/y"), 3),
        Notice("no license stated", "", ("d/n",), 1),
    ]
    assert bundle(reversed(ROWS), TEXTS) == bundle(ROWS, TEXTS)


def test_as_text():
    lines = list(written(bundle(ROWS, TEXTS), "Notices"))
    assert lines[0] == "Notices"
    assert lines.count("The text.") == 1 and "3 files of a/x, b/y" in lines


def test_files_without_a_comment_quote_nothing():
    assert leading_comment("x = 1\n# MIT\n") == ""
    assert leading_comment("") == ""
