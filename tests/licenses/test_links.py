"""The way that a symbolic link leads, without a file system."""

import pytest

from stackcurate.licenses import links
from stackcurate.licenses.links import Way


def led(path: str, **known: str | None) -> tuple[str | None, str | None]:
    """(end, why) of the way from ``path``; ``known`` are links by path, "__" for "/"."""
    said = {f"/{name.replace('__', '/')}".encode(): text for name, text in known.items()}
    way, rounds = Way(path.encode()), 0
    while way.is_open:
        ahead = {one: said[one] for one in way.ahead() if one in said}
        way.go({one: None if text is None else text.encode() for one, text in ahead.items()})
        rounds += 1
        assert rounds <= links.LIMIT + 2
    return way.end.decode() if way.end is not None else None, way.why


@pytest.mark.parametrize(
    ("path", "known", "expected"),
    [
        ("/L", {"L": "a"}, ("/a", None)),
        ("/a/L", {"a__L": "../b/./c//d"}, ("/b/c/d", None)),
        ("/a/L", {"a__L": "M", "a__M": "../x"}, ("/x", None)),
        # ".." is that of the folder a link leads to
        ("/L", {"L": "f/../x", "f": "d/e"}, ("/d/x", None)),
        ("/L", {"L": "f/x", "f": "g", "g": "d"}, ("/d/x", None)),
        ("/L", {"L": "."}, ("", None)),
        ("/a/L", {"a__L": ".."}, ("", None)),
        ("/a/L", {"a__L": "../.."}, (None, links.OUT)),
        ("/a/L", {"a__L": "../../repo/x"}, (None, links.OUT)),
        ("/L", {"L": "x/../../y"}, (None, links.OUT)),
        ("/L", {"L": "/etc/passwd"}, (None, links.ABSOLUTE)),
        ("/L", {"L": "a", "a": "/etc/passwd"}, (None, links.ABSOLUTE)),
        ("/L", {"L": ""}, (None, links.NOWHERE)),
        ("/L", {"L": "a\0b"}, (None, links.NOWHERE)),
        ("/L", {"L": None}, (None, links.UNREAD)),
        ("/L", {"L": "x" * (links.MAX_BYTES + 1)}, (None, links.UNREAD)),
        ("/L", {"L": "L"}, (None, links.LONG)),
        ("/L", {"L": "M", "M": "L"}, (None, links.LONG)),
        ("/L", {"L": "L/x"}, (None, links.LONG)),
        ("/L", {"L": "a/" * links.MAX_NAMES + "b"}, (None, links.LONG)),
        ("/L", {"L": "a/" * (links.MAX_NAMES - 1) + "b"},
         ("/a" * (links.MAX_NAMES - 1) + "/b", None)),
    ],
)  # fmt: skip
def test_ways(path, known, expected):
    assert led(path, **known) == expected


def test_a_chain_of_links_has_an_end():
    chain = {f"l{number}": f"l{number + 1}" for number in range(links.LIMIT)}
    assert led("/l0", **chain) == (f"/l{links.LIMIT}", None)
    longer = chain | {f"l{links.LIMIT}": "end"}
    assert led("/l0", **longer) == (None, links.LONG)


def test_each_target_is_evidence_of_its_own():
    row = {"evidence_id": "e", "rule": "mit.LICENSE", "expression": "MIT"}
    one, other = links.by_link(row, "/LICENSE"), links.by_link(row, "/b/LICENSE")
    assert one["evidence_id"] != other["evidence_id"] != "e"
    assert one["rule"] == "mit.LICENSE (a link to /LICENSE)" and one["expression"] == "MIT"
