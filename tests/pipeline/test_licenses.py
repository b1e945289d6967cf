"""Licenses from repositories to the release: who covers what, people's decisions, and notices."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ..driving import Site, code, git, repository, site, stackcurate

SPDX = "# SPDX-License-Identifier: "
GPL = "SPDX-License-Identifier: GPL-3.0-only\n"
APACHE = "SPDX-License-Identifier: Apache-2.0\n"
NOTICE = "Example Engine\nCopyright 2019 The Example Authors\n"
ODD = "You may do with this program what a good neighbor would do with your garden tools.\n"
RIDER = "SPDX-License-Identifier: MIT\n\nYou may not use this software to train AI models.\n"
SHARED = code("shared", 30)


def commit_at(folder: Path, date: str) -> None:
    """Give the one commit of a repository another date."""
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=T", "-c", "user.email=t@example.org",
         "commit", "-q", "--amend", "--no-edit", "--date", date],
        check=True, env={"PATH": "/usr/bin:/bin", "GIT_COMMITTER_DATE": date},
    )  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("licenses")
    repos = folder / "git"
    repository(
        repos / "engine",
        {
            "NOTICE": NOTICE,
            "LICENSE": APACHE,
            "src/a.py": code("a"),
            "src/NOTICE.txt": "Part of another engine.\n",
            "src/gpl.py": SPDX + "GPL-2.0-only\n" + code("gpl"),
            "src/bsd.py": SPDX + "BSD-3-Clause\n" + code("bsd"),
            "vendor/unstated/b.py": code("unstated"),
            "vendor/stated/LICENSE": "SPDX-License-Identifier: ISC\n",
            "vendor/stated/c.py": code("stated"),
            "vendor/closed/LICENSE": GPL,
            "vendor/closed/d.py": code("closed"),
            "copied.py": SHARED,
        },
        license_=None,
    )
    repository(repos / "older", {"LICENSE": GPL, "shared.py": SHARED}, license_=None)
    commit_at(repos / "older", "2010-01-01T00:00:00Z")
    repository(repos / "odd", {"LICENSE": ODD, "e.py": code("odd")}, license_=None)
    repository(repos / "rider", {"LICENSE": RIDER, "f.py": code("rider")}, license_=None)
    repository(repos / "json", {"package.json": '{"license": "JSON"}', "g.py": code("json")}, None)
    repository(repos / "ref", {"LICENSE": "SPDX-License-Identifier: LicenseRef-Own\n",
                               "h.py": code("ref")}, None)  # fmt: skip
    both = {
        "LICENSE": "SPDX-License-Identifier: Zlib\n",
        "package.json": '{"license": "GPL-3.0-only"}',
    }
    repository(
        repos / "both", {f"x/{n}": t for n, t in both.items()} | {"x/n.py": code("both")}, None
    )
    repository(repos / "silent", {"i.py": code("silent")}, license_=None)
    points = "# See LICENSE for the license of this file.\n"
    repository(repos / "points", {"p.py": points + code("points")}, license_=None)
    reuse = {
        "REUSE.toml": 'version = 1\n[[annotations]]\npath = "data/**"\nprecedence = "override"\n'
        'SPDX-License-Identifier = "CC0-1.0"\n',
        "LICENSES/MIT.txt": "SPDX-License-Identifier: MIT\n",
        "j.py": SPDX + "MIT\n" + code("reuse"),
        "data/k.py": SPDX + "GPL-3.0-only\n" + code("override"),
        "l.py": code("sidecar"),
        "l.py.license": "SPDX-License-Identifier: ISC\n",
    }
    repository(repos / "reuse", reuse, license_=None)
    main = repository(repos / "modules", {"m.py": code("modules")})
    # a submodule: an entry of the tree that names a commit of another repository
    git(main, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(main, "commit", "-q", "-m", "module")
    made = site(
        folder, [{"kind": "git", "path": "git"}], None,
        license={"look_inside": "open", "decisions": "decisions.jsonl"},
    )  # fmt: skip
    (folder / "decisions.jsonl").write_text("")
    return made.built("--workers", 1)


def outcome(site: Site, end: str) -> str:
    """What became of a file; the ledger names its folder or origin where all below it went so."""
    found = site.outcomes()
    while True:
        hit = {value for key, value in found.items() if key.endswith((f"/{end}", f":{end}"))}
        if hit or "/" not in end:
            (only,) = hit
            return only
        end = end.rpartition("/")[0]


def expressions(site: Site) -> dict[str, str]:
    rows = site.files().select(["repo_name", "path", "license_expression"]).to_pylist()
    return {row["repo_name"].rpartition("/")[2] + row["path"]: row["license_expression"]
            for row in rows}  # fmt: skip


def test_every_file_has_the_license_that_covers_it(world) -> None:
    assert outcome(world, "engine/src/a.py") == "kept"
    assert outcome(world, "engine/src/gpl.py") == "header:conflict"
    assert outcome(world, "engine/vendor/unstated/b.py") == "header:unstated"
    assert outcome(world, "engine/vendor/closed/d.py") == "license:refused"
    assert outcome(world, "engine/copied.py") == "license:laundered"
    assert outcome(world, "older/shared.py") == "license:refused"
    for end in ("odd/e.py", "rider/f.py", "json/g.py", "ref/h.py"):
        assert outcome(world, end) == "license:refused", end
    assert outcome(world, "silent/i.py") == "header:unstated"
    assert outcome(world, "modules/sub") == "source:submodule"
    found = expressions(world)
    assert found["engine/src/a.py"] == "Apache-2.0"
    assert found["engine/src/bsd.py"] == "BSD-3-Clause"
    assert found["engine/vendor/stated/c.py"] == "ISC"
    assert found["reuse/j.py"] == "MIT"


def test_why_names_what_states_a_license_and_where_it_lay_before(world) -> None:
    def told(asked: str) -> str:
        return stackcurate("why", asked, world.config).text

    assert "; older: git:older /shared.py (GPL-3.0-only)" in told("/copied.py")
    assert "stated by /vendor/stated/LICENSE" in told("/vendor/stated/c.py")
    assert "stated by /src/bsd.py (spdx-tag; spdx-tag 100, bytes 2 to" in told("/src/bsd.py")
    assert "stated by /LICENSE (" in told("/src/a.py")
    # A repository that was refused whole has one row, which names the file that refuses it.
    assert "GPL-3.0-only (copyleft), stated by /LICENSE" in told("git:older")
    said = stackcurate("why", "/shared.py", world.config)
    assert said.code == 1 and "it may lie in a repository that was dropped whole" in said.text
    # One that is such a file of a repository that was refused, and of none that was not.
    assert "JSON (source_available), stated by /package.json" in told("package.json")


def test_reuse_overrides_and_sidecars(world) -> None:
    found = expressions(world)
    assert found["reuse/data/k.py"] == "CC0-1.0"
    assert found["reuse/l.py"] == "ISC"


def test_notices_hold_what_goes_with_the_code(world) -> None:
    def told(where: str) -> str:
        said = stackcurate("notices", world.release, "--where", where)
        assert said.code == 0, said.all
        return said.text

    text = told("path = '/src/a.py'")
    assert NOTICE.strip() in text and "Part of another engine." in text and "Apache-2.0" in text
    text = told("path = '/vendor/stated/c.py'")
    assert NOTICE.strip() in text and "ISC" in text and "Part of another" not in text
    assert "LicenseRef" not in told("true") and "GPL" not in told("true")
    papers = pq.read_table(world.release / "papers.parquet")["path"].to_pylist()
    assert "/NOTICE" in papers and "/vendor/closed/LICENSE" not in papers


def test_settings_decide_what_is_let_in(world, tmp_path) -> None:
    license_ = {
        "look_inside": "open", "keep_unstated": True, "places": "any-permissive",
        "overrides": {"JSON": "permissive", "LicenseRef-Own": "permissive"},
    }  # fmt: skip
    again = _again(world, tmp_path, license=license_, version="2.0.0")
    found = expressions(again)
    assert found["json/g.py"] == "JSON" and found["ref/h.py"] == "LicenseRef-Own"
    assert found["silent/i.py"] is None
    assert found["engine/copied.py"] == "Apache-2.0"
    assert outcome(again, "rider/f.py") == "license:refused"
    rows = again.files().select(["path", "license_class", "license_type"]).to_pylist()
    (silent,) = [row for row in rows if row["path"] == "/i.py"]
    assert (silent["license_class"], silent["license_type"]) == ("unstated", "no_license")


def test_a_decision_is_an_input_of_the_run(world, tmp_path) -> None:
    again = _again(world, tmp_path)
    assert again.run().code == 0  # nothing changed: verified
    queue = stackcurate("license", "review", again.config, "--json").records()
    (odd,) = [row for row in queue if row["path"] == "/LICENSE" and "neighbor" in row["text"]]
    assert odd["files"] == 2 and odd["closest"][0]["similarity"] < 0.5
    said = stackcurate(
        "license", "review", again.config, "--decide", odd["content_id"][:10], "permissive",
        "--who", "Jo", "--why", "a kind text",
    )  # fmt: skip
    assert said.code == 0, said.all
    said = again.run()
    assert said.code == 2 and "what people decided about licenses changed" in said.err
    assert "set `version:" in said.err
    later = again.change(version="2.0.0").built("--workers", 1)
    assert expressions(later)["odd/e.py"] == "LicenseRef-stackcurate-decided-permissive"
    evidence = pq.read_table(later.release / "evidence.parquet").to_pylist()
    (row,) = [row for row in evidence if row["matcher"] == "review"]
    assert row["detector"] == "Jo" and row["rule"].startswith("a kind text (20")
    stackcurate("license", "review", again.config, "--undo", odd["content_id"], "--why", "no")
    last = again.change(version="3.0.0").built("--workers", 1)
    assert outcome(last, "odd/e.py") == "license:refused"


def test_conflicts_and_laundered_files_wait_and_can_be_decided(world, tmp_path) -> None:
    again = _again(world, tmp_path)
    file = tmp_path / "decisions.jsonl"
    file.unlink(missing_ok=True)  # none decided yet
    assert "none yet" in stackcurate("plan", again.config).text

    def waiting() -> dict[str, dict]:
        rows = stackcurate("license", "review", again.config, "--json").records()
        return {row["why"]: row for row in rows if row["kind"] in ("header", "copy", "folder")}

    def decide(row, *what: str) -> None:
        said = stackcurate("license", "review", again.config, *what, "--who", "Jo", "--why", "told")
        assert said.code == 0, said.all

    again.change(version="2.0.0").built("--workers", 1)
    queue = waiting()
    conflict, copy = queue["conflict"], queue["laundered"]
    assert (conflict["origin"], conflict["path"]) == ("git:engine", "/src/gpl.py")
    assert (conflict["expression"], conflict["folder"]) == ("GPL-2.0-only", "Apache-2.0")
    assert conflict["kind"] == "header"
    assert conflict["text"].startswith("# SPDX-License-Identifier: GPL-2.0-only\n")
    assert copy["older"] == {
        "origin": "git:older", "path": "/shared.py", "license_expression": "GPL-3.0-only",
    }  # fmt: skip
    assert (copy["origin"], copy["path"], copy["kind"]) == ("git:engine", "/copied.py", "copy")
    folder = queue["together"]
    assert (folder["origin"], folder["path"], folder["files"]) == ("git:both", "/x", 3)
    assert folder["text"] == "/x/LICENSE: Zlib\n/x/package.json: GPL-3.0-only"
    assert folder["expression"] == "Zlib AND GPL-3.0-only"
    assert outcome(again, "both/x/n.py") == "license:refused"
    nowhere = queue["elsewhere"]
    assert (nowhere["origin"], nowhere["path"]) == ("git:points", "/p.py")
    assert (nowhere["outcome"], nowhere["folder"]) == ("header:unstated", "nothing stated")
    decide(nowhere, "--decide", nowhere["content_id"], "ISC")
    answers = ((conflict, "Apache-2.0"), (copy, "permissive"), (folder, "Zlib OR GPL-3.0-only"))
    for row, answer in answers:
        start = row["content_id"][:12]
        decide(row, "--decide", start, "unstated")
        decide(row, "--undo", start)
        decide(row, "--decide", start, answer)  # again, without a build between
    assert waiting() == {}
    later = again.change(version="3.0.0").built("--workers", 1)
    found = expressions(later)
    assert found["engine/src/gpl.py"] == "Apache-2.0"
    assert found["engine/copied.py"] == "LicenseRef-stackcurate-decided-permissive"
    assert found["points/p.py"] == "ISC"
    assert found["both/x/n.py"] == "Zlib OR GPL-3.0-only"
    evidence = pq.read_table(later.release / "evidence.parquet").to_pylist()
    assert any(row["matcher"] == "review-together" and row["detector"] == "Jo" for row in evidence)
    mine = [row for row in evidence if row["matcher"] == "review"]
    assert {(row["kind"], row["detector"]) for row in mine} == {("header", "Jo")} and len(mine) == 3
    start = conflict["content_id"]
    decide(conflict, "--undo", start)
    assert waiting()["decided"]["content_id"] == start
    decide(conflict, "--decide", start, "unstated")  # its folder speaks then
    last = again.change(version="4.0.0").built("--workers", 1)
    assert expressions(last)["engine/src/gpl.py"] == "Apache-2.0"
    assert "stated by /LICENSE" in stackcurate("why", "/src/gpl.py", last.config).text


def _again(world: Site, folder: Path, **keys) -> Site:
    """The same repositories and cache with other settings, somewhere else."""
    written = {**world.written, **keys}
    (folder / "git").symlink_to(world.config.parent / "git", target_is_directory=True)
    (folder / "decisions.jsonl").write_text("")
    made = site(folder, written["sources"], world.cache)
    more = {key: value for key, value in written.items() if key not in ("releases", "runs")}
    return made.change(**more).built("--workers", 1)
