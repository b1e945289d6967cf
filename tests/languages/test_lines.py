"""Shebangs and modelines."""

import pytest

from stackcurate.languages.lines import by_modeline, by_shebang, interpreter


@pytest.mark.parametrize(
    ("data", "program"),
    [
        (b"#!/bin/sh", "sh"),
        (b"#!", None),
        (b"#!\n", None),
        (b"#!/usr/bin/env\n", None),
        (b"#!/usr/bin/env -S -i FOO=1 /opt/perl -w\n", "perl"),
        (b"# !/bin/sh\n", None),
        (b"#!/bin/sh\nexec /usr/bin/wish \"$0\"\n", "wish"),
        (b"#!/bin/sh\nexec true\n", "sh"),
        (b"#!\xff\xfe\n", "\xff\xfe"),
    ],
)  # fmt: skip
def test_interpreter(data, program):
    assert interpreter(data) == program


def test_versions_do_not_matter():
    assert by_shebang(b"#!/usr/bin/python2.7\n") == ("Python",)
    assert by_shebang(b"#!/usr/bin/nothing-such\n") == ()


@pytest.mark.parametrize(
    ("data", "language"),
    [
        (b"# -*- ruby -*-\n", "Ruby"),
        (b"/* -*- c-basic-offset: 4; mode: c++ -*- */\n", "C++"),
        (b"; -*- emacs-lisp-mode -*-\n", "Emacs Lisp"),
        (b"# -*- coding: utf-8 -*-\n", None),
        (b"// vim: set ts=4 ft=javascript:\n", "JavaScript"),
        (b"# vim600: syntax=perl\n", "Perl"),
        (b"# ex: filetype=sh\n", "Shell"),
        (b"novim: ft=perl\n", None),
        (b"\n" * 9 + b"# -*- ruby -*-\n" + b"\n" * 9, None),
        (b"-*-\n-*- -*-\n", None),
    ],
)
def test_modeline(data, language):
    assert by_modeline(data) == language
