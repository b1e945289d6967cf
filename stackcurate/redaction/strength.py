"""How much a value looks like a password by itself: chosen, made by chance, or a label."""

from __future__ import annotations

import re

from . import noise
from .place import Place, is_config_path, is_test_path

_WEAK = re.compile(
    rb"(?i)^(?:test|pass|passw(?:or)?d|s[e3]cr[e3]t|admin|foo|bar|demo|user|root|hello|key|token|super|my|"
    rb"abc|pw|hunter|guest|qwerty|p[a@]ss(?:w[o0]rd)?|[-_!@#.]|\d)+$"
)


CHAIN_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{40}")  # of an account or a contract: public


LETTERS = re.compile(rb"[A-Za-z]")


TECHNICAL = re.compile(
    rb"(?i)^(?:v?\d+[a-z]?\b(?![!#$%&@]\w)|[a-z_]+=|[a-z]+(?:\.[a-z\d]+)*\.(?:[a-z]+\d?|\d{1,3})$|[a-z]+:[a-z]+:|col-|css-|h\d\b|[a-z]{1,3}\d{1,2}$|[a-z]+\d?$|[\w.]+\(|--|#|\.|/|@)|utf|ascii|int\d|float\d|win32"
    rb"|i18n|l10n|base\d\d|sqlite|mysql|postgre|python|java|linux|x86|arm64|[a-z]\.[a-z]+\.[a-z]|\$\{|%[sd]|\?\w+=|[{}\[\]()|\\]"
)


def is_strong(value: bytes) -> bool:
    """Letters mixed with digits or signs as people and generators mix them for passwords."""
    digits = sum(48 <= byte <= 57 for byte in value)
    signs = sum(byte in b"!@#$%^&*?~+=" for byte in value)
    letters = len(value) - digits - signs
    if letters < 3 or len(value) < 8:
        return False
    return digits + signs > 1 or noise.is_unspeakable(value)


def password_strength(value: bytes, reason: str | None, place: Place) -> float:
    """Passwords people choose: mixed characters are sure, a plain word may be a label."""
    if reason == "words" or b" " in value:
        if is_chosen(value) or is_spaced(value) or (_is_whole(place) and is_long_word(value, 10)):
            return 0.7
        return _word_strength(value, place) if b" " not in value else 0.0
    if len(value) > 128 or noise.is_uuid(value):
        return 0.4
    if noise.is_number(value):
        test = is_test_path(place.path) and not is_config_path(place.path)
        weak = len(value) < 6 or not value.isdigit() or test
        return 0.35 if weak else 0.62
    classes = sum(re.search(kind, value) is not None for kind in _CLASSES)
    if len(value) < 6 or classes < 2:
        return 0.4
    if _WEAK.match(value):
        return 0.45 if is_test_path(place.path) else 0.67
    return 0.8 if is_test_path(place.path) else 0.9


def _is_whole(place: Place) -> bool:
    """The value ends its line or its quotes, and is no argument of a call."""
    after = place.after(8).strip(b" \t\r;,")
    quoted = place.after(1) in (b'"', b"'", b"`", b"<")
    between = place.region[place.head : place.start]
    return (quoted or not after) and b"(" not in between and _OPERATOR.search(between) is not None


_OPERATOR = re.compile(rb"[=:>]")


# Names of variables whose value is what a service is started with, weak as it may be.
_SERVICE_NAME = re.compile(rb"(?:^|[\s\"'])(?:[A-Z0-9]+_)+(?:PASSWORD|PASSWD|PASS|PWD)$")


# A name and a word of one's own, as people join them; no property of an object stands in quotes.
_TWO_WORDS = re.compile(rb"[a-z]{4,16}\.[a-z]{3,16}")
_STAND_IN = re.compile(
    rb"(?i)pass|pwd|secret|string|none|null|true|false|required|optional|vault|value|token|key|user|name|env|text|test"
    rb"|hash|empty|blank|prompt|ask|file|auto|generat|random|unset|unknown|any|some|str|int|bool"
)


def _word_strength(value: bytes, place: Place) -> float:
    """A plain word: the password of a service where its settings say so, else mostly a label."""
    name = place.region[max(0, place.head - 60) : place.start].rstrip(b" \t:=\"'")
    service = is_config_path(place.path) and _SERVICE_NAME.search(name) and value.islower()
    if value in name.lower():  # POSTGRES_PASSWORD: postgres
        return 0.35
    if _TWO_WORDS.fullmatch(value) and _is_whole(place) and place.before(1) in (b"'", b'"'):
        label = LABEL.search(value) or is_sentence(value) or _INTERFACE.search(value)
        return 0.35 if label else 0.62
    if service and value.isalnum() and not _STAND_IN.search(value):
        return 0.62
    if (
        value.islower()
        and value.isalpha()
        and noise.odd_pairs(value) * 4 >= len(value)
        and len(value) >= 8
    ):
        return 0.62
    return 0.35


