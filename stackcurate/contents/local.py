"""Blobs in a local folder: ``content/<sha1>`` gzip files, the archive's bucket on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stackcurate.contents.base import name_of, unpack
from stackcurate.errors import ConfigError, Problem, TransientError

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class LocalStore:
    """``folder`` holds the blobs itself, or in its subfolder ``content``."""

    folder: Path

    def __post_init__(self) -> None:
        inner = self.folder / "content"
        if inner.is_dir():
            object.__setattr__(self, "folder", inner)
        elif not self.folder.is_dir():
            raise ConfigError(
                f"contents: {self.folder} is no folder; it should hold content/<sha1>"
            )

    def get(self, blob_id: bytes, limit: int) -> bytes | Problem:
        """See ``Store.get``; TransientError where the folder itself has gone."""
        name = name_of(blob_id)
        path = os.path.join(self.folder, name)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                return Problem(name, "corrupt", "its place in the store is not a regular file")
            with open(path, "rb", buffering=0) as file:
                return unpack(_chunks(file), blob_id, limit)
        except (FileNotFoundError, NotADirectoryError):
            if not self.folder.is_dir():
                raise TransientError(f"the content store {self.folder} has gone") from None
            return Problem(name, "missing", "the store does not hold it")
        except PermissionError:
            return Problem(name, "missing", "the store does not allow reading it")
        except OSError as error:
            raise TransientError(f"content store {self.folder}: {error.strerror}") from error

    def get_many(
        self, blob_ids: Sequence[bytes], limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        """See ``Store.get_many``."""
        for number, blob_id in enumerate(blob_ids):
            yield number, self.get(blob_id, limit)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
