"""Personal data: which of the things that look like an address, a number or a name are one."""

from __future__ import annotations

import ipaddress
import itertools
import re
from functools import lru_cache

from .place import Place
from .rules import tlds
from .strength import is_passphrase, is_strong

# Names left of an @ that are syntax or a login shared by everybody, not a mailbox.
_NO_MAILBOX = frozenset(
    (b"git", b"svn", b"hg", b"this", b"super", b"return", b"break", b"continue", b"self", b"param")
)
# The registered name itself must be the word: corp-mail.de and mail.ru are where people have mail.
_EXAMPLE_DOMAIN = re.compile(
    rb"(?i)(?:^|[.])(?:example|sample|domain|yourdomain|mydomain|yourcompany|mycompany|company|foo"
    rb"|bar|baz|foobar|test|testing|invalid|localhost|local|localdomain|somewhere|acme|fake"
    rb"|your-?domain|my-?domain)\.[a-z]{2,10}(?:\.[a-z]{2})?$"
)
_RESERVED_TLD = (b".example", b".test", b".invalid", b".localhost", b".local", b".internal")
_NO_REPLY = re.compile(rb"(?i)^(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|mailer-daemon|postmaster)")
# RFC 4251 names private algorithms name@domain.
_PROTOCOL_DOMAINS = (b"openssh.com", b"libssh.org", b"lysator.liu.se", b"ssh.com")
_GITHUB_NOREPLY = b"users.noreply.github.com"
_EXAMPLE_MAILBOX = re.compile(
    rb"(?i)^(?:you|your[-_.]?(?:name|email|mail)?|name|user(?:name)?\d?|foo|bar|test\d?|someone"
    rb"|somebody|email|example|first\.?last)$"
)
_FILE_LIKE = (b".py", b".sh", b".rs", b".pl", b".md", b".so", b".cc", b".ps", b".zip", b".mov")


_LOGIN_COMMAND = re.compile(
    rb"(?<![\w./-])(?:auto)?(?:ssh(?:-copy-id|fs)?|scp|sftp|rsync|mosh)[ \t][^\n|;&\"'`]{0,100}$"
)
_ADDRESS_USER = re.compile(rb"(?<!otpauth)://[^\s\"'<>,;|]*(?<![=&?])$")
_MESSAGE_ID = re.compile(rb"(?i)(?:message-id|in-reply-to|references|^uid)[^\n]{0,40}$")
_ID = re.compile(rb"[Ii][Dd]:|[Rr]eferences|-[Tt]o:")
_MADE_ID = re.compile(rb"(?i)[0-9a-f-]{30,}|[A-Za-z0-9]{10,}\.[0-9A-F]{6,}|[0-9.]{14,}")


AUTHORS = 4096  # addresses: authors stand in many lines of a file


def email(place: Place) -> float:
    """How sure it is that the value is a mailbox of somebody: 0 is syntax, .35 an example."""
    value = place.value
    sure = _mailbox(value)
    if not sure:
        return 0.0
    after = place.after(2)
    if after[:1] == b":" and _IS_USER.match(place.after(260)):
        return sure  # https://mira@corp.org:password@host: the user is a mailbox
    if after[:1] in (b"(", b"/", b":") and (after[:1] != b":" or _is_path(place)):
        return 0.0  # a call, the host of an address with credentials, scp's host:path
    before = place.before(120)
    if not before:
        return sure
    near = before[-64:]
    if b"://" in near and _ADDRESS_USER.search(near):
        return 0.0  # user info of an address: the password rules look at it
    if (_is_made(value) or (near[-1:] == b"<" and _names_id(near))) and _MESSAGE_ID.search(near):
        return 0.0
    # Each command holds one of these words, which are found much faster.
    if b"sh" in before or b"scp" in before or b"sftp" in before or b"sync" in before:
        return 0.3 if _LOGIN_COMMAND.search(before) else sure  # an account of a machine
    return sure


