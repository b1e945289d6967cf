"""Where somebody is and with which device: coordinates of a place, hardware addresses."""

from __future__ import annotations

import re

from .place import Place

_HEX = re.compile(rb"[^0-9A-Fa-f]")
# IANA, Ethernet numbers for documentation (RFC 9542): 00-00-5E-00-53-00 to FF; VRRP's 00-00-5E.
_RESERVED = (b"00005e", b"000000", b"3333ff", b"0180c2")
_MADE_UP = re.compile(
    rb"0011223344|1122334455|1a2b3c4d5e|0123456789|123456789a|0a0b0c0d0e|a1b2c3d4e5|deadbeef|cafebabe|c0ffee"
    rb"|badc0de|feedface|^(?:(..)\1{5}|(...)\2{3})$|(?:(.)\3){5}|0{7}|f{7}|^(?:00){2}(?:0\d){4}$"
    rb"|^0001020304|^0102030405|^a0b0c0d0|^aabbcc|^abcdef|ddeeff$|ffeedd|fedcba|998877"
)
# QEMU gives its guests addresses under 52:54:00, and its manual prints this one.
_GUEST, _PRINTED_GUEST = b"525400", b"525400123456"
_MAC_WORD = re.compile(
    rb"(?i)mac|hwaddr|ether|bssid|ssid|bluetooth|(?<![a-z])(?:bd_?addr|ble|lan|nic|arp|dhcp|wol|oui)"
    rb"(?![a-z])|wake|hardware|physical|device|wlan|wifi|wi-fi|lladdr|address|station|beacon|eth\d"
    rb"|interface|sensor|access.?point"
)
_SWITCH = re.compile(
    rb"(?i)^\s{1,8}(?:dynamic|static|arpa|learned|(?:gi|fa|te|eth|po|vlan)\w*/?\d)"
)
_ALONE_INDENTED = re.compile(rb"\s{2,}")
_FINGERPRINT = re.compile(rb"(?i)md5|sha\d|finger|thumb|serial|digest|checksum|guid|uuid|uid:")


def mac(place: Place) -> float:
    """How sure it is that the value is one device's hardware address (IEEE 802, EUI-48).

    Groups (multicast, broadcast) and documentation's addresses are nobody's; addresses with the
    bit for local use are made by software, for containers and virtual machines: an example at most,
    but for those of QEMU's guests, by which networks know them.
    """
    octets = _HEX.sub(b"", place.value).lower()
    first = int(octets[:2], 16)
    if first & 1 or octets.startswith(_RESERVED) or len(set(octets)) < 4:
        return 0.0
    if _FINGERPRINT.search(place.before(60)):
        return 0.0
    if (first & 2 and not _is_guest(octets)) or _MADE_UP.search(octets):
        return 0.4
    table = _SWITCH.match(place.after(24)) is not None  # a switch's table of addresses
    named = table or _MAC_WORD.search(place.before(120)) is not None
    if not named and _ALONE_INDENTED.fullmatch(place.before()) and not place.after(20).strip():
        return 0.3  # the last line of a dump of hex digits
    if place.value.isdigit() or re.fullmatch(rb"(?:\d\d[:-]){5}\d\d", place.value):
        return 0.7 if named else 0.0  # digits alone are a date and a time as well
    if b"." in place.value:  # three groups of four: a form of Cisco's that versions have too
        return 0.9 if named else 0.3
    return 1.0 if named else 0.75


def _is_guest(octets: bytes) -> bool:
    return octets.startswith(_GUEST) and octets != _PRINTED_GUEST


def mac_bytes(place: Place) -> float:
    """An address as six bytes of code: nobody's where it is a group's or made up."""
    octets = bytes(int(one, 16) for one in place.value.split(b","))
    plain = octets.hex().encode()
    if (
        (octets[0] & 3 and not _is_guest(plain))
        or plain.startswith(_RESERVED)
        or len(set(plain)) < 4
    ):
        return 0.0
    return 0.4 if _MADE_UP.search(plain) else 1.0


# The number with its sign; four decimals name a street, five a house.
_NUMBER = re.compile(rb"[+-]?\d{1,3}\.\d{4,}")
_PLACE_WORD = re.compile(
    rb"(?i)(?<![a-z])(?:lat(?:itude)?s?|lng|lon(?:g(?:itude)?)?s?|latlng|lnglat|coord\w*|gps\w*|geo\w*|location\w*"
    rb"|position|home|address|house|office|maps?|marker\w*|center|centre|point|pin|place\w*|where"
    rb"|wgs\s?84|ll|daddr|saddr|origin|destination|waypoint\w*|work|depot|store|shop|start|end|st_\w+)(?![a-z])|@$|geo:|[?&]q="
    rb"|(?:lat|lng|lon|latitude|longitude|location|coords?|coordinates|position)s?(?:$|[^a-z])"
    rb"|[a-z](?:Lat|Lng|Lon|Location|Coord|Position|Point)"
)
_NO_PLACE = re.compile(
    rb"(?i)<(?:path|polygon|polyline|line|circle|rect|svg|g)\b|\bd=[\"']|translate|matrix|scale|rotate"
    rb"|viewbox|bezier|rgba?\(|color|vertex|vertices|float[234]?\b|vec[234]|normal|quat|weight|score"
    rb"|pixel|screen|camera|sprite|mesh|array\(|mpf|tensor|linspace|canvas|mouse|cursor|offset|assert\w*\(.{0,40}(?:almost|close)"
)
_IN_LIST = re.compile(rb"[0-9]\s{0,4},\s{0,4}$")
_PATH_OF_PLACES = re.compile(rb"(?i)linestring|polygon|multipoint|polyline|path=|waypoints|\|$")
# Places of documentation: the null island, and the sights that every tutorial maps.
_SIGHTS = re.compile(
    rb"40\.7127\d*|74\.005[39]\d*|37\.7749\d*|122\.419[34]\d*|51\.5073?\d*|0\.127[5-8]\d*|48\.8566\d*"
    rb"|2\.352[12]\d*|52\.5200\d*|13\.40(?:49|50)\d*|37\.422\d*|122\.084\d*|34\.0522\d*|118\.243[67]\d*"
)


def coordinates(place: Place) -> float:
    """How sure it is that two decimal numbers side by side name a place where somebody lives."""
    first, second = (float(number) for number in _NUMBER.findall(place.value)[:2])
    if not _on_earth(first, second) or _NO_PLACE.search(place.before(120)):
        return 0.0
    if _IN_LIST.search(place.before(24)) and not _PATH_OF_PLACES.search(place.before()):
        return 0.0
    if not _PLACE_WORD.search(place.before(80)):
        return 0.35
    return 0.5 if len(_SIGHTS.findall(place.value)) == 2 else 1.0


def coordinate(place: Place) -> float:
    """One number behind a name for latitude or longitude; the other stands near it."""
    number = float(_NUMBER.findall(place.value)[0])
    if not -180 <= number <= 180 or abs(number) < 0.001:
        return 0.0
    return 0.5 if _SIGHTS.fullmatch(place.value.lstrip(b"+-")) else 1.0


def degrees(place: Place) -> float:
    """Degrees, minutes and seconds with both hemispheres: nothing else is written so."""
    return 1.0


def _on_earth(first: float, second: float) -> bool:
    """A latitude and a longitude, in either order, away from the null island and its sea."""
    inside = abs(first) <= 180 and abs(second) <= 180 and min(abs(first), abs(second)) <= 90
    return inside and max(abs(first), abs(second)) > 3
