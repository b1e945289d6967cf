"""Free words are read as a person reads them, or a person is asked; never as more."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.optout.reading import read_text
from stackcurate.optout.subjects import OWNER, parse

CORPUS = Path(__file__).with_name("requests.txt")


def meant(words: str) -> set:
    """The subjects of the corpus's shorthand; "?" is none."""
    found = set()
    for word in words.split(", "):
        if word == "?":
            continue
        if word.startswith("@"):
            found.add(parse("owner", f"github.com/{word[1:]}"))
        elif word.startswith("="):
            found.add(parse("origin", word[1:]))
        elif word.startswith("swh:"):
            found.add(parse("swhid", word))
        elif ":" in word:
            repository, glob = word.split(":")
            found.add(parse("path", f"github.com/{repository}", glob))
        else:
            host = "" if "." in word.split("/")[0] else "github.com/"
            found.add(parse("repository", host + word))
    return found


def requests() -> list:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    cases = []
    for line in lines:
        if line.startswith("#"):
            continue
        account, words, text = line.split(" ; ", 2)
        for written, char in (
            ("\\n", "\n"),
            ("\\r", "\r"),
            ("\\u200b", "\u200b"),
            ("\\u202e", "\u202e"),
        ):
            text = text.replace(written, char)
        cases.append((account.strip(), meant(words), text))
    return cases


CASES = requests()


def test_the_corpus_is_of_the_size_that_was_promised() -> None:
    assert len(CASES) >= 300


@pytest.mark.parametrize(("account", "wanted", "text"), CASES)
def test_read_so_or_sent_to_review_and_never_as_more(account, wanted, text) -> None:
    readings = read_text(text, account)
    assert readings
    read = {one.subject for one in readings if one.subject is not None}
    assert read <= wanted, "read as more than was asked"
    in_review = [one for one in readings if one.subject is None]
    assert all(one.why for one in in_review)
    assert read == wanted or in_review, "something that was asked for is lost without a word"


def test_most_of_what_a_person_can_read_is_read() -> None:
    clear = [(account, wanted, text) for account, wanted, text in CASES if wanted]
    read = [
        {one.subject for one in read_text(text, account)} == wanted
        for account, wanted, text in clear
    ]
    assert sum(read) / len(read) > 0.8


@given(st.text(alphabet="all ce/tol.\n-*`>[]()@:#~|é\u202eremovup", max_size=80))
def test_no_text_makes_an_account_of_what_names_a_repository(noise) -> None:
    readings = read_text(f"Please remove alice/tool\n{noise}", "alice")
    assert not [one for one in readings if one.subject and one.subject.kind == OWNER]


@given(st.text(max_size=300))
def test_every_text_has_a_reading(text) -> None:
    assert read_text(text, "alice", text[:20])
