"""`license` as a group that is still the command it was, and its sub-commands."""

import json
import re

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from stackcurate.cli.main import cli
from stackcurate.errors import ConfigError
from tests.driving import call as driven
from tests.licenses.conftest import body


def call(*arguments):
    answer = CliRunner().invoke(cli, ["license", *map(str, arguments)], catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


def test_paths_and_records_as_before(tmp_path):
    (tmp_path / "LICENSE").write_text(body("mit"))
    (tmp_path / "explain").write_text("x")
    assert [line.split()[0] for line in call(tmp_path).splitlines()] == ["MIT", "MIT"]
    assert call(tmp_path / "explain").split()[:2] == ["MIT", "permissive"]
    record = json.dumps({"id": 1, "path": "LICENSE", "text": body("isc")})
    (tmp_path / "records.jsonl").write_text(record)
    found = json.loads(call("--json", "--in", tmp_path / "records.jsonl"))
    assert found["license_expression"] == "ISC"


def test_one_form_of_answer_for_paths_and_records(tmp_path, monkeypatch):
    """Same keys, ids that pass through, and paths as they were given."""
    (tmp_path / "p" / "src").mkdir(parents=True)
    (tmp_path / "p" / ".git").mkdir()
    (tmp_path / "p" / "LICENSE").write_text(body("isc"))
    (tmp_path / "p" / "src" / "a.py").write_text("# SPDX-License-Identifier: MIT\n")
    (tmp_path / "p" / "src" / "b.py").write_text("x = 1\n")
    records = [
        {"id": str(file.relative_to(tmp_path)), "path": str(file), "text": file.read_text()}
        for file in sorted(tmp_path.rglob("*"))
        if file.is_file()
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "records.jsonl").write_text(lines)
    monkeypatch.chdir(tmp_path)
    by_path = [json.loads(line) for line in call("p", "--json").splitlines()]
    by_record = [json.loads(line) for line in call("--in", "records.jsonl").splitlines()]
    assert [row["id"] for row in by_path] == [row["id"] for row in by_record]
    assert by_path[1]["id"] == "p/src/a.py"
    for row, other in zip(by_path, by_record, strict=True):
        assert list(row) == list(other)
        assert other["evidence"] is None or list(row["evidence"]) == list(other["evidence"])
    assert by_path[2]["evidence"]["path"] == "p/LICENSE" and by_record[2]["evidence"] is None
    (row,) = [json.loads(line) for line in call("p/src/b.py", "--json").splitlines()]
    assert (row["id"], row["license_expression"], row["evidence"]["path"]) == (
        "p/src/b.py", "ISC", "p/LICENSE",
    )  # fmt: skip
    call("p", "--out", "said.parquet")
    assert pq.read_table("said.parquet").to_pylist() == by_path


def test_as_text_a_file_is_read_as_a_scanner_reads_it(tmp_path):
    manifest = {"license": "MIT", "description": "Licensed under the GNU General Public License v3"}
    (tmp_path / "package.json").write_text(json.dumps(manifest, indent=1))
    (tmp_path / "a.py").write_text("x = 1\n")
    said = {line.split()[-1]: line for line in call("--as-text", tmp_path).splitlines()}
    assert said[f"{tmp_path}/package.json"].startswith("MIT AND GPL-3.0-only ")
    assert said[f"{tmp_path}/a.py"].split()[:2] == ["-", "-"]
    (row,) = map(json.loads, call("--as-text", "--json", tmp_path / "package.json").splitlines())
    assert row["evidence"]["kind"] == "text" and row["evidence"]["rule"].startswith("mit_")
    assert call(tmp_path / "package.json").split()[:2] == ["MIT", "permissive"]
    assert call(tmp_path / "a.py").split() == [
        "MIT", "permissive", f"{tmp_path}/a.py", f"({tmp_path}/package.json)",
    ]  # fmt: skip


def test_help_names_the_sub_commands():
    shown = " ".join(call("--help").split())
    assert "license explain EXPRESSION" in shown and "license sbom PATH" in shown
    assert "EXPRESSION" in call("explain", "--help")


def test_explain_knows_what_people_mean():
    assert "did you mean GPL-2.0-only?" in call("explain", "GPL2")


def test_explain():
    said = call("explain", "mit or GPL-2.0")
    assert "MIT OR GPL-2.0-only" in said and "policies: open_source, permissive" in said
    parts = [json.loads(line) for line in call("explain", "--json", "MIT AND JSON").splitlines()]
    assert parts[0]["license_class"] == "source_available" and len(parts) == 3
    with pytest.raises(ConfigError, match="not a license expression"):
        call("explain", "MIT OR OR")


def test_sbom(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    (tmp_path / "a.py").write_text("# SPDX-License-Identifier: MIT\n")
    found = json.loads(call("sbom", tmp_path))
    assert found["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    assert found["files"][0]["licenseConcluded"] == "MIT"


def test_a_file_is_covered_by_the_folders_of_its_repository(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "LICENSE").write_text(body("isc"))
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.py").write_text("x = 1\n")
    file = tmp_path / "a" / "b" / "x.py"
    assert call(file).split()[:3] == ["ISC", "permissive", str(file)]
    document = json.loads(call("sbom", tmp_path / "a" / "b" / "x.py"))
    assert [one["licenseConcluded"] for one in document["files"]] == ["ISC"]


def test_plain_text_on_standard_input():
    def told(text):
        return driven("license", given=text.encode()).text

    assert told(body("mit")).split() == ["MIT", "permissive", "license_file"]
    both = f"# MIT\n\n{body('mit')}\n\n# Third-party parts\n\n{body('gpl-2.0')}"
    assert told(both).split() == ["MIT", "AND", "GPL-2.0-only", "copyleft", "license_file"]
    assert told("# SPDX-License-Identifier: ISC\n").split() == ["ISC", "permissive", "header"]
    assert json.loads(told('{"id": 1, "path": "LICENSE", "text": "MIT License"}'))["id"] == 1


def test_an_expression_needs_no_quotes():
    assert driven("license", "explain", "MIT", "OR", "ISC").text.startswith(
        "MIT OR ISC  permissive"
    )


def test_a_percentage_tells_of_a_text_that_is_not_word_for_word(tmp_path):
    (tmp_path / "LICENSE").write_text(body("mit").replace("obtaining", "who has"))
    (tmp_path / "a.py").write_text("# SPDX-License-Identifier: ISC\n")
    first, second = driven("license", tmp_path).text.splitlines()
    assert re.search(r"LICENSE  \(9\d %\)$", first) and second.endswith("a.py  (header)")
