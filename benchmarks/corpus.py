"""Builds a corpus of real code to measure on: packages of several ecosystems, in several versions.

    python benchmarks/corpus.py OUT [--bytes N]     download and build; goes on where it stopped
    python benchmarks/corpus.py OUT --salted 10     the same code ten times, under other names

Packages come from pip (wheels: looking into one runs nothing of it), npm and apt, asked for by
their own clients as this machine has them configured. OUT gets

    archives/<ecosystem>/<name>-<version>/   what was downloaded, as it came
    parquet/part-*.parquet                   a row per text file: content, path, repo_name, ids
    git/<name>                               versions of one package, committed one after another
    corpus.json                              what is inside, and what could not be had and why

The same downloads give the same files. Nothing of it belongs into this repository.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PACKAGES = Path(__file__).with_name("packages.txt")
DOWNLOADS = 4  # at once
ROW_GROUP_BYTES = 64 << 20  # text of a row group
GROUPS_A_FILE = 2
LONGEST = 10 << 20  # longer files are data
PYTHON = "3.11"  # whose wheels are taken, whatever runs this script
SCHEMA = pa.schema(
    [
        ("content", pa.large_binary()),
        ("path", pa.string()),
        ("repo_name", pa.string()),
        ("content_id", pa.string()),  # git's id, hex
        ("blob_id", pa.string()),  # SHA-1, hex
    ]
)


@dataclass(frozen=True)
class Package:
    """One version of one package; an empty one is the newest, or what the system's release has."""

    ecosystem: str
    name: str
    version: str

    @property
    def label(self) -> str:
        name = self.name.replace("@", "").replace("/", "-")
        return f"{self.ecosystem}/{name}" + (f"-{self.version}" if self.version else "")


def packages(path: Path = PACKAGES) -> list[Package]:
    """The list, in the order in which it is taken."""
    found = []
    for line in path.read_text().splitlines():
        words = line.partition("#")[0].split()
        if words:
            found += [Package(words[0], words[1], version) for version in words[2:] or [""]]
    return found


class Downloads:
    """Fetches packages into ``folder``, each whole or not at all; remembers what failed and why."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failed: dict[str, str] = {}
        self._apt: list[str] | None = None

    def prepare(self, wanted: Sequence[Package]) -> None:
        """Read apt's list of sources, once, where something from it is missing."""
        if any(p.ecosystem == "apt" and not (self.folder / p.label).exists() for p in wanted):
            self._apt = _apt_options(self.folder / ".apt")

    def get(self, package: Package) -> Path | None:
        """The folder with the package's archives; None where it cannot be had."""
        place = self.folder / package.label
        if place.exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".get-") as beside:
            try:
                command = self._command(package)
                done = subprocess.run(command, cwd=beside, capture_output=True, timeout=600)
                reason = "" if done.returncode == 0 else f"{command[0]} ended with an error"
            except (OSError, subprocess.TimeoutExpired) as error:
                reason = type(error).__name__
            if not reason and not any(Path(beside).iterdir()):
                reason = "nothing was downloaded"
            if reason:
                self.failed[package.label] = reason
                return None
            shutil.copytree(beside, beside + ".whole")
        os.rename(beside + ".whole", place)
        return place

    def _command(self, package: Package) -> list[str]:
        spec, version = package.name, package.version
        if package.ecosystem == "pip":
            platforms = ("any", "manylinux2014_x86_64", "manylinux_2_17_x86_64")
            chosen = [f"--platform={name}" for name in platforms]
            return [
                sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                "--only-binary=:all:", f"--python-version={PYTHON}", *chosen,
                f"{spec}=={version}" if version else spec,
            ]  # fmt: skip
        if package.ecosystem == "npm":
            return ["npm", "pack", "--silent", "--ignore-scripts", f"{spec}@{version or 'latest'}"]
        if self._apt is None:
            raise OSError("apt has no list of sources here")
        return ["apt-get", *self._apt, "source", "--download-only", "--quiet", spec]


