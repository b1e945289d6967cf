"""The bytes: small programs written for this purpose, license texts, fake secrets."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
HOLDER = "Copyright (c) 2021 the authors\n\n"

# Our name -> the name in ScanCode's license data, from which the standard texts are read.
_LICENSES = {
    "MIT": "mit",
    "BSD-3-Clause": "bsd-new",
    "ISC": "isc",
    "Unlicense": "unlicense",
    "Apache-2.0": "apache-2.0",
    "GPL-2.0": "gpl-2.0",
    "GPL-3.0": "gpl-3.0",
}


def program(name: str) -> str:
    """A program by its file name."""
    return (PROGRAMS / f"{name}.txt").read_text(encoding="utf-8")


@lru_cache
def license_text(name: str) -> str:
    """A standard license text, with a copyright line where the license wants one."""
    spec = find_spec("licensedcode")
    if spec is None or spec.origin is None:
        raise SystemExit("the license texts are read from scancode-toolkit; install it first")
    path = Path(spec.origin).parent / "data" / "licenses" / f"{_LICENSES[name]}.LICENSE"
    text = path.read_text(encoding="utf-8").split("\n---\n", 1)[1].lstrip("\n")
    holder = HOLDER if name in ("MIT", "BSD-3-Clause", "ISC") else ""
    title = {"MIT": "MIT License\n\n", "ISC": "ISC License\n\n"}.get(name, "")
    return title + holder + text.rstrip("\n") + "\n"


def edited(text: str, *pairs: tuple[str, str]) -> str:
    """``text`` with each old piece replaced by the new one; an old piece must be there."""
    for old, new in pairs:
        if old not in text:
            raise ValueError("an edit does not find its place")
        text = text.replace(old, new)
    return text


def tide_display() -> str:
    """Near duplicate of tide.py: a comment left out, one identifier renamed."""
    return edited(
        program("tide.py"),
        ("# Speeds in degrees per hour for the constituents that matter in our harbor.\n", ""),
        ("previous_day", "last_day"),
    )


def tide_almanac() -> str:
    """Another near duplicate of tide.py, edited elsewhere."""
    return edited(
        program("tide.py"),
        ('"K1": 15.0410686', '"K1": 15.041069'),
        ("How much air is left", "The air that is left"),
        ("days, minutes=10", "days, minutes=6"),
    )


def seiche() -> str:
    """Shares its opening with tide.py and then goes its own way: too far off to be a duplicate."""
    opening = program("tide.py").split("    def curve(self")[0].rstrip()
    return opening + _SEICHE


_SEICHE = '''


GRAVITY = 9.80665


class Basin:
    """A closed basin of even depth, such as a dock with its gates shut."""

    def __init__(self, length, depth, friction=0.02):
        if min(length, depth) <= 0:
            raise ValueError("a basin has a length and a depth")
        self.length = length
        self.depth = depth
        self.friction = friction

    def period(self, node=1):
        """Seconds of the standing wave with so many nodes, after Merian."""
        return 2 * self.length / (node * math.sqrt(GRAVITY * self.depth))

    def decay(self, amplitude, seconds):
        swings = seconds / self.period()
        return amplitude * (1 - self.friction) ** swings

    def quiet_after(self, amplitude, limit=0.01):
        """Seconds until the water stands still enough for the gates to open."""
        if amplitude <= limit:
            return 0.0
        swings = math.log(limit / amplitude) / math.log(1 - self.friction)
        return swings * self.period()


def resonant(basin, constituents, tolerance=0.05):
    """Names of the constituents that would rock the basin."""
    names = []
    for part in constituents:
        hours = 360.0 / SPEEDS[part.name]
        for node in (1, 2, 3):
            ratio = basin.period(node) / (hours * 3600)
            if abs(ratio - 1) < tolerance:
                names.append((part.name, node))
    return names
'''


def soundings_fork() -> str:
    """Near duplicate of soundings.c: a comment and one name changed."""
    return edited(
        program("soundings.c"),
        (
            "/* A grid of soundings: rows of depths in decimeters, "
            "-1 where nothing was measured. */\n",
            "",
        ),
        ("grid_shallowest(const struct grid *grid)", "grid_shoalest(const struct grid *grid)"),
    )


def noise(seed: str, size: int) -> bytes:
    """Bytes that look random and are the same every time."""
    out = b""
    counter = 0
    while len(out) < size:
        out += hashlib.sha256(f"{seed}:{counter}".encode()).digest()
        counter += 1
    return out[:size]


def letters(seed: str, size: int, alphabet: str) -> str:
    return "".join(alphabet[byte % len(alphabet)] for byte in noise(seed, size))


UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
MIXED = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"


def deploy_with_cloud_key() -> str:
    """An access key id and its secret, of the right shape and of nobody. Two keys."""
    key_id = "AK" + "IA" + letters("cloud id", 16, UPPER)
    secret = letters("cloud secret", 40, MIXED + "+/")
    return (
        '"""Pushes the built site to its bucket."""\n\n'
        "import subprocess\n\n"
        f'AWS_ACCESS_KEY_ID = "{key_id}"\n'
        f'AWS_SECRET_ACCESS_KEY = "{secret}"\n'
        'BUCKET = "toolbox-site"\n\n\n'
        "def push(folder):\n"
        '    """Copies the folder; files that are gone here go there too."""\n'
        "    environment = {\n"
        '        "AWS_ACCESS_KEY_ID": AWS_ACCESS_KEY_ID,\n'
        '        "AWS_SECRET_ACCESS_KEY": AWS_SECRET_ACCESS_KEY,\n'
        "    }\n"
        '    target = "s3://" + BUCKET\n'
        '    subprocess.run(["aws", "s3", "sync", "--delete", folder, target], '
        "env=environment, check=True)\n"
    )


def relay_with_private_key() -> str:
    """Code around the frame of a key, and in the frame bytes that are no key."""
    body = base64.b64encode(noise("private key", 240)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    frame = "-----{} RSA " + "PRIVATE" + " KEY-----"
    return (
        '"""Passes lamp commands on, so that the controllers need no address of their own."""\n\n'
        "import socketserver\n"
        "import ssl\n"
        "import tempfile\n\n"
        f'KEY = """\\\n{frame.format("BEGIN")}\n{lines}\n{frame.format("END")}\n"""\n\n\n'
        "class Relay(socketserver.StreamRequestHandler):\n"
        "    def handle(self):\n"
        '        """One line, one lamp: its number and a level from 0 to 9."""\n'
        "        for line in self.rfile:\n"
        "            number, _, level = line.decode('ascii', 'replace').partition(' ')\n"
        "            if not number.isdigit() or not level.strip().isdigit():\n"
        "                self.wfile.write(b'what?\\n')\n"
        "                continue\n"
        "            self.server.lamps[int(number)] = int(level)\n"
        "            self.wfile.write(b'ok\\n')\n\n\n"
        "def serve(port, certificate):\n"
        "    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
        "    with tempfile.NamedTemporaryFile('w', suffix='.pem') as file:\n"
        "        file.write(KEY)\n"
        "        file.flush()\n"
        "        context.load_cert_chain(certificate, file.name)\n"
        "    with socketserver.ThreadingTCPServer(('localhost', port), Relay) as server:\n"
        "        server.lamps = {}\n"
        "        server.socket = context.wrap_socket(server.socket, server_side=True)\n"
        "        server.serve_forever()\n"
    )


def contacts() -> str:
    """Two addresses (one of them twice) and two public IP addresses."""
    at, first, second = "@", "watch", "berths"
    domain = "kestrelholm-marine" + ".net"
    inner, outer = ".".join(["45", "83", "117", "204"]), ".".join(["91", "198", "62", "13"])
    return (
        "# Who to call when a lamp fails, and where the controllers are.\n"
        "stations:\n"
        "  north:\n"
        f"    mail: {first}{at}{domain}\n"
        f"    controller: {inner}\n"
        "    lamps: [1, 2, 3, 4]\n"
        "  south:\n"
        f"    mail: {second}{at}{domain}\n"
        f"    controller: {outer}\n"
        "    lamps: [5, 6]\n"
        "fallback:\n"
        f"  mail: {first}{at}{domain}\n"
        "  after_minutes: 15\n"
    )


def database_with_password() -> str:
    password = letters("database password", 14, MIXED) + "!7"
    return (
        "<?php\n\n"
        "// Connection of the booking desk; the schema is made by migrate.php.\n"
        "$host = 'localhost';\n"
        "$name = 'booking';\n"
        "$user = 'desk';\n"
        f"$password = '{password}';\n\n"
        '$pdo = new PDO("mysql:host=$host;dbname=$name;charset=utf8mb4", $user, $password, [\n'
        "    PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,\n"
        "    PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,\n"
        "]);\n\n"
        "function bookings(PDO $pdo, string $day): array\n"
        "{\n"
        "    $query = $pdo->prepare('SELECT berth, vessel FROM booking WHERE day = ?');\n"
        "    $query->execute([$day]);\n"
        "    return $query->fetchAll();\n"
        "}\n"
    )


def release_with_token() -> str:
    """A token of the right shape; its last six characters are no checksum of the others."""
    token = "gh" + "p_" + letters("forge token", 36, MIXED)
    return (
        "#!/bin/sh\n"
        "# Tags the current commit and uploads the archive that `make dist` left behind.\n"
        "set -eu\n\n"
        "version=${1:?usage: release.sh VERSION}\n"
        f'export GITHUB_TOKEN="{token}"\n\n'
        'git tag -a "v$version" -m "Version $version"\n'
        'git push origin "v$version"\n'
        'gh release create "v$version" "dist/toolbox-$version.tar.gz" --notes-file NEWS.md\n'
    )


def generated_tables() -> str:
    states = ("idle", "word", "number", "quoted", "escaped", "comment", "failed")
    rows = "\n".join(
        "    {" + ", ".join(states[(row * row + 3 * column) % 7] for column in range(6)) + "},"
        for row in range(24)
    )
    return (
        "/* This file is generated automatically by tables.awk. Do not edit it by hand. */\n\n"
        f"enum state {{ {', '.join(states)} }};\n\n"
        f"static const enum state next_state[24][6] = {{\n{rows}\n}};\n\n"
        "enum state step(enum state state, unsigned char symbol)\n"
        "{\n    return next_state[state][symbol];\n}\n"
    )


def long_line() -> str:
    """Ordinary code but for one line of more than 1,000 characters."""
    words = " ".join(re.findall(r"[a-z]{4,}", program("page.html") + program("lantern.ts")))
    body = "\n".join(
        f"export function hint{n}() {{\n  return HINTS.slice({n}, {n + 3}).trim();\n}}\n"
        for n in range(24)
    )
    return f"// Hints for the first screen.\nconst HINTS = '{words[:1300]}';\n\n{body}"


def mostly_digits() -> str:
    rows = "\n".join(
        "    " + ", ".join(f"{(37 * r + 11 * c) % 9973:6d}" for c in range(8)) + ","
        for r in range(40)
    )
    return f"LEVELS = [\n{rows}\n]\n"


def mostly_base64() -> str:
    body = base64.b64encode(noise("icon", 1500)).decode()
    chunks = "\n".join(f'    "{body[at : at + 76]}"' for at in range(0, len(body), 76))
    return f'"""The icon of the window, so that it needs no file."""\n\nICON = (\n{chunks}\n)\n'


def data_rows(count: int) -> str:
    rows = ",\n".join(
        f'  {{"station": "buoy {n}", "depth": {(n * 17) % 90 + 3}}}' for n in range(count)
    )
    return f"[\n{rows}\n]\n"


LATIN1_NOTES = (
    "Grammatik f\xfcr Ausdr\xfccke\n"
    "====================\n\n"
    "Ein Ausdruck ist eine Zahl, ein Name oder zwei Ausdr\xfccke mit einem Zeichen dazwischen.\n"
    "Klammern gehen vor, dann Punkt vor Strich; gleiche Zeichen binden nach links.\n"
    "Ein Minus vor einer Zahl geh\xf6rt zur Zahl, auch wenn ein Leerzeichen dazwischen steht.\n"
    "Gr\xf6\xdfer und kleiner d\xfcrfen nicht gekettet werden: das w\xe4re fast immer ein Fehler.\n"
).encode("latin-1")

UTF16_NOTES = (
    "Token order\r\n\r\n"
    "Names come first, then numbers, then operators. An operator is the longest run of signs,\r\n"
    "so that two minus signs in a row are one token and the scanner stops with an error.\r\n"
).encode("utf-16")

BINARY = b"\x89LOGO\r\n\x1a\n\0\0\0\x0d" + noise("logo", 400) + b"\0"
