"""Languages of files, by every fact that can decide."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackcurate.languages.detect import SCHEMA, detect, detect_one

CASES = [
    ("/a/b.py", b"x = 1\n", "Python", "extension"),
    ("/a/B.PY", b"x = 1\n", "Python", "extension"),
    ("/Makefile", b"all:\n", "Makefile", "filename"),
    ("/a/CMakeLists.txt", b"project(a)\n", "CMake", "filename"),
    ("/views/a.blade.php", b"@if (1)\n", "Blade", "extension"),
    ("/bin/run", b"#!/usr/bin/env python3.11\n", "Python", "shebang"),
    ("/bin/run", b"#! /bin/bash -e\n", "Shell", "shebang"),
    ("/bin/run", b"#!/usr/bin/env -S A=1 node --x\n", "JavaScript", "shebang"),
    ("/bin/run", b'#!/bin/sh\n# \\\nexec tclsh "$0" "$@"\n', "Tcl", "shebang"),
    ("/bin/run", b"\xef\xbb\xbf#!/usr/bin/perl\n", "Perl", "shebang"),
    ("/a/main.ts", b"#!/usr/bin/env node\nimport a from 'b'\n", "TypeScript", "shebang"),
    ("/a.h", b"// -*- mode: C++; tab-width: 4 -*-\nint x;\n", "C++", "modeline"),
    ("/a.inc", b"<?php // x\n\n\n// vim: set ft=php :\n", "PHP", "modeline"),
    ("/rc", b"x\n" * 5000 + b"# vim: ts=2 filetype=ruby\n", "Ruby", "modeline"),
    ("/a.h", b"int add(int a, int b);\n", "C", "default"),
    ("/a.h", b"#pragma once\nclass Cart : public Base {\npublic:\n};\n", "C++", "content"),
    ("/a.h", b"#ifdef __cplusplus\nextern \"C\" {\n#endif\nint x;\n", "C", "default"),
    ("/a.h",
     b"#import <UIKit/UIKit.h>\n@interface Cart : NSObject\n@end\n",
     "Objective-C", "content"),
    ("/A.C", b"", "C", "extension"),
    ("/cart.C", b"class Cart {\n", "C++", "content"),
    ("/a.m", b"function y = add(a, b)\n% adds\ny = a + b;\nend\n", "MATLAB", "content"),
    ("/a.m", b"#import \"a.h\"\n@implementation A\n@end\n", "Objective-C", "content"),
    ("/a.pl", b"use strict;\nmy $x = 1;\n", "Perl", "content"),
    ("/a.pl", b":- module(a, [b/1]).\nb(X) :- c(X).\n", "Prolog", "content"),
    ("/a.pl", b"1;\n", "Perl", "default"),
    ("/a.ts", b"export const a: number = 1;\n", "TypeScript", "content"),
    ("/a.ts", b"<?xml version='1.0'?>\n<!DOCTYPE TS>\n<TS></TS>\n", "XML", "content"),
    ("/a.r", b"x <- c(1, 2)\n", "R", "content"),
    ("/a.r", b"REBOL [Title: \"a\"]\n", "Rebol", "content"),
    ("/a.v", b"module add(input a, output b);\nendmodule\n", "Verilog", "content"),
    ("/a.v", b"module top\n(\n  input a\n);\nendmodule\n", "Verilog", "content"),
    ("/a.v", b"Theorem t : True.\nProof.\nQed.\n", "Rocq Prover", "content"),
    ("/a.v", b"module main\nfn main() {\n}\n", "V", "content"),
    ("/a.sql", b"SELECT 1;\n", "SQL", "default"),
    ("/a.sql", b"USE [shop]\nGO\nSET NOCOUNT ON\nGO\n", "TSQL", "content"),
    ("/a.sql",
     b"CREATE FUNCTION f() RETURNS trigger AS $$\n$$ LANGUAGE plpgsql;\n",
     "PLpgSQL", "content"),
    ("/a.cls", b"\\NeedsTeXFormat{LaTeX2e}\n\\ProvidesClass{a}\n", "TeX", "content"),
    ("/a.cls", b"public with sharing class Cart {\n}\n", "Apex", "content"),
    ("/a.d", b"a.o: a.c a.h\n", "Makefile", "content"),
    ("/a.d", b"module a;\nimport std.stdio;\n", "D", "content"),
    ("/a.fs", b"module Shop\nopen System\nlet x = 1\n", "F#", "content"),
    ("/a.fs", b"#version 330\nuniform vec3 a;\n", "GLSL", "content"),
    ("/a.md", b"# Title\n", "Markdown", "content"),
    ("/a.md", b"(define_insn \"add\"\n)\n", "GCC Machine Description", "content"),
    ("/a.rs", b"pub fn a() {}\n", "Rust", "content"),
    ("/a.rs", b"#pragma version(1)\n#pragma rs java_package_name(a)\n", "RenderScript", "content"),
    ("/a.php", b"<?php echo 1;\n", "PHP", "content"),
    ("/a.php", b"<?hh // strict\n", "Hack", "content"),
    ("/a.cs", b"using System;\nnamespace A { class B {} }\n", "C#", "content"),
    ("/a.cs", b"!Cart methodsFor: 'x'!\nadd\n\t^self! !\n", "Smalltalk", "content"),
    ("/a.json", b'{"a": 1}', "JSON", "content"),
    ("/a.yaml", b"a: 1\n", "YAML", "default"),
    ("/a.txt", b"words\n", "Text", "default"),
    ("/a.1", b".TH SHOP 1\n.SH NAME\n", "Roff Manpage", "content"),
    ("/a.pro", b"TEMPLATE = app\nSOURCES += a.cpp\n", "QMake", "content"),
    ("/a.unheard", b"<?xml version='1.0'?><a/>", "XML", "content"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "data", "language", "method"), CASES)
def test_decided(path, data, language, method):
    found = detect_one(path, data)
    assert (found.language, found.method, found.candidates) == (language, method, None)
    assert found.confidence is not None and 0.5 < found.confidence < 1


@pytest.mark.parametrize("path", ["/libc.so.6", "/a.inc", "/a.cls", "/b/a.m", "/a.v", "/a.x"])
def test_unclear_is_null_with_its_candidates(path):
    found = detect_one(path, b"nothing clear\n")
    assert found.language is None and found.method is None and found.confidence is None
    if path != "/libc.so.6":
        assert found.candidates is not None and len(found.candidates) > 1


@pytest.mark.parametrize("path", ["/data", "/a.unheard", "/a.", "/.hidden-thing", "/d.py/run", ""])
def test_unknown_is_null(path):
    found = detect_one(path, b"words\n")
    assert (found.language, found.method, found.candidates) == (None, None, None)


def test_without_name_extension_or_shebang_nothing_is_guessed():
    assert detect_one("/data", b"<?xml version='1.0'?><a/>").language is None


def test_a_name_with_a_newline_keeps_its_extension():
    assert detect_one("/a/b\nc/d\ne.py", b"").language == "Python"


def test_null_content_is_named_by_its_path():
    table = detect(pa.array(["/a.py", "/a.h", None]), pa.nulls(3, pa.large_string()))
    assert table["language"].to_pylist() == ["Python", "C", None]


def test_all_forms_of_columns_agree():
    paths = [case[0] for case in CASES]
    bodies = [case[1] for case in CASES]
    expected = detect(pa.array(paths), pa.array(bodies, pa.large_binary()))
    assert expected.schema == SCHEMA
    for kind in (pa.binary(), pa.large_binary()):
        chunked = pa.chunked_array([pa.array(bodies[:7], kind), pa.array(bodies[7:], kind)])
        names = pa.chunked_array([pa.array(paths, pa.large_string())])
        assert detect(names, chunked).equals(expected)
    raw = pa.array([path.encode() for path in paths], pa.binary())
    assert detect(raw, pa.array(bodies, pa.large_binary())).equals(expected)


def test_batches_change_nothing():
    paths = pa.array([case[0] for case in CASES])
    bodies = pa.array([case[1] for case in CASES], pa.large_binary())
    whole = detect(paths, bodies)
    for start in range(0, len(paths), 7):
        part = detect(paths.slice(start, 7), bodies.slice(start, 7))
        assert part.to_pylist() == whole.slice(start, 7).to_pylist()


def test_no_rows():
    table = detect(pa.array([], pa.string()), pa.array([], pa.large_string()))
    assert table.schema == SCHEMA and table.num_rows == 0


def test_only_the_head_decides():
    late = b"int x;\n" * 10_000 + b"class Cart : public Base {\n"
    assert detect_one("/a.h", late).language == "C"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["/a.h", "/a.m", "/a.sql", "/a", "/a.inc", "/b.v", "/c.t"]),
            st.binary(max_size=300)
            | st.lists(
                st.sampled_from([b"#!", b"-*-", b"vim:", b" ft=c ", b"\n", b"class A {"])
            ).map(b"".join),
        ),
        max_size=6,
    )
)
def test_any_bytes_have_an_outcome_that_neighbors_do_not_change(files):
    paths = pa.array([path for path, _ in files], pa.string())
    bodies = pa.array([body for _, body in files], pa.large_binary())
    rows = detect(paths, bodies).to_pylist()
    for (path, body), row in zip(files, rows, strict=True):
        alone = detect_one(path, body)
        assert row["language"] == alone.language
        assert row["language_method"] == alone.method
        assert row["language"] is None or row["language_candidates"] is None
