from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stackcurate.licenses import header as module
from stackcurate.licenses import rules
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.header import headers, share
from stackcurate.licenses.heads import _legal, comment_end
from stackcurate.licenses.strict import strict_words
from tests.licenses.conftest import body


def header(text: str | bytes | None) -> str | None:
    return headers(pa.array([text], pa.large_binary()))["header_expression"][0].as_py()


APACHE = """Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License."""
GPL = """This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version."""


def hashed(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("// SPDX-License-Identifier: MIT\nint x;", "MIT"),
        ("/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */\n",
         "GPL-2.0-only WITH Linux-syscall-note"),
        ("#!/bin/sh\n# spdx-license-identifier: apache-2.0\n", "Apache-2.0"),
        ("<!-- SPDX-License-Identifier: CC0-1.0 -->\n<html>", "CC0-1.0"),
        ("-- SPDX-License-Identifier: MPL-2.0\r\nSELECT 1", "MPL-2.0"),
        ("; SPDX-License-Identifier: ISC\n", "ISC"), ("% SPDX-License-Identifier: ISC\n", "ISC"),
        ("(* SPDX-License-Identifier: ISC *)\n", "ISC"), ('" SPDX-License-Identifier: Vim\n', "Vim"),  # noqa: E501
        ("dnl SPDX-License-Identifier: ISC\n", "ISC"), ("REM SPDX-License-Identifier: ISC\n", "ISC"),  # noqa: E501
        ('"""Doc.\n\nSPDX-License-Identifier: ISC\n"""\n', "ISC"),
        ("SPDX-License-Identifier: MIT", "MIT"),
        ("! SPDX-Identifier: LGPL-3.0-or-later\n", "LGPL-3.0-or-later"),
        ("// SPDX-License-Identifier: (GPL-2.0-only OR\n//   MIT)\n", "GPL-2.0-only OR MIT"),
        ("// SPDX-License-Identifier: GPL-2.0-only OR\n//   MIT\n", "GPL-2.0-only OR MIT"),
        ("// SPDX-License-Identifier: MIT\n// SPDX-License-Identifier: Zlib\n", "MIT AND Zlib"),
        ("// SPDX-License-Identifier: Apache 2.0\n", "Apache-2.0"),
        ("// SPDX-License-Identifier: Appache-2.0\n", "LicenseRef-scancode-unknown-spdx"),
        ("// SPDX-License-Identifier: BSD\n", "LicenseRef-scancode-unknown-spdx"),
        ("// SPDX-License-Identifier: MIT OR LicenseRef-Commercial\n",
         "MIT OR LicenseRef-Commercial"),
        ("// SPDX-License-Identifier: what ever you like\n", "LicenseRef-scancode-unknown"),
        ("// SPDX-License-Identifier: NOASSERTION\n", None),
        ("// SPDX-License-Identifier:\n", None),
        ('x = "SPDX-License-Identifier: MIT"\n', None),
        ('lines = [\n  "# SPDX-License-Identifier: MIT\\n",\n]\n', None),
        ("# REUSE-IgnoreStart\n# SPDX-License-Identifier: MIT\n# REUSE-IgnoreEnd\n", None),
        ("# REUSE-IgnoreStart\n# x\n# REUSE-IgnoreEnd\n# SPDX-License-Identifier: MIT\n", "MIT"),
        ("x" * 9000 + "\n# SPDX-License-Identifier: MIT\n", None),
        (hashed(f"Copyright 2020 Jo\n\n{APACHE}"), "Apache-2.0"),
        (f"/*\n * {APACHE}\n */\n", "Apache-2.0"),
        (f"#pragma once\n/*\n{GPL}\n*/\n", "GPL-3.0-or-later"),
        (f"<?php\n/**\n{GPL}\n*/\n", "GPL-3.0-or-later"),
        (hashed(body("mit")), "MIT"), (hashed(body("bsd-new")), "BSD-3-Clause"),
        ("// Licensed under the MIT license.\n", "MIT"),
        (f'import os\nNOTICE = """{APACHE}"""\n', None),
        # Below code only what takes rights away counts.
        (f"int x;\n/* {GPL} */\n", "GPL-3.0-or-later"), (f"int x;\n/* {APACHE} */\n", None),
        ("# This tool finds files under the Apache License.\n", None),
        ("int main;\n", None), ("", None), (None, None), (b"\xff\xfe\x00\x01" * 30, None),
    ],
)  # fmt: skip
def test_headers(source, expected):
    assert header(source.encode() if isinstance(source, str) else source) == expected


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("This file is released under the GPL.", ["GPL-1.0-or-later"]),
        ("Distributed under the terms of the GNU GPL v2 or newer", ["GPL-2.0-or-later"]),
        ("licensed under the GNU Lesser General Public License, version 2.1", ["LGPL-2.1-only"]),
        ("subject to the GNU Affero General Public License version 3", ["AGPL-3.0-only"]),
        ("Foo Corp. PROPRIETARY AND CONFIDENTIAL.", ["LicenseRef-scancode-proprietary-license"]),
        ("Unauthorized copying of this file is prohibited.",
         ["LicenseRef-scancode-proprietary-license"]),
        ("This code may not be used for training AI models.", ["LicenseRef-stackcurate-no-ai"]),
        ("Trains the AI model on a dataset.", []), ("Reads GPL files.", []),
        ("This must not be used directly.", []),
    ],
)  # fmt: skip
def test_what_takes_rights_away_is_read_from_free_words(comment, expected):
    assert strict_words(comment) == expected


