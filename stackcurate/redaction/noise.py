"""What looks like a secret and is none: each class of noise has a name, a test and a reason.

``noise`` names the class that a value belongs to, or None. The classes were learned on real code
(standard libraries, installed packages, configuration files), and they are what the comparison with
detect-secrets is allowed to leave out.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

REASONS = {
    "short": "fewer than four characters protect nothing",
    "template": "filled in at run time: ${VAR}, {{ var }}, %s, <token>, $var",
    "placeholder": "stands for a value: xxxx, changeme, your-key-here, EXAMPLE, aaaaaa",
    "sequence": "an alphabet or a count: abcdef, 123456, qwerty",
    "words": "identifier, label or prose: words of letters, joined by space, dot, dash or capitals",
    "lookup": "read from somewhere else: environment, call, index, attribute",
    "url": "an address without credentials",
    "path": "a file or package path",
    "pattern": "a regular expression, format or markup",
    "uuid": "a universally unique id",
    "digest": "a hex string of a digest's length without a secret's name near it",
    "integrity": "a checksum with its algorithm in front, as lock files hold it",
    "data": "part of an encoded image, font or other data, or of a long list",
    "frame": "the BEGIN line of a private key, with no key behind it",
    "name": "named as the label, length, place or hash of a secret, not as the secret",
    "number": "a plain number, date or version",
}

_TEMPLATE = re.compile(
    rb"^\$[\w.:>\[\]'\"-]*$|^\$[^A-Za-z]|^%|\$\{|\$\(|\{\{|\}\}|<%|%>|#\{|%\(|^<[^<>]*>$|^\{(?![A-Za-z0-9+/]{24,600}={1,2}\}$)[^{}]*\}$|^\[[^\[\]]*\]$|^%?[sdvr]$"
    rb"|%[sdvrq](?![a-z])|\{[\w.]*\}|^@[A-Za-z_./{(-]+[0-9]?@?$|\\\(|^__\w+__$|(?<![A-Za-z0-9])\$[A-Za-z_]{3}|^\*[\w./\\*-]*$"
    rb"|^&lt;|^ENC\[|^Ag[A-D][A-Za-z0-9+/]{120}"
    rb"|(?i:^!(?:vault|secret|env|ref|getatt|sub|include|encrypted))|<[A-Za-z_ -]{2,}>"
)
_PLACEHOLDER = re.compile(
    rb"(?i)x{4}|\*{3}|\.{3}|\xe2\x80\xa6|example|sample|dummy|placeholder"
    rb"|change[-_ ]?(?:me|it|this)|replace|redact|insert|your|my[-_]?(?:api|secret|pass|key|token)"
    rb"|some[-_ ]?(?:pass|secret|key|token|value)|todo|fixme|foobar|foo[-_]?bar|fake|mock"
    rb"|undefined|default|^none$|^null$|^nil$|^-?anonymous"
    rb"|^true$|^false$|^test$|hidden|removed|censored|not[-_ ]?(?:set|used|needed|required)"
    rb"|(.)\1{5}|(?:lorem|ipsum)|-{3}|_{4}|={4}|#{3}"
)
# Inside random tokens a short word can be chance; these are not.
_TOKEN_PLACEHOLDER = re.compile(
    rb"(?i)x{5}|example|sample|dummy|placeholder|changeme|replace|redact|insert|your[-_]|fake|(.)\1{6}"
)
_SEQUENCE = re.compile(
    rb"(?i)abcdef(?:gh|01)|0123456|1234567|98765432|qwerty|asdfgh|^abc123$|^123456?$|^1234$"
    rb"|deadbeef|aabbcc|112233|^a1b2c3|a1b2c3d4"
)
_LOOKUP = re.compile(
    rb"(?i)\benv\b|environ|getenv|process\.|config[.\[(]|settings[.\[(]|\w\([^()]*\)|^\$?[\w.:>-]+\(|^[^()]*\)\s*$|->|::"
    rb"|^(?:self|this|os|args|options|opts|params|request|req|ctx|data|props|state|var|local|vault"
    rb"|secrets?|module|each|kwargs)[.\[]|secretsmanager|arn:aws|keyvault|^vault:|^ssm:|^ref\+|^file:"
)
_URL = re.compile(rb"(?i)^(?:[a-z][a-z0-9+.-]{1,20}:)?//|^www\.|https?://|^urn:|^mailto:|^data:")
_PADDED = re.compile(rb"//[A-Za-z0-9+/]{40,84}={1,2}")  # base64, by chance with two strokes
_PATH = re.compile(rb"^[.~]{0,2}/\S*$|^[A-Za-z]:\\|^[\w@.-]+(?:[/\\][\w@.-]+)+$")
_ROOTED = re.compile(
    rb"(?:~|/(?:home|Users|root|etc|var|opt|usr|srv|run|tmp))/[\w./-]+$|[A-Za-z]:\\"
)
_FILE = re.compile(
    rb"(?i)\.(?:py|js|ts|json|ya?ml|txt|pem|key|crt|cer|p12|pfx|jks|html?|css|md|go|rs|java|xml|csv"
    rb"|conf|cfg|ini|sh|php|rb|c|h|cpp|proto|svg|png|jpe?g|gif|com|org|net|io|exe|dll|so|toml|lock)$"
)
_PATTERN = re.compile(
    rb"\[\^|\(\?|\.\*|\.\+|\\[dwsbDWSBnrtu]|\]\+|\]\*|\]\{"
    rb"|^\^(?=.*[$(\[+\\]|[a-z .]*$)|[^\\]\$$|</|/>|<[a-z]+ "
    rb"|&(?!(?:amp|lt|gt|quot|apos);)[a-z]+;|\|\||&&|^[a-z_]+(?:\|[a-z_]+(?::[\w,.]+)?)+$"
)
_UUID = re.compile(rb"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(rb"^(?:0[xX])?[0-9a-fA-F]+$")
# Networks of documentation and of benchmarks (RFC 5737, RFC 2544, RFC 3849), which replace others.
_NOBODYS = re.compile(
    rb"(?:192\.0\.2|198\.51\.100|203\.0\.113|198\.1[89]\.[0-9]{1,3})\.[0-9]{1,3}|2001:db8:[0-9a-f:]+"
)
_INTEGRITY = re.compile(
    rb"(?i)(?:sha(?:1|2|224|256|384|512)?|md5|h1|blake2?[bs]?|sri)[-:=_ ]\W{0,2}$"
)
_INTEGRITY_VALUE = re.compile(rb"(?i)^(?:sha\d{1,3}|md5|h1|blake2?[bs]?)[-:=]")
_NUMBER = re.compile(
    rb"^[v+^~-]?[<>]?=?[0-9][0-9., :/T+-]*[a-zA-Z%]{0,2}[0-9]{0,2}$|^0x[0-9a-fA-F]{1,8}$"
)
_DATA = re.compile(rb"(?i)base64,|data:|sourcemap|woff|<svg|image/|font/|\bpath d=")
_DIGEST_NAME = re.compile(
    rb"(?i)sha\d|sha-\d|md5|hash|digest|checksum|fingerprint|thumbprint|integrity|etag|commit"
    rb"|revision|\brev\b|nonce|\biv\b|signature|\bsig\b|guid|uuid|\bcrc"
)

_ALGORITHM = re.compile(
    rb"(?i)^(?:argon2(?:id?|d)?|bcrypt(?:_sha256)?|s?crypt|pbkdf2\w*|(?:hmac[-_]?)?sha[-_]?\d+\w*|md5\w*|aes[-_]?\d+\w*"
    rb"|[rhep]s(?:256|384|512)|(?:wpa|wep)\d?[\w-]*|base(?:32|64)\w*)$"
)
RECENT = 1024  # values: several rules ask about the same one in turn, and code repeats itself
DIGEST_LENGTHS = frozenset((32, 40, 48, 56, 64, 96, 128))


@lru_cache(maxsize=RECENT)
def noise(value: bytes) -> str | None:
    """The class of noise that ``value`` is by itself, for values that a name called a secret."""
    if len(value) < 4:
        return "short"
    if _TEMPLATE.search(value):
        return "template"
    if _PLACEHOLDER.search(value) and not _by_chance(value):
        return "placeholder"
    if value[:1] in b"12" and _NOBODYS.fullmatch(value):
        return "placeholder"
    if _INTEGRITY_VALUE.search(value):
        return "integrity"
    if _URL.search(value) and not _PADDED.fullmatch(value):
        return "url"
    if _LOOKUP.search(value):
        return "lookup"
    if _PATTERN.search(value):
        return "pattern"
    if sequence(value):
        return "sequence"
    if value.count(b" ") > 1 or is_words(value) or is_slug(value) or _ALGORITHM.match(value):
        return "words"
    if (
        _ROOTED.match(value)
        or _FILE.search(value)
        or (b"/" in value and _PATH.match(value) and not is_random(value))
    ):
        return "path"
    return None


def _by_chance(value: bytes) -> bool:
    """Long and random: a short word in it, such as ``mock``, came by chance."""
    if len(value) < 16 or b"..." in value or b"***" in value:
        return False
    return is_random(value) and not _TOKEN_PLACEHOLDER.search(value)


# Heads of keys that vendors print in their documentation or ship with their emulators.
_PRINTED = re.compile(
    rb"JBSWY3DPEHPK3PXP|4eC39HqLyjWDarj|BQokikJOvBiI2Hl|Eby8vdM02xNOcqF|C2y6yDjf5/R\+ob0|AIzaSyDaGmWKa4JsX"
    rb"|ghp_16C7e42F292|SG\.ngeVfQFYQlKU0|SflKxwRJSMeKKF2|TIc3tfN5V9kQ4dL|wJalrXUtnFEMI"
)


@lru_cache(maxsize=RECENT)
def token_noise(value: bytes) -> str | None:
    """The class of noise of a value whose prefix already tells what it is."""
    if _TOKEN_PLACEHOLDER.search(value) or _PRINTED.search(value):
        return "placeholder"
    if sequence(value):
        return "sequence"
    if len(set(value)) < min(8, len(value) // 2):
        return "placeholder"
    return None


def bare_noise(value: bytes, before: bytes, after: bytes) -> str | None:
    """The class of noise of a random-looking string that no name calls a secret.

    ``before`` and ``after`` are the text of its region on both sides.
    """
    if _UUID.search(value):
        return "uuid"
    if _INTEGRITY.search(before) or _INTEGRITY_VALUE.search(value):
        return "integrity"
    if is_hex(value) and (len(value) in DIGEST_LENGTHS or _DIGEST_NAME.search(before[-80:])):
        return "digest"
    if len(value) > 256 or _DATA.search(before[-200:]) or _DATA.search(value):
        return "data"
    if _in_list(before, after):
        return "data"
    if _DIGEST_NAME.search(before[-40:]):
        return "digest"
    if not is_hex(value) and not is_random(value):
        return "words"
    return token_noise(value)


def explain(value: bytes, line: bytes) -> str | None:
    """Why a value that another scanner reports on ``line`` is none to us; None: we must have it.

    For comparisons: the classes are those that the judges use, applied to the value's first place.
    """
    if b"BEGIN " in line and b"PRIVATE KEY" in value:
        return "frame"
    start = max(0, line.find(value))
    before, after = line[:start], line[start + len(value) :]
    reason = noise(value) or bare_noise(value, before[-200:], after[:80])
    if reason:
        return reason
    if is_number(value):
        return "number"
    return "name" if NOT_A_VALUE_NAME.search(before.rstrip(b" \t:=>(,'\"`@")) else None


# Ends of names that speak about a secret without holding it.
NOT_A_VALUE_NAME = re.compile(
    rb"(?i)(?:hash(?:ed)?|digest|field|label|name|placeholder|hint|title|message|msg|error|text|regex"
    rb"|pattern|length|len|size|min|max|url|uri|path|file|dir|type|class|kind|format|prompt|column"
    rb"|policy|strength|expir\w*|ttl|count|limit|id|ids|salt|header|param|prefix|suffix|reset|valid\w*"
    rb"|algo(?:rithm)?s?|method|endpoint|input|element|selector|button|link|help|desc\w*|usage|version|arn|ref|spec"
    rb"|existing_?-?\w{0,20}(?:secret|password|credentials?)|pull_?-?secrets?|password_?-?secret"
    rb"|encoder|encoding|hasher|manager|provider|strategy|generator|used|date|days?|age|time(?:out|stamp)?|_at|changed|created|updated|verifier|challenge"
    rb"|(?:public_?key|next|page|paging|pagination|continuation|change|client(?:_?request)?|idempotency|cursor|sync"
    rb"|skip|start|resume|grant|import|export|upload|cancel\w*|device|push)_?-?token)"
    rb"[\])\"'`]*$"
)


def is_hex(value: bytes) -> bool:
    """Hex digits alone, with or without 0x."""
    return _HEX.match(value) is not None


def is_uuid(value: bytes) -> bool:
    """A UUID stands in ``value``."""
    return _UUID.search(value) is not None


def is_number(value: bytes) -> bool:
    """A plain number, date or version."""
    return _NUMBER.match(value) is not None


def has_digest_name(name: bytes) -> bool:
    """``name`` says that its value is a digest, an id or a signature."""
    return _DIGEST_NAME.search(name) is not None


def sequence(value: bytes) -> bool:
    """An alphabet, a count or a row of the keyboard makes up most of ``value``."""
    hit = _SEQUENCE.search(value)
    return hit is not None and (len(value) < 48 or _ascending(value) * 3 > len(value))


def without_sequences(value: bytes) -> bytes:
    """The letters and digits of ``value`` that are in no alphabet, count or row of keys."""
    return re.sub(rb"[^A-Za-z0-9]", b"", _SEQUENCE.sub(b"", value))


def _ascending(value: bytes) -> int:
    return sum(1 for a, b in itertools.pairwise(value) if b - a == 1)


@lru_cache(maxsize=RECENT)
def is_words(value: bytes) -> bool:
    """Words of letters, joined by separators or capitals, with one digit at the end at most.

    Random text of letters alone is not words: its capitals come too often.
    """
    letters = value.replace(b"\\", b"/")
    if 2 * sum(byte >= 0x80 for byte in letters) > len(letters):
        return True  # a script that passwords of code are hardly in: a label
    if any(byte >= 0x80 for byte in letters):
        letters = bytes(byte if byte < 0x80 else 0x61 for byte in letters)
    if not _only_words(letters):
        return False
    changes = sum(
        1
        for a, b in itertools.pairwise(letters)
        if (97 <= a <= 122 and 65 <= b <= 90) or (65 <= a <= 90 and 97 <= b <= 122)
    )
    return len(letters) < 10 or changes * 5 < len(letters) * 2


_SLUG = re.compile(
    rb"^(?:[A-Za-z]+[0-9]{0,3}|[0-9]{1,4}[a-z]?)"
    rb"(?:[-_.:/ ](?:[A-Za-z]+[0-9]{0,3}|[0-9]{1,4}[a-z]?))+$"
)


def is_slug(value: bytes) -> bool:
    """Words and small numbers joined by dash, dot or underscore: ``gpl-2.0-plus``, ``P_521``."""
    return _SLUG.match(value) is not None and b"-----" not in value


# Pairs of letters that words and names hardly have.
_ODD = re.compile(
    rb"(?i)q[^u\W\d_]|j[^aeiou\W\d_]|v[bcdfghjklmnpqtvwxz]|x[bdfgjkmnqrsvwxz]|z[bcdfgjkmnpqrstvwx]"
    rb"|[bcdfghjkmpqtvwxz]q|f[bcdghjkmpqvwxz]|w[bcdfgjkmpqtvxz]|p[bcdfgjkmqvwxz]|g[bcdfjkpqvwxz]"
    rb"|h[bcdfghjkpqvwxz]|b[cfghkmnpqvwxz]|c[bdfgjmnpqvwxz]|d[bcfhjkmpqtvxz]|k[bcdfgjkmpqrtvxz]"
    rb"|m[cdfghjkqrtvwxz]|t[bdfgjkpqvxz]|r[jqxz]|[aeiou]{4}"
)


def odd_pairs(value: bytes) -> int:
    """How many pairs of letters in ``value`` words and names hardly have."""
    return len(_ODD.findall(value))


def is_unspeakable(value: bytes) -> bool:
    """Letters of both cases whose neighbors no language puts side by side: made by chance."""
    if value.islower() or value.isupper() or len(value) > 64:
        return False
    odd = len(_ODD.findall(value))
    return odd >= max(2, len(value) // 8) or (odd > 0 and is_shuffled(value))


def is_shuffled(value: bytes) -> bool:
    """Letters of both cases in pieces that are shorter than words, some of them capitals alone."""
    if len(value) < 9 or not value.isalpha() or len(_CAPITALS.findall(value)) < 2:
        return False
    return len(_LOWER_RUN.findall(value)) * 7 >= len(value) * 2


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_JOINTS = frozenset(b" \t_./:,;?()'\"&+=|#<>[]\\-")


def _only_words(value: bytes) -> bool:
    """Letters and joints, with one digit behind a word of two letters at most."""
    run = 0
    for at, byte in enumerate(value):
        if byte in _PLAIN:
            run += 1
        elif byte in _JOINTS or (run >= 2 and 48 <= byte <= 57 and _ends(value, at + 1)):
            run = 0
        else:
            return False
    return True


def _ends(value: bytes, at: int) -> bool:
    """A word that reached to ``at`` is over there."""
    return at == len(value) or value[at] in _JOINTS


@lru_cache(maxsize=RECENT)
def is_random(value: bytes) -> bool:
    """Letters and digits in a mix that words, names and paths do not have.

    Hex and texts of one case: how often letters and digits change into each other. Texts of both
    cases: how short their words are; random base 62 falls into pieces of two characters,
    identifiers (``XmlStringMaxLen256``) into pieces of four.
    """
    if len(value) < 8 or longest_word(value) * 5 >= len(value) * 2:
        return False
    changes = _changes(value)
    digits = len(value) - len(value.translate(None, _DIGITS))
    if not digits:  # random letters of both cases change every other time
        odd = len(_CAPITALS.findall(value))  # identifiers have few runs of capitals
        return (
            len(value) >= 16
            and value.translate(None, b"-_").isalpha()
            and odd > 1
            and changes * 9 >= len(value) * 4
        )
    if is_hex(value):
        return digits < len(value) and changes * 4 >= len(value)
    if value.islower() or value.isupper():
        if any(map(_base36, _SPLIT.split(value))):
            return True
        return _changes(value.translate(None, _SEPARATORS)) * 3 >= len(value)
    tokens = len(_TOKENS.findall(value))
    if len(value) >= 16 and changes * 20 >= len(value) * 9:
        return True
    return tokens * 3 >= len(value) if digits > 1 else tokens * 2 >= len(value)


def _base36(value: bytes) -> bool:
    """Letters of one case with many digits among them, sixteen or more."""
    many = len(value) >= 16 and len(_DIGIT_RUNS.findall(value)) >= 4
    return many and longest_word(value) * 3 <= len(value)


_SPLIT = re.compile(rb"[^A-Za-z0-9]")


def is_scrambled(value: bytes) -> bool:
    """Capitals and small letters change more often than words have them."""
    return _changes(value) * 5 >= len(value) * 2


def _changes(value: bytes) -> int:
    return len(_RUNS.findall(value.translate(_KIND))) - 1


_DIGITS = b"0123456789"
_SEPARATORS = b"_-./:"
_DIGIT_RUNS = re.compile(rb"[0-9]+")
_CAPITALS = re.compile(rb"[A-Z]{2,}")
_RUNS = re.compile(rb"d+|l+|o+|u+")


def _kinds() -> bytes:
    table = bytearray(b"o" * 256)
    for byte in range(256):
        if 48 <= byte <= 57:
            table[byte] = ord("d")
        elif 65 <= byte <= 90:
            table[byte] = ord("u")
        elif 97 <= byte <= 122:
            table[byte] = ord("l")
    return bytes(table)


_KIND = _kinds()
_TOKENS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^A-Za-z0-9]")
_LOWER_RUN = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+")


def longest_word(value: bytes) -> int:
    """Length of the longest run of small letters (one capital before) or of capitals."""
    return max((len(run) for run in _LOWER_RUN.findall(value)), default=0)


_LIST = re.compile(rb"""^\s*(?:['"],?\s*['"]|['"]\s*[,\]})]?\s*$)""")
_LIST_BEFORE = re.compile(rb"""(?:['"]\s*,\s*|^\s*|[\[{]\s*)[bBuUrR]?$""")


def _in_list(before: bytes, after: bytes) -> bool:
    """An element of a list of strings, alone on its line or between others: test vectors, data."""
    return _LIST_BEFORE.search(before[:-1]) is not None and _LIST.search(after) is not None
