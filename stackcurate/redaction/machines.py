"""Judges of values that machines made, behind names that end in key, token and the like."""

from __future__ import annotations

import base64
import itertools
import re

from . import noise
from .assigned import full_name, is_key_id, is_typed_secret
from .place import Place, is_config_path, is_lock_path, is_test_path
from .strength import CHAIN_ADDRESS

# Keys of tables, caches and lists, and keys that are published; tokens that page and repeat.
_OPEN_WORDS = frozenset(
    b" websocket socket public publishable anon site cache sort partition foreign idempotency"
    b" dedup object row item field translation i18n locale message lookup hash map react"
    b" column index unique natural group shard routing route fingerprint id pub host tree"
    b" node bucket next page paging cursor sync csrf xsrf nonce state registry vector"
    b" expected known request lock update continuation verification s3 primary"
    b" tv rfc nist kat".split()
)
_WORD = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Za-z][0-9]")


def _is_open(name: bytes) -> bool:
    """A word of ``name`` says that its value is no secret; the primary key of a service is."""
    words = [word.lower() for word in _WORD.findall(name)]
    if words[-2:] == [b"primary", b"key"] and len(words) > 2:
        words.remove(b"primary")
    return not _OPEN_WORDS.isdisjoint(words)


_LICENSE_NAME = re.compile(rb"(?i)licen[cs]e|serial|product|activation")
_LICENSE_CODE = re.compile(rb"(?=[^0-9]*[0-9])(?:[A-Z0-9]{4,8}-){2,7}[A-Z0-9]{4,8}")
_ACCESS_ID = re.compile(rb"(?i)access[_-]?(?:key[_-]?)?id$")
_SECRET_SALT = re.compile(
    rb"(?i)(?:(?:pass(?:word)?|hash(?:ids)?|sign(?:ing)?|auth|logged_in|secure|nonce|cookie|app|site|encrypt\w*|secret|jwt|token)_?-?)*salt$"
)
# What bundlers ask of names that a page may read; the value is a key all the same.
_BUNDLER = re.compile(rb"^(?:REACT_APP|VUE_APP|NEXT_PUBLIC|NUXT_PUBLIC|EXPO_PUBLIC|VITE|GATSBY)_")
_SECRET_HASH = re.compile(rb"(?i)api_?hash$")  # Telegram's name for the key of an application
# SubjectPublicKeyInfo (RFC 5280) of P-256, RSA and Ed25519 in base64.
_PUBLIC_DER = (b"MFkwEwYHKoZIzj0CAQ", b"MIIBIjANBgkqhkiG9w", b"MIGfMA0GCSqGSIb3DQ", b"MCowBQYDK2Vw")
_PUBLIC = re.compile(rb"(?i)(?:public|pub|host|verif\w+|minisign)[ _-]{1,2}$")
_DIGEST_BEFORE = re.compile(rb"(?i)^(?:sha\d{1,3}|md5)[-:]")


def machine(place: Place) -> float:
    """A random value behind a name that ends in key, token, secret and the like."""
    value, name = place.value, full_name(place)
    code = value.count(b"-") > 3 or _LICENSE_NAME.search(name)
    if code and _LICENSE_CODE.fullmatch(value):
        return 0.0 if noise.token_noise(value) else 0.9
    if noise.noise(value) or noise.token_noise(value) or noise.is_number(value):
        return 0.0
    if CHAIN_ADDRESS.fullmatch(value) or value.startswith(_PUBLIC_DER):
        return 0.0
    if is_typed_secret(place, name) or is_key_id(name, value):
        return 0.0
    name = _SECRET_SALT.sub(b"app_secret", _SECRET_HASH.sub(b"api_key", _ACCESS_ID.sub(b"", name)))
    name = _BUNDLER.sub(b"", name)
    if _is_open(name) or noise.NOT_A_VALUE_NAME.search(name):
        return 0.0
    if noise.has_digest_name(name) or is_lock_path(place.path) or _DIGEST_BEFORE.search(value):
        return 0.0
    if re.fullmatch(rb"(?i)[\W_]*(?:key|auth|pat|license)", name):
        # A bare key: of a dictionary, or of a test of a cipher; padded base64 is of a cipher.
        padded = len(value) in (44, 88) and value.endswith(b"=") and noise.is_random(value)
        padded = padded or (len(value) >= 16 and bool(_KEYS_OF_SERVICES.search(place.path)))
        mixed = len(value) >= 16 and noise.is_random(value) and not noise.is_hex(value)
        both = mixed and not value.islower() and not value.isupper()
        public = _PUBLIC.search(place.region[max(0, place.head - 24) : place.head])
        return 0.7 if (padded or both) and not (public or is_test_path(place.path)) else 0.45
    if noise.is_uuid(value):
        return 0.4 if name.endswith(b"redential") else 0.65
    if _counts_up(value):
        return 0.0
    if not noise.is_random(value):
        drawn = _NAMED_KEY.search(name) and len(value) > 15 and noise.is_unspeakable(value)
        return 0.65 if drawn else 0.0
    return 0.5 if is_test_path(place.path) and noise.is_hex(value) else 0.9


