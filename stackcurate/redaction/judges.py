"""The judges a rule can name: each looks at one candidate and says how sure it is, 0 for noise.

A judge's answer is multiplied with the rule's own confidence. Judges look at a bounded stretch of
text once, so that none is slow on any input.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from . import noise
from .names import PASSWORD_NAME
from .national import any_national, national
from .personal import (
    card,
    card_alone,
    card_groups,
    card_quoted,
    email,
    home_user,
    iban,
    ipv4,
    ipv6,
    person,
)
from .phones import phone, phone_cell, phone_grouped, phone_named
from .place import Place, is_config_path, is_lock_path, is_test_path
from .shapes import (
    account,
    always,
    bearer,
    cookie,
    crc,
    encoded_pair,
    jwt,
    key_bytes,
    mixed,
    random,
    reference_token,
    tail,
    token,
)
from .strength import (
    CHAIN_ADDRESS,
    LABEL,
    LETTERS,
    TECHNICAL,
    is_chosen,
    is_diceware,
    is_long_word,
    is_passphrase,
    is_plain,
    is_strong,
    password_strength,
    token_strength,
)
from .wallets import base58check, mnemonic, stellar
from .whereabouts import coordinate, coordinates, degrees, mac, mac_bytes

Judge = Callable[[Place], float]


_URL_WORDS = (b"password", b"passwd", b"pass", b"secret", b"tiger", b"x-oauth-basic", b"x-access-token")
# scott/tiger: Oracle's example; GitHub: the token is the user, and this says so


def url_password(place: Place) -> float:
    """The password in ``scheme://user:password@host``."""
    value = place.value
    reason = noise.noise(value)
    if reason in ("template", "placeholder", "lookup", "pattern", "url"):
        return 0.0
    user = place.region[place.head : place.start].rpartition(b"/")[2].rstrip(b":").lower()
    host = re.split(rb"[/:?\s\"'`<>]", place.region[place.end + 1 : place.end + 80])[0].lower()
    if re.search(
        rb"example|^host|localhost|^127\.|\.test$|^server|^domain|^\w$|^proxy$|^foo", host
    ):
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


_SCOPE = re.compile(rb"[\w:.-]{1,80}$")
_QUERY = re.compile(rb"[?&;][\w.-]{0,40}$")
_DSN = re.compile(
    rb"(?i)(?:host|user(?:name)?|dbname|database|port|server|uid|login|data source)=[^\s;,]{1,80}"
    rb"[\s;,]{1,2}$"
)
_BEHIND = re.compile(rb"\W{0,12}([\w.$]{1,80})")
_QUOTED_NAME = re.compile(rb"[\"'][A-Z][A-Z0-9_]{3,60}=$")  # putenv("DB_PASSWORD=...")
_NAME = re.compile(rb"[\w.$-]{1,60}$")


def assigned(place: Place) -> float:
    """A value that stands behind a name like ``password``, ``secret`` or ``api_key``."""
    return _by_name(place, _full_name(place))


_NAMES: dict[str, Callable[[Place], bytes]] = {}


def names_key(place: Place, judge: str) -> bool:
    """A rule that reads names found its value behind one that is no password: token, api_key."""
    read = _NAMES.get(judge)
    name = read(place) if read else b"password"
    return not PASSWORD_NAME.search(name) and not _is_typed_secret(place, name)


def _is_typed_secret(place: Place, name: bytes) -> bool:
    """``secret = ...`` of servers for calls and logins (Asterisk, FreeRADIUS): people type it."""
    if name.lower() != b"secret" or not place.path.endswith((".conf", ".cfg", ".cnf")):
        return False
    return len(place.value) < 24 and not noise.is_hex(place.value)


def _by_name(place: Place, name: bytes) -> float:
    value = place.value
    reason = noise.noise(value)
    if reason and reason != "words" and not is_plain(value, reason):
        return 0.0
    if (
        noise.NOT_A_VALUE_NAME.search(name)
        or noise.has_digest_name(name)
        or is_lock_path(place.path)
    ):
        return 0.35 if noise.is_random(value) else 0.0
    if PASSWORD_NAME.search(name):
        return password_strength(value, reason, place)
    return token_strength(value, reason, name)


