"""What an expression means, in words: every part, its class and why, and what does not go together.

Which licenses can bind one work at once is said by the Free Software Foundation for its own
(https://www.gnu.org/licenses/license-list.html); of that only the plain cases are here. It decides
nothing in a run, where the worst part of an AND counts anyway.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

from license_expression import AND, OR
from license_expression import LicenseSymbol as Symbol
from license_expression import LicenseWithExceptionSymbol as With

from stackcurate.licenses.expression import (
    BadExpression,
    _show,
    canonical_id,
    ids,
    license_class,
    lookup,
    normalize,
    operands,
    parse,
)
from stackcurate.licenses.policy import RANK, License, table
from stackcurate.licenses.spoken import spoken

# Free licenses whose terms the GNU GPL of any version does not allow to be added (FSF).
_NOT_WITH_GPL = re.compile(
    r"(?:Apache-1\.[01]|BSD-4-Clause|OpenSSL|JSON|CDDL-1\.[01]|EPL-[12]\.0|MPL-1\.[01]|MS-[PR]L|CPL-1\.0|"
    r"IPL-1\.0|PHP-3\.0\d?|QPL-1\.0|OSL-\d\.\d|AFL-\d\.\d|NPL-1\.[01]|LPPL-1\.[0-3][ac]?|SPL-1\.0)\Z"
)
_GPL = re.compile(r"GPL-(\d)\.\d(-only|-or-later)?\Z")
_THREE = re.compile(r"(?:[AL]?GPL-3\.0(?:-only|-or-later)?|Apache-2\.0)\Z")
_CLOSED = ("source_available", "proprietary", "no_ai")
_COPYLEFT = ("copyleft", "network_copyleft")


@dataclass(frozen=True)
class Part:
    """One line of an explanation."""

    text: str
    license_class: str
    why: str


def explain(text: str, overrides: Mapping[str, str] | None = None) -> list[Part]:
    """Every part of an expression with its class and why, the whole first.

    Raises BadExpression where ``text`` is not an expression.
    """
    tree, given = parse(text), dict(overrides or {})
    lines = [_part(tree, given, 0)]

    def walk(node: object, depth: int) -> None:
        if isinstance(node, (AND, OR)):
            for arg in node.args:
                if isinstance(arg, (AND, OR)):
                    lines.append(_part(arg, given, depth))
                walk(arg, depth + isinstance(arg, (AND, OR)))
        elif isinstance(node, With):
            lines.append(_part(node, given, depth))
            for symbol in (node.license_symbol, node.exception_symbol):
                walk(symbol, depth + 1)
        elif isinstance(node, Symbol):
            found = lookup(node.key, given)
            lines.append(Part("  " * depth + node.key, found.license_class, _facts(found)))

    walk(tree, 1)
    return lines


def _part(node: object, given: Mapping[str, str], depth: int) -> Part:
    text = _show(node)
    name = license_class(text, given)
    return Part("  " * depth + text, name, _reason(node, name, given))


def _reason(node: object, name: str, given: Mapping[str, str]) -> str:
    """Why a whole has its class, naming the part that decides."""
    if isinstance(node, (AND, OR)):
        sides = [_show(arg) for arg in node.args]
        deciding = [side for side in sides if license_class(side, given) == name]
        said = f" ({', '.join(deciding)})" if 0 < len(deciding) < len(sides) else ""
        if isinstance(node, OR):
            return f"the licensee chooses: the best side counts{said}"
        return f"all bind: the worst part counts{said}"
    if isinstance(node, With):
        base = license_class(node.license_symbol.key, given)
        if RANK[name] < RANK[base]:
            return f"the exception eases {base} to {name}"
        return "the exception takes something away" if name != base else "still the license's class"
    return "one license"


def _facts(found: License) -> str:
    facts = [f"ScanCode: {found.category}" if found.category else "not in the table"]
    if found.blue_oak:
        facts.append(f"Blue Oak: {found.blue_oak}")
    if found.osi:
        facts.append("OSI approved")
    if found.fsf:
        facts.append("FSF: free")
    if found.exception:
        facts.append("an exception, stands after WITH")
    if found.neutral:
        facts.append("neutral beside other licenses")
    if found.why:
        facts.append(found.why)
    return "; ".join(facts)


# --- notes ----------------------------------------------------------------------------------------


def notes(text: str) -> list[str]:
    """What else to know: former ids, ids nobody knows and what they may have meant, contradictions.

    ``text`` is an expression as written.
    """
    found = list(dict.fromkeys([*_renamed(text), *_unknown(text)]))
    for one, other in combinations(operands(text), 2):
        why = _clash(one, other)
        if why:
            found.append(f"{one} and {other} cannot both be met in one work: {why}")
    return found


def _renamed(text: str) -> Iterator[str]:
    for word in re.findall(r"[A-Za-z0-9.+:_-]+", text):
        if word.upper() in ("AND", "OR", "WITH"):
            continue
        former = table().former.get(word.lower())
        now = normalize(former) if former else canonical_id(word)
        if now and now.lower() != word.lower():
            yield f"{word} is written {now} today"


def _unknown(text: str) -> Iterator[str]:
    for name in sorted(ids(text)):
        if table().find(name) or table().find(name.rstrip("+")):
            continue
        if name.startswith("LicenseRef-"):
            yield f"{name} is a project's own name: `license: overrides:` can say its class"
            continue
        meant = spoken(name)
        like = [meant] if meant else suggestions(name)
        hint = f"; did you mean {' or '.join(like)}?" if like else ""
        yield f"{name} is on no list, so its class is unknown{hint}"


def suggestions(name: str, count: int = 3) -> list[str]:
    """Ids of the table that look like ``name``, the likeliest first."""
    names = {key: found.id for key, found in table().licenses.items()}
    near = difflib.get_close_matches(name.lower(), sorted(names), 3 * count, 0.75)
    plain = [names[key] for key in near if not names[key].startswith("LicenseRef-")]
    return list(dict.fromkeys(plain))[:count]


def _clash(one: str, other: str) -> str | None:
    """Why two parts that bind together contradict each other, or None."""
    for first, second in ((one, other), (other, one)):
        classes = license_class(first), license_class(second)
        gpl, other_gpl = _GPL.match(first), _GPL.match(second)
        if classes[0] in _COPYLEFT and classes[1] in _CLOSED:
            return f"{first} allows no further restrictions"
        if gpl and _NOT_WITH_GPL.match(second):
            return f"the GPL does not allow the terms of {second} to be added"
        if gpl and gpl[1] == "2" and gpl[2] != "-or-later" and _THREE.match(second):
            return f"{second} goes with version 3 of the GPL, to which {first} leaves no way"
        if gpl and other_gpl and {gpl[2], other_gpl[2]} == {"-only"} and gpl[1] != other_gpl[1]:
            return "each asks for its own version"
    return None


def diagnose(text: str) -> str:
    """What is wrong with ``text``, which is no expression, and what to do."""
    if text.count("(") != text.count(")"):
        return "its parentheses do not match"
    words = text.replace("(", " ").replace(")", " ").split()
    if not words:
        return "it is empty"
    if words[-1].upper() in ("AND", "OR", "WITH") or words[0].upper() in ("AND", "OR", "WITH"):
        return "it begins or ends with AND, OR or WITH"
    for one, two in pairwise(words):
        joins = [word.upper() in ("AND", "OR", "WITH") for word in (one, two)]
        if all(joins):
            return f"{one} and {two} stand side by side"
        if not any(joins):
            like = suggestions("-".join(words)) or suggestions(f"{one}-{two}")
            hint = f" (ids have no spaces: {like[0]}?)" if like else ""
            return f"between {one!r} and {two!r} stands no AND, OR or WITH{hint}"
    return "ids are letters, digits, '.', '-' and '+', joined by AND, OR and WITH"


__all__ = ["BadExpression", "Part", "diagnose", "explain", "notes", "suggestions"]
