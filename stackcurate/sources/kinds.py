"""The source kinds a config can name."""

from __future__ import annotations

from stackcurate.sources.archive import Archive
from stackcurate.sources.base import Source
from stackcurate.sources.git import Git
from stackcurate.sources.parquet import Parquet
from stackcurate.sources.swh_graph import SwhGraph

KINDS: dict[str, type[Source]] = {
    "archive": Archive,
    "git": Git,
    "parquet": Parquet,
    "swh_graph": SwhGraph,
}
