"""A license header ends where a reader would say it does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.dedup.header import MOST, header_end, header_ends

CODE = "def first(x):\n    return x\n"


def below(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    data = np.frombuffer(b"/*" + raw + b"license */", np.uint8)  # neighbors must not leak in
    end = header_end(data, 2, 2 + len(raw))
    return raw[end - 2 :]


@pytest.mark.parametrize(
    "header",
    [
        "# Copyright 2020 Someone\n# All rights reserved.\n",
        "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n# SPDX-License-Identifier: MIT\n",
        "/* Licensed under\n * terms of our own.\n */",
        "// LICENCE: see elsewhere\n  // and more\n",
        "<!--\n  copyright of someone\n-->",
        "<?php\n/* Copyright */",
        '<?xml version="1.0"?>\n<!-- license -->',
        "-- license: ours\n-- second\n",
        "; License ours\n",
        '"""Made in 2020.\n\nCopyright Someone."""',
        "{- copyright -}",
        "(* license *)",
        "/* What this is. */\n\n// Public Domain\n",
        "\ufeff// © Someone\n",
        "%{ license\n\n%}",
        "REM license\r\nREM of ours\r\n",
        "\n\n\n   /* license */",
    ],
)
def test_headers_are_left_out(header):
    assert below(header + "\n" + CODE).strip() == CODE.encode().strip()


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        "",
        "#include <license.h>\n#define COPYRIGHT 1\n" + CODE,
        "# What this is.\n" + CODE,
        CODE + "# Copyright at the end\n",
        "/* license without an end\n" + CODE,
        "license = 'MIT'\n# Copyright\n",
        '{"license": "MIT"}',
        "/* license " + "x" * MOST + " */\n" + CODE,
    ],
)
def test_what_is_no_header_stays(text):
    assert below(text) == text.encode()


def test_comments_below_the_license_stay():
    text = "// Copyright Someone\n\n// Package first is about firsts.\npackage first\n"
    assert below(text) == b"\n// Package first is about firsts.\npackage first\n"


def test_another_license_leaves_the_same_text():
    one, other = ("# Copyright A\n# License of A\n", "/* Licensed\n under B */\n")
    assert below(one + CODE).strip() == below(other + CODE).strip()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_have_a_header_within_them(texts):
    data = np.frombuffer(b"".join(texts) + b"*/", np.uint8)
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    ends = header_ends(data, offsets)
    assert ((ends >= offsets[:-1]) & (ends <= offsets[1:])).all()
    alone = [header_end(np.frombuffer(t + b"!", np.uint8), 0, len(t)) for t in texts]
    assert (ends - offsets[:-1]).tolist() == alone
