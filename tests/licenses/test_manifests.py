import json

import pytest

from stackcurate.licenses.detect import _expression_of
from stackcurate.licenses.expression import license_class
from stackcurate.licenses.manifests import declared, dep5_expression
from stackcurate.licenses.policy import OPEN
from stackcurate.licenses.spoken import spoken
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
    ("package.json", "[" * 100_000, UNKNOWN),
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
    ("meta.yaml", "a: &a [x]\nb: [*a, *a]\nlicense: MIT\n", UNKNOWN),
    ("meta.yaml", "!!python/object/apply:os.abort []", None),
    ("pom.xml", "<project><licenses><license><name>Apache License, Version 2.0</name></license></licenses></project>",  # noqa: E501
     "Apache-2.0"),
    ("pom.xml", '<!DOCTYPE x [<!ENTITY a "b">]><project/>', UNKNOWN),
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
    ("pyproject.toml", "a." * 100_000 + 'b=1\n[project]\nlicense = "MIT"\n', UNKNOWN),
    ("pyproject.toml", '"!".' * 50_000 + "b=1", UNKNOWN),
    ("Cargo.toml", "[a." + "b." * 100_000 + "c]", UNKNOWN),
    ("pyproject.toml", '[project]\ndescription = "' + "a. " * 500 + '"\nlicense = "MIT"\n', "MIT"),
    ("other.txt", "license: MIT", None),
    ("recipe.yaml", "schema_version: 1\nabout:\n  license: BSD-3-Clause\n", "BSD-3-Clause"),
    ("recipe.yaml", "name: soup\nlicense: MIT\n", None),
    ("setup.py", "meta = {'name': 'x', 'license': 'ISC'}\nsetup(**meta)\n", "ISC"),
    ("setup.py", "meta = dict(license='ISC', name='x')\nsetuptools.setup(**meta)\n", "ISC"),
    ("setup.py", "setup(license='MIT', classifiers=['License :: OSI Approved :: "
     "GNU General Public License v3 (GPLv3)'])", "MIT AND GPL-3.0-only"),
    ("pyproject.toml", '[tool.flit.metadata]\nlicense = "ISC"\n', "ISC"),
    ("pyproject.toml", "[tool.flit.metadata]\nclassifiers = "
     '["License :: OSI Approved :: MIT License"]\n', "MIT"),
    ("PKG-INFO", "License: MIT\nClassifier: License :: OSI Approved :: "
     "GNU Affero General Public License v3\n", "MIT AND AGPL-3.0-only"),
    ("PKG-INFO", "License: MIT\nClassifier: License :: OSI Approved :: Apache Software License\n",
     "MIT"),
    ("x.csproj", "<Project><PropertyGroup><PackageLicenseExpression>MIT</PackageLicenseExpression>"
     "</PropertyGroup></Project>", "MIT"),
    ("mix.exs", 'def package do\n [licenses: ["Apache-2.0"], links: %{}]\nend\n', "Apache-2.0"),
    ("x.spec", "Name: x\nLicense: GPLv2+ and MIT\n", "GPL-2.0-or-later AND MIT"),
    ("main.spec", "a = Analysis(['x.py'])\n", None),
    ("PKGBUILD", "pkgname=x\nlicense=('MIT' 'ISC')\n", "MIT AND ISC"),
    ("APKBUILD", 'license="MIT"\n', "MIT"),
    ("conanfile.py", 'class X(ConanFile):\n    license = "BSL-1.0"\n', "BSL-1.0"),
    ("shard.yml", "name: x\nlicense: MIT\n", "MIT"),
    ("CITATION.cff", "cff-version: 1.2.0\nlicense: Apache-2.0\n", "Apache-2.0"),
    ("metadata.rb", "name 'x'\nlicense 'Apache-2.0'\n", "Apache-2.0"),
    ("metadata.json", '{"license": "MIT"}', None),
    ("metadata.json", '{"license": "MIT", "operatingsystem_support": []}', "MIT"),
    ("ivy.xml", '<ivy-module><info><license name="Apache-2.0"/></info></ivy-module>', "Apache-2.0"),
    ("a.metainfo.xml", "<component><metadata_license>CC0-1.0</metadata_license>"
     "<project_license>GPL-3.0-or-later</project_license></component>", "GPL-3.0-or-later"),
    ("x.app.src", '{application, x, [{licenses, ["MIT"]}]}.\n', "MIT"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "expected"), CASES)
def test_manifests(name, data, expected):
    found = declared(name, data.encode(), _expression_of)
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
    found = declared("package.json", b'{"license": "MIT"}' + b" " * (5 << 20))
    assert (found.expression, found.rule) == (UNKNOWN, "package.json: not read, too large")
    found = declared("a/pom.xml", b"<!DOCTYPE x><project/>")
    assert found.rule == "pom.xml: not read, document types and entities are not read"


def test_words_that_are_no_name_are_read():
    said = []
    found = declared(
        "setup.py", b"setup(license='As is, see below')", lambda words: said.append(words)
    )
    assert found.expression == UNKNOWN and said == [b"license: As is, see below"]
    found = declared("setup.py", b"setup(license='BSD style')", lambda words: "BSD-3-Clause")
    assert found.expression == "BSD-3-Clause"


def test_dep5_names():
    assert dep5_expression("LGPL-2.1+ and (GPL-3 or Expat)") == (
        "LGPL-2.1-or-later AND (GPL-3.0-only OR MIT)"
    )
    assert dep5_expression("home-made") is None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('print "hi"\nfrom distutils.core import setup\nsetup(name="x", license="GPL v3")\n',
         "GPL-3.0-only"),
        ("exec 'x = 1'\nLICENSE = u'MIT'\nsetup(name='x',\n      license=LICENSE)\n", "MIT"),
        ('try:\n    pass\nexcept E, e:\n    pass\nsetuptools.setup(\n  classifiers=[\n'
         '    "License :: OSI Approved :: "\n    "BSD License",  # a comment\n  ])\n',
         "BSD-3-Clause"),
        ('print "no"\ndef setup(license="MIT"):\n    return 0777\n', None),
        ('print "setup(license=\'MIT\')"\n', None),
        ('print """never closed\nsetup(license="MIT")', "MIT"),
    ],
)  # fmt: skip
def test_setup_py_of_python_2_is_read_by_its_tokens(source, expected):
    found = declared("setup.py", source.encode())
    assert (found.expression if found else None) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.poetry]\nlicense = "BSD for academic use"\n'),
        ("pyproject.toml", '[project]\nlicense = {text = "MIT, but not for military use"}\n'),
        ("pubspec.yaml", "name: x\nlicense: MIT for hobbyists\n"),
        ("package.json", '{"license": "MIT for non-commercial use"}'),
        ("x.dist-info/METADATA", "Name: x\nLicense: Apache 2.0 (non-commercial)\n"),
        ("x.dist-info/METADATA", "Name: x\nLicense: Other/Proprietary License\n"),
        ("pyproject.toml", '[project]\nclassifiers = ["License :: Free for non-commercial use"]\n'),
        ("setup.cfg", "[metadata]\nlicense = MIT with Commons Clause\n"),
    ],
)
def test_values_that_limit_are_not_open(name, text):
    found = declared(name, text.encode(), _expression_of)
    assert found is not None and license_class(found.expression) not in OPEN


def test_gaps_of_templates_declare_nothing():
    for value in (
        "@LICENSE@",
        "${license}",
        "%{license}",
        "{{ license }}",
        "APPLICATION_LICENSE_TYPE",
    ):
        assert declared("x.spec", f"Name: x\nLicense: {value}\n".encode()) is None
