import re

import pyarrow as pa
import pytest

from stackcurate.licenses.cache import Cache
from stackcurate.licenses.cover import cover
from stackcurate.licenses.detect import _expression_of, detect_texts
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.names import control_files
from stackcurate.licenses.paths import about_paths, glob_regex, globs_of, statements, whole
from stackcurate.licenses.policy import LicenseSettings
from tests.licenses.conftest import NoJudge, body, rows, text

DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Jo
License: Expat

Files: lib/gnu/* old?.c
  "odd name.c"
Copyright: 1999 Others
License: GPL-2+

Files: lib/gnu/free.c
Copyright: 1999 Others
License: own

License: own
 {own}
""".replace("{own}", body("isc").replace("\n\n", "\n.\n").replace("\n", "\n "))

REUSE = """version = 1

[[annotations]]
path = "**"
SPDX-License-Identifier = "MIT"

[[annotations]]
path = ["assets/*.png", "vendor/tool/**"]
precedence = "override"
SPDX-License-Identifier = ["CC-BY-SA-4.0", "GPL-3.0-only"]
"""


@pytest.mark.parametrize(
    ("glob", "form", "path", "taken"),
    [
        ("*", "dep5", "a/b.c", True), ("src/*.c", "dep5", "src/x/y.c", True),
        ("src/?.c", "dep5", "src/xy.c", False), ("src", "dep5", "src/x", True),
        ("./src/*", "dep5", "src/x", True), (r"\*", "dep5", "x", False), (r"\*", "dep5", "*", True),
        ("*.c", "reuse", "a/b.c", False), ("**.c", "reuse", "a/b.c", True),
        ("**/x", "reuse", "a/b/x", True), ("?", "reuse", "a", False), ("?", "reuse", "?", True),
        ("a+(b)[c]{2}|$.^", "reuse", "a+(b)[c]{2}|$.^", True), ("ä\n", "dep5", "ä\n", True),
        ("src/", "dep5", "src/x/y", True), ("src", "reuse", "src/x", False),
    ],
)  # fmt: skip
def test_globs(glob, form, path, taken):
    pattern = f"^(?:{glob_regex(glob, form)})$"
    (found,) = pa.compute.match_substring_regex(pa.array([path]), pattern).to_pylist()
    assert found == taken


def test_dep5_paragraphs():
    assert statements("copyright", DEP5.encode())[2].expression == "LicenseRef-scancode-unknown"
    said = statements(
        "copyright", DEP5.encode(), lambda text: "ISC" if b"Permission" in text else None
    )
    assert [(one.globs, one.expression) for one in said] == [
        (["*"], "MIT"),
        (["lib/gnu/*", "old?.c", '"odd', 'name.c"'], "GPL-2.0-or-later"),
        (["lib/gnu/free.c"], "ISC"),
    ]
    for one in said:
        assert DEP5.encode()[one.start : one.end].startswith(b"Files:")
        assert about_paths(one.rule) and globs_of(one.rule) == ("dep5", one.globs)


def test_reuse_annotations():
    said = statements("REUSE.toml", REUSE.encode())
    assert [(one.globs, one.expression) for one in said] == [
        (["**"], "MIT"),
        (["assets/*.png", "vendor/tool/**"], "CC-BY-SA-4.0 AND GPL-3.0-only"),
    ]
    assert re.match(rb"\[\[annotations\]\]\npath = \[", REUSE.encode()[said[1].start : said[1].end])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("REUSE.toml", b"= ="), ("REUSE.toml", b"annotations = 7"), ("REUSE.toml", b"\xff"),
        ("REUSE.toml", b"[[annotations]]\npath = [3]\n"),
        ("copyright", b"Files: *\nLicense: MIT\n"), ("copyright", b""),
        ("copyright", b"Format: x\n\n" + b"Files: a\nLicense: MIT\n\n" * 1001),
        ("copyright", b"Format: x\n\nFiles: *\nLicense: MIT\n\n" + b"x" * 400_000),
    ],
)  # fmt: skip
def test_what_says_nothing_about_paths(name, data):
    assert statements(name, data) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"a = " + b"[" * 9999, "nested too deeply"),
        (b"version = 1\n" + b"#" * 400_000, "too long"),
        (b'[[annotations]]\npath = "a"\nSPDX-License-Identifier = "MIT"\n' * 1001, "too many"),
    ],
)
def test_a_reuse_file_that_is_refused_leaves_its_files_unknown_and_says_why(data, why):
    (one,) = statements(".reuse/dep5", DEP5.encode() + b"\n" * 400_000)
    assert one.rule == 'paths:reuse/aggregate ["**"] not read, too long'
    (one,) = statements("REUSE.toml", data)
    assert one.expression == "LicenseRef-scancode-unknown" and why in one.rule
    assert globs_of(one.rule) == ("reuse", ["**"])
    files = {"/REUSE.toml": data.decode(), "/LICENSE": body("mit"), "/x/LICENSE": body("isc")}
    assert covered(files, ["/a.c", "/x/a.c"]) == ["LicenseRef-scancode-unknown", "ISC"]


