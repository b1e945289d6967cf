import json

import pytest

from stackcurate.cli.review import ask_all
from stackcurate.errors import ConfigError
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.closest import closest, differences
from stackcurate.licenses.detect import detect_texts
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.policy import CLASSES
from stackcurate.licenses.review import (
    WHY,
    Decision,
    add,
    apply,
    digest,
    doubt,
    every_id,
    meant,
    parse,
    queue,
    read,
    state,
)
from tests.licenses.conftest import NoJudge, body, text

ONE, TWO = "1" * 40, "2" * 40


def line(content_id, expression, who="Jo"):
    said = {"content_id": content_id, "expression": expression, "who": who, "when": "2026-01-31"}
    return json.dumps(said | {"why": "read it"})


def test_the_last_line_counts_and_null_undoes():
    found = parse("\n".join([line(ONE, "MIT"), "", line(TWO, "ISC"), line(ONE, "Zlib", "Mo")]))
    assert {key: (one.expression, one.who) for key, one in found.items()} == {
        ONE: ("Zlib", "Mo"), TWO: ("ISC", "Jo"),
    }  # fmt: skip
    assert parse("\n".join([line(ONE, "MIT"), line(ONE, None)])) == {}
    assert read(None) == {}


def test_a_file_that_is_not_there_yet_decides_nothing(tmp_path):
    file = tmp_path / "decisions.jsonl"
    assert read(file) == {} and every_id(file) == set()
    assert state(None) == "no file is named" and "none yet" in state(file)
    add(file, Decision(ONE, "MIT", "Jo", "2026", "read"))
    add(file, Decision(TWO, "MIT", "Jo", "2026", "read"))
    add(file, Decision(TWO, None, "Jo", "2026", "wrong"))
    assert "1 in force" in state(file) and every_id(file) == {ONE, TWO}


@pytest.mark.parametrize(
    ("expression", "matcher", "score", "why"),
    [
        ("MIT", "whole", 100, None), ("MIT", "3-seq", 96, None), ("MIT", "3-seq", 70, "near"),
        ("GPL-2.0-only", "3-seq", 70, None), ("MIT", "review", 100, "decided"),
        ("MIT AND LicenseRef-stackcurate-altered", "3-seq", 98, "changed"),
        ("MIT AND LicenseRef-stackcurate-no-ai", "exact", 100, "limited"),
        ("LicenseRef-scancode-unknown", "none", 0, "unknown"), (None, "undetermined", 0, "unread"),
    ],
)  # fmt: skip
def test_what_a_person_should_look_at(expression, matcher, score, why):
    assert doubt({"expression": expression, "matcher": matcher, "score": score}) == why
    assert why is None or why in WHY


@pytest.mark.parametrize(
    "bad",
    ["{", "[]", "{}", line("xyz", "MIT"), line(ONE, "MIT OR OR"), line(ONE, 7),
     line(ONE, "MIT", ""), line(ONE, "MIT")[:-1] + ', "more": 1}'],
)  # fmt: skip
def test_a_bad_line_is_named(bad):
    with pytest.raises(ConfigError, match="line 2"):
        parse(f"{line(TWO, 'MIT')}\n{bad}\n")


def statements():
    texts = [text("You may never."), text(body("mit")), text("Never, ever.")]
    return texts, detect_texts(texts, Cache(), NoJudge())


def test_decisions_replace_what_was_read():
    texts, evidence = statements()
    decisions = parse(line(texts[0].content_id.hex(), "mit", "Mo"))
    found = apply(evidence, decisions).to_pylist()
    said = ["MIT", "MIT", "LicenseRef-scancode-unknown"]
    assert [row["expression"] for row in found] == said
    assert (found[0]["matcher"], found[0]["detector"]) == ("review", "Mo")
    assert found[0]["evidence_id"] != evidence["evidence_id"][0].as_py()
    assert found[1:] == evidence.to_pylist()[1:] and doubt(found[0]) == "decided"
    assert apply(evidence, {}) is evidence


def test_what_decides_most_comes_first():
    texts, evidence = statements()
    ids = evidence["evidence_id"].to_pylist()
    found = queue(evidence, {ids[0]: 3, ids[1]: 50, ids[2]: 9})
    assert [(row["files"], row["content_id"]) for row in found] == [
        (9, texts[2].content_id.hex()), (3, texts[0].content_id.hex()),
    ]  # fmt: skip


def test_an_answer_is_an_expression_or_a_class():
    assert meant("mit or gpl-2.0") == "MIT OR GPL-2.0-only" and meant("what?") is None
    for name in CLASSES:
        said = meant(name.replace("_", " "))
        assert license_class(said) == name


def test_a_file_of_decisions_grows_by_whole_lines(tmp_path):
    file = tmp_path / "decisions.jsonl"
    add(file, Decision(ONE, "MIT", "Jo", "2026", "ä"))
    file.write_bytes(file.read_bytes().rstrip(b"\n"))  # an editor may leave it so
    add(file, Decision(TWO, "ISC", "Jo", "2026", "read"))
    before = digest(read(file))
    assert len(file.read_text().splitlines()) == 2 and set(read(file)) == {ONE, TWO}
    add(file, Decision(TWO, None, "Jo", "2026", "wrong"))
    assert set(read(file)) == {ONE} and digest(read(file)) not in (before, None)
    with pytest.raises(ConfigError, match="no SPDX expression"):
        add(file, Decision(ONE, "MIT OR", "Jo", "2026", "read"))
    with pytest.raises(ConfigError, match="cannot write"):
        add(tmp_path / "no" / "folder.jsonl", Decision(ONE, "MIT", "Jo", "2026", "read"))
    assert digest({}) is None


def queue_row(content_id, words):
    return {"files": 7, "content_id": content_id, "path": "/LICENSE", "text": words, "rule": "r",
            "expression": "LicenseRef-scancode-unknown", "license_class": "unknown",
            "matcher": "none", "score": 0.0, "kind": "license_file", "why": "unknown"}  # fmt: skip


def test_asking(tmp_path, capsys):
    file = tmp_path / "decisions.jsonl"
    changed = body("mit").replace("without limitation the rights", "the non-commercial rights")
    rows = [queue_row(ONE, changed), queue_row(TWO, "\x1b[31mnothing"), queue_row("3" * 40, "x")]
    answers = iter(["?", "t", "nonsense(", "source_available", "Jo", " ", "NC", "s", "q"])
    ask_all(rows, file, lambda text, default: next(answers))
    ((key, one),) = read(file).items()
    assert key == ONE and license_class(one.expression) == "source_available"
    assert (one.who, one.why) == ("Jo", "NC") and one.when.startswith("20")
    said = capsys.readouterr().out
    assert "like MIT (permissive): 9" in said and "+ non-commercial" in said
    assert "like no known license" in said and "\x1b" not in said
    assert next(answers, None) is None  # every answer was asked for


def test_the_closest_licenses_and_where_they_differ():
    text = "Acme License\n" + body("isc").replace("any purpose", "no evil purpose")
    first, *_ = closest(text)
    assert first.id == "ISC" and 0.8 < first.similarity < 1
    found = differences(text, first.text)
    assert ("no evil", "any") in [(one.added, one.missing) for one in found]
    assert closest(body("isc"))[0].similarity == 1.0 and closest("") == []
