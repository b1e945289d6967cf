"""What .gitmodules and the lists of installed packages say about folders."""

import pyarrow as pa
import pytest

from stackcurate.licenses import layout
from stackcurate.licenses.cover import cover
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.names import INSTALLED, MODULES, control_files
from stackcurate.licenses.policy import CLASSES, LicenseSettings
from stackcurate.licenses.review import doubt

from .conftest import rows, text


def listed(kind: str, name: str, data: str) -> tuple[str, ...]:
    said = layout.rule(kind, name, data.encode())
    return () if said is None else layout.listed_by(said)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('[submodule "a"]\n\tpath = lib/a\n\turl = x\n', ("lib/a/",)),
        ('[submodule "a"]\n  PATH=lib/a', ("lib/a/",)),
        ('path = "two words" # really\npath = b ; c\n', ("b/", "two words/")),
        ('path = "a \\"b\\" c"\n', ('a "b" c/',)),
        ("path = a/../b//c/./d\r\n", ("b/c/d/",)),
        ("path = ü\n", ("ü/",)),
        ("path = ../up\npath = /etc\npath = .\npath = ..\npath =\n", ()),
        ("path = a\0b\n", ()),
        ("xpath = a\nurl = b\n# path = c\n", ()),
        ("", ()),
    ],
)
def test_submodules(data, expected):
    assert listed(MODULES, ".gitmodules", data) == expected


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("RECORD", "yaml/__init__.py,sha256=x,1\nyaml/a.py,,\n_yaml/x.so,,\n", ("_yaml/", "yaml/")),
        ("RECORD", "six.py,,\nsix-1.0.dist-info/METADATA,,\n__pycache__/six.pyc,,\n", ("six.py",)),
        (
            "RECORD",
            "google/auth/a.py,,\ngoogle/oauth2/b.py,,\n",
            ("google/auth/", "google/oauth2/"),
        ),
        # other packages may lie in such a folder, so that it is not this one's
        ("RECORD", "zope/__init__.py,,\nzope/i/a.py,,\n", ("zope/__init__.py", "zope/i/")),
        ("RECORD", '"a,b/c.py",,\n', ("a,b/",)),
        ("RECORD", "../../bin/x,,\n/etc/x,,\na/../../y/z,,\n..,,\n", ()),
        ("RECORD", "a/../yaml/x.py,,\n", ("yaml/",)),
        ("RECORD", "", ()),
        ("RECORD", '"open\n', ("open",)),
        ("RECORD", '"' * 200_000 + "\nb.py,,\n", ("b.py",)),
        ("RECORD", "a/" * 200_000 + "b,,\na\0b,,\n" + '"a\0b",,\n', ()),
        ("installed-files.txt", "../yaml/a.py\n../six.py\nPKG-INFO\n", ("six.py", "yaml/")),
        ("installed-files.txt", "../../x.py\n", ()),
        ("top_level.txt", "yaml\n_yaml\n\n", ("_yaml.py", "_yaml/", "yaml.py", "yaml/")),
        ("top_level.txt", "../up\n/etc\n", ()),
    ],
)
def test_packages(name, data, expected):
    assert listed(INSTALLED, f"/x-1.0.dist-info/{name}", data) == expected


def test_a_list_without_an_end_covers_nothing():
    data = "".join(f"m{number}.py,,\n" for number in range(layout.MAX_NAMES + 1))
    said = layout.rule(INSTALLED, "RECORD", data.encode())
    assert said == f"covers:RECORD [] more than {layout.MAX_NAMES} names"
    assert layout.listed_by(said) == ()


def test_names_that_may_not_be_told_are_left_out():
    def told(name: str) -> bool:
        return "secret" not in name

    said = layout.rule(MODULES, ".gitmodules", b"path = lib/secret\npath = secret\npath = a\n")
    assert layout.listed_by(layout.without(MODULES, said or "", told)) == ("a/", "lib/")
    said = layout.rule(INSTALLED, "RECORD", b"secret/a.py,,\nb/a.py,,\n")
    assert layout.listed_by(layout.without(INSTALLED, said or "", told)) == ("b/",)


