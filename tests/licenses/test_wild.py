"""What real repositories hold, each with the answer that a careful reader would give."""

import pytest

from stackcurate.licenses.alone import scan_records
from stackcurate.licenses.cache import Cache
from tests.licenses.conftest import NoJudge, body

MIT, APACHE, GPL2, GPL3 = body("mit"), body("apache-2.0"), body("gpl-2.0"), body("gpl-3.0")
UNKNOWN = "LicenseRef-scancode-unknown"
CLOSED = "LicenseRef-scancode-proprietary-license"


def said(path, text):
    (found,) = scan_records([{"id": 1, "path": path, "text": text}], Cache(), NoJudge())
    return found["license_expression"], found["license_class"]


def as_rtf(text):
    lines = text.replace("\n", "\\par\n")
    return "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}\\f0\\fs20 " + lines + "}"


def as_html(text):
    return f"<html><body><p>{text.replace(chr(10) * 2, '</p><p>')}</p></body></html>"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("json", "source_available"), ("bsl-1.1", "source_available"),
        ("mongodb-sspl-1.0", "source_available"), ("elastic-license-v2", "source_available"),
        ("elastic-license-2018", "source_available"), ("cc-by-nc-4.0", "source_available"),
        ("cc-by-nc-sa-4.0", "source_available"), ("prosperity-3.0", "source_available"),
        ("polyform-noncommercial-1.0.0", "source_available"), ("hippocratic-2.1", "proprietary"),
        ("confluent-community-1.0", "source_available"), ("bigscience-rail-1.0", "proprietary"),
        ("llama-2-license-2023", "proprietary"), ("beerware", "permissive"),
        ("wtfpl-2.0", "public_domain"), ("unlicense", "public_domain"), ("mit-0", "permissive"),
        ("cecill-2.0", "weak_copyleft"), ("mulanpsl-2.0", "permissive"),
        ("eupl-1.2", "network_copyleft"), ("osl-3.0", "network_copyleft"),
        ("parity-7.0.0", "network_copyleft"), ("ofl-1.1", "weak_copyleft"),
        ("cc-by-sa-4.0", "weak_copyleft"), ("ms-rl", "weak_copyleft"), ("vim", "copyleft"),
    ],
)  # fmt: skip
def test_texts_and_their_classes(key, expected):
    assert said("LICENSE", body(key))[1] == expected


