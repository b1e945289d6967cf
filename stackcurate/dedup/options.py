"""What a config says under ``dedup``: how to match, and what an earlier release has to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from stackcurate.dedup.settings import Settings
from stackcurate.errors import ConfigError

EARLIER = ("drop", "mark")
COLUMNS = ("content", "id", "language", "repository")


@dataclass(frozen=True)
class Against:
    """One earlier release of ours, or a folder (or file) of foreign Parquet.

    ``columns`` names the columns of foreign Parquet, ours: theirs; by default ``content``, ``id``,
    and what ``scope`` needs of ``language`` and ``repository``. ``language`` instead says that all
    of it is in one language.
    """

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, Path):
            raise ConfigError(f"path: {self.path} is not on this machine; fetch it first")
        unknown = sorted(set(self.columns) - set(COLUMNS))
        if unknown:
            raise ConfigError(f"columns: {unknown[0]!r} is not one of {', '.join(COLUMNS)}")
        if "language" in self.columns and self.language is not None:
            raise ConfigError("give a language, or the column that holds it, not both")
        if self.column("id") == self.column("content"):
            raise ConfigError("columns: the id may not be the content")

    def column(self, name: str) -> str:
        """What ``name`` is called there."""
        return self.columns.get(name, name)


@dataclass(frozen=True)
class Options(Settings):
    """``Settings``, and: ``against`` which earlier releases files are held, ``earlier`` whether
    what they hold already is dropped or only marked in the ledger, ``store`` whether the release
    ships its signatures (about 0.5 KiB a file), so that later ones need not read all its text.
    """

    against: tuple[Against, ...] = ()
    earlier: str = "drop"
    store: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.earlier not in EARLIER:
            raise ConfigError(f"dedup.earlier is {self.earlier}; allowed: {', '.join(EARLIER)}")
        if self.against and self.cluster != "cover":
            raise ConfigError("dedup.against needs cluster: cover, which verifies what it drops")

    @property
    def matching(self) -> Settings:
        """What the matching itself is told."""
        return Settings(**{one.name: getattr(self, one.name) for one in fields(Settings)})
