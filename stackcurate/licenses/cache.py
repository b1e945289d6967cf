"""A license text seen once is never matched again: one SQLite file, shared by processes and runs.

Keys are digests of the text's words together with the detector's version, so a new license database
starts afresh and a copy with another copyright line is already known. The file can be shipped.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stackcurate.errors import StopError, TransientError

_TABLE = """CREATE TABLE IF NOT EXISTS answers (
    key BLOB NOT NULL, detector TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (key, detector)
) WITHOUT ROWID"""


class Cache:
    """Answers by (key, detector). Safe to open in several processes; pickles as its path.

    ``path`` None keeps answers in memory. Answers are JSON values; the first answer for a key
    stays.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self.hits = 0
        self.misses = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def _open(self) -> sqlite3.Connection:
        # A connection must not be used on both sides of a fork.
        if self._connection is None or self._process != os.getpid():
            try:
                self._connection = sqlite3.connect(
                    ":memory:" if self.path is None else str(self.path), timeout=60
                )
                self._connection.execute(_TABLE)
                self._connection.commit()
            except sqlite3.Error as error:
                raise StopError(f"license cache {self.path}: {error}") from error
            self._process = os.getpid()
        return self._connection

    def get(self, keys: Iterable[bytes], detector: str) -> dict[bytes, Any]:
        """The known answers among ``keys``."""
        wanted = list(dict.fromkeys(keys))
        found: dict[bytes, Any] = {}
        connection = self._open()
        try:
            for at in range(0, len(wanted), 500):
                some = wanted[at : at + 500]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, answer FROM answers WHERE detector = ? AND key IN ({marks})"
                for key, answer in connection.execute(query, (detector, *some)):
                    found[bytes(key)] = json.loads(answer)
        except sqlite3.Error as error:
            raise TransientError(f"license cache {self.path}: {error}") from error
        self.hits += len(found)
        self.misses += len(wanted) - len(found)
        return found

    def put(self, answers: Mapping[bytes, Any], detector: str) -> None:
        """Store answers; what is already known stays as it is."""
        if not answers:
            return
        rows = [
            (key, detector, json.dumps(answer, ensure_ascii=False, sort_keys=True))
            for key, answer in sorted(answers.items())
        ]
        connection = self._open()
        try:
            with connection:
                connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise TransientError(f"license cache {self.path}: {error}") from error

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None
