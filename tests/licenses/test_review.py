import json

import pytest

from stackcurate.errors import ConfigError
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import detect_texts
from stackcurate.licenses.review import apply, doubtful, parse, queue, read
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
    assert found[1:] == evidence.to_pylist()[1:] and not doubtful(found[0])
    assert apply(evidence, {}) is evidence


def test_what_decides_most_comes_first():
    texts, evidence = statements()
    ids = evidence["evidence_id"].to_pylist()
    found = queue(evidence, {ids[0]: 3, ids[1]: 50, ids[2]: 9})
    assert [(row["files"], row["content_id"]) for row in found] == [
        (9, texts[2].content_id.hex()), (3, texts[0].content_id.hex()),
    ]  # fmt: skip
