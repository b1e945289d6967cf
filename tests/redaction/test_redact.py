"""What redaction promises on any text: stable, repeatable, batch-free, and without a value left."""

from __future__ import annotations

import gc
import importlib
import itertools
import re
import sysconfig
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackcurate.redaction.alone import git_blob_id, redact_records
from stackcurate.redaction.examples import expand
from stackcurate.redaction.find import Span, find
from stackcurate.redaction.redact import redact
from stackcurate.redaction.replace import replacement
from stackcurate.redaction.rules import load
from stackcurate.redaction.scan import ENGINES
from stackcurate.redaction.settings import Settings
from stackcurate.schema import FINDING

redact_module = importlib.import_module("stackcurate.redaction.redact")
BALANCED = Settings()
STRICT = Settings(sensitivity="strict")
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def run(texts: list[str], options: Settings = BALANCED, path: str = "src/a.py", engine=None):  # type: ignore[no-untyped-def]
    contents = pa.array(texts, pa.large_string())
    ids = pa.array([git_blob_id(text.encode()) for text in texts], pa.binary(20))
    return redact(contents, pa.array([path] * len(texts)), ids, options, engine)


SNIPPETS = [
    *(text for rule in load().rules for text in rule.match[:2]),
    *(text for rule in load().rules for text in rule.no_match[:2]),
    *("\n", " ", "'", '"', "é", "<EMAIL>", "password = ", "@", ":", "// ", "x" * 40, "192.0.2.1"),
]
TEXTS = st.lists(st.sampled_from(SNIPPETS), max_size=8).map("".join)
LINES = st.lists(st.sampled_from(SNIPPETS), max_size=8).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(TEXTS, LINES), st.sampled_from([BALANCED, STRICT]))
def test_redacting_twice_changes_nothing(text: str, options: Settings) -> None:
    once = run([text], options).contents
    ids = pa.array([git_blob_id(text.encode())], pa.binary(20))
    twice = redact(once, pa.array(["src/a.py"]), ids, options).contents
    assert twice.equals(once)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(TEXTS, LINES), min_size=1, max_size=5))
def test_batches_do_not_matter(texts: list[str]) -> None:
    whole = run(texts, STRICT)
    single = [run([text], STRICT) for text in texts]
    assert whole.contents.to_pylist() == [one.contents[0].as_py() for one in single]
    assert whole.findings.to_pylist() == [one.findings[0].as_py() for one in single]


PATHS = (
    *("src/app.py", "tests/app.py", "config/app.yaml", "deploy.conf", "package-lock.json", ""),
    *("docs/checkout.md", "appsettings.json", "hosts.netrc", "data.csv"),
)


def test_equal_lines_are_judged_by_their_own_path() -> None:
    lines = [text for rule in load().rules for text in (*rule.match[:2], *rule.no_match[:2])]
    texts = ["\n".join(lines[start::12]) + "\n" for start in range(12)]
    pairs = list(itertools.product(texts, PATHS))
    contents = pa.array([text for text, _ in pairs], pa.large_string())
    spans = find(contents, pa.array([path for _, path in pairs]), STRICT)
    found = [[] for _ in pairs]  # type: ignore[var-annotated]
    for span in spans:
        found[span.file].append((span.start, span.end, span.rule.id, span.confidence))
    for number, (text, path) in enumerate(pairs):
        alone = find(pa.array([text], pa.large_string()), pa.array([path]), STRICT)
        assert found[number] == [
            (span.start, span.end, span.rule.id, span.confidence) for span in alone
        ], path
    by_path = {path: found[number] for number, (_, path) in enumerate(pairs[: len(PATHS)])}
    assert by_path["src/app.py"] != by_path["config/app.yaml"]  # the path does matter


def test_collections_go_on_behind_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.enable()
    run(["a@b.co\n"])
    assert gc.isenabled()

    def fails(*_: object) -> None:
        assert not gc.isenabled()
        raise ValueError

    monkeypatch.setattr(redact_module, "rewritten", fails)
    with pytest.raises(ValueError):
        run(["a@b.co\n"])
    assert gc.isenabled()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(TEXTS, LINES), min_size=1, max_size=3))
def test_engines_agree_on_hostile_text(texts: list[str]) -> None:
    results = [run(texts, STRICT, engine=engine) for engine in ENGINES]
    for other in results[1:]:
        assert other.contents.equals(results[0].contents)
        assert other.findings.equals(results[0].findings)


