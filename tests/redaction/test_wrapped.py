"""Secrets in base64 or hex are found by what they say; data that is no text is left alone."""

from __future__ import annotations

import base64
import json

import pyarrow as pa
import pytest

from stackcurate.redaction.alone import git_blob_id
from stackcurate.redaction.examples import expand
from stackcurate.redaction.find import find
from stackcurate.redaction.redact import redact
from stackcurate.redaction.settings import Settings

TOKEN = expand("ghp_{A-Za-z0-9*30}{crc*6}", "wrapped")
PEM = expand("-----BEGIN RSA PRIVATE KEY-----\n{pem*9}\n-----END RSA PRIVATE KEY-----\n", "wrapped")
ENV = "DEBUG=1\nDB_PASSWORD=kX93!mfPq2w\n"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DOCKER = {"auths": {"hub.corp.io": {"auth": b64("a1:kX93mfP2w")}}}


def lines(text: str, width: int, lead: str) -> str:
    return "".join(f"{lead}{text[at : at + width]}\n" for at in range(0, len(text), width))


def shipped(text: str, path: str) -> str:
    ids = pa.array([git_blob_id(text.encode())], pa.binary(20))
    once = redact(pa.array([text], pa.large_string()), pa.array([path]), ids, Settings()).contents
    assert redact(once, pa.array([path]), ids, Settings()).contents.equals(once)
    return once[0].as_py()


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("/a.py", f'T = b64decode("{b64(TOKEN)}")\n', 'T = b64decode("<KEY>")\n'),
        ("/a.py", f'T = b64decode("{b64(TOKEN).rstrip("=")}")\n', 'T = b64decode("<KEY>")\n'),
        ("/a.py", f"T = bytes.fromhex('{TOKEN.encode().hex()}')\n", "T = bytes.fromhex('<KEY>')\n"),
        ("/ci.yml", f"ENV_FILE: '{b64(ENV)}'\n", "ENV_FILE: '<PASSWORD>'\n"),
        ("/k.json", f'{{"cert": "{b64(PEM)}"}}\n', '{"cert": "<PRIVATE_KEY>"}\n'),
        ("/k.yaml", f"id: |\n{lines(b64(PEM), 76, '  ')}x: 1\n", "id: |\n  <PRIVATE_KEY>\nx: 1\n"),
        ("/k.txt", lines(b64(PEM), 64, ""), "<PRIVATE_KEY>\n"),
        (
            "/h.sh",
            f"curl -H 'Authorization: Basic {b64('deploy:kX93mfPq2w')}' x\n",
            "curl -H 'Authorization: Basic <KEY>' x\n",
        ),
        (
            "/d.json",
            json.dumps({".dockerconfigjson": b64(json.dumps(DOCKER))}),
            '{".dockerconfigjson": "<KEY>"}',
        ),
    ],
)
def test_the_whole_literal_goes(path: str, text: str, expected: str) -> None:
    assert shipped(text, path) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a.css", f"src: url(data:font/woff2;base64,{b64('d09GMgABAAAAA' + 'x' * 60)})"),
        ("/a.js", f"//# sourceMappingURL=data:application/json;base64,{b64(ENV)}"),
        ("/a.py", f'x = "{b64("just a sentence in base64, nothing else")}"'),
        ("/a.py", f'x = "{b64("contact: m.keller@uni-weimar.de, a colleague")}"'),
        ("/yarn.lock", f'  integrity "{b64(TOKEN)}"'),
        ("/a.py", f'x = "{b64("PASSWORD=changeme and so on")}"'),
    ],
)
def test_other_literals_stay(path: str, text: str) -> None:
    assert shipped(text, path) == text


def test_nothing_is_decoded_twice() -> None:
    assert "<KEY>" not in shipped(f'x = "{b64(b64(TOKEN))}"', "/a.py")


SECRET = f"""apiVersion: v1
kind: Secret
metadata:
  name: orders
type: Opaque
data:
  username: {b64("orders_rw")}
  db-password: {b64("kX93!mfPq2w")}
  signing: "{b64("q8Zr2Vm9Qx7LpT4w")}"  # rotated
  tls.crt: {b64("-----BEGIN CERTIFICATE-----")}
  tls.key: {b64(PEM)}
  store: |
{lines(b64(PEM[32:]), 60, "    ").rstrip()}
  empty: ""
stringData:
  hook: q8Zr2Vm9Qx7L
  level: ${{LEVEL}}
---
kind: ConfigMap
data:
  colors: {b64("blue, green")}
"""


def test_values_of_a_kubernetes_secret() -> None:
    new = shipped(SECRET, "/secret.yaml")
    changed = {
        line.split(":")[0].strip(): line
        for line in new.splitlines()
        if line not in SECRET.splitlines()
    }
    assert {
        name: line.split(": ")[-1].strip() for name, line in changed.items() if ": " in line
    } == {
        "db-password": "<PASSWORD>",
        "signing": '"<KEY>"  # rotated',
        "tls.key": "<PRIVATE_KEY>",
        "hook": "<KEY>",
    }
    assert "  store: |\n    <KEY>\n  empty" in new


def test_a_secret_in_json_and_what_is_none() -> None:
    text = '{{"kind": "Secret", "data": {{"pin": "{}", "user": "{}"}}}}'.format(
        b64("kX93!mfPq2w"),
        b64("app"),
    )
    spans = find(pa.array([text], pa.large_string()), pa.array(["/s.json"]), Settings())
    assert [text[span.start : span.end] for span in spans] == [b64("kX93!mfPq2w")]
    other = text.replace("Secret", "SecretList")
    assert not find(pa.array([other], pa.large_string()), pa.array(["/s.json"]), Settings())
