"""What the pipeline knows about a release that its files do not say: the input of `publish`.

Nothing here may hold a clock, a host, an absolute path, a rate or a worker count: it all enters the
manifest, and the same config over the same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackcurate.releases.writer import Shard

#: Files and bytes, as the source listed them: {"files": int, "bytes": int}.
Count = Mapping[str, int]

#: What was dropped: {stage: {reason: Count}}, from verdicts ``stage:reason``.
Dropped = Mapping[str, Mapping[str, Count]]

#: Folder of the files whose language is null.
UNKNOWN_FOLDER = "_unknown"


@dataclass(frozen=True)
class Previous:
    """The release before this one: its manifest, the SHA-256 (hex) of that file, its changelog.

    ``folder`` is where it stands; the changelog is told from a diff against it.
    """

    manifest: Mapping[str, Any]
    manifest_sha256: str
    changelog: str = ""
    folder: Path | None = None


@dataclass(frozen=True)
class ReleaseFacts:
    """Everything that `publish` cannot read off the files of the staging folder.

    ``files`` maps paths inside the release ("data/Python/train-00000-of-00001.parquet") to what
    the writer returned; files of the staging folder that are not named are hashed again.
    ``folders`` maps each language to its folder under ``data/``.
    ``stages`` is the order of the funnel; ``listed`` = ``kept`` + everything in ``dropped``.
    ``sources`` may split the same three by source: {name: {"listed", "kept", "dropped"}}.
    ``config`` is the resolved config without paths of the machine; ``inputs`` the input lock
    (containers with snapshot ids and digests); ``tables`` {name: digest}; ``tools`` {library:
    version}.
    ``optout`` is the cut-off, as `optout.registry.summary` gives it; empty without a registry.
    ``dedup``: what signatures depend on where the release ships them, and the earlier releases that
    files were held against, with how many had a twin there.
    ``forks`` counts origins that are related to better ones, by relation.
    ``problems`` are inputs that were set aside: {"where", "reason", "message"}, public words only.
    ``notes`` are a person's words for the changelog.
    """

    name: str
    version: str
    files: Mapping[str, Shard]
    folders: Mapping[str, str]
    stages: Sequence[str]
    listed: Count
    kept: Count
    dropped: Dropped
    config: Mapping[str, Any]
    inputs: Any
    tables: Mapping[str, str]
    tools: Mapping[str, str]
    optout: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dedup: Mapping[str, Any] = field(default_factory=dict)
    forks: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[Mapping[str, str]] = ()
    title: str = ""
    description: str = ""
    authors: Sequence[Any] = ()
    notes: str = ""
    previous: Previous | None = None

    @property
    def heading(self) -> str:
        """The title, or the name where nobody gave one."""
        return self.title or self.name
