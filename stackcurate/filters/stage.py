"""The filter stage: measures every text and drops what a policy of plain numbers refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate import schema
from stackcurate.filters.signals import signals

# The lists of The Stack v2 (paper, section 2.1), under the language table's names.
LONG_LINE_LANGUAGES = frozenset(
    [
        "HTML",
        "JSON",
        "Markdown",
        "Roff",
        "Roff Manpage",
        "SMT",
        "TeX",
        "Text",
        "XML",
    ]
)
ALPHANUM_LANGUAGES = frozenset(["Motorola 68K Assembly", "WebAssembly"])
DATA_LANGUAGES = frozenset(["Graphviz (DOT)", "JSON", "Text", "Web Ontology Language", "YAML"])


@dataclass(frozen=True)
class Filter:
    """Measure every text; drop what the policy refuses. Numbers as in The Stack v2; None is off.

    drop_empty: files without any character but line ends.
    max_lines: more lines are dropped (filter:long_file).
    max_avg_line_length: characters; not for ``long_line_languages`` (filter:avg_line).
    max_line_length: characters of the longest line (filter:long_line);
    max_line_length_long: the same for ``long_line_languages``.
    min_alpha_fraction: smaller shares of letters are dropped; for ``alphanum_languages`` shares of
        letters and digits (filter:alpha). Files without characters are left to ``drop_empty``.
    max_encoded_run, max_encoded_fraction: base64, hex lists, escapes (filter:encoded).
    drop_generated, drop_vendored: by the flags of the language stage.
    max_data_lines: lines of ``data_languages`` (filter:data_lines); off unless asked for.
    """

    name: ClassVar[str] = "filter"
    needs: ClassVar[tuple[str, ...]] = ("content", "language", "is_generated", "is_vendor")
    fills: ClassVar[tuple[str, ...]] = tuple(schema.SIGNALS.names)

    drop_empty: bool = True
    max_lines: int | None = 100_000
    max_avg_line_length: float | None = 100.0
    max_line_length: int | None = 1000
    max_line_length_long: int | None = 100_000
    min_alpha_fraction: float | None = 0.25
    max_encoded_run: int | None = 1024
    max_encoded_fraction: float | None = 0.5
    drop_generated: bool = True
    drop_vendored: bool = False
    max_data_lines: int | None = None
    long_line_languages: frozenset[str] = LONG_LINE_LANGUAGES
    alphanum_languages: frozenset[str] = ALPHANUM_LANGUAGES
    data_languages: frozenset[str] = DATA_LANGUAGES

    def find(self, batch: pa.Table) -> pa.Table:
        """The SIGNALS columns of every row."""
        return signals(batch["content"])

    def judge(self, batch: pa.Table) -> pa.Table:
        """Mark each row with the first rule that refuses it, in the order below."""
        rules: list[tuple[str, Callable[[pa.Table], pa.ChunkedArray | None]]] = [
            ("filter:empty", self._empty),
            ("filter:generated", self._generated),
            ("filter:vendored", self._vendored),
            ("filter:long_file", self._long_file),
            ("filter:data_lines", self._data_lines),
            ("filter:long_line", self._long_line),
            ("filter:avg_line", self._avg_line),
            ("filter:encoded", self._encoded),
            ("filter:alpha", self._alpha),
        ]
        for verdict, rule in rules:
            refused = rule(batch)
            if refused is not None:
                batch = schema.drop(batch, refused, verdict)
        return batch

    def _empty(self, batch: pa.Table) -> pa.ChunkedArray | None:
        if not self.drop_empty:
            return None
        return pc.equal(batch["max_line_length"], 0)

    def _generated(self, batch: pa.Table) -> pa.ChunkedArray | None:
        return batch["is_generated"] if self.drop_generated else None

    def _vendored(self, batch: pa.Table) -> pa.ChunkedArray | None:
        return batch["is_vendor"] if self.drop_vendored else None

    def _long_file(self, batch: pa.Table) -> pa.ChunkedArray | None:
        return _above(batch["num_lines"], self.max_lines)

    def _data_lines(self, batch: pa.Table) -> pa.ChunkedArray | None:
        return _where(
            _in(batch, self.data_languages), _above(batch["num_lines"], self.max_data_lines)
        )

    def _long_line(self, batch: pa.Table) -> pa.ChunkedArray | None:
        long_ones = _in(batch, self.long_line_languages)
        usual = _where(pc.invert(long_ones), _above(batch["max_line_length"], self.max_line_length))
        wide = _where(long_ones, _above(batch["max_line_length"], self.max_line_length_long))
        return _any(usual, wide)

    def _avg_line(self, batch: pa.Table) -> pa.ChunkedArray | None:
        others = pc.invert(_in(batch, self.long_line_languages))
        return _where(others, _above(batch["avg_line_length"], self.max_avg_line_length))

    def _encoded(self, batch: pa.Table) -> pa.ChunkedArray | None:
        return _any(
            _above(batch["max_encoded_run"], self.max_encoded_run),
            _above(batch["encoded_fraction"], self.max_encoded_fraction),
        )

    def _alpha(self, batch: pa.Table) -> pa.ChunkedArray | None:
        if self.min_alpha_fraction is None:
            return None
        share = pc.if_else(
            _in(batch, self.alphanum_languages),
            batch["alphanum_fraction"],
            batch["alpha_fraction"],
        )
        return pc.and_(
            pc.less(share, self.min_alpha_fraction), pc.greater(batch["max_line_length"], 0)
        )


def _in(batch: pa.Table, languages: frozenset[str]) -> pa.ChunkedArray:
    return pc.is_in(batch["language"], pa.array(sorted(languages), pa.string()))


def _above(values: pa.ChunkedArray, limit: float | None) -> pa.ChunkedArray | None:
    return None if limit is None else pc.greater(values, limit)


def _where(mask: pa.ChunkedArray, refused: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
    return None if refused is None else pc.and_(mask, refused)


def _any(left: pa.ChunkedArray | None, right: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
    if left is None or right is None:
        return right if left is None else left
    return pc.or_(left, right)
