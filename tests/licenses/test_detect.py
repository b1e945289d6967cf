"""The steps of detection, and the adversarial set: every case with the answer it must get."""

import json
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import pytest

from stackcurate.licenses import matcher, texts
from stackcurate.licenses import words as w
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.detect import Steps, by_words
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.policy import table
from stackcurate.licenses.readings import canonical, reading
from tests.licenses.conftest import NoJudge, body, rows, text

MIT, APACHE, GPL2, BSD3 = body("mit"), body("apache-2.0"), body("gpl-2.0"), body("bsd-new")


def expression(*args, **kwargs):
    found = rows(text(*args, **kwargs))
    return found[0]["expression"] if found else None


# --- known texts, without the full matcher --------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "spdx"),
    [("mit", "MIT"), ("apache-2.0", "Apache-2.0"), ("gpl-2.0", "GPL-2.0-only"), ("isc", "ISC"),
     ("bsd-new", "BSD-3-Clause"), ("bsd-simplified", "BSD-2-Clause"), ("mpl-2.0", "MPL-2.0"),
     ("lgpl-2.1", "LGPL-2.1-only"), ("agpl-3.0", "AGPL-3.0-only"), ("unlicense", "Unlicense"),
     ("zlib", "Zlib"), ("cc0-1.0", "CC0-1.0"), ("eupl-1.2", "EUPL-1.2"), ("bsl-1.1", "BUSL-1.1"),
     ("mongodb-sspl-1.0", "SSPL-1.0"), ("wtfpl-2.0", "WTFPL"), ("json", "JSON"),
     ("cc-by-nc-4.0", "CC-BY-NC-4.0")],
)  # fmt: skip
def test_a_license_text_is_itself(key, spdx):
    dressed = (
        f"Copyright (c) 2019-2024 Jane Doe <jane@example.org>\nAll rights reserved.\n\n{body(key)}"
    )
    for data in (body(key), dressed, body(key).replace("\n", "\r\n"), body(key).upper()):
        (row,) = rows(text(data))
        assert (row["expression"], row["matcher"]) == (spdx, "whole")


def test_owners_names_do_not_matter():
    for owner in ("the Regents", "Foo, Inc.", "The Bar Project Authors"):
        changed = BSD3.replace(
            "Neither the name of the copyright holder", f"Neither the name of {owner}"
        )
        assert expression(changed) == "BSD-3-Clause"


def test_spans_point_at_the_statement():
    data = f"Copyright (c) 2020 Jo\n\n{MIT}"
    (row,) = rows(text(data))
    stated = data.encode()[row["start"] : row["end"]]
    assert stated.startswith(b"Permission is hereby") and stated.endswith(b"SOFTWARE")


def test_two_licenses_in_one_file_both_bind():
    assert expression(f"{MIT}\n\n-----\n\n{GPL2}") == "MIT AND GPL-2.0-only"


def test_tags():
    assert expression("SPDX-License-Identifier: MIT OR Apache-2.0\n") == "MIT OR Apache-2.0"
    assert expression("# SPDX-License-Identifier: (MIT)\n") == "MIT"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding):
    assert expression(MIT.encode(encoding)) == "MIT"


def test_html_and_rtf():
    lines = MIT.replace('"', "&quot;").split("\n")
    html = f"<!DOCTYPE html><html><head><title>MIT License</title><style>x{{}}</style></head><body><p>{'<br>'.join(lines)}</p></body></html>"  # noqa: E501
    assert expression(html, name="license.html") == "MIT"
    rtf = r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0\fs20 " + MIT.replace("\n", "\\par\n") + "}"
    assert expression(rtf, name="LICENSE.rtf") == "MIT"
    (row,) = rows(text(rtf))
    assert (row["start"], row["end"]) == (0, len(rtf.encode()))


# --- what is not certain goes on to the matcher ---------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        MIT.replace("without restriction", "with restriction"),
        MIT.replace("free of charge", "free of charge for non-commercial use"),
        MIT.replace("to deal in the", "not to deal in the"),
        f"{MIT}\n\nThis license does not apply to the folder x.",
        f"{MIT}\n\nSome parts are licensed under other terms, see below.",
        "You may do as you please, but never on Mondays.",
        f"{MIT}\n" + "wort " * 100,  # a hundred words of a language nobody here reads
    ],
)
def test_one_unexplained_word_is_enough_to_ask(data):
    assert by_words(data.encode(), w.words(data.encode())) is None
    judge, steps = NoJudge(), Steps()
    rows(text(data), judge=judge, steps=steps)
    assert (judge.texts, steps.matched) == ([], 1)


