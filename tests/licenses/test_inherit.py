import pyarrow as pa
import pytest

from stackcurate.licenses.cover import cover
from stackcurate.licenses.folder import Statement, decide
from stackcurate.licenses.inherit import declared_evidence, folders
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.schema import EVIDENCE


def say(kind, name, expression, key=None):
    return Statement(kind, name, expression, key or f"{name}:{expression}")


def license_file(expression, name="LICENSE"):
    return say("license_file", name, expression)


def manifest(expression, name="package.json"):
    return say("manifest", name, expression)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([license_file("MIT")], "MIT"),
        ([manifest("MIT")], "MIT"),
        ([license_file("MIT"), manifest("ISC")], "MIT"),
        ([license_file("MIT"), manifest("GPL-3.0-only")], "MIT AND GPL-3.0-only"),
        ([license_file("GPL-3.0-only"), manifest("GPL-3.0-or-later")], "GPL-3.0-or-later"),
        ([license_file("GPL-3.0-only"), manifest("GPL-3.0-only WITH GCC-exception-3.1")],
         "GPL-3.0-only"),
        ([license_file("MIT"), manifest("MIT AND Zlib")], "MIT AND Zlib"),
        ([license_file("MIT"), manifest("MIT OR GPL-2.0-only")], "MIT OR GPL-2.0-only"),
        ([license_file("GPL-2.0-only"), manifest("MIT OR GPL-2.0-only")], "GPL-2.0-only"),
        ([license_file("MIT"), manifest("MIT OR Zlib"), manifest("MIT AND Zlib", "setup.py")],
         "MIT"),
        ([license_file("(MIT OR GPL-2.0-or-later) AND MIT AND GPL-2.0-only")],
         "MIT OR GPL-2.0-or-later"),
        ([license_file("(MIT OR GPL-2.0-or-later) AND MIT AND GPL-3.0-only")],
         "(MIT OR GPL-2.0-or-later) AND MIT AND GPL-3.0-only"),
        ([license_file("(MIT OR GPL-2.0-or-later) AND MIT AND GPL-2.0-only AND Zlib")],
         "(MIT OR GPL-2.0-or-later) AND Zlib"),
        ([license_file("BSD-3-Clause OR Apache-2.0"), license_file("MIT", "LICENSE.MIT"),
          license_file("Apache-2.0", "LICENSE.APACHE"), manifest("MIT OR Apache-2.0")],
         "MIT OR Apache-2.0"),
        ([license_file("Apache-2.0 AND MIT AND MPL-2.0"),
          manifest("MPL-2.0 AND (Apache-2.0 OR MIT)")], "MPL-2.0 AND (Apache-2.0 OR MIT)"),
        ([license_file("MIT"), manifest("LicenseRef-scancode-unknown")], "MIT"),
        ([license_file("MIT", "LICENSE-MIT"), license_file("Apache-2.0", "LICENSE-APACHE")],
         "Apache-2.0 AND MIT"),
        ([license_file("MIT", "LICENSE-MIT"), license_file("GPL-2.0-only", "LICENSE-GPL")],
         "GPL-2.0-only AND MIT"),
        ([license_file("MIT", "LICENSE-MIT"), license_file("GPL-2.0-only", "LICENSE-GPL"),
          manifest("MIT OR GPL-2.0-or-later")], "MIT OR GPL-2.0-or-later"),
        ([license_file("MIT", "LICENSE-MIT"), license_file("GPL-2.0-only", "LICENSE-GPL"),
          license_file("MIT OR GPL-2.0-only", "LICENSE")], "MIT OR GPL-2.0-only"),
        ([license_file("GPL-3.0-only", "COPYING"), license_file("LGPL-3.0-only", "COPYING.LESSER")],
         "LGPL-3.0-only"),
        ([license_file(None)], "LicenseRef-scancode-unknown"),
        ([license_file("LicenseRef-scancode-unknown-license-reference"), manifest("MIT")],
         "LicenseRef-scancode-unknown-license-reference"),
        ([say("readme", "README.md", "MIT")], None),
        ([say("notice", "NOTICE", "Apache-2.0")], None),
        ([say("license_text", "MIT.txt", "MIT")], None),
        ([say("readme", "README.md", "GPL-3.0-only"), license_file("MIT")], "MIT"),
        ([], None),
    ],
)  # fmt: skip
def test_one_folder(statements, expected):
    found = decide(statements)
    assert (found[0] if found else None) == expected
    assert decide(list(reversed(statements))) == found


