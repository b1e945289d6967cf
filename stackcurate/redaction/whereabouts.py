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
# Its own key says what it is, whatever the record says before: serial: "...", mac: "...".
_OWN_NAME = re.compile(
    rb"(?i)(?:mac|ether\w*|hwaddr|bssid|lladdr)(?:_?addr(?:ess)?)?[\"'`\])]{0,3}"
    rb"\s{0,4}(?::=|=>|[:=(,>])\s{0,4}[\"'`(]{0,2}$"
)
_FINGERPRINT = re.compile(rb"(?i)md5|sha\d|finger|thumb|serial|digest|checksum|guid|uuid|uid:")


UNSURE_MAC = 0.35
"""An address in Cisco's form that only its file can explain: believed beside a sure one."""


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
    if _FINGERPRINT.search(place.before(60)) and not _OWN_NAME.search(place.before(40)):
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
        return 0.9 if named else UNSURE_MAC
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
    # Names of numbers and of places, alone or as a word of a longer name.
    rb"(?i)(?<![a-z])(?:lat(?:itude)?s?|lng|lon(?:g(?:itude)?)?s?|latlng|lnglat|coord\w*|gps\w*|geo\w*|loc(?:ation\w*)?"
    rb"|position|home|address|house|office|maps?|marker\w*|center|centre|point|pin|place\w*|where"
    rb"|wgs\s?84|ll|daddr|saddr|origin|destination|waypoint\w*|(?:set_?)?circular_?region|geo_?fence\w*|work|depots?|depo|ware-?houses?|residence|konum|store|shop|start|end|st_\w+|(?:multi)?point|linestring|polygon|gml|icbm)(?![a-z])|@$|geo:|[?&]q="
    rb"|(?:lat|lng|lon|latitude|longitude|location|coords?|coordinates|position)s?(?:$|[^a-z])"
    rb"|(?-i:[a-z](?:Lat|Lng|Lon|Location|Coord|Position|Point))"
    # Calls that ask about a place: how far it is, when the sun rises there, what weather it has.
    rb"|(?<![a-z])(?:haversine|geodesic|vincenty|great_?circle|distance|topos|from_?degrees|from_?geodetic|astral"
    rb"|(?:sun|moon)(?:calc|rise|set|times?|_?info)?|date_sun\w{3,5}|dusk\w*|weather\w*|forecast|wttr\.in|time_?zone\w*)(?![a-z])"
    rb"|(?-i:[a-z](?:Distance|Haversine|From_?Degrees|Weather|Times?Zone))|distance_?between|sun_?times|l\.(?:circle|latlng)"
    # Where people say that they are.
    rb"|(?<![a-z])(?:(?:liv(?:es?|ing)|park(?:s|ed)?|meet(?:ing)?|stays?|sleeps?|we'?re|i'?m|met)\s"
    rb"(?:\w+\s)?(?:at|near|by|here)|(?:is|are|located|installed)\s(?:at|near)|(?:our|my|his|her|their)\sflat|apartment|treff(?:punkt|en)"
    rb"|wohn\w*|zu\s?hause|daheim|adres\w*|standort|koordinaten|casa|domicil\w*|direcci\w+"
    rb"|ubicaci\w+|posici\w+|localiza\w+|maison|lieu|rendez-?vous|indirizzo|posizione|thuis|woning"
    rb"|bostad|koti|hjemme|lokal\w*|adr)(?![a-z])|"
    + "коорд|адрес|домой|место|住所|自宅|坐标|座標|地址|位置|위치|좌표".encode()
)
# Parts of addresses of maps, routes and forecasts, in whose paths a pair stands.
_PLACE_ADDRESS = re.compile(
    rb"(?i)https?://[^\s\"'<>]{0,200}(?:map|geo|rout|driving|walking|weather|forecast|place|timezone|sun|earth|nearby)"
    rb"[^\s\"'<>]*$"
)
_NO_PLACE = re.compile(
    rb"(?i)<(?:path|polygon|polyline|line|circle|rect|svg|g)\b|\bd=[\"']|translate|matrix|(?<!fi)scale|rotate"
    rb"|viewbox|bezier|rgba?\(|color|vertex|vertices|float[234]?\b|vec[234]|normal|quat|weight|score"
    rb"|pixel|screen|camera|sprite|mesh|array\(\[|\.array\(|mpf|tensor|linspace|canvas|mouse|cursor|\((?:segment|gr_\w+|fp_\w+|via|pad)\b|offset|assert\w*\(.{0,40}(?:almost|close)"
)
_IN_LIST = re.compile(rb"(?:\.[0-9]+(?:e-?[0-9]+)?|[\[({,]\s{0,4}-?[0-9]+)\s{0,4},\s{0,4}$")
_PATH_OF_PLACES = re.compile(rb"(?i)linestring|polygon|multipoint|polyline|path=|waypoints|\|$")
# Places of documentation: the null island, and the sights that every tutorial maps.
_SIGHTS = re.compile(
    rb"40\.7127\d*|74\.005[39]\d*|37\.7749\d*|122\.419[34]\d*|51\.5073?\d*|0\.127[5-8]\d*|48\.8566\d*"
    rb"|2\.352[12]\d*|52\.5200\d*|13\.40(?:49|50)\d*|37\.422\d*|122\.084\d*|34\.0522\d*|118\.243[67]\d*"
)


