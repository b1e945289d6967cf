"""Writes stackcurate/tables/license_rules.npz: ScanCode's rules as numbers, for our own matcher.

    python scripts/make_license_rules.py

From the license index of the installed ScanCode toolkit (rules and licenses: CC-BY-4.0, nexB Inc.
and others): the words of every rule as ids, 64-bit hashes of the words, and what a rule asks for
(lengths, required phrases, coverage). No word is spelt out. Run it again when ScanCode's version
changes; the same version gives the same bytes.
"""

from __future__ import annotations

import lzma
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from stackcurate.licenses import rules

TABLE = Path(__file__).resolve().parent.parent / "stackcurate" / "tables" / "license_rules.npz"
NOTICE = (
    "Derived from the license rules of scancode-toolkit {}, https://github.com/aboutcode-org/"
    "scancode-toolkit, Copyright (c) nexB Inc. and others, CC-BY-4.0."
)


def expressions(index: Any) -> tuple[list[str], dict[str, int], list[tuple[int, list[int]]]]:
    """SPDX expressions, their number by ScanCode expression, and all expressions as trees.

    A tree is (kind, numbers of its parts); the first trees are those of the expressions.
    """
    from license_expression import AND, OR, LicenseWithExceptionSymbol
    from licensedcode.cache import build_spdx_license_expression, get_licensing

    licensing = get_licensing()
    said = sorted({rule.license_expression for rule in index.rules_by_rid} - {None})
    numbers: dict[Any, int] = {}
    trees: list[tuple[int, list[int]]] = []

    def key(node: Any) -> Any:
        if isinstance(node, (AND, OR)):
            return type(node).__name__, frozenset(map(key, node.args))
        return str(node)

    def place(node: Any) -> int:
        name = key(node)
        if name not in numbers:
            numbers[name] = len(trees)
            trees.append((rules.SYMBOL, []))
            parts: Any = ()
            kind = rules.SYMBOL
            if isinstance(node, (AND, OR)):
                kind, parts = (rules.ALL if isinstance(node, AND) else rules.ANY), node.args
            elif isinstance(node, LicenseWithExceptionSymbol):
                kind, parts = rules.WITH, (node.license_symbol, node.exception_symbol)
            trees[numbers[name]] = (kind, [place(part) for part in parts])
        return numbers[name]

    spdx = [str(build_spdx_license_expression(text, licensing=licensing)) for text in said]
    tree_of = [place(licensing.parse(text).simplify()) for text in said]
    # Expressions that mean the same share a tree, so a tree has a number of its own.
    order = {text: number for number, text in enumerate(said)}
    return spdx, order, [(-1, tree_of), *trees]


def arrays(index: Any) -> dict[str, np.ndarray]:
    """All arrays of the table; see stackcurate/licenses/rules.py for their meaning."""
    from licensedcode.stopwords import STOPWORDS

    words = sorted(set(index.dictionary) | set(STOPWORDS))
    ids = [rules.STOP if word in STOPWORDS else index.dictionary[word] for word in words]
    spdx, order, (first, *trees) = expressions(index)
    found: dict[str, list[int]] = {name: [] for name in rules.FIELDS}
    phrases, stops, texts = [], [], []
    for rid, rule in enumerate(index.rules_by_rid):
        texts.append(np.frombuffer(index.tids_by_rid[rid], np.int16))
        flags = [
            rule.is_license_text, rule.is_license_notice, rule.is_license_reference,
            rule.is_license_tag, rule.is_license_intro, rule.is_license_clue,
            rule.is_false_positive, rule.is_continuous or rule.is_required_phrase,
            rule.is_small, bool(rule.has_unknown), rule.starts_with_license,
            rule.ends_with_license, rid in index.approx_matchable_rids,
            bool(rule.referenced_filenames), rule.license_expression == "free-unknown",
        ]  # fmt: skip
        found["flags"].append(sum(1 << bit for bit, flag in enumerate(flags) if flag))
        found["expression"].append(order.get(rule.license_expression, -1))
        found["relevance"].append(int(rule.relevance or 0))
        found["coverage"].append(int(rule.minimum_coverage or 0))
        assert rule.length == len(texts[-1])
        for name in rules.FIELDS[4:]:
            found[name].append(int(getattr(rule, name, 0) or 0))
        for span in rule.required_phrase_spans or ():
            assert len(span) == span.magnitude()
            phrases.append((rid, span.start, span.end))
        stops += [(rid, at, count) for at, count in sorted((rule.stopwords_by_pos or {}).items())]
    identifiers = [rule.identifier for rule in index.rules_by_rid]
    return {
        "word": np.array([rules.hash_word(word) for word in words], np.uint64),
        "word_id": np.array(ids, np.int16),
        "digits": np.array(sorted(index.digit_only_tids), np.int16),
        "legal": np.array([index.len_legalese], np.int32),
        "tokens": np.concatenate(texts),
        "length": np.array([len(text) for text in texts], np.int32),
        **{name: np.array(values, np.int32) for name, values in found.items()},
        "phrases": np.array(phrases, np.int32),
        "stops": np.array(stops, np.int32),
        "tree_of": np.array(first[1], np.int32),
        "tree_kind": np.array([kind for kind, _ in trees], np.int32),
        "tree_size": np.array([len(parts) for _, parts in trees], np.int32),
        "tree_parts": np.array([part for _, parts in trees for part in parts], np.int32),
        "expressions": np.frombuffer("\n".join(spdx).encode(), np.uint8),
        "identifiers": np.frombuffer("\n".join(identifiers).encode(), np.uint8),
    }


def main() -> None:
    from licensedcode.cache import get_index

    release = version("scancode-toolkit")
    table = arrays(get_index())
    packed = {}
    for name, values in table.items():
        squeezed = lzma.compress(values.tobytes(), preset=9)
        packed[name] = np.frombuffer(squeezed, np.uint8)
        packed[f"{name}.type"] = np.frombuffer(values.dtype.str.encode(), np.uint8)
    packed["detector"] = np.frombuffer(f"scancode-toolkit {release}".encode(), np.uint8)
    packed["notice"] = np.frombuffer(NOTICE.format(release).encode(), np.uint8)
    np.savez(TABLE, **packed)
    print({name: len(values) for name, values in packed.items() if "." not in name})


if __name__ == "__main__":
    main()
