"""What a dedup did, in numbers: for the report, the log and the wipe-out alarm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Round:
    """What one round did. ``limited``: buckets with members that had more to meet than allowed."""

    pairs: int  # new pairs
    compared: int  # verified by exact Jaccard
    links: int  # reached the threshold
    limited: int
    kept: int  # files after the cover


@dataclass(frozen=True)
class Summary:
    """What became of all files; those of earlier parts are not counted.

    ``exact + near + earlier_exact + earlier_near + kept == files``. ``unsigned``: files without
    shingles among those that are no exact copies (earlier ones too). ``cluster_sizes``: {size:
    clusters}, clusters of one file left out. ``giant_buckets``: buckets whose members did not all
    meet, cut by rank.
    """

    files: int
    exact: int
    near: int
    kept: int
    unsigned: int
    cluster_sizes: dict[int, int]
    rounds: list[Round]
    giant_buckets: int
    earlier_exact: int
    earlier_near: int

    @property
    def comparisons(self) -> int:
        """Pairs verified by exact Jaccard."""
        return sum(r.compared for r in self.rounds)

    def effort(self) -> str:
        """What was compared and what could not meet, in words."""
        cut = ""
        if self.giant_buckets:
            cut = f"; {self.giant_buckets:,} buckets were too large for all to meet: cut by rank"
        return f"{self.comparisons:,} pairs compared exactly in {len(self.rounds)} rounds{cut}"

    @classmethod
    def from_json(cls, noted: dict[str, Any]) -> Summary:
        """The summary that ``dataclasses.asdict`` and JSON made this of."""
        sizes = {int(size): count for size, count in noted["cluster_sizes"].items()}
        rounds = [Round(**one) for one in noted["rounds"]]
        return cls(**{**noted, "cluster_sizes": sizes, "rounds": rounds})