def evidence(*rows):
    full = [dict.fromkeys(EVIDENCE.names) | row for row in rows]
    return pa.Table.from_pylist(full, schema=EVIDENCE)


def row(content, kind, expression):
    return {
        "content_id": content,
        "kind": kind,
        "expression": expression,
        "evidence_id": f"e{content}",
    }


def covered(control, files, declared=None, **settings):
    """``control``: path -> (content, kind, expression); returns path -> (expression, state)."""
    table = evidence(
        *[row(*value) for value in dict.fromkeys(control.values())]
    )  # fmt: skip
    found = folders(
        pa.array(list(control), pa.string()), [value[0] for value in control.values()], table,
        LicenseSettings(**settings), declared,
    )  # fmt: skip
    result = cover(pa.array(files, pa.string()), found).to_pylist()
    return [(one["license_expression"], one["license_state"]) for one in result]


def test_the_nearest_folder_wins():
    control = {
        "/LICENSE": ("a", "license_file", "MIT"),
        "/sub/COPYING": ("b", "license_file", "GPL-2.0-only"),
        "/sub/deep/package.json": ("c", "manifest", "ISC"),
    }
    files = ["/x.c", "/a/b/c.c", "/sub/x.c", "/sub/other/x.c", "/sub/deep/er/x.c", "/subway/x.c"]
    assert covered(control, files) == [
        ("MIT", "allowed"), ("MIT", "allowed"), ("GPL-2.0-only", "refused"),
        ("GPL-2.0-only", "refused"), ("ISC", "allowed"), ("MIT", "allowed"),
    ]  # fmt: skip


def test_vendored_packages_stand_on_their_own():
    control = {
        "/LICENSE": ("a", "license_file", "MIT"),
        "/node_modules/x/LICENSE": ("b", "license_file", "GPL-3.0-only"),
    }
    files = [
        "/node_modules/x/i.js",
        "/node_modules/y/i.js",
        "/node_modules/y/lib/i.js",
        "/vendor/z/a.go",
    ]
    assert covered(control, files) == [
        ("GPL-3.0-only", "refused"), (None, "open"), (None, "open"), (None, "open"),
    ]  # fmt: skip


def test_texts_of_a_licenses_folder_cover_nothing():
    control = {"/LICENSES/MIT.txt": ("a", "license_text", "MIT")}
    assert covered(control, ["/x.c", "/LICENSES/MIT.txt"]) == [(None, "open")] * 2


def test_papers_speak_for_the_folder_above():
    control = {"/debian/copyright": ("a", "manifest", "ISC")}
    assert covered(control, ["/x.c"]) == [("ISC", "allowed")]
    control = {"/x-1.dist-info/licenses/LICENSE": ("a", "license_file", "MIT")}
    assert covered(control, ["/x/y.py"]) == [("MIT", "allowed")]


def test_the_host_counts_only_where_the_root_is_silent():
    said = declared_evidence("mit")
    assert covered({}, ["/x.c"], said) == [("MIT", "allowed")]
    control = {"/LICENSE": ("a", "license_file", "GPL-2.0-only")}
    assert covered(control, ["/x.c"], said) == [("GPL-2.0-only", "refused")]
    assert declared_evidence("NOASSERTION") is None and declared_evidence("other") is None
    assert declared_evidence(None) is None


def test_one_content_under_two_names():
    control = {"/LICENSE": ("a", "license_file", "MIT"), "/README": ("a", "license_file", "MIT")}
    assert covered(control, ["/x.c"]) == [("MIT", "allowed")]


def test_settings_decide():
    control = {"/LICENSE": ("a", "license_file", "MPL-2.0")}
    assert covered(control, ["/x"]) == [("MPL-2.0", "refused")]
    assert covered(control, ["/x"], policy="weak_copyleft") == [("MPL-2.0", "allowed")]
    assert covered(control, ["/x"], overrides={"MPL-2.0": "permissive"}) == [("MPL-2.0", "allowed")]


def test_deep_and_odd_paths():
    deep = "/d" * 3000 + "/x.c"
    control = {"/LICENSE": ("a", "license_file", "MIT")}
    assert covered(control, [deep, "/a\nb/c", "/ü/x", "x"]) == [("MIT", "allowed")] * 4


def test_no_files_and_no_folders():
    assert (
        cover(
            pa.array([], pa.string()),
            folders(pa.array([], pa.string()), [], evidence(), LicenseSettings()),
        ).num_rows
        == 0
    )