def covered(control: dict[str, str], *files: str, host: str | None = None) -> list[str | None]:
    """The licenses of files below control files: path -> text."""
    paths = pa.array(list(control), pa.string())
    kinds = control_files(paths).to_pylist()
    items = [
        text(said, kind, path.rpartition("/")[2])
        for (path, said), kind in zip(control.items(), kinds, strict=True)
    ]
    # as in a run, the rows of a content stand at each of its places
    distinct = {(item.content_id, item.name): item for item in items}
    evidence = pa.Table.from_pylist(rows(*distinct.values()))
    found = folders(
        paths, [item.content_id.hex() for item in items], evidence, LicenseSettings(allow=CLASSES)
    )
    return cover(pa.array(files, pa.string()), found)["license_expression"].to_pylist()


MIT, ISC = "SPDX-License-Identifier: MIT\n", "SPDX-License-Identifier: ISC\n"
META = "License-Expression: Zlib\n"


def test_submodules_stand_on_their_own_unless_somebody_names_them():
    control = {"/LICENSE": MIT, "/.gitmodules": "path = sub\npath = own\n", "/own/COPYING": ISC}
    files = ["/a.c", "/sub/a.c", "/sub/b/a.c", "/subway/a.c", "/own/a.c"]
    assert covered(control, *files) == ["MIT", None, None, "MIT", "ISC"]
    reuse = 'version = 1\n[[annotations]]\npath = ["**"]\nSPDX-License-Identifier = "Zlib"\n'
    assert covered(control | {"/REUSE.toml": reuse}, *files) == ["Zlib", None, None, "Zlib", "ISC"]
    forced = reuse + 'precedence = "override"\n'
    said = covered(control | {"/REUSE.toml": forced}, *files)
    assert said == ["Zlib", None, None, "Zlib", "ISC"]
    named = reuse.replace('"**"', '"**", "sub/**"')
    said = covered(control | {"/REUSE.toml": named}, *files)
    assert said == ["Zlib", "Zlib", "Zlib", "Zlib", "ISC"]
    debian = "Format: x\n\nFiles: *\nLicense: Zlib\n\nFiles: sub/*\nLicense: BSD-3-clause\n"
    said = covered({"/debian/copyright": debian, "/.gitmodules": "path = sub\n"}, *files)
    assert said[:3] == ["Zlib", "BSD-3-Clause", "BSD-3-Clause"]


def test_a_submodule_of_a_submodule_stands_on_its_own():
    control = {"/a/LICENSE": MIT, "/a/.gitmodules": "path = b\n", "/.gitmodules": "path = a\n"}
    assert covered(control, "/a/x.c", "/a/b/x.c", "/b/x.c") == ["MIT", None, None]


def test_who_names_others_does_not_let_his_other_words_in():
    reuse = ('version = 1\n[[annotations]]\npath = ["vendor/one/**", "**"]\n'
             'SPDX-License-Identifier = "Zlib"\n')  # fmt: skip
    files = ["/a.c", "/vendor/one/a.c", "/vendor/two/a.c"]
    assert covered({"/REUSE.toml": reuse}, *files) == ["Zlib", "Zlib", None]


def test_a_statement_about_paths_inside_a_package_of_others():
    reuse = 'version = 1\n[[annotations]]\npath = "**"\nSPDX-License-Identifier = "Zlib"\n'
    files = ["/node_modules/x/a.js", "/node_modules/x/node_modules/y/a.js", "/node_modules/z/a.js"]
    assert covered({"/node_modules/x/REUSE.toml": reuse}, *files) == ["Zlib", None, None]


def test_an_unpacked_wheel_speaks_for_what_it_lists():
    record = "yaml/a.py,,\nsix.py,,\n"
    control = {"/y-1.dist-info/METADATA": META, "/y-1.dist-info/RECORD": record}
    files = ["/yaml/a.py", "/six.py", "/setup.py", "/other/a.py", "/y-1.dist-info/WHEEL"]
    assert covered(control, *files) == ["Zlib", "Zlib", None, None, "Zlib"]
    control["/LICENSE"] = MIT
    assert covered(control, *files) == ["Zlib", "Zlib", "MIT", "MIT", "Zlib"]