@pytest.mark.parametrize(
    ("data", "class_"),
    [
        (f"{MIT}\n\nYou may not use this software to train AI models.", "no_ai"),
        (f"{MIT}\n\nFor non-commercial use only.", None),
        (MIT.replace("free of charge", "free of charge for non-commercial purposes"), None),
        (MIT.replace("free of charge", "free of charge for noncommercial purposes"), None),
        (MIT.replace("to any person", "to any person but no AI company"), None),
        (MIT.replace("without restriction", "with restriction"), None),
        (MIT.replace("is hereby granted", "is hereby not granted"), None),
        (MIT.replace("to deal in the", "not to deal in the"), None),
        ("MIT License, but not for commercial use", None),
        ("Dual licensed under the MIT or GPL Version 2 licenses.", "permissive"),
        ("You may do as you please, but never on Mondays.", "unknown"),
        (f"{MIT}\n\nThird party parts are licensed under the GNU General Public License v3.", "copyleft"),  # noqa: E501
        ("Erlaubnis wird hiermit erteilt, die Software nur privat zu verwenden.", "unknown"),
        (MIT.replace("copies or substantial", "copies or considerable"), "permissive"),
    ],
)  # fmt: skip
def test_changed_texts(data, class_):
    (row,) = rows(text(data))
    found = license_class(row["expression"])
    assert found == class_ if class_ else found not in ("permissive", "public_domain")


def test_a_text_that_is_too_much_work_goes_to_scancode(monkeypatch):
    monkeypatch.setattr(matcher, "MOST_STEPS", 5)
    judge = NoJudge()
    data = MIT.replace("copies or substantial", "copies or considerable")
    (row,) = rows(text(data), judge=judge)
    assert len(judge.texts) == 1
    assert (row["expression"], row["matcher"]) == (None, "undetermined")


RIDERS = [
    ("Training of AI models on this code is prohibited.", "no_ai"),
    ("You may not use this software to train machine learning models.", "no_ai"),
    ("The author reserves all rights to text and data mining (TDM).", "no_ai"),
    ("Use in generative AI systems requires consent.", "no_ai"),
]


@pytest.mark.parametrize(("rider", "class_"), RIDERS)
def test_riders_are_not_permissive_whatever_the_matcher_says(rider, class_):
    """The matcher calls all of these MIT; its answer is given here as it was seen."""
    data = f"{MIT}\n\n{rider}\n".encode()
    match = {"expression": "MIT", "score": 100.0, "rule": "mit.LICENSE", "matcher": "2-aho"}
    given = [{"expression": "MIT", "matches": [match]}]
    stated = reading(data, given, [(match, (0, len(MIT.encode())))], "test")
    assert license_class(stated.expression) == class_
    (row,) = rows(text(data))
    assert license_class(row["expression"]) == class_


def test_a_telling_word_inside_a_match_is_not_permissive():
    data = MIT.replace("without restriction", "with restriction").encode()
    match = {"expression": "MIT", "score": 99.0, "rule": "mit", "matcher": "3-seq",
             "extra": ["with"], "missing": ["without"]}  # fmt: skip
    given = [{"expression": "MIT", "matches": [match]}]
    stated = reading(data, given, [(match, (0, len(data)))], "test")
    assert license_class(stated.expression) == "unknown"


def test_a_matched_span_points_at_the_statement():
    changed = MIT.replace("copies or substantial", "copies or considerable")
    data = f"Änderungen: © 2020 Jo\r\n\n\n{changed}\n\nGrüße".encode()
    (row,) = rows(text(data))
    stated = data[row["start"] : row["end"]]
    assert stated.startswith(b"Permission is hereby") and stated.endswith(b"SOFTWARE")
    assert row["detector"].startswith("stackcurate-rules") and row["rule"]


# --- kinds ----------------------------------------------------------------------------------------


def test_a_readme_about_the_gpl_grants_nothing():
    judge = NoJudge()
    about = "# Scanner\n\nThis tool can read GPL-licensed files. It finds the GNU General Public License.\n"  # noqa: E501
    assert rows(text(about, kind="readme", name="README.md"), judge=judge) == []
    assert judge.texts == []


def test_an_empty_license_file_states_nothing():
    assert rows(text("")) == []


def test_undetermined_is_not_cached(monkeypatch):
    monkeypatch.setattr(matcher, "MOST_STEPS", 5)
    cache, judge = Cache(), NoJudge()
    odd = text(MIT.replace("copies or substantial", "copies or considerable"))
    rows(odd, judge=judge, cache=cache)
    rows(odd, judge=judge, cache=cache)
    assert len(judge.texts) == 2


