"""Which license covers which file, the same from every kind of source and from `license FOLDER`."""

from __future__ import annotations

import io
import os
import random
import shutil
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stackcurate.licenses import links
from stackcurate.licenses.alone import scan_path
from stackcurate.licenses.cache import Cache
from tests.licenses.conftest import NoJudge
from tests.sources.swh_tables import Graph, symlink

from ..driving import (
    Site,
    assert_same_bytes,
    code,
    git,
    repository,
    site,
    stackcurate,
    write_yaml,
)

SOURCES = ("git", "tar", "folder", "table", "graph")
PACKAGES = "env/lib/python3.11/site-packages"
UNKNOWN = "LicenseRef-scancode-unknown"
TAG = "SPDX-License-Identifier: "
MODULES = """[submodule "one"]
\tpath = ext/one
\turl = ../one.git
[submodule "two"] # told twice
\tpath = "ext/two words" ; where it lies
[submodule "out"]
\tpath = ../../src
"""
RECORD = """PyYAML-6.0.dist-info/METADATA,sha256=x,1
PyYAML-6.0.dist-info/RECORD,,
yaml/__init__.py,sha256=x,1
yaml/deep/a.py,sha256=x,1
"../../../bin/tool, really",sha256=x,1
../../../../src/a.py,sha256=x,1
"""
SPACES = """alpha-1.0.dist-info/METADATA,,
shared/__init__.py,,
shared/alpha/a.py,,
"""
TEXTS = {
    "LICENSE": f"{TAG}MIT\n",
    ".gitmodules": MODULES,
    "REUSE.toml": 'version = 1\n[[annotations]]\npath = ["ext/**", "ext/own/told.py"]\n'
    'precedence = "override"\nSPDX-License-Identifier = "CC0-1.0"\n',
    "ext/two words/LICENSE": f"{TAG}ISC\n",
    f"{PACKAGES}/PyYAML-6.0.dist-info/METADATA": "License-Expression: Zlib\n",
    f"{PACKAGES}/PyYAML-6.0.dist-info/RECORD": RECORD,
    f"{PACKAGES}/alpha-1.0.dist-info/METADATA": "License-Expression: ISC\n",
    f"{PACKAGES}/alpha-1.0.dist-info/RECORD": SPACES,
    f"{PACKAGES}/beta-1.0.dist-info/METADATA": "License-Expression: BSD-3-Clause\n",
    f"{PACKAGES}/beta-1.0.dist-info/RECORD": SPACES.replace("alpha", "beta"),
    f"{PACKAGES}/old-1.0.egg-info/PKG-INFO": "License-Expression: Zlib\n",
    f"{PACKAGES}/old-1.0.egg-info/top_level.txt": "elder\n",
    f"{PACKAGES}/gpl-1.0.dist-info/METADATA": "License-Expression: GPL-3.0-only\n",
    f"{PACKAGES}/gpl-1.0.dist-info/RECORD": "strict/a.py,,\n",
}
# File of code -> its license; None where nothing is stated for it.
COVERED: dict[str, str | None] = {
    "src/a.py": "MIT",
    "ext/a.py": "CC0-1.0",
    "ext/one/a.py": None,
    "ext/one/deep/a.py": None,
    "ext/two words/a.py": "ISC",
    f"{PACKAGES}/yaml/__init__.py": "Zlib",
    f"{PACKAGES}/yaml/deep/a.py": "Zlib",
    f"{PACKAGES}/yaml/_vendor/x/a.py": None,
    f"{PACKAGES}/shared/__init__.py": "ISC AND BSD-3-Clause",
    f"{PACKAGES}/shared/alpha/a.py": "ISC",
    f"{PACKAGES}/shared/beta/a.py": "BSD-3-Clause",
    f"{PACKAGES}/elder/a.py": "Zlib",
    f"{PACKAGES}/elder.py": "Zlib",
    f"{PACKAGES}/strict/a.py": "GPL-3.0-only",
    f"{PACKAGES}/stray/a.py": None,
    f"{PACKAGES}/stray.py": None,
    "one/a.py": "MIT",
    "one/two/a.py": "ISC",
    "chain/a.py": "ISC",
    "around/a.py": "ISC",
    "json/a.py": "Zlib",
    "points/a.py": "BSD-3-Clause",
    "both/a.py": "BSD-3-Clause AND ISC",
    "folder/a.py": "MIT",
    **dict.fromkeys((f"{one}/a.py" for one in ("cycle", "out", "rooted", "dangling", "modules",
                                              "long", "file", "empty")), UNKNOWN),
}  # fmt: skip
LINKS: dict[str, str] = {
    "one/LICENSE": "../LICENSE",
    "one/two/COPYING": "../../legal/./isc.words",  # a name that says nothing by itself
    "chain/LICENSE": "../chain/second",
    "chain/second": "third",
    "chain/third": "../legal/isc.words",
    "detour": "legal",
    "around/LICENSE": "../detour/../legal/isc.words",
    "json/package.json": "../detour/z.words",
    "points/LICENSE": "../legal/points.words",
    "both/LICENSE-ISC": "../legal/isc.words",
    "both/LICENSE-BSD": "../legal/COPYING",
    "folder/LICENSE": "../legal",
    "cycle/LICENSE": "COPYING",
    "cycle/COPYING": "LICENSE",
    "out/LICENSE": "../../LICENSE",
    "rooted/LICENSE": "/LICENSE",
    "dangling/LICENSE": "../nowhere/LICENSE",
    "file/LICENSE": "../LICENSE/LICENSE",
    "empty/LICENSE": "../legal/" + "x" * 300,
    "modules/LICENSE": "../ext/nothing/LICENSE",
    "long/LICENSE": "l0",
    **{f"long/l{n}": f"l{n + 1}" for n in range(11)},
    "long/l11": "../LICENSE",
    "notes/NOTICE": "../nowhere",
}
TEXTS |= {
    "legal/isc.words": f"{TAG}ISC\n",
    "legal/z.words": '{"license": "Zlib"}\n',
    "legal/points.words": "See COPYING\n",
    "legal/COPYING": f"{TAG}BSD-3-Clause\n",
}


