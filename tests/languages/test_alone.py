"""Languages for people with their own pipeline."""

from stackcurate.languages.alone import BATCH_RECORDS, languages


def test_one_record_out_per_record_in():
    records = [
        {"id": 1, "path": "a.py", "text": "x = 1"},
        {"id": "b", "path": "run", "content": b"#!/bin/sh\n"},
        {"id": None, "path": "a.h", "text": "class A : public B {\n"},
        {"path": "Makefile"},
        {"id": 5, "text": "#!/usr/bin/perl\n"},
        {"id": 6},
        {"id": 7, "path": "a.py", "text": "lone \ud800"},
    ]
    found = list(languages(records))
    assert [row["id"] for row in found] == [1, "b", None, None, 5, 6, 7]
    assert [row["language"] for row in found] == [
        "Python", "Shell", "C++", "Makefile", "Perl", None, "Python",
    ]  # fmt: skip
    assert found[5] == {"id": 6, "language": None, "method": None, "confidence": None}


def test_streams_in_order():
    count = BATCH_RECORDS * 2 + 3
    found = languages({"id": n, "path": "a.py" if n % 2 else "a.go"} for n in range(count))
    rows = list(found)
    assert [row["id"] for row in rows] == list(range(count))
    assert {row["language"] for row in rows[::2]} == {"Go"}
    assert list(languages([])) == []