def test_engines_agree_on_real_code() -> None:
    names = ["smtplib.py", "ipaddress.py", "urllib/request.py", "getpass.py", "test/test_netrc.py"]
    found = [STANDARD_LIBRARY / name for name in names]
    texts = [path.read_text("utf-8") for path in found if path.exists()]
    results = [run(texts, STRICT, engine=engine) for engine in ENGINES]
    assert any(results[0].findings.to_pylist())
    for other in results[1:]:
        assert other.findings.equals(results[0].findings)


def test_spans_point_at_the_replacements() -> None:
    text = "é mail m.keller@uni-weimar.de, A.B@uni-weimar.de, m.keller@uni-weimar.de\n"
    done = run([text], path="a.md")
    shipped = done.contents[0].as_py().encode()
    findings = done.findings[0].as_py()
    assert [shipped[one["start"] : one["end"]] for one in findings] == [b"<EMAIL>"] * 3
    assert [one["number"] for one in findings] == [1, 2, 1]
    assert done.findings.type == pa.list_(FINDING)


def test_addresses_keep_their_family_and_stay_apart() -> None:
    v4 = "host = '85.214.132.11{}'\n"
    text = v4.format(7) + v4.format(8) + "peer 2a01:4f8:c17:b0f::2\n" + v4.format(7)
    shipped = run([text]).contents[0].as_py()
    first, second, third, fourth = shipped.splitlines()
    assert first == fourth != second
    assert re.search(r"'(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+'", first)
    assert "2001:db8:" in third
    assert "85.214" not in shipped


def test_replacements_follow_kind_file_and_number() -> None:
    one, two = b"1" * 20, b"2" * 20
    assert replacement("ip", one, 1) == replacement("ip", one, 1)
    assert replacement("ip", one, 1) != replacement("ip", one, 2)
    assert len({replacement("ip", one, number) for number in range(1, 5001)}) == 5000
    assert replacement("ip", one, 1, 6).startswith(b"2001:db8:")
    assert replacement("email", one, 5) == replacement("email", two, 1) == b"<EMAIL>"


def test_files_without_finding_are_not_copied() -> None:
    contents = pa.array(["def f():\n    return 1\n"] * 3, pa.large_string())
    ids = pa.array([b"x" * 20] * 3, pa.binary(20))
    done = redact(contents, pa.array(["a.py"] * 3), ids, BALANCED)
    assert done.contents.buffers()[2].address == contents.buffers()[2].address


def test_slices_nulls_and_nothing() -> None:
    contents = pa.array(["skip", "mail m.keller@uni-weimar.de", "end"], pa.large_string())[1:]
    ids = pa.array([b"x" * 20] * 2, pa.binary(20))
    done = redact(contents, pa.array(["a", None]), ids, BALANCED)
    assert done.contents.to_pylist() == ["mail <EMAIL>", "end"]
    empty = redact(pa.array([], pa.large_string()), pa.array([], pa.string()), ids[:0], BALANCED)
    assert len(empty.contents) == 0 == len(empty.findings)


def test_private_keys_keep_their_frame() -> None:
    rule = next(rule for rule in load().rules if rule.id == "pem-private-key")
    shipped = [text.as_py() for text in run(list(rule.match), path="a.pem").contents]
    assert shipped[0] == (
        "-----BEGIN RSA PRIVATE KEY-----\n<PRIVATE_KEY>\n-----END RSA PRIVATE KEY-----"
    )
    assert shipped[1] == (
        '"-----BEGIN PRIVATE KEY-----\\n<PRIVATE_KEY>\\n-----END PRIVATE KEY-----\\n"'
    )


def test_quoted_key_lines_keep_their_quotes() -> None:
    body = re.findall(
        "[A-Za-z0-9+/=]{40,}", load().rules[load().number("pem-private-key")].match[0]
    )
    text = "\n".join(
        [
            'k = ("-----BEGIN PRIVATE KEY-----\\n"',
            *(f'  "{line}\\n"' for line in body),
            '  "-----END PRIVATE KEY-----\\n")',
        ]
    )
    shipped = run([text]).contents[0].as_py()
    assert shipped.count('"<PRIVATE_KEY>\\n"') == len(body)
    assert not any(line in shipped for line in body)
    compile(shipped, "x", "exec")


def test_marked_kinds_stay_in_the_text() -> None:
    text = "mail m.keller@uni-weimar.de"
    done = run([text], Settings(mark=("email",)))
    assert done.contents[0].as_py() == text
    assert done.findings[0].as_py()[0]["start"] == 5


