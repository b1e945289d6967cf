"""The registry: the chain names its first bad line, and the fold knows what applies."""

import json

import pytest

from stackcurate.errors import ConfigError, IntegrityError
from stackcurate.optout import registry as r
from stackcurate.optout.subjects import Subject, parse

DAY = "2024-03-0{}T12:00:00Z"


def submit(id_, subject, day=1, reach="place"):
    return r.Event("submit", id_, DAY.format(day), subject, reach)


def decide(type_, id_, day=2):
    return r.Event(type_, id_, DAY.format(day))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "optout.jsonl"
    r.append(
        path,
        [
            submit("r1", Subject("owner", "https://github.com/Alice")),
            submit("r2", parse("repository", "github.com/bob/tool"), reach="copies"),
            decide("approve", "r1"),
            submit("r3", parse("path", "github.com/eve/x", "docs/**"), 3),
            decide("approve", "r2", 4),
            decide("undo", "r2", 5),
            decide("deny", "r3", 6),
        ],
    )
    return path


def test_fold_and_summary(path):
    state = r.read(path)
    assert [(x.id, x.state, x.subject.value) for x in state.requests] == [
        ("r1", "approved", "github.com/alice"),
        ("r2", "undone", "github.com/bob/tool"),
        ("r3", "denied", "github.com/eve/x"),
    ]
    assert [x.id for x in state.approved()] == ["r1"]
    assert state.approved("repository") == []
    assert [x.id for x in state.reaching("copies").requests] == ["r2"]
    assert r.summary(state) == {
        "head": json.loads(path.read_text().splitlines()[-1])["digest"],
        "newest_event": DAY.format(6),
        "events": 7,
        "approved": {"owner": 1, "repository": 0, "origin": 0, "swhid": 0, "path": 0},
        "pending": 0,
        "review": 0,
        "denied": 1,
        "undone": 1,
    }


def test_appending_goes_on_from_the_end_and_denied_may_be_approved_later(path):
    before = path.read_bytes()
    state = r.append(path, [decide("approve", "r3", 7), decide("approve", "r2", 8)])
    assert path.read_bytes().startswith(before)
    assert {x.id for x in state.approved()} == {"r1", "r2", "r3"}
    assert state == r.read(path)


def test_an_empty_file_is_an_empty_registry(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"")
    assert r.read(path) == r.EMPTY
    with pytest.raises(ConfigError, match=r"cannot read"):
        r.read(tmp_path / "absent.jsonl")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (decide("approve", "r9"), "unknown"),
        (decide("undo", "r2"), "is undone"),
        (decide("approve", "r1"), "is approved"),
        (submit("r1", parse("owner", "github.com/x")), "is approved"),
        (r.Event("submit", "r4", DAY.format(7)), "subject"),
        (submit("r4", parse("owner", "github.com/x"), reach="all"), "reach"),
        (submit("r4", Subject("owner", "github.com")), "no account"),
        (r.Event("approve", "r1", "yesterday"), "time"),
        (r.Event("approve", "r1\n", DAY.format(7)), "id"),
        (r.Event("vanish", "r1", DAY.format(7)), "unknown type"),
        (r.Event("undo", "r1", DAY.format(7), parse("owner", "github.com/x")), "by id alone"),
    ],
)
def test_a_refused_event_leaves_the_file_as_it_was(path, event, words):
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=words):
        r.append(path, [decide("approve", "r3", 7), event])
    assert path.read_bytes() == before


def damage(path, change):
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.write_bytes(b"".join(lines))


def set_line(number, old, new):
    def change(lines):
        assert old in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new)

    return change


def swap(a, b):
    def change(lines):
        lines[a - 1], lines[b - 1] = lines[b - 1], lines[a - 1]

    return change


def resealed(number):
    def change(lines):
        event = json.loads(lines[number - 1])
        event["time"] = DAY.format(9)
        lines[number - 1] = r._seal(event).encode() + b"\n"

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_line(3, b"approve", b"deny"), "line 3 was altered"),
        (set_line(3, b'":"', b'": "'), "line 3 was altered"),
        (set_line(4, b"docs/**", b"docs/* "), "line 4 was altered"),
        (lambda lines: lines.__setitem__(1, b"{]\n"), "line 2 was altered"),
        (lambda lines: lines.__setitem__(1, b"[" * 100_000 + b"\n"), "line 2 was altered"),
        (lambda lines: lines.__setitem__(1, b'"\xff"\n'), "line 2 was altered"),
        (lambda lines: lines.pop(0), "line 1 is not the first"),
        (lambda lines: lines.pop(3), "a line before line 4 was removed"),
        (swap(2, 3), "line 2 was swapped"),
        (swap(6, 7), "line 6 was swapped"),
        (resealed(5), "line 5 was altered and sealed again"),
        (lambda lines: lines.insert(5, lines[2]), "line 6 does not follow line 5"),
        (lambda lines: lines.append(b'{"half'), "line 8 is incomplete"),
    ],
)
def test_the_chain_names_the_first_bad_line(path, change, words):
    damage(path, change)
    with pytest.raises(IntegrityError, match=words):
        r.read(path)


def test_a_cut_end_shows_against_a_known_head(path):
    head = r.read(path).head
    assert r.read(path, head).head == head
    r.append(path, [decide("approve", "r3", 7)])
    assert r.read(path, head).events == 8  # an older head is still in the chain
    damage(path, lambda lines: lines.__delitem__(slice(5, None)))
    assert r.read(path).events == 5
    with pytest.raises(IntegrityError, match="removed after line 5"):
        r.read(path, head)


def test_private_notes_are_apart_and_bound(tmp_path):
    path = tmp_path / "optout.jsonl"
    note = r.Private("maint", "mail from alice@site.example", "her own account", salt="00ff")
    r.append(path, [submit("r1", parse("owner", "github.com/alice"))], [note])
    assert "alice@" not in path.read_text() and "her own" not in path.read_text()
    beside = r.private_path(path)
    assert beside.name == "optout.private.jsonl" and "her own" in beside.read_text()
    assert beside.stat().st_mode & 0o077 == 0
    assert r.verify_private(path) == []
    beside.write_text(beside.read_text().replace("maint", "m"))
    assert r.verify_private(path) == [
        f"the private note of submit r1 at {DAY.format(1)} is missing or was altered"
    ]
    assert r.read(path).events == 1  # runs never need it


@pytest.mark.parametrize(
    "subject",
    [
        7,
        {"kind": "owner", "value": 7},
        {"kind": "planet", "value": "x"},
        {"kind": "path", "value": "a.b/c", "glob": 1},
        {"kind": "owner", "value": "github.com/a", "glob": "x"},
        {"kind": "path", "value": "a.b/c"},
    ],
)
def test_sealed_nonsense_is_refused_with_its_line(tmp_path, subject):
    path = tmp_path / "optout.jsonl"
    raw = {
        "type": "submit",
        "id": "r1",
        "time": DAY.format(1),
        "reach": "place",
        "previous": r.FIRST,
    }
    path.write_text(r._seal({**raw, "subject": subject}) + "\n")
    with pytest.raises(ConfigError, match=r"optout\.jsonl"):
        r.read(path)