def _apt_options(folder: Path) -> list[str] | None:
    """Options under which apt-get knows sources, without touching the system's own lists.

    The system's lists are copied with ``deb`` turned into ``deb-src``. None where that fails.
    """
    lists = folder / "sources.list.d"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "lists" / "partial").mkdir(parents=True)
    lists.mkdir()
    apt = Path("/etc/apt")
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.*"))]:
        if file.is_file() and file.suffix in (".list", ".sources"):
            text = re.sub(r"(?m)^deb(?=[ \[])", "deb-src", file.read_text())
            text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", text)
            (lists / file.name).write_text(text)
    options = [
        "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={lists.resolve()}",
        "-o", f"Dir::State::lists={(folder / 'lists').resolve()}", "-o", "APT::Sandbox::User=root",
    ]  # fmt: skip
    try:
        done = subprocess.run(["apt-get", *options, "--quiet", "update"], capture_output=True)
    except OSError:
        return None
    return options if done.returncode == 0 else None


def texts(package: Package, folder: Path) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of the text files of a package: no NUL byte, not longer than LONGEST."""
    for file in sorted(folder.iterdir()):
        if file.suffix in (".whl", ".zip"):
            members = _zip(file)
        elif re.search(r"\.(tgz|tar\.\w+)$", file.name) and ".debian.tar" not in file.name:
            members = _tar(file)
        else:
            continue
        for path, data in members:
            if len(data) <= LONGEST and b"\0" not in data:
                yield path, data


def _zip(file: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir() and info.file_size <= LONGEST:
                yield info.filename, archive.read(info)


def _tar(file: Path) -> Iterator[tuple[str, bytes]]:
    """Members below the one folder that source archives and npm packs hold."""
    with tarfile.open(file) as archive:
        for member in archive:
            path = member.name.partition("/")[2]
            stream = archive.extractfile(member) if member.isreg() else None
            if stream is not None and path and member.size <= LONGEST:
                yield path.encode("utf-8", "replace").decode(), stream.read()


def gather(folder: Path, wanted: Sequence[Package], most: int) -> tuple[list[Package], Downloads]:
    """Download packages in order until they hold ``most`` bytes of text."""
    downloads = Downloads(folder)
    downloads.prepare(wanted)
    taken: list[Package] = []
    size = 0
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        for start in range(0, len(wanted), DOWNLOADS):
            some = wanted[start : start + DOWNLOADS]
            for package, place in zip(some, pool.map(downloads.get, some), strict=True):
                if place is None or size >= most:
                    continue
                taken.append(package)
                size += sum(len(data) for _, data in texts(package, place))
            print(f"{size / 1e6:8.1f} MB of text in {len(taken)} packages", file=sys.stderr)
            if size >= most:
                break
    return taken, downloads


class Parts:
    """Writes rows as Parquet files of GROUPS_A_FILE row groups of about ROW_GROUP_BYTES of text."""

    def __init__(self, folder: Path, prefix: str = "part") -> None:
        self.folder, self.prefix = folder, prefix
        self.files = self.bytes = 0
        self.contents: set[str] = set()
        self._rows: list[tuple[bytes, str, str, str, str]] = []
        self._held = self._groups = 0
        self._writer: pq.ParquetWriter | None = None

    def add(self, repo: str, path: str, data: bytes) -> None:
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        blob = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        self.contents.add(git)
        self._rows.append((data, path, repo, git, blob))
        self.files += 1
        self.bytes += len(data)
        self._held += len(data)
        if self._held >= ROW_GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
        if self._writer is None:
            name = f"{self.prefix}-{self._groups // GROUPS_A_FILE:05d}.parquet"
            self._writer = pq.ParquetWriter(
                self.folder / name, SCHEMA, compression="zstd", use_dictionary=["repo_name"]
            )
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
        self._groups += 1
        self._rows, self._held = [], 0
        if self._groups % GROUPS_A_FILE == 0:
            self.close()

    def close(self) -> None:
        self.flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def facts(self) -> dict[str, int]:
        return {"files": self.files, "bytes": self.bytes, "contents": len(self.contents)}


def write_parquet(out: Path, taken: Sequence[Package]) -> dict[str, int]:
    """All text files as rows; repositories in the order of their hashes, so that kinds mix."""
    with _beside(out / "parquet") as folder:
        parts = Parts(folder)
        for package in sorted(taken, key=lambda p: hashlib.sha256(p.label.encode()).digest()):
            for path, data in texts(package, out / "archives" / package.label):
                parts.add(package.label, path, data)
        parts.close()
    return parts.facts()


def write_git(out: Path, taken: Sequence[Package]) -> list[str]:
    """One bare repository per package of which several versions are there; returns their names."""
    names: dict[str, list[Package]] = {}
    for package in taken:
        names.setdefault(f"{package.ecosystem}-{package.name}", []).append(package)
    several = {n.replace("@", "").replace("/", "-"): p for n, p in names.items() if len(p) > 1}
    with _beside(out / "git") as folder:
        for name, versions in sorted(several.items()):
            _history(folder / name, versions, out / "archives")
    return sorted(several)


def _history(repository: Path, versions: Sequence[Package], archives: Path) -> None:
    """Commit the versions one after another, a month apart, by nobody."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    init = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(repository)]
    subprocess.run(init, check=True, env=clean)
    command = ["git", "-C", str(repository), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=clean) as process:
        assert process.stdin is not None
        write = process.stdin.write
        for number, package in enumerate(versions):
            who = b"A. Nonymous <nobody@example.org> %d +0000" % (1600000000 + number * 2592000)
            message = package.label.encode()
            write(b"commit refs/heads/main\ncommitter %s\n" % who)
            write(b"data %d\n%s\ndeleteall\n" % (len(message), message))
            for path, data in texts(package, archives / package.label):
                quoted = json.dumps(path, ensure_ascii=False).encode()
                write(b"M 100644 inline %s\ndata %d\n%s\n" % (quoted, len(data), data))
        process.stdin.close()
    if process.returncode:
        raise SystemExit(f"git fast-import failed for {repository.name}")


