"""Private keys: which text is the secret, and that no body is slow."""

from __future__ import annotations

import time

from stackcurate.redaction.blocks import pem, putty
from stackcurate.redaction.examples import expand

BODY = expand("{pem*4}", "blocks").encode()
BEGIN = b"-----BEGIN RSA PRIVATE KEY-----"
END = b"-----END RSA PRIVATE KEY-----"


def found(data: bytes) -> list[bytes]:
    head = data.index(BEGIN)
    return [
        data[start:end] for one in pem(data, head, head + len(BEGIN)) for start, end in one.parts
    ]


def test_raw_body_with_headers_is_one_span() -> None:
    headers = b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
    assert found(BEGIN + b"\n" + headers + BODY + b"\n" + END) == [headers + BODY]


def test_body_without_end_stops_where_base64_stops() -> None:
    assert found(BEGIN + b"\n" + BODY + b"\n\ndef f(): return 1\n") == [BODY]


def test_indented_and_crlf() -> None:
    text = b"  key: |\r\n    " + BEGIN + b"\r\n    " + BODY.replace(b"\n", b"\r\n    ")
    (body,) = found(text + b"\r\n    " + END)
    assert body.split() == BODY.split()


def test_comment_signs_stay() -> None:
    text = b"# " + BEGIN + b"\n# " + BODY.replace(b"\n", b"\n# ") + b"\n# " + END
    assert found(text) == BODY.split(b"\n")


def test_frames_without_key() -> None:
    assert found(BEGIN) == []
    assert found(BEGIN + b"\n...\n" + END) == []
    assert found(BEGIN + b"\n" + b"A" * 200 + b"\n" + END) == []
    assert found(BEGIN + b"\n" + BODY[:20] + b"EXAMPLE" + BODY[27:] + b"\n" + END) == []


def test_two_keys_do_not_run_together() -> None:
    one = BEGIN + b"\n" + BODY + b"\n"
    assert found(one + one) == [BODY]


def test_the_finding_is_the_whole_block() -> None:
    block = BEGIN + b"\n" + BODY + b"\n" + END
    (one,) = pem(b"x = 1\n" + block + b"\ny\n", 6, 6 + len(BEGIN))
    assert (one.start, one.end) == (6, 6 + len(block))
    (cut,) = pem(BEGIN + b"\n" + BODY + b"\n", 0, len(BEGIN))
    assert cut.end == len(BEGIN) + 1 + len(BODY)


def test_putty_counts_its_lines() -> None:
    head = b"PuTTY-User-Key-File-2: ssh-rsa\nPublic-Lines: 1\nAAAA\n"
    count = b"Private-Lines: 4"
    data = head + count + b"\n" + BODY + b"\nPrivate-MAC: " + b"0f" * 20 + b"\n"
    (one,) = putty(data, len(head), len(head) + len(count))
    assert [data[a:b] for a, b in one.parts] == [BODY, b"0f" * 20]
    assert data[one.start : one.end] == data.rstrip()
    assert putty(count, 0, len(count)) == []
    literal = data.replace(b"\n", b"\\r\\n")
    at = literal.index(count)
    (one,) = putty(literal, at, at + len(count))
    assert literal[slice(*one.parts[0])] == BODY.replace(b"\n", b"\\r\\n") + b"\\r\\n"


def test_hostile_headers_are_not_slow() -> None:
    """Many header lines before a quote had exponentially many readings in a careless pattern."""
    text = BEGIN + b"\n" + b"Abcdefghijkl: x\n" * 2000 + BODY + b'\n"!\n' + END
    started = time.process_time()
    found(text)
    assert time.process_time() - started < 5
