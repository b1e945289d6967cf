"""Judges of values whose own shape names their vendor or format."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
import zlib

from . import noise
from .examples import base62
from .place import Place, is_test_path


def token(place: Place) -> float:
    """A value whose shape names its vendor: surely one, unless it is a placeholder."""
    return 0.0 if noise.token_noise(place.value) else 1.0


def mixed(place: Place) -> float:
    """A token whose prefix is short: its text must also be random."""
    words = noise.is_words(place.value) and not noise.is_unspeakable(place.value)
    if noise.token_noise(place.value) or words:
        return 0.0
    rest = place.value[4:]
    if len(set(rest)) < 7:
        return 0.0
    return 1.0 if any(48 <= byte <= 57 for byte in rest) or noise.is_scrambled(rest) else 0.0


def account(place: Place) -> float:
    """Twilio: AC names an account and opens nothing, SK is a key."""
    return 0.5 * mixed(place) if place.value.startswith(b"AC") else mixed(place)


def random(place: Place) -> float:
    """A token that only its randomness tells from a name: letters and digits must be mixed."""
    value = place.value
    return 1.0 if noise.is_random(value) and not noise.token_noise(value) else 0.0


def bearer(place: Place) -> float:
    """What stands behind ``Bearer``: random, and neither prose nor a variable."""
    return 0.0 if noise.noise(place.value) else random(place)


def cookie(place: Place) -> float:
    """The value of a session's cookie: long, with digits among its letters, no code."""
    value = place.value
    digits = sum(48 <= byte <= 57 for byte in value)
    if noise.noise(value) or noise.token_noise(value) or digits < 3:
        return 0.0
    return 1.0 if noise.longest_word(value) * 3 < len(value) else 0.0


def reference_token(place: Place) -> float:
    """JFrog's reference tokens: base64 of reftkn, a version, when it ends, and the reference."""
    try:
        text = base64.b64decode(place.value + b"=" * (-len(place.value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return 0.0
    return 1.0 if re.fullmatch(rb"reftkn:\d{1,2}:\d{10}:[A-Za-z0-9]{12,40}", text) else 0.0


def tail(place: Place) -> float:
    """A token with a long constant head: its last 40 characters must be random, or its last 60."""
    return 1.0 if any(noise.is_random(place.value[-size:]) for size in (40, 60)) else 0.0


def always(place: Place) -> float:
    """The pattern alone decides."""
    return 1.0


def crc(place: Place) -> float:
    """Tokens that end in the CRC-32 of their random part in base 62 (GitHub, npm).

    A wrong checksum lowers the confidence: the token was made up or damaged.
    """
    if noise.token_noise(place.value):
        return 0.0
    body = place.value.rpartition(b"_")[2]
    right = base62(zlib.crc32(body[:-6]), 6).encode() == body[-6:]
    return 1.0 if right else 0.7


def key_bytes(place: Place) -> float:
    """Numbers of a byte each, as chance draws them: they neither count up nor repeat."""
    octets = [int(one, 0) for one in re.findall(rb"0x[0-9A-Fa-f]{2}|[0-9]+", place.value)]
    steps = {(b - a) % 256 for a, b in itertools.pairwise(octets)}
    if max(octets) > 255 or len(set(octets)) * 3 < len(octets) * 2 or len(steps) * 2 < len(octets):
        return 0.0
    return 1.0 if max(octets) > 127 and not is_test_path(place.path) else 0.0


def jwt(place: Place) -> float:
    """A JSON Web Token: its header parses and names an algorithm."""
    parts = place.value.split(b".")
    header = _json_part(parts[0])
    if not isinstance(header, dict) or not ("alg" in header or "typ" in header):
        return 0.0
    claims = _json_part(parts[1]) if len(parts) < 4 else None
    if isinstance(claims, dict) and (
        str(claims.get("sub")) in ("1234567890", "user", "test", "foo") or claims.get("some")
    ):
        return 0.4  # the example of the documentation, and its like
    if len(parts) < 3 or not parts[2]:
        return 0.5  # unsigned: names things, opens nothing
    return 1.0


def _json_part(part: bytes) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None


# RFC 7617 and RFC 6749 print these.
_PRINTED = (b"Aladdin:open sesame", b"s6BhdRkqt3:gX1fBat3bV", b"s6BhdRkqt3:7Fjfp0ZBr1KtDRbnfVdmIw")


def encoded_pair(place: Place) -> float:
    """Base64 of ``user:password``, as in HTTP basic authorization and docker's ``auth``."""
    try:
        text = base64.b64decode(place.value + b"=" * (-len(place.value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return 0.0
    user, colon, password = text.partition(b":")
    if not colon or not text.isascii() or not text.decode().isprintable():
        return 0.0
    if noise.noise(password) in ("template", "placeholder", "short") or text in _PRINTED:
        return 0.4
    if noise.token_noise(place.value) or password.lower() in (user.lower(), b"password", b"pass"):
        return 0.5
    return 1.0
