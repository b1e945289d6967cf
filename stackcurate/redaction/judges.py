"""The judges a rule can name: each looks at one candidate and says how sure it is, 0 for noise.

A judge's answer is multiplied with the rule's own confidence. Judges look at a bounded stretch of
text once, so that none is slow on any input.
"""

from __future__ import annotations

from collections.abc import Callable

from . import noise
from .assigned import NAMES, assigned, bare, compared, defaulted, defined, instruction, password
from .cards import card, card_alone, card_groups, card_quoted, card_unsure
from .homes import home_end, home_user
from .machines import bare_machine, before_name, key_argument, machine, random_literal, said_key
from .national import any_national, national
from .personal import (
    email,
    email_escaped,
    iban,
    ipv4,
    ipv6,
    person,
)
from .phones import phone, phone_cell, phone_grouped, phone_named, phone_unnamed, phone_whole
from .place import Place, is_lock_path
from .said import (
    account_password,
    chars,
    chosen_strongly,
    cli,
    device_secret,
    dice_spaced,
    grouped_letters,
    literal_password,
    near_password,
    netrc,
    said,
    said_strongly,
    url_password,
    wifi,
)
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
from .wallets import base58check, mnemonic, stellar
from .whereabouts import coordinate, coordinates, coordinates_alone, degrees, mac, mac_bytes

Judge = Callable[[Place], float]


def entropy(place: Place) -> float:
    """A random-looking string that nothing names: only a strict run redacts it."""
    if is_lock_path(place.path):
        return 0.0
    return 0.0 if noise.bare_noise(place.value, place.before(), place.after()) else 1.0


def hash_line(place: Place) -> float:
    """A password hash in the formats of crypt(3): ``$6$salt$hash`` and its relatives."""
    return 0.0 if noise.token_noise(place.value[-20:]) else 1.0


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
    "card_unsure": card_unsure,
    "chars": chars,
    "cli": cli,
    "compared": compared,
    "cookie": cookie,
    "chosen_strongly": chosen_strongly,
    "coordinate": coordinate,
    "coordinates": coordinates,
    "coordinates_alone": coordinates_alone,
    "crc": crc,
    "defaulted": defaulted,
    "defined": defined,
    "degrees": degrees,
    "device_secret": device_secret,
    "dice_spaced": dice_spaced,
    "email": email,
    "email_escaped": email_escaped,
    "encoded_pair": encoded_pair,
    "entropy": entropy,
    "grouped_letters": grouped_letters,
    "hash_line": hash_line,
    "home_end": home_end,
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
    "phone_unnamed": phone_unnamed,
    "phone_whole": phone_whole,
    "random": random,
    "random_literal": random_literal,
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
            *NAMES,
            "bare_machine",
            "bearer",
            "account_password",
            "chosen_strongly",
            "device_secret",
            "before_name",
            "cli",
            "cookie",
            "entropy",
            "random_literal",
            "literal_password",
        ),
        *("key_argument", "machine", "near_password", "netrc", "password", "random", "said_key"),
    )
)
"""Judges of values that names or randomness, rather than a vendor's shape, call secret."""