# Words with a number, and codes in groups: how people and password managers make passwords.
_WORDS_AND_NUMBER = re.compile(
    rb"(?=[^0-9]*[0-9])(?=.{8})(?:[A-Za-z][a-z]{2,}|[A-Z][a-z](?=[-_.][A-Z]))[A-Za-z0-9]*(?:[-_.!@#%^&*+?][A-Za-z0-9]+)*[-_.!@#%^&*+?]?"
)


_NUMBER_BETWEEN = re.compile(
    rb"(?!.*(?i:utf|step|page|part))[A-Za-z]{4,}[-_.][0-9]{2,4}[-_.][A-Za-z]{3,}"
)
_SPACED_AND_NUMBER = re.compile(rb"[A-Z][a-z]{2,}(?: [a-z]{3,}){1,4}(?: ?[0-9]{2,4}[!?.]?|!)")


_SPACED_WORDS = re.compile(rb"[a-z]{3,}(?: [a-z]{3,}){2,4} [0-9]{2,4}[!?.]?")
_DIGIT_INSIDE = re.compile(rb"[A-Za-z][0-9][A-Za-z]")


def is_spaced(value: bytes) -> bool:
    """Typed with spaces: words and a number, or words two of which have digits, one inside."""
    if len(value) > 48 or LABEL.search(value) or _SENTENCE.search(value):
        return False
    if _SPACED_WORDS.fullmatch(value):
        return True
    words = value.split(b" ")
    mixed = [word for word in words if word.isalnum() and not (word.isalpha() or word.isdigit())]
    return len(words) < 6 and len(mixed) > 1 and _DIGIT_INSIDE.search(value) is not None


_GROUPS = re.compile(rb"[A-Za-z0-9]{2,6}(?:-[A-Za-z0-9]{2,6}){2,4}")


LABEL = re.compile(
    rb"(?i)(?<!com)pass|pwd|secret|token|(?<![a-z])key|apikey|field|input|label|form|reset|chang|forg[eo]t|confirm|enter|(?<![a-z])(?:new|old)|encod|decod|encrypt"
    rb"|user|admin|login|type|text|requir|valid|error|polic|length|hash|sha\d|md5|crypt|argon|pbkdf|auth"
    rb"|(?<![a-z])(?:aes|rsa|utf|iso|rfc|l?gpl|bsd)(?![a-z])|http|html|x509|oauth|grant|test|example|page|button"
    rb"|version|encoder|cipher|algorithm|argon|scrypt|placeholder|optional|disable|enable|incorrect|invalid|missing|expire|empty|secure"
)


# Three words or more, as dice choose them; words of sentences and of user interfaces are not.
_DICEWARE = re.compile(
    rb"[A-Za-z][a-z]{2,11}(?:([-_.])[A-Za-z][a-z]{2,11})(?:\1[A-Za-z][a-z]{2,11}){1,6}"
)


_DICE_AND_NUMBER = re.compile(
    rb"[A-Za-z][a-z]{3,11}(?:[-_.][A-Za-z][a-z]{3,11}){1,5}[0-9]{2,4}[!.?]?"
)
_SENTENCE = re.compile(
    rb"(?i)(?<![a-z])(?:the|and|for|your|not|with|you|are|can|has|have|new|this|that|from|will|must|please"
    rb"|should|must|our|all|any|but|was|when|if|use|get|set|add|show|hide|toggle|view|edit|create|update|delete"
    rb"|remove|save|cancel|send|request|response|server|client|config|default|value|name|string|number|data"
    rb"|file|path|list|item|icon|eye|box|row|col|text|container|wrapper|content|header|footer|modal|dialog"
    rb"|wrong|success|fail\w*|expired|change\w*|service|access|account|email|mail|manager|provider)(?![a-z])"
)


def is_sentence(value: bytes) -> bool:
    """A word of sentences or of an interface's commands stands in ``value``."""
    return _SENTENCE.search(value) is not None


_CAMEL = re.compile(rb"(?:[A-Z][a-z]{2,11}){4,7}")


def is_diceware(value: bytes) -> bool:
    """Words joined by dashes, dots, underscores or capitals, none of an interface."""
    if _CAMEL.fullmatch(value):
        return not (LABEL.search(value) or _INTERFACE.search(value) or is_sentence(value))
    if not _DICEWARE.fullmatch(value):
        return False
    return not LABEL.search(value) and not is_sentence(value)


def is_long_word(value: bytes, least: int = 14) -> bool:
    """Words run into one of small letters, longer than labels and identifiers mostly are."""
    if not least <= len(value) <= 32 or not value.islower() or not value.isalpha():
        return False
    return not LABEL.search(value) and not _INTERFACE.search(value)


_NOOP = re.compile(rb"\{(?:noop|plain|clear)\}\S{6}", re.IGNORECASE)


# Generators draw ".+", ".c" and "%d", too: by how many signs such a value is told from what it
# looks like.
_LEAST_SIGNS = {"pattern": 0, "path": 1, "template": 2}
_SIGN = re.compile(rb"[+*@!%#=?^&,~]")
_DRAWN = re.compile(rb"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9.+*@!%_#=?^&,~:-]{8,40}")


