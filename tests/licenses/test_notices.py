from stackcurate.licenses.notices import Notice, Papers, bundle, leading_comment, written


def row(repo, expression, kind=None, content_id=None, head=None, path="/src/x.c"):
    evidence = {"kind": kind, "content_id": content_id} if kind else None
    return {"origin": repo, "repo_name": repo, "path": path, "license_expression": expression,
            "evidence": evidence, "head": head}  # fmt: skip


HEADER = "#!/bin/sh\n# Copyright 2020 Jo\n# SPDX-License-Identifier: ISC\n\necho 1\n"
ROWS = [
    row("a/x", "MIT", "license_file", "11"),
    row("b/y", "MIT", "license_file", "22"),  # other bytes, the same words once read
    row("b/y", "MIT", "license_file", "22"),
    row("b/y", "ISC", "header", "33", HEADER),
    row("c/z", "MIT", "declared"),
    row("d/n", None),
]
TEXTS = {"11": "The text.\n", "22": "The text. \r\n"}
NONE = Papers()


def test_each_text_once_with_all_it_covers():
    comment = "#!/bin/sh\n# Copyright 2020 Jo\n# SPDX-License-Identifier: ISC"
    assert bundle(ROWS, TEXTS, NONE) == [
        Notice("header", ("ISC",), comment, (), ("b/y",), 1),
        Notice("license_file", ("MIT",), "The text.", (), ("a/x", "b/y"), 3),
        Notice("", ("MIT",), "", (), ("c/z",), 1),
        Notice("", ("no license stated",), "", (), ("d/n",), 1),
    ]
    assert bundle(reversed(ROWS), TEXTS, NONE) == bundle(ROWS, TEXTS, NONE)


def papers(*paths):
    """Papers of the repository "r"; a file's kind is told by its name, its text is its path."""
    kinds = {"LICENSE": "license_file", "NOTICE": "notice", "AUTHORS": "notice"}
    rows = [
        {"origin": "r", "path": path, "content_id": path,
         "kind": kinds.get(path.rpartition("/")[2].partition(".")[0].partition("-")[0],
                           "license_text")}
        for path in paths
    ]  # fmt: skip
    return Papers.of(rows), {path: f"text of {path}" for path in paths}


def goes_with(path, tree, expression="MIT", kind="license_file", content_id="elsewhere", head=None):
    lying, texts = papers(*tree)
    found = bundle([row("r", expression, kind, content_id, head, path)], texts, lying)
    return sorted(one.text.removeprefix("text of ") for one in found)


TREE = ["/LICENSE-MIT", "/LICENSE-APACHE", "/NOTICE", "/sub/NOTICE.txt", "/sub/deep/LICENSE",
        "/vendor/other/LICENSE", "/vendor/none/AUTHORS"]  # fmt: skip


def test_what_goes_with_a_file():
    root = ["/LICENSE-APACHE", "/LICENSE-MIT", "/NOTICE"]
    assert goes_with("/x.c", TREE) == root
    assert goes_with("/sub/a/x.c", TREE) == sorted([*root, "/sub/NOTICE.txt"])
    assert goes_with("/sub/deep/x.c", TREE) == sorted(
        ["/sub/deep/LICENSE", "/NOTICE", "/sub/NOTICE.txt"]
    )
    assert goes_with("/vendor/other/x.c", TREE) == ["/NOTICE", "/vendor/other/LICENSE"]
    assert goes_with("/vendor/none/x.c", TREE) == ["/NOTICE", "/vendor/none/AUTHORS"]


def test_the_papers_of_an_installed_package_go_with_what_it_lists():
    here = "/env/site-packages"
    papers_ = [f"{here}/PyYAML-6.dist-info/LICENSE", f"{here}/PyYAML-6.dist-info/NOTICE"]
    tree = ["/LICENSE", *papers_, f"{here}/other-1.dist-info/LICENSE"]
    assert goes_with(f"{here}/yaml/a.py", tree, content_id=papers_[0]) == papers_
    assert goes_with(f"{here}/PyYAML/a.py", tree, content_id="x") == papers_  # by its name
    assert goes_with(f"{here}/own/a.py", [*tree, f"{here}/own/LICENSE"], content_id=papers_[0]) == [
        f"{here}/own/LICENSE"
    ]
    assert goes_with("/a.py", tree, content_id=papers_[0]) == ["/LICENSE"]


def test_a_header_is_quoted_beside_the_papers():
    found = goes_with("/x.c", ["/NOTICE"], "ISC", "header", "h", HEADER)
    assert "ISC" in found[0] and found[1] == "/NOTICE"


def test_texts_of_a_licenses_folder_go_with_what_names_them():
    tree = ["/LICENSES/MIT.txt", "/LICENSES/GPL-2.0-only.txt", "/LICENSES/LicenseRef-x.txt"]
    assert goes_with("/a/x.c", tree, "MIT OR LicenseRef-x", "header", "h", "int x;") == [
        "/LICENSES/LicenseRef-x.txt", "/LICENSES/MIT.txt",
    ]  # fmt: skip


def test_a_manifest_stands_in_where_no_license_file_lies():
    lying, texts = papers("/LICENSE")
    texts["m"] = "Manifest"
    (one,) = bundle([row("r", "MIT", "manifest", "m")], texts, lying)
    assert one.kind == "license_file" and one.paths == ("r/LICENSE",)
    (one,) = bundle([row("other", "MIT", "manifest", "m")], texts, lying)
    assert one.kind == "manifest" and one.text == "Manifest"


def test_one_text_under_two_expressions_stands_once():
    rows = [row("r", "MIT"), row("r", "ISC", path="/src/y.c")]
    lying, texts = papers("/NOTICE")
    (one,) = bundle(rows, texts, lying)
    assert one.expressions == ("ISC", "MIT") and one.files == 2 and one.kind == "notice"


def test_as_text():
    lines = list(written(bundle(ROWS, TEXTS, NONE), "Notices"))
    assert lines[0] == "Notices"
    assert lines.count("The text.") == 1 and "3 files of a/x, b/y" in lines


def test_files_without_a_comment_quote_nothing():
    assert leading_comment("x = 1\n# MIT\n") == ""
    assert leading_comment("") == ""
