"""What a content store is: bytes by SHA-1. Sources read from one, `contents` has some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from stackcurate.errors import Problem


class Store(Protocol):
    """Gives bytes by SHA-1. Picklable; holds no connection, so that it may cross processes."""

    def get(self, blob_id: bytes, limit: int) -> bytes | Problem:
        """The blob whose SHA-1 is ``blob_id`` (20 bytes), checked, of at most ``limit`` bytes.

        A Problem has the reason ``missing``, ``corrupt`` or ``too_large``. Raises TransientError
        where the store itself does not answer, ConfigError where it can never answer (no such
        bucket, wrong credentials).
        """
        ...

    def get_many(
        self, blob_ids: Sequence[bytes], limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        """``get`` for each id, as (number of the id, result), in the order of the ids."""
        ...
