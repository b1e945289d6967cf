"""Values whose names stand elsewhere: what is written out for the rules, and from where."""

from __future__ import annotations

import pytest

from stackcurate.redaction.columns import lines


def cells(text: str, path: str) -> list[tuple[str, str]]:
    """(name, value) of what is written out; each value must stand where it says."""
    raw = text.encode()
    out, places = lines(raw, path)
    found = [tuple(line.split(": ", 1)) for line in out.decode().splitlines()]
    assert [raw[place.start : place.end].decode() for place in places] == [v for _, v in found]
    return found  # type: ignore[return-value]


MADE = "CREATE TABLE houses (id INT, owner VARCHAR(60), lat DECIMAL(9,6), lng DECIMAL(9,6));\n"


@pytest.mark.parametrize(
    ("path", "text", "right"),
    [
        (
            "a.sql",
            MADE + "INSERT INTO houses VALUES (1, 'Ada', -33.859559, 18.503126);",
            [("lat", "-33.859559"), ("lng", "18.503126")],
        ),
        ("a.sql", "INSERT INTO houses VALUES (1, 'Ada', -33.859559, 18.503126);", []),
        ("a.sql", "INSERT INTO u (id, password) VALUES (1, 'x y')", [("password", "x y")]),
        ("a.csv", "name,home location\nAda,9.1\n", [("home_location", "9.1")]),
        ("a.md", "| who | phone |\n|---|---|\n| Ada | (212) 5 |\n", [("phone", "(212) 5")]),
        ("a.md", "| `DB_PASSWORD` | `hX7pq` |\n", [("DB_PASSWORD", "hX7pq")]),
        ("a.md", "| password | what you type |\n", []),
        ("etc/ppp/chap-secrets", '# client\nada l2tpd "hX7pq" *\n', [("password", "hX7pq")]),
        (
            "etc/ipsec.secrets",
            ': PSK "hX7pq"\nada : EAP hX8pq\n',
            [("password", "hX7pq"), ("password", "hX8pq")],
        ),
        ("a.plist", "<key>RootPw</key>\n<string>hX7pq</string>", [("RootPw", "hX7pq")]),
        ("a.py", "password,phone\n1,2\n", []),
    ],
)
def test_cells(path: str, text: str, right: list[tuple[str, str]]) -> None:
    assert cells(text, path) == right
