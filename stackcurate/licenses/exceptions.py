"""Exceptions stand after WITH: one that a text states by itself joins the license that it eases.

A matcher finds the GPL's text, and below it the Classpath exception's; together they are one
license with an exception, and neither the exception nor "the GPL" that its text speaks of is a
license beside it. What takes something away (Commons Clause) is no exception in this sense and
stays a part that binds.
"""

from __future__ import annotations

import re
from typing import TypeGuard

from license_expression import AND, OR
from license_expression import LicenseSymbol as Symbol
from license_expression import LicenseWithExceptionSymbol as With

from stackcurate.licenses.policy import table

# What an exception belongs to, by its name; all others belong to the GPL.
_BASES = [
    (re.compile(r"agpl|romic|erlang-otp"), "AGPL-3.0-or-later"),
    (
        re.compile(
            r"lgpl|wxwindows|fltk|ocaml|occt|qwt|independent-modules|polyparse|libwebsockets|"
            r"linking-exception-2\.1"
        ),
        "LGPL-2.0-or-later",
    ),
    (re.compile(r"llvm|swift|\bshl-|apache|mxml"), "Apache-2.0"),
    (re.compile(r"mpl-2\.0"), "MPL-2.0"),
    (re.compile(r"qpl-1\.0"), "QPL-1.0"),
    (re.compile(r"\bfmt-"), "MIT"),
    (re.compile(r"pcre2|far-manager"), "BSD-3-Clause"),
    (re.compile(r"kicad"), "CC-BY-SA-4.0"),
    (re.compile(r"lzma"), "CPL-1.0"),
    (re.compile(r"sspl"), "SSPL-1.0"),
]
_ANY_GPL = "GPL-1.0-or-later"
_GENERIC = frozenset((_ANY_GPL, "LGPL-2.0-or-later"))  # what "the GPL" and "the LGPL" are read as
_GNU = ("GPL", "LGPL", "AGPL")
_NUMBER = re.compile(r"-(\d)\.\d")
_CLOSED = ("source_available", "proprietary", "no_ai", "unknown")


def attached(node: object) -> object:
    """``node`` with each exception that stands alone after the license that it belongs to.

    Of several that it may belong to it takes the one of its version, else the first; where there is
    none it eases what its name says ("GCC-exception-3.1": the GPL, whichever version).
    """
    if isinstance(node, OR):
        return OR(*(attached(arg) for arg in node.args))
    if not isinstance(node, AND):
        return With(Symbol(_base(node.key)), node) if _is_loose(node) else node
    loose = [arg for arg in node.args if _is_loose(arg)]
    rest = [attached(arg) for arg in node.args if not _is_loose(arg)]
    for one in loose:
        _attach(one, rest)
    return AND(*rest) if len(rest) > 1 else rest[0]


def _is_loose(node: object) -> TypeGuard[Symbol]:
    """Whether a node is an exception that stands alone."""
    if not isinstance(node, Symbol) or isinstance(node, With):
        return False
    known = table().find(node.key)
    if known is None or not known.exception or node.key.lower() in table().former:
        return False
    return not known.neutral and known.license_class not in _CLOSED


def _base(name: str) -> str:
    lower = name.lower()
    return next((base for pattern, base in _BASES if pattern.search(lower)), _ANY_GPL)


def _family(name: str) -> str:
    return name.partition("-")[0]


def _attach(exception: Symbol, rest: list[object]) -> None:
    """Put ``exception`` after the best license of ``rest``, or add it with its usual one."""
    base = _base(exception.key)
    family = _family(base)
    families = {family, *_GNU} if family in _GNU else {family}
    withs = [one for node in rest for one in _symbols(node, With)]
    said = [one for one in withs if one.exception_symbol.key == exception.key]
    plain = [one for node in rest for one in _symbols(node, Symbol)]
    if said:  # elsewhere with its license, whose text stands here
        own = {one.license_symbol.key for one in said}
        for one in (one for one in plain if one.key in own):
            rest[:] = [_replaced(node, one, With(one, exception)) for node in rest]
        return
    plain = [one for one in plain if _family(one.key) in families]
    plain.sort(key=lambda one: _distance(one.key, exception.key, family))
    if plain:
        best = plain[0]
        rest[:] = [_replaced(node, best, With(best, exception)) for node in rest]
        vague = Symbol(_ANY_GPL if _family(best.key) == "GPL" else base)
        if best.key not in _GENERIC and vague.key in _GENERIC and vague in rest:
            rest.remove(vague)
        return
    held = [one.license_symbol.key for one in withs if _family(one.license_symbol.key) in families]
    rest.append(With(Symbol(held[0] if held else base), exception))


def _distance(name: str, exception: str, family: str) -> tuple[bool, bool, bool]:
    """How badly a license fits an exception: another family, none in particular, version."""
    wanted, version = _NUMBER.search(exception), _NUMBER.search(name)
    other = wanted is not None and version is not None and wanted[1] != version[1]
    return _family(name) != family, name in _GENERIC, other


def _symbols(node: object, kind: type) -> list[Symbol]:
    """The symbols of a tree that are of one kind, in order."""
    if isinstance(node, (AND, OR)):
        return [one for arg in node.args for one in _symbols(arg, kind)]
    fits = isinstance(node, With) if kind is With else not isinstance(node, With)
    return [node] if fits else []


def _replaced(node: object, old: Symbol, new: object) -> object:
    if isinstance(node, (AND, OR)):
        return type(node)(*(_replaced(arg, old, new) for arg in node.args))
    return new if node == old and not isinstance(node, With) else node