def test_an_egg_info_by_itself_belongs_to_its_project():
    control = {"/src/x.egg-info/PKG-INFO": META, "/src/x.egg-info/top_level.txt": "x\n"}
    assert covered(control, "/src/x/a.py", "/src/y/a.py", "/a.py") == ["Zlib", "Zlib", None]
    control |= {"/src/y.egg-info/PKG-INFO": "License-Expression: ISC\n",
                "/src/y.egg-info/top_level.txt": "y\n"}  # fmt: skip
    assert covered(control, "/src/x/a.py", "/src/y/a.py", "/src/a.py") == ["Zlib", "ISC", None]


def test_an_egg_is_a_folder_with_its_papers_inside():
    here = "/x/site-packages/one-1.0-py3.9.egg"
    control = {"/LICENSE": MIT, f"{here}/EGG-INFO/PKG-INFO": META}
    assert covered(control, f"{here}/one/a.py", "/x/site-packages/two-1.egg/a.py") == ["Zlib", None]


def test_the_same_bytes_under_two_names_say_two_things():
    here = "/site-packages"
    control = {f"{here}/a-1.dist-info/METADATA": META, f"{here}/a-1.dist-info/RECORD": "p\n",
               f"{here}/b-1.egg-info/PKG-INFO": "License-Expression: ISC\n",
               f"{here}/b-1.egg-info/top_level.txt": "p\n"}  # fmt: skip
    # the one a file that is called so, the other a folder or a module
    assert covered(control, f"{here}/p", f"{here}/p/a.py", f"{here}/p.py") == ["Zlib", "ISC", "ISC"]


def test_names_of_papers():
    assert layout.is_info("/x-1.0.dist-info") and layout.is_info("/a/x.egg-info")
    assert not any(map(layout.is_info, ("", "/", "/.dist-info", "/-1.egg-info", "/x-info", "/x")))


def test_packages_without_lists_speak_by_name():
    control = {"/x/site-packages/one-1.dist-info/METADATA": META, "/LICENSE": MIT,
               "/lib/a-1.dist-info/METADATA": META,
               "/lib/b-1.dist-info/METADATA": META}  # fmt: skip
    files = ["/x/site-packages/one/a.py", "/x/site-packages/two/a.py", "/x/site-packages/a.py",
             "/lib/a/a.py", "/lib/c/a.py", "/x/a.py"]  # fmt: skip
    assert covered(control, *files) == ["Zlib", None, None, "Zlib", "MIT", "MIT"]


def test_the_best_list_counts():
    here = "/site-packages/x-1.dist-info"
    control = {f"{here}/METADATA": META, f"{here}/top_level.txt": "top\n",
               f"{here}/RECORD": "rec/a.py,,\n"}  # fmt: skip
    files = ["/site-packages/rec/a.py", "/site-packages/top/a.py"]
    assert covered(control, *files) == ["Zlib", None]
    del control[f"{here}/RECORD"]
    assert covered(control, *files) == [None, "Zlib"]


def test_who_lists_what_is_anothers_binds_beside_him():
    here = "/site-packages"
    control = {f"{here}/a-1.dist-info/METADATA": META, f"{here}/a-1.dist-info/RECORD": "x/a.py,,\n",
               f"{here}/b-1.dist-info/METADATA": "License-Expression: GPL-3.0-only\n",
               f"{here}/b-1.dist-info/RECORD": "x/a.py,,\nx/b.py,,\n"}  # fmt: skip
    (said,) = covered(control, f"{here}/x/a.py")
    assert set(said.split(" AND ")) == {"Zlib", "GPL-3.0-only"}


def test_paragraphs_of_a_package_bind_together():
    dep5 = ("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
            "Files: *\nLicense: Zlib\n\nFiles: src/g.py\nLicense: GPL-3\n")  # fmt: skip
    here = "/site-packages/x-1.dist-info"
    control = {f"{here}/COPYRIGHT": dep5, f"{here}/RECORD": "x/a.py,,\n"}
    (said,) = covered(control, "/site-packages/x/a.py")
    assert set(said.split(" AND ")) == {"Zlib", "GPL-3.0-only"}


def test_nobody_is_asked_about_a_list():
    (row,) = rows(text("path = a\n", MODULES, ".gitmodules"))
    assert row["expression"] is None and row["rule"] == 'apart: ["a/"]' and doubt(row) is None