def _names_id(text: bytes) -> bool:
    """The name of a header that holds ids is in ``text``; plain searches pass most texts over."""
    small = text.lower()
    told = b"id:" in small or b"-to:" in small or b"references" in small
    return told and _ID.search(text) is not None


_IS_USER = re.compile(rb":[^\s/\"'`<>\\]{1,256}@[A-Za-z0-9\[$%{<_]")


def email_escaped(place: Place) -> float:
    """As ``email``, in an address or a form, where the @ is written %40."""
    return _mailbox(place.value.replace(b"%40", b"@"))


_BEHIND_COLON = re.compile(rb":([^\s\"'`<>]*)")


def _is_path(place: Place) -> bool:
    """What the colon behind the address joins to it is a path; a password is mixed as those are."""
    behind = _BEHIND_COLON.match(place.after())
    text = behind[1] if behind else b""
    if b"/" in text or b"." in text or not (is_strong(text) or is_passphrase(text)):
        return text[:1].isalnum()
    return False


@lru_cache(maxsize=AUTHORS)
def _is_made(value: bytes) -> bool:
    """A machine made what is left of the @."""
    return _MADE_ID.match(value) is not None


@lru_cache(maxsize=AUTHORS)
def _mailbox(value: bytes) -> float:
    """What the address by itself says."""
    mailbox, _, domain = value.rpartition(b"@")
    domain = domain.lower()
    if domain.rpartition(b".")[2] not in tlds() and not domain.endswith(_RESERVED_TLD):
        return 0.0
    if mailbox.lower() in _NO_MAILBOX or mailbox.startswith(b".") or mailbox.endswith(b"."):
        return 0.0
    if b".." in mailbox or not mailbox.strip(b"._%+'-"):
        return 0.0
    if domain in _PROTOCOL_DOMAINS:
        return 0.0
    if domain == _GITHUB_NOREPLY:
        return 0.95
    if _is_example_domain(domain) or _NO_REPLY.match(mailbox):
        return 0.35
    if _EXAMPLE_MAILBOX.match(mailbox):
        return 0.5
    if domain.count(b".") == 1 and domain.endswith(_FILE_LIKE) and len(mailbox) < 3:
        return 0.4
    return 0.95


@lru_cache(maxsize=1024)
def _is_example_domain(domain: bytes) -> bool:
    reserved = domain.endswith(_RESERVED_TLD) or b"noreply" in domain
    return reserved or _EXAMPLE_DOMAIN.search(domain) is not None


def in_copyright_notice(place: Place) -> bool:
    """The line is a copyright notice, which licenses ask to leave as it is."""
    around = (place.before(160) + b"\n" + place.after(80)).lower()
    signed = b"(c)" in around or b"\xc2\xa9" in around or b"&copy;" in around
    return signed or b"copyright" in around


