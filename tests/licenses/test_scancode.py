"""The one module that loads ScanCode: some ten seconds, once."""

import pickle
import subprocess
import sys

from stackcurate.licenses import matcher
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Steps
from stackcurate.licenses.scancode import Judge
from tests.licenses.conftest import body, rows, text


def test_answers_come_in_order(judge):
    answers = judge.ask(["Licensed under the MIT license.", "", "nothing here", "GPL v2 or later"])
    found = [[one["expression"] for one in answer.detections] for answer in answers]
    assert found == [["MIT"], [], [], ["GPL-2.0-or-later"]]
    assert [answer.failure for answer in answers] == [None] * 4


def test_a_text_past_the_limit_is_undetermined_and_the_next_is_answered(judge):
    # Three licenses with a word misspelt throughout keep the matcher busy for seconds.
    keys = ("gpl-2.0", "mpl-2.0", "eupl-1.2")
    slow = "\n".join(body(key).replace("the", "teh") for key in keys)
    judge.limit = 0.0001
    try:
        assert judge.ask([slow])[0].failure == "timeout"
    finally:
        judge.limit = 60
    assert judge.ask(["Licensed under the MIT license."])[0].failure is None


def test_a_text_that_our_matcher_gives_up_on_is_read_by_scancode(judge, monkeypatch):
    monkeypatch.setattr(matcher, "MOST_STEPS", 5)
    cache, steps = Cache(), Steps()
    data = text(body("mit").replace("copies or substantial", "copies or considerable"))
    first = rows(data, judge=judge, cache=cache, steps=steps)
    assert (first[0]["expression"], steps.full) == ("MIT", 1)
    assert first[0]["detector"].startswith("scancode-toolkit")
    assert rows(data, cache=cache) == first


def test_a_server_that_dies_is_started_again():
    """No index is needed to see it: the server's program is replaced by one that ends at once."""
    judge = Judge()
    judge._process = subprocess.Popen(
        [sys.executable, "-c", "pass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    judge._process.wait()
    started = judge._process
    judge._start = lambda: started
    assert [answer.failure for answer in judge.ask(["a", "b"])] == ["crashed", "crashed"]


def test_a_judge_pickles_without_its_process(judge):
    copy = pickle.loads(pickle.dumps(judge))
    assert copy._process is None and copy.limit == judge.limit


def test_scancode_is_not_loaded_here():
    """Only the server may hold the index."""
    assert "licensedcode.index" not in sys.modules