def covered(files: dict[str, str], wanted: list[str]):
    """The expression of each wanted path, from the bytes of control files."""
    kinds = control_files(pa.array(list(files))).to_pylist()
    items = [
        text(data, kind, path) for (path, data), kind in zip(files.items(), kinds, strict=True)
    ]
    evidence = detect_texts(items, Cache(), NoJudge())
    ids = [item.content_id.hex() for item in items]
    stated = folders(pa.array(list(files)), ids, evidence, LicenseSettings())
    shuffled = folders(
        pa.array(list(files)), ids, evidence.sort_by("evidence_id"), LicenseSettings()
    )
    found = cover(pa.array(wanted), stated)
    assert cover(pa.array(wanted), shuffled).equals(found)
    return found["license_expression"].to_pylist()


def test_debian_paragraphs_speak_for_their_files():
    files = {"/debian/copyright": DEP5, "/lib/gnu/own/LICENSE": body("mit")}
    wanted = ["/a.c", "/old1.c", "/lib/gnu/x.c", "/lib/gnu/free.c", "/lib/gnu/own/y.c",
              "/node_modules/z/a.js"]  # fmt: skip
    assert covered(files, wanted) == [
        "MIT", "GPL-2.0-or-later", "GPL-2.0-or-later", "ISC", "MIT", None,
    ]  # fmt: skip


def test_names_that_are_joined_mean_each_its_own_text():
    known = {"home": body("isc").replace("\n\n", "\n.\n")}
    given = "".join(f"\nLicense: {n}\n " + b.replace("\n", "\n ") for n, b in known.items())
    for short, expected in (
        ("Expat and home", "MIT AND ISC"),
        ("GPL-2+ or AFL-2.1, and Expat and home",
         "(GPL-2.0-or-later OR AFL-2.1) AND MIT AND ISC"),
        ("GPL-2+ or Expat and home", "GPL-2.0-or-later OR (MIT AND ISC)"),
        ("home and/or GPL-2+", "ISC OR GPL-2.0-or-later"),
        ("Apache-2.0, and BSD-2-clause, and Apache-2.0 or Expat",
         "Apache-2.0 AND BSD-2-Clause AND (Apache-2.0 OR MIT)"),
        ("Expat and nobody-knows", "MIT AND LicenseRef-scancode-unknown"),
    ):  # fmt: skip
        data = f"Format: x\n\nFiles: *\nLicense: {short}\n{given}".encode()
        said = statements("copyright", data, _expression_of)
        assert [one.expression for one in said if one.globs] == [expected], short


def test_a_text_of_another_license_than_its_name_counts_beside_it():
    gnu = """ This program is free software: you can redistribute it and/or modify
 it under the terms of the GNU General Public License as published by
 the Free Software Foundation, either version 3 of the License, or
 (at your option) any later version.
"""
    for name, expected in (
        ("LGPL-2.1+", "LGPL-2.1-or-later AND GPL-3.0-or-later"),
        ("GPL-3+", "GPL-3.0-or-later"),
    ):
        data = f"Format: x\n\nFiles: *\nLicense: {name}\n{gnu}".encode()
        assert [one.expression for one in statements("copyright", data, _expression_of)] == [
            expected
        ]


