import hashlib

import pyarrow as pa
import pytest
from click.testing import CliRunner

from stackcurate import __version__
from stackcurate.cli.main import cli
from stackcurate.licenses.alone import PATH_ROW
from stackcurate.licenses.spdx import listed, sbom


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        (None, "NOASSERTION"), ("MIT OR GPL-2.0-or-later", "MIT OR GPL-2.0-or-later"),
        ("Foo-1.0", "LicenseRef-Foo-1.0"), ("MIT AND My_own", "MIT AND LicenseRef-My-own"),
        ("My AND My-2", "LicenseRef-My AND LicenseRef-My-2"),
        ("LicenseRef-scancode-unknown", "LicenseRef-scancode-unknown"),
        ("GPL-2.0-only WITH LicenseRef-own", "NOASSERTION"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ],
)  # fmt: skip
def test_ids_that_spdx_knows(expression, shown):
    assert listed(expression) == shown


def test_a_document():
    header = {"kind": "header", "path": "/a.py"}
    file = {"kind": "license_file", "path": "/LICENSE"}
    rows = [
        {"path": "/a.py", "license_expression": "MIT", "evidence": header},
        {"path": "/b.py", "license_expression": "Own", "evidence": file},
        {"path": "/gone", "license_expression": "MIT", "evidence": file},
        {"path": "/n", "license_expression": None, "evidence": None},
    ]
    digests = {
        path: (hashlib.sha1(path.encode()).hexdigest(), hashlib.sha256(path.encode()).hexdigest())
        for path in ("/a.py", "/b.py", "/n")
    }
    texts = {"/LICENSE": "Own text", "/n": "see Mine"}
    own = {"/a.py": "MIT", "/n": "Mine"}
    scanned = pa.Table.from_pylist(rows, schema=PATH_ROW)
    found = sbom("x", scanned, own, digests, texts, "2026-01-31T00:00:00Z")
    assert [one["fileName"] for one in found["files"]] == ["./a.py", "./b.py", "./n"]
    said = [(one["licenseConcluded"], one["licenseInfoInFiles"]) for one in found["files"]]
    assert said == [
        ("MIT", ["MIT"]), ("LicenseRef-Own", ["NOASSERTION"]), ("NOASSERTION", ["LicenseRef-Mine"]),
    ]  # fmt: skip
    (package,) = found["packages"]
    code = hashlib.sha1("".join(sorted(one for one, _ in digests.values())).encode()).hexdigest()
    assert package["packageVerificationCode"] == {"packageVerificationCodeValue": code}
    assert package["licenseConcluded"] == "LicenseRef-Own AND MIT"
    assert package["licenseInfoFromFiles"] == ["LicenseRef-Mine", "MIT"]
    refs = {one["licenseId"]: one["extractedText"] for one in found["hasExtractedLicensingInfos"]}
    assert refs == {"LicenseRef-Own": "Own text", "LicenseRef-Mine": "see Mine"}
    assert found["creationInfo"]["creators"] == [f"Tool: stackcurate-{__version__}"]
    assert package["licenseDeclared"] == "LicenseRef-Own"
    ids = {one["relatedSpdxElement"] for one in found["relationships"]}
    assert ids == {"SPDXRef-Package", *(one["SPDXID"] for one in found["files"])}
    assert found == sbom("x", scanned, own, digests, texts, "2026-01-31T00:00:00Z")


def test_the_validator_of_spdx_finds_no_fault(tmp_path):
    """A hostile little folder, through the command, before the judge of the SPDX project."""
    parser = pytest.importorskip("spdx_tools.spdx.parser.parse_anything")
    validator = pytest.importorskip("spdx_tools.spdx.validation.document_validator")
    tree = {
        "LICENSE": "SPDX-License-Identifier: LicenseRef-Own\n",
        "a b.py": "# SPDX-License-Identifier: GPL-2.0-only WITH Classpath-exception-2.0\n",
        "sub/\u00fc.c": "/* SPDX-License-Identifier: MIT OR Beerware */\n",
        "sub/empty": "",
        "sub/odd.js": "// SPDX-License-Identifier: My_Own-1.0\n",
        "sub/package.json": '{"license": "SEE LICENSE IN x"}',
        "node_modules/x/i.js": "1",
        "data.bin": "\x00\x01",
    }
    for name, text in tree.items():
        (tmp_path / "it" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "it" / name).write_text(text)
    said = CliRunner().invoke(
        cli, ["license", "sbom", str(tmp_path / "it")], catch_exceptions=False
    )
    assert said.exit_code == 0
    place = tmp_path / "it.spdx.json"
    place.write_text(said.stdout)
    document = parser.parse_file(str(place))
    faults = validator.validate_full_spdx_document(document)
    assert [fault.validation_message for fault in faults] == []
    assert len(document.files) == len(tree)
    refs = {one.license_id: one.extracted_text for one in document.extracted_licensing_info}
    assert refs["LicenseRef-Own"].startswith("SPDX-License-Identifier")
    assert "My_Own-1.0" in refs["LicenseRef-scancode-unknown-spdx"]
