"""The one module that loads ScanCode: some ten seconds, once."""

import pickle
import subprocess
import sys

import pytest

from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Steps
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.scancode import Judge
from tests.licenses.conftest import body, rows, text

MIT = body("mit")


def test_answers_come_in_order(judge):
    answers = judge.ask(["Licensed under the MIT license.", "", "nothing here", "GPL v2 or later"])
    found = [[one["expression"] for one in answer.detections] for answer in answers]
    assert found == [["MIT"], [], [], ["GPL-2.0-or-later"]]
    assert [answer.failure for answer in answers] == [None] * 4


@pytest.mark.parametrize(
    ("data", "class_"),
    [
        (f"{MIT}\n\nYou may not use this software to train AI models.", "no_ai"),
        (f"{MIT}\n\nFor non-commercial use only.", None),
        (MIT.replace("free of charge", "free of charge for non-commercial purposes"), None),
        (MIT.replace("without restriction", "with restriction"), None),
        (MIT.replace("is hereby granted", "is hereby not granted"), None),
        ("Dual licensed under the MIT or GPL Version 2 licenses.", "permissive"),
        ("You may do as you please, but never on Mondays.", "unknown"),
        (f"{MIT}\n\nThird party parts are licensed under the GNU General Public License v3.", "copyleft"),  # noqa: E501
        ("Erlaubnis wird hiermit erteilt, die Software nur privat zu verwenden.", "unknown"),
        (MIT.replace("copies or substantial", "copies or considerable"), "permissive"),
    ],
)  # fmt: skip
def test_texts_that_only_the_full_matcher_can_read(judge, data, class_):
    (row,) = rows(text(data), judge=judge)
    found = license_class(row["expression"])
    assert found == class_ if class_ else found not in ("permissive", "public_domain")


def test_a_cached_answer_is_the_same_and_asks_nobody(judge, tmp_path):
    data = f"Copyright 2020 Jo\n{MIT.replace('copies or substantial', 'copies or considerable')}"
    cache, steps = Cache(tmp_path / "licenses.sqlite"), Steps()
    first = rows(text(data), judge=judge, cache=cache, steps=steps)
    again = rows(text(data), cache=Cache(tmp_path / "licenses.sqlite"), steps=steps)
    assert first == again
    assert (steps.matched, steps.cached) == (1, 1)
    # Other spaces, the same words.
    other = rows(text(data.replace("\n", "  \n")), cache=cache, steps=steps)
    assert other[0]["expression"] == first[0]["expression"]
    assert steps.cached == 2


def test_a_text_past_the_limit_is_undetermined_and_the_next_is_answered(judge):
    # Three licenses with a word misspelt throughout keep the matcher busy for seconds.
    keys = ("gpl-2.0", "mpl-2.0", "eupl-1.2")
    slow = "\n".join(body(key).replace("the", "teh") for key in keys)
    judge.limit = 0.0001
    try:
        (row,) = rows(text(slow), judge=judge)
    finally:
        judge.limit = 60
    assert (row["matcher"], row["expression"]) == ("undetermined", None)
    assert judge.ask(["Licensed under the MIT license."])[0].failure is None


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