def is_plain(value: bytes, reason: str) -> bool:
    """Spring's mark of a password in the clear, a walk over the keyboard and more, or chance."""
    if reason == "sequence":
        rest = noise.without_sequences(value)
        return len(rest) >= 3 and LABEL.search(value) is None
    signs = _LEAST_SIGNS.get(reason)
    if signs is not None and len(_SIGN.findall(value)) >= signs and _DRAWN.fullmatch(value):
        return noise.is_random(value)
    return reason == "template" and _NOOP.match(value) is not None


def is_chosen(value: bytes) -> bool:
    """Chosen by a person or by chance, though words or letters alone: no label reads so."""
    if is_passphrase(value) or noise.is_unspeakable(value) or is_diceware(value):
        return True
    if is_shredded(value):
        return True
    if not noise.is_random(value):
        return False
    mixed = (
        len(value) >= 8
        and b" " not in value
        and all(re.search(kind, value) for kind in _CLASSES[:3])
    )
    return (value.isalnum() and not value.isalpha()) or (mixed and not is_label(value))


_PIECES = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+")


def is_shredded(value: bytes) -> bool:
    """Letters of both cases in pieces too short for words, with signs or digits between some."""
    if len(value) < 8 or value.isalpha() or b" " in value or value.islower() or value.isupper():
        return False
    pieces = _PIECES.findall(value)
    return len(pieces) > 3 and sum(map(len, pieces)) * 5 <= len(pieces) * 12


# What people make of such a word where a rule wants digits and a sign; 123 and 2024 stand in.
_LABEL_AND_NUMBER = re.compile(
    rb"(?i)(?:secret|change|admin|login|enter|user|reset|token)[-_.@!#+?](?!1?0*12?3|20[012]\d|0+)[0-9]{4}[!?.]?"
)


def is_label(value: bytes) -> bool:
    """Says what is asked for, in words that interfaces and algorithms use."""
    if _LABEL_AND_NUMBER.fullmatch(value):
        return False
    found = LABEL.search(value)
    if found and _NUMBER_BEHIND.search(value):  # Admin_Mira84: chosen around such a word
        rest = _INTERFACE.sub(b"", LABEL.sub(b"", value))
        return sum(65 <= byte & 0xDF <= 90 for byte in rest) < 4
    return found is not None


_NUMBER_BEHIND = re.compile(rb"[A-Za-z][^A-Za-z0-9]?[0-9]{2,4}[^A-Za-z0-9]?$")
_INTERFACE = re.compile(
    rb"(?i)service|account|manage|provider|config|default|server|client|name|value|string|number|internal|external"
    rb"|system|database|connection|component|element|container|wrapper|content|require|authori|hmac|with|level"
)


def is_passphrase(value: bytes) -> bool:
    """Words with a number behind them, or groups of letters and digits in both cases."""
    if is_label(value):
        return False
    if _NUMBER_BETWEEN.fullmatch(value):
        return True
    if _WORDS_AND_NUMBER.fullmatch(value) or _SPACED_AND_NUMBER.fullmatch(value):
        return True
    mixed = not value.islower() and not value.isupper()
    return mixed and _GROUPS.fullmatch(value) is not None


_CLASSES = (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^A-Za-z0-9_.\s-]")


def token_strength(value: bytes, reason: str | None, name: bytes) -> float:
    """Machine-made values: long and random is sure."""
    typed = _TYPED_SECRET.search(name) is not None and _is_chosen_secret(value)
    if reason == "words" and typed:
        return 0.65
    if reason == "words" and len(value) >= 24 and noise.is_random(value):
        reason = None  # a word of its vendor's in front: live_, and letters by chance
    if reason or b" " in value or noise.is_number(value):
        return 0.0
    if noise.token_noise(value) or CHAIN_ADDRESS.fullmatch(value):
        return 0.0
    if noise.is_uuid(value):
        return 0.62 if _OF_SERVICE.search(name) else 0.4
    if noise.is_random(value) or (len(value) > 19 and noise.is_unspeakable(value)):
        if len(value) >= 16:
            return 0.9
        return 0.65 if re.search(rb"(?i)secret|api|key", name) and len(value) >= 8 else 0.45
    if typed:
        return 0.65
    digits = sum(48 <= byte <= 57 for byte in value)
    if (
        digits > 1
        and len(value) >= 16
        and value.isalnum()
        and re.search(rb"(?i)api|secret|acc", name)
    ):
        return 0.65
    return 0.5 if digits and len(value) >= 8 else 0.35


_OF_SERVICE = re.compile(rb"(?i:api|secret|auth|access)|\b[A-Z][A-Z0-9]+_TOKEN\Z")
_TYPED_SECRET = re.compile(
    rb"(?i)secret(?:[_-]?key)?$|(?:jwt|signing|session|cookie|encryption|hmac)[_-]?key$"
)


def _is_chosen_secret(value: bytes) -> bool:
    """What people type where a secret is asked for: letters and a number, words and a number."""
    if is_label(value):
        return False
    if _DICE_AND_NUMBER.fullmatch(value) and not _SENTENCE.search(value):
        return True
    if TECHNICAL.search(value):
        return False
    if is_diceware(value):
        return True
    return is_strong(value) or is_passphrase(value)
