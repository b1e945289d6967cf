"""Git objects and bare repositories in plain Python: the same bytes whatever git is installed."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .plan import FOLDER, SUBMODULE, Planted

PERSON = b"Sample Author <author@example.org>"


@dataclass
class Objects:
    """Objects by id: (kind, body)."""

    by_id: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def add(self, kind: str, body: bytes) -> str:
        name = hashlib.sha1(f"{kind} {len(body)}\0".encode() + body).hexdigest()
        self.by_id[name] = (kind, body)
        return name

    def tree(self, files: Iterable[Planted]) -> str:
        """The root directory of ``files``, with all folders and contents below it."""
        entries: dict[bytes, tuple[int, str]] = {}
        folders: dict[bytes, list[Planted]] = {}
        for one in files:
            head, slash, rest = one.path.partition(b"/")
            if slash:
                folders.setdefault(head, []).append(_below(one, rest))
            elif one.mode == SUBMODULE:
                entries[head] = (one.mode, one.target or "")
            else:
                entries[head] = (one.mode, self.add("blob", one.data or b""))
        for name, inner in folders.items():
            entries[name] = (FOLDER, self.tree(inner))
        # git sorts a folder as if its name ended in a slash
        order = sorted(entries, key=lambda n: n + b"/" if entries[n][0] == FOLDER else n)
        body = b"".join(
            b"%o %s\0" % (entries[name][0], name) + bytes.fromhex(entries[name][1])
            for name in order
        )
        return self.add("tree", body)

    def commit(
        self, tree: str, parents: Sequence[str], seconds: int, message: str, offset: str = "+0000"
    ) -> str:
        lines = [b"tree " + tree.encode()]
        lines += [b"parent " + parent.encode() for parent in parents]
        when = f" {seconds} {offset}".encode()
        lines += [b"author " + PERSON + when, b"committer " + PERSON + when, b""]
        return self.add("commit", b"\n".join(lines) + b"\n" + message.encode() + b"\n")

    def tag(self, target: str, name: str, seconds: int, message: str) -> str:
        body = f"object {target}\ntype commit\ntag {name}\ntagger ".encode()
        body += PERSON + f" {seconds} +0000\n\n{message}\n".encode()
        return self.add("tag", body)


def _below(one: Planted, path: bytes) -> Planted:
    return Planted(path, one.data, mode=one.mode, target=one.target)


def write_bare(
    folder: Path,
    objects: Objects,
    branches: Mapping[str, str],
    head: str,
    remote: str | None,
    packed: bool = False,
) -> None:
    """A bare repository. Refs are loose files, because git keeps no empty folder in its trees."""
    folder.mkdir(parents=True)
    (folder / "HEAD").write_bytes(f"ref: refs/heads/{head}\n".encode())
    config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"
    if remote:
        config += f'[remote "origin"]\n\turl = {remote}\n'
    (folder / "config").write_bytes(config.encode())
    for name, target in branches.items():
        ref = folder / "refs" / "heads" / name
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_bytes(target.encode() + b"\n")
    if packed:
        _write_pack(folder / "objects" / "pack", objects)
        return
    for name, (kind, body) in objects.by_id.items():
        path = folder / "objects" / name[:2] / name[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.compress(f"{kind} {len(body)}\0".encode() + body, 9))


_KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}


def _write_pack(folder: Path, objects: Objects) -> None:
    """All objects in one pack without deltas, and its index (version 2)."""
    folder.mkdir(parents=True)
    names = sorted(objects.by_id)
    pack = b"PACK" + struct.pack(">II", 2, len(names))
    offsets, checks = [], []
    for name in names:
        kind, body = objects.by_id[name]
        size = len(body)
        first = (_KINDS[kind] << 4) | (size & 15)
        size >>= 4
        head = bytearray()
        while size:
            head.append(first | 0x80)
            first, size = size & 0x7F, size >> 7
        head.append(first)
        entry = bytes(head) + zlib.compress(body, 9)
        offsets.append(len(pack))
        checks.append(zlib.crc32(entry))
        pack += entry
    pack += hashlib.sha1(pack).digest()
    ids = [bytes.fromhex(name) for name in names]
    fanout = [sum(one[0] <= byte for one in ids) for byte in range(256)]
    index = b"\xfftOc" + struct.pack(">I", 2) + struct.pack(">256I", *fanout) + b"".join(ids)
    index += struct.pack(f">{len(ids)}I", *checks) + struct.pack(f">{len(ids)}I", *offsets)
    index += pack[-20:]
    index += hashlib.sha1(index).digest()
    stem = "pack-" + hashlib.sha1(b"".join(ids)).hexdigest()
    (folder / f"{stem}.pack").write_bytes(pack)
    (folder / f"{stem}.idx").write_bytes(index)
