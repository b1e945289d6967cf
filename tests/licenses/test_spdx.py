import hashlib

import pyarrow as pa
import pytest

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
    rows = [
        {"path": "/a.py", "license_expression": "MIT", "evidence": "header"},
        {"path": "/b.py", "license_expression": "Own", "evidence": "/LICENSE"},
        {"path": "/gone", "license_expression": "MIT", "evidence": "/LICENSE"},
        {"path": "/n", "license_expression": None, "evidence": None},
    ]
    digests = {path: hashlib.sha1(path.encode()).hexdigest() for path in ("/a.py", "/b.py", "/n")}
    scanned = pa.Table.from_pylist(rows, schema=PATH_ROW)
    found = sbom("x", scanned, digests, "2026-01-31T00:00:00Z")
    assert [one["fileName"] for one in found["files"]] == ["./a.py", "./b.py", "./n"]
    said = [(one["licenseConcluded"], one["licenseInfoInFiles"]) for one in found["files"]]
    assert said == [
        ("MIT", ["MIT"]), ("LicenseRef-Own", ["NOASSERTION"]), ("NOASSERTION", ["NOASSERTION"]),
    ]  # fmt: skip
    (package,) = found["packages"]
    code = hashlib.sha1("".join(sorted(digests.values())).encode()).hexdigest()
    assert package["packageVerificationCode"] == {"packageVerificationCodeValue": code}
    assert package["licenseConcluded"] == "LicenseRef-Own AND MIT"
    assert [one["licenseId"] for one in found["hasExtractedLicensingInfos"]] == ["LicenseRef-Own"]
    ids = {one["relatedSpdxElement"] for one in found["relationships"]}
    assert ids == {"SPDXRef-Package", *(one["SPDXID"] for one in found["files"])}
    assert found == sbom("x", scanned, digests, "2026-01-31T00:00:00Z")
