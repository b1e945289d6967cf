"""What detect-secrets finds we find too, or we say to which class of noise it belongs."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

from stackcurate.redaction import noise
from stackcurate.redaction.find import find
from stackcurate.redaction.rules import load
from stackcurate.redaction.settings import Settings

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
REAL = (
    *("smtplib.py", "ssl.py", "getpass.py", "urllib/request.py", "ftplib.py", "imaplib.py"),
    *("hashlib.py", "uuid.py", "netrc.py", "secrets.py", "http/cookiejar.py", "plistlib.py"),
)


def missed(path: Path) -> Iterator[tuple[str, int, bytes, bytes]]:
    """(type, line number, value, line) of findings of the real tool that a strict look lacks."""
    text = path.read_bytes()
    contents = pa.array([text.decode()], pa.large_string())
    spans = find(contents, pa.array([path.name]), Settings(sensitivity="strict"))
    lines = text.split(b"\n")
    with default_settings():
        found = list(scan_file(str(path)))
    for secret in found:
        line = lines[secret.line_number - 1]
        base = sum(len(one) + 1 for one in lines[: secret.line_number - 1])
        value = (secret.secret_value or "").encode()
        places = [base + match.start() for match in re.finditer(re.escape(value), line)]
        if secret.type == "Private Key":  # the tool names the frame, we the key behind it
            places.append(base + len(line) + 1)
        covered = any(
            span.start < place + len(value) and place < span.end
            for place in places
            for span in spans
        )
        if not covered:
            yield secret.type, secret.line_number, value, line


@pytest.mark.parametrize("name", REAL)
def test_on_real_code(name: str) -> None:
    path = LIBRARY / name
    if not path.exists():
        pytest.skip("not in this Python's standard library")
    for kind, number, value, line in missed(path):
        assert noise.explain(value, line) in noise.REASONS, (kind, number)


def test_on_every_shape_of_our_table(tmp_path: Path) -> None:
    """One line per example of the table: each is real in form, so nothing may be explained away."""
    lines = [
        text.replace("\n", " ")
        for rule in load().rules
        for text in rule.match
        if "BEGIN" not in text
    ]
    path = tmp_path / "shapes.py"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    assert [(kind, number) for kind, number, _, _ in missed(path)] == []


TOKENS = {
    "Artifactory Credentials": '"AKC{A-Za-z0-9*30}"',
    "AWS Access Key": "AKIA{A-Z2-7*16}",
    "Azure Storage Account access key": "AccountKey={A-Za-z0-9*86}==",
    "Basic Auth Credentials": "https://deploy:{A-Za-z0-9*12}@git.corp.io",
    "Discord Bot Token": "MTE{A-Za-z0-9*21}.G{A-Za-z0-9*5}.{A-Za-z0-9*27}",
    "GitHub Token": "ghp_{A-Za-z0-9*36}",
    "GitLab Token": "glpat-{A-Za-z0-9*20}",
    "IBM Cloud IAM Key": 'ibm_cloud_api_key = "{A-Za-z0-9*44}"',
    "JSON Web Token": "{jwt*43}",
    "Mailchimp Access Key": "{0-9a-f*32}-us14",
    "NPM tokens": "//registry.corp.io/:_authToken=npm_{A-Za-z0-9*36}",
    "OpenAI Token": "sk-{A-Za-z0-9*20}T3BlbkFJ{A-Za-z0-9*20}",
    "PyPI Token": "pypi-AgEIcHlwaS5vcmc{A-Za-z0-9*80}",
    "SendGrid API Key": "SG.{A-Za-z0-9*22}.{A-Za-z0-9*43}",
    "Slack Token": "xoxb-{0-9*12}-{0-9*12}-{a-z0-9*24}",
    "SoftLayer Credentials": 'softlayer_api_key = "{a-z0-9*64}"',
    "Square OAuth Secret": "sq0csp-{A-Za-z0-9*43}",
    "Stripe Access Key": "sk_live_{A-Za-z0-9*24}",
    "Telegram Bot Token": "{1-9*10}:AA{A-Za-z0-9*33}",
    "Twilio API Key": "SK{0-9a-f*32}",
    "Cloudant Credentials": 'cloudant_password = "{0-9a-f*64}"',
    "IBM COS HMAC Credentials": 'cos_hmac_secret_access_key = "{0-9a-f*48}"',
    "Secret Keyword": 'password = "kX93!mfPq2w"',
    "Base64 High Entropy String": 'f("{A-Za-z0-9*44}")',
    "Hex High Entropy String": 'f("{0-9a-f*36}")',
}


@pytest.mark.parametrize("kind", TOKENS)
def test_every_plugin_has_its_positives(kind: str, tmp_path: Path) -> None:
    from stackcurate.redaction.examples import expand

    lines = [expand(TOKENS[kind], f"{kind}{number}") for number in range(12)]
    path = tmp_path / "tokens.py"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    with default_settings():
        assert kind in {secret.type for secret in scan_file(str(path))}
    assert [(other, number) for other, number, _, _ in missed(path)] == []
