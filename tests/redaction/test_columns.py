"""Values whose names stand elsewhere: what is written out for the rules, and from where."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stackcurate.redaction.columns import lines, lines_below
from stackcurate.redaction.examples import expand
from stackcurate.redaction.find import find
from stackcurate.redaction.settings import Settings


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
        (
            "a.jmx",
            '<p name="Argument.value">hX7pq</p>\n<p name="Argument.name">password</p>',
            [("password", "hX7pq")],
        ),
        (
            "a.jmx",
            '<p name="Header.name">X-Api-Key</p>\n<p name="Header.value">hX7pq</p>',
            [("X-Api-Key", "hX7pq")],
        ),
        ("a.xml", '<p name="password"><value>hX7pq</value></p>', [("password", "hX7pq")]),
        (
            "a.yaml",
            "DBPassword:\n  Type: String\n  NoEcho: true\n  Default: hX7pq\n",
            [("DBPassword", "hX7pq")],
        ),
        ("a.yaml", "DBPassword:\n  Type: String\nHost:\n  Default: hX7pq\n", []),
        ("a.yaml", "X-Api-Key:\n- hX7pq\n", [("X-Api-Key", "hX7pq")]),
        ("a.py", "password,phone\n1,2\n", []),
    ],
)
def test_cells(path: str, text: str, right: list[tuple[str, str]]) -> None:
    assert cells(text, path) == right


def test_a_table_amid_code_ends_where_its_width_does() -> None:
    text = b"import x\n\nname;numero_case;phone\nAda;2920;1\nEve;3920;2\nx = 1\nBob;1;2\n"
    out, places, end = lines_below(text, text.index(b"name;"))
    assert text[:end].endswith(b"Eve;3920;2")
    assert out.decode().splitlines() == ["phone: 1", "phone: 2"]
    assert [text[place.start : place.end] for place in places] == [b"1", b"2"]


def test_tabs_in_a_file_called_csv() -> None:
    assert cells("user\tpassword\nada\thX7pq\n", "a.csv") == [("password", "hX7pq")]


def test_tables_are_met_in_any_file() -> None:
    text = "import os\n\nname,mail,password\nAda,a,kX93!mfPq2w\n\ncall(name, mail, password)\n"
    spans = find(pa.array([text], pa.large_string()), pa.array(["a.py"]), Settings())
    assert [(span.rule.kind, text[span.start : span.end]) for span in spans] == [
        ("password", "kX93!mfPq2w")
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.rs", '// BSN\nlet id = "{valid:nl-bsn:2########}";\n'),
        ("a.html", "<td>PESEL</td>\n<td>{valid:pl-pesel:790412#####}</td>\n"),
        ("a.js", "check('{valid:es-dni:5#######@}'); // DNI\n"),
        ("a.rb", "expect(valid?('{valid:be-rijksregister:79.04.1#-###.##}')).to be true # NISS\n"),
        ("a.md", "| name | SVNR |\n|---|---|\n| Mia | {valid:at-svnr:4### 120479} |\n"),
        ("a.csv", "nom,numero_secu\nMia,{valid:fr-nir:2840675########}\n"),
    ],
)
def test_a_name_beside_a_number_tells_what_it_is(path: str, text: str) -> None:
    text = expand(text, "near")
    spans = find(pa.array([text], pa.large_string()), pa.array([path]), Settings())
    assert [span.rule.kind for span in spans] == ["national_id"]


@pytest.mark.parametrize(
    "text",
    [
        '// BSN\nlet id = "200000000";\n',  # its check digits are wrong
        'let id = "729772913";\n',  # nothing names it
        '// run this once\nlet n = "12345670";\n',  # a word of prose
        '// BSN 123456789\nlet id = "729772913";\n',  # the word has its own number
    ],
)
def test_a_number_with_no_name_stays(text: str) -> None:
    assert not find(pa.array([text], pa.large_string()), pa.array(["a.rs"]), Settings())


def test_tables_of_html_name_their_cells_above_or_beside() -> None:
    head = "<table><tr><th>name</th><th>Password</th></tr>"
    text = head + "<tr><td>Ada</td>\n<td class='x'> hX7pq </td></tr></table>"
    assert cells(text, "a.html") == [("Password", "hX7pq")]
    beside = "<tr><th>Phone</th><td>(212) 5</td></tr><tr><th>id</th><td>7</td></tr>"
    assert cells(f"<TABLE>{beside}</TABLE>", "a.vue") == [("Phone", "(212) 5")]
    apart = head + "</table><table><tr><td>a</td><td>b</td></tr></table>"
    assert cells(apart, "a.html") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.csv", "ip,firmware\n85.214.132.117,6.128.141.11\n"),
        ("a.sql", "INSERT INTO d (ip, fw_version) VALUES ('85.214.132.117', '6.128.141.11');"),
        (
            "a.html",
            "<tr><th>ip</th><th>Release</th></tr><tr><td>85.214.132.117</td><td>6.128.141.11</td>",
        ),
    ],
)
def test_a_column_of_versions_holds_no_addresses(path: str, text: str) -> None:
    spans = find(pa.array([text], pa.large_string()), pa.array([path]), Settings())
    assert [text[span.start : span.end] for span in spans] == ["85.214.132.117"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", "passwords:\n  - {p}\n  - {q}\n"),
        ("a.yaml", "db_password:  # set by ops\n  '{p}'\nnext_password:\n  value: {q}\n"),
        ("a.json", '{{\n  "passwords": [\n    "{p}",\n    "{q}"\n  ]\n}}'),
        ("a.json", '{{"password": {{"value": "{p}"}}, "secret": ["{q}"]}}'),
        ("a.py", 'PASSWORDS = [\n    "{p}",\n    "{q}",\n]\n'),
        ("a.py", 'password = (\n    "{p}"\n)\ntoken = \\\n    "{q}"\n'),
        ("a.xml", "<password>\n  {p}\n</password>\n<secret>\n  {q}\n</secret>"),
        ("a.py", 'HOST, PASSWORD, TOKEN = "db", "{p}", "{q}"'),
        ("a.html", '<dt>Password</dt><dd>{p}</dd>\n<input id="token" type="text" value="{q}">'),
    ],
)
def test_names_reach_the_values_below_and_inside(path: str, text: str) -> None:
    values = ("kX93!mfPq2w", expand("{A-Za-z0-9*32}", "below"))
    text = text.format(p=values[0], q=values[1])
    spans = find(pa.array([text], pa.large_string()), pa.array([path]), Settings())
    assert sorted(text[span.start : span.end] for span in spans) == sorted(values)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yaml", "password:\n  required: true\n  min: 8\n"),
        ("a.yaml", "password:\n  required\n"),
        ("a.py", "password = (\n    read_from_vault2\n)\n"),
        ("a.py", 'passwords = [\n    x for x in "kX93!mfPq2w"\n]'),
        ("a.js", "const token = [\n  ...'abc',\n]"),
        ("a.py", 'a, password = "x", "y", "z of Things"'),
    ],
)
def test_other_things_below_a_name_stay(path: str, text: str) -> None:
    assert not find(pa.array([text], pa.large_string()), pa.array([path]), Settings())


def test_a_literal_by_chance_needs_no_name() -> None:
    value = expand("{A-Za-z0-9*40}", "chance")
    for line in (f"$plivo = '{value}';", f'init("{value}")', f'  pexels: "{value}"'):
        assert find(pa.array([line], pa.large_string()), pa.array(["a.php"]), Settings())
    for line in (
        f"video_id = '{value}'",
        f"token_hash = '{value}'",
        'x = "aSecondLongIdentifier2Name"',
    ):
        assert not find(pa.array([line], pa.large_string()), pa.array(["a.php"]), Settings())


def test_a_literal_that_is_a_pair_of_decimals_is_a_place() -> None:
    for line, right in (("at: '47.68213, -8.94157'", 1), ("points='47.68213,-8.94157'", 0)):
        spans = find(pa.array([line], pa.large_string()), pa.array(["a.js"]), Settings())
        assert len(spans) == right
