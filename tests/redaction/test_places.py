"""Coordinates in code, data and text: numbers are a place or a drawing by where they stand."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stackcurate.redaction import places
from stackcurate.redaction.find import find
from stackcurate.redaction.settings import Settings

A, B = "47.68213", "-8.94157"


def found(path: str, text: str) -> set[str]:
    spans = find(pa.array([text], pa.large_string()), pa.array([path]), Settings())
    raw = text.encode()
    return {raw[s.start : s.end].decode() for s in spans if s.rule.kind == "coordinates"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sun.js", f"const t = SunCalc.getTimes(new Date(), {A}, {B});"),
        ("map.rb", f"module Geo\n  HOMES = {{\n    'Mia' => [{A}, {B}],\n  }}\nend"),
        ("where.py", f"# where they live, lat and lon\nrows = [\n    ('Mia', {A}, {B}),\n]"),
        ("far.go", f"km := haversine({A}, {B}, 47.11213, 8.54321)"),
        ("map.json", f'{{\n  "coordinates": [\n    {B},\n    {A}\n  ]\n}}'),
        ("zone.yaml", f"home:\n  - {A}\n  - {B}\n"),
        ("trip.kml", f"<coordinates>\n{B},{A},0 {B},{A},0\n</coordinates>"),
        ("shop.R", f"d <- data.frame(lat = c({A}, 47.11213), lon = c({B}, 8.54321))"),
        ("pin.html", f'<meta name="ICBM" content="{A}, {B}">'),
        ("osm.md", f"https://www.openstreetmap.org/#map=18/{A}/{B}"),
        ("embed.html", f"https://www.google.com/maps/embed?pb=!1m3!1d2428.4!2d{B}!3d{A}!2m3"),
        ("x.sh", f"redshift -l {A}:{B}"),
        ("orte.csv", f"name;Breitengrad;Längengrad\nMia;{A};{B}\n"),
        ("luogo.txt", f"Indirizzo: {A}, {B}"),
        ("gps.log", f"fix ok sats=9 pos={A},{B} alt=76.2"),
        (
            "a.c",
            f'typedef struct {{ double lat, lon; }} at;\nat all[] = {{\n  {{ {A}, {B}, "x" }},',
        ),
        ("fence.kt", f".setCircularRegion({A}, {B}, 150f)"),
        ("a.har", f'"text": "{{\\"lat\\":{A},\\"lng\\":{B}}}"'),
        ("sky.py", f"here = Topos('{A} N', '8.94157 E')"),
    ],
)
def test_a_place_is_told_by_where_it_stands(path: str, text: str) -> None:
    shown = " ".join(found(path, text))
    assert A in shown and B.lstrip("-") in shown


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("draw.js", f"const m = [{A}, {B}];"),
        ("draw.rb", f"PAIRS = {{ 'a' => [{A}, {B}] }}"),
        ("test_mean.py", f"# locations\nassert_allclose(mean, ({A}, {B}))"),
        (
            "boxes.json",
            '{\n  "coordinates": [\n    1.23456,\n    2.34567,\n    3.45678,\n    4.5678\n  ]\n}',
        ),
        ("scale.yaml", f"scale:\n  - {A}\n  - {B}\n"),
        ("ui.json", f'{{\n  "center": [\n    {A},\n    {B}\n  ]\n}}'),
        ("board.kicad", f"# geo\n(segment (start {A} {B}) (end 121.4737 31.2304))"),
        ("sum.py", "# homes\nshares = {'a': (0.1234, 0.5678)}"),
        ("geo.py", "x = {'area': (47.682134567891, -8.941571234567)}"),
    ],
)
def test_numbers_elsewhere_are_numbers(path: str, text: str) -> None:
    assert not found(path, text)


def test_a_long_list_is_read_once() -> None:
    """Only the first number below a name opens its list; the others are not walked again."""
    text = ("coordinates: [\n" + "[\n 8.12345,\n 47.12345\n],\n" * 50 + "]").encode()
    first = text.index(b" 8.1")
    assert len(places.below(text, first, first + 9)) == 100
    later = text.rindex(b" 8.1")
    assert places.below(text, later, later + 9) == []
