"""The stages alone: one record out per record in, whatever comes in, through files and pipes."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ..driving import MIT, call, code, command, environment

MAIL = "jane.miller@kestrel-works.com"
RECORDS = [
    {"id": 1, "path": "a/main.py", "text": code("main")},
    {"id": "two", "path": "b.rs", "content_b64": base64.b64encode(b"fn main() {}\n").decode()},
    {"id": None, "path": "LICENSE", "text": MIT},
    {"id": 4.5, "path": "c.py", "text": f"# \U0001f600\u00e9\U0001f680 mail {MAIL} now\n"},
    {"id": ["five"], "path": "d.bin", "content_b64": base64.b64encode(b"\0\1\2").decode()},
    {"id": 6, "path": "no_text.py"},
    {"id": 7, "path": None, "text": "# SPDX-License-Identifier: Apache-2.0\nx = 1\n"},
    {"id": 8, "path": "e.py", "text": ""},
    {"id": 9, "path": "f.py", "content_b64": "not base64!"},
    {"id": 10, "path": "g.py", "text": 12},
    {"id": 11, "path": "h\ud83d.py", "text": "lone \ud83d surrogate"},
    {"id": 12, "path": 7, "text": "a path that is a number"},
]
BROKEN = b'{"id": 13, "text": \n[1, 2]\n"word"\n\xff\xfe\n\n'
FIELDS = {
    "language": {"id", "language", "method", "confidence"},
    "license": {"id", "license_expression", "license_class", "evidence"},
    "redact": {"id", "text", "findings"},
}
COMMANDS = sorted(FIELDS)


def lines(records=RECORDS) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


@pytest.mark.parametrize("name", COMMANDS)
def test_one_record_out_per_record_in_with_its_id(name) -> None:
    said = call(name, given=lines() + BROKEN)
    assert said.code == 0, said.all
    rows = said.records()
    # four broken lines give a record each; an empty line is no record
    assert [row["id"] for row in rows] == [one["id"] for one in RECORDS] + [None] * 4
    for row in rows:
        assert set(row) == FIELDS[name], row
    # a name alone may tell the language; nothing else is told without a text
    textless = (6, 9, 10) if name != "language" else ()
    for row in [row for row in rows if row["id"] in textless] + rows[-4:]:
        told = {key: value for key, value in row.items() if key not in ("id", "evidence")}
        assert set(told.values()) == {None}, row


def test_language_names_them() -> None:
    rows = {json.dumps(row["id"]): row for row in call("language", given=lines()).records()}
    assert rows["1"]["language"] == "Python" and rows["1"]["method"]
    assert 0 < rows["1"]["confidence"] <= 1
    assert rows['"two"']["language"] == "Rust"


def test_license_says_what_they_state() -> None:
    rows = {json.dumps(row["id"]): row for row in call("license", given=lines()).records()}
    assert (rows["null"]["license_expression"], rows["null"]["license_class"]) == (
        "MIT", "permissive",
    )  # fmt: skip
    assert rows["7"]["license_expression"] == "Apache-2.0"
    assert rows["1"]["license_expression"] is None


def test_redact_spans_count_unicode_characters_of_the_given_text() -> None:
    given = {json.dumps(one["id"]): one for one in RECORDS}["4.5"]["text"]
    row = next(row for row in call("redact", given=lines()).records() if row["id"] == 4.5)
    (found,) = row["findings"]
    assert given[found["start"] : found["end"]] == MAIL
    assert set(found) == {"rule", "kind", "start", "end", "confidence"}
    assert MAIL not in row["text"] and row["text"].startswith("# \U0001f600\u00e9\U0001f680 mail ")
    assert row["text"].endswith(" now\n")


def test_redact_leaves_a_clean_text_as_it_is_and_never_tells_a_value() -> None:
    said = call("redact", given=lines([RECORDS[0], RECORDS[3]]))
    assert said.records()[0] == {"id": 1, "text": RECORDS[0]["text"], "findings": []}
    assert MAIL not in said.all


@pytest.mark.parametrize("name", COMMANDS)
def test_files_in_and_out_in_both_forms(name, tmp_path) -> None:
    texts = [one for one in RECORDS if isinstance(one.get("text"), str) and one["id"] != 11][:4]
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(texts))
    assert call(name, "--in", source, "--out", tmp_path / "out.jsonl").out == b""
    assert call(name, "--in", source, "--out", tmp_path / "out.parquet").code == 0
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    table = pq.read_table(tmp_path / "out.parquet")
    assert set(table.column_names) == FIELDS[name]
    assert table.num_rows == len(told) == len(texts)
    key = {"language": "language", "license": "license_expression", "redact": "text"}[name]
    assert table[key].to_pylist() == [row[key] for row in told]
    # Parquet in gives Parquet out on standard output, unless --json
    pq.write_table(
        pa.table({n: [str(one[n]) for one in texts] for n in ("id", "path", "text")}),
        tmp_path / "in.parquet",
    )
    piped = call(name, given=(tmp_path / "in.parquet").read_bytes())
    assert pq.read_table(io.BytesIO(piped.out))[key].to_pylist() == table[key].to_pylist()
    forced = call(name, "--in", tmp_path / "in.parquet", "--json").records()
    assert [row[key] for row in forced] == table[key].to_pylist()


@pytest.mark.parametrize("name", COMMANDS)
def test_paths_in_words_and_as_json(name, tmp_path) -> None:
    for path, text in (("src/a.py", code("a")), ("LICENSE", MIT), ("m.txt", f"to {MAIL}\n")):
        place = tmp_path / path
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    before = (tmp_path / "m.txt").read_bytes()
    words = call(name, tmp_path)
    assert words.code == 0 and MAIL not in words.all
    assert {"language": "Python", "license": "MIT", "redact": "m.txt:1"}[name] in words.text
    rows = call(name, tmp_path, "--json").records()
    assert sorted(Path(row["id"]).name for row in rows) == ["LICENSE", "a.py", "m.txt"]
    assert (tmp_path / "m.txt").read_bytes() == before, "the command changed a file"


@pytest.mark.parametrize("name", COMMANDS)
def test_mistakes_exit_2_without_a_traceback(name, tmp_path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and then nothing")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    (tmp_path / "in.jsonl").write_bytes(lines())
    for arguments in (
        ["--in", tmp_path / "none.jsonl"],
        ["--in", tmp_path / "bad.parquet"],
        ["--in", tmp_path / "other.parquet"],
        [tmp_path / "nowhere"],
        [tmp_path / "in.jsonl", "--in", tmp_path / "in.jsonl"],
        ["--no-such-option"],
    ):
        said = call(name, *arguments)
        assert said.code == 2, (arguments, said.all)
        assert "Traceback" not in said.all and said.err.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_in_gives_nothing_out(name) -> None:
    said = call(name, given=b"")
    assert (said.code, said.out) == (0, b"")


def test_a_reader_that_leaves_early_is_no_error(tmp_path) -> None:
    """`stackcurate language --in FILE | head -1`"""
    (tmp_path / "in.jsonl").write_bytes(lines([RECORDS[1]] * 20_000))
    process = subprocess.Popen(
        command("language", "--in", tmp_path / "in.jsonl"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=sys.prefix,
    )
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) in (0, 1) and err == ""


def test_dedup_alone(tmp_path) -> None:
    base = code("base", 40)
    rows = {
        "id": [f"r{n}" for n in range(5)],
        "content": [base, code("other", 40), base, base + "# one more line\n", ""],
        "stars": [1, 2, 3, 4, 5],
    }
    pq.write_table(pa.table(rows), tmp_path / "in.parquet")
    said = call("dedup", tmp_path / "in.parquet", tmp_path / "out", "--workers", 1)
    assert said.code == 0, said.all
    kept = pq.read_table(tmp_path / "out" / "kept.parquet")
    assert kept.column_names == ["id", "content", "stars"]
    assert kept["id"].to_pylist() == ["r0", "r1", "r4"]
    clusters = pq.read_table(tmp_path / "out" / "clusters.parquet").to_pylist()
    assert set(clusters[0]) == {"id", "cluster", "kept", "representative", "similarity"}
    by_id = {row["id"]: row for row in clusters}
    assert list(by_id) == rows["id"]
    assert [by_id[n]["kept"] for n in rows["id"]] == [True, True, False, False, True]
    assert by_id["r2"]["representative"] == by_id["r3"]["representative"] == "r0"
    assert by_id["r2"]["similarity"] == 1.0 and 0.7 <= by_id["r3"]["similarity"] < 1.0


def test_dedup_mistakes_and_explain(tmp_path) -> None:
    pq.write_table(pa.table({"id": ["a"], "content": ["x"]}), tmp_path / "in.parquet")
    for arguments in (
        [],
        [tmp_path / "in.parquet"],
        [tmp_path / "none.parquet", tmp_path / "out"],
        [tmp_path / "in.parquet", tmp_path / "out", "--column", "text"],
        [tmp_path / "in.parquet", tmp_path / "out", "--id", "key"],
        [tmp_path / "in.parquet", tmp_path / "out", "--threshold", "7"],
        [tmp_path / "in.parquet", tmp_path / "out", "--bands", "100"],
    ):
        said = call("dedup", *arguments)
        assert said.code == 2 and "Traceback" not in said.all, (arguments, said.all)
    assert "threshold" in call("dedup", "--explain").text


def test_dedup_against_and_plot(tmp_path) -> None:
    text = " ".join(f"word{n}" for n in range(50))
    for name, texts in (("old", [text]), ("new", [text, "another text"])):
        ids = [f"{name}{n}" for n in range(len(texts))]
        pq.write_table(pa.table({"id": ids, "content": texts}), tmp_path / f"{name}.parquet")
    old, new, out = (str(tmp_path / n) for n in ("old.parquet", "new.parquet", "out"))
    done = call("dedup", new, out, "--against", old, "--workers", "1")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "out" / "kept.parquet")["id"].to_pylist() == ["new1"]
    clusters = pq.read_table(tmp_path / "out" / "clusters.parquet").to_pylist()
    assert clusters[0]["representative"] == "old0"
    assert call("dedup", "--explain", "--plot", str(tmp_path / "curve.svg")).code == 0
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("command", ["language", "license", "redact"])
def test_ids_of_parquet_pass_through_as_they_are(tmp_path, command):
    ids = pa.array([7, None, 2**40], pa.int64())
    texts = ["import os\n", "x = 1\n", "def f(): pass\n"]
    table = pa.table({"text": texts, "path": ["a.py", "b.py", "c.py"], "id": ids})
    pq.write_table(table, tmp_path / "in.parquet")
    out = tmp_path / "out.parquet"
    assert call(command, "--in", tmp_path / "in.parquet", "--out", out).code == 0
    assert pq.read_table(out)["id"].combine_chunks() == ids
    said = call(command, "--in", tmp_path / "in.parquet", "--json")
    assert [row["id"] for row in said.records()] == ids.to_pylist()


def test_a_line_that_is_no_record_is_told(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"id": 1, "path": "a.py", "text": "x = 1"}\nno json\n')
    said = call("language", "--in", tmp_path / "in.jsonl", "--json")
    assert said.code == 0 and [row["id"] for row in said.records()] == [1, None]
    assert "1 records could not be read; the first: line 2 is no JSON object" in said.err
    nowhere = tmp_path / "gone" / "out.jsonl"
    assert call("language", "--in", tmp_path / "in.jsonl", "--out", nowhere).code == 2