def test_a_rider_beside_a_notice():
    source = hashed(APACHE + "\n\nNot for use in training AI models.")
    assert header(source.encode()) == "Apache-2.0 AND LicenseRef-stackcurate-no-ai"
    source = hashed(APACHE + "\n\nFor non-commercial use only.")
    assert license_class(header(source.encode())) == "proprietary"
    source = hashed(APACHE + "\n\nThis applies to academic research use only.")
    assert header(source.encode()) == "Apache-2.0 AND LicenseRef-stackcurate-restricted"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# License: BSD3\n", "BSD-3-Clause"), ("# License: MIT\n", "MIT"),
        ("/** @license MIT */\n", "MIT"), ("// MIT License\n// Copyright 2020 Jo\n", "MIT"),
        ("/*\n** See Copyright Notice in lua.h\n*/\n", "MIT"),
        ("# Licensed under MIT\n", "MIT"), ("# Parses license: MIT lines\n", None),
        ("# reads the MIT License\n", None), ("# MIT License files are found here\n", None),
    ],
)  # fmt: skip
def test_a_name_states_something_where_it_is_a_line_of_its_own(source, expected):
    assert header(source) == expected


def test_a_tag_does_not_hide_what_stands_beside_it():
    tag = "# SPDX-License-Identifier: MIT\n#\n"
    assert header(tag + hashed(GPL)) == "MIT AND GPL-3.0-or-later"
    assert header(tag + hashed(APACHE)) == "MIT AND Apache-2.0"
    both = "# SPDX-License-Identifier: MIT OR Apache-2.0\n#\n"
    assert header(both + hashed(APACHE)) == "MIT OR Apache-2.0"  # the text of what the tag offers
    assert header("# SPDX-License-Identifier: GPL-2.0-only\n#\n" + hashed(APACHE)) == (
        "GPL-2.0-only"
    )


def test_a_tag_and_what_may_be_taken_instead():
    said = (
        "Alternatively, this software may be distributed under the terms of the\n"
        "GNU General Public License version 2."
    )
    tag = "# SPDX-License-Identifier: BSD-3-Clause\n#\n"
    assert header(tag + hashed(said)) == "BSD-3-Clause OR GPL-2.0-only"
    assert header(hashed(said)) == "GPL-2.0-only"


def test_a_sentence_beside_a_tag_that_takes_back():
    tag = "# SPDX-License-Identifier: Apache-2.0\n#\n"
    said = "Use in competing products is not permitted without consent of Nordlicht."
    assert license_class(header(tag + hashed(said))) == "unknown"


def test_spans():
    source = "#!/bin/sh\n# SPDX-License-Identifier: MIT\nx\n"
    (row,) = headers(pa.array([source], pa.large_string())).to_pylist()
    assert source[row["start"] : row["end"]] == "SPDX-License-Identifier: MIT"


def test_rows_do_not_depend_on_the_batch():
    sources = [f"// SPDX-License-Identifier: MIT\n{n}" for n in range(5)]
    sources += [None, "", hashed(APACHE), "x", f"/* {GPL} */", "// Released under the GPL\n"]
    whole = pa.array(sources, pa.large_string())
    together = headers(whole).to_pylist()
    alone = [headers(whole.slice(n, 1)).to_pylist()[0] for n in range(len(sources))]
    assert together == alone
    assert together == headers(pa.chunked_array([whole[:4], whole[4:]])).to_pylist()
    assert together == headers(whole.cast(pa.string())).to_pylist()


