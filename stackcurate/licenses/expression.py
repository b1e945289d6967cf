"""License expressions stay expressions: parsed, put in one form, and judged by the policy table.

A licensee chooses at an OR, so its class is the best of its sides; an AND binds to all, so its
class is the worst. A WITH is the license, eased or tightened by its exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from license_expression import AND, OR, ExpressionError, Licensing
from license_expression import LicenseSymbol as Symbol
from license_expression import LicenseWithExceptionSymbol as With

from stackcurate.licenses.exceptions import attached
from stackcurate.licenses.policy import OPEN, RANK, License, table

MAX_LENGTH = 4000  # characters of an expression that is read; parsing nests
MAX_SYMBOLS = 400
_LICENSING = Licensing()
_WORD = re.compile(r"[A-Za-z0-9.+:_-]+\Z")
_FOREIGN = re.compile(r"LicenseRef-(?!scancode-)", re.I)
_NOTHING = ("NOASSERTION", "NONE")  # SPDX's words where no license is stated
UNKNOWN_TAG = "LicenseRef-scancode-unknown-spdx"  # an id that nobody knows


class BadExpression(ValueError):
    """Not a license expression."""


def canonical_id(name: str) -> str:
    """The SPDX id of a license, exception, former id or ScanCode key; unknown names as they are.

    A LicenseRef is its author's own and stays, also where ScanCode knows it by another name.
    """
    known = table().find(name)
    if known is not None:
        ours = known.id.lower() == name.lower() or not _FOREIGN.match(name)
        return known.id if ours else name
    if name.endswith("+"):
        base = table().find(name[:-1])
        later = table().find(name[:-1] + "-or-later")
        if later is not None:
            return later.id
        if base is not None:
            return base.id + "+"
    return name


def _canonical(node: object) -> object:
    if isinstance(node, With):
        license_ = Symbol(canonical_id(node.license_symbol.key))
        return With(license_, Symbol(canonical_id(node.exception_symbol.key), is_exception=True))
    if isinstance(node, Symbol):
        former = None if _FOREIGN.match(node.key) else table().former.get(node.key.lower())
        return _LICENSING.parse(former) if former else Symbol(canonical_id(node.key))
    return type(node)(*(_canonical(arg) for arg in node.args))  # type: ignore[attr-defined]


@lru_cache(maxsize=65536)
def parse(text: str) -> object:
    """The expression tree of ``text``, ids in canonical form, repeated parts once.

    Raises BadExpression where ``text`` is not an expression. Ids nobody knows are kept.
    """
    if not text.strip() or len(text) > MAX_LENGTH or text.count("(") > 100:
        raise BadExpression("not a license expression")
    try:
        tree = _LICENSING.parse(text, strict=False)
    except (ExpressionError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise BadExpression("not a license expression") from error
    if tree is None:
        raise BadExpression("not a license expression")
    symbols = _LICENSING.license_symbols(tree, unique=False, decompose=True)
    if len(symbols) > MAX_SYMBOLS or not all(_WORD.match(s.key) for s in symbols):
        raise BadExpression("not a license expression")
    return _dedup(_canonical(tree))


def _dedup(node: object) -> object:
    """Repeated parts once, nested ANDs and ORs of one kind flattened, order kept."""
    if not isinstance(node, (AND, OR)):
        return node
    kind = type(node)
    parts: dict[str, object] = {}
    for arg in node.args:
        inner = _dedup(arg)
        for part in inner.args if isinstance(inner, kind) else (inner,):
            parts.setdefault(_key(part), part)
    values = list(parts.values())
    return values[0] if len(values) == 1 else kind(*values)


def _key(node: object) -> str:
    """``_show`` with the sides of AND and OR sorted: equal where two trees mean the same."""
    if not isinstance(node, (AND, OR)):
        return _show(node)
    word = " AND " if isinstance(node, AND) else " OR "
    return f"({word.join(sorted(_key(arg) for arg in node.args))})"


def _show(node: object, inside: bool = False) -> str:
    if isinstance(node, With):
        return f"{node.license_symbol.key} WITH {node.exception_symbol.key}"
    if isinstance(node, Symbol):
        return str(node.key)
    word = " AND " if isinstance(node, AND) else " OR "
    text = word.join(_show(arg, True) for arg in node.args)  # type: ignore[attr-defined]
    return f"({text})" if inside else text


def normalize(text: str) -> str | None:
    """``text`` as an SPDX expression in canonical form, or None where it is none."""
    try:
        return _show(parse(text))
    except BadExpression:
        return None


def ids(text: str) -> frozenset[str]:
    """The licenses and exceptions an expression names; empty where it is none."""
    try:
        return frozenset(
            symbol.key for symbol in _LICENSING.license_symbols(parse(text), decompose=True)
        )
    except BadExpression:
        return frozenset()


def operands(text: str) -> list[str]:
    """The parts that bind together, in order: of ``A AND (B OR C)`` A and ``B OR C``."""
    tree = parse(text)
    return [_show(arg) for arg in tree.args] if isinstance(tree, AND) else [_show(tree)]


def known(text: str) -> bool:
    """Whether ``text`` is an expression of licenses that the table has, or of LicenseRefs.

    What a LicenseRef means is its author's matter; its class is unknown until a config says it.
    """
    found = ids(text)
    return bool(found) and all(
        name.startswith("LicenseRef-") or table().find(name.rstrip("+")) for name in found
    )


def listed(text: str) -> str | None:
    """``normalize``, ids that no list has made unknown; LicenseRefs stay."""
    try:
        tree = parse(text)
    except BadExpression:
        return None
    found = _LICENSING.license_symbols(tree, unique=True, decompose=True)
    if all(known(symbol.key) for symbol in found) or _show(tree) in _NOTHING:
        return _show(tree)
    return _show(_dedup(_known_only(tree)))


def _known_only(node: object) -> object:
    if isinstance(node, With):
        both = (_known_only(node.license_symbol), _known_only(node.exception_symbol))
        return With(*both)
    if isinstance(node, Symbol):
        return node if known(node.key) else Symbol(UNKNOWN_TAG)
    return type(node)(*(_known_only(arg) for arg in node.args))  # type: ignore[attr-defined]


def lookup(name: str, overrides: Mapping[str, str]) -> License:
    """What the table or an override of the config knows about an id; others are unknown."""
    license_ = table().find(name) or table().find(name.rstrip("+")) or License(name, "unknown")
    for key, value in overrides.items():
        if key.lower() in (name.lower(), license_.id.lower()):
            return License(license_.id, value, license_.category, why="override in the config")
    return license_


def _with_class(node: With, overrides: Mapping[str, str]) -> str:
    """The class of LICENSE WITH EXCEPTION.

    An exception eases a copyleft for those who link or run, never the code itself, so the best it
    can make of copyleft is weak copyleft. An exception that takes something away (Commons Clause)
    is as bad as it is by itself.
    """
    base = lookup(node.license_symbol.key, overrides).license_class
    added = lookup(node.exception_symbol.key, overrides)
    if added.license_class in ("source_available", "proprietary", "no_ai", "unknown"):
        return max(base, added.license_class, key=RANK.__getitem__)
    if base in ("copyleft", "network_copyleft") and added.license_class == "weak_copyleft":
        return "weak_copyleft" if base == "copyleft" else base
    return base


def _class(node: object, overrides: Mapping[str, str]) -> str:
    if isinstance(node, With):
        return _with_class(node, overrides)
    if isinstance(node, Symbol):
        return lookup(node.key, overrides).license_class
    parts = list(node.args)  # type: ignore[attr-defined]
    if isinstance(node, OR):
        return min((_class(part, overrides) for part in parts), key=RANK.__getitem__)
    telling = [part for part in parts if not _neutral(part, overrides)]
    return max((_class(part, overrides) for part in telling or parts), key=RANK.__getitem__)


def _neutral(node: object, overrides: Mapping[str, str]) -> bool:
    return (
        isinstance(node, Symbol)
        and not isinstance(node, With)
        and (lookup(node.key, overrides).neutral)
    )


@lru_cache(maxsize=65536)
def _class_of(text: str, overrides: tuple[tuple[str, str], ...]) -> str:
    try:
        return _class(parse(text), dict(overrides))
    except BadExpression:
        return "unknown"


def license_class(text: str | None, overrides: Mapping[str, str] | None = None) -> str:
    """The class of an expression; ``unstated`` for None, ``unknown`` for what cannot be read."""
    if text is None:
        return "unstated"
    return _class_of(text, tuple(sorted((overrides or {}).items())))


def is_strict(text: str) -> bool:
    """Whether an expression is known and no open license: what it takes away must count."""
    return license_class(text) not in (*OPEN, "unstated", "unknown")


def combine(expressions: Iterable[str], word: str = "AND") -> str | None:
    """One expression of several, in order, each once; None where there are none.

    Where one of ANDed parts offers a choice whose every side is among the other parts, those parts
    are the texts of the choice: ``(MIT OR GPL-2.0-only) AND MIT AND GPL-2.0-only`` is
    ``MIT OR GPL-2.0-only``. No exception stands alone (``exceptions``).
    """
    parts = dict.fromkeys(text for text in expressions if text)
    if not parts:
        return None
    if word != "AND":
        trees = [attached(parse(text)) for text in parts]
        return _show(_dedup(OR(*trees)) if len(trees) > 1 else trees[0])
    every = {_key(node): node for text in parts for node in _sides(parse(text))}
    whole = AND(*every.values()) if len(every) > 1 else next(iter(every.values()))
    nodes = {_key(node): node for node in _sides(_dedup(attached(whole)))}
    for tree in list(nodes.values()):
        sides = {_key(arg) for arg in tree.args} if isinstance(tree, OR) else set()
        if sides and sides <= nodes.keys():
            nodes = {key: node for key, node in nodes.items() if key not in sides}
    values = list(nodes.values())
    return _show(values[0] if len(values) == 1 else AND(*values))


def _sides(tree: object) -> tuple[object, ...]:
    return tree.args if isinstance(tree, AND) else (tree,)