def bare(place: Place) -> float:
    """As ``assigned``, for a value without quotes: only where a language writes values so."""
    before = place.region[max(0, place.head - 120) : place.head]
    named = _QUOTED_NAME.search(place.region[max(0, place.head - 60) : place.start])
    if is_config_path(place.path) or named or _QUERY.search(before) or _DSN.search(before):
        return assigned(place)
    value = place.value
    if len(value) < 16 or not noise.is_random(value) or noise.noise(value):
        return 0.0
    return 0.8 * assigned(place)


# Keys of tables, caches and lists, and keys that are published; tokens that page and repeat.
_OPEN_WORDS = frozenset(
    b" websocket socket public publishable anon site cache sort partition foreign idempotency"
    b" dedup object row item field translation i18n locale message lookup hash map react"
    b" column index unique natural group shard routing route fingerprint id pub host tree"
    b" node bucket next page paging cursor sync csrf xsrf nonce state registry vector"
    b" expected known request lock update continuation verification s3 primary".split()
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
_SECRET_HASH = re.compile(rb"(?i)api_?hash$")  # Telegram's name for the key of an application
# SubjectPublicKeyInfo (RFC 5280) of P-256, RSA and Ed25519 in base64.
_PUBLIC_DER = (b"MFkwEwYHKoZIzj0CAQ", b"MIIBIjANBgkqhkiG9w", b"MIGfMA0GCSqGSIb3DQ", b"MCowBQYDK2Vw")
_PUBLIC = re.compile(rb"(?i)(?:public|pub|host|verif\w+|minisign)[ _-]{1,2}$")
_DIGEST_BEFORE = re.compile(rb"(?i)^(?:sha\d{1,3}|md5)[-:]")


def machine(place: Place) -> float:
    """A random value behind a name that ends in key, token, secret and the like."""
    value, name = place.value, _full_name(place)
    if _LICENSE_NAME.search(name) and _LICENSE_CODE.fullmatch(value):
        return 0.0 if noise.token_noise(value) else 0.9
    if noise.noise(value) or noise.token_noise(value) or noise.is_number(value):
        return 0.0
    if CHAIN_ADDRESS.fullmatch(value) or value.startswith(_PUBLIC_DER):
        return 0.0
    name = _SECRET_SALT.sub(b"app_secret", _SECRET_HASH.sub(b"api_key", _ACCESS_ID.sub(b"", name)))
    if _is_open(name) or noise.NOT_A_VALUE_NAME.search(name):
        return 0.0
    if noise.has_digest_name(name) or is_lock_path(place.path) or _DIGEST_BEFORE.search(value):
        return 0.0
    if re.fullmatch(rb"(?i)[\W_]*(?:key|auth|pat|license)", name):
        # A bare key: of a dictionary, or of a test of a cipher; padded base64 is of a cipher.
        padded = len(value) in (44, 88) and value.endswith(b"=") and noise.is_random(value)
        padded = padded or (b"appsettings" in place.path.lower().encode() and len(value) >= 16)
        mixed = len(value) >= 16 and noise.is_random(value) and not noise.is_hex(value)
        both = mixed and not value.islower() and not value.isupper()
        public = _PUBLIC.search(place.region[max(0, place.head - 24) : place.head])
        return 0.7 if (padded or both) and not (public or is_test_path(place.path)) else 0.45
    if noise.is_uuid(value):
        return 0.65
    if not noise.is_random(value):
        return 0.0
    return 0.5 if is_test_path(place.path) and noise.is_hex(value) else 0.9


def said_key(place: Place) -> float:
    """As ``machine``, in prose: hex digits are a digest there, unless a key's name shouts."""
    if noise.is_hex(place.value) and not _SHOUTED.search(place.before(60)):
        return 0.0
    return machine(place) if len(set(place.value)) > 11 else 0.0


_SHOUTED = re.compile(rb"[A-Z0-9]{2,}_(?:KEY|TOKEN|SECRET|PAT)\b")


def bare_machine(place: Place) -> float:
    """As ``machine``, without quotes: where a language or a command writes values so."""
    if is_config_path(place.path) or _SHELL_NAME.search(place.before(80)):
        return machine(place)
    return 0.0


_SHELL_NAME = re.compile(rb"(?:^|[ \t\"'])[A-Z][A-Z0-9_]{3,60}=$")


def key_argument(place: Place) -> float:
    """A literal that a call encrypts or signs with: random, and not of a test of the cipher."""
    value = place.value
    if noise.token_noise(value) or is_test_path(place.path):
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
    return 1.0 if unspoken >= 3 else 0.0


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
    if not mixed or value.endswith(b":") or (_COMPOUND.search(value) and not is_passphrase(value)):
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
    return literal_password(place) if is_strong(value) else 0.0


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
    rb"(?i)^--?[a-z]|^[a-z0-9.-]+\.(?:com|org|net|io|local|internal|dev|test|lan)(?::\d+)?$|^[\w.+-]+@[\w-]+\.[a-z.]{2,}$"
)


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
    return place.region[place.head : place.start].strip(b"${:-")


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