# Public resolvers: names of a service that everybody uses, as facts on their operators' pages.
_RESOLVERS = frozenset(
    ipaddress.ip_address(text)
    for text in (
        *("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "1.1.1.2", "1.0.0.2", "1.1.1.3", "1.0.0.3"),
        *("9.9.9.9", "149.112.112.112", "9.9.9.10", "208.67.222.222", "208.67.220.220"),
        *("4.2.2.1", "4.2.2.2", "4.2.2.3", "4.2.2.4", "64.6.64.6", "64.6.65.6", "77.88.8.8"),
        *("77.88.8.1", "94.140.14.14", "94.140.15.15", "114.114.114.114", "223.5.5.5", "223.6.6.6"),
        *("119.29.29.29", "180.76.76.76", "84.200.69.80", "84.200.70.40", "185.228.168.9"),
        *("2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111"),
        *("2606:4700:4700::1001", "2620:fe::fe", "2620:fe::9", "2620:119:35::35"),
        *("2620:119:53::53", "2a02:6b8::feed:ff", "2a02:6b8:0:1::feed:ff", "2400:3200::1"),
    )
)


def _ranges(*networks: str) -> tuple[tuple[int, int], ...]:
    """First and last address of each network, as numbers."""
    parsed = [ipaddress.ip_network(text) for text in networks]
    return tuple((int(one[0]), int(one[-1])) for one in parsed)


# IANA's special-purpose registries, written out because Python's own answer changed over time;
# documentation networks are those of RFC 5737, RFC 3849 and RFC 9637.
_NO_MACHINE_4 = _ranges(
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
)
_NO_MACHINE_6 = _ranges("2001:db8::/32", "3fff::/20")
(_GLOBAL6,) = _ranges("2000::/3")
_HOST_WORD = re.compile(
    rb"(?i)(?<![a-z])(?:ips?|ipv[46]|ip_?addr\w*|addr(?:ess)?(?:es)?|host(?:name|s)?|servers?|gateway"
    rb"|dns|nameserver|subnet|netmask|bind|listen|remote\w*|client_?ip|peers?|prox(?:y|ies)|ping|ssh"
    rb"|scp|sftp|rsync|mosh|nmap|nc|curl|wget|telnet|inet6?|whitelist|allowlist|firewall|iptables|endpoint|redis|mysql|mongo\w*"
    rb"|postgres\w*|kafka|x_?forwarded_?(?:for)?)(?![a-z])|(?<![a-z])(?:from|on|at)[ ]$|_ip\b|\bip_"
    rb"|_host\b|_addr\b|\\\\$|\([\w.-]{1,60}[ ]\[$|[ ]-[hHS][ =]?$|://$|://[^\s/]*@$"
)
_VERSION_WORD = re.compile(
    rb"(?i)versions?|\bver\b|\bv\d*$|assembly|release|kernel\W{0,4}$|\bbuild\b|firmware|driver|chrome/|firefox/"
    rb"|edge?/|msie|mozilla|opera/|webkit|update|upgrade|\boid\b|\bsection\b|\bchapter\b|\brfc\b"
    rb"|\brev\b|toolset|package|nuget|product|[a-z]/$|sdk|\.dll|dependency|patch|bump|safari/|\bv8\b"
)
# The value's own key names a machine: size and look of its numbers then say nothing.
_HOST_KEY = re.compile(
    rb"(?i)(?:(?<![a-z])(?:ip|ipv4)|(?-i:[a-z]I[pP])|(?<![a-z])ip_?addr(?:ess)?|addr(?:ess)?|host(?:name)?|server|gateway|router"
    rb"|controller|domain|peer|proxy|remote|nameserver|upstream|backend|master|replica|broker"
    rb"|data[ ]?source|network[ ]address|(?<![a-z])(?:src|dst|allow|deny))_?[0-9]{0,3}"
    rb"[\"'`\])]{0,3}\s{0,4}(?::=|=>|=|:|\(|>)\s{0,4}[\"'`\[(]{0,2}$"
)
# As sure as an address's scheme: a version stands before it, and a key of its own behind that.
_OWN_KEY = re.compile(
    rb"://$|jdbc:[a-z:]{3,30}@(?://)?$|\\\\$|[;\"'](?i:server|host|data[ ]source|address)=$"
    rb"|,\s{0,8}[\"']?[A-Za-z_]{0,20}(?:I[pP]|_ip|Address|_addr)[\"']{0,2}\s{0,2}[:=]\s{0,2}[\"']$"
)
_WHOLE_VALUE = re.compile(
    rb"^\s*(?:-\s+)?[\"']?[A-Za-z][\w .-]{0,60}[\"']?\s{0,4}[:=]\s{0,4}[\"']?$"
)
# Numbers on both sides: coordinates of a drawing, a table.
_AMONG_NUMBERS = re.compile(rb"(?<![\w:-])-?[0-9.]+[ ,]{0,2}[a-zA-Z-]?[ ,-]{0,2}(?<![0-9.])$")
_NUMBER_BEHIND = re.compile(rb"(?=[ ,a-zA-Z-])[ ,]{0,2}[a-zA-Z-]?[ ,-]{0,2}[0-9.]+(?![\w:/-])")
_QUAD_BEFORE = re.compile(rb"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:[ ,-]|, )[\"']?$")
_QUAD_BEHIND = re.compile(rb"[\"']?(?:[ ,-]|, )(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])")
_RANGE = re.compile(rb"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}-$")
_COMPARED = re.compile(rb"(?:[<>~^]=?|[=@]=)\s{0,4}[\"']?$|@\^?~?$")
_VISIT = re.compile(rb"[ ]-[ ][\w.@-]{1,20}[ ]\[")  # a line of a web server's log
_TAG = re.compile(rb"<[/\w][^<>]{0,80}>\s?$")
_LOGIN = re.compile(rb"(?:^|[\s\"'=])[a-z_][a-z0-9_-]{0,31}@$")  # root@, behind which a host stands

_CHECKSUM = re.compile(rb"[0-9a-f]{8}@$")  # behind which a version stands


def ipv4(place: Place) -> float:
    """How sure it is that the value is a machine's address; 0 for private and well-known ones."""
    try:
        address = ipaddress.IPv4Address(place.value.decode())
    except ValueError:
        return 0.0
    if _is_reserved(address):
        return 0.0
    octets = address.packed
    before = place.before(100)
    after = place.after(24)
    if before[-1:] == b"-" and not _RANGE.search(before):
        return 0.0  # the version behind a name
    among = _AMONG_NUMBERS.search(before[-24:]) and _NUMBER_BEHIND.match(after)
    if among and not (_QUAD_BEFORE.search(before) and _QUAD_BEHIND.match(place.after(24))):
        return 0.0  # a table of numbers, not a list of addresses
    login = _LOGIN.search(before)
    if login and not after[:1].isalnum() and not _CHECKSUM.search(login[0]):
        return 0.9
    if _VISIT.match(after):
        return 0.9
    told = _OWN_KEY.search(before) or _HOST_KEY.search(before)
    if _VERSION_WORD.search(before[-60:]) and not told:
        return 0.4 if _HOST_WORD.search(before) else 0.0
    if told:
        return 0.4 if _made_up(octets) or _is_network(octets, after) else 0.9
    return _unnamed_ipv4(octets, before, after)


def _unnamed_ipv4(octets: bytes, before: bytes, after: bytes) -> float:
    """An address with no key of its own: how it stands and the sizes of its numbers decide."""
    named = _HOST_WORD.search(before) is not None or re.match(rb":\d{2,5}\b", after) is not None
    if _COMPARED.search(before) and not (named or _TAG.search(before)):
        return 0.0
    if max(octets[1:]) < 20 or octets[0] < 3 or octets[2:] == b"\0\0":
        return 0.4 if named else 0.0  # 4.1.2.0 is nearly always a version or a section
    if _is_network(octets, after):
        return 0.45
    if re.match(rb"/2[4-9]|/3[01]", after):  # a machine's own address, as its settings give it
        return 0.4 if _made_up(octets) else 0.65
    if after.startswith(b"/32"):  # a network of one machine
        return 0.4 if _made_up(octets) else 0.9
    if _made_up(octets):
        return 0.4
    if named:
        return 0.9
    if max(octets[:3]) < 32:
        return 0.4  # 11.6.23.147: a version counts up from little, with its build at the end
    large = sum(octet > 99 for octet in octets)
    if large >= 2:
        return 0.75
    if large and min(octets[:2]) > 19:
        return 0.65  # 47.93.163.115: no version counts so in its first two places
    alone = before[-1:] in (b"'", b'"', b"`") and after[:1] == before[-1:]
    whole = _WHOLE_VALUE.search(before) is not None and not after.split(b"\n")[0].strip(b"\"', \r")
    return 0.65 if alone or whole or not before.strip() else UNSURE_IP


UNSURE_IP = 0.5
"""An address that only its file can explain: believed where the file holds a sure one."""


def _is_network(octets: bytes, after: bytes) -> bool:
    """A range, not a machine."""
    mask = re.match(rb"/([0-9]|[12][0-9]|3[01])(?!\d)", after)
    return octets[3] == 0 or (
        mask is not None and (int(mask[1]) < 24 or not _is_host(octets, int(mask[1])))
    )


def _is_host(octets: bytes, mask: int) -> bool:
    """The bits behind the mask name a machine of the network."""
    return octets[3] & (1 << 32 - mask) - 1 != 0


def _made_up(octets: bytes) -> bool:
    """Addresses that people type as an example: 123.45.67.89, 12.34.56.78, 11.22.33.44, 7.7.7.7."""
    steps = {b - a for a, b in itertools.pairwise(octets)}
    digits = "".join(map(str, octets))
    return (
        len(steps) == 1 or len(set(octets)) == 1 or digits in "0123456789" or len(set(digits)) < 3
    )


def ipv6(place: Place) -> float:
    """How sure it is that the value is a public IPv6 address (2000::/3) of a machine."""
    try:
        address = ipaddress.IPv6Address(place.value.decode())
    except ValueError:
        return 0.0
    if _is_reserved(address):
        return 0.0
    if re.match(rb"/\d", place.after(2)):
        host = int(address) & (1 << 64) - 1 and re.match(rb"/(?:64|128)(?!\d)", place.after(5))
        return 0.8 if host else 0.45
    groups = [group for group in place.value.split(b":") if group]
    if len(groups) < 3 or len(set(groups)) < 3:
        return 0.4  # typed for an example
    if len(groups) < 4 and not _HOST_WORD.search(place.before(100)):
        return 0.5
    return 0.9


def _is_reserved(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    number = int(address)
    if address.version == 4:
        ranges = _NO_MACHINE_4
    else:
        if not _GLOBAL6[0] <= number <= _GLOBAL6[1]:
            return True
        ranges = _NO_MACHINE_6
    return address in _RESOLVERS or any(low <= number <= high for low, high in ranges)


# Accounts of images, services and documentation rather than of people.
_NO_PERSON = re.compile(
    rb"(?i)\b(?:the|your|team|project|foundation|inc|ltd|llc|gmbh|corp\w*|contributors?|authors?|name"
    rb"|group|community|developers?|software|university|institute|company|labs?|you|unknown|various"
    rb"|others?|generated|is|of|this|that|for|to|in|with|on|by|from|example|user|test|system|bot)\b"
)


def person(place: Place) -> float:
    """How sure it is that an author line names a person: two to four words, capitals first."""
    value = place.value
    if _NO_PERSON.search(value):
        return 0.0
    words = value.split(b" ")
    capitals = sum(word[:1].isupper() or word[:1] >= b"\xc3" for word in words)
    return 1.0 if capitals >= 2 and not value.isupper() else 0.0


# The registry's own examples (SWIFT, IBAN Registry) and the one everybody copies.
_EXAMPLE_IBANS = (
    "NL91ABNA0417164300",
    "FR1420041010050500013M02606",
    "GB82WEST12345698765432",
    "GB29NWBK60161331926819",
    "DE89370400440532013000",
)


# Characters of an account number by country, from the IBAN Registry of ISO 13616.
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FK", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}


def iban(place: Place) -> float:
    """How sure it is that the value is an account number: its check digits are right."""
    text = place.value.decode().replace(" ", "")
    if len(text) != _IBAN_LENGTHS.get(text[:2]):
        return 0.0
    number = int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4]))
    if number % 97 != 1:
        return 0.0
    return 0.4 if text in _EXAMPLE_IBANS or text[4:].count("0") > 14 else 1.0