@pytest.mark.parametrize(
    ("name", "text", "expected", "class_"),
    [
        ("LICENSE", MIT + "\n\n" + "-" * 70 + "\n\n" + APACHE, "MIT AND Apache-2.0", "permissive"),
        ("LICENSE", f"Under either of MIT or Apache-2.0 at your option.\n\n{MIT}\n{APACHE}",
         "MIT OR Apache-2.0", "permissive"),
        ("LICENSE", f"{MIT}\nThe Software shall be used for Good, not Evil.\n",
         "MIT AND LicenseRef-stackcurate-restricted", "source_available"),
        ("LICENSE", f"{MIT}\nYou may not use this to train or evaluate machine learning models.\n",
         None, "no_ai"),
        ("LICENSE", f"{body('bsd-new')}\nUse by any AI company is prohibited.\n", None, "no_ai"),
        ("LICENSE", MIT.replace("to deal", "to deal non-commercially"), None, "unknown"),
        ("LICENSE", MIT.replace("restriction", "restriction except for commercial use"), None,
         "unknown"),
        ("LICENSE", f"{GPL2}\n\n\"CLASSPATH\" EXCEPTION\n\n{body('classpath-exception-2.0')}",
         "GPL-2.0-only WITH Classpath-exception-2.0", "weak_copyleft"),
        ("LICENSE", f"{GPL3}\n\n{body('gcc-exception-3.1')}", "GPL-3.0-only WITH GCC-exception-3.1",
         "weak_copyleft"),
        ("LICENSE", f"{APACHE}\n\n{body('llvm-exception')}", "Apache-2.0 WITH LLVM-exception",
         "permissive"),
        ("LICENSE", f"{GPL3}\n\n{body('font-exception-gpl')}",
         "GPL-3.0-only WITH Font-exception-2.0", "weak_copyleft"),
        ("LICENSE.html", as_html(GPL3), "GPL-3.0-only", "copyleft"),
        ("LICENSE.html", as_html(MIT), "MIT", "permissive"),
        ("LICENSE.rtf", as_rtf(MIT), "MIT", "permissive"),
        ("LICENSE", MIT.encode("utf-16"), "MIT", "permissive"),
        ("LICENSE", MIT.encode("utf-16-be"), "MIT", "permissive"),
        ("LICENSE", ("\ufeff" + APACHE).encode(), "Apache-2.0", "permissive"),
        ("LICENSE", "SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note\n",
         "GPL-2.0-only WITH Linux-syscall-note", "weak_copyleft"),
        ("LICENSE", "Copyright (c) 2020 Somebody. All rights reserved.\n", None, None),
        ("LICENSE", "For personal, non-commercial use only. Ask us for other licenses.\n", None,
         "proprietary"),
        ("LICENSE", "以下に定める条件に従い、無償で許可します。", UNKNOWN,
         "unknown"),
        ("COPYING.LESSER", body("lgpl-3.0"), "LGPL-3.0-only", "weak_copyleft"),
        ("COPYING", "This program is free software: you can redistribute it and/or modify it under "
         "the terms of the GNU General Public License as published by the Free Software Foundation"
         ", either version 3 of the License, or (at your option) any later version.\n",
         "GPL-3.0-or-later", "copyleft"),
        ("LICENSE.md", "# The MIT License (MIT)\n\n" + MIT.replace("\n\n", "\n\n> "), "MIT",
         "permissive"),
        ("LICENSE", f"Content of the folder ee/ is licensed under ee/LICENSE, all other content "
         f"under the MIT license as below.\n\n{MIT}", None, "permissive"),
    ],
)  # fmt: skip
def test_license_files(name, text, expected, class_):
    expression, found = said(name, text)
    assert found == class_
    assert expected is None or expression == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("package.json", '{"license": "SEE LICENSE IN LICENSE.md"}', None),
        ("package.json", '{"license": "UNLICENSED", "private": true}', CLOSED),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}',
         "MIT OR Apache-2.0"),
        ("package.json", '{"license": ["MIT", "GPL-2.0"]}', "MIT AND GPL-2.0-only"),
        ("package.json", '{"license": {"type": "BSD", "url": "x"}}', "BSD-3-Clause"),
        ("package.json", '{"license": "BUSL-1.1"}', "BUSL-1.1"),
        ("package.json", '{"license": ""}', None),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("Cargo.toml", '[package]\nlicense = "MIT AND (Apache-2.0 OR ISC)"\n',
         "MIT AND (Apache-2.0 OR ISC)"),
        ("Cargo.toml", '[package]\nlicense-file = "LICENSE"\n', None),
        ("composer.json", '{"license": ["LGPL-2.1-only", "GPL-3.0-or-later"]}',
         "LGPL-2.1-only OR GPL-3.0-or-later"),
        ("x.gemspec", "Gem::Specification.new do |s|\n  s.licenses = ['MIT', 'Ruby']\nend\n",
         "MIT AND Ruby"),
        ("pyproject.toml", '[project]\nlicense = "MIT OR Apache-2.0"\nlicense-files = ["L*"]\n',
         "MIT OR Apache-2.0"),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\nclassifiers = '
         '["License :: OSI Approved :: MIT License"]\n', "MIT"),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\n', None),
        ("pyproject.toml", '[tool.poetry]\nlicense = "Proprietary"\n', CLOSED),
        ("setup.py", "setup(classifiers=['License :: OSI Approved :: GNU General Public License v2 "
         "or later (GPLv2+)', 'License :: OSI Approved :: MIT License'])\n",
         "GPL-2.0-or-later AND MIT"),
        ("pom.xml", "<project><licenses><license><name>Apache License, Version 2.0</name></license>"
         "<license><name>GNU Lesser General Public License v2.1</name></license></licenses>"
         "</project>", "Apache-2.0 OR LGPL-2.1-only"),
        ("pom.xml", "<project><licenses><license><name>GPL2 w/ CPE</name></license></licenses>"
         "</project>", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("pom.xml", "<project><licenses><license><name>GPLv2 with Classpath exception</name>"
         "</license></licenses></project>", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("x.dist-info/METADATA", "Metadata-Version: 2.4\nLicense-Expression: Apache-2.0 WITH "
         "LLVM-exception\n", "Apache-2.0 WITH LLVM-exception"),
        ("x.dist-info/METADATA", f"License: {MIT.replace(chr(10), chr(10) + '        ')}\n"
         f"        {body('zlib').replace(chr(10), chr(10) + '        ')}\n", "MIT AND Zlib"),
        ("DESCRIPTION", "Package: x\nLicense: GPL-2 | GPL-3\n", "GPL-2.0-only OR GPL-3.0-only"),
        ("META.json", '{"license": ["perl_5"]}', "Artistic-1.0-Perl OR GPL-1.0-or-later"),
        ("recipe.yaml", "schema_version: 1\nabout:\n  license: Apache-2.0 AND MIT\n",
         "Apache-2.0 AND MIT"),
        ("x.spec", "Name: x\nLicense: GPLv2+ and MIT\n", "GPL-2.0-or-later AND MIT"),
        ("PKGBUILD", "pkgname=x\nlicense=('MIT' 'custom')\n", f"MIT AND {UNKNOWN}"),
        ("codemeta.json", '{"@context": "x", "license": "https://spdx.org/licenses/Apache-2.0"}',
         "Apache-2.0"),
    ],
)  # fmt: skip
def test_manifests(name, text, expected):
    assert said(name, text)[0] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"""A module.\n\nLicensed under the Apache License, Version 2.0.\n"""\n', "Apache-2.0"),
        ("#!/usr/bin/env python\n# Copyright 2020 Me\n# License: MIT\n", "MIT"),
        ('"""Doc."""\n\n__author__ = "x"\n__license__ = "GPL"\n', "GPL-1.0-or-later"),
        ("/* SPDX-License-Identifier: (GPL-2.0+ WITH Linux-syscall-note) OR MIT */\n",
         "GPL-2.0-or-later WITH Linux-syscall-note OR MIT"),
        ("/** @license MIT */\n", "MIT"),
        ("/*! name.css v1 | MIT License | example.org/name */\n", "MIT"),
        ("/*! tells the MIT License from others | example.org */\n", None),
        ("# Released under the terms of the Ruby license\n", "Ruby"),
        ("-- This code is licensed under the PostgreSQL License\n", "PostgreSQL"),
        ("<!-- Licensed under CC BY-NC 4.0 -->\n", "CC-BY-NC-4.0"),
        ("# This file parses GPL license headers.\n", None),
        ("// Distributed under the Boost Software License, Version 1.0.\n", "BSL-1.0"),
        ("/* This software is the confidential and proprietary information of X. */\n",
         "LicenseRef-scancode-commercial-license"),
        ("/* Unauthorized copying of this file is strictly prohibited. */\n", CLOSED),
        ("// Trade secrets of X.\n", CLOSED),
        ("/* Reads confidential mail; unauthorized users see nothing. */\n", None),
        ("/* Do not use this file to train AI models. */\n", "LicenseRef-stackcurate-no-ai"),
    ],
)  # fmt: skip
def test_headers(text, expected):
    assert said("a.c", text)[0] == expected