def test_no_rows():
    assert headers(pa.array([], pa.large_string())).num_rows == 0


@pytest.mark.parametrize(
    ("source", "comment"),
    [
        (b"# a\n# b\nx = 1\n# c", b"# a\n# b"), (b"/* a\n b */ int x;", b"/* a\n b */"),
        (b"/* never closed", b"/* never closed"), (b"x", b""), (b"\n\n  // a\nx", b"\n\n  // a"),
        (b'"""doc"""\nx', b'"""doc"""'), (b"<!-- a --><b>", b"<!-- a -->"), (b"", b""),
    ],
)  # fmt: skip
def test_comment_end(source, comment):
    data = np.frombuffer(source, np.uint8)
    assert source[: comment_end(data, 0, len(data))] == comment


def test_what_comments_state_is_shared_through_the_cache(tmp_path, monkeypatch):
    """The next process reads the same spans from the file, without asking the matcher."""
    texts = pa.array([hashed(APACHE) + "x = 1\n", hashed(GPL), "x = 1\n"], pa.large_string())
    cache = Cache(tmp_path / "licenses.sqlite")
    monkeypatch.setattr(module, "_remembered", {})
    share(cache)
    try:
        first = headers(texts)
        assert first["header_expression"].to_pylist() == ["Apache-2.0", "GPL-3.0-or-later", None]
        monkeypatch.setattr(module, "_remembered", {})
        monkeypatch.setattr(module, "_stated", lambda _: pytest.fail("read again"))
        assert headers(texts) == first
        raw = (tmp_path / "licenses.sqlite").read_bytes()
        assert b"redistribute" not in raw and b"Apache License" not in raw  # no words of a text
        monkeypatch.setattr(module, "_remembered", {})
        monkeypatch.setattr(module, "_reader", lambda: "another version")
        with pytest.raises(pytest.fail.Exception, match="read again"):
            headers(texts)
    finally:
        share(None)
        cache.close()


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        # What is not open counts also as a name beside, or within, what looks like an open notice.
        ("This module is licensed under the CC-BY-NC license found in the\nLICENSE file here.",
         "CC-BY-NC-4.0"),
        ("Licensed under the Apache License, Version 2.0 with the Commons Clause",
         "Apache-2.0 AND LicenseRef-scancode-commons-clause"),
        ("Our program is covered by the SSPL, as a license", "SSPL-1.0"),
        ("License: CC BY-NC-ND", "CC-BY-NC-ND-4.0"),
        (GPL.replace("GNU General Public License", "Server Side Public License, version 1,"),
         "SSPL-1.0 AND LGPL-3.0-or-later"),
        # A notice that is Apache's in all but the name.
        (APACHE.replace("Apache License, Version 2.0", "Brightwater Source License, Version 4.0"),
         "LicenseRef-scancode-unknown"),
        (APACHE.replace("Apache License", "Brightwater License"), "LicenseRef-scancode-unknown"),
        ('This part is licensed by Brightwater under the Onward license BW77, the "License";\n'
         "you may not use this file except in compliance with the License.",
         "LicenseRef-scancode-unknown"),
        # What is like another notice, and names its own license.
        ("This component is licensed by Ann under BSD 3-Clause license, the \"License\"; You may "
         "not use this\nfile except in compliance with the License. You may obtain a copy of the "
         "License at:\n  opensource.org/licenses/BSD-3-Clause", "BSD-3-Clause"),
        # Changes that leave the name alone.
        (APACHE.replace("writing, software", "writing, the software"), "Apache-2.0"),
        ("Licensed under MIT. https://github.com/jo/tree/blob/master/LICENSE", "MIT"),
        # What a program looks for in other files.
        ("Check that all files are under the GNU General Public License v3.", None),
        ("Copyright Jo.\n\nVerifies that headers are under the MIT License.", None),
        ("This tool reads GPL headers of other projects.", None),
        ("This tool reads headers, and is licensed under the GPL version 2.", "GPL-2.0-only"),
        ("This file is under the GNU General Public License v3.", "GPL-3.0-only"),
        ("This test is licensed under the GNU General Public License v3.", "GPL-3.0-only"),
    ],
)  # fmt: skip
def test_what_states_a_license_and_what_only_looks_so(comment, expected):
    assert header(hashed(comment)) == expected