def write_salted(out: Path, copies: int) -> dict[str, int]:
    """``parquet`` and ``copies - 1`` more of it, each with identifiers of its own.

    Within a copy equal texts stay equal and near ones near; between copies next to nothing is
    shared, so that the share of duplicates stays what it was. License files stay as they are: a
    text of a license with other words would be none.
    """
    from salt import is_notice, salt

    found: set[str] = set()
    total = {"files": 0, "bytes": 0}
    with _beside(out / f"parquet-x{copies}") as folder:
        for copy in range(copies):
            parts = Parts(folder, f"part-{copy:03d}")
            for file in sorted((out / "parquet").glob("*.parquet")):
                for batch in pq.ParquetFile(file).iter_batches(4096, columns=SCHEMA.names[:3]):
                    texts = batch.column("content").to_pylist()
                    paths = batch.column("path").to_pylist()
                    changed = texts if copy == 0 else salt(texts, copy)
                    repos = batch.column("repo_name").to_pylist()
                    rows = zip(repos, paths, texts, changed, strict=True)
                    for repo, path, old, new in rows:
                        name = repo if copy == 0 else f"{repo}~{copy}"
                        parts.add(name, path, old if is_notice(path) else new)
            parts.close()
            found |= parts.contents
            total = {key: total[key] + parts.facts()[key] for key in total}
            print(f"copy {copy + 1} of {copies}", file=sys.stderr)
    return total | {"contents": len(found)}


class _beside:
    """A folder that gets its name when all that belongs into it is there."""

    def __init__(self, place: Path) -> None:
        self.place, self.part = place, place.with_name(f".{place.name}.part")

    def __enter__(self) -> Path:
        shutil.rmtree(self.part, ignore_errors=True)
        self.part.mkdir(parents=True)
        return self.part

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            shutil.rmtree(self.place, ignore_errors=True)
            self.part.rename(self.place)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("out", type=Path)
    words.add_argument("--bytes", type=int, default=600_000_000, help="of text (default: 600 MB)")
    words.add_argument("--salted", type=int, metavar="K", help="write OUT/parquet-xK instead")
    given = words.parse_args()
    facts = given.out / "corpus.json"
    if given.salted:
        known = json.loads(facts.read_text())
        known[f"parquet-x{given.salted}"] = write_salted(given.out, given.salted)
    else:
        archives = given.out / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        taken, downloads = gather(archives, packages(), given.bytes)
        known = {
            "packages": [package.label for package in taken],
            "failed": downloads.failed,
            "parquet": write_parquet(given.out, taken),
            "git": write_git(given.out, taken),
        }
    facts.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(json.dumps({k: v for k, v in known.items() if k not in ("packages", "git")}, indent=1))


if __name__ == "__main__":
    main()
