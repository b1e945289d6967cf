"""Passwords and keys in the syntax of many languages, and what only looks like them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stackcurate.redaction.examples import expand
from stackcurate.redaction.find import find
from stackcurate.redaction.redact import redact
from stackcurate.redaction.settings import Settings

PASSWORD = "kX93!mfPq2w"
KEY = expand("{A-Za-z0-9*36}", "judges")
HEX = expand("{0-9a-f*32}", "judges")

# (path, line with %s)
SYNTAXES = [
    ("a.py", "password = '%s'"),
    ("a.py", "connect(host, password='%s', timeout=3)"),
    ("a.py", "PASSWORDS = {'admin_password': u'%s'}"),
    ("a.py", "db_password: str = '%s'"),
    ("a.js", "const apiKey = '%s';"),
    ("a.js", "secret: `%s`,"),
    ("a.ts", "private readonly password: string = '%s';"),
    ("a.java", 'private static final String SECRET = "%s";'),
    ("a.java", 'props.put("password", "%s");'),
    ("a.java", 'ds.setPassword("%s");'),
    ("a.kt", 'val apiKey = "%s"'),
    ("a.kt", 'val password = """%s"""'),
    ("a.go", 'password := "%s"'),
    ("a.go", 'Password: "%s",'),
    ("a.rs", 'let password: &str = "%s";'),
    ("a.rs", 'let p = env::var("PASSWORD").unwrap_or("%s".into());'),
    ("a.c", 'const char *password = "%s";'),
    ("a.c", '#define WIFI_PASSWORD "%s"'),
    ("a.cs", 'Password = @"%s",'),
    ("a.cs", 'var cs = "Server=db;User Id=sa;Password=%s;";'),
    ("a.php", "define('DB_PASSWORD', '%s');"),
    ("a.php", "$password = '%s';"),
    ("a.php", "'password' => '%s',"),
    ("a.rb", ":password => '%s'"),
    ("a.pl", "my $password = '%s';"),
    ("a.pl", "connect(passwd => q{%s}, port => 1);"),
    ("a.swift", 'let password = "%s"'),
    ("a.scala", 'val secret: String = "%s"'),
    ("a.lua", 'password = "%s"'),
    ("a.r", 'password <- "%s"'),
    ("a.sql", "ALTER USER app WITH PASSWORD '%s';"),
    ("a.sql", "CREATE USER 'x'@'h' IDENTIFIED BY '%s';"),
    ("a.sql", "CREATE USER x IDENTIFIED BY %s;"),
    ("a.sh", "export DB_PASSWORD=%s"),
    ("a.sh", 'security unlock-keychain -p "%s" login.keychain'),
    ("a.robot", "${DB PASSWORD}    %s"),
    ("a.sh", 'PGPASSWORD="%s" psql'),
    ("a.sh", "mysql --password=%s db"),
    ("a.ps1", '$password = "%s"'),
    ("Dockerfile", "ENV DB_PASSWORD %s"),
    ("Dockerfile", "ENV DB_PASSWORD=%s"),
    ("a.yml", "password: %s"),
    ("a.yml", '  password: "%s"'),
    ("a.yml", "  - DB_PASSWORD=%s"),
    ("a.json", '{"user": "x", "password": "%s"}'),
    ("a.toml", 'password = "%s"'),
    ("a.ini", "password = %s"),
    ("a.properties", "spring.datasource.password=%s"),
    ("a.yaml", "profile::app::db_password: %s"),
    ("a.xml", "<password>%s</password>"),
    ("a.xml", "<url>jdbc:mysql://db/x?user=app&amp;password=%s</url>"),
    ("a.config", '<add key="DbPassword" value="%s" />'),
    ("a.tf", 'password = "%s"'),
    (".env", "SECRET_TOKEN=%s"),
    (".netrc", "machine x.corp.io login bot password %s"),
    ("a.md", "    curl -u bot:%s https://x.corp.io"),
    ("a.txt", "postgres://app:%s@db.corp.io/x"),
]

VALUES = [
    ("a.py", "the password is asked for later"),
    ("a.py", "password = getpass('Password: ')"),
    ("a.py", "password = 'password'"),
    ("a.py", "token = 'Bearer'"),
    ("a.js", "password: 'Please enter your password',"),
    ("a.js", "const token = req.headers['x-access-token']"),
    ("a.js", "apiKey: process.env.API_KEY_2"),
    ("a.yml", "password: ${DB_PASSWORD}"),
    ("a.yml", "password: {{ vault_db_password_2 }}"),
    ("a.yml", "password_file: /run/secrets/db_1"),
    ("a.go", 'tokenURL := "https://login.corp.io/oauth2/token"'),
    ("a.java", '@Value("${app.secret.key1}") String secret;'),
    ("a.json", '"integrity": "sha512-' + KEY + KEY + '=="'),
    ("a.json", '"password": {"type": "string", "minLength": 8}'),
    ("a.html", '<input type="password" name="password" id="password1">'),
    ("a.sh", 'read -s -p "Password: " PASSWORD'),
    ("a.tf", "password = var.db_password_1"),
    ("a.cs", 'throw new ArgumentException("password", "Password is empty");'),
    ("a.py", "commit = '9f2c1e0b7a6d5c4b3a291807f6e5d4c3b2a19080'"),
    ("a.py", "id = '123e4567-e89b-12d3-a456-426614174000'"),
    ("a.py", "PASSWORD_HASHERS = ['django.contrib.auth.hashers.PBKDF2PasswordHasher']"),
    ("a.py", "password = self.secret_of(user_1)"),
    ("a.py", 'password = """Type the password of the account."""'),
    ("a.rb", "items.map { |x| x.password.or('none') }"),
    ("a.cpp", 'proto::Token::Key = "MyVeryLongClassNameForTesting"'),
    ("a.txt", "11.6.23.147"),
    ("a.cfg", "	signingkey = " + HEX[:16]),
    ("a.sql", "-- rows are identified by primary_key_1 and name"),
    ("yarn.lock", "  resolved token=" + HEX),
]


def shipped(path: str, line: str) -> str:
    contents = pa.array([line + "\n"], pa.large_string())
    ids = pa.array([b"i" * 20], pa.binary(20))
    return redact(contents, pa.array([path]), ids, Settings()).contents[0].as_py().rstrip("\n")


@pytest.mark.parametrize(("path", "line"), SYNTAXES)
@pytest.mark.parametrize("value", [PASSWORD, KEY, HEX])
def test_values_go_and_syntax_stays(path: str, line: str, value: str) -> None:
    text = shipped(path, line % value)
    assert value not in text
    before, after = line.split("%s")
    assert text.startswith(before) and text.endswith(after)
    written = text[len(before) : len(text) - len(after)].replace("&lt;", "<").replace("&gt;", ">")
    assert written in ("<PASSWORD>", "<KEY>", "__PASSWORD__", "__KEY__")


@pytest.mark.parametrize(("path", "line"), VALUES)
def test_what_is_no_secret_stays(path: str, line: str) -> None:
    assert shipped(path, line) == line


@pytest.mark.parametrize(
    "value",
    [
        "pMYV#XgsW(nrf7",
        "yCTEvoouKOGYccf",
        "CKiAKETyWJNSq9",
        "we8=4!qd4%IZ",
        "tiger-biscuit-bonjour",
    ],
)
def test_brackets_signs_and_shuffled_letters_are_in_passwords(value: str) -> None:
    assert value not in shipped("a.py", f"password = '{value}'")


@pytest.mark.parametrize(
    "value", ["getHTTPSURLForAPIKey", "get_secret(name)", "os.getenv(", "passwordResetView"]
)
def test_names_and_calls_are_no_passwords(value: str) -> None:
    assert value in shipped("a.py", f"password = '{value}'")


def test_what_people_type_as_secret_of_a_server_is_a_password() -> None:
    texts = pa.array([f"secret={one}\n" for one in ("kXh931MfpZq", HEX)], pa.large_string())
    spans = find(texts, pa.array(["sip.conf"] * 2), Settings())
    assert [(span.file, span.rule.kind) for span in spans] == [(0, "password"), (1, "key")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.env", "DB_PASSWORD='%s'"),
        ("a.py", 'password = "%s"'),
    ],
)
@pytest.mark.parametrize("value", ["my S3cure X41", "otter maple lantern 48", "qu1et R4in on 7ues"])
def test_passwords_typed_with_spaces(path: str, line: str, value: str) -> None:
    assert value not in shipped(path, line % value)


@pytest.mark.parametrize(
    "line",
    [
        'password: "Enter at least 12 characters"',
        'password = "sha256 of the x509 certificate"',
        "password = 'must hold A1 or B2'",
        r"password = r'\w+\d{8}'",
        r"password = r'\d\d\d\d\d\d'",
    ],
)
def test_prose_and_expressions_behind_a_name_stay(line: str) -> None:
    assert shipped("a.py", line) == line


def test_backslashes_of_literals_hide_no_password() -> None:
    assert "9Kw!z" not in shipped("a.py", r"password = r'u\b9Kw!z'")
    assert "W9!kZ" not in shipped("a.json", r'{"password": "x\u0026W9!kZ"}')


def test_the_user_of_an_address_may_be_a_mailbox() -> None:
    given = f"https://mira.k@uni-weimar.de:{PASSWORD}@host.uni-weimar.de/x"
    out = shipped("a.py", f'u = "{given}"')
    assert PASSWORD not in out
    assert "mira.k" not in out
    assert "@host.uni-weimar.de/x" in out


LISTED = ["93.184.216.35", "45.33.32.156", "185.60.216.35", "104.16.99.52", "151.101.1.69"]


@pytest.mark.parametrize("joint", [" ", ",", ", ", "', '", "-"])
@pytest.mark.parametrize("around", ["%s", "allow %s;", "ALLOWED_HOSTS=%s", "['%s']"])
def test_all_addresses_of_a_list_go(joint: str, around: str) -> None:
    listed = LISTED[:2] if joint == "-" else LISTED
    out = shipped("e.txt", around % joint.join(listed))
    assert not [one for one in listed if one in out]


def test_an_address_among_numbers_is_a_table() -> None:
    for line in ("12 85.214.132.117 34", "lib-85.214.132.117", "M 1,85.214.132.117,3"):
        assert shipped("e.txt", line) == line


@pytest.mark.parametrize(
    "value",
    ["rkWM7.zD", "BTgoaVy_EQ91-KSn", "W.QRtnEypUwthKf4", "Io.Papaya71", "ZtR4+q@n..+w"],
)
def test_passwords_that_look_like_words_with_joints_go(value: str) -> None:
    assert value not in shipped(".env", f"DB_PASSWORD={value}")


@pytest.mark.parametrize("value", ["SCRAM-SHA-256", "TLS1.2-AES256-GCM-SHA384", "OAuth2-PKCE"])
def test_names_of_algorithms_are_no_passwords(value: str) -> None:
    line = f"password.scheme={value}\npassword={value}"
    assert shipped("app.properties", line) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Db.java", 'DriverManager.getConnection("jdbc:oracle:thin:@%s:1521:ORCL", u, p);'),
        ("load.py", "cn = connect('DRIVER={ODBC Driver 17};SERVER=%s;DATABASE=dw')"),
        ("Web.config", '<add connectionString="Data Source=%s;Initial Catalog=dw" />'),
        ("deploy.cmd", "sqlcmd -S %s -i schema.sql"),
    ],
)
def test_hosts_of_connections_go(path: str, line: str) -> None:
    assert "18.224.77.73" not in shipped(path, line % "18.224.77.73")


def test_files_of_logins_are_known_by_their_names_without_a_dot() -> None:
    uuid = "9d0c7b52-4f1e-4ab3-8a36-51e7c2f80d94"
    for path in ("_netrc", "ci/netrc", ".netrc"):
        assert uuid not in shipped(path, f"machine api.corp.io\n  login mira\n  password {uuid}")
    for path in ("pgpass", "config/pgpass", "home/.pgpass"):
        assert "Papaya_Meadow23" not in shipped(path, "db.corp.io:5432:*:app:Papaya_Meadow23")


def test_bundlers_prefixes_make_no_key_public() -> None:
    for prefix in ("REACT_APP", "NEXT_PUBLIC", "VITE"):
        assert HEX not in shipped("frontend/.env", f"{prefix}_HARBOR_KEY={HEX}")


def test_an_address_is_no_number_of_a_person() -> None:
    line = 'social security number: "198.51.100.143"'
    assert shipped("a.txt", line) == line


@pytest.mark.parametrize("value", ["qZk?_D.g", "y.TDF.=QEG", "vXq_w+m+au", "w?nK?.=rdq=u_-Tm"])
def test_passwords_drawn_from_letters_and_signs_go(value: str) -> None:
    assert value not in shipped("a.py", f"password = '{value}'")


def test_a_default_of_the_shell_does_not_hide_a_token() -> None:
    key = "sk-or-v1-" + expand("{a-f0-9*64}", "shell")
    assert key not in shipped("a.sh", f'OPENROUTER_API_KEY="${{OPENROUTER_API_KEY:-{key}}}"')


@pytest.mark.parametrize(
    "line",
    [
        'const RFC_KEY: &str = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";',
        'char *tv_key = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";',
    ],
)
def test_keys_of_specifications_stay(line: str) -> None:
    assert shipped("aes.c", line) == line


def test_rows_of_a_dump_are_named_by_their_copy() -> None:
    text = (
        "COPY public.people (id, name, pesel, lat, lng) FROM stdin;\n"
        "1\tEmre Lindqvist\t74061371108\t-23.487478\t-46.613708\n\\.\n"
        "SELECT 1;"
    )
    out = shipped("dump/people.sql", text)
    assert "74061371108" not in out and "-23.487478" not in out and "-46.613708" not in out
    assert out.startswith("COPY public.people") and out.endswith("\\.\nSELECT 1;")


def test_addresses_in_ciscos_form_are_believed_beside_others() -> None:
    rows = "host,port,ip\nharbor-01,{},157.49.131.146\nraven-03,3c5a.b4bc.390d,94.157.205.156"
    assert "3c5a.b4bc.390d" in shipped("inventory.csv", rows.format("eth0"))
    assert "3c5a.b4bc.390d" not in shipped("inventory.csv", rows.format("30:ae:a4:d9:34:9f"))


def test_words_and_files_by_chance_hide_no_password() -> None:
    for value in ("velvet-pickle-compass-7", "QTA+._xrM8d.ZWJYkRfH.Dbw.C"):
        assert value not in shipped(".env", f"DB_PASSWORD={value}")
    key = "//" + expand("{A-Za-z0-9*84}", "strokes") + "=="
    assert key not in shipped("a.toml", f'cosmos_db_key = "{key}"')


def test_a_service_named_as_its_password_has_none() -> None:
    assert shipped("ci.yml", "  POSTGRES_PASSWORD: postgres") == "  POSTGRES_PASSWORD: postgres"


def test_diners_cards_have_fourteen_digits() -> None:
    for number in ("36639296335964", "3639 849857 5519"):
        assert number not in shipped("tests/CardTests.swift", f'let valid = ["{number}"]')


def test_a_cell_between_numbers_and_codes_is_no_table_of_numbers() -> None:
    rows = "hostname,ip,mac,seen\nmeadow-9,18.58.226.237,00:25:90:6D:E8:86,2019-07-25T20:36:09"
    assert "18.58.226.237" not in shipped("inventory/leases.csv", rows)
    assert shipped("a.txt", "M 12 85.214.132.117 34") == "M 12 85.214.132.117 34"


def test_passwords_with_a_percent_are_no_templates() -> None:
    assert "RT31mGZ%rD" not in shipped("a.kt", 'password = "RT31mGZ%rD!"')
    assert shipped("a.c", 'password = "user%d-%s"') == 'password = "user%d-%s"'


def test_a_serial_number_before_it_hides_no_hardware_address() -> None:
    line = '{ serial = "SN600750305", mac_address = "3C:22:FB:EE:F8:9A" },'
    assert "3C:22:FB" not in shipped("devices.lua", line)
    printed = "md5 fingerprint 3c:22:fb:ee:f8:9a"
    assert shipped("a.txt", printed) == printed


def test_a_card_without_a_word_is_explained_by_its_file() -> None:
    number = "4539148803436467"
    for path, text in (
        ("a.csv", f"navn,kort\nMia,{number}"),
        ("CheckTest.cs", f'[TestCase("{number}")]\npublic void Card_is_valid(string n) {{}}'),
        ("a.xml", f"<karta>{number}</karta>"),
        ("a.toml", f"# {number} expires 09/29"),
        ("a.http", f'{{"number": "{number}", "iban": "DE13200411333211585121"}}'),
    ):
        assert number not in shipped(path, text)
    for text in (f"seed = {number}", f'{{"visa": "{number[:-1]}8"}}', f"id = 0.{number} # visa"):
        assert shipped("a.py", text) == text


@pytest.mark.parametrize(
    ("path", "line", "value"),
    [
        ("a.env", "DB_PASS='%s'", "windmill.marten"),
        ("a.ts", "password: process.env.DB_PASSWORD || '%s',", "windmill.marten"),
        ("a.yml", '  REGISTRY_PASSWORD: "%s"', "WINDMILL-48-marten"),
        ("a.md", "Wifi password: %s", "WINDMILL-48-marten"),
    ],
)
def test_a_word_and_a_name_of_ones_own_are_a_password(path: str, line: str, value: str) -> None:
    assert value not in shipped(path, line % value)


@pytest.mark.parametrize(
    "line",
    [
        "password: 'login.forgotten'",
        "password = config.credentials",
        "passphrase: 'type your pass phrase here'",
        "private_key = file('/opt/keys/Ab3xQ9zL/id_ed25519')",
        "checksum/secret: c4b8be7630516143cf109e374bd2c295f6d50a053edbf8b55b99e77419107967",
        'x.password.length>7}return{hash:"b657a018c6e77ad4508e"',
    ],
)
def test_names_of_messages_paths_and_checksums_are_no_passwords(line: str) -> None:
    assert shipped("a.yaml", line) == line
    assert shipped("a.min.js", line) == line


def test_a_folder_of_a_user_may_end_its_path() -> None:
    for line in (
        "WS-17,C:\\Users\\mira.keller,48.1",
        "home     => '/home/mkeller',",
        "started by app in /home/mkeller)",
        'HOME = "/Users/mkeller";',
    ):
        assert "keller" not in shipped("a.txt", line)
    assert shipped("a.txt", "see C:\\Users\\Public, or") == "see C:\\Users\\Public, or"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.log", "saved to /home/%s"),
        ("a.sh", "docker run -v /home/%s:/data x"),
        ("a.py", "BASE = Path('/home/%s')"),
        ("a.java", 'new File("/home/%s")'),
        ("a.yaml", 'dir: "/Users/%s"'),
        ("a.log", "/cluster/home/%s/x"),
        ("a.json", '"path": "\\/home\\/%s\\/app"'),
        ("a.xml", "<p>C:\\Users\\%s</p>"),
    ],
)
def test_the_last_folder_of_a_path_names_a_user(path: str, line: str) -> None:
    assert "mkellerb" not in shipped(path, line % "mkellerb")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.js", "{ path: '/home/overview' }"),
        ("a.py", "@app.route('/home/anna')"),
        ("a.html", '<a href="/home/anna">'),
        ("a.md", "open /home/dashboard"),
        ("a.cs", '[Route("/Users/Login")]'),
        ("a.txt", "https://corp.io/home/anna"),
        ("a.md", "GET /Users/{id}"),
    ],
)
def test_pages_of_sites_are_no_users(path: str, line: str) -> None:
    assert shipped(path, line) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.md", "**apiKey**: %s"),
        ("a.md", "The secret_key is %s."),
        ("a.conf", "access_token %s;"),
        ("a.sh", "tool --client-secret %s run"),
        ("a.html", '<input value="%s" name="api_key">'),
        ("a.csv", "id,bearer\n1,%s"),
    ],
)
def test_keys_that_no_sign_assigns(path: str, line: str) -> None:
    key = expand("{A-Za-z0-9*32}", "unsigned")
    assert key not in shipped(path, line % key)


def test_a_query_holds_mailboxes_and_user_info_does_not() -> None:
    assert "mira" not in shipped("a.sh", 'curl "https://x.io/?email=mira.k@corp-mail.de"')
    assert shipped("a.sh", "clone https://bot@corp-mail.de/x") == "clone https://bot@corp-mail.de/x"


def test_an_address_with_its_own_key_is_none_of_a_version() -> None:
    assert "85.214" not in shipped("a.sql", "UPDATE t SET server = '85.214.132.117' WHERE id = 3;")
    assert shipped("a.txt", "update to 3.214.132.117") == "update to 3.214.132.117"


def test_numbers_of_tables_are_no_cards() -> None:
    for line in (
        "# visa\nstrokes 2451221341251",  # of no length that an issuer prints
        "iban\n0 750 751 2400 2401 2903 2904",
        "visa\nserial: 4539148803436467",
    ):
        assert shipped("a.dat", line) == line


def test_what_stands_behind_a_tag_is_compared_with_nothing() -> None:
    assert "95.217" not in shipped("a.html", "<dt>Last login</dt><dd>95.217.59.175</dd>")
    assert shipped("a.py", "x = v > 95.217.59.175") == "x = v > 95.217.59.175"


def test_words_joined_by_capitals_may_be_a_password() -> None:
    line = "password=AtlasWalnutHarborDrift sslmode=require"
    assert "Walnut" not in shipped("a.go", f'dsn := "host=db.corp.io user=svc {line}"')
    for value in ("PasswordResetTokenForm", "DefaultUserServiceProvider"):
        assert value in shipped("a.go", f'password := "{value}"')


def test_a_folder_of_pages_is_no_user_either() -> None:
    line = 'LOCALE_PATHS = ["/home/dashboard/locale"]'
    assert shipped("a.py", line) == line


def test_a_name_says_more_than_chance() -> None:
    value = expand("{A-Za-z0-9*32}", "chance")
    assert shipped("a.py", f'db_password = "{value}"') == 'db_password = "<PASSWORD>"'
    assert shipped("a.py", f'plivo = "{value}"') == 'plivo = "<KEY>"'


def test_a_short_word_by_chance_makes_no_placeholder() -> None:
    line = "RAZORPAY_KEY_SECRET=y7MVY9z{}DoNvci3FR6Vw".format("todOt")
    assert "DoNvci3" not in shipped(".env", line)
    assert shipped(".env", "API_KEY=todo-ask-ops") == "API_KEY=todo-ask-ops"
