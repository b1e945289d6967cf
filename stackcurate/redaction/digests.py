"""Keyed digests of findings: equal values of different files, told by who holds the key alone.

Written only where the config names a key (``redact.digest_key``), into the run folder, never into a
release. HMAC-SHA-256 over kind and value: without the key a digest can be neither made nor tried.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import ConfigError

if TYPE_CHECKING:  # every worker knows the column; only those that redact load the rules
    from .replace import Placed

COLUMN = "redaction_digests"
DIGEST = pa.struct(
    [("kind", pa.string()), ("number", pa.int32()), ("hmac_sha256", pa.binary(32))]
)  # of each distinct value of a file; ``number`` as in its findings
LEAST = 16  # bytes of a key


def read_key(where: str) -> bytes:
    """The key that ``env:NAME`` or ``file:PATH`` names; a file's blanks at its end are no part."""
    sort, _, name = where.partition(":")
    if sort == "env":
        key = os.environ.get(name, "").encode()
    else:
        try:
            key = Path(name).read_bytes().rstrip()
        except OSError as error:
            raise ConfigError(f"redact.digest_key: cannot read {name}: {error.strerror}") from None
    if len(key) < LEAST:
        raise ConfigError(f"redact.digest_key: {where} must hold {LEAST} bytes or more")
    return key


def keyed(rows: int, placed: Mapping[int, Iterable[Placed]], where: str) -> pa.ListArray:
    """For each of ``rows`` rows its digests, in the order in which their values stand."""
    key = read_key(where)
    values = [
        {(one.span.rule.kind, one.number): _digest(one, key) for one in placed.get(row, ())}
        for row in range(rows)
    ]
    return pa.array(
        [
            [
                {"kind": kind, "number": number, "hmac_sha256": digest}
                for (kind, number), digest in row.items()
            ]
            for row in values
        ],
        pa.list_(DIGEST),
    )


def _digest(one: Placed, key: bytes) -> bytes:
    from .replace import same_value

    message = one.span.rule.kind.encode() + b"\0" + same_value(one.span)
    return hmac.new(key, message, hashlib.sha256).digest()
