"""Telephone numbers: which of the numbers that look like one exist in a numbering plan."""

# ruff: noqa: SIM905  (lists of words read best as one string that is split)
from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from .place import Place

_FICTIONAL = re.compile(
    r"555-?01\d\d|5550\d{3}|^1?\d{3}555\d{4}$|1231234$|(?:2079460|7700900|1632960)\d{3}$|(\d)\1{5}|123456|987654"
)


_VERSION_OR_DATE = re.compile(r"\d\.\d{1,2}\.|\d{4}[-/.]\d\d[-/.]\d\d")


def phone(place: Place) -> float:
    """How sure it is that the value is a telephone number: it must exist in a numbering plan."""
    import phonenumbers  # large, and needed for few candidates only

    text = place.value.decode()
    digits = re.sub(r"\D", "", text)
    if not 8 <= len(digits) <= 15 or _FICTIONAL.search(digits):
        return 0.0
    french = re.fullmatch(r"0\d(?:\.\d\d){4}", text)
    dotted = text.startswith("+") and re.fullmatch(r"\+\d{1,3}(?:[.-]\d{2,5}){2,5}", text)
    if not (french or dotted) and (text.count(".") > 3 or _VERSION_OR_DATE.search(text)):
        return 0.0
    strong = _STRONG_PHONE_WORD.search(place.region[place.head : place.start]) is not None
    if re.fullmatch(r"\d+\.\d+", text) or (
        not strong and not text.startswith("+") and (text.isdigit() or len(digits) < 9)
    ):
        return 0.0
    if text.startswith("+"):
        regions: tuple[str | None, ...] = (None,)
    elif text.startswith("00"):
        regions = ("DE",)
    else:
        regions = _TRUNK if digits.startswith("0") else _NO_TRUNK
    grouped = () if regions == (None,) else _GROUPED[digits.startswith("0")]
    if not _in_plans(text, regions) and not _printed_so(text, grouped):
        if not strong:
            return 0.0
        if text.startswith("+"):
            return 0.8 if _is_possible(phonenumbers, text) else 0.0
        return 0.7 if 9 <= len(digits) <= 12 and len(re.findall(r"\d+", text)) > 2 else 0.0
    return 1.0 if text.startswith("+") or re.search(r"[-() ./]", text) else 0.7


# check_call(4000000000): words that say as much only beside a number that is written like one.
_STRONG_PHONE_WORD = re.compile(
    "(?i)phone|mobile|telef(?:o|ó)o?n|fax|whatsapp|telepon|switchboard|(?<![a-z])"
    "(?:t(?:e|é)l|mob|msisdn|celular|cellulare|m(?:o|ó)vil|gsm|callerid|cmgs|puh(?:elin)?|handy"
    "|rufnummer|durchwahl)(?![a-z])|nomor|iện thoại|s(?:đ|Đ|d)t(?![a-z])|(?<![a-z])hp(?![a-z])"
    "|telem(?:o|ó)vel|anruf|zur(?:ü|ue)ckrufen|erreichen|rufen sie|ligue|my number|llame"
    "|Телефон|телефон|Тел[.:]|тел[.:]|Моб|моб[.:]|мобил|Τηλ|τηλ|Κινητ|κινητ|电话|電話|手机|手機"
    "|携帯|전화|휴대폰|โทร|มือถือ|هاتف|جوال|موبايل|טלפון|נייד|फ़ोन|फ़ोन|फोन|मोबाइल|&#9742;|☎|📞|📱".encode()
)


# Countries whose national numbers begin with a 0, and others, by number of speakers.
_TRUNK = tuple("DE GB FR IT AT CH NL BE SE AU IN JP KR BR ZA TR".split())
_NO_TRUNK = tuple("US ES DK NO PL PT CZ RU CN GR MX SG HK".split())
# Further ones, whose numbers must stand in the groups that their plans print.
_TRUNK_GROUPED = tuple(
    "NZ FI IE UA RO AR TH ID VN IL SA HR RS BG SK EG NG KE PK BD MY PH TW AE IR MA SI LK".split()
)
_NO_TRUNK_GROUPED = tuple("HU CO CL PE LV LT EE IS LU CY MT TN QA KW CR".split())


@lru_cache(maxsize=64)
def _in_plans(text: str, regions: tuple[str | None, ...]) -> bool:
    import phonenumbers

    return any(_in_plan(phonenumbers, text, region) for region in regions)