def test_attribution_is_kept_unless_asked_otherwise() -> None:
    text = (
        "# Copyright (c) 2020 Mia Keller <m.keller@uni-weimar.de>\n# Author: m.keller@uni-weimar.de"
    )
    kept = run([text]).contents[0].as_py()
    assert kept.count("<EMAIL>") == 1 and "<m.keller" in kept
    gone = run([text], Settings(attribution="redact")).contents[0].as_py()
    assert gone.count("<EMAIL>") == 2


def test_overlaps_become_one_finding_that_leaves_no_tail() -> None:
    text = 'url = "postgres://app:kX93mfPq2w@db.corp.io/x?password=kX93mfPq2w"'
    spans = find(pa.array([text], pa.large_string()), pa.array(["a.py"]), STRICT)
    assert all(one.end <= two.start for one, two in itertools.pairwise(spans))
    assert "kX93" not in run([text], STRICT).contents[0].as_py()


def test_a_span_does_not_show_its_value() -> None:
    rule = load().rules[0]
    assert "hunter2" not in repr(Span(0, 1, 2, rule, 0.5, b"hunter2"))


def test_alone_counts_characters_of_the_given_text() -> None:
    text = "ü—😀 m.keller@uni-weimar.de end"
    records = [{"id": 7, "path": "a.md", "text": text}, {"id": 8, "path": None, "text": None}]
    first, second = redact_records(records, BALANCED)
    (finding,) = first["findings"]
    assert text[finding["start"] : finding["end"]] == "m.keller@uni-weimar.de"
    assert first["text"] == "ü—😀 <EMAIL> end" and first["id"] == 7
    assert set(finding) == {"rule", "kind", "start", "end", "confidence"}
    assert second == {"id": 8, "text": None, "findings": None}


@pytest.mark.parametrize("sensitivity", ["strict", "balanced", "loose"])
def test_sensitivity_is_monotone(sensitivity: str) -> None:
    text = "\n".join(["a@example.com", "m.keller@uni-weimar.de", "password = 'hello'", "10.1.2.3"])
    counts = {
        name: len(run([text], Settings(sensitivity=name)).findings[0].as_py())
        for name in ("strict", "balanced", "loose")
    }
    assert counts["strict"] >= counts[sensitivity] >= counts["loose"] >= 1


def kinds_of(text: str, path: str = "src/a.py") -> list[str]:
    return [one["kind"] for one in run([text], path=path).findings[0].as_py()]


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "password", "x"])
def test_a_vendor_prefix_says_key_even_where_the_checksum_fails(name: str) -> None:
    token = expand("ghp_{A-Za-z0-9*36}", name)
    assert kinds_of(f'{name} = "{token}"\n') == ["key"]


def test_the_name_says_key_or_password() -> None:
    value = expand("{A-Za-z0-9*24}", "value")
    assert kinds_of(f'my_api_key = "{value}"\n') == ["key"]
    assert kinds_of(f'my_passphrase = "{value}"\n') == ["password"]


@pytest.mark.parametrize(
    "text",
    [
        "controller: 5.9.12.14\n",
        "north:\n  unit: 91.20.62.13\n",
        "host = '5.9.12.14'\n",
        "a is at 31.17.44.92 and b: 5.9.34.75 too\nserver_addr = 5.9.12.14\n",
    ],
)
def test_an_address_is_one_by_its_key_or_its_peers(text: str) -> None:
    assert kinds_of(text, "lights.yaml") == ["ip"] * len(re.findall(r"(?:\d+\.){3}\d+", text))


def test_versions_are_no_addresses() -> None:
    text = 'version: 5.9.12.14\nfile_version = "4.12.7.31"\nchrome/91.20.62.13\n'
    assert kinds_of(text, "lights.yaml") == []


def test_addresses_at_mail_providers_are_found_and_those_at_placeholders_are_not() -> None:
    real = ["ivan.petrov@mail.ru", "anna.k@mail.com", "x.y@corp-mail.de", "jo.lee@acme-test.org"]
    placeholder = ["info@example.com", "joe@your-domain.org", "a.b@test.example", "x.y@foo.com"]
    texts = [f"contact {address} now\n" for address in [*real, *placeholder]]
    found = [len(findings) for findings in run(texts, BALANCED).findings.to_pylist()]
    assert found == [1] * len(real) + [0] * len(placeholder)
