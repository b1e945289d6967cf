"""Bulk that passes the memory of the system once: written, read once much later, removed.

The system keeps what was written or read lately in its memory. That pays for data that comes again
soon. A spill beside which the memory is small comes again when the system has dropped it anyway;
until then it pushes out what others need, holds writers up when the system at last begins to write,
and takes ever new pages, which are dear on machines whose memory a host hands out page by page.
So such data is written to the disk at once, beside the work, and its pages are given back.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

# Files whose writing goes on while the next are made. The disk has long finished the first of them
# when its pages are given back: with slices of 32 MB, 128 MB later.
BEHIND = 4
_behind: deque[int] = deque()  # open files of this process


def is_bulk(size: int) -> bool:
    """Whether ``size`` bytes, written and read once, are more than a quarter of the memory.

    Inputs, outputs and the processes themselves want the rest.
    """
    return size > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4


def write_behind(path: Path) -> None:
    """Have the system write the finished file at ``path`` now, and drop its pages a little later.

    Nobody waits, and nothing is promised: the file is not durable, and its pages may stay.
    """
    file = os.open(path, os.O_RDONLY)  # not the name: folders get theirs when they are whole
    _give_back(file)
    _behind.append(file)
    if len(_behind) > BEHIND:
        file = _behind.popleft()
        _give_back(file)
        os.close(file)


def give_back(path: Path) -> None:
    """Drop the pages of the file at ``path`` that are on the disk and that nobody maps."""
    file = os.open(path, os.O_RDONLY)
    _give_back(file)
    os.close(file)


def _give_back(file: int) -> None:
    """For pages that are not on the disk yet, Linux begins to write them instead."""
    if hasattr(os, "posix_fadvise"):  # macOS has no such call; pages stay there
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