def _full_name(place: Place) -> bytes:
    """The whole name that the value is assigned to, with its prefixes."""
    region, head = place.region, place.head
    scope = _SCOPE.search(region[max(0, head - 80) : head])
    if scope and (b"::" in scope[0] or b"arn:" in scope[0]) and not _is_hiera(place, scope[0]):
        return b"type"  # AWS::IAM::AccessKey and arn:aws:...:secret: are names of kinds and places
    prefix = _NAME.search(region[max(0, head - 60) : head])
    tail = _REST.match(region[head : min(head + 60, place.start)])
    return (prefix[0] if prefix else b"") + (tail[0] if tail else b"")


def _is_hiera(place: Place, scope: bytes) -> bool:
    """Puppet's data: profile::app::api_key is the name of a value."""
    return place.path.endswith((".yaml", ".yml", ".eyaml")) and scope.islower()


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
    defaulted=_property_name,
    defined=_defined_name,
    instruction=_instruction_name,
)

JUDGES: dict[str, Judge] = {
    "account": account,
    "account_password": account_password,
    "always": always,
    "any_national": any_national,
    "assigned": assigned,
    "bare": bare,
    "bare_machine": bare_machine,
    "base58check": base58check,
    "bearer": bearer,
    "before_name": before_name,
    "card": card,
    "card_alone": card_alone,
    "card_groups": card_groups,
    "card_quoted": card_quoted,
    "chars": chars,
    "cli": cli,
    "compared": compared,
    "cookie": cookie,
    "chosen_strongly": chosen_strongly,
    "coordinate": coordinate,
    "coordinates": coordinates,
    "crc": crc,
    "defaulted": defaulted,
    "defined": defined,
    "degrees": degrees,
    "device_secret": device_secret,
    "email": email,
    "encoded_pair": encoded_pair,
    "entropy": entropy,
    "grouped_letters": grouped_letters,
    "hash_line": hash_line,
    "home_user": home_user,
    "iban": iban,
    "instruction": instruction,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "jwt": jwt,
    "key_argument": key_argument,
    "key_bytes": key_bytes,
    "literal_password": literal_password,
    "machine": machine,
    "mnemonic": mnemonic,
    "mac": mac,
    "mac_bytes": mac_bytes,
    "mixed": mixed,
    "national": national,
    "near_password": near_password,
    "netrc": netrc,
    "password": password,
    "person": person,
    "phone": phone,
    "phone_cell": phone_cell,
    "phone_grouped": phone_grouped,
    "phone_named": phone_named,
    "random": random,
    "reference_token": reference_token,
    "said": said,
    "said_key": said_key,
    "said_strongly": said_strongly,
    "stellar": stellar,
    "tail": tail,
    "token": token,
    "url_password": url_password,
    "wifi": wifi,
}

GENERIC = frozenset(
    (
        *(
            *_NAMES,
            "bare_machine",
            "bearer",
            "account_password",
            "chosen_strongly",
            "device_secret",
            "before_name",
            "cli",
            "cookie",
            "entropy",
            "literal_password",
        ),
        *("key_argument", "machine", "near_password", "netrc", "password", "random", "said_key"),
    )
)
"""Judges of values that names or randomness, rather than a vendor's shape, call secret."""
