"""What stands beside an open license or inside its sentences: what limits it, and what does not."""

import json

import pyarrow as pa
import pytest

from stackcurate.licenses.expression import license_class
from stackcurate.licenses.header import headers
from stackcurate.licenses.manifests import declared
from stackcurate.licenses.riders import NO_AI
from tests.licenses.conftest import body, rows, text

OPEN = ("permissive", "public_domain")
OWNER = "Copyright (c) 2020 Jane Roe\n\n"


def flat(key):
    return " ".join(body(key).split())


def is_open(data):
    (row,) = rows(text(data))
    return license_class(row["expression"]) in OPEN


LIMITS = """
Takes effect once the deposit for the hardware has arrived.
The permission above runs until the next general meeting.
In force from 1 March 2031.
For use in the harbor simulator and for nothing else.
Up to four sensors. More than that needs a token from fjord.example.
Everyone else: 30 € for each harbor and season.
Putting this into a box with a screen is not ok.
(no forks)
Ships of the coast guard excepted.
You lose all of this when you sue a sailor.
Companies with fewer than ten boats are welcome, all others write to us.
Your are not alowed to chnage this.
Reselers are excluded.
Good through the winter.
Only for aca-
demic boats.
Ausgenommen: Reedereien, Werften und deren Töchter.
Les ports privés doivent signer d'abord.
仅限本港口的船员。
"""


def test_limits_of_time_number_price_place_and_persons():
    added = LIMITS.strip().replace("aca-\ndemic", "aca-+demic").splitlines()
    added = [one.replace("-+", "-\n") for one in added]
    assert [one for one in added if is_open(f"{OWNER}{body('mit')}\n\n{one}\n")] == []
    assert [one for one in added if is_open(f"{one}\n\n{body('isc')}\n")] == []


LEAVES = """
We hope that it serves you well.
If we meet in a harbor, you may buy us a herring.
Thanks to: the Commercial Pier, everybody on board, and those who said no.
In papers, we kindly ask you to cite Roe (2020).
Consider sponsoring a lighthouse. That is no obligation.
Support contracts are available for companies; the program is free for all.
If these terms do not suit you, other terms can be arranged.
This permission can not be revoked, needs no registration and holds for companies, too.
Commercial use is expressly permitted.
Training a model on this is fine with us.
The holders also grant a license to every patent of theirs that the program would infringe.
Some lines were written with the help of AI and read by a person.
Cleared by the harbor office. Approved for public release, distribution unlimited.
"Fjord" and the seagull are trademarks of Fjord AG; nothing here grants the right to use them.
Unless a file says otherwise, all files are distributed as above.
This is no legal advice, and we are no lawyers.
Die gewerbliche Nutzung ist ausdrücklich erlaubt.
Se permite el uso comercial y no comercial.
Vous êtes libres de modifier et de vendre ce logiciel. Sans garantie.
Коммерческое использование разрешено.
商用利用も自由に許可します。
可以自由用于商业用途。
"""


def test_courtesies_offers_and_grants_leave_a_license_as_it_is():
    added = LEAVES.strip().splitlines()
    assert [one for one in added if not is_open(f"{OWNER}{body('mit')}\n\n{one}\n")] == []


def test_owners_whose_names_sound_like_limits():
    for owner in ("Commercial Use Ltd.", "Restricted Harbor GmbH", "No Limits Software Inc."):
        assert is_open(f"MIT License\n\nCopyright (c) 2011 {owner}\n\n{body('mit')}\n")
    assert not is_open(f"Copyright (c) 2011 Jane Roe, not for resale\n\n{body('mit')}\n")


INSIDE = [
    ("bsd-zero", "is hereby granted", "is hereby granted to residents of Fjordland"),
    ("isc", "for any purpose", "for any purpose other than advertising"),
    ("boost-1.0", "all subject to", "all for the sole purpose of evaluating it, subject to"),
    ("mit", "following conditions", "following conditions and to the reservation of Article 9"),
    ("mit", "copy, modify", "copy, ~~modify~~"),
    ("mit", "to deal", "<del>to deal</del> to look"),
    ("mit", "The above copyright", "\U0001d5e1\U0001d5fc resale. The above copyright"),
    ("mit", "The above copyright", "不得用于渔业。 The above copyright"),
    ("bsd-simplified", "Redistributions in b", "Forks need my consent. Redistributions in b"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "old", "new"), INSIDE)
def test_what_came_into_a_grant_counts_wherever_it_stands(key, old, new):
    known = flat(key)
    assert old in known
    assert not is_open(OWNER + known.replace(old, new, 1))


def test_what_is_struck_out_is_not_said():
    assert is_open(f"{OWNER}{body('mit')}\n\n~~Only for members.~~\n")


