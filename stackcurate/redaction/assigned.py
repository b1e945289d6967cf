"""Judges of values behind a name: password, secret, api_key, in an assignment or its like."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from . import noise
from .names import PASSWORD_NAME
from .place import Place, is_config_path, is_lock_path
from .strength import is_plain, password_strength, token_strength

_WORD = string.ascii_letters.encode() + string.digits.encode() + b"_"
_SCOPE, _NAME = _WORD + b":.-", _WORD + b".$-"  # what scopes and names are written with
_QUERY = re.compile(rb"[?&;][\w.-]{0,40}$")
_DSN = re.compile(
    rb"(?i)(?:host|user(?:name)?|dbname|database|port|server|uid|login|data source)=[^\s;,]{1,80}"
    rb"[\s;,]{1,2}$"
)
_DSN_JOINTS = tuple(bytes([byte]) for byte in b" \t\r\n\v\f;,")
_BEHIND = re.compile(rb"\W{0,12}([\w.$]{1,80})")
_QUOTED_NAME = re.compile(rb"[\"'][A-Z][A-Z0-9_]{3,60}=$")  # putenv("DB_PASSWORD=...")


def assigned(place: Place) -> float:
    """A value that stands behind a name like ``password``, ``secret`` or ``api_key``."""
    return _by_name(place, full_name(place))


def names_key(place: Place, judge: str) -> bool:
    """A rule that reads names found its value behind one that is no password: token, api_key."""
    read = NAMES.get(judge)
    name = read(place) if read else b"password"
    return not PASSWORD_NAME.search(name) and not is_typed_secret(place, name)


def is_typed_secret(place: Place, name: bytes) -> bool:
    """``secret = ...`` of servers for calls and logins (Asterisk, FreeRADIUS): people type it."""
    if name.lower() != b"secret" or not place.path.endswith((".conf", ".cfg", ".cnf")):
        return False
    return len(place.value) < 24 and not noise.is_hex(place.value)


_PGP_KEY = re.compile(rb"(?i)(?:signing|gpg|pgp)[_-]?key(?:[_-]?id)?$")
_PGP_ID = re.compile(rb"(?:0x)?(?:[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40})")


def is_key_id(name: bytes, value: bytes) -> bool:
    """git's user.signingkey: which key signs, by its fingerprint or the end of it."""
    return _PGP_KEY.search(name) is not None and _PGP_ID.fullmatch(value) is not None


_ESCAPED = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
_RAW = re.compile(rb"(?<![A-Za-z0-9_])[rR][\"']$")
_EXPRESSION = re.compile(rb"\\[^a-zA-Z]|\\[dDsSwW]|[][(){}|*+?^$.]")


def _meant(place: Place) -> bytes:
    """The value without what its syntax adds: JSON's escapes, backslashes that are just that."""
    value = place.value
    if b"\\" not in value:
        return value
    if _RAW.search(place.before(3)) and not _EXPRESSION.search(value):
        return value.replace(b"\\", b"~")
    return _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), value)


def _by_name(place: Place, name: bytes) -> float:
    value = _meant(place)
    if is_key_id(name, value):
        return 0.0
    reason = noise.noise(value)
    if reason and reason != "words" and not is_plain(value, reason):
        return 0.0
    if (
        noise.NOT_A_VALUE_NAME.search(name)
        or (noise.has_digest_name(name) and not _is_for_digests(name, value))
        or is_lock_path(place.path)
    ):
        return 0.35 if noise.is_random(value) else 0.0
    if PASSWORD_NAME.search(name):
        return password_strength(value, reason, place)
    return token_strength(value, reason, name)


def _is_for_digests(name: bytes, value: bytes) -> bool:
    """What routers sign their messages with (RFC 2385), rather than a digest of a secret."""
    return re.search(rb"(?i)md5[_-]?secret$", name) is not None and not noise.is_hex(value)


def bare(place: Place) -> float:
    """As ``assigned``, for a value without quotes: only where a language writes values so."""
    if is_config_path(place.path) or _stands_bare(place):
        return assigned(place)
    value = place.value
    if len(value) < 16 or not noise.is_random(value) or noise.noise(value):
        return 0.0
    return 0.8 * assigned(place)


def _stands_bare(place: Place) -> bool:
    """The value is an argument of putenv, of a query or of a connection string."""
    region, head = place.region, place.head
    if place.before(1) == b"=" and _QUOTED_NAME.search(region[max(0, head - 60) : place.start]):
        return True
    before = region[max(0, head - 120) : head]
    if _QUERY.search(before):
        return True
    return before[-1:] in _DSN_JOINTS and b"=" in before and _DSN.search(before) is not None


def defined(place: Place) -> float:
    """The literal behind ``#define NAME``."""
    return _by_name(place, _defined_name(place))


def _defined_name(place: Place) -> bytes:
    return re.split(rb"[ \t]+", place.region[place.head : place.start])[-2]


def instruction(place: Place) -> float:
    """The value behind a keyword and a name: ENV NAME VALUE."""
    return _by_name(place, _instruction_name(place))


def _instruction_name(place: Place) -> bytes:
    return place.region[place.head : place.start].rstrip(b" \t\"'")


def defaulted(place: Place) -> float:
    """The default of a property or a variable: ${NAME:VALUE}."""
    return _by_name(place, _property_name(place))


def _property_name(place: Place) -> bytes:
    return place.region[place.head : place.start].strip(b"${:=-")


def compared(place: Place) -> float:
    """A literal before the comparison with a secret: the name stands behind it."""
    return _by_name(place, _name_behind(place))


def _name_behind(place: Place) -> bytes:
    name = _BEHIND.match(place.after())
    return name[1] if name else b""


def password(place: Place) -> float:
    """A value whose surroundings say that it is a password."""
    return _by_name(place, b"password")


_REST = re.compile(rb"[.-]?(?i:mot de passe)?[\w\x80-\xff-]{0,60}")


def full_name(place: Place) -> bytes:
    """The whole name that the value is assigned to, with its prefixes."""
    region, head = place.region, place.head
    scope = _ending(region[max(0, head - 80) : head], _SCOPE)
    if (b"::" in scope or b"arn:" in scope) and not _is_hiera(place, scope):
        return b"type"  # AWS::IAM::AccessKey and arn:aws:...:secret: are names of kinds and places
    if region[max(0, head - 9) : head] == b"checksum/":  # Helm: what tells that a secret changed
        return b"checksum"
    prefix = _ending(region[max(0, head - 60) : head], _NAME)
    tail = _REST.match(region[head : min(head + 60, place.start)])
    return prefix + (tail[0] if tail else b"")


def _ending(text: bytes, letters: bytes) -> bytes:
    """The longest end of ``text`` that is of ``letters`` alone."""
    return text[len(text.rstrip(letters)) :]


def _is_hiera(place: Place, scope: bytes) -> bool:
    """Puppet's data: profile::app::api_key is the name of a value."""
    return place.path.endswith((".yaml", ".yml", ".eyaml")) and scope.islower()


# Judges of values behind a name, and what reads that name for each.
NAMES: dict[str, Callable[[Place], bytes]] = {
    "assigned": full_name,
    "bare": full_name,
    "compared": _name_behind,
    "defaulted": _property_name,
    "defined": _defined_name,
    "instruction": _instruction_name,
}
