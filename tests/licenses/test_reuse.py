"""A REUSE project as the specification (3.3) reads it: who counts, in each of its ways."""

import hashlib

import pyarrow as pa

from stackcurate.licenses.alone import scan_path
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.cover import cover
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.names import control_files
from stackcurate.licenses.paths import statements
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.stage import Header
from tests.licenses.conftest import NoJudge

TAG = "SPDX-License-Identifier: "


def annotation(path, license_, precedence=None):
    more = f'precedence = "{precedence}"\n' if precedence else ""
    return f'[[annotations]]\npath = "{path}"\n{more}SPDX-License-Identifier = "{license_}"\n'


def judged(tree, **settings):
    """path -> (expression, verdict) of every source file of ``tree`` (path -> text)."""
    paths = pa.array(sorted(tree))
    kinds = control_files(paths).to_pylist()
    items = []
    for path, kind in zip(paths.to_pylist(), kinds, strict=True):
        if kind:
            data = tree[path].encode()
            name = path.rpartition("/")[2]
            items.append((path, Text(hashlib.sha1(data).digest(), name, kind, data)))
    once = {(t.content_id, t.kind, t.name): t for _, t in items}
    evidence = detect_texts(list(once.values()), Cache(), NoJudge())
    given = LicenseSettings(**settings)
    stated = folders(
        pa.array([path for path, _ in items], pa.string()),
        [t.content_id.hex() for _, t in items], evidence, given,
    )  # fmt: skip
    covered = cover(paths, stated)
    batch = covered.append_column("content", pa.array([tree[p] for p in sorted(tree)]))
    batch = batch.append_column("content_id", pa.array(sorted(tree)))
    batch = batch.append_column("path", pa.array(sorted(tree)))
    batch = batch.append_column("verdict", pa.nulls(len(paths), pa.string()))
    stage = Header.of(given)
    found = stage.find(batch)
    for name in found.column_names:
        at = batch.schema.get_field_index(name)
        column = found[name]
        batch = (batch.append_column(name, column) if at < 0
                 else batch.set_column(at, name, column))  # fmt: skip
    judged_ = stage.judge(batch)
    rows = zip(paths.to_pylist(), kinds, judged_["license_expression"].to_pylist(),
               judged_["verdict"].to_pylist(), strict=True)  # fmt: skip
    return {path: (expression, verdict) for path, kind, expression, verdict in rows if not kind}


HEADERS = {
    "/a/mit.c": f"// {TAG}MIT\n",
    "/a/gpl.c": f"// {TAG}GPL-2.0-only\n",
    "/a/none.c": "int x;\n",
}


def with_toml(*annotations):
    return judged({**HEADERS, "/REUSE.toml": "version = 1\n" + "".join(annotations)})


def test_closest_is_for_files_that_say_nothing():
    for given in (None, "closest", "nonsense"):
        assert with_toml(annotation("a/**", "ISC", given)) == {
            "/a/mit.c": ("MIT", None), "/a/none.c": ("ISC", None),
            "/a/gpl.c": ("GPL-2.0-only", "header:conflict"),
        }  # fmt: skip


def test_override_does_not_ask_the_file():
    assert with_toml(annotation("a/**", "ISC", "override")) == dict.fromkeys(HEADERS, ("ISC", None))


def test_aggregate_binds_both():
    assert with_toml(annotation("a/**", "ISC", "aggregate")) == {
        "/a/mit.c": ("ISC AND MIT", None), "/a/none.c": ("ISC", None),
        "/a/gpl.c": ("ISC AND GPL-2.0-only", "header:conflict"),
    }  # fmt: skip


def test_dep5_aggregates():
    tree = {**HEADERS, "/.reuse/dep5": "Format: x\n\nFiles: a/*\nCopyright: Jo\nLicense: ISC\n"}
    assert judged(tree)["/a/mit.c"] == ("ISC AND MIT", None)


