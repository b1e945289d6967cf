"""Private keys of wallets: what their own checksums say about them."""

from __future__ import annotations

import base64
import binascii
import hashlib

from .place import Place

_BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58check(place: Place) -> float:
    """Bitcoin's keys (WIF, xprv): the last four bytes are a double SHA-256 of the others."""
    number = 0
    for digit in place.value:
        number = number * 58 + _BASE58.index(digit)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return 1.0 if raw[-4:] == double_sha256(raw[:-4])[:4] else 0.0


def double_sha256(raw: bytes) -> bytes:
    """SHA-256 of SHA-256, as Bitcoin uses it."""
    return hashlib.sha256(hashlib.sha256(raw).digest()).digest()


def stellar(place: Place) -> float:
    """Stellar's seeds: base32, the last two bytes are CRC-16/XMODEM."""
    raw = base64.b32decode(place.value)
    return 1.0 if raw[-2:] == binascii.crc_hqx(raw[:-2], 0).to_bytes(2, "little") else 0.0


def mnemonic(place: Place) -> float:
    """BIP 39: twelve to twenty-four short words; an example repeats one of them."""
    words = place.value.split()
    if len(words) not in (12, 15, 18, 21, 24):
        return 0.0
    return 1.0 if len(set(words)) * 4 > len(words) * 3 else 0.0
