"""The contents of a slice, one after another in one piece of memory.

Each is copied there once, right after it was hashed, while it lies in the processor's caches. What
is plain ASCII, nearly all code, is then text without another look; one pass over the whole says
which contents are more than that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from stackcurate.kernels.text import beyond_ascii

_LEAST = 1 << 20


class Arena:
    """Grows as contents come; ``size`` is the bytes that are likely to come.

    The memory is Arrow's, which a worker keeps: Python's own would be faulted in for each slice.
    """

    def __init__(self, size: int) -> None:
        self._memory = pa.allocate_buffer(max(size, _LEAST), resizable=True)
        self._view = memoryview(self._memory).cast("B")
        self._ends = [0]

    def add(self, data: bytes | memoryview) -> None:
        begin = self._ends[-1]
        end = begin + len(data)
        if end > len(self._view):
            self._view.release()  # the memory moves
            self._memory.resize(max(end, 2 * begin), shrink_to_fit=False)
            self._view = memoryview(self._memory).cast("B")
        self._view[begin:end] = data
        self._ends.append(end)

    def lengths(self) -> np.ndarray:
        """Bytes of each content, int64."""
        return np.diff(np.array(self._ends, np.int64))

    def unsure(self) -> list[int]:
        """Numbers of the contents with a byte that is NUL or beyond ASCII."""
        ends = np.array(self._ends, np.int64)
        flags = beyond_ascii(np.frombuffer(self._view, np.uint8), ends)
        return [int(number) for number in np.flatnonzero(flags)]

    def content(self, number: int) -> bytes:
        return bytes(self._view[self._ends[number] : self._ends[number + 1]])

    def texts(self, kept: Sequence[int], other: Mapping[int, bytes]) -> pa.LargeStringArray:
        """The ``kept`` contents, known to be UTF-8, as one array; ``other`` replaces some."""
        if len(kept) == len(self._ends) - 1 and not other:
            ends = pa.py_buffer(np.array(self._ends, np.int64))
            return pa.LargeStringArray.from_buffers(len(kept), ends, self._memory)
        sizes = self.lengths()
        total = sum(len(other[n]) if n in other else int(sizes[n]) for n in kept)
        again = Arena(total)
        for number in kept:
            own = self._view[self._ends[number] : self._ends[number + 1]]
            again.add(other.get(number, own))
        return again.texts(range(len(kept)), {})