def test_a_license_found_in_a_file_is_that_of_the_folder():
    said = (
        "This source code is licensed under the license found in the\n"
        "LICENSE file in the root directory of this package.\n"
    )
    (row,) = headers(pa.array([hashed(said)])).to_pylist()
    assert row["header_expression"] is None
    assert row["elsewhere"] == "LicenseRef-scancode-unknown-license-reference"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("{\n", "\n}\nunit One;"), ("<#\n", "\n#>\n$x = 1"), ("<#-- ", "-->\n<p>"),
        ("{{--\n", "\n--}}\n<p>"), ("{{!--\n", "\n--}}\n<p>"), ("<%# ", "%>\n<p>"),
        ("@*\n", "\n*@\n<p>"), ("#[\n", "\n]#\nproc x"), ("=head1 NAME\n\n", "\n\n=cut\n"),
        ("#if 0\n", "\n#endif\nint x;"), ("{% comment %}\n", "\n{% endcomment %}\n"),
        ("###\n", "\n###\nx = 1"), ("#*\n", "\n*#\n"), ("\\begin{comment}\n", "\n\\end{comment}\n"),
        ("", "\n\nA text of words."), ("..\n   ", "\n\nTitle\n"), ("//-\n  ", "\n\ndiv x\n"),
        ('{"cells": [{"cell_type": "markdown", "source": ["', '"]}]}'),
        ("<svg><!-- x --><text>", "</text></svg>"),
    ],
)  # fmt: skip
def test_forms_of_comments(opening, closing):
    assert header(f"{opening}{GPL}{closing}") == "GPL-3.0-or-later"


@pytest.mark.parametrize("sign", ["C     ", "c ", "C\t", "@c ", "rem ", "dnl "])
def test_letters_that_are_signs_are_no_words_of_a_notice(sign):
    lines = ["Copyright 1999 Jo", "", *GPL.splitlines(), ""]
    source = "".join(f"{sign}{line}".rstrip() + "\n" for line in lines)
    assert header(source + "      END\n") == "GPL-3.0-or-later"


def test_json_is_no_comment():
    assert header('{"name": "x", "note": "under the GPL license"}') is None


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("This code is for non-commercial use only.", "proprietary"),
        ("Not for commercial use.", "proprietary"),
        ("Free for academic use only; ask Jo for other uses.", "source_available"),
        ("Our agreement does not allow commercial use.", "source_available"),
        ("You can only use this computer program if we agreed with you.", "source_available"),
        ("CONFIDENTIAL - do not distribute", "proprietary"),
        ("Unpublished proprietary source code of Brightwater", "proprietary"),
        ("NASA Open Source Agreement 1.3", "permissive weak_copyleft copyleft source_available"),
        ("Copyright 2023 Nordlicht. For internal use only.", "source_available"),
        ("This file is provided for evaluation purposes only.", "source_available"),
        ("Use in production requires a license from Nordlicht.", "source_available"),
        ("NORDLICHT CONFIDENTIAL\nThe code contained herein is owned by Nordlicht", "proprietary"),
        ("This is closed source. Do not copy.", "proprietary"),
        ("All Rights Reserved. No part of this file may be reproduced in any form.", "proprietary"),
        (
            "You may not use, copy, or distribute this file without a license from Ann.",
            "proprietary",
        ),
        ("(C) Copr. 1986-92 Numerical Recipes Software", "proprietary"),
        ("Copyright Epic Games, Inc. All Rights Reserved.", "proprietary"),
        ("Not for use in datasets for generative AI.", "no_ai"),
        ("This file is not open source.", "source_available"),
        (
            "Your use is subject to the terms of the Nordlicht Program Subscription Agreement.",
            "unknown",
        ),
        ("Use of this is governed by the Gemma Terms of Use", "unknown"),
        (
            "Distributed in accordance with the terms of the Llama 3 Community License Agreement.",
            "unknown",
        ),
        ("Licensed under the Nordlicht Community License Agreement, see LICENSE", "unknown"),
        ("Licensed under Creative Commons BY-NC-SA 4.0", "unknown source_available"),
        ("Made available under the Nvidia Source Code License-NC", "unknown"),
        ("For terms of use see https://example.org/Unity_Reference_Only_License", "unknown"),
        ("GPL", "copyleft"),
        ("GPLv2", "copyleft"),
        ("AGPL", "network_copyleft"),
        ("MPL 2.0", "weak_copyleft"),
        ("EUPL v1.2", "network_copyleft"),
        ("BUSL-1.1", "source_available"),
        ("Nur für den internen Gebrauch. Weitergabe verboten.", "source_available"),
        ("Usage non commercial uniquement.", "source_available proprietary"),
        ("Prohibido su uso comercial.", "source_available"),
        ("Только для некоммерческого использования.", "source_available"),
        ("仅供学习交流使用，禁止商业用途。", "source_available"),
        ("商用利用禁止", "source_available"),
    ],
)
def test_limits_are_seen_where_no_license_is_named(comment, expected):
    assert license_class(header(hashed(comment))) in expected.split()