@pytest.mark.parametrize(
    "more",
    [
        "Subject to the reservation under Article 4(3) of Directive (EU) 2019/790.",
        "Nutzungsvorbehalt gemäß § 44b UrhG.",
        "Text-and-data mining is reserved to the holder.",
        "Das Verwenden als Trainingsmaterial für KI ist untersagt.",
        "Обучать на этом коде нейросети запрещено.",
    ],
)
def test_reservations_of_text_and_data_mining(more):
    (row,) = rows(text(f"{OWNER}{body('mit')}\n\n{more}\n"))
    assert NO_AI in row["expression"]


def test_a_name_with_a_rider_glued_on():
    assert not is_open(f"MIT-NC License\n\n{OWNER}{body('mit')}")
    assert is_open(f"MIT-style License\n\n{OWNER}{body('mit')}")


def said(*tops):
    return headers(pa.array(tops))["header_expression"].to_pylist()


@pytest.mark.parametrize(
    "top",
    [
        "# SPDX-License-Identifier: MIT\n# Exception: not licensed for harbors with a crane.\n",
        "# SPDX-License-Identifier: MIT\n# Valid only on board.\n",
        "/**\n * @license MIT\n * @restriction Field of use: fishing.\n */\n",
        "// License: MIT for sailors; everybody else needs a written license.\n",
        "/* Licensed under the Apache License, Version 2.0, except at sea. */\n",
        "// MIT license. Third parties have no rights before they signed.\n",
    ],
)
def test_the_paragraph_of_a_notice_may_limit_it(top):
    assert license_class(said(top)[0]) not in OPEN


def test_what_code_says_of_itself_near_a_notice():
    tops = [
        "/* SPDX-License-Identifier: MIT */\n/*\n * Must not be called while moored.\n */\n",
        "# SPDX-License-Identifier: MIT\n# Do not edit by hand, run make tides instead.\n",
        "# SPDX-License-Identifier: MIT\nfrom harbor.ai.model import only\n",
        "// Licensed under the MIT license.\n//\n// If the tide is out, you need to wait.\n",
    ]
    assert said(*tops) == ["MIT"] * 4


def test_the_license_of_a_snippet_binds_the_file():
    top = (
        "# SPDX-License-Identifier: MIT\nx = 1\n# SPDX-SnippetBegin\n"
        "# SPDX-License-Identifier: GPL-3.0-only\ny = 2\n# SPDX-SnippetEnd\n"
    )
    assert said(top) == ["MIT AND GPL-3.0-only"]


def meant(name, data):
    found = declared(name, data.encode())
    return found and found.expression


def test_manifests_that_say_more_than_a_name():
    package = {"name": "pier", "license": "MIT"}
    pod = "Pod::Spec.new do |s|\n  s.license = {}\n  s.source = {{ :type => 'zip' }}\nend\n"
    limited = [
        ("package.json", json.dumps(package | {"licenseNote": "free for up to 3 piers"})),
        ("pom.xml", "<project><licenses><license><name>MIT</name><comments>Only with Fjord."
                    "</comments></license></licenses></project>"),
        ("pier.podspec", pod.format("{ :type => 'MIT', :text => 'MIT. Not for casinos.' }")),
    ]  # fmt: skip
    assert [one for one in limited if license_class(meant(*one)) in OPEN] == []
    plain = [
        ("package.json", json.dumps(package | {"licenseUrl": "https://pier.example/LICENSE"})),
        ("pom.xml", "<project><licenses><license><name>MIT</name><comments>A business-friendly OSS "
                    "license</comments></license></licenses></project>"),
        ("pier.podspec", pod.format("{ :type => \"MIT\", :file => 'LICENSE' }")),
        ("pier.podspec", pod.format("{ type: 'MIT', text: 'Copyright 2015. Jane Roe.' }")),
        ("pier.podspec", pod.format("'MIT'")),
        ("setup.py", "from setuptools import setup\nsetup(license='MIT, your choice')\n"),
    ]  # fmt: skip
    assert [meant(*one) for one in plain] == ["MIT"] * 6
    apache = pod.format("{ :type => 'Apache License, Version 2.0', :file => 'LICENSE' }")
    assert meant("pier.podspec", apache) == "Apache-2.0"
    assert meant("pier.podspec", pod.format("{ :file => 'LICENSE' }")) is None


def test_licenses_that_a_text_was_under_before():
    zlib = body("zlib")
    for history in (
        "This library used to be under the LGPL up to 0.8.",
        "Releases before 0.9 were published under the GPL.",
        "Unlike the GPL this lets you close your changes. We left the GPL in 2011.",
    ):
        assert rows(text(f"{history}\n\n{zlib}"))[0]["expression"] == "Zlib"
    still = "It used to be under the LGPL, and in part still is."
    assert "LGPL" in rows(text(f"{still}\n\n{zlib}"))[0]["expression"]


def test_a_grant_of_patents_takes_nothing():
    (row,) = rows(text(f"{OWNER}{flat('bsd-new')}\n\n{flat('google-patent-license-golang')}"))
    assert license_class(row["expression"]) == "permissive"
