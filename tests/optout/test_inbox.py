"""Files of requests: each format read as it is written, twice the same file changes nothing."""

from __future__ import annotations

import json

import pytest

from stackcurate.errors import ConfigError
from stackcurate.optout import inbox
from stackcurate.optout import registry as r

NOW = "2026-08-01T00:00:00Z"

FORM = """### Accounts and organizations to remove ENTIRELY

{accounts}

### Specific repositories to remove

{repositories}

### Optional - your relationship to what you listed

- [x] These are my own personal account(s).

### Optional - a link that helps confirm this is you/yours

https://github.com/alice

### Anything else? (optional)

{notes}
"""


def form(accounts="_No response_", repositories="_No response_", notes="_No response_"):
    text = FORM.format(accounts=accounts, repositories=repositories, notes=notes)
    return [
        str(one.subject) if one.subject else "review" for one in inbox.read_issue(text, "alice", "")
    ]


def take(path, asked):
    known = r.read(path) if path.exists() else r.EMPTY
    return inbox.take_in(path, known, asked, "maintainer", lambda: "salt")


def test_the_form_reads_each_box_as_what_it_is() -> None:
    assert form("alice\n@acme\nhttps://github.com/old-alice") == [
        "owner github.com/alice", "owner github.com/acme", "owner github.com/old-alice",
    ]  # fmt: skip
    assert form(repositories="alice/tool\n- https://github.com/acme/site") == [
        "repository github.com/alice/tool", "repository github.com/acme/site",
    ]  # fmt: skip
    assert form("alice", "acme/site") == [
        "owner github.com/alice",
        "repository github.com/acme/site",
    ]


@pytest.mark.parametrize(
    ("accounts", "repositories"),
    [("alice/tool", ""), ("all", ""), ("", "all"), ("", "alice"), ("", "alice/*"), ("", ""),
     ("alice and all her friends", ""), ("", "https://github.com/alice")],
)  # fmt: skip
def test_a_box_that_holds_something_else_goes_to_review(accounts, repositories) -> None:
    assert set(form(accounts or "_No response_", repositories or "_No response_")) == {"review"}


def test_notes_that_turn_the_request_send_it_to_review() -> None:
    assert form("alice", notes="Thank you!") == ["owner github.com/alice"]
    assert form("alice", notes="but please keep alice/site") == ["review"]


def test_issues_of_the_api_and_of_gh_read_alike(tmp_path) -> None:
    same = {"number": 7, "title": "Opt-out request for alice", "body": "- alice/tool"}
    api = {**same, "user": {"login": "alice"},
           "created_at": "2026-07-01T10:00:00Z", "html_url": "https://example.org/7"}  # fmt: skip
    gh = {**same, "author": {"login": "alice"},
          "createdAt": "2026-07-01T10:00:00Z", "url": "https://example.org/7"}  # fmt: skip
    found = []
    for number, one in enumerate((api, gh)):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps([one, {"number": 8, "pull_request": {}, "body": "alice/x"}]))
        found.append(inbox.read_file(path, None, NOW))
    assert found[0] == found[1]
    assert [(a.id, a.time, [str(x.subject) for x in a.readings]) for a in found[0]] == [
        ("issue-7", "2026-07-01T10:00:00Z", ["repository github.com/alice/tool"])
    ]


def test_all_for_an_account_that_is_not_the_askers_goes_to_review(tmp_path) -> None:
    body = "I request that the following data is removed from The Stack:\n\n - all\n"
    assert inbox.read_issue(body, "alice", "Opt-out request for alice")[0].subject is not None
    assert inbox.read_issue(body, "mallory", "Opt-out request for alice")[0].subject is None


def test_the_published_list_of_the_tracker(tmp_path) -> None:
    path = tmp_path / "optouts.jsonl"
    path.write_text(
        '{"issue": 3, "author": "alice", "optout_repos": ["alice/tool"], '
        '"optout_owners": ["acme"]}\n'
        '{"issue": 4, "author": "bob", "optout_repos": ["not a repo"], "optout_owners": []}\n'
    )
    asked = inbox.read_file(path, None, NOW)
    registry = tmp_path / "registry.jsonl"
    taken = take(registry, asked)
    assert taken.lines[0][:2] == ("issue-3/1", "owner github.com/acme")
    assert taken.lines[1][:2] == ("issue-3/2", "repository github.com/alice/tool")
    assert taken.lines[2][1] is None and taken.review == 1
    state = r.read(registry)
    assert [one.state for one in state.requests] == ["pending", "pending", "review"]
    assert "not a repo" not in registry.read_text()
    assert "not a repo" in r.private_path(registry).read_text()
    again = take(registry, asked)
    assert again.lines == () and again.known == 2
    assert r.read(registry) == state


def test_a_table_by_kind_or_by_column(tmp_path) -> None:
    path = tmp_path / "asked.csv"
    path.write_text(
        "id,kind,value,path,reach\n"
        "a,owner,alice,,\n"
        "b,repository,bob/tool,,copies\n"
        "c,path,bob/tool,docs/**,\n"
        "d,repository,bob,,\n"
        "e,repository,bob/tool,,everywhere\n"
    )
    asked = inbox.read_file(path, None, NOW)
    assert [(a.id, a.reach, str(a.readings[0].subject)) for a in asked] == [
        ("a", "place", "owner github.com/alice"),
        ("b", "copies", "repository github.com/bob/tool"),
        ("c", "place", "path github.com/bob/tool docs/**"),
        ("d", "place", "None"),
        ("e", "place", "None"),
    ]
    wide = tmp_path / "wide.csv"
    wide.write_text("owner,repository\nalice,\n,bob/tool\nalice,bob/tool\n")
    subjects = [a.readings[0].subject for a in inbox.read_file(wide, None, NOW)]
    assert [str(one) for one in subjects] == [
        "owner github.com/alice", "repository github.com/bob/tool", "None",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["{", '{"issue": 1}', "[1]", '[{"number": "x"}]', "null"])
@pytest.mark.parametrize("form_", ["jsonl", "issues"])
def test_a_file_of_another_kind_is_the_callers_mistake(tmp_path, text, form_) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    with pytest.raises(ConfigError):
        inbox.read_file(path, form_, NOW)


def test_a_request_in_review_gets_its_subject_or_a_denial(tmp_path) -> None:
    path = tmp_path / "registry.jsonl"
    take(
        path, [inbox.from_text("q", "remove me", "alice", NOW), inbox.from_text("p", "hm", "", NOW)]
    )
    with pytest.raises(ConfigError, match="submit it first"):
        r.append(path, [r.Event("deny", "q", NOW), r.Event("approve", "q", NOW)])
    subject = inbox.parse("repository", "github.com/alice/tool")
    r.append(path, [r.Event("submit", "q", NOW, subject, "place"), r.Event("approve", "q", NOW)])
    state = r.append(path, [r.Event("deny", "p", NOW)])
    assert [(one.id, one.state) for one in state.requests] == [("q", "approved"), ("p", "denied")]
    assert r.summary(state)["review"] == 0
