"""The rules in force: what settings make of the table, worked out once for all batches of a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .blocks import BLOCKS
from .judges import GENERIC
from .place import FILES
from .rules import Table
from .settings import Settings


@dataclass(frozen=True, eq=False)
class InForce:
    """Facts about each rule, by its number in the table.

    ``least``: confidence its findings need. ``active``: numbers of the rules that can reach theirs.
    ``generic``: names or randomness, rather than a vendor's shape, tell its values. ``limited``:
    the active rules of each sort of files. ``turns`` and ``by_turn``: place in a region's turn and
    back: vendors' shapes come before names, whose values they then need not judge again.
    """

    table: Table
    settings: Settings
    least: tuple[float, ...]
    active: tuple[int, ...]
    generic: tuple[bool, ...]
    blocks: frozenset[int]
    limited: dict[str, NDArray[np.int64]]
    turns: NDArray[np.int64]
    by_turn: NDArray[np.int64]
    named_key: int
    entropy: tuple[int, int]  # base64, hex
    literal: int  # by chance

    def wants_entropy(self) -> bool:
        """Strings that nothing but their randomness shows are asked for."""
        return not set(self.entropy).isdisjoint(self.active)


@lru_cache(maxsize=8)
def in_force(table: Table, settings: Settings) -> InForce:
    """The rules of ``table`` as ``settings`` want them."""
    rules = table.rules
    least = tuple(settings.threshold(rule.id, rule.kind) for rule in rules)
    active = tuple(n for n, rule in enumerate(rules) if rule.confidence >= least[n])
    generic = tuple(rule.judge in GENERIC for rule in rules)
    by_turn = np.argsort(generic, kind="stable")
    return InForce(
        table=table,
        settings=settings,
        least=least,
        active=active,
        generic=generic,
        blocks=frozenset(n for n, rule in enumerate(rules) if rule.judge in BLOCKS),
        limited={
            sort: np.array([n for n in active if rules[n].files == sort], np.int64)
            for sort in FILES
        },
        turns=np.argsort(by_turn),
        by_turn=by_turn,
        named_key=table.number("named-key"),
        literal=table.number("random-literal"),
        entropy=(table.number("entropy-base64"), table.number("entropy-hex")),
    )
