"""The archive source: packages as registries ship them, and two archives that mean harm."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import situations as s
from .content import license_text, program
from .plan import Expectations, Planted, plant

WHEN = 1_617_278_400  # 2021-04-01, noon UTC
ZIP_WHEN = (2021, 4, 1, 12, 0, 0)

UNSAFE = "source:unsafe_path"
OUTSIDE = "it would be written outside of the folder it is unpacked into"

PEBBLE_MANIFEST = """{
  "name": "pebble-sort",
  "version": "1.2.0",
  "license": "Unlicense",
  "type": "module",
  "exports": "./sort.mjs"
}
"""

PEBBLE_README = """# pebble-sort

A stable sort that is fast where an array is nearly in order.

    import { pebbleSort } from 'pebble-sort';
"""

WICKET_PROJECT = """[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "wicket"
version = "0.4.1"
description = "Small rules for who may pass"
license = {text = "MIT"}
requires-python = ">=3.8"
"""

WICKET_METADATA = """Metadata-Version: 2.1
Name: wicket
Version: 0.4.1
Summary: Small rules for who may pass
License: MIT
Requires-Python: >=3.8
"""

TALLY_PY = '''"""Counts what passes, by the hour."""

import collections
import time


class Tally:
    def __init__(self, clock=time.time):
        self.clock = clock
        self.hours = collections.Counter()

    def note(self, count=1):
        self.hours[int(self.clock() // 3600)] += count

    def busiest(self, hours=24):
        since = int(self.clock() // 3600) - hours
        recent = {hour: n for hour, n in self.hours.items() if hour > since}
        return max(recent, key=recent.get, default=None)
'''

KNOCK_RB = """# Opens after the right rhythm of knocks.
class Knock
  def initialize(rhythm, slack: 0.15)
    @rhythm = rhythm
    @slack = slack
    @times = []
  end

  def heard(at)
    @times << at
    @times.shift if @times.size > @rhythm.size + 1
    open?
  end

  def open?
    gaps = @times.each_cons(2).map { |before, after| after - before }
    gaps.size == @rhythm.size &&
      gaps.zip(@rhythm).all? { |gap, wanted| (gap - wanted).abs <= @slack * wanted }
  end
end
"""


def pebble() -> list[Planted]:
    return [
        plant("package/LICENSE", license_text("Unlicense")),
        plant("package/README.md", PEBBLE_README),
        plant("package/package.json", PEBBLE_MANIFEST),
        plant("package/sort.mjs", program("sort.mjs")),
    ]


def sdist() -> list[Planted]:
    return [
        s.mit_copy("wicket-0.4.1/LICENSE"),
        plant("wicket-0.4.1/PKG-INFO", WICKET_METADATA, "choose:copy", "METADATA of the wheel"),
        plant("wicket-0.4.1/pyproject.toml", WICKET_PROJECT),
        plant(
            "wicket-0.4.1/wicket/__init__.py",
            program("wicket.py"),
            "choose:copy",
            "the wheel has the same bytes; its name sorts first",
        ),
    ]


def wheel() -> list[Planted]:
    """The license lies in the dist-info folder and speaks for the folder above it."""
    module, folder = program("wicket.py").encode(), "wicket-0.4.1.dist-info"
    wheel_file = "Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    digest = urlsafe_b64encode(hashlib.sha256(module).digest()).rstrip(b"=").decode()
    record = f"wicket/__init__.py,sha256={digest},{len(module)}\n{folder}/RECORD,,\n"
    return [
        s.mit_copy(f"{folder}/licenses/LICENSE"),
        plant("wicket/__init__.py", module),
        plant(f"{folder}/METADATA", WICKET_METADATA),
        plant(f"{folder}/WHEEL", wheel_file),
        plant(f"{folder}/RECORD", record),
    ]


def hostile_zip() -> list[Planted]:
    inside = "a link is no file of its own"
    bad = "nothing()\n"
    return [
        s.mit_copy(),
        plant("tally.py", TALLY_PY, why="the rest of the archive goes on"),
        plant("../escape.py", bad, UNSAFE, OUTSIDE, shown="/../escape.py"),
        plant("/etc/absolute.py", bad, UNSAFE, OUTSIDE, shown="/etc/absolute.py"),
        plant("inner.py", "tally.py", "source:symlink", inside, mode=0o120777),
        plant(
            "outer.py",
            "../../outside.py",
            "source:unsafe_link",
            "it leads out of the archive",
            mode=0o120777,
        ),
    ]


def devices() -> list[Planted]:
    special = "it is a device or a pipe, not a file"
    return [
        s.mit_copy("gate/LICENSE"),
        plant("gate/console", b"", "source:special", special, mode=0o020644),
        plant("gate/knock.rb", KNOCK_RB),
        plant("gate/pipe", b"", "source:special", special, mode=0o010644),
    ]


ARCHIVES = {
    "devices.tar": devices,
    "hostile.zip": hostile_zip,
    "pebble-sort-1.2.0.tgz": pebble,
    "wicket-0.4.1-py3-none-any.whl": wheel,
    "wicket-0.4.1.tar.gz": sdist,
}


def build(out: Path, expected: Expectations) -> None:
    """Write archives/ and note what must become of every member."""
    folder = out / "archives"
    folder.mkdir(parents=True)
    for name, files in ARCHIVES.items():
        write = _zip if name.endswith((".zip", ".whl")) else _tar
        packed = write(files())
        if name.endswith(("gz", "tgz")):
            buffer = io.BytesIO()
            with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as file:
                file.write(packed)
            packed = buffer.getvalue()
        (folder / name).write_bytes(packed)
        expected.add("archive", f"archive:{name}", _without_top(name, files()))


def _without_top(name: str, files: Sequence[Planted]) -> list[Planted]:
    """The files as listings show them: a single top folder is cut, but not in a wheel."""
    tops = {one.path.partition(b"/")[0] for one in files}
    if len(tops) != 1 or name.endswith(".whl"):
        return list(files)
    return [replace(one, path=one.path.partition(b"/")[2]) for one in files]


def _zip(files: Sequence[Planted]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for one in files:
            info = zipfile.ZipInfo(one.path.decode(), ZIP_WHEN)
            info.create_system = 3  # Unix, so that modes mean something
            info.external_attr = (one.mode & 0xFFFF) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, one.data or b"")
    return buffer.getvalue()


_TYPES = {0o020000: tarfile.CHRTYPE, 0o010000: tarfile.FIFOTYPE}


def _tar(files: Sequence[Planted]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for one in files:
            info = tarfile.TarInfo(one.path.decode())
            info.type = _TYPES.get(one.mode & 0o170000, tarfile.REGTYPE)
            info.mode, info.mtime = one.mode & 0o777, WHEN
            if info.type == tarfile.CHRTYPE:
                info.devmajor, info.devminor = 5, 1
            data = one.data or b""
            info.size = len(data) if info.type == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data) if info.size else None)
    return buffer.getvalue()