def test_a_cached_answer_is_the_same(tmp_path):
    data = f"Copyright 2020 Jo\n{MIT.replace('copies or substantial', 'copies or considerable')}"
    cache, steps = Cache(tmp_path / "licenses.sqlite"), Steps()
    first = rows(text(data), cache=cache, steps=steps)
    again = rows(text(data), cache=Cache(tmp_path / "licenses.sqlite"), steps=steps)
    assert first == again
    assert (steps.matched, steps.cached) == (1, 1)
    # Other spaces, the same words; the place is that of this text.
    spaced = data.replace("\n", "  \n")
    (other,) = rows(text(spaced), cache=cache, steps=steps)
    assert other["expression"] == first[0]["expression"]
    assert steps.cached == 2
    assert spaced.encode()[other["start"] : other["end"]].endswith(b"SOFTWARE")


def test_canonical_form_forgets_space():
    def form(data):
        return canonical(data.encode())

    one = form(f"Copyright (c) 2020 Jo\n\n\n  {BSD3}")
    two = form(f"Copyright (c)  2020 Jo\n=====\n\n{BSD3}".replace("\n", " \r\n"))
    assert one.key == two.key
    assert len(one.starts) == len(two.starts) == one.text.count("\n") + 2


def test_rows_do_not_depend_on_what_else_is_asked():
    items = [text(MIT), text("Mondays are not allowed."), text(GPL2), text("x", kind="readme")]
    alone = [row for item in items for row in rows(item)]
    assert rows(*items) == alone


def test_steps_are_counted():
    steps = Steps()
    rows(text(MIT), text("SPDX-License-Identifier: MIT"), text("Never."), steps=steps)
    assert (steps.words, steps.tag, steps.matched) == (1, 1, 1)


# --- the index ------------------------------------------------------------------------------------


def twin_matches(index, found):
    """Every known text at every place, by slicing: slow and plain."""
    power = pow(0x9E3779B97F4A7C15, 1, 1 << 64)
    by_count = {}
    for row, (count, anchor) in enumerate(
        zip(index.count.tolist(), index.anchors.tolist(), strict=True)
    ):
        if anchor:
            by_count.setdefault(count, {})[int(index.digest[row])] = row
    hashes = found.hashes.tolist()
    hits = []
    for count, digests in by_count.items():
        for start in range(len(hashes) - count + 1):
            value = 0
            for one in hashes[start : start + count]:
                value = (value * power + one) & 0xFFFFFFFFFFFFFFFF
            if value in digests:
                hits.append((start, start + count))
    taken = []
    for start, end in sorted(hits, key=lambda hit: (hit[0] - hit[1], hit[0])):
        if all(end <= a or start >= b for a, b in taken):
            taken.append((start, end))
    return sorted(taken)


def test_matches_equal_the_twin():
    index = texts.load()
    found = w.words(
        b"This is free. Licensed under the MIT license. See the Apache License, Version 2.0 or the "
        b"GNU General Public License version 2 or later, at your option."
    )
    mine = [(match.start, match.end) for match in texts.matches(index, found)]
    assert mine and mine == twin_matches(index, found)


def test_every_spdx_text_is_recognized_as_itself():
    """All but a few, which are the same words once the owner's name is folded, of one class.

    The text of an exception is one after WITH, whatever license it belongs to.
    """
    folder = Path(str(distribution("scancode-toolkit").locate_file("licensedcode/data/licenses")))
    other = []
    keys = {row["key"]: row["id"] for row in raw_table() if spdx_listed(row)}
    for key, spdx in keys.items():
        data = (folder / f"{key}.LICENSE").read_text(encoding="utf-8").split("---", 2)[2].strip()
        if data:
            reading = by_words(data.encode(), w.words(data.encode()))
            assert reading is not None, key
            if table().find(spdx).exception:
                assert reading.expression.endswith(f" WITH {spdx}"), key
                continue
            assert license_class(reading.expression) == license_class(spdx), key
            if reading.expression != spdx:
                other.append(spdx)
    assert len(keys) > 700 and len(other) <= 3


def raw_table():
    data = (files("stackcurate") / "tables" / "licenses.json").read_text(encoding="utf-8")
    return json.loads(data)["licenses"]


def spdx_listed(row):
    return not row.get("deprecated") and not row["id"].startswith("LicenseRef")


def test_a_rider_beside_a_tag_counts():
    (row,) = rows(text("SPDX-License-Identifier: MIT\n\nNot to be used to train AI models.\n"))
    assert "no-ai" in row["expression"]
