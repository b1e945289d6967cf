"""The judges a rule can name: each looks at one candidate and says how sure it is, 0 for noise.

A judge's answer is multiplied with the rule's own confidence. Judges look at a bounded stretch of
text once, so that none is slow on any input.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable

from . import noise
from .examples import base62
from .national import any_national, national
from .personal import card, card_alone, email, home_user, iban, ipv4, ipv6, person, phone
from .place import Place, is_config_path, is_lock_path, is_test_path
from .whereabouts import coordinate, coordinates, degrees, mac

Judge = Callable[[Place], float]


def token(place: Place) -> float:
    """A value whose shape names its vendor: surely one, unless it is a placeholder."""
    return 0.0 if noise.token_noise(place.value) else 1.0


def mixed(place: Place) -> float:
    """A token whose prefix is short: its text must also be random."""
    if noise.token_noise(place.value) or noise.is_words(place.value):
        return 0.0
    rest = place.value[4:]
    if len(set(rest)) < 7:
        return 0.0
    return 1.0 if any(48 <= byte <= 57 for byte in rest) or noise.is_scrambled(rest) else 0.0


def random(place: Place) -> float:
    """A token that only its randomness tells from a name: letters and digits must be mixed."""
    value = place.value
    return 1.0 if noise.is_random(value) and not noise.token_noise(value) else 0.0


def bearer(place: Place) -> float:
    """What stands behind ``Bearer``: random, and neither prose nor a variable."""
    return 0.0 if noise.noise(place.value) else random(place)


def tail(place: Place) -> float:
    """A token with a long constant head: its last 40 characters must be random."""
    return 1.0 if noise.is_random(place.value[-40:]) else 0.0


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


_RFC_7617 = b"Aladdin:open sesame"


def encoded_pair(place: Place) -> float:
    """Base64 of ``user:password``, as in HTTP basic authorization and docker's ``auth``."""
    try:
        text = base64.b64decode(place.value + b"=" * (-len(place.value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return 0.0
    user, colon, password = text.partition(b":")
    if not colon or not text.isascii() or not text.decode().isprintable():
        return 0.0
    if noise.noise(password) in ("template", "placeholder", "short") or text == _RFC_7617:
        return 0.4
    if noise.token_noise(place.value) or password.lower() in (user.lower(), b"password", b"pass"):
        return 0.5
    return 1.0


_URL_WORDS = (b"password", b"passwd", b"pass", b"secret", b"tiger")  # scott/tiger: Oracle's example


def url_password(place: Place) -> float:
    """The password in ``scheme://user:password@host``."""
    value = place.value
    reason = noise.noise(value)
    if reason in ("template", "placeholder", "lookup", "pattern", "url"):
        return 0.0
    user = place.region[place.head : place.start].rpartition(b"/")[2].rstrip(b":").lower()
    host = re.split(rb"[/:?\s\"'`<>]", place.region[place.end + 1 : place.end + 80])[0].lower()
    if re.search(
        rb"example|^host|localhost|^127\.|\.test$|^server|^domain|^\w$|^proxy\b|^foo", host
    ):
        return 0.45
    if reason == "short" or value.lower() in (*_URL_WORDS, user):
        return 0.4
    if is_test_path(place.path) and (reason or len(value) < 8):
        return 0.5
    return 0.7 if reason == "words" else 1.0


_PASSWORD_NAME = re.compile(rb"(?i)pass(?:w(?:or)?d|wd|phrase|code)?s?|pwd|contrase")
_SCOPE = re.compile(rb"[\w:.-]{1,80}$")
_QUERY = re.compile(rb"[?&;][\w.-]{0,40}$")
_BEHIND = re.compile(rb"\W{0,12}([\w.$]{1,80})")
_NAME = re.compile(rb"[\w.$-]{1,60}$")
_WEAK = re.compile(
    rb"(?i)^(?:test|pass|passw(?:or)?d|s[e3]cr[e3]t|admin|foo|bar|demo|user|root|hello|key|token|super|my|"
    rb"abc|pw|hunter|guest|qwerty|p[a@]ss(?:w[o0]rd)?|[-_!@#.]|\d{0,4})+$"
)


def assigned(place: Place) -> float:
    """A value that stands behind a name like ``password``, ``secret`` or ``api_key``."""
    return _by_name(place, _full_name(place))


_NAMES: dict[str, Callable[[Place], bytes]] = {}


def names_key(place: Place, judge: str) -> bool:
    """A rule that reads names found its value behind one that is no password: token, api_key."""
    name = _NAMES.get(judge)
    return name is not None and not _PASSWORD_NAME.search(name(place))


def _by_name(place: Place, name: bytes) -> float:
    value = place.value
    reason = noise.noise(value)
    if reason and reason != "words":
        return 0.0
    if (
        noise.NOT_A_VALUE_NAME.search(name)
        or noise.has_digest_name(name)
        or is_lock_path(place.path)
    ):
        return 0.35 if noise.is_random(value) else 0.0
    if _PASSWORD_NAME.search(name):
        return _password_strength(value, reason, place)
    return _token_strength(value, reason, name)


def bare(place: Place) -> float:
    """As ``assigned``, for a value without quotes: only where a language writes values so."""
    if is_config_path(place.path) or _QUERY.search(
        place.region[max(0, place.head - 64) : place.head]
    ):
        return assigned(place)
    value = place.value
    if len(value) < 16 or not noise.is_random(value) or noise.noise(value):
        return 0.0
    return 0.8 * assigned(place)


def config(place: Place) -> float:
    """As ``assigned``, for a value that reaches to the end of a line of a configuration file."""
    return assigned(place) if is_config_path(place.path) else 0.0


def defined(place: Place) -> float:
    """The literal behind ``#define NAME``."""
    return _by_name(place, _defined_name(place))


def _defined_name(place: Place) -> bytes:
    return re.split(rb"[ \t]+", place.region[place.head : place.start])[-2]


def netrc(place: Place) -> float:
    """The word behind ``password`` on a line of its own, in a file of that format."""
    return password(place) if place.path.endswith((".netrc", "/_netrc")) else 0.0


def pgpass(place: Place) -> float:
    """The last of five fields, in a file of that format."""
    return password(place) if place.path.endswith((".pgpass", "/pgpass.conf")) else 0.0


def instruction(place: Place) -> float:
    """The value behind a keyword and a name: ENV NAME VALUE."""
    if not is_config_path(place.path):
        return 0.0
    return _by_name(place, _instruction_name(place))


def _instruction_name(place: Place) -> bytes:
    return place.region[place.head : place.start].rstrip(b" \t\"'")


def cli(place: Place) -> float:
    """An option's value: in documentation it is mostly the name of the value in capitals."""
    value = place.value
    if noise.noise(value) or noise.is_number(value) or noise.is_uuid(value):
        return 0.0
    name = place.region[place.head : place.start].strip(b" \t=\"'-")
    if noise.NOT_A_VALUE_NAME.search(name) or noise.has_digest_name(name):
        return 0.0
    return _password_strength(value, None, place)


def compared(place: Place) -> float:
    """A literal before the comparison with a secret: the name stands behind it."""
    return _by_name(place, _name_behind(place))


def _name_behind(place: Place) -> bytes:
    name = _BEHIND.match(place.after())
    return name[1] if name else b""


def password(place: Place) -> float:
    """A value whose surroundings say that it is a password."""
    return _by_name(place, b"password")


def _full_name(place: Place) -> bytes:
    """The whole name that the value is assigned to, with its prefixes."""
    region, head = place.region, place.head
    scope = _SCOPE.search(region[max(0, head - 80) : head])
    if scope and (b"::" in scope[0] or b"arn:" in scope[0]):
        return b"type"  # AWS::IAM::AccessKey and arn:aws:...:secret: are names of kinds and places
    prefix = _NAME.search(region[max(0, head - 60) : head])
    tail = re.match(rb"[\w-]{0,60}", region[head : min(head + 60, place.start)])
    return (prefix[0] if prefix else b"") + (tail[0] if tail else b"")


def _password_strength(value: bytes, reason: str | None, place: Place) -> float:
    """Passwords people choose: mixed characters are sure, a plain word may be a label."""
    if reason == "words" or b" " in value:
        return 0.35 if b" " not in value else 0.0
    if len(value) > 128 or noise.is_uuid(value):
        return 0.4
    if noise.is_number(value):
        weak = len(value) < 6 or not value.isdigit() or is_test_path(place.path)
        return 0.35 if weak else 0.62
    classes = sum(re.search(kind, value) is not None for kind in _CLASSES)
    if len(value) < 6 or classes < 2:
        return 0.4
    if _WEAK.match(value):
        return 0.45 if is_test_path(place.path) else 0.65
    return 0.8 if is_test_path(place.path) else 0.9


_CLASSES = (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9_.\s-]")


def _token_strength(value: bytes, reason: str | None, name: bytes) -> float:
    """Machine-made values: long and random is sure."""
    if reason == "words" or b" " in value or noise.is_number(value):
        return 0.0
    if noise.token_noise(value):
        return 0.0
    if noise.is_uuid(value):
        return 0.62 if re.search(rb"(?i)api|secret|auth|access", name) else 0.4
    if noise.is_random(value):
        if len(value) >= 16:
            return 0.9
        return 0.65 if re.search(rb"(?i)secret|api|key", name) and len(value) >= 8 else 0.45
    digits = sum(48 <= byte <= 57 for byte in value)
    return 0.5 if digits and len(value) >= 8 else 0.35


def entropy(place: Place) -> float:
    """A random-looking string that nothing names: only a strict run redacts it."""
    if is_lock_path(place.path):
        return 0.0
    return 0.0 if noise.bare_noise(place.value, place.before(), place.after()) else 1.0


def hash_line(place: Place) -> float:
    """A password hash in the formats of crypt(3): ``$6$salt$hash`` and its relatives."""
    return 0.0 if noise.token_noise(place.value[-20:]) else 1.0


_NAMES.update(
    assigned=_full_name,
    bare=_full_name,
    compared=_name_behind,
    config=_full_name,
    defined=_defined_name,
    instruction=_instruction_name,
)

JUDGES: dict[str, Judge] = {
    "always": always,
    "any_national": any_national,
    "assigned": assigned,
    "bare": bare,
    "bearer": bearer,
    "card": card,
    "card_alone": card_alone,
    "cli": cli,
    "compared": compared,
    "config": config,
    "coordinate": coordinate,
    "coordinates": coordinates,
    "crc": crc,
    "defined": defined,
    "degrees": degrees,
    "email": email,
    "encoded_pair": encoded_pair,
    "entropy": entropy,
    "hash_line": hash_line,
    "home_user": home_user,
    "iban": iban,
    "instruction": instruction,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "jwt": jwt,
    "mac": mac,
    "mixed": mixed,
    "national": national,
    "netrc": netrc,
    "password": password,
    "person": person,
    "pgpass": pgpass,
    "phone": phone,
    "random": random,
    "tail": tail,
    "token": token,
    "url_password": url_password,
}

GENERIC = frozenset((*_NAMES, "bearer", "cli", "entropy", "password", "random"))
"""Judges of values that names or randomness, rather than a vendor's shape, call secret."""
