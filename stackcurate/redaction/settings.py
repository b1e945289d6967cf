"""What a run asks of redaction: how sure a finding must be, and what becomes of each kind."""

from __future__ import annotations

import hashlib
import json
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
Pairs = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Settings:
    """Options of the ``redact`` stage, as written in the config.

    ``sensitivity`` sets the least confidence of every kind. ``kinds`` and ``rules`` set it by hand
    for a kind or a rule (0 takes everything the rule sees, above 1 switches it off); a rule's own
    number wins over its kind's. Findings of the kinds in ``mark`` are reported and left in the
    text. ``attribution`` says what becomes of e-mail addresses and names in copyright notices:
    ``keep`` (default, unless strict) because licenses ask that the notice stays as it is, or
    ``redact``. ``digest_key`` (``env:NAME`` or ``file:/PATH``) asks for keyed digests of the values
    in the run folder; no result but that depends on it.
    """

    sensitivity: str = "balanced"
    kinds: Mapping[str, float] | Pairs = ()
    rules: Mapping[str, float] | Pairs = ()
    mark: tuple[str, ...] = ()
    attribution: str | None = None
    digest_key: str | None = None

    def __post_init__(self) -> None:
        _one_of("redact.sensitivity", self.sensitivity, THRESHOLDS)
        for name in ("kinds", "rules"):
            object.__setattr__(self, name, _pairs(f"redact.{name}", getattr(self, name)))
        object.__setattr__(self, "mark", tuple(sorted(set(self.mark))))
        for kind in [*dict(self.kinds), *self.mark]:
            _one_of("redact.kinds", kind, KINDS)
        if self.attribution is None:
            keep = "redact" if self.sensitivity == "strict" else "keep"
            object.__setattr__(self, "attribution", keep)
        _one_of("redact.attribution", self.attribution, ("keep", "redact"))
        if self.digest_key is not None and not _KEY_PLACE.fullmatch(self.digest_key):
            raise ConfigError("redact.digest_key must be env:NAME or file:/PATH, not a key")

    def threshold(self, rule: str, kind: str) -> float:
        """Least confidence of a finding of ``rule``, which belongs to ``kind``."""
        by_kind = dict(self.kinds).get(kind, THRESHOLDS[self.sensitivity])
        return dict(self.rules).get(rule, by_kind)

    def digest(self) -> str:
        """SHA-256 (hex) over all options that findings depend on."""
        names = [field.name for field in fields(self) if field.name != "digest_key"]
        options = {name: getattr(self, name) for name in names}
        return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()


def _pairs(key: str, value: Mapping[str, float] | Pairs) -> Pairs:
    items = value.items() if isinstance(value, Mapping) else value
    try:
        return tuple(sorted((str(name), float(number)) for name, number in items))
    except (TypeError, ValueError):
        raise ConfigError(f"{key} must map names to numbers from 0 to 1") from None


def _one_of(key: str, value: str | None, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise ConfigError(f"{key}: {value!r} is not one of {', '.join(allowed)}")