@pytest.mark.parametrize(
    "comment",
    [
        "Commercial vendors need another driver here.",
        "Counts the educational institutions of a country.",
        "Only for integers: the private fields are not set.",
        "Shows the confidential mark on a page.",
        "This class is for internal use only and may change without notice.",
        "Talks to commercial gateways; private keys are never used here.",
        "Evaluates polynomials, only for finite fields. Users must pay a fee; see Invoice.",
        "Checks that the value is not empty. 不能为空，只能是数字。",
        "Проверяет права доступа; нельзя вызывать дважды.",
        "Bans users that may not post. Do not copy the buffer.",
    ],
)
def test_code_that_speaks_of_such_things_limits_nothing(comment):
    assert header(hashed(comment)) is None


def test_few_rules_of_licenses_that_are_not_open_pass_the_gate_of_words():
    """Their words are known by hashes, so each word that holds a stem is looked for in them."""
    known = rules.load()
    facts = known.rules.facts
    folder = Path(str(distribution("scancode-toolkit").locate_file("licensedcode/data/rules")))
    missed, strict = [], 0
    for row, name in enumerate(known.identifiers):
        stated = known.expressions[facts.expression[row]]
        if license_class(stated) in ("permissive", "public_domain", "unstated", "unknown"):
            continue
        file = folder / name
        if row % 10 or known.relevance[row] < 90 or not file.exists():
            continue
        strict += 1
        said = b" " + file.read_bytes().split(b"---", 2)[2].strip() + b" "
        if not _legal(np.frombuffer(said, np.uint8), 0, len(said)):
            missed.append(name)
    assert strict > 1000
    assert len(missed) <= strict / 50, missed


@pytest.mark.parametrize(
    "comment",
    [
        "Dieses Programm steht unter der GNU Allgemeinen Öffentlichen Lizenz.",
        "Nutzung zu den Bedingungen der GNU General Public License, Version 3 der Lizenz.",
        "Este programa usa la Licencia Pública General de GNU.",
        "本程序依 GNU通用公共许可证 发布。",
    ],
)
def test_the_gpl_in_other_languages(comment):
    assert license_class(header(hashed(comment).encode())) == "copyleft"


def test_a_tag_that_points_to_a_file_leaves_it_to_the_folder():
    tag = "# SPDX-License-Identifier: see LICENSE\n"
    (row,) = headers(pa.array([tag])).to_pylist()
    assert (row["header_expression"], row["elsewhere"]) == (
        None,
        "LicenseRef-scancode-unknown-license-reference",
    )
    assert header(tag + "#\n" + hashed(GPL)) == "GPL-3.0-or-later"


def stated(text):
    (row,) = headers(pa.array([text])).to_pylist()
    return row["header_expression"]


def test_a_likeness_states_the_license_that_it_names():
    said = "# Harbor parses. It is licensed by Example Corp. under the BSD-3-Clause License.\n"
    assert stated(said) == "BSD-3-Clause"


def test_a_notice_that_goes_on_behind_the_head_is_read_to_its_end():
    long = "/*\n" + " * Harbor keeps lists of things in one piece of memory.\n" * 142
    notice = "".join(f" * {line}\n" for line in body("bsd-new").splitlines())
    assert stated(f"{long} * Copyright (c) 2020 Jane Roe\n{notice} */\nint x;\n") == "BSD-3-Clause"


@pytest.mark.parametrize(
    "said",
    [
        "All classes and functions in this file are intended for internal use only.",
        "If the seed is the same, exactly the same dataset is used, never another.",
        "A small neural network that is not trained here; machine learning is used elsewhere.",
    ],
)
def test_what_code_says_of_itself_limits_nobody(said):
    assert header(f"# MIT License\n#\n# {said}\nx = 1\n") == "MIT"


def test_a_comment_still_forbids_learning_from_it():
    said = "# MIT License\n# This code may not be used to train machine learning models.\nx = 1\n"
    assert "no-ai" in header(said)
