"""The report says what the counts say, and no name in it can act on its reader."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest

from stackcurate.report import SHOWN, Report, html_of

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e\n'


def count(files: int, size: int) -> dict[str, int]:
    return {"files": files, "bytes": size}


def manifest(**more: Any) -> dict[str, Any]:
    languages = [
        {"language": f"Language {n}", "folder": f"l{n}", "files": 100 - n, "bytes": 1000 + n}
        for n in range(SHOWN + 5)
    ]
    return {
        "name": "stack-test",
        "title": "Stack test",
        "version": "1.2.3",
        "release_id": "stack-test-v1.2.3-abc",
        "counts": {
            "stages": ["optout", "license", "dedup"],
            "listed": count(10_000, 5_000_000),
            "kept": count(6_500, 3_000_000),
            "dropped": {
                "dedup": {"near": count(1000, 900_000), "exact": count(1500, 100_000)},
                "optout": {"owner": count(600, 400_000)},
                "source": {"symlink": count(300, 0)},
                "run": {"crashed": count(100, 600_000)},
            },
            "sources": {
                "git": {"listed": count(8_000, 1), "kept": count(6_001, 1), "dropped": {}},
                HOSTILE: {"listed": count(2_000, 1), "kept": count(499, 1), "dropped": {}},
            },
        },
        "totals": {
            "files": 6500,
            "bytes": 3_000_000,
            "languages": [
                {"language": None, "folder": "_unknown", "files": 7, "bytes": 1},
                *languages,
            ],
            "licenses": [{"expression": HOSTILE, "class": "permissive", "files": 1, "bytes": 9}],
            "classes": [{"class": "permissive", "files": 6500, "bytes": 3_000_000}],
            "redactions": [{"kind": "email", "rule": "email", "findings": 12, "files": 3}],
            "clusters": [
                {"least": 1, "most": 1, "clusters": 6000, "files": 6000},
                {"least": 5, "most": 8, "clusters": 499, "files": 2500},
                {"least": 1025, "most": None, "clusters": 1, "files": 2000},
            ],
        },
        "problems": [{"where": HOSTILE, "reason": "corrupt", "message": HOSTILE}],
        "optout": {"registry_head": "ab" * 32, "requests": {"owner": 3}},
    } | more


class Page(HTMLParser):
    """Collects tags, attributes and visible words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "line", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words += data


def test_funnel_follows_the_stages() -> None:
    report = Report.of(manifest())
    assert [step.stage for step in report.funnel] == ["source", "optout", "license", "dedup", "run"]
    assert [step.files for step in report.funnel] == [10_000, 9_700, 9_100, 9_100, 6_600]
    last = report.funnel[-1]
    assert last.files - last.dropped == report.kept_files
    assert last.bytes - last.dropped_bytes == report.kept_bytes
    assert [drop.reason for drop in report.funnel[3].drops] == ["exact", "near"]


def test_text_holds_every_count() -> None:
    text = Report.of(manifest()).as_text()
    for words in (
        "Stack test 1.2.3  stack-test-v1.2.3-abc",
        "- dedup:exact         1,500 files   100.0 kB   15.0 %",
        "(6 more)",
        "Set aside: 1",
        "5–8",
        "git 8,000 listed 6,001 kept 75.0 %",
    ):
        assert " ".join(words.split()) in " ".join(text.split()), words
    assert all(c.isprintable() or c == "\n" for c in text)
    assert text.endswith("\n") and "  \n" not in text


def test_json_reads_back_and_is_the_same_twice() -> None:
    text = Report.of(manifest()).as_json()
    assert text == Report.of(json.loads(json.dumps(manifest()))).as_json()
    assert json.loads(text)["funnel"][0]["drops"] == [
        {"bytes": 0, "files": 300, "reason": "symlink"}
    ]


def test_page_is_whole_and_loads_nothing() -> None:
    page = Page(html_of(manifest()))
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert not {"src", "href", "onerror", "onclick", "onload"} & {
        name for name, _ in page.attributes
    }
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert ("http-equiv", "Content-Security-Policy") in page.attributes
    assert "url(" not in html_of(manifest()) and "@import" not in html_of(manifest())


def test_page_shows_hostile_names_as_words() -> None:
    text = html_of(manifest())
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text
    assert "<script>alert(1)</script>" in Page(text).words


def test_page_holds_every_language_and_count() -> None:
    words = Page(html_of(manifest())).words
    for n in range(SHOWN + 5):
        assert f"Language {n}" in words
    assert "(undecided)" in words
    for number in ("8,000", "6,001", "10,000", "6,500", "1,500", "−2,500", "1,025+"):
        assert number in words, number


def test_every_table_has_a_caption_and_the_chart_a_label() -> None:
    page = Page(html_of(manifest()))
    assert page.tags.count("caption") == page.tags.count("table") > 5
    assert ("role", "img") in page.attributes
    assert any(name == "aria-label" and value for name, value in page.attributes)


@pytest.mark.parametrize("missing", ["totals", "problems", "optout", "title", "release_id"])
def test_a_run_without_a_release_has_a_report(missing: str) -> None:
    facts = manifest()
    del facts[missing]
    report = Report.of(facts)
    assert report.as_text() and report.as_json()
    assert Page(report.as_html()).open == []


def test_nothing_kept_is_a_report_too() -> None:
    empty = {
        "stages": [],
        "listed": count(0, 0),
        "kept": count(0, 0),
        "dropped": {},
        "sources": {},
    }
    report = Report.of({"name": "x", "version": "1.0.0", "counts": empty})
    assert "listed" in report.as_text()
    assert "None." in Page(report.as_html()).words


def test_sizes_that_no_source_knew_are_no_zeros() -> None:
    given = manifest()
    counts = given["counts"]
    for part in (counts["listed"], counts["kept"], *counts["dropped"]["dedup"].values()):
        part["bytes"] = 0
    report = Report.of(given)
    assert "0 B" not in report.as_text().split("Sources")[0].splitlines()[2]
    assert "–" in report.as_text() and "files, –" in report.as_html()
