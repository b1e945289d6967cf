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


def test_digest_follows_the_options() -> None:
    assert (
        Settings(kinds={"ip": 2.0, "key": 0.5}).digest()
        == Settings(kinds={"key": 0.5, "ip": 2.0}).digest()
    )
    assert Settings().digest() != Settings(sensitivity="loose").digest()
    hash(Settings(kinds={"ip": 2.0}))


@pytest.mark.parametrize(
    "options",
    [
        {"sensitivity": "paranoid"},
        {"kinds": {"emails": 0.5}},
        {"kinds": {"email": "high"}},
        {"mark": ("mails",)},
        {"attribution": "maybe"},
    ],
)
def test_mistakes_are_config_errors(options: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(ConfigError, match=r"redact\."):
        Settings(**options)