def _in_plan(phonenumbers: Any, text: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False


_GROUPED = {True: _TRUNK_GROUPED, False: _NO_TRUNK_GROUPED}


@lru_cache(maxsize=64)
def _printed_so(text: str, regions: tuple[str, ...]) -> bool:
    """A plan of ``regions`` has the number, and prints it in the groups in which it stands."""
    import phonenumbers

    groups = re.findall(r"\d+", text)
    form = phonenumbers.PhoneNumberFormat.NATIONAL
    for region in regions if len(groups) > 1 else ():
        if _in_plan(phonenumbers, text, region):
            number = phonenumbers.parse(text, region)
            if re.findall(r"\d+", phonenumbers.format_number(number, form)) == groups:
                return True
    return False


def _is_possible(phonenumbers: Any, text: str) -> bool:
    """Its country exists and has numbers of this length: plans change, and words say the rest."""
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(text)))
    except phonenumbers.NumberParseException:
        return False


def phone_cell(place: Place) -> float:
    """A number in a cell beside an e-mail address: some country has numbers like it."""
    text = place.value.decode()
    digits = re.sub(r"\D", "", text)
    dated = _VERSION_OR_DATE.search(text) is not None and not text.startswith("+")
    if not 8 <= len(digits) <= 13 or _FICTIONAL.search(digits) or dated:
        return 0.0
    groups = len(re.findall(r"\d+", text))
    return 0.9 if phone(place) else 0.7 if groups > 1 or text.startswith("+") else 0.0


UNSURE_PHONE = 0.5
"""A number that only its file can explain: believed where ``tells_phones`` says so."""

_TELLS = re.compile(
    rb"(?i)phone|mobile|telef|fax|whatsapp|(?<![a-z])(?:tel|sms|on-?call|contacts?|directory|ph)(?![a-z])"
)


def tells_phones(text: bytes, path: str) -> bool:
    """A file with these bytes has to do with telephones."""
    return _TELLS.search(text) is not None or _TELLS.search(path.encode()) is not None


def phone_unnamed(place: Place) -> float:
    """A number without its country or a word: only in the groups that a plan prints."""
    text = place.value.decode()
    digits = re.sub(r"\D", "", text)
    if not 9 <= len(digits) <= 12 or _FICTIONAL.search(digits) or _VERSION_OR_DATE.search(text):
        return 0.0
    regions = (*_TRUNK, *_TRUNK_GROUPED) if digits.startswith("0") else ("US",)
    return UNSURE_PHONE if _printed_so(text, regions) else 0.0


def phone_whole(place: Place) -> float:
    """Digits that begin with those of a country, in a place for such numbers alone."""
    text = place.value.decode()
    if _FICTIONAL.search(text):
        return 0.0
    return 1.0 if _in_plans(f"+{text}", (None,)) else 0.0


def phone_grouped(place: Place) -> float:
    """As ``phone``, for a number with its country in groups, which nothing else is written in."""
    return phone(place) if len(re.findall(rb"[0-9]+", place.value)) > 2 else 0.0


def phone_named(place: Place) -> float:
    """As ``phone``, for a number with its country: somewhere on its line a word says what it is."""
    quoted = place.before(1) in (b'"', b"'", b"`", b">", b":") and place.after(1) in (
        b'"',
        b"'",
        b"`",
        b"<",
        b"",
    )
    text = place.value.decode()
    if not quoted and not _PHONE_WORD.search(place.before(160)):
        return 0.9 * phone(place) if 11 <= len(text) <= 14 else 0.0
    if _SENT.search(place.before(40)) and not _FICTIONAL.search(text) and len(text) > 9:
        import phonenumbers

        return 0.9 if _is_possible(phonenumbers, text) else 0.0
    return phone(place)


# Calls and logs of services that send messages.
_SENT = re.compile(
    rb"(?i)(?:(?<![a-z])to=|(?:sms|send\w*|whats\w*|message\w*|call\w*|dial)\([\"'])$"
)


_PHONE_WORD = re.compile(
    rb"(?i)phone|mobile|telefon|fax|whatsapp|(?<![a-z])(?:tel|cell|call|sms|dial|ring|contact|msisdn|to=)(?![a-z])|ligue|rufen|appel"
    rb"|ll(?:a|\xc3\xa1)m"
)
