"""What replaces a value still parses where it stands, and is left alone by another look."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pyarrow as pa
import pytest

from stackcurate.redaction.alone import git_blob_id
from stackcurate.redaction.redact import redact
from stackcurate.redaction.settings import Settings

PASSWORD = "kX93!mfPq2w"


def shipped(text: str, path: str) -> str:
    ids = pa.array([git_blob_id(text.encode())], pa.binary(20))
    once = redact(pa.array([text], pa.large_string()), pa.array([path]), ids, Settings()).contents
    twice = redact(once, pa.array([path]), ids, Settings()).contents
    assert twice.equals(once)
    return once[0].as_py()


def test_markup_still_parses() -> None:
    text = (
        f'<?xml version="1.0"?>\n<a><password>{PASSWORD}</password>'
        f'<add key="AdminPassword" value="{PASSWORD}"/><mail>m.keller@uni-weimar.de</mail></a>\n'
    )
    new = shipped(text, "/settings.xml")
    root = ElementTree.fromstring(new)
    assert root.findtext("password") == "<PASSWORD>" and root.findtext("mail") == "<EMAIL>"
    assert root.find("add").attrib["value"] == "<PASSWORD>"  # type: ignore[union-attr]


def test_shell_still_parses() -> None:
    text = (
        "#!/bin/sh\n# asks m.keller@uni-weimar.de\nexport DB_PASSWORD=kX93mfPq2w7\n"
        "DB_TOKEN='q8Zr2Vm9Qx7LpT4w'\ncd /home/mkeller/src\nmail m.keller@uni-weimar.de\n"
    )
    new = shipped(text, "/deploy.sh")
    assert new == (
        "#!/bin/sh\n# asks <EMAIL>\nexport DB_PASSWORD=__PASSWORD__\n"
        "DB_TOKEN='<KEY>'\ncd /home/__USERNAME__/src\nmail __EMAIL__\n"
    )
    shell = shutil.which("sh")
    if not shell:
        pytest.skip("no shell here")
    assert subprocess.run([shell, "-n"], input=new.encode(), check=False).returncode == 0


def test_other_text_keeps_plain_tokens() -> None:
    assert shipped(f"password = '{PASSWORD}'\n", "/a.py") == "password = '<PASSWORD>'\n"
