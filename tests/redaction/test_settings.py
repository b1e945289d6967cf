"""Settings: mistakes are named, equal settings have equal digests."""

from __future__ import annotations

import pytest

from stackcurate.errors import ConfigError
from stackcurate.redaction.settings import Settings


def test_defaults() -> None:
    assert Settings().threshold("email-address", "email") == 0.6
    assert Settings().attribution == "keep"
    assert Settings(sensitivity="strict").attribution == "redact"


def test_rules_go_before_kinds() -> None:
    options = Settings(kinds={"key": 0.9}, rules={"npm-token": 0.1})
    assert options.threshold("npm-token", "key") == 0.1
    assert options.threshold("github-token", "key") == 0.9
    assert options.threshold("email-address", "email") == 0.6


def test_on_and_off_say_what_they_mean() -> None:
    options = Settings(sensitivity="loose", kinds={"email": False, "ip": True, "mac": "off"})
    assert options.threshold("email-address", "email") > 1
    assert options.threshold("ipv4-address", "ip") == Settings("loose").threshold("x", "ip")
    assert options.threshold("mac-address", "mac") > 1
    one = Settings(kinds={"key": False}, rules={"npm-token": True})
    assert one.threshold("npm-token", "key") == 0.6


def test_an_unknown_rule_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"'npm-tokn'.*npm-token.*redactions\.yaml.*password"):
        Settings(rules={"npm-tokn": 0.5})


def test_digest_follows_the_options() -> None:
    assert (
        Settings(kinds={"ip": "off", "key": 0.5}).digest()
        == Settings(kinds={"key": 0.5, "ip": False}).digest()
    )
    assert Settings().digest() != Settings(sensitivity="loose").digest()
    hash(Settings(kinds={"ip": False}))


@pytest.mark.parametrize(
    "options",
    [
        {"sensitivity": "paranoid"},
        {"kinds": {"emails": 0.5}},
        {"kinds": {"email": "high"}},
        {"kinds": {"email": -1}},
        {"rules": {"assigned-quoted": 1.5}},
        {"rules": {"nope-rule": 0.5}},
        {"mark": ("mails",)},
        {"attribution": "maybe"},
    ],
)
def test_mistakes_are_config_errors(options: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(ConfigError, match=r"redact\."):
        Settings(**options)
