"""A YAML file into a checked, frozen Config; a mistake names key, value, what is allowed, and line.

A stage's fields are its options, so the sections ``license``, ``language``, ``filter``, ``redact``
and ``dedup`` are checked against the rooms' own dataclasses, and this file does not list them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, NoReturn, get_type_hints

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from stackcurate.contents import Store, open_store
from stackcurate.dedup.options import Against
from stackcurate.dedup.options import Options as DedupOptions
from stackcurate.errors import ConfigError
from stackcurate.filters.stage import Filter
from stackcurate.languages.stage import Language
from stackcurate.licenses.policy import LicenseSettings
from stackcurate.redaction.settings import Settings as RedactSettings
from stackcurate.sources.base import Container, Source
from stackcurate.sources.kinds import KINDS

ORDER = (
    "optout",
    "license",
    "choose",
    "fetch",
    "header",
    "language",
    "filter",
    "redact",
    "dedup",
)
# What must have run before a stage: its columns come from there.
_AFTER = {
    "choose": ("optout",),
    "fetch": ("choose",),
    "header": ("license", "fetch"),
    "language": ("fetch",),
    "filter": ("language",),
    "redact": ("fetch",),
    "dedup": ("fetch",),
}
_ALWAYS = ("optout", "choose", "fetch")
# More is no config: a few aliases of aliases would else grow without end.
MOST_VALUES, MOST_DEPTH = 10_000, 20
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class OptoutOptions:
    """``registry``: JSON Lines of opt-out events; without it nothing is withdrawn."""

    registry: Path | None = None


@dataclass(frozen=True)
class ChooseOptions:
    """``forks``: ``keep`` all files of repositories that are forks, mirrors or copies of others and
    report them, ``collapse`` each family to its best repository, or ``ignore`` the question.
    """

    forks: str = "keep"

    def __post_init__(self) -> None:
        if self.forks not in ("keep", "collapse", "ignore"):
            raise ValueError(f"forks: {self.forks!r} is not one of keep, collapse, ignore")


@dataclass(frozen=True)
class FetchOptions:
    """``max_bytes``: longer files are dropped as ``fetch:too_large`` without being read."""

    max_bytes: int = 10 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ValueError("max_bytes must be 1 or more")


@dataclass(frozen=True)
class AlarmOptions:
    """The largest share of a group's files that may fall to clusters of ``cluster`` files and more.

    ``files``: smaller groups are not judged. ``rise``: how much more of a repository, license,
    language or source `dedup` may drop than in the previous release. 1 switches a limit off.
    """

    repository: float = 0.9
    license: float = 0.5
    language: float = 0.5
    source: float = 0.5
    rise: float = 0.3
    files: int = 1000
    cluster: int = 100

    def __post_init__(self) -> None:
        shares = (self.repository, self.license, self.language, self.source, self.rise)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError("repository, license, language, source and rise must be from 0 to 1")
        if self.files < 1 or self.cluster < 2:
            raise ValueError("files must be 1 or more, cluster 2 or more")


@dataclass(frozen=True)
class ReleaseOptions:
    """``shard_bytes`` of text a Parquet file, ``row_group_bytes`` of text a row group."""

    shard_bytes: int = 256 * 1024 * 1024
    row_group_bytes: int = 32 * 1024 * 1024

    def __post_init__(self) -> None:
        if min(self.shard_bytes, self.row_group_bytes) < 1:
            raise ValueError("shard_bytes and row_group_bytes must be 1 or more")


@dataclass(frozen=True)
class Config:
    """One run, checked. Paths are absolute; ``written`` is the YAML as it stands."""

    path: Path
    name: str
    version: str
    sources: tuple[Source, ...]
    title: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    notes: str = ""
    previous: Path | None = None
    repositories: Path | None = None
    quarantine: Path | None = None
    stages: tuple[str, ...] = ORDER
    optout: OptoutOptions = OptoutOptions()
    license: LicenseSettings = field(default_factory=LicenseSettings)
    choose: ChooseOptions = ChooseOptions()
    fetch: FetchOptions = FetchOptions()
    language: Language = field(default_factory=Language)
    filter: Filter = field(default_factory=Filter)
    redact: RedactSettings = field(default_factory=RedactSettings)
    dedup: DedupOptions = field(default_factory=DedupOptions)
    alarm: AlarmOptions = AlarmOptions()
    release: ReleaseOptions = ReleaseOptions()
    releases: Path = Path("releases")
    runs: Path = Path("runs")
    written: dict[str, Any] = field(default_factory=dict)

    @property
    def release_folder(self) -> Path:
        return self.releases / self.name / f"v{self.version}"

    @property
    def run_folder(self) -> Path:
        return self.runs / self.name / f"v{self.version}"

    def facts(self) -> dict[str, Any]:
        """What a release says about its config: nothing local, so any folder gives equal bytes.

        The quarantine ships itself, so where it came from is nothing to tell; digests of findings
        do not ship, so neither does where their key is.
        """
        local = ("releases", "runs", "quarantine")
        told = {key: value for key, value in self.written.items() if key not in local}
        if "digest_key" in (redact := told.get("redact") or {}):
            del told["redact"]
            rest = {key: value for key, value in redact.items() if key != "digest_key"}
            told.update({"redact": rest} if rest else {})
        return _without_absolute(told)


def load(path: Path | str) -> Config:
    """Read and check a config file. Raises ConfigError; nothing else is read or started."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot read the config {path}: {error.strerror}. `stackcurate init` writes one"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """The same for a text that stands, or would stand, at ``path``."""
    lines = _Lines(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = lines.construct(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{path}{at}: {problem}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: a config is a mapping of keys (name:, version:, sources:, …)")
    return _build(value, path, lines)


class _Lines:
    """Plain values from YAML nodes, remembering the line of each key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.of: dict[tuple[Any, ...], int] = {}
        self.values = 0

    def construct(self, node: yaml.Node | None, at: tuple[Any, ...] = ()) -> Any:
        if node is None:
            return None
        self.of.setdefault(at, node.start_mark.line + 1)
        self.values += 1
        if len(at) > MOST_DEPTH or self.values > MOST_VALUES:
            self.fail(
                at,
                f"a config holds at most {MOST_VALUES:,} values, {MOST_DEPTH} deep; does an alias "
                "name itself?",
            )
        if isinstance(node, yaml.MappingNode):
            found: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(key_node.value)
                spot = (*at, key)
                self.of[spot] = key_node.start_mark.line + 1
                if key in found:
                    self.fail(spot, f"the key {key!r} stands twice")
                found[key] = self.construct(value_node, spot)
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.construct(item, (*at, n)) for n, item in enumerate(node.value)]
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node)
        finally:
            loader.dispose()

    def fail(self, at: tuple[Any, ...], message: str) -> NoReturn:
        where = at
        while where and where not in self.of:
            where = where[:-1]
        line = self.of.get(where, 1)
        raise ConfigError(f"{self.path}, line {line}: {message}")


def containers(config: Config, number: int) -> list[Container]:
    """The containers of a source; a mistake in its entry is told with the entry's line.

    Raises ConfigError.
    """
    try:
        return config.sources[number].containers()
    except ConfigError as error:
        lines = _Lines(config.path)
        with contextlib.suppress(OSError, yaml.YAMLError):
            lines.construct(yaml.compose(config.path.read_text(), Loader=yaml.SafeLoader))
        lines.fail(("sources", number, "path"), f"sources: path: {error}")


def _build(value: dict[str, Any], path: Path, lines: _Lines) -> Config:
    allowed = [f.name for f in dataclasses.fields(Config) if f.name not in ("path", "written")]
    _known_keys(value, allowed, (), lines)
    for key in ("name", "version", "sources"):
        if value.get(key) in (None, [], ""):
            lines.fail((), f"the key {key!r} is missing; a config needs name, version and sources")
    folder = path.resolve().parent
    hints = get_type_hints(Config)
    made: dict[str, Any] = {"path": path.resolve(), "written": value}
    for key, given in value.items():
        if key == "sources":
            made[key] = _sources(given, folder, lines)
        elif key == "stages":
            made[key] = _stages(given, lines)
        elif given is None:
            continue
        elif dataclasses.is_dataclass(hints[key]):
            made[key] = _section(hints[key], given, folder, (key,), lines)
        elif key in ("previous", "repositories", "quarantine", "releases", "runs"):
            made[key] = _resolve(given, folder, (key,), lines)
        elif key == "authors":
            made[key] = tuple(str(name) for name in ([given] if isinstance(given, str) else given))
        else:
            made[key] = str(given)
    for key in ("releases", "runs"):
        made.setdefault(key, folder / key)
    if not _NAME.fullmatch(made["name"]):
        lines.fail(("name",), f"name: {made['name']!r} must be lowercase letters, digits, . _ -")
    if not _VERSION.fullmatch(made["version"]):
        lines.fail(("version",), f"version: {made['version']!r} must look like 2.1.0")
    return Config(**made)


def _sources(given: Any, folder: Path, lines: _Lines) -> tuple[Source, ...]:
    if not isinstance(given, list):
        lines.fail(("sources",), "sources: must be a list; each item has a kind and a path")
    made = []
    for number, item in enumerate(given):
        at = ("sources", number)
        if not isinstance(item, dict) or item.get("kind") not in KINDS:
            kind = item.get("kind") if isinstance(item, dict) else item
            lines.fail((*at, "kind"), f"kind: {kind!r} must be one of {', '.join(sorted(KINDS))}")
        options = {key: option for key, option in item.items() if key != "kind"}
        made.append(_section(KINDS[item["kind"]], options, folder, at, lines))
    return tuple(made)


def _stages(given: Any, lines: _Lines) -> tuple[str, ...]:
    if not isinstance(given, list):
        lines.fail(("stages",), f"stages: must be a list of {', '.join(ORDER)}")
    seen: list[str] = []
    for number, name in enumerate(given):
        at = ("stages", number)
        if name not in ORDER:
            lines.fail(at, f"stages: {name!r} is not a stage; allowed: {', '.join(ORDER)}")
        if name in seen:
            lines.fail(at, f"stages: {name!r} stands twice")
        for needed in _AFTER.get(name, ()):
            if needed not in seen:
                lines.fail(at, f"stages: {name!r} needs {needed!r} before it")
        seen.append(name)
    if tuple(sorted(seen, key=ORDER.index)) != tuple(seen):
        lines.fail(("stages",), f"stages: the order is {', '.join(ORDER)}; leave out what you like")
    for name in _ALWAYS:
        if name not in seen:
            lines.fail(("stages",), f"stages: {name!r} cannot be left out")
    return tuple(seen)


def _section(cls: Any, given: Any, folder: Path, at: tuple[Any, ...], lines: _Lines) -> Any:
    """A frozen dataclass from a mapping: unknown keys, wrong types and bad values are named."""
    if not isinstance(given, dict):
        lines.fail(at, f"{at[-1]}: must be a mapping of options")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    _known_keys(given, list(fields), at, lines)
    hints = get_type_hints(cls)
    made: dict[str, Any] = {}
    for key, option in given.items():
        spot = (*at, key)
        if key == "contents" and option is not None:
            made[key] = _store(option, folder, spot, lines)
            continue
        if key == "against" and option is not None:
            made[key] = _against(option, folder, spot, lines)
            continue
        if option is not None and _is_path(hints[key]):
            made[key] = _resolve(option, folder, spot, lines)
            continue
        if isinstance(option, str) and hints[key] == tuple[str, ...]:
            option = (option,)  # a list of one may stand without its brackets
        try:
            made[key] = TypeAdapter(
                hints[key], config=ConfigDict(arbitrary_types_allowed=True)
            ).validate_python(option)
        except ValidationError as error:
            what = error.errors()[0]["msg"]
            lines.fail(spot, f"{key}: {option!r} is not allowed: {what}")
    for name, one in fields.items():
        bare = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        if bare and name not in made:
            lines.fail(at, f"{at[-1]}: the option {name!r} is missing")
    try:
        return cls(**made)
    except ConfigError as error:
        lines.fail((*at, *error.at), f"{at[0]}: {error}")
    except (ValueError, TypeError) as error:
        lines.fail(at, f"{at[0]}: {error}")


def _against(given: Any, folder: Path, at: tuple[Any, ...], lines: _Lines) -> tuple[Against, ...]:
    """Earlier releases: a list of paths, or of mappings with a path."""
    if not isinstance(given, list):
        lines.fail(at, "against: must be a list of releases or of folders of Parquet files")
    made = []
    for number, item in enumerate(given):
        options = {"path": item} if isinstance(item, str) else item
        made.append(_section(Against, options, folder, (*at, number), lines))
    return tuple(made)


def _known_keys(
    given: dict[str, Any], allowed: list[str], at: tuple[Any, ...], lines: _Lines
) -> None:
    for key in given:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            lines.fail((*at, key), f"unknown key {key!r}{hint} Allowed: {', '.join(allowed)}")


def _is_path(hint: Any) -> bool:
    return hint is Path or Path in getattr(hint, "__args__", ())


def _resolve(given: Any, folder: Path, at: tuple[Any, ...], lines: _Lines) -> Any:
    if not isinstance(given, str):
        lines.fail(at, f"{at[-1]}: {given!r} must be a path")
    if "://" in given:  # an object store: the source or store that takes it knows what to do
        return given
    return (folder / Path(given).expanduser()).resolve()


def _store(given: Any, folder: Path, at: tuple[Any, ...], lines: _Lines) -> Store:
    """The content store of a source: a folder, s3://…, or a mapping of options."""
    try:
        return open_store(_resolve(given, folder, at, lines) if isinstance(given, str) else given)
    except ConfigError as error:
        lines.fail(at, str(error))


def _without_absolute(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_absolute(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_absolute(one) for one in value]
    if isinstance(value, str) and PurePath(value).is_absolute():
        return PurePath(value).name
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