def test_the_last_annotation_counts_whatever_its_precedence():
    first, last = annotation("a/*", "ISC", "override"), annotation("a/mit.c", "Zlib")
    assert with_toml(first, last)["/a/mit.c"] == ("MIT", None)
    assert with_toml(last, first)["/a/mit.c"] == ("ISC", None)


def test_the_nearest_file_counts_unless_a_higher_one_overrides():
    near = {"/a/REUSE.toml": annotation("*.c", "Zlib")}
    assert judged({**HEADERS, **near, "/REUSE.toml": annotation("**", "ISC")})["/a/none.c"] == (
        "Zlib", None,
    )  # fmt: skip
    far = {"/REUSE.toml": annotation("**", "ISC", "override")}
    near = {"/a/REUSE.toml": annotation("*.c", "Zlib", "override")}
    assert judged({**HEADERS, **near, **far})["/a/none.c"] == ("ISC", None)
    assert judged({**HEADERS, **near})["/a/gpl.c"] == ("Zlib", None)


def test_a_sidecar_stands_for_its_file():
    tree = {
        **HEADERS,
        "/a/gpl.c.license": f"SPDX-FileCopyrightText: Jo\n{TAG}ISC\n",
        "/b/mit.c": f"// {TAG}MIT\n",
        "/b/gpl.c": "int y;\n",  # the same bytes as a sidecar, elsewhere, say nothing about it
        "/b/mit.c.license": f"SPDX-FileCopyrightText: Jo\n{TAG}ISC\n",
        "/c/x.png": "x",
        "/c/x.png.license": f"{TAG}CC0-1.0",
        "/c/key.license": "8a7f-not-a-tag",
        "/c/key": "y",
    }
    found = judged(tree)
    assert found["/a/gpl.c"] == ("ISC", None) and found["/b/mit.c"] == ("ISC", None)
    assert found["/b/gpl.c"] == (None, "header:unstated")
    assert found["/c/x.png"] == ("CC0-1.0", None) and found["/c/key"] == (None, "header:unstated")


def test_a_sidecar_against_each_precedence():
    tree = {**HEADERS, "/a/none.c.license": f"{TAG}Zlib\n"}
    expected = {"closest": "Zlib", "aggregate": "Zlib AND ISC", "override": "ISC"}
    for how, expression in expected.items():
        toml = {"/REUSE.toml": annotation("a/**", "ISC", how)}
        assert judged({**tree, **toml})["/a/none.c"][0] == expression
    toml = {"/REUSE.toml": annotation("a/**", "GPL-3.0-only", "aggregate")}
    found = judged({**tree, **toml}, allow=("permissive",))["/a/none.c"]
    assert found[0] == "Zlib AND GPL-3.0-only"


def test_several_tags_bind_together():
    (said,) = statements("x.license", f"{TAG}MIT\n{TAG}ISC OR Zlib\n".encode())
    assert said.expression == "MIT AND (ISC OR Zlib)" and said.globs == ["x"]
    assert statements("x.license", b"no tag") == []


def test_texts_in_licenses_cover_nothing_but_the_folder_walk_ignores_them():
    tree = {"/LICENSES/MIT.txt": f"{TAG}MIT", "/x.c": "int x;\n"}
    assert judged(tree)["/x.c"] == (None, "header:unstated")


def test_the_same_project_by_the_command(tmp_path):
    tree = {
        **HEADERS, "/REUSE.toml": annotation("a/*.c", "ISC", "aggregate"),
        "/b/x.py": "x = 1\n", "/b/x.py.license": f"{TAG}GPL-3.0-or-later\n",
    }  # fmt: skip
    for path, text in tree.items():
        (tmp_path / path[1:]).parent.mkdir(exist_ok=True)
        (tmp_path / path[1:]).write_text(text)
    rows = {r["path"]: r for r in scan_path(tmp_path, Cache(), NoJudge()).to_pylist()}
    assert rows["/a/mit.c"]["license_expression"] == "ISC AND MIT"
    assert rows["/b/x.py"]["license_expression"] == "GPL-3.0-or-later"
    assert rows["/b/x.py"]["evidence"]["path"] == "/b/x.py.license"
