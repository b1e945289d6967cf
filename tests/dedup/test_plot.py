"""The picture is valid XML, stands alone, and shows the numbers of the settings."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from stackcurate.dedup.plot import svg
from stackcurate.dedup.settings import Settings

SVG = "{http://www.w3.org/2000/svg}"


def test_the_curve_rises_through_the_threshold():
    settings = Settings(threshold=0.8, bands=20, rows=12)
    picture = ElementTree.fromstring(svg(settings))
    line = picture.find(f"{SVG}polyline").get("points").split()
    heights = [float(point.split(",")[1]) for point in line]
    assert len(line) == 201 and heights == sorted(heights, reverse=True)
    assert heights[0] == 400 and heights[-1] == 40
    mark = picture.find(f"{SVG}circle")
    assert float(mark.get("cx")) == 60 + 0.8 * 640
    assert abs(float(mark.get("cy")) - (400 - 360 * settings.probability(0.8))) < 0.1
    assert f"{settings.probability(0.8):.4f}" in picture.find(f"{SVG}title").text
    words = [one.text for one in picture.findall(f"{SVG}text")]
    assert "threshold 0.8" in words and "not verified below 0.68" in words
    assert "href" not in svg(settings) and "script" not in svg(settings)
