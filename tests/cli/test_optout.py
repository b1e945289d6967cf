"""The maintainer's desk from the command line: the whole round, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from stackcurate.optout import receipt
from stackcurate.optout import registry as r

from ..driving import Site, call

ISSUE = {
    "number": 41,
    "title": "Opt-out request for tideline",
    "body": "I request that the following data is removed from The Stack:\n\n"
    " - tideline/harbor\n\nShame!",
    "user": {"login": "tideline"},
    "created_at": "2026-07-24T10:00:00Z",
    "html_url": "https://example.org/issues/41",
}


@pytest.fixture
def site(sample, tmp_path) -> Site:
    place = tmp_path / "site"
    shutil.copytree(sample.site.config.parent.parent, place, symlinks=True)
    return Site(place / "configs" / "v2.1.yaml")


def desk(site, *words):
    return call("optout", *words, "--config", site.config)


def answer(site, *words):
    said = desk(site, *words)
    assert said.code == 0, said.all
    return said.text


def test_request_preview_approve_patch_receipt_verify_undo_and_back(site, tmp_path) -> None:
    file = tmp_path / "issues.json"
    file.write_text(json.dumps([ISSUE]))
    before = site.files()
    mine = [row for row in before.to_pylist() if row["origin"].endswith("tideline/harbor")]
    assert mine

    assert "issue-41: repository github.com/tideline/harbor" in answer(site, "import", file)
    told = answer(site, "preview", "issue-41")
    assert f"stack-sample v2.1.0: 1 repositories, {len(mine)} files" in told
    assert "stack-sample v2.0.0" in told and "https://github.com/crosswind/harbor" in told
    assert "The same contents elsewhere" in told
    told = answer(site, "approve", "issue-41", "--yes", "--evidence", "asked from the account")
    assert "stack-sample v2.1.0" in told and told.rstrip().endswith(": approved")

    told = answer(site, "apply", site.release)
    assert f"{len(mine)} files withdrawn" in told
    patch = site.release.with_name("v2.1.1")
    twice = call("optout", "apply", site.release, "--config", site.config)
    assert twice.code == 2 and "v2.1.1 is that patch already" in twice.all
    registry = site.config.parent.parent / "sample_data" / "optout.jsonl"
    assert call("verify", patch, "--registry", registry).code == 0
    assert call("verify", site.release, "--registry", registry).code == 3

    (made,) = json.loads(answer(site, "receipt", "issue-41"))["receipts"]
    assert made["matched"]["files"] == len(mine) == len(made["withdrawn"])
    assert {one["content_id"] for one in made["withdrawn"]} == {row["content_id"] for row in mine}
    assert made["before"]["version"] == "2.1.0" and made["after"]["version"] == "2.1.1"
    assert made["before"]["manifest_sha256"] != made["after"]["manifest_sha256"]
    assert any("stack-sample v2.0.0" in one["names"] for one in made["stayed"])
    page = answer(site, "receipt", "issue-41", "--format", "html")
    assert made["after"]["manifest_sha256"] in page and not re.search(r"<script|src=|href=", page)
    letter = answer(site, "reply", "issue-41")
    assert made["after"]["release_id"] in letter and "issue-41" in letter

    answer(site, "undo", "issue-41")
    site.change(version="2.2.0")
    said = call("run", site.config, "--workers", 1)
    assert said.code == 0, said.all
    again = {row["row_key"] for row in site.files().to_pylist()}
    assert {row["row_key"] for row in mine} <= again


def test_approve_asks_and_no_is_no(site) -> None:
    said = call("optout", "approve", "sample-6", "--config", site.config, given=b"n\n")
    assert said.code == 1 and "owner github.com/tideline" in said.text
    assert "nothing was approved" in said.text
    assert "pending" in answer(site, "list", "--state", "pending")
    said = call("optout", "approve", "sample-6", "--config", site.config, given=b"y\n")
    assert said.code == 0


def test_one_repository_never_becomes_the_account(site, tmp_path) -> None:
    text = tmp_path / "request.txt"
    text.write_text("Please remove tideline/harbor\n")
    told = answer(site, "submit", "--text", text, "--account", "tideline", "--id", "mail-1")
    assert "mail-1: repository github.com/tideline/harbor" in told
    (one,) = [
        json.loads(line) for line in answer(site, "list", "--json").splitlines() if "mail-1" in line
    ]
    assert one["subject"]["kind"] == "repository" and one["state"] == "pending"


def test_what_is_unclear_waits_for_a_person(site, tmp_path) -> None:
    text = tmp_path / "request.txt"
    text.write_text("remove my stuff")
    assert "review" in answer(
        site, "submit", "--text", text, "--account", "tideline", "--id", "mail-1"
    )
    said = desk(site, "approve", "mail-1", "--yes")
    assert said.code == 2 and "in review" in said.err
    assert "remove my stuff" in answer(site, "show", "mail-1")
    assert "could not tell" in answer(site, "reply", "mail-1")
    answer(site, "submit", "--id", "mail-1", "--repository", "tideline/harbor")
    answer(site, "approve", "mail-1", "--yes")


def test_lookup_says_what_was_asked_and_what_is_published(site) -> None:
    told = json.loads(answer(site, "lookup", "tideline/harbor", "--json"))
    assert not told["withdrawn"] and {one["id"] for one in told["requests"]} == {
        "sample-5",
        "sample-6",
    }
    assert [one["release"] for one in told["held"]] == [
        "stack-sample v2.0.0",
        "stack-sample v2.1.0",
    ]
    told = json.loads(
        answer(site, "lookup", "https://github.com/withdrawn-person/anything.git", "--json")
    )
    assert told["withdrawn"] and told["held"] == []
    assert "not withdrawn" in answer(site, "lookup", "nobody")
    assert desk(site, "lookup", "github.com").code == 2


def test_deny_and_its_answer(site) -> None:
    answer(site, "deny", "sample-6", "--reason", "the account could not be confirmed")
    assert "could not be confirmed" in answer(site, "reply", "sample-6")
    assert desk(site, "undo", "sample-6").code == 2


def test_the_log_names_the_line_that_is_not_as_it_was(site) -> None:
    registry = site.config.parent.parent / "sample_data" / "optout.jsonl"
    assert "16 events" in answer(site, "log", "--verify")
    assert answer(site, "log").count("\n") == 16
    text = registry.read_text()
    registry.write_text(text.replace("keepsake", "keepsafe", 1))
    said = desk(site, "log", "--verify")
    assert said.code == 3 and "line 2" in said.err


def test_mistakes_are_answered_with_words(site, tmp_path) -> None:
    for words in (
        ["submit"],
        ["submit", "--owner", "a", "--repository", "a/b"],
        ["submit", "--path", "x", "--owner", "a"],
        ["show", "no-such"],
        ["apply", site.release],  # nothing new was approved
    ):
        said = desk(site, *words)
        assert said.code == 2 and said.err and "Traceback" not in said.all, words
    empty = call("optout", "list", "--registry", tmp_path / "none.jsonl")
    assert empty.code == 0 and empty.text == ""


def test_private_words_stay_out_of_the_public_part(site) -> None:
    registry = site.config.parent.parent / "sample_data" / "optout.jsonl"
    answer(
        site,
        "submit",
        "--owner",
        "alice",
        "--evidence",
        "mail of alice@example.org",
        "--actor",
        "Mo",
    )
    assert "example.org" not in registry.read_text().replace("fennel-works.org", "")
    assert "alice@example.org" in r.private_path(registry).read_text()
    assert not receipt.folder(registry).exists()