def coordinates(place: Place) -> float:
    """How sure it is that two decimal numbers side by side name a place where somebody lives."""
    first, second = (float(number) for number in _NUMBER.findall(place.value)[:2])
    if not on_earth(first, second) or _NO_PLACE.search(place.before(120)):
        return 0.0
    if _IN_LIST.search(place.before(24)) and not _PATH_OF_PLACES.search(place.before()):
        return 0.0
    if not (_PLACE_WORD.search(place.before(80)) or _PLACE_ADDRESS.search(place.before())):
        if _is_literal(place):
            return 0.8
        return UNSURE_PLACE if _stands_alone(place) else 0.35
    return 0.5 if len(_SIGHTS.findall(place.value)) == 2 else 1.0


def _is_literal(place: Place) -> bool:
    """A literal that is a pair of decimals like those of maps, and nothing else."""
    quote = place.before(1)
    return (
        quote in (b'"', b"'")
        and place.after(1) == quote
        and not _COMPUTED.search(place.value)
        and not _RATIO.search(place.value)
        and not _POINTS.search(place.before(40))
    )


_POINTS = re.compile(
    rb"(?i)(?:points?|[dxyr]|size|offset|scale|range|anchor)[\"']?\s?[=:]\s?[\"']$"
)

UNSURE_PLACE = 0.45
"""A pair that only its file can explain: believed where ``tells_places`` says so."""

_OPENED = re.compile(
    rb"(?:^|[{\[,])\s{0,40}[\[({]\s?$|\S[ ]{2,24}$|"
    rb"[\w\"'\[][\"')\]]{0,2}\s{0,2}(?:=>|[:=,])?\s{0,2}(?:[A-Za-z][\w.:]{0,30})?[\[({<\"'`]\s?$"
    rb"|(?:=>|[:=])\s?$|[\"']\s?,\s?$"
)
_CLOSED = re.compile(
    rb"[ ]?(?:[\])}>\"'`;]|,?[ ]*$|\\n|[ ][a-z_]{2,12}[=:]"
    rb"|,[ ]?(?:-?[0-9]{1,4}(?:\.[0-9]{1,2})?[ ]?[,\])}]|[A-Za-z\"']))"
)
_COMPUTED = re.compile(rb"\.\d{9}")  # no map gives a millimeter
_RATIO = re.compile(rb"(?<![0-9])0\.[0-9]{4}(?![0-9])")
_TELLS = re.compile(
    rb"(?i)latitude|longitude|lat_?lng|lng_?lat|lat_?lon|(?<![a-z])(?:lat|lng|gps|haversine|leaflet"
    rb"|geo(?:json|cod\w*|loc\w*|graph\w*|hash|py)?|mapbox|maplibre|openstreetmap|nominatim"
    rb"|wgs_?84|homes|street|weather|sunrise|sunset|where\s[^\n]{0,40}\slives?|lives?\s(?:at|here|in)"
    rb"|check-?ins?|locations?|coord(?:inate)?s?)(?![a-z])"
)
_TELLS_NUMBERS = re.compile(
    rb"assert_all|allclose|almost_equal|approx\(|tensor\(|np\.random|viewBox"
)


def tells_places(text: bytes, path: str) -> bool:
    """A file with these bytes is about places of people: its unsure pairs are coordinates."""
    if _TELLS_NUMBERS.search(text):
        return False
    return _TELLS.search(text) is not None or _TELLS.search(path.encode()) is not None


def _stands_alone(place: Place) -> bool:
    """Two numbers and no third, in brackets or quotes of their own, or behind a name."""
    before, after = place.before(48), place.after(24)
    if _COMPUTED.search(place.value) or _RATIO.search(place.value):
        return False
    return _OPENED.search(before) is not None and _CLOSED.match(after) is not None


def coordinates_alone(place: Place) -> float:
    """Two decimal numbers in a place where nothing but coordinates stands."""
    first, second = (float(number) for number in _NUMBER.findall(place.value)[:2])
    return 1.0 if on_earth(first, second) else 0.0


def coordinate(place: Place) -> float:
    """One number behind a name for latitude or longitude; the other stands near it."""
    number = float(_NUMBER.findall(place.value)[0])
    if not -180 <= number <= 180 or abs(number) < 0.001:
        return 0.0
    return 0.5 if _SIGHTS.fullmatch(place.value.lstrip(b"+-")) else 1.0


def degrees(place: Place) -> float:
    """Degrees, minutes and seconds with both hemispheres: nothing else is written so."""
    return 1.0


def on_earth(first: float, second: float) -> bool:
    """A latitude and a longitude, in either order, away from the null island and its sea."""
    inside = abs(first) <= 180 and abs(second) <= 180 and min(abs(first), abs(second)) <= 90
    return inside and max(abs(first), abs(second)) > 3
