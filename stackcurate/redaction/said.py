"""Judges of passwords that prose, calls, commands and the settings of devices tell of."""

from __future__ import annotations

import re

from . import noise
from .assigned import password
from .place import Place, is_test_path
from .strength import (
    LABEL,
    LETTERS,
    TECHNICAL,
    is_chosen,
    is_diceware,
    is_long_word,
    is_passphrase,
    is_plain,
    is_sentence,
    is_strong,
    password_strength,
)

_URL_WORDS = (
    b"password",
    b"passwd",
    b"pass",
    b"secret",
    b"tiger",
    b"x-oauth-basic",
    b"x-access-token",
)
# scott/tiger: Oracle's example; GitHub: the token is the user, and this says so
_NO_HOST = re.compile(
    rb"example|^host(?:name)?\d?(?:\.(?:com|org|net|tld|name|domain))?$|localhost|^127\.|\.test$"
    rb"|^server|^domain|^\w$|^proxy$|^foo"
)


def url_password(place: Place) -> float:
    """The password in ``scheme://user:password@host``."""
    value = place.value
    reason = noise.noise(value)
    if reason in ("template", "placeholder", "lookup", "pattern", "url"):
        return 0.0
    user = place.region[place.head : place.start].rpartition(b"/")[2].rstrip(b":").lower()
    host = re.split(rb"[/:?\s\"'`<>]", place.region[place.end + 1 : place.end + 80])[0].lower()
    if _NO_HOST.search(host):
        local = re.match(rb"localhost|127\.", host) is not None
        chosen = is_strong(value) or (
            reason == "words" and (is_chosen(value) or is_long_word(value, 10))
        )
        return 0.75 if local and chosen and not LABEL.search(value) else 0.45
    if reason == "short" or value.lower() in (*_URL_WORDS, user):
        return 0.4
    if is_test_path(place.path) and (reason or len(value) < 8) and not is_passphrase(value):
        return 0.5
    return 0.7 if reason == "words" else 1.0


def literal_password(place: Place) -> float:
    """A literal that its call, its field or its command says is a password."""
    value = place.value
    reason = noise.noise(value)
    chosen = is_chosen(value) or is_long_word(value)
    if reason and not (reason == "words" and chosen):
        return 0.8 if is_plain(value, reason) else 0.0
    if noise.is_number(value) or noise.is_uuid(value) or _NO_LITERAL.search(value):
        return 0.0
    if reason:
        return 0.7
    return password_strength(value, reason, place)


_NO_SAYING = re.compile(rb"\w{1,20}=\S|0[xX][0-9A-Fa-f]{6}")
_COLON = re.compile("[:：][ \t]{0,3}$".encode())
_COMPOUND = re.compile(rb"[a-z]{3}-[a-z]{3}|[({\[/]")


def grouped_letters(place: Place) -> float:
    """Four groups of letters that are no words: vowels and consonants do not take turns."""
    groups = place.value.split(b" ")
    unspoken = sum(
        re.search(rb"[^aeiouy]{3}|^[^aeiouy]{2}|[^aeiouy]{2}$", g) is not None for g in groups
    )
    odd = sum(noise.odd_pairs(group) for group in groups)
    quoted = place.before(1) in (b'"', b"'")
    return 1.0 if (unspoken >= 3 and (quoted or odd)) or odd > 1 else 0.0


def said(place: Place) -> float:
    """What prose says a password is: letters with digits or signs, or nobody would know it."""
    value = place.value
    mixed = re.search(rb"[0-9]", value) or noise.is_unspeakable(value)
    if place.before(1) in (b"`", b'"', b"'"):
        mixed = mixed or is_chosen(value)
    if not mixed and _COLON.search(place.before(4)):
        mixed = is_long_word(value)
    if _NO_SAYING.match(value):
        return 0.0
    whole = is_passphrase(value) or (place.before(1) in (b"`", b'"', b"'") and is_diceware(value))
    if not mixed or value.endswith(b":") or (_COMPOUND.search(value) and not whole):
        return 0.0
    return literal_password(place)


_HEX_OF_DEVICE = re.compile(rb"[0-9A-F]{12,128}")
_ENCODED = re.compile(rb"(?i)[ \t](?:ENC|encrypted|7|8|9|hash)[ \t]{1,4}[\"']?$")


def device_secret(place: Place) -> float:
    """What a device's settings hold behind secret or key: encoded, or hardly a word."""
    value = place.value
    encoded = _ENCODED.search(place.before(24)) and len(value) >= 12
    if encoded and (_HEX_OF_DEVICE.fullmatch(value) or noise.is_random(value)):
        return 0.0 if noise.token_noise(value) else 0.9
    if TECHNICAL.search(value) or noise.is_hex(value):
        return 0.0
    peer = is_diceware(value) and _PEER.search(place.before(80))
    return literal_password(place) if peer or _MARKED.search(place.before(12)) else said(place)


