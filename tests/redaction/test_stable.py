"""Looking again comes to rest, and hostile text costs a bounded number of steps."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stackcurate.redaction import find as find_module
from stackcurate.redaction import stable
from stackcurate.redaction.alone import git_blob_id
from stackcurate.redaction.redact import redact
from stackcurate.redaction.rules import Rule, load
from stackcurate.redaction.settings import Settings

SIZE = 20_000
GENERIC = (
    *(
        "a1",
        '"',
        'password="',
        "password=k9X!2 ",
        "eyJ",
        "1.2.3.4 ",
        "a@b.co ",
        "://a:b@",
        "=",
        "{",
    ),
    *("4111111111111111 ", "-----BEGIN PRIVATE KEY-----", "phone +1 212 736 5000 ", "a=b;", ":1:a"),
    *("secret secret ", "Bearer ", "aws", "key=", "x@y.org:5.9.12.14://q:w@", "token: ghp_"),
)


class Work:
    """Counts what one redaction does: bytes shown to the scan, candidates judged, looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.judges: list[find_module._Judge] = []
        self.shown = 0
        self.looks = 0
        plain = stable.find

        class Noted(find_module._Judge):
            def __init__(judge, *args) -> None:  # type: ignore[no-untyped-def]
                super().__init__(*args)
                self.judges.append(judge)

        def counted(contents, *args):  # type: ignore[no-untyped-def]
            self.shown += sum(len(text.as_py()) for text in contents)
            self.looks += 1
            return plain(contents, *args)

        monkeypatch.setattr(find_module, "_Judge", Noted)
        monkeypatch.setattr(stable, "find", counted)

    def steps(self) -> int:
        return sum(judge.steps for judge in self.judges)


def run(text: str, path: str = "/deploy.env") -> pa.LargeStringArray:
    ids = pa.array([git_blob_id(text.encode())], pa.binary(20))
    return redact(pa.array([text], pa.large_string()), pa.array([path]), ids, Settings()).contents


def check(seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for joint in ("", "\n"):
        text = (seed + joint) * (SIZE // (len(seed) + 1))
        with monkeypatch.context() as patch:
            work = Work(patch)
            once = run(text)
            assert work.looks <= 5
            assert work.shown <= 4 * len(text) + 1000
            # Every candidate is at least four bytes, and few rules share one.
            assert work.steps() <= len(text), (work.steps(), len(text))
        assert run(once[0].as_py()).equals(once)


@pytest.mark.parametrize("seed", GENERIC)
def test_generic_hostile_text(seed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(seed, monkeypatch)


RULES = [rule for rule in load().rules if rule.match]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rules_own_seed(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    check(rule.match[0], monkeypatch)


def test_equal_lines_are_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch)
    run("contact: m.keller@uni-weimar.de\n" * 500)
    assert work.steps() <= 4


def test_only_changed_lines_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch)
    text = "x = 1\n" * 5000 + "mail: m.keller@uni-weimar.de\n"
    assert run(text)[0].as_py().endswith("mail: __EMAIL__\n")
    assert len(text) < work.shown < len(text) + 60


def test_a_finding_of_the_second_look_stands_in_its_own_place() -> None:
    text = "a = 1\n" * 9 + "ghp_x@corp-mail.iopassword='kX93!mfPq2w'\nb = 2\n"
    shipped = run(text, "/a.py")[0].as_py()
    assert shipped.startswith("a = 1\n" * 9) and shipped.endswith("\nb = 2\n")
    assert "kX93" not in shipped


def test_an_address_behind_a_replaced_name_is_no_password() -> None:
    text = '  password kX93mfPq2whost = "85.214.132.117"'
    paths, ids = pa.array(["src/a.py"]), pa.array([b"i" * 20], pa.binary(20))
    strict = Settings(sensitivity="strict")
    once = redact(pa.array([text], pa.large_string()), paths, ids, strict).contents
    assert redact(once, paths, ids, strict).contents[0] == once[0]
    assert "85.214" not in once[0].as_py()