def parts(expression: str | None) -> list[str] | None:
    """What binds together, in any order: that follows from ids."""
    return sorted(expression.split(" AND ")) if expression else None


def tree(source: str) -> dict[str, bytes]:
    """The files of one source; its code is like no other's."""
    texts = {name: text.encode() for name, text in TEXTS.items()}
    names = {n: f"{source}_{k}" for k, n in enumerate(COVERED)}
    return texts | {name: code(topic).encode() for name, topic in names.items()}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for name, target in LINKS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target)
    return folder


def as_git(folder: Path) -> None:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    put(folder, tree("git"))
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "-m", "all")


def as_tar(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, data in tree("tar").items():
            info = tarfile.TarInfo(f"top/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in LINKS.items():
            info = tarfile.TarInfo(f"top/{name}")
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)


def as_table(path: Path) -> None:
    path.parent.mkdir(parents=True)
    files = [(name, data, 0o100644) for name, data in tree("table").items()]
    files += [(name, target.encode(), 0o120000) for name, target in LINKS.items()]
    columns = {
        "repo_name": ["o/table"] * len(files),
        "path": [name for name, _, _ in files],
        "content": pa.array([data for _, data, _ in files], pa.binary()),
        "mode": pa.array([mode for _, _, mode in files], pa.int32()),
    }
    pq.write_table(pa.table(columns), path)


def as_graph(folder: Path) -> None:
    graph = Graph()
    nested: dict = {}
    for name, data in tree("graph").items():
        _set(nested, name, graph.blob(data))
    for name, target in LINKS.items():
        _set(nested, name, symlink(graph.blob(target.encode())))

    def made(level: dict):
        entries = {n.encode(): made(v) if isinstance(v, dict) else v for n, v in level.items()}
        return graph.tree(entries)

    snapshot = graph.snapshot({b"HEAD": graph.revision(made(nested))})
    graph.visit("https://example.org/o/graph", snapshot)
    graph.write(folder / "graph", folder / "contents")


def _set(nested: dict, name: str, node: object) -> None:
    *folders, last = name.split("/")
    for one in folders:
        nested = nested.setdefault(one, {})
    nested[last] = node


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("coverage")
    as_git(folder / "git" / "git")
    as_tar(folder / "tars" / "tar.tar.gz")
    put(folder / "folders" / "folder", tree("folder"))
    as_table(folder / "tables" / "t.parquet")
    as_graph(folder)
    columns = {"content": "content", "path": "path", "repo_name": "repo_name", "mode": "mode"}
    sources = [
        {"kind": "git", "path": "git"},
        {"kind": "archive", "path": "tars"},
        {"kind": "archive", "path": "folders", "folders": True},
        {"kind": "parquet", "path": "tables", "columns": columns},
        {"kind": "swh_graph", "path": "graph", "contents": "contents"},
    ]
    made = site(folder, sources, None, license={"look_inside": "open"})
    return made.built("--workers", 2)


def said(world: Site, source: str) -> dict[str, dict]:
    """Ledger rows of one source, by path without the first slash."""
    rows = world.ledger().to_pylist()
    return {r["path"][1:]: r for r in rows if r["path"] and source in r["origin"]}


@pytest.mark.parametrize("source", SOURCES)
def test_a_run_and_a_folder_say_the_same(world, source) -> None:
    ships = {
        row["path"][1:]: row["license_expression"]
        for row in world.files().to_pylist()
        if source in row["origin"]
    }
    ledger = said(world, source)
    for name, expected in COVERED.items():
        if expected is None:
            assert ledger[name]["outcome"] == "header:unstated", name
        elif "GPL" in expected or "unknown" in expected:
            assert ledger[name]["outcome"] == "license:refused", name
            assert ledger[name]["note"].startswith(expected), name
        else:
            assert parts(ships[name]) == parts(expected), name


def test_the_command_says_it_too(world) -> None:
    rows = scan_path(world.config.parent / "folders/folder", Cache(), NoJudge()).to_pylist()
    found = {row["path"][1:]: parts(row["license_expression"]) for row in rows}
    for name, expected in COVERED.items():
        assert found[name] == parts(expected), name


def test_the_ledger_says_why_a_folder_stands_on_its_own(world) -> None:
    for source in SOURCES:
        ledger = said(world, source)
        assert ledger["ext/one/a.py"]["note"].endswith("stands on its own, says /.gitmodules")
        alone = f"{PACKAGES}/stray.py"
        assert ledger[alone]["note"].endswith("in a package of others, which inherits nothing")


def test_evidence_names_what_a_link_leads_to_or_why_it_leads_nowhere(world) -> None:
    for source in SOURCES:
        ledger = said(world, source)
        for name, why in (("cycle", links.LONG), ("long", links.LONG), ("out", links.OUT),
                          ("rooted", links.ABSOLUTE), ("dangling", links.NOWHERE),
                          ("file", links.NOWHERE), ("modules", links.NOWHERE)):  # fmt: skip
            assert ledger[f"{name}/a.py"]["note"].endswith(f"/LICENSE (link: {why})") or (
                name == "cycle" and why in ledger["cycle/a.py"]["note"]
            )
        assert ledger["one/LICENSE"]["outcome"] == "source:symlink"
    told = stackcurate("why", "/one/two/a.py", world.config).text
    assert "stated by /one/two/COPYING (spdx-tag (a link to /legal/isc.words); spdx-tag 100" in told
    papers = pq.read_table(world.release / "papers.parquet").to_pylist()
    texts = pq.read_table(world.release / "texts.parquet")["content_id"].to_pylist()
    kinds = {row["path"]: row for row in papers if row["origin"] == "git:git"}
    # what goes with the code is the text, not the name of the file that has it
    assert kinds["/one/LICENSE"]["content_id"] == kinds["/LICENSE"]["content_id"]
    assert "/cycle/LICENSE" not in kinds and "/notes/NOTICE" not in kinds
    assert {row["content_id"] for row in papers} <= set(texts)
    told = stackcurate("notices", "--where", "path='/one/two/a.py'", world.release).text
    assert "\nSPDX-License-Identifier: ISC\n" in told
    # a link is no text that a person could decide about
    assert "link" not in (world.run_folder / "review.jsonl").read_text()


def test_any_number_of_workers_gives_the_same_bytes(world, tmp_path) -> None:
    for name in ("git", "tars", "folders", "tables", "graph", "contents"):
        shutil.copytree(world.config.parent / name, tmp_path / name, symlinks=True)
    write_yaml(tmp_path / "config.yaml", world.written)
    again = Site(tmp_path / "config.yaml").built("--workers", 1)
    assert_same_bytes(world.release, again.release)


def test_what_says_that_a_folder_stands_alone_is_evidence_where_such_files_ship(world, tmp_path):
    shutil.copytree(world.config.parent / "git", tmp_path / "git", symlinks=True)
    settings = {"look_inside": "open", "keep_unstated": True}
    made = site(tmp_path, [{"kind": "git", "path": "git"}], None, license=settings).built()
    rows = {row["path"]: row for row in made.files().to_pylist()}
    one = rows["/ext/one/a.py"]
    evidence = pq.read_table(made.release / "evidence.parquet").to_pylist()
    (said_,) = [row for row in evidence if row["evidence_id"] == one["license_evidence"]]
    assert (one["license_class"], one["license_type"]) == ("unstated", "no_license")
    assert (said_["kind"], said_["rule"]) == ("modules", 'apart: ["ext/one/", "ext/two words/"]')
    assert rows[f"/{PACKAGES}/stray.py"]["license_evidence"] is None
    told = stackcurate("why", "/ext/one/a.py", made.config).text
    assert 'nothing stated (unstated), stated by a modules (apart: ["ext/one/"' in told
    assert stackcurate("verify", made.release).code == 0
    assert stackcurate("notices", "--where", "path='/ext/one/a.py'", made.release).code == 0


def test_why_tells_it(world) -> None:
    told = stackcurate("why", "/ext/one/deep/a.py", world.config).text
    assert "its folder stands on its own, says /.gitmodules" in told
    told = stackcurate("why", f"/{PACKAGES}/yaml/deep/a.py", world.config).text
    assert "Zlib (permissive), stated by" in told


# --- made-up trees --------------------------------------------------------------------------------

IDS = ("MIT", "ISC", "Zlib", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-only")
FOLDERS = ("", "a/", "a/b/", "c/d/", "node_modules/x/", "lib/site-packages/", "sub/", "vendor/v/",
           "lib/site-packages/p/", "sub/e/", "f/EGG-INFO/")  # fmt: skip
NAMES = ("LICENSE", "COPYING", "words", "LICENSES/MIT.txt")
TARGETS = ("../LICENSE", "LICENSE", "COPYING", "../COPYING", "../../LICENSE", "../words", "../a",
           "x", "../x", "/etc/passwd", "x/LICENSE", "../a/b/../LICENSE", ".",
           "LICENSES/MIT.txt")  # fmt: skip
REUSE = """version = 1
[[annotations]]
path = "{}"
precedence = "{}"
SPDX-License-Identifier = "{}"
"""
ASKED = (("**", "sub/**"), ("closest", "override"))
LISTED = ("p/code.py,,\n", "b/code.py,,\n", "code.py,,\n", "p\n", "b\n", "../code.py,,\n")


def made_up(repo: Path, dice: random.Random) -> None:
    """A repository in which anything that speaks of licenses may lie anywhere."""
    files: dict[str, str] = {}
    places = dice.sample(FOLDERS, dice.randint(3, 8))
    for n, place in enumerate(places):
        files[f"{place}code.py"] = code(f"{repo.name}_{n}")
        says = {
            place + dice.choice(NAMES): (0.3, f"{TAG}{dice.choice(IDS)}\n"),
            f"{place}package.json": (0.15, f'{{"license": "{dice.choice(IDS)}"}}'),
            f"{place}LICENSE": (0.1, f"See {dice.choice(TARGETS)}\n"),
            f"{place}.gitmodules": (0.15, f"path = {dice.choice(('b', 'd', 'sub', '../c'))}\n"),
            f"{place}REUSE.toml": (0.15, REUSE.format(*map(dice.choice, ASKED), dice.choice(IDS))),
        }
        files |= {name: text for name, (share, text) in says.items() if dice.random() < share}
    for n in range(dice.randint(0, 3)):
        where, kind = dice.choice(("lib/site-packages/", "", "a/")), dice.choice(("dist", "egg"))
        papers = f"{where}q{n}-1.{kind}-info/"
        meta = "METADATA" if kind == "dist" else "PKG-INFO"
        files[papers + meta] = f"License-Expression: {dice.choice(IDS)}\n"
        files[papers + dice.choice(("RECORD", "top_level.txt"))] = dice.choice(LISTED)
    repository(repo, files, None)
    for _ in range(dice.randint(0, 6)):
        link = repo / dice.choice(places) / dice.choice((*NAMES[:3], "NOTICE", "package.json", "x"))
        if not os.path.lexists(link):
            link.symlink_to(dice.choice(TARGETS))
    git(repo, "add", "-A", "-f")
    git(repo, "commit", "-q", "--allow-empty", "-m", "links")


def test_a_run_and_a_folder_agree_about_made_up_trees(tmp_path) -> None:
    dice = random.Random(7)
    for number in range(30):
        made_up(tmp_path / "git" / f"r{number}", dice)
    settings = {"look_inside": "open", "keep_unstated": True}
    made = site(tmp_path, [{"kind": "git", "path": "git"}], None, license=settings).built()
    run = {r["origin"] + r["path"]: r["license_expression"] for r in made.files().to_pylist()}
    refused = [r for r in made.ledger().to_pylist() if r["outcome"] == "license:refused"]
    run |= {row["origin"] + (row["path"] or ""): row["note"].split(" (")[0] for row in refused}
    compared = []
    for repo in (tmp_path / "git").iterdir():
        for row in scan_path(repo, Cache(), NoJudge()).to_pylist():
            place = f"git:{repo.name}{row['path']}"
            # A repository that was refused whole has one row.
            told = run.get(place, run.get(f"git:{repo.name}"))
            if row["path"].endswith(".py") and (place in run or told):
                assert parts(told) == parts(row["license_expression"]), place
                compared.append(told)
    assert len(compared) > 100 and len(set(map(str, compared))) > 8
