"""Example texts of the rule table, written so that no file of ours holds a live-looking secret.

``{a-z0-9*20}`` stands for 20 characters of that class, ``{crc*6}`` for the checksum that GitHub and
npm put behind their tokens, ``{b64:TEXT}`` and ``{b64url:TEXT}`` for TEXT in base64 (without
padding in the second form), ``{valid:pl-pesel:850417#####}`` for a number with right check digits
(``#`` is a digit, ``@`` a letter, ``?`` either), ``{wallet:bitcoin}`` for the key of a wallet with
its checksum (or ``stellar``), ``{pem*N}`` for N full lines of base64,
``{jwt*N}`` for a JSON Web Token with a signature of N characters. The characters are drawn from a
hash of the rule's name and the example, so that an example is the same text everywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import re
import zlib

from .checkdigits import CHECKS

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HOLE = re.compile(r"\{(b64|b64url|valid|wallet):([^{}]*)\}|\{([^{}\s*]{1,40})\*([0-9]+)\}")


def expand(template: str, seed: str) -> str:
    """The text that ``template`` describes; ``seed`` picks the characters."""
    out: list[str] = []
    at = 0
    filled = ""
    for hole in _HOLE.finditer(template):
        out.append(template[at : hole.start()])
        at = hole.end()
        if hole[1] == "valid":
            name, _, form = hole[2].partition(":")
            out.append(valid(name, form, f"{seed}{template}{hole.start()}"))
        elif hole[1] == "wallet":
            out.append(_wallet(hole[2], f"{seed}{template}{hole.start()}"))
        elif hole[1]:
            raw = base64.b64encode(hole[2].encode()).decode()
            out.append(raw if hole[1] == "b64" else raw.translate(_URL).rstrip("="))
        elif hole[3] == "crc":
            out.append(base62(zlib.crc32(filled.encode()), int(hole[4])))
        elif hole[3] == "pem":
            lines = [_draw(_PEM, 64, f"{seed}{hole.start()}{row}") for row in range(int(hole[4]))]
            out.append("\n".join(lines))
        elif hole[3] == "jwt":
            parts = [base64.b64encode(part).decode().translate(_URL).rstrip("=") for part in _JWT]
            out.append(".".join([*parts, _draw(BASE62, int(hole[4]), seed)]))
        else:
            filled = _draw(_alphabet(hole[3]), int(hole[4]), f"{seed}{template}{hole.start()}")
            out.append(filled)
    return "".join([*out, template[at:]])


def base62(number: int, width: int) -> str:
    """``number`` in base 62 (digits, capitals, small letters), filled with zeros to ``width``."""
    out = ""
    while number:
        number, digit = divmod(number, 62)
        out = BASE62[digit] + out
    return out.rjust(width, "0")


_HOLES = {"#": "0123456789", "@": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "?": BASE62[:36]}


def valid(name: str, form: str, seed: str) -> str:
    """The first drawing of ``form`` that the check ``name`` of checkdigits.py calls right."""
    for attempt in itertools.count():
        drawn = iter(hashlib.shake_256(f"{seed}/{attempt}".encode()).digest(len(form)))
        text = "".join(
            _HOLES[char][byte % len(_HOLES[char])] if char in _HOLES else char
            for char, byte in zip(form, drawn, strict=True)
        )
        if CHECKS[name](re.sub(r"[^0-9A-Z]", "", text)):
            return text
    raise AssertionError("counting never ends")


def _wallet(kind: str, seed: str) -> str:
    """A private key of a wallet with its checksum: ``bitcoin`` (WIF) or ``stellar``."""
    raw = hashlib.sha256(seed.encode()).digest()
    if kind == "stellar":
        raw = b"\x90" + raw
        return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode()
    raw = b"\x80" + raw + b"\1"
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, out = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + out
    return out


_JWT = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"u-4711","exp":1700000000}')
_PEM = BASE62 + "+/"
_URL = str.maketrans("+/", "-_")


def _alphabet(spec: str) -> str:
    """The characters of a class as in a regular expression: ``a-z0-9_``."""
    out: list[str] = []
    at = 0
    while at < len(spec):
        if at + 2 < len(spec) and spec[at + 1] == "-":
            out += [chr(code) for code in range(ord(spec[at]), ord(spec[at + 2]) + 1)]
            at += 3
        else:
            out.append(spec[at])
            at += 1
    return "".join(out)


def _draw(alphabet: str, length: int, seed: str) -> str:
    """``length`` characters of ``alphabet``, none twice in a row, chosen by a hash of ``seed``."""
    out: list[str] = []
    number = int.from_bytes(hashlib.shake_256(seed.encode()).digest(length * 2 + 16), "big")
    while len(out) < length:
        number, digit = divmod(number, len(alphabet))
        if out and alphabet[digit] == out[-1]:
            digit = (digit + 1) % len(alphabet)
        out.append(alphabet[digit])
    return "".join(out)
