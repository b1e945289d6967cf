"""What near-dedup is told, checked once, and what these numbers promise.

With ``bands`` bands of ``rows`` values, a pair of similarity s shares a band with probability
``1 - (1 - s**rows)**bands`` (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4.2). The
default 42 x 6 finds 0.99 of the pairs at 0.7; 25 x 10, as The Stack v2 was built, finds 0.51.
"""

from __future__ import annotations

from dataclasses import dataclass

from stackcurate.errors import ConfigError

SCOPES = ("language", "all", "repository")
CLUSTERS = ("cover", "components")
SIGNED = 2  # raise it when tokens, shingles, header rule or signatures change


@dataclass(frozen=True)
class Settings:
    """How alike two files must be, among which files, and how hard to look.

    ``threshold``: exact Jaccard similarity of the sets of word ``ngram``-grams from which the
    worse-ranked of two files is dropped. ``permutations``, ``seed``: of the MinHash. ``bands``,
    ``rows``: how signatures are cut. ``scope``: near-duplicates are sought within a language, over
    all files, or within a repository. ``skip_header``: leave a license header at the top out of
    the comparison. ``estimate_margin``: pairs whose signatures estimate a similarity lower than
    threshold minus this are not verified. ``links``: in the first round each member of a bucket
    meets this many of its best-ranked members; eight times as many in each further round, up
    to ``reach``. ``cluster``: ``cover``, or ``components`` of unverified links for comparison.
    ``memory_mb``: about what a worker may take for matching, however many files there are; no
    result depends on it.
    """

    threshold: float = 0.7
    permutations: int = 256
    ngram: int = 5
    bands: int = 42
    rows: int = 6
    seed: int = 1
    scope: str = "language"
    skip_header: bool = True
    estimate_margin: float = 0.12
    links: int = 1
    reach: int = 64
    cluster: str = "cover"
    memory_mb: int = 1024

    def __post_init__(self) -> None:
        _demand(0 < self.threshold <= 1, "threshold", self.threshold, "above 0, at most 1")
        _demand(16 <= self.permutations <= 4096, "permutations", self.permutations, "16 to 4096")
        _demand(1 <= self.ngram <= 64, "ngram", self.ngram, "1 to 64")
        _demand(self.bands >= 1, "bands", self.bands, "1 or more")
        _demand(self.rows >= 1, "rows", self.rows, "1 or more")
        _demand(
            self.bands * self.rows <= self.permutations,
            "bands",
            f"{self.bands} x {self.rows} rows",
            f"at most {self.permutations} values in all, as many as permutations",
        )
        _demand(0 <= self.seed < 1 << 32, "seed", self.seed, "0 to 4294967295")
        _demand(self.scope in SCOPES, "scope", self.scope, ", ".join(SCOPES))
        _demand(0 <= self.estimate_margin <= 1, "estimate_margin", self.estimate_margin, "0 to 1")
        _demand(self.links >= 1, "links", self.links, "1 or more")
        _demand(self.reach >= self.links, "reach", self.reach, f"links ({self.links}) or more")
        _demand(self.cluster in CLUSTERS, "cluster", self.cluster, ", ".join(CLUSTERS))
        _demand(self.memory_mb >= 64, "memory_mb", self.memory_mb, "64 or more")

    def probability(self, similarity: float) -> float:
        """The chance that a pair of this similarity (0 to 1) shares at least one band."""
        return 1 - (1 - similarity**self.rows) ** self.bands

    def curve(self, step: float = 0.05) -> list[tuple[float, float]]:
        """(similarity, probability) from 0 to 1, for `dedup --explain`."""
        count = round(1 / step)
        return [(k / count, self.probability(k / count)) for k in range(count + 1)]

    @property
    def signing(self) -> dict[str, object]:
        """What signatures and shingle counts depend on: equal here, they may be compared."""
        depends = ("permutations", "ngram", "seed", "skip_header")
        return {"format": SIGNED, **{name: getattr(self, name) for name in depends}}

    def width(self, round_number: int) -> int:
        """How many best-ranked members of a bucket a file meets in a round (from 0)."""
        return min(self.links << min(3 * round_number, 32), self.reach)


def _demand(right: bool, key: str, value: object, allowed: str) -> None:
    if not right:
        raise ConfigError(f"dedup.{key} is {value}; allowed: {allowed}")
