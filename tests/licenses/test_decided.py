"""What people decided about headers, files and folders."""

import pyarrow as pa
import pytest

from stackcurate.licenses.decided import words_id, words_of
from stackcurate.licenses.detect import evidence_id
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.licenses.review import Decision
from stackcurate.licenses.stage import Header, header_evidence
from stackcurate.licenses.together import settle, together_id
from stackcurate.pipeline.control import STATED
from stackcurate.schema import fill
from tests.licenses.test_stage import GPL, MIT, batch

TAG = b"SPDX-License-Identifier: GPL-3.0-only"


def judged(decided, *files):
    """Expression, verdict and who says so of files, all of one repository."""
    table = batch(*files)
    table = table.append_column("origin", pa.array(["o/r"] * len(files)))
    said = {key: Decision(key, one, "Jo", "2026", "read") for key, one in decided.items()}
    stage = Header(decided=said)
    table = stage.judge(fill(table, stage.find(table)))
    columns = ("license_expression", "verdict", "header_detector")
    evidence = header_evidence(table).to_pylist()
    told = zip(*(table[name].to_pylist() for name in columns), strict=True)
    return list(told), [row for row in evidence if row["matcher"] == "review"]


def test_words_mean_what_was_decided_wherever_they_stand():
    files = [("allowed", GPL), ("open", GPL + "x"), ("allowed", MIT)]
    found, evidence = judged({words_id(TAG): "BSD-3-Clause"}, *files)
    assert found[:2] == [("BSD-3-Clause", None, "Jo")] * 2 and found[2] == ("MIT", None, None)
    assert len(evidence) == 2 and evidence[0]["rule"] == "read (2026)"
    # They may contradict a folder still.
    found, _ = judged({words_id(TAG): "AGPL-3.0-only"}, *files)
    assert [verdict for _, verdict, _ in found] == ["header:conflict", "header:refused", None]


def test_a_conflict_is_decided_for_its_repository():
    for origin, verdict in (("o/r", None), ("o/other", "header:conflict")):
        found, _ = judged({words_of(origin, TAG): "MIT"}, ("allowed", GPL))
        assert found[0][1] == verdict
    found, _ = judged({words_of("o/r", TAG): "GPL-3.0-only"}, ("allowed", GPL))
    assert found[0][1] == "header:refused"  # decided, so no conflict any more


@pytest.mark.parametrize("key", [words_id(TAG), words_of("o/r", TAG), f"{0:040x}"])
def test_what_states_nothing_after_all_lets_the_folder_speak(key):
    nothing = "LicenseRef-stackcurate-decided-unstated"
    found, evidence = judged({key: nothing}, ("allowed", GPL), ("refused", "x"))
    assert found[0] == ("MIT", None, "Jo") and evidence == []
    assert found[1][1] == "header:refused"


def test_a_header_that_points_to_nothing_can_be_decided():
    words = b"See LICENSE for details."
    source = f"# {words.decode()}\n"
    table = batch(("open", source))
    start = Header().find(table)["header_start"][0].as_py()
    assert Header().find(table)["header_expression"][0].as_py() is None and start is not None
    end = Header().find(table)["header_end"][0].as_py()
    found, _ = judged({words_of("o/r", source.encode()[start:end]): "MIT"}, ("open", source))
    assert found == [("MIT", None, "Jo")]


def test_a_decision_about_a_file_is_the_last_word():
    found, evidence = judged({f"{1:040x}": "ISC"}, ("allowed", "x"), ("refused", "x"))
    assert found == [("MIT", None, None), ("ISC", None, "Jo")]
    assert [(row["kind"], row["content_id"][-1]) for row in evidence] == [("header", "1")]


def stated(*said):
    """STATED rows of (path, kind, expression), each text with an id of its own, in two roots."""
    rows = [
        {"root": root, "path": path, "kind": kind, "expression": expression, "start": 0, "end": 9,
         "content_id": f"{number:040x}", "matcher": "whole", "score": 100.0,
         "evidence_id": evidence_id(f"{number:040x}", kind, 0, 9, expression)}
        for root in ("r1", "r2") for number, (path, kind, expression) in enumerate(said)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=STATED)


FILE, MANIFEST = "license_file", "manifest"


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ([("/LICENSE", FILE, "MIT"), ("/package.json", MANIFEST, "GPL-3.0-only")], True),
        ([("/LICENSE", FILE, "MIT"), ("/COPYING", FILE, "GPL-3.0-only")], True),
        ([("/LICENSE", FILE, "GPL-3.0-only"), ("/package.json", MANIFEST, "MIT")], True),
        ([("/LICENSE", FILE, "MIT"), ("/package.json", MANIFEST, "ISC")], False),
        ([("/LICENSE", FILE, "MIT"), ("/a/package.json", MANIFEST, "GPL-3.0-only")], False),
        ([("/LICENSE", FILE, "GPL-2.0-only"), ("/x.spec", MANIFEST, "GPL-2.0-or-later")], False),
        ([("/L", FILE, "MIT"), ("/C", FILE, "GPL-2.0-only"),
          ("/package.json", MANIFEST, "MIT OR GPL-2.0-only")], False),
    ],
)  # fmt: skip
def test_folders_that_contradict_themselves(said, waits):
    table = stated(*said)
    same, conflicts = settle(table, {}, LicenseSettings())
    assert same is table
    assert {(row["root"], row["folder"]) for row in conflicts.to_pylist()} == (
        {("r1", ""), ("r2", "")} if waits else set()
    )


def test_a_decision_about_a_folder_holds_wherever_it_states_the_same():
    table = stated(("/LICENSE", FILE, "MIT"), ("/package.json", MANIFEST, "GPL-3.0-only"))
    key = together_id(table.to_pylist())
    said = {key: Decision(key, "MIT", "Jo", "2026", "the manifest is a template")}
    found, conflicts = settle(table, said, LicenseSettings())
    assert found["expression"].to_pylist() == ["MIT"] * 4
    assert set(found["detector"].to_pylist()) == {"Jo"}
    assert conflicts["why"].to_pylist() == ["decided"] * 2  # it may be taken back
    alone = stated(("/LICENSE", FILE, "MIT"))
    assert settle(alone, said, LicenseSettings())[0] is alone