# ASP.NET's settings, and Laravel's of the services that an application uses.
_KEYS_OF_SERVICES = re.compile(r"(?i)appsettings|(?:^|/)config/services\.php$")
_NAMED_KEY = re.compile(rb"(?i)api[-_]?key|secret|token")


def _counts_up(value: bytes) -> bool:
    """Octets in hex that count: what specifications print as a key."""
    if len(value) < 16 or len(value) % 2 or not noise.is_hex(value) or value[1:2] in b"xX":
        return False
    octets = bytes.fromhex(value.decode())
    steps = sum(b - a == 1 for a, b in itertools.pairwise(octets))
    return steps * 4 >= len(octets) * 3


_BASE58 = re.compile(rb"[1-9A-HJ-NP-Za-km-z]+")
_NAMED_BEFORE = re.compile(rb"([A-Za-z_$][\w$.-]{0,60})[\"'`\])]{0,2}[ \t]{0,4}(?:[=:(,]|=>)")


def random_literal(place: Place) -> float:
    """A literal by chance, in both cases with digits: real code holds hardly one that is no key.

    Addresses and transactions of chains, and what a name calls an id, are none.
    """
    value = place.value
    digits = sum(48 <= byte <= 57 for byte in value)
    if digits < 2 or value.islower() or value.isupper() or noise.is_hex(value):
        return 0.0
    if not noise.is_random(value) or noise.noise(value) or noise.token_noise(value):
        return 0.0
    if _is_text(value):
        return 0.0  # looked into where it is decoded (``wrapped``)
    if len(value) in (33, 34, 43, 44, 46) and _BASE58.fullmatch(value):
        return 0.0
    name = _NAMED_BEFORE.match(_last_name(place))
    if is_lock_path(place.path) or (name and _is_no_secret(name[1])):
        return 0.0
    return 0.5 if is_test_path(place.path) else 1.0


def _is_text(value: bytes) -> bool:
    """Base64 of ASCII text."""
    try:
        raw = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False
    return raw.isascii() and sum(byte < 32 for byte in raw) <= raw.count(b"\n")


def _last_name(place: Place) -> bytes:
    """The last name before the literal, and what stands between."""
    before = place.region[max(0, place.head - 64) : place.start - 1]
    words = re.split(rb"(?<=[\s({,;])(?=[A-Za-z_$\"'`])", before)
    return words[-1].lstrip(b"\"'`") if words else b""


def _is_no_secret(name: bytes) -> bool:
    if _is_open(name) or noise.NOT_A_VALUE_NAME.search(name) or noise.has_digest_name(name):
        return True
    return _IDS.search(name) is not None


_IDS = re.compile(
    rb"(?i)(?:id|ids|uid|cid|addr(?:ess)?|wallet|account|video|sheet|doc|slug|code|alphabet)$"
    rb"|chars?\w{0,6}$"
)


def said_key(place: Place) -> float:
    """As ``machine``, in prose: hex digits are a digest there, unless a key's name shouts."""
    if noise.is_hex(place.value) and not _SHOUTED.search(place.before(60)):
        return 0.0
    return machine(place) if len(set(place.value)) > 11 else 0.0


_SHOUTED = re.compile(
    rb"[A-Z0-9]{2,}_(?:KEY|TOKEN|SECRET|PAT)\b"
    rb"|(?i:api[_-]?key|(?:access|auth|api|bot|refresh)[_-]?token|client[_-]?secret|secret[_-]?key)"
)


def bare_machine(place: Place) -> float:
    """As ``machine``, without quotes: where a language or a command writes values so."""
    if is_config_path(place.path) or _SHELL_NAME.search(place.before(80)):
        return machine(place)
    return 0.0


_SHELL_NAME = re.compile(rb"(?:^|[ \t\"'])[A-Z][A-Z0-9_]{3,60}=$")


def key_argument(place: Place) -> float:
    """A literal that a call encrypts or signs with: random, and not of a test of the cipher."""
    value = place.value
    if noise.token_noise(value) or noise.is_uuid(value) or is_test_path(place.path):
        return 0.0
    if b"otp" in place.region[place.head : place.start].lower() and _BASE32.fullmatch(value):
        return 1.0
    return 1.0 if noise.is_random(value) and not noise.noise(value) else 0.0


_BASE32 = re.compile(rb"[A-Z2-7]{16,128}")


def before_name(place: Place) -> float:
    """A random value whose name stands behind it."""
    if noise.noise(place.value) or noise.token_noise(place.value):
        return 0.0
    return 1.0 if noise.is_random(place.value) or noise.is_uuid(place.value) else 0.0
