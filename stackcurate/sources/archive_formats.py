"""Passes over one archive (tar, zip or plain folder): once to list and hash, once more to read."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stackcurate.errors import InputError
from stackcurate.sources.archive_members import Bomb, Limits, Member, Scan, clean_name, hash_link
from stackcurate.sources.archive_stream import (
    CHUNK,
    DAMAGE,
    TAKE,
    HashedFile,
    file_kind,
    plain_stream,
)
from stackcurate.sources.archive_tar import TarEntry, TarStream
from stackcurate.sources.base import Problem
from stackcurate.sources.ids import ContentHasher

Read = Iterator[tuple[int, bytes | Problem]]
_ZIP_DAMAGE = (*DAMAGE, zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError)
_DRAIN = 64 << 20  # plain bytes behind the last member that are read to check the stream's end
_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", "CVS"})


def scan_archive(path: Path, limits: Limits) -> Scan:
    """List and hash a folder, zip or tar. Raises InputError where it is none of them."""
    if path.is_dir():
        return _scan_folder(path, limits)
    kind = file_kind(path)
    return _scan_zip(path, limits) if kind == "zip" else _scan_tar(path, kind, limits)


def read_archive(path: Path, ordinals: set[int], limit: int) -> Read:
    """(ordinal, bytes) of the wanted members of a zip or tar, each once."""
    kind = file_kind(path)
    return (
        _read_zip(path, ordinals, limit)
        if kind == "zip"
        else _read_tar(path, kind, ordinals, limit)
    )


# ---- tar ----


def _scan_tar(path: Path, kind: str, limits: Limits) -> Scan:
    scan = Scan()
    with path.open("rb") as raw:
        file = HashedFile(raw)
        stream = plain_stream(file, kind)
        tar = TarStream(stream)
        try:
            _scan_entries(scan, tar, file, limits)
            _drain(stream)
        except DAMAGE as error:
            scan.whole = False
            if not scan.members:
                message = f"neither a tar nor a zip archive, or damaged at its start: {error}"
                raise InputError(message, "corrupt") from error
            reason = "bomb" if isinstance(error, Bomb) else "corrupt"
            where = f"nothing is listed behind member {scan.members[-1].ordinal}"
            scan.problems.append(Problem("", reason, f"{where}: {error}"))
        if scan.whole and not tar.ended:
            scan.problems.append(Problem("", "no_end", "the archive has no end mark"))
        scan.digest = file.finish()
    return scan


def _scan_entries(scan: Scan, tar: TarStream, file: HashedFile, limits: Limits) -> None:
    total = 0
    for ordinal, entry in enumerate(tar):
        if entry.kind == "label":
            continue
        member = Member(
            ordinal,
            entry.name,
            entry.kind if entry.kind != "sparse" else "special",
            executable=bool(entry.mode & 0o111),
            target=entry.target,
            data=ordinal,
        )
        scan.members.append(member)
        if scan.give_up(limits):
            return
        if entry.kind in ("special", "sparse"):
            member.refuse("source:special", f"a {entry.kind} file")
        elif entry.kind == "link":
            hash_link(member)
        elif entry.kind == "file":
            _hash_entry(member, entry, tar, file, limits)
            total += entry.size if member.verdict is None else 0
            reason = limits.bad_total(total, file.taken)
            if reason is not None:
                member.refuse("source:bomb", reason)
                raise Bomb(reason)


def _hash_entry(
    member: Member, entry: TarEntry, tar: TarStream, file: HashedFile, limits: Limits
) -> None:
    member.size = entry.size
    before = file.taken
    reason = limits.bad_member(entry.size, entry.size)
    if reason is not None:
        member.refuse("source:bomb", reason)
        return
    hasher = ContentHasher(entry.size)
    try:
        for piece in tar.body():
            hasher.update(piece)
    except DAMAGE:
        member.refuse("source:unreadable", "the archive is damaged or cut inside this member")
        raise
    # What the decompressor had taken ahead may belong to this member.
    reason = limits.bad_member(entry.size, file.taken - before + TAKE)
    if reason is not None:
        member.refuse("source:bomb", reason)
        return
    member.content_id, member.blob_id = hasher.content_id, hasher.blob_id


def _drain(stream: IO[bytes]) -> None:
    """Read to the end of the compressed stream, so that its checksum is looked at."""
    left = _DRAIN
    while left > 0:
        data = stream.read(CHUNK)
        if not data:
            return
        left -= len(data)


def _read_tar(path: Path, kind: str, ordinals: set[int], limit: int) -> Read:
    left = set(ordinals)
    last = max(ordinals)
    with path.open("rb") as raw:
        tar = TarStream(plain_stream(HashedFile(raw), kind))
        try:
            for ordinal, entry in enumerate(tar):
                if ordinal in left:
                    if entry.size > limit:
                        left.remove(ordinal)
                        yield ordinal, _too_large(entry.size, limit)
                    else:
                        data = entry.target if entry.kind == "link" else b"".join(tar.body())
                        left.remove(ordinal)
                        yield ordinal, data
                if ordinal >= last:
                    break
        except DAMAGE:
            pass  # what is left below was not reached
    for ordinal in sorted(left):
        yield ordinal, Problem(f"member {ordinal}", "corrupt", "the archive is damaged or cut")


def _too_large(size: int, limit: int) -> Problem:
    return Problem("", "too_large", f"{size} bytes are more than the limit of {limit}")


# ---- zip ----


def _scan_zip(path: Path, limits: Limits) -> Scan:
    scan = Scan()
    with path.open("rb") as raw:
        scan.digest = HashedFile(raw).finish()
    on_disk = path.stat().st_size
    total = 0
    with _open_zip(path) as archive:
        for ordinal, info in enumerate(archive.infolist()):
            member = _zip_member(ordinal, info)
            scan.members.append(member)
            if scan.give_up(limits):
                break
            if member.kind not in ("file", "link"):
                continue
            total += info.file_size
            reason = limits.bad_member(info.file_size, min(info.compress_size, on_disk))
            reason = reason or limits.bad_total(total, on_disk)
            if reason is not None:
                total -= info.file_size
                member.refuse("source:bomb", reason)
            elif member.verdict is None:
                _hash_zip_member(archive, info, member)
    return scan


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except _ZIP_DAMAGE as error:
        raise InputError("the zip archive has no readable directory", "corrupt") from error


def _zip_member(ordinal: int, info: zipfile.ZipInfo) -> Member:
    name = info.orig_filename
    # Without the UTF-8 flag the library decodes as cp437, which turns back into the same bytes.
    raw = name.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "surrogateescape")
    unix = info.external_attr >> 16 if info.create_system == 3 else 0
    kind = "file"
    if raw.endswith(b"/") or stat.S_ISDIR(unix):
        kind = "folder"
    elif stat.S_ISLNK(unix):
        kind = "link"
    elif stat.S_IFMT(unix) not in (0, stat.S_IFREG):
        kind = "special"
    member = Member(ordinal, raw, kind, executable=bool(unix & 0o111), data=ordinal)
    if kind == "special":
        member.refuse("source:special", "a special file")
    elif kind != "folder":
        member.size = info.file_size
        if info.flag_bits & 0x1:
            member.refuse("source:unreadable", "encrypted")
    return member


def _hash_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: Member) -> None:
    hasher = ContentHasher(info.file_size)
    seen = 0
    try:
        with archive.open(info) as body:
            if member.kind == "link":
                if info.file_size > 1 << 16:
                    raise ValueError("a link of this length")
                member.target = body.read()
                hash_link(member)
                return
            while piece := body.read(CHUNK):
                hasher.update(piece)
                seen += len(piece)
    except _ZIP_DAMAGE as error:
        member.refuse("source:unreadable", _zip_reason(error))
        return
    if seen != info.file_size:
        member.refuse("source:unreadable", "its length is not what the directory says")
        return
    member.content_id, member.blob_id = hasher.content_id, hasher.blob_id


def _zip_reason(error: BaseException) -> str:
    if isinstance(error, NotImplementedError):
        return "a compression method that is not supported"
    return "damaged: it cannot be unpacked to what its checksum says"


def _read_zip(path: Path, ordinals: set[int], limit: int) -> Read:
    with _open_zip(path) as archive:
        infos = archive.infolist()
        for ordinal in sorted(ordinals):
            if not 0 <= ordinal < len(infos):
                yield ordinal, Problem(f"member {ordinal}", "missing", "no such member")
                continue
            info = infos[ordinal]
            if info.file_size > limit:
                yield ordinal, _too_large(info.file_size, limit)
                continue
            try:
                with archive.open(info) as body:
                    data = body.read()
            except _ZIP_DAMAGE as error:
                yield ordinal, Problem(f"member {ordinal}", "corrupt", _zip_reason(error))
                continue
            yield ordinal, data


# ---- folder ----


def walk_folder(path: Path) -> Iterator[tuple[bytes, os.stat_result | None]]:
    """(relative name, lstat) of all entries below ``path``, by name; lstat is None on failure."""

    def walk(folder: bytes, prefix: bytes) -> Iterator[tuple[bytes, os.stat_result | None]]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield prefix.rstrip(b"/"), None
            return
        for entry in found:
            name = prefix + entry.name
            try:
                about = entry.stat(follow_symlinks=False)
            except OSError:
                yield name, None
                continue
            yield name, about
            if stat.S_ISDIR(about.st_mode) and os.fsdecode(entry.name) not in _CONTROL:
                yield from walk(entry.path, name + b"/")

    yield from walk(os.fsencode(path), b"")


def _scan_folder(path: Path, limits: Limits) -> Scan:
    scan = Scan()
    top = os.fsencode(path)
    for ordinal, (name, about) in enumerate(walk_folder(path)):
        scan.members.append(_folder_member(ordinal, os.path.join(top, name), name, about))
        if scan.give_up(limits):
            break
    digest = hashlib.sha256()
    for member in scan.members:
        digest.update(b"%s\0%s\0%r\0" % (member.raw, member.kind.encode(), member.mode))
        digest.update(member.content_id or (member.verdict or "").encode())
    scan.digest = digest.hexdigest()
    return scan


def _folder_member(ordinal: int, place: bytes, name: bytes, about: os.stat_result | None) -> Member:
    if about is None:
        member = Member(ordinal, name, "special")
        member.refuse("source:unreadable", "the file system does not let it be read")
        return member
    mode = about.st_mode
    member = Member(ordinal, name, "file", executable=bool(mode & 0o111), data=ordinal)
    if stat.S_ISDIR(mode):
        member.kind = "folder"
        if os.fsdecode(name.rpartition(b"/")[2]) in _CONTROL:
            member.refuse("source:skipped", "version control data")
    elif stat.S_ISLNK(mode):
        member.kind = "link"
        member.target = os.readlink(place)
        hash_link(member)
    elif not stat.S_ISREG(mode):
        member.kind = "special"
        member.refuse("source:special", "a special file")
    else:
        _hash_file(member, place, about.st_size)
    return member


def _hash_file(member: Member, place: bytes, size: int) -> None:
    hasher = ContentHasher(size)
    member.size = size
    seen = 0
    try:
        with open(place, "rb") as file:
            while piece := file.read(1 << 20):
                hasher.update(piece)
                seen += len(piece)
    except OSError as error:
        member.refuse("source:unreadable", error.strerror or "it cannot be read")
        return
    if seen != size:
        member.refuse("source:unreadable", "it changed while it was read")
        return
    member.content_id, member.blob_id = hasher.content_id, hasher.blob_id


def read_folder(path: Path, names: list[bytes], limit: int) -> Read:
    """(row, bytes) of files by their path below the folder ``path``; of a link what it says."""
    top = os.fsencode(path)
    for row, name in enumerate(names):
        cleaned = clean_name(name)
        place = os.path.join(top, cleaned) if isinstance(cleaned, bytes) else top
        try:
            about = os.lstat(place)
            if stat.S_ISLNK(about.st_mode):
                yield row, os.readlink(place)
                continue
            if not stat.S_ISREG(about.st_mode):
                raise FileNotFoundError
            if about.st_size > limit:
                yield row, _too_large(about.st_size, limit)
                continue
            with open(place, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            yield row, Problem(f"row {row}", "missing", "the file is gone")
            continue
        except OSError as error:
            yield row, Problem(f"row {row}", "corrupt", error.strerror or "unreadable")
            continue
        yield row, data
