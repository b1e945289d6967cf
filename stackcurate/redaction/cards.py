"""Payment cards: issuer ranges, check digits, and what says that a number is one."""

from __future__ import annotations

import re

from .checkdigits import luhn
from .place import Place

_CARD_WORD = re.compile(
    rb"(?i)card|kreditkarte|tarjeta|cart[ae](?![a-z])|cart(?:a|\xc3\xa3)o|\xd0\xba\xd0\xb0\xd1\x80\xd1\x82"
    rb"|(?<![a-z])k(?:arte|arta|ort|aart)(?:nr|nummer|no)?(?![a-z])|unionpay|(?<![a-z])(?:jcb|diners|maestro)(?![a-z])"
    rb"|visa|master|amex|american express|discover|(?<![a-z])(?:pan|cc)(?![a-z])|payment"
    rb"|(?<![a-z])cc_?(?:num|no)"
)
# Numbers that payment services publish for trying out (Stripe, Braintree, PayPal, Adyen).
_TEST_CARDS = re.compile(
    r"(\d)\1{5}|(?:4242){2}|0000|1234567|^4012888888881881|^378282246310005|^371449635|^51051051051051"
    r"|^4009348888881881|^378734493671000|^6011000990139424|^378267515471109|^371260714673002"
    r"|^30569309025904|^38520000023237|^3530111333300000|^3566002020360505|^4000056655665556"
    r"|^2223003122003222|^5200828282828210|^6759649826438453|^4217651111111119|^4500600000000061"
    r"|^2223016768739313|^36227206271667|^5019717010103742|^6331101999990016"
)


def card(place: Place) -> float:
    """A payment card behind a word that says so, or in the groups that cards are embossed in."""
    return card_alone(place) if _CARD_WORD.search(place.before()) else 0.0


_CARD_PATH = re.compile(r"(?i)card|bank|payment|checkout|billing|luhn|stripe|credit")


def card_quoted(place: Place) -> float:
    """A payment card as a literal of code that is about payments."""
    told = _CARD_PATH.search(place.path) or _CARD_CALL.search(place.before(60))
    return card_alone(place) if told and len(place.value) in (14, 15, 16) else 0.0


_CARD_CALL = re.compile(rb"(?i)luhn|valid|charge|pay|checkout")


UNSURE_CARD = 0.5
"""A number that only its file can explain: by cards or accounts in it, or ``tells_cards``."""

_TELLS_CARDS = re.compile(
    rb"(?i)(?:credit|debit|bank|payment)[ _-]?card|expir(?:es|y)"
    rb"|card[ _.-]?(?:num|no\b|pan|holder|is|valid|exp)"
    rb"|cvv|cvc2?(?![a-z])|luhn"
    rb"|(?<![a-z])(?:visa|mastercard|master_card|amex|maestro|jcb|unionpay|diners|iban|kort|kortn\w{1,7}"
    rb"|bankkort\w{0,3}|\w{0,6}karten?(?:nummer)?|karta|karty|kartu|\w{0,6}kaart\w{0,6}|tarjeta"
    rb"|kart(?:_?no)?|primary_account\w*|cartao|cart\xc3\xa3o|carta di credito"
    rb"|carte bancaire|luottokortti)(?![a-z])|" + "карт[аыу]|信用卡|银行卡|カード番号|카드".encode()
)


def tells_cards(text: bytes, path: str) -> bool:
    """A file with these bytes has to do with payment cards."""
    return _TELLS_CARDS.search(text) is not None or _CARD_PATH.search(path) is not None


def card_unsure(place: Place) -> float:
    """A payment card with no word for it on its line, of the length that its issuer prints."""
    digits = re.sub(rb"\D", b"", place.value)
    grouped = len(digits) < len(place.value)
    if not _USUAL.match(digits) or _OTHER_NUMBER.search(place.before(40)):
        return 0.0
    if grouped and (not _EMBOSSED.fullmatch(place.value) or _beside_numbers(place)):
        return 0.0
    return UNSURE_CARD if card_alone(place) else 0.0


def _beside_numbers(place: Place) -> bool:
    """Other numbers stand before or behind, as in tables of them."""
    before = re.search(rb"[0-9A-Fa-f][ ,]{1,2}\Z", place.before(3)) is not None
    return before or re.match(rb"[ ,]{1,2}[0-9A-Fa-f]{2}", place.after(4)) is not None


# Visa, Mastercard, Discover, UnionPay, JCB and Maestro; American Express; Diners Club.
_USUAL = re.compile(rb"(?:[4-6]\d{15}|2[2-7]\d{14}|35\d{14}|3[47]\d{13}|3[068]\d{12})\Z")
_OTHER_NUMBER = re.compile(
    rb"(?i)serial|\boid|isbn|track|order|invoice|imei|timestamp|\btime|uuid|seed|version|(?<![a-z])id\W"
)


_EMBOSSED = re.compile(rb"\d{4}([ -])\d{4}\1\d{4}\1\d{4}|3\d{3}([ -])\d{6}\2\d{4,5}")


def card_groups(place: Place) -> float:
    """A payment card in the groups that cards are embossed in."""
    return card_alone(place) if _EMBOSSED.fullmatch(place.value) else 0.0


def card_alone(place: Place) -> float:
    """How sure it is that the value is a payment card: length, issuer and check digit agree."""
    digits = re.sub(r"\D", "", place.value.decode())
    if not 13 <= len(digits) <= 19 or _TEST_CARDS.search(digits) or not luhn(digits):
        return 0.0
    issuer = int(digits[:4])
    return 1.0 if any(low <= issuer <= high for low, high in _ISSUERS) else 0.0


# First four digits: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Mir,
# RuPay, Maestro.
_ISSUERS = (
    *(
        (4000, 4999),
        (5100, 5599),
        (2221, 2720),
        (3400, 3499),
        (3700, 3799),
        (3000, 3059),
        (3600, 3699),
    ),
    *(
        (3800, 3999),
        (3528, 3589),
        (6011, 6011),
        (6440, 6599),
        (6200, 6299),
        (2200, 2204),
        (8100, 8199),
    ),
    *((6050, 6099), (8200, 8299), (5000, 5099), (5600, 5899), (6300, 6399), (6700, 6799)),
)