_PEER = re.compile(rb"(?i)isakmp|(?<![a-z])ike(?![a-z])|pre-shared|ipsec|radius|tacacs|snmp|psk")
_MARKED = re.compile(rb"(?i)(?:password|secret|key)[ \t]{1,4}[05][ \t]{1,4}$")


def wifi(place: Place) -> float:
    """A network's password in a code that people scan: anything but a stand-in."""
    reason = noise.noise(place.value)
    weak = len(place.value) < 8 or (reason and reason != "words") or LABEL.match(place.value)
    return 0.4 if weak else 0.9


def chars(place: Place) -> float:
    """A literal made into characters: a password where it is not an alphabet to draw from."""
    value = place.value
    if LABEL.search(value) or _ALPHABET.search(value) or len(set(value)) == len(value) > 14:
        return 0.0
    return literal_password(place)


_ALPHABET = re.compile(rb"(?i)abc|xyz|012|789|aeiou|bcdf|%s|\\")


def netrc(place: Place) -> float:
    """As ``password``, where services take UUIDs too; anonymous logins give an address."""
    if place.value.endswith(b"@") or b"login anonymous" in place.before(40):
        return 0.0
    return 0.9 if noise.is_uuid(place.value) else password(place)


def near_password(place: Place) -> float:
    """A literal somewhere beside a name for passwords: its own look must say that it is one."""
    value = place.value
    if LABEL.search(value) or TECHNICAL.search(value) or not LETTERS.search(value):
        return 0.0
    if _NUMBERED.fullmatch(value):
        return 0.0
    if noise.is_hex(value) and _DIGEST.search(place.before(24)):
        return 0.0
    if noise.sequence(value):  # the letters of an alphabet that something is written with
        return 0.0
    return literal_password(place) if is_strong(value) else 0.0


# What numbers devices: probe-01, Livebox-8A20.
_NUMBERED = re.compile(rb"[A-Za-z]{3,}-(?:[0-9]{1,2}|(?=[0-9]*[A-F])[0-9A-F]{4})")
_DIGEST = re.compile(
    rb"(?i)(?:hash|digest|sha-?[0-9]{0,3}|md5|checksum|etag|commit|kid)[\"']?[ ]?[:=][ ]?[\"']$"
)


def dice_spaced(place: Place) -> float:
    """Words with spaces between: as dice choose them, none of a sentence or an interface."""
    value = place.value
    return 0.0 if LABEL.search(value) or is_sentence(value) else 1.0


def said_strongly(place: Place) -> float:
    """As ``said``, where no word says password: only what can hardly be anything else."""
    value = place.value
    technical = TECHNICAL.search(value) and not noise.is_shuffled(value)
    return said(place) if is_strong(value) and not technical else 0.0


def account_password(place: Place) -> float:
    """As ``chosen_strongly``, where a password must stand: words joined by dashes are one, too."""
    return literal_password(place) if is_diceware(place.value) else chosen_strongly(place)


def chosen_strongly(place: Place) -> float:
    """Beside an account: mixed as passwords are, or words with a number behind them."""
    value = place.value
    if LABEL.search(value) or TECHNICAL.search(value):
        return 0.0
    if not (is_strong(value) or _NAME_AND_YEAR.fullmatch(value) or noise.is_random(value)):
        return 0.0
    return said(place)


_NAME_AND_YEAR = re.compile(rb"[A-Za-z][A-Za-z]{3,}[._!@#-]?[0-9]{2,6}[!.?]?")


# An option, a host or an address of mail.
_NO_LITERAL = re.compile(
    rb"(?i)^--?[a-z]|^[a-z0-9.-]+\.(?:com|org|net|io|local|internal|dev|test|lan)(?::\d+)?$|^[\w.+-]+@[\w-]+\.(?-i:[a-z.]{2,})$"
)


def cli(place: Place) -> float:
    """An option's value: in documentation it is mostly the name of the value in capitals."""
    value = place.value
    reason = noise.noise(value)
    if reason and not (reason == "words" and (is_chosen(value) or is_long_word(value))):
        return 0.0
    if noise.is_number(value) or noise.is_uuid(value):
        return 0.0
    name = place.region[place.head : place.start].strip(b" \t=\"'-")
    if noise.NOT_A_VALUE_NAME.search(name) or noise.has_digest_name(name):
        return 0.0
    return password_strength(value, reason, place)
