"""The S-curve as a picture that stands alone: an SVG without scripts, fonts or links."""

from __future__ import annotations

from stackcurate.dedup.settings import Settings

_LEFT, _TOP, _WIDTH, _HEIGHT = 60, 40, 640, 360
_STEPS = 200


def svg(settings: Settings) -> str:
    """The chance that a pair meets, by its similarity; the threshold and what is found there."""
    points = " ".join(f"{_x(s):.1f},{_y(c):.1f}" for s, c in settings.curve(1 / _STEPS))
    found = settings.probability(settings.threshold)
    title = (
        f"{settings.bands} bands of {settings.rows} rows, {settings.permutations} permutations: "
        f"{found:.4f} of the pairs at {settings.threshold} are found"
    )
    ticks = "".join(_tick(number / 10) for number in range(0, 11, 2))
    at = _x(settings.threshold)
    low = settings.threshold - settings.estimate_margin
    marks = _mark(at, "#c60", f"threshold {settings.threshold:g}")
    marks += _mark(_x(max(low, 0)), "#888", f"not verified below {max(low, 0):.2f}")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 460" \
font-family="sans-serif" font-size="13">
<title>{title}</title>
<rect width="740" height="460" fill="#fff"/>
<text x="{_LEFT}" y="24">{title}</text>
{ticks}{marks}\
<polyline points="{points}" fill="none" stroke="#06c" stroke-width="2"/>
<circle cx="{at:.1f}" cy="{_y(found):.1f}" r="4" fill="#c60"/>
<text x="{_LEFT + _WIDTH / 2}" y="446" text-anchor="middle">similarity of the pair (Jaccard)</text>
<text transform="translate(16 {_TOP + _HEIGHT / 2}) rotate(-90)" text-anchor="middle">\
chance that it meets</text>
</svg>
"""


def _mark(x: float, color: str, text: str) -> str:
    """A dashed line down from the curve's height, with a word beside it at the bottom."""
    bottom = _TOP + _HEIGHT
    return (
        f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{color}" '
        f'stroke-dasharray="4 4"/>'
        f'<text transform="translate({x + 14:.1f} {bottom - 8}) rotate(-90)" fill="{color}">'
        f"{text}</text>\n"
    )


def _x(similarity: float) -> float:
    return _LEFT + similarity * _WIDTH


def _y(chance: float) -> float:
    return _TOP + (1 - chance) * _HEIGHT


def _tick(value: float) -> str:
    """A line and a number on each axis."""
    x, y = _x(value), _y(value)
    return (
        f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_TOP + _HEIGHT}" stroke="#ddd"/>'
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + _WIDTH}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{value:g}</text>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>\n'
    )
