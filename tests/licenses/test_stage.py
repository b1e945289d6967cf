import pickle

import pyarrow as pa
import pytest

from stackcurate.licenses.policy import CLASSES, LicenseSettings
from stackcurate.licenses.stage import Header, header_evidence
from stackcurate.schema import EVIDENCE, fill
from stackcurate.stages import RowStage

GPL, MIT, BSD = (
    f"// SPDX-License-Identifier: {x}\n" for x in ("GPL-3.0-only", "MIT", "BSD-3-Clause")
)
FOLDER = {
    "allowed": ("MIT", "permissive"),
    "refused": ("GPL-2.0-only", "copyleft"),
    "open": (None, "unstated"),
}


def batch(*files):
    """Files as (folder state, content)."""
    states = [state for state, _ in files]
    return pa.table(
        {
            "content": pa.array([content for _, content in files], pa.large_string()),
            "content_id": pa.array([f"{n:040x}" for n in range(len(files))]),
            "path": pa.array([f"/{n}.c" for n in range(len(files))], pa.string()),
            "license_expression": pa.array([FOLDER[s][0] for s in states], pa.string()),
            "license_class": pa.array([FOLDER[s][1] for s in states], pa.string()),
            "license_state": pa.array(states, pa.string()),
            "license_evidence": pa.array(["folder"] * len(files), pa.string()),
            "verdict": pa.nulls(len(files), pa.string()),
        }
    )


def run(stage, *files):
    table = batch(*files)
    return stage.judge(fill(table, stage.find(table)))


@pytest.mark.parametrize(
    ("state", "content", "verdict", "expression"),
    [
        ("allowed", "x", None, "MIT"),
        ("allowed", BSD, None, "BSD-3-Clause"),
        ("allowed", "// SPDX-License-Identifier: MIT OR GPL-2.0-only\n", None, "MIT OR GPL-2.0-only"),  # noqa: E501
        ("allowed", GPL, "header:conflict", "GPL-3.0-only"),
        ("allowed", "// SPDX-License-Identifier: Foo\n", "header:conflict",
         "LicenseRef-scancode-unknown-spdx"),
        ("refused", "x", "header:refused", "GPL-2.0-only"),
        ("refused", MIT, "header:conflict", "MIT"),
        ("refused", GPL, "header:refused", "GPL-3.0-only"),
        ("open", "x", "header:unstated", None),
        ("open", MIT, None, "MIT"),
        ("open", GPL, "header:refused", "GPL-3.0-only"),
        ("open", None, "header:unstated", None),
    ],
)  # fmt: skip
def test_folder_and_header(state, content, verdict, expression):
    (row,) = run(Header(), (state, content)).to_pylist()
    assert (row["verdict"], row["license_expression"]) == (verdict, expression)


def test_columns_of_the_stack():
    table = run(Header(keep_unstated=True), ("allowed", GPL), ("open", "x"), ("open", MIT))
    assert table["verdict"].to_pylist() == ["header:conflict", None, None]
    assert table["license_type"].to_pylist() == [None, "no_license", "permissive"]
    assert table["detected_licenses"].to_pylist() == [["GPL-3.0-only"], [], ["MIT"]]
    assert table["license_class"].to_pylist() == ["copyleft", "unstated", "permissive"]
    assert table["license_evidence"][1].as_py() == "folder"


def test_evidence_of_headers():
    table = run(Header(), ("allowed", MIT), ("allowed", "x"), ("open", MIT))
    evidence = header_evidence(table)
    assert evidence.schema == EVIDENCE and evidence.num_rows == 2
    stated = set(evidence["evidence_id"].to_pylist())
    assert stated == {table["license_evidence"][0].as_py(), table["license_evidence"][2].as_py()}
    assert set(evidence["rule"].to_pylist()) == {"spdx-tag"}


def test_evidence_names_the_rule_and_its_score():
    apache = (
        "// Licensed under the Apache License, Version 2.0 (the License); you may not use this\n"
        "// file except in compliance with it. You may obtain a copy of the License at\n"
        "// http://www.apache.org/licenses/LICENSE-2.0\n"
    )
    closed = "// Sources of Brightwater, company confidential.\n"
    table = run(Header(allow=frozenset(CLASSES)), ("open", apache), ("open", closed))
    first, second = sorted(header_evidence(table).to_pylist(), key=lambda row: row["content_id"])
    assert first["expression"] == "Apache-2.0" and first["rule"].startswith("apache-2.0_")
    assert "3-seq" in first["matcher"] and 0 < first["score"] < 100
    assert first["detector"].startswith("stackcurate-rules")
    assert (second["rule"], second["matcher"], second["score"]) == ("strict-words", "words", 100)


def test_the_text_of_a_license_has_no_header():
    table = batch(("allowed", GPL), ("allowed", GPL))
    table = fill(table, pa.table({"path": ["/LICENSES/GPL-3.0-only.txt", "/a/LICENSE.c"]}))
    found = Header().find(table)["header_expression"].to_pylist()
    assert found == [None, "GPL-3.0-only"]


def test_policy_reaches_the_stage():
    stage = Header.of(LicenseSettings(policy="open_source", overrides={"MIT": "proprietary"}))
    table = run(stage, ("open", GPL), ("open", MIT))
    assert table["verdict"].to_pylist() == [None, "header:refused"]


def test_judging_again_needs_no_content():
    table = batch(("allowed", GPL), ("open", MIT), ("refused", MIT))
    found = fill(table, Header().find(table)).drop_columns(["content"])
    assert Header().judge(found)["verdict"].to_pylist() == [
        "header:conflict",
        None,
        "header:conflict",
    ]


def test_earlier_verdicts_stay():
    table = batch(("open", None))
    table = table.set_column(
        table.schema.get_field_index("verdict"), "verdict", [["fetch:missing"]]
    )
    assert Header().judge(fill(table, Header().find(table)))["verdict"].to_pylist() == [
        "fetch:missing"
    ]


def test_it_is_a_row_stage():
    assert isinstance(Header(), RowStage)
    assert pickle.loads(pickle.dumps(Header())) == Header()
    assert set(Header().find(batch(("open", MIT))).column_names) == set(Header.fills)
    assert Header().find(batch()).num_rows == 0


def test_a_readme_says_with_a_tag_alone_what_its_own_license_is():
    talk = "# x\n\nIts firmware is licensed under the GNU General Public License version 3.\n"
    tag = "<!-- SPDX-License-Identifier: GPL-3.0-only -->\n# x\n"
    table = batch(*[("allowed", text) for text in (talk, tag, tag)])
    table = fill(table, pa.table({"path": ["/README.md", "/a/README.md", "/x.md"]}))
    said = ["MIT", "GPL-3.0-only", "GPL-3.0-only"]
    assert Header().find(table)["license_expression"].to_pylist() == said