def test_a_text_says_which_license_a_loose_name_means():
    given = body("x11-xconsortium").replace("\n\n", "\n.\n").replace("\n", "\n ")
    data = f"Format: x\n\nFiles: *\nLicense: Expat\n {given}\n".encode()
    assert [one.expression for one in statements("copyright", data)] == ["MIT"]
    assert [one.expression for one in statements("copyright", data, _expression_of)] == ["X11"]
    both = data.replace(b"Expat", b"Ruby")
    for said, expected in (
        ("BSD-2-Clause OR Ruby", "BSD-2-Clause OR Ruby"),  # more than the name says
        ("Ruby OR GPL-2.0-only", "Ruby"),
        ("LicenseRef-scancode-unknown", "Ruby"),
    ):
        assert [one.expression for one in statements("copyright", both, lambda _, s=said: s)] == [
            expected
        ]


def test_a_license_that_no_files_refer_to_stands_beside_what_the_file_states():
    data = "Format: x\n\nFiles: *\nLicense: GPL-2+ or Expat\n\nLicense: Expat\n text\n\n"
    assert whole(statements("copyright", data.encode())) == "GPL-2.0-or-later OR MIT"
    data += "License: ISC\n text\n"
    said = statements("copyright", data.encode())
    assert whole(said) == "(GPL-2.0-or-later OR MIT) AND ISC"
    assert [one.globs for one in said] == [["*"], []]
    told = rows(text(data, "manifest", "debian/copyright"))
    assert [about_paths(row["rule"]) for row in told] == [False, True]


@pytest.mark.parametrize("name", ["/copyright", "/COPYRIGHT.txt", "/LICENSE"])
def test_license_files_in_debians_form_are_read_as_such(name):
    """As packages have it when they are installed, and projects that borrow the form."""
    wanted = ["/a.c", "/lib/gnu/x.c", "/lib/gnu/free.c"]
    assert covered({name: DEP5}, wanted) == ["MIT", "GPL-2.0-or-later", "ISC"]
    (first, *_) = rows(text(DEP5, "license_file", name))
    assert first["expression"] == "MIT AND GPL-2.0-or-later AND ISC"
    assert covered({name: f"# All licenses\n# ====\n\n{DEP5}"}, wanted[:2]) == [
        "MIT",
        "GPL-2.0-or-later",
    ]
    other = DEP5.replace("Format: https", "Formats: https")
    assert len(rows(text(other, "license_file", name))) == 1


def test_all_paragraphs_are_what_a_file_alone_states():
    data = "Format: x\n\nFiles: *\nLicense: GPL-2+ or Expat\n\nFiles: debian/*\nLicense: GPL-3\n"
    more = "\nFiles: a/*\nLicense: home-made\n"
    unknown = "LicenseRef-scancode-unknown"
    for text_, expected in (
        (data, "(GPL-2.0-or-later OR MIT) AND GPL-3.0-only"),
        (data + more, f"(GPL-2.0-or-later OR MIT) AND GPL-3.0-only AND {unknown}"),
    ):
        assert whole(statements("copyright", text_.encode())) == expected
        rows_ = rows(text(text_, "manifest", "debian/copyright"))
        assert rows_[0]["expression"] == expected and not about_paths(rows_[0]["rule"])


def test_a_license_file_beside_debian_paragraphs_is_the_word_for_the_whole():
    files = {"/debian/copyright": DEP5, "/LICENSE": body("apache-2.0")}
    assert covered(files, ["/a.c", "/lib/gnu/x.c"]) == ["Apache-2.0", "GPL-2.0-or-later"]


def test_reuse_speaks_for_its_folder_and_below():
    files = {"/sub.dir/REUSE.toml": REUSE, "/LICENSE": body("isc")}
    wanted = ["/x.c", "/sub.dir/x.c", "/sub.dir/assets/a.png", "/sub.dir/assets/b/a.png",
              "/sub.dir/vendor/tool/t.c", "/sub.dir/vendor/other/t.c", "/subXdir/x.c"]  # fmt: skip
    both = "CC-BY-SA-4.0 AND GPL-3.0-only"
    assert covered(files, wanted) == ["ISC", "MIT", both, "MIT", both, None, "ISC"]


def test_dot_reuse_speaks_for_the_root():
    assert covered({"/.reuse/dep5": DEP5}, ["/a.c", "/lib/gnu/x.c"]) == ["MIT", "GPL-2.0-or-later"]
