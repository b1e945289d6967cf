import pyarrow as pa
import pytest

from stackcurate.licenses import pointers
from stackcurate.licenses.cache import Cache
from stackcurate.licenses.cover import cover
from stackcurate.licenses.detect import Text, detect_texts
from stackcurate.licenses.inherit import folders
from stackcurate.licenses.policy import LicenseSettings


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("See COPYING\n", "see:COPYING"),
        ("../../LICENSE", "see:../../LICENSE"),
        ("Please see the file `COPYING.txt` for details.", "see:COPYING.txt"),
        ("See the LICENSE file in the root of this repository.", "see:/LICENSE"),
        ("Licensed under the terms in the LICENSE file of the parent directory.", "see:../LICENSE"),
        ("This software is licensed under licenses/LICENSE.gpl", "see:licenses/LICENSE.gpl"),
        ("See COPYING and LICENSE.GPL", None),
        ("MIT, see COPYING", None),
        ("See COPYING. No commercial use.", None),
        ("See https://example.org/LICENSE", None),
        ("", None),
        ("See COPYING" + " " * 500, None),
    ],
)
def test_a_text_that_only_points(text, rule):
    assert pointers.rule(text.encode()) == rule


MIT = "MIT License"
GPL = "SPDX-License-Identifier: GPL-2.0-only"


def expressions(tree, files):
    """The expressions of ``files`` below control files ``tree`` (path -> text)."""
    items = [
        Text(number.to_bytes(20, "big"), path.rpartition("/")[2], "license_file", text.encode())
        for number, (path, text) in enumerate(tree.items())
    ]

    class Judge:
        def ask(self, texts):
            raise AssertionError("the cheap steps know these")

    evidence = detect_texts(items, Cache(), Judge())
    found = folders(
        pa.array(list(tree)), [item.content_id.hex() for item in items], evidence, LicenseSettings()
    )
    return cover(pa.array(files), found)["license_expression"].to_pylist()


def test_a_pointer_is_followed():
    tree = {
        "/COPYING": MIT,
        "/LICENSE": "See COPYING",
        "/gpl/LICENSE.txt": GPL,
        "/gpl/a/LICENSE": "../LICENSE",
        "/up/LICENSE": "See the COPYING file in the top level directory",
        "/lost/LICENSE": "See COPYING.weird",
        "/out/LICENSE": "../../../../../etc/LICENSE",
    }
    files = ["/x", "/gpl/a/x", "/up/x", "/lost/x", "/out/x"]
    unknown = "LicenseRef-scancode-unknown"
    assert expressions(tree, files) == ["MIT", "GPL-2.0-only", "MIT", unknown, unknown]


def test_pointers_in_a_circle_stay_unknown():
    tree = {"/LICENSE": "See COPYING", "/COPYING": "See LICENSE"}
    assert expressions(tree, ["/x"]) == ["LicenseRef-scancode-unknown"]
