"""The source `archive`: tar and zip files, packages of several ecosystems, and plain folders.

Nothing is extracted. An archive is passed over three times: once for its heads (the directory id
needs every byte), once for its files, once for the bytes that are wanted.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from stackcurate.errors import ConfigError, InputError
from stackcurate.schema import HEAD, REVISION
from stackcurate.sources.archive_formats import (
    read_archive,
    read_folder,
    scan_archive,
    walk_folder,
)
from stackcurate.sources.archive_members import Limits, Scan, file_members, settle
from stackcurate.sources.base import Container, Heads, Problem
from stackcurate.sources.origins import given_origin
from stackcurate.sources.rows import Rows

_TAR = r"tar|tar\.gz|tgz|tar\.bz2|tbz2?|tar\.xz|txz|tar\.zst|tzst|crate"
_ZIP = r"zip|whl|jar|egg|nupkg"
_SUFFIX = re.compile(rf"(?i)(.+)\.({_TAR}|{_ZIP})\Z")
_ROOTED = frozenset({"whl", "jar", "egg", "nupkg"})  # their folders are part of the layout
_VERSIONED = re.compile(r"(.+?)[-_]v?(\d[^/]*)\Z")
_VAULT = re.compile(rb"swh:1:dir:([0-9a-f]{40})\Z")


@dataclass(frozen=True)
class Archive:
    """Archives at or below ``path``, each an origin of its own.

    ``folders``: ``auto`` makes each direct sub-folder of ``path`` in which no archive lies a
    container too, an unpacked one; ``true`` each direct sub-folder, whatever lies in it; both make
    ``path`` itself the only one where there is nothing else. ``self`` makes it the only one anyway,
    ``false`` takes archives alone.
    ``strip_top``: ``auto`` cuts a single top folder that holds everything (never in wheels and
    jars, whose layout it is), ``never`` keeps it. Origins: ``origins[key]``, else
    ``origin_prefix`` + key, else ``archive:`` + key. ``max_files``, ``max_member_bytes``,
    ``max_total_bytes`` and ``max_ratio`` (plain bytes per compressed byte) refuse decompression
    bombs.
    """

    kind: ClassVar[str] = "archive"

    path: Path
    folders: bool | str = "auto"
    strip_top: str = "auto"
    origin_prefix: str | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    max_files: int = Limits.max_files
    max_member_bytes: int = Limits.max_member_bytes
    max_total_bytes: int = Limits.max_total_bytes
    max_ratio: int = Limits.max_ratio

    def __post_init__(self) -> None:
        if self.folders not in (True, False, "auto", "self"):
            raise ConfigError(f"folders: {self.folders!r} is not one of auto, true, false, self")
        if self.strip_top not in ("auto", "never"):
            raise ConfigError(f"strip_top: {self.strip_top!r} is not one of auto, never")

    def containers(self) -> list[Container]:
        """Archive files at any depth, and folders where asked for. No link is followed."""
        path = self.path
        if path.is_file():
            return [_container(path, path.name)]
        if not path.is_dir():
            raise ConfigError(f"archive source: {path} does not exist")
        if self.folders == "self":
            return [_container(path, path.resolve().name)]
        found: dict[str, Path] = {}
        plain = {} if not self.folders else {
            e.name: e for e in path.iterdir() if e.is_dir() and not e.is_symlink()
        }  # fmt: skip
        if self.folders is True:
            found = plain
        for place, folders, names in os.walk(path):
            if Path(place) == path:
                folders[:] = [name for name in folders if name not in found]
            for file in (Path(place, name) for name in names):
                if _SUFFIX.match(file.name) and file.is_file() and not file.is_symlink():
                    found[file.relative_to(path).as_posix()] = file
        if found and self.folders == "auto":
            holders = {key.partition("/")[0] for key in found}
            hidden = {key for key in plain if key.startswith(".")}
            others = plain.keys() - holders - hidden
            found |= {key: plain[key] for key in others}
        if not found and self.folders:
            return [_container(path, path.resolve().name)]
        if not found:
            raise ConfigError(f"archive source: there is no archive at or below {path}")
        return [_container(found[key], key) for key in sorted(found)]

    def heads(self, container: Container, scratch: Path) -> Heads:
        """One origin. Its directory id is null where something had to be refused."""
        scan = self._scan(container)
        directory = scan.directory.hex() if scan.directory else None
        claim = _VAULT.match(scan.top or b"")
        if claim is not None and directory is not None and claim[1].decode() != directory:
            message = "the directory does not have the id that the bundle is named by"
            scan.problems.append(Problem(container.key, "corrupt", message))
        origin = self._origin(container.key)
        visit_type, name = _shape(container.key, scan)
        row = {
            "root": self._root(container.key, scan),
            "origin": origin,
            "visit_type": visit_type,
            "repo_name": name,
            "directory_id": directory,
            "container": container.key,
        }
        problems = [Problem(p.where or container.key, p.reason, p.message) for p in scan.problems]
        return Heads(
            pa.Table.from_pylist([row], schema=HEAD), REVISION.empty_table(), scan.digest, problems
        )

    def files(
        self, container: Container, roots: Sequence[str], scratch: Path
    ) -> Iterator[pa.RecordBatch]:
        """Files as extraction would leave them; ``locator`` is the ordinal of the member."""
        scan = self._scan(container)
        root = self._root(container.key, scan)
        if root not in roots:
            raise InputError(f"{container.key}: it changed since its heads were read", "changed")
        rows = Rows(root, container.key)
        if scan.too_many:
            rows.add(b"/", verdict="source:too_many_files", note=scan.too_many)
            yield rows.batch()
            return
        for member in file_members(scan.members):
            rows.add(
                b"/" + member.path,
                member.content_id,
                member.blob_id,
                member.size,
                member.mode,
                member.data if member.data >= 0 else member.ordinal,
                member.verdict,
                member.note,
            )
            if rows.full:
                yield rows.batch()
                rows = Rows(root, container.key)
        if len(rows):
            yield rows.batch()

    def read(
        self, container: Container, wanted: pa.Table, limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        """Bytes by ``locator``, in one pass over a tar, directly in a zip or folder."""
        path = self._place(container)
        if path.is_dir():
            yield from read_folder(path, _names(wanted), limit)
            return
        rows: dict[int, list[int]] = {}
        for row, ordinal in enumerate(wanted["locator"].to_pylist()):
            rows.setdefault(-1 if ordinal is None else ordinal, []).append(row)
        for row in rows.pop(-1, []):
            yield row, Problem(container.key, "missing", "the row names no member")
        for ordinal, data in read_archive(path, set(rows), limit) if rows else ():
            for row in rows[ordinal]:
                yield row, data

    def _place(self, container: Container) -> Path:
        if self.path.is_file() or self.folders == "self":
            return self.path
        place = self.path / container.key
        if self.folders and not place.exists() and container.key == self.path.resolve().name:
            return self.path
        return place

    def _scan(self, container: Container) -> Scan:
        path = self._place(container)
        limits = Limits(self.max_files, self.max_member_bytes, self.max_total_bytes, self.max_ratio)
        if not path.exists():
            raise InputError(f"{container.key}: the archive is gone", "missing")
        try:
            scan = scan_archive(path, limits)
        except InputError as error:
            raise InputError(f"{container.key}: {error}", error.reason) from error
        suffix = _SUFFIX.match(container.key)
        rooted = path.is_dir() or (suffix is not None and suffix[2].lower() in _ROOTED)
        settle(scan, strip=self.strip_top == "auto" and not rooted)
        return scan

    def _origin(self, key: str) -> str:
        given = self.origins.get(key)
        if given is None and self.origin_prefix is not None:
            given = self.origin_prefix + key
        if given is None:
            return "archive:" + key
        return given_origin(given)

    def _root(self, key: str, scan: Scan) -> str:
        return scan.directory.hex() if scan.directory else "origin:" + self._origin(key)


def _container(path: Path, key: str) -> Container:
    if path.is_dir():
        size = 0
        digest = hashlib.sha256()
        for name, about in walk_folder(path):
            if about is not None:
                size += about.st_size
                digest.update(b"%s\0%d %d\0" % (name, about.st_size, about.st_mtime_ns))
        return Container(key, size, digest.hexdigest())
    about = path.stat()
    return Container(key, about.st_size, f"{about.st_size}-{about.st_mtime_ns}")


def _names(wanted: pa.Table) -> list[bytes]:
    """Paths as bytes, without the leading "/"."""
    texts, raws = wanted["path"].to_pylist(), wanted["path_bytes"].to_pylist()
    return [
        (raw if raw is not None else text.encode())[1:]
        for text, raw in zip(texts, raws, strict=True)
    ]


def _shape(key: str, scan: Scan) -> tuple[str, str]:
    """Visit type and package name, as far as the file's name and layout tell them."""
    match = _SUFFIX.match(key.rpartition("/")[2])
    if match is None:
        return "folder", key
    stem, suffix = match[1], match[2].lower()
    if suffix == "whl":
        return "pypi", stem.split("-")[0]
    if stem.endswith(".orig") or ".orig-" in stem or stem.endswith(".debian"):
        return "deb", stem.partition("_")[0]
    if _VAULT.match(scan.top or b""):
        return "vault", key
    versioned = _VERSIONED.match(stem)
    name = versioned[1] if versioned else stem
    paths = {member.path for member in scan.members}
    if scan.top == b"package" and b"package.json" in paths:
        return "npm", name
    if suffix == "crate":
        return "crates", name
    if suffix == "jar":
        return "maven", name
    if b"PKG-INFO" in paths and scan.top is not None:
        return "pypi", name
    return "archive", name if versioned else key
