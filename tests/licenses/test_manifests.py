import json

import pytest

from stackcurate.licenses.manifests import declared, dep5_expression, spoken
from tests.licenses.conftest import body


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("MIT", "MIT"), ("The MIT License", "MIT"), ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"), ("BSD", "BSD-3-Clause"),
        ("3-Clause BSD License", "BSD-3-Clause"), ("GPLv3", "GPL-3.0-only"),
        ("GNU GPL v3 or later", "GPL-3.0-or-later"), ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("MIT, BSD", "MIT AND BSD-3-Clause"), ("mit or zlib", "MIT OR Zlib"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"), ("MIT (non-commercial)", None),
        ("my own", None), ("", None), ("M" * 10_000, None), ("MIT/foo", None),
        ("UNLICENSED", "LicenseRef-scancode-proprietary-license"),
    ],
)  # fmt: skip
def test_what_people_mean(said, meant):
    assert spoken(said) == meant


UNKNOWN = "LicenseRef-scancode-unknown"
CASES = [
    ("package.json", '{"license": "MIT"}', "MIT"),
    ("package.json", '{"license": {"type": "ISC"}}', "ISC"),
    ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}', "MIT OR GPL-2.0-only"),
    ("package.json", '{"license": "SEE LICENSE IN x.txt"}', None),
    ("package.json", '{"license": "Foo-1.0"}', UNKNOWN),
    ("package.json", '{"license": 7}', None),
    ("package.json", "{", None),
    ("package.json", "[" * 100_000, None),
    ("package.json", '["license"]', None),
    ("a/composer.json", '{"license": ["MIT", "GPL-3.0-or-later"]}', "MIT OR GPL-3.0-or-later"),
    ("pyproject.toml", '[project]\nlicense = "MIT OR Apache-2.0"\n', "MIT OR Apache-2.0"),
    ("pyproject.toml", '[project]\nlicense = {text = "BSD"}\n', "BSD-3-Clause"),
    ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}\n', None),
    ("pyproject.toml", '[tool.poetry]\nlicense = "GPL-3.0+"\n', "GPL-3.0-or-later"),
    ("pyproject.toml", '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]\n', "MIT"),  # noqa: E501
    ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "MIT OR Apache-2.0"),
    ("Cargo.toml", '[workspace.package]\nlicense = "Zlib"\n', "Zlib"),
    ("setup.cfg", "[metadata]\nlicense = MIT\n", "MIT"),
    ("setup.cfg", "[metadata]\nlicense = file: LICENSE\nclassifiers =\n  License :: OSI Approved :: BSD License\n",  # noqa: E501
     "BSD-3-Clause"),
    ("setup.py", "from setuptools import setup\nL = 'MIT'\nsetup(name='x', license=L)\n", "MIT"),
    ("setup.py", "import os\nos.abort()\nsetup(license='Apache 2.0')\n", "Apache-2.0"),
    ("setup.py", "setup(license=open('LICENSE').read())", None),
    ("setup.py", "print 'old'", None),
    ("setup.py", "(" * 5000, None),
    ("x.gemspec", "Gem::Specification.new do |s|\n  s.licenses = ['MIT', 'Ruby']\nend\n", "MIT AND Ruby"),  # noqa: E501
    ("x.podspec", "Pod::Spec.new do |s|\n  s.license = { :type => 'MIT', :file => 'LICENSE' }\nend", "MIT"),  # noqa: E501
    ("x.cabal", "name: x\nlicense: BSD3\n", "BSD-3-Clause"),
    ("x.opam", 'license: "ISC"\n', "ISC"),
    ("DESCRIPTION", "Package: x\nLicense: GPL (>= 2)\n", "GPL-2.0-or-later"),
    ("DESCRIPTION", "Package: x\nLicense: MIT + file LICENSE\n", "MIT"),
    ("META.json", json.dumps({"license": ["perl_5"]}), "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("META.yml", "license: perl\n", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("meta.yaml", "{% set v = 1 %}\nabout:\n  license: BSD-3-Clause\n", "BSD-3-Clause"),
    ("meta.yaml", "a: &a [x]\nb: [*a, *a]\nlicense: MIT\n", None),
    ("meta.yaml", "!!python/object/apply:os.abort []", None),
    ("pom.xml", "<project><licenses><license><name>Apache License, Version 2.0</name></license></licenses></project>",  # noqa: E501
     "Apache-2.0"),
    ("pom.xml", '<!DOCTYPE x [<!ENTITY a "b">]><project/>', None),
    ("x.nuspec", '<package><metadata><license type="expression">MIT</license></metadata></package>', "MIT"),  # noqa: E501
    ("PKG-INFO", "Metadata-Version: 2.4\nLicense-Expression: MIT AND Zlib\n", "MIT AND Zlib"),
    ("METADATA", "Name: x\nLicense: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n", "MIT"),  # noqa: E501
    ("METADATA", "Name: x\nLicense: MIT and more\n\t" + body("mit").replace("\n", "\n\t") + "\n\t"
     + body("gpl-3.0").replace("\n", "\n\t") + "\nClassifier: License :: OSI Approved :: MIT License\n",  # noqa: E501
     "MIT AND GPL-3.0-only"),
    ("x.gemspec", "  s.licenses = %w[MIT Ruby]\n", "MIT AND Ruby"),
    ("DESCRIPTION", "License: file LICENSE\n", None),
    ("DESCRIPTION", "License: GPL-3 | file LICENSE\n", "GPL-3.0-only"),
    ("build.gradle", "licenses { license { name 'MIT' }\n license {\n url = 'u'\n name = \"ISC\" } }",  # noqa: E501
     "MIT OR ISC"),
    ("build.gradle.kts", 'licenses {\n license {\n name.set("MIT")\n }}', "MIT"),
    ("pubspec.yaml", "name: x\nlicense: MIT\n", "MIT"),
    ("x.cabal", "license: AllRightsReserved", "LicenseRef-scancode-proprietary-license"),
    ("x.nuspec", "<p><m><licenseUrl>http://www.apache.org/licenses/LICENSE-2.0.html</licenseUrl></m></p>",
     "Apache-2.0"),
    ("x.nuspec", "<p><m><licenseUrl>https://example.org/LICENSE</licenseUrl></m></p>", None),
    ("pom.xml", "<project><licenses><license><url>https://opensource.org/licenses/MIT</url></license></licenses></project>",
     "MIT"),
    ("Cargo.toml", "[package]\nlicense.workspace = true\n", None),
    ("package.json", '{"license": "LicenseRef-Own"}', "LicenseRef-Own"),
    # cost bombs: dots in keys cost a TOML parser their square
    ("pyproject.toml", "a." * 100_000 + 'b=1\n[project]\nlicense = "MIT"\n', None),
    ("pyproject.toml", '"!".' * 50_000 + "b=1", None),
    ("Cargo.toml", "[a." + "b." * 100_000 + "c]", None),
    ("pyproject.toml", '[project]\ndescription = "' + "a. " * 500 + '"\nlicense = "MIT"\n', "MIT"),
    ("other.txt", "license: MIT", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "expected"), CASES)
def test_manifests(name, data, expected):
    found = declared(name, data.encode())
    assert (found.expression if found else None) == expected


def test_the_span_points_at_the_value():
    data = b'{"name": "x", "license": "Apache-2.0"}'
    found = declared("package.json", data)
    assert data[found.start : found.end] == b"Apache-2.0" and found.rule == "package.json:license"


def test_bytes_that_are_no_text():
    for name in (
        "package.json",
        "setup.py",
        "Cargo.toml",
        "pom.xml",
        "meta.yaml",
        "PKG-INFO",
        "x.gemspec",
    ):
        assert declared(name, b"\xff\xfe\x00license\x00") is None


def test_what_is_too_large_is_refused():
    assert declared("package.json", b'{"license": "MIT"}' + b" " * (5 << 20)) is None


def test_dep5_names():
    assert dep5_expression("LGPL-2.1+ and (GPL-3 or Expat)") == (
        "LGPL-2.1-or-later AND (GPL-3.0-only OR MIT)"
    )
    assert dep5_expression("home-made") is None
