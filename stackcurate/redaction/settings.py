"""What a run asks of redaction: how sure a finding must be, and what becomes of each kind."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from ..errors import ConfigError

THRESHOLDS = {"strict": 0.3, "balanced": 0.6, "loose": 0.85}
"""Least confidence of a finding. ``strict`` would rather redact too much, ``loose`` too little."""

KINDS = (
    "card",
    "coordinates",
    "email",
    "iban",
    "ip",
    "key",
    "mac",
    "name",
    "national_id",
    "password",
    "phone",
    "private_key",
    "username",
)

_KEY_PLACE = re.compile(r"env:[A-Za-z_]\w*|file:/.+")
Sure = float | bool | str
Pairs = tuple[tuple[str, float], ...]
OFF = math.inf  # no finding is that sure


@dataclass(frozen=True)
class Settings:
    """Options of the ``redact`` stage, as written in the config.

    ``sensitivity`` sets the least confidence of every kind. ``kinds`` and ``rules`` set it by hand
    for a kind or a rule: a number from 0 (everything the rule sees) to 1, ``off``, or ``on`` for
    what ``sensitivity`` says. What is said of a rule wins over what is said of its kind. Findings
    of the kinds in ``mark`` are reported and left in the text. ``attribution`` says what becomes of
    e-mail addresses and names in copyright notices: ``keep`` (default, unless strict) because
    licenses ask that the notice stays as it is, or ``redact``. ``digest_key`` (``env:NAME`` or
    ``file:/PATH``) asks for keyed digests of the values in the run folder; no result but that
    depends on it.
    """

    sensitivity: str = "balanced"
    kinds: Mapping[str, Sure] | Pairs = ()
    rules: Mapping[str, Sure] | Pairs = ()
    mark: tuple[str, ...] = ()
    attribution: str | None = None
    digest_key: str | None = None

    def __post_init__(self) -> None:
        _one_of("sensitivity", self.sensitivity, THRESHOLDS)
        usual = THRESHOLDS[self.sensitivity]
        for name in ("kinds", "rules"):
            object.__setattr__(self, name, _pairs(name, getattr(self, name), usual))
        object.__setattr__(self, "mark", tuple(sorted(set(self.mark))))
        for kind in dict(self.kinds):
            _one_of("kinds", kind, KINDS, kind)
        for kind in self.mark:
            _one_of("mark", kind, KINDS)
        for rule in dict(self.rules):
            _known_rule(rule)
        if self.attribution is None:
            keep = "redact" if self.sensitivity == "strict" else "keep"
            object.__setattr__(self, "attribution", keep)
        _one_of("attribution", self.attribution, ("keep", "redact"))
        if self.digest_key is not None and not _KEY_PLACE.fullmatch(self.digest_key):
            raise ConfigError("redact.digest_key must be env:NAME or file:/PATH, not a key")

    def threshold(self, rule: str, kind: str) -> float:
        """Least confidence of a finding of ``rule``, which belongs to ``kind``."""
        by_kind = dict(self.kinds).get(kind, THRESHOLDS[self.sensitivity])
        return float(dict(self.rules).get(rule, by_kind))

    def digest(self) -> str:
        """SHA-256 (hex) over all options that findings depend on."""
        names = [field.name for field in fields(self) if field.name != "digest_key"]
        options = {name: getattr(self, name) for name in names}
        return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()


def _pairs(key: str, value: Mapping[str, Sure] | Pairs, usual: float) -> Pairs:
    """Names and least confidences in order; ``usual`` is that of ``on``."""
    pairs = value.items() if isinstance(value, Mapping) else value
    return tuple(sorted((str(name), _sure(key, name, given, usual)) for name, given in pairs))


def _sure(key: str, name: str, given: Sure, usual: float) -> float:
    # YAML reads a bare on or off as a boolean.
    said = {True: usual, False: OFF, "on": usual, "off": OFF}
    if isinstance(given, (bool, str)) and given in said:
        return said[given]
    if isinstance(given, (int, float)) and (0 <= given <= 1 or given == OFF):
        return float(given)
    allowed = f"redact.{key}.{name}: {given!r} must be a number from 0 to 1, on or off"
    raise ConfigError(allowed, (key, name))


def _known_rule(rule: str) -> None:
    """The rule table has ``rule``; it is read only where a config names one."""
    from .rules import TABLE, load

    ids = [one.id for one in load().rules]
    if rule not in ids:
        near = difflib.get_close_matches(rule, ids, 5, 0.3)
        raise ConfigError(
            f"redact.rules: no rule is called {rule!r}; near it: {', '.join(near) or 'none'}."
            f" All {len(ids)} are in {TABLE.parent.name}/{TABLE.name}; whole kinds go into"
            f" redact.kinds: {', '.join(KINDS)}",
            ("rules", rule),
        )


def _one_of(key: str, value: str | None, allowed: Collection[str], name: str = "") -> None:
    if value not in allowed:
        at = (key, name) if name else (key,)
        raise ConfigError(f"redact.{key}: {value!r} is not one of {', '.join(allowed)}", at)
