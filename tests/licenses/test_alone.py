import pytest

from stackcurate.errors import InputError
from stackcurate.licenses.alone import scan, scan_path, scan_records, summary
from stackcurate.licenses.cache import Cache
from tests.licenses.conftest import NoJudge, body


def says(row):
    """What says the license of a row: "header", or a path."""
    evidence = row["evidence"] or {"kind": None, "path": None}
    return "header" if evidence["kind"] == "header" else evidence["path"]


@pytest.fixture
def project(tmp_path):
    files = {
        "LICENSE": body("mit"),
        "a.py": "x = 1\n",
        "b.c": "/* SPDX-License-Identifier: GPL-2.0-only */\n",
        "vendor/z/LICENSE": body("apache-2.0"),
        "vendor/z/z.go": "package z\n",
        "vendor/y/y.go": "package y\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_folder(project):
    table = scan_path(project, Cache(), NoJudge())
    found = {row["path"]: (row["license_expression"], says(row)) for row in table.to_pylist()}
    assert found["/a.py"] == ("MIT", "/LICENSE")
    assert found["/b.c"] == ("GPL-2.0-only", "header")
    assert found["/vendor/z/z.go"] == ("Apache-2.0", "/vendor/z/LICENSE")
    assert found["/vendor/y/y.go"] == (None, None)
    assert list(found) == sorted(found)
    assert summary(table) == "Apache-2.0 AND GPL-2.0-only AND MIT"


def test_a_file_asks_its_folder(project):
    (row,) = scan_path(project / "a.py", Cache(), NoJudge()).to_pylist()
    assert (row["path"], row["license_expression"], row["license_class"]) == (
        "/a.py",
        "MIT",
        "permissive",
    )


def test_a_license_file_and_a_manifest_answer_for_themselves(tmp_path):
    (tmp_path / ".git").mkdir()
    files = {
        "LICENSE-MIT": body("mit"),
        "LICENSE-APACHE": body("apache-2.0"),
        "package.json": '{"license": "ISC"}',
        "package/NOTICE": "see above\n",
        "debian/copyright": "Format: x\n\nFiles: *\nLicense: Expat\n\nFiles: debian/*\n"
        "License: GPL-2+\n",
        "REUSE.toml": "version = 1\n"
        + "".join(
            f'[[annotations]]\npath = "{one}"\nSPDX-License-Identifier = "{one}"\n'
            for one in ("MIT", "ISC")
        ),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, expected in (
        ("LICENSE-MIT", "MIT"),
        ("LICENSE-APACHE", "Apache-2.0"),
        ("package.json", "ISC"),
        ("debian/copyright", "MIT AND GPL-2.0-or-later"),
        ("REUSE.toml", "MIT AND ISC"),
    ):
        (row,) = scan_path(tmp_path / name, Cache(), NoJudge()).to_pylist()
        assert (row["license_expression"], says(row)) == (expected, f"/{name}")
        (said,) = scan_records([{"path": name, "text": files[name]}], Cache(), NoJudge())
        assert said["license_expression"] == expected
    (row,) = scan_path(tmp_path / "package/NOTICE", Cache(), NoJudge()).to_pylist()
    assert says(row) != "/package/NOTICE"  # states nothing: its folder speaks


def test_a_folder_of_a_repository_asks_the_folders_above(tmp_path):
    (tmp_path / ".git").mkdir()
    files = {
        "LICENSE": body("mit"),
        "COPYING.check": "x",
        "src/deep/a.c": "int a;\n",
        "src/own/LICENSE": body("isc"),
        "src/own/b.c": "int b;\n",
        "src/sub/c.c": "int c;\n",
        "src/sub/.git": "gitdir: elsewhere\n",
        "src/named/d.c": "int d;\n",
        ".gitmodules": '[submodule "n"]\n\tpath = src/named\n\turl = x\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = {}
    for row in scan_path(tmp_path / "src", Cache(), NoJudge()).to_pylist():
        found[row["path"]] = (row["license_expression"], says(row))
    assert found["/deep/a.c"] == ("MIT", "../LICENSE")
    assert found["/own/b.c"] == ("ISC", "/own/LICENSE")
    # submodules stand on their own
    assert found["/sub/c.c"] == found["/named/d.c"] == (None, None)
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian/copyright").write_text("Format: x\n\nFiles: src/deep/*\nLicense: Zlib\n")
    (row,) = scan_path(tmp_path / "src/deep", Cache(), NoJudge()).to_pylist()
    assert (row["license_expression"], says(row)) == ("Zlib", "../../debian/copyright")
    (tmp_path / ".git").rmdir()  # without a repository, the folder is all there is
    (row,) = scan_path(tmp_path / "src" / "deep", Cache(), NoJudge()).to_pylist()
    assert row["license_expression"] is None


POM = "<project><parent><groupId>g</groupId><artifactId>p</artifactId><version>1</version>{}</parent></project>"  # noqa: E501
STATED = "<project><licenses><license><name>Apache-2.0</name></license></licenses></project>"


def test_maven_projects_inherit_from_parents_in_the_tree(tmp_path):
    for name, text in {
        "build/parent/pom.xml": STATED,
        "one/pom.xml": POM.format("<relativePath>../build/parent</relativePath>"),
        "one/two/pom.xml": POM.format(""),
        "other/pom.xml": POM.format("<relativePath>../nowhere/pom.xml</relativePath>"),
        "other/a.java": "class A {}\n",
        "one/two/b.java": "class B {}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    def said(name):
        table = scan_path(tmp_path, Cache(), NoJudge()).to_pylist()
        return next((r["license_expression"], says(r)) for r in table if r["path"] == name)

    assert said("/one/two/b.java") == ("Apache-2.0", "/build/parent/pom.xml")
    assert said("/other/a.java") == (None, None)
    (tmp_path / "pom.xml").write_text(
        POM.format("<relativePath/>")
    )  # its parent lies in some registry
    assert said("/other/a.java") == ("LicenseRef-scancode-unknown", "/pom.xml")
    (record,) = scan_records([{"path": "pom.xml", "text": POM.format("")}], Cache(), NoJudge())
    assert record["license_expression"] == "LicenseRef-scancode-unknown"
    assert record["evidence"]["rule"] == "see:../pom.xml g:p:1"


def test_what_is_not_there(tmp_path):
    with pytest.raises(InputError):
        scan_path(tmp_path / "none", Cache(), NoJudge())


def test_records_come_back_in_order():
    records = [
        {"id": 1, "path": "LICENSE", "text": body("isc")},
        {"id": "b", "text": "// SPDX-License-Identifier: MIT\n"},
        {"id": None, "path": "package.json", "text": b'{"license": "Zlib"}'},
        {"id": 4, "path": "x.c", "text": "int x;"},
        {"id": 5, "text": None},
        {"id": 6, "path": "LICENSE", "text": "never on Mondays"},
        {
            "id": 7,
            "path": "a.h",
            "text": "// This file is distributed under the same license as the x package.\n",
        },
    ]
    found = list(scan_records(records, Cache(), NoJudge()))
    assert [row["id"] for row in found] == [1, "b", None, 4, 5, 6, 7]
    unknown = "LicenseRef-scancode-unknown"
    said = ["ISC", "MIT", "Zlib", None, None, unknown, "LicenseRef-scancode-free-unknown"]
    assert [row["license_expression"] for row in found] == said
    assert [row["license_class"] for row in found] == [
        *["permissive"] * 3, None, None, "unknown", "unknown",
    ]  # fmt: skip
    assert found[1]["evidence"] == {
        "kind": "header", "path": None, "rule": "spdx-tag", "matcher": "spdx-tag", "score": 100.0,
        "start": 3, "end": 31,
    }  # fmt: skip
    assert found[2]["evidence"]["path"] == "package.json"
    assert found[3]["evidence"] is None
    assert found[6]["evidence"]["rule"] == "elsewhere" and found[6]["evidence"]["start"] == 3


def test_a_header_that_points_elsewhere_lets_its_folder_speak(tmp_path):
    (tmp_path / "a.h").write_text(
        "// This file is distributed under the same license as the x package.\n"
    )
    (row,) = scan_path(tmp_path, Cache(), NoJudge()).to_pylist()
    assert (row["license_class"], row["evidence"]["rule"]) == ("unknown", "elsewhere")
    (tmp_path / "LICENSE").write_text(body("mit"))
    found = scan_path(tmp_path, Cache(), NoJudge()).to_pylist()
    assert [(row["path"], row["license_expression"], says(row)) for row in found] == [
        ("/LICENSE", "MIT", "/LICENSE"), ("/a.h", "MIT", "/LICENSE"),
    ]  # fmt: skip


def written(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def found(folder, **how):
    table = scan_path(folder, Cache(), NoJudge(), **how)
    return {row["path"]: (row["license_expression"], says(row)) for row in table.to_pylist()}


def test_the_same_text_in_two_folders_is_two_statements(tmp_path):
    files = {f"{one}/LICENSE": body("mit") for one in ("a", "m", "z")}
    files |= {f"{one}/deep/x.py": "" for one in ("a", "m", "z")}
    said = found(written(tmp_path, files))
    for one in ("a", "m", "z"):
        expected = ("MIT", f"/{one}/LICENSE")
        assert said[f"/{one}/LICENSE"] == said[f"/{one}/deep/x.py"] == expected


def test_the_text_of_a_license_has_no_header(tmp_path):
    both = "# The MIT License\n\n" + body("mit") + "\n\n# Third-party parts\n\n" + body("gpl-2.0")
    slashes = "".join(f"// {line}\n" for line in body("isc").splitlines())
    third = "# The GPL\n\n" + body("gpl-2.0")
    files = {"a/LICENSE.md": both, "b/LICENSE.txt": slashes, "THIRD-PARTY-LICENSES.md": third}
    written(tmp_path, files | {"a/x.py": "", "b/x.py": ""})
    said = found(tmp_path)
    for name in ("/a/LICENSE.md", "/a/x.py"):
        assert said[name] == ("MIT AND GPL-2.0-only", "/a/LICENSE.md")
    assert said["/b/LICENSE.txt"] == ("ISC", "/b/LICENSE.txt")
    assert said["/THIRD-PARTY-LICENSES.md"] == (None, None)  # it speaks for no folder
    (row,) = scan_path(tmp_path / "a/LICENSE.md", Cache(), NoJudge()).to_pylist()
    assert (row["license_expression"], says(row)) == ("MIT AND GPL-2.0-only", "/LICENSE.md")
    records = [{"path": name, "text": text} for name, text in files.items()]
    kinds = [
        (row["evidence"] or {}).get("kind") for row in scan_records(records, Cache(), NoJudge())
    ]
    assert kinds == ["license_file", "license_file", None]


def test_submodules_of_any_folder_stand_alone(tmp_path):
    modules = '[submodule "n"]\n path = ext/foo\n[submodule "out"]\n path = ../../b\n'
    files = {"p/LICENSE": body("mit"), "p/.gitmodules": modules, "p/ext/foo/a.c": "int a;\n",
             "p/ext/a.c": "int a;\n", "b/LICENSE": body("isc"), "b/a.c": "int a;\n"}  # fmt: skip
    said = found(written(tmp_path, files))
    assert said["/p/ext/foo/a.c"] == (None, None)
    assert said["/p/ext/a.c"] == ("MIT", "/p/LICENSE") and said["/b/a.c"] == ("ISC", "/b/LICENSE")
    (tmp_path / ".git").mkdir()
    (row,) = scan_path(tmp_path / "p/ext/foo/a.c", Cache(), NoJudge()).to_pylist()
    assert row["license_expression"] is None


def test_a_link_that_was_checked_out_as_text_is_followed(tmp_path):
    files = {"isc/LICENSE": body("isc"), "x/LICENSE": "../isc/LICENSE", "x/x.py": "",
             "y/LICENSE": "LICENSES/Zlib.txt", "y/LICENSES/Zlib.txt": body("zlib"), "y/y.py": "",
             "z/LICENSE": "../nowhere/LICENSE", "z/z.py": ""}  # fmt: skip
    said = found(written(tmp_path, files))
    assert said["/x/x.py"] == said["/x/LICENSE"] == ("ISC", "/isc/LICENSE")
    assert said["/y/y.py"] == said["/y/LICENSE"] == ("Zlib", "/y/LICENSES/Zlib.txt")
    assert said["/z/z.py"] == ("LicenseRef-scancode-unknown", "/z/LICENSE")
    (tmp_path / ".git").mkdir()  # what is asked for may lie beside
    assert found(tmp_path / "x")["/x.py"] == ("ISC", "../isc/LICENSE")
    (row,) = scan_path(tmp_path / "x/LICENSE", Cache(), NoJudge()).to_pylist()
    assert (row["license_expression"], says(row)) == ("ISC", "/isc/LICENSE")


def test_what_files_state_by_themselves(tmp_path):
    files = {"LICENSE-MIT": body("mit"), "LICENSE-APACHE": body("apache-2.0"), "a.py": "",
             "package.json": '{"license": "MIT OR Apache-2.0"}',
             "b.py": "# SPDX-License-Identifier: ISC\n"}  # fmt: skip
    scanned = scan(written(tmp_path, files), Cache(), NoJudge())
    assert scanned.own == {
        "/LICENSE-MIT": "MIT", "/LICENSE-APACHE": "Apache-2.0", "/b.py": "ISC",
        "/package.json": "MIT OR Apache-2.0",
    }  # fmt: skip


def test_installed_packages_stand_on_their_own(tmp_path):
    here = "env/lib/python3.12/site-packages"
    files = {"LICENSE": body("mit"), "env/x.py": "", f"{here}/one/a.py": "", f"{here}/two/b.py": "",
             f"{here}/one-1.0.dist-info/LICENSE": body("isc"), f"{here}/other/c.py": "",
             f"{here}/two-2.dist-info/METADATA": "License-Expression: Zlib\n"}  # fmt: skip
    said = found(written(tmp_path, files))
    assert said["/env/x.py"] == ("MIT", "/LICENSE")
    assert said[f"/{here}/one/a.py"] == ("ISC", f"/{here}/one-1.0.dist-info/LICENSE")
    assert said[f"/{here}/two/b.py"] == ("Zlib", f"/{here}/two-2.dist-info/METADATA")
    assert said[f"/{here}/other/c.py"] == (None, None)
    (tmp_path / ".git").mkdir()
    assert found(tmp_path / here / "one")["/a.py"] == ("ISC", "../one-1.0.dist-info/LICENSE")


def test_a_link_says_where_the_license_is(tmp_path):
    (tmp_path / ".git").mkdir()
    written(
        tmp_path, {"LICENSE": body("mit"), "isc/LICENSE": body("isc"), "x/x.py": "", "y.py": ""}
    )
    (tmp_path / "COPYING").symlink_to("LICENSE")
    (tmp_path / "x/LICENSE").symlink_to("../isc/LICENSE")
    (tmp_path / "x/EULA").symlink_to("/etc/passwd")
    said = found(tmp_path)
    assert said["/x/x.py"][0] == "LicenseRef-scancode-unknown AND ISC" and "/COPYING" not in said
    (tmp_path / "x/EULA").unlink()
    assert found(tmp_path)["/x/x.py"] == ("ISC", "/isc/LICENSE")
    for name, expected in (("x/x.py", ("ISC", "/isc/LICENSE")), ("y.py", ("MIT", "/LICENSE")),
                           ("COPYING", ("MIT", "/LICENSE"))):  # fmt: skip
        (row,) = scan_path(tmp_path / name, Cache(), NoJudge()).to_pylist()
        assert (row["license_expression"], says(row)) == expected
