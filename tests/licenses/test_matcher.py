"""Our matcher beside ScanCode's own, on texts that were changed in every way we could think of."""

import random

import numpy as np
import pytest

from stackcurate.licenses import align, matcher, query, rules, spans
from stackcurate.licenses.detections import detect
from stackcurate.licenses.tags import tag_expression
from tests.licenses.conftest import body

KEYS = (
    "mit", "bsd-new", "apache-2.0", "gpl-2.0", "lgpl-2.1", "mpl-2.0", "isc", "zlib", "cc0-1.0",
    "openssl-ssleay", "x11", "json", "unlicense", "python", "gpl-3.0-plus", "artistic-2.0",
)  # fmt: skip
LINES = (
    "SPDX-License-Identifier: MIT OR Apache-2.0",
    "// SPDX-License-Identifier: GPL-2.0+ WITH Classpath-exception-2.0",
    "# SPDX-License-Identifier: Foo-1.0",
    "Licensed under the Apache License, Version 2.0 (the \"License\");",
    "This program is free software; you can redistribute it under the terms of the GPL.",
    "See the file COPYING for details. All rights reserved.",
    "License: BSD-3-clause", "GPL", "mit", "Copyright (c) 2019 Jane Doe <jane@example.org>",
    "the quick brown fox is licensed to jump", "Für Größe: ＬＩＣＥＮＳＥ licensorﾒs ﬁle",
    "MIT, BSD, GPL, LGPL, Apache, ISC, Zlib, MPL, EPL, CDDL, AGPL, WTFPL, Artistic, PSF, OFL, CC0",
)  # fmt: skip


def changed(seed):
    """A text made of license texts, lines about licenses and noise, damaged here and there."""
    chance = random.Random(seed)
    parts = []
    for _ in range(chance.randint(1, 3)):
        words = body(chance.choice(KEYS)).split(" ")[: chance.choice([40, 200, 900])]
        for _ in range(chance.choice([0, 0, 1, 4, 20])):
            at = chance.randrange(len(words))
            act = chance.randrange(4)
            if act == 0:
                del words[at : at + chance.randint(1, 4)]
            elif act == 1:
                words.insert(at, chance.choice(["not", "xyzzy", "license", "2001", "the", "a"]))
            elif act == 2:
                words[at:at] = words[at : at + 5]
            else:
                words.insert(at, "\n" * chance.randint(1, 7))
            words = words or ["x"]
        parts += [chance.choice(LINES), "\n" * chance.choice([0, 1, 3, 6]), " ".join(words)]
    return "\n".join([*parts, chance.choice(LINES)])


def told(detections):
    return [
        (
            one["expression"],
            [
                (m["rule"].partition("identifier")[0], m["lines"], m["score"], m["matcher"])
                for m in one["matches"]
            ],
        )
        for one in detections
    ]


def ours(data):
    asked, found = matcher.matches(data, rules.load())
    said = [data[asked.begin[m.first] : asked.end[m.last]].lower() for m in found]
    return [
        {
            "expression": one.expression,
            "matches": [
                {"rule": m.rule, "lines": [m.line, m.last_line], "score": m.score,
                 "matcher": m.kind}
                for m in one.matches
            ],
        }
        for one in detect(found, said)
        if one.expression
    ]  # fmt: skip


def test_the_table_is_that_of_the_installed_scancode():
    from stackcurate.licenses.scancode import detector

    assert rules.load().detector == detector()


def test_matches_are_those_of_scancode(judge):
    texts = [changed(seed) for seed in range(40)] + ["", " ", "license", "\n".join(LINES)]
    for data, answer in zip(texts, judge.ask(texts), strict=True):
        mine, theirs = told(ours(data)), told(answer.detections)
        assert [matches for _, matches in mine] == [matches for _, matches in theirs]
        # Expressions are written in our form; ScanCode's keeps brackets and repeats.
        from stackcurate.licenses.expression import normalize

        assert [said for said, _ in mine] == [normalize(said) for said, _ in theirs]


def test_a_text_is_given_up_after_too_many_steps(monkeypatch):
    monkeypatch.setattr(matcher, "MOST_STEPS", 100)
    assert matcher.matches(changed(3), rules.load()) is None


def test_a_hostile_text_ends():
    data = "license licensed under the terms of the license " * 20_000
    found = matcher.matches(data, rules.load())
    assert found is None or len(found[1]) > 0


def test_places_are_those_of_the_text():
    data = "Ünder — the MIT License ﬁn"
    asked, found = matcher.matches(data, rules.load())
    (match,) = found
    assert data[asked.begin[match.first] : asked.end[match.last]] == "the MIT License"


def test_runs_end_after_four_lines_without_license_words():
    read = query.read("license\n\n\n\n\nlicense\n1\n2\n3\nlicense", rules.load().rules)
    assert read.runs.tolist() == [[0, 0], [1, len(read.ids) - 1]]
    assert read.line.tolist()[0] == 1 and read.line.tolist()[-1] == 10


@pytest.mark.parametrize("seed", range(20))
def test_spans_are_sets(seed):
    chance = random.Random(seed)
    sets = [set(chance.sample(range(40), chance.randint(1, 30))) for _ in range(2)]
    pool, places = np.empty((200, 2), np.int32), []
    used = 0
    for one in sets:
        begin = used
        for at in sorted(one):
            if used > begin and pool[used - 1, 1] == at - 1:
                pool[used - 1, 1] = at
            else:
                pool[used] = at, at
                used += 1
        places += [begin, used - begin]
    a, b = sets
    assert spans.overlap(pool, *places) == len(a & b)
    assert spans.holds(pool, *places) == (a >= b)
    assert spans.equal(pool, *places) == (a == b)
    count, size = spans.union(pool, used, *places)
    joined = {at for low, high in pool[used : used + count].tolist() for at in range(low, high + 1)}
    assert (joined, size) == (a | b, len(a | b))
    assert spans.holds(pool, used, count, *places[:2])


def test_tenths_round_as_python_does():
    for whole in range(1, 400):
        for part in range(whole + 1):
            assert align.tenths(part / whole) == round(round(part / whole, 1) * 10)
    for count in range(5000):
        assert align.tenths(count / 20) == round(round(count / 20, 1) * 10)


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("SPDX-License-Identifier: MIT", "MIT"),
        ("/* SPDX-License-Identifier: (GPL-2.0+ OR MIT) */", "GPL-2.0-or-later OR MIT"),
        (
            "SPDX-License-Identifier: GPL-2.0 with Classpath-exception-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ),
        ("SPDX-License-Identifier: Foo", "LicenseRef-scancode-unknown-spdx"),
        ("SPDX-License-Identifier: MIT Apache-2.0", "MIT OR Apache-2.0"),
        ("SPDX-License-Identifier: MIT AND", "MIT AND LicenseRef-scancode-unknown-spdx"),
        ("<p>SPDX-License-Identifier: MIT</p>", "MIT"),
        ("SPDX-License-Identifier:", None),
    ],
)
def test_tags_are_read_as_scancode_reads_them(line, expression):
    assert tag_expression(line) == expression
