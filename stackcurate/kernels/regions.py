"""The stretch of text around a hit that exact rules look at: its line, or a piece of a long one.

Regions depend on the text alone, never on where hits are, so that every scan engine gives the exact
rules the same text. A line longer than ``SOFT`` bytes is cut behind the first ``;`` or ``}`` after
``SOFT`` bytes, behind the first comma, space or bracket after ``FIRM``, and at ``HARD`` anyway;
minified files thereby cost no more per hit than others. A value across a cut is the price: in
ordinary text none is near these lengths.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

SOFT, FIRM, HARD = 2048, 4096, 32768


@njit(cache=True, nogil=True)
def regions(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], hits: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """File, start and end (line feed excluded) of the region that holds each hit.

    ``hits`` are positions in ``data`` of bytes other than line feeds, ascending; ``offsets``
    (files + 1,) the files' bounds. Each byte is looked at twice at most, however many the hits.
    """
    files = np.empty(hits.size, np.int64)
    starts = np.empty(hits.size, np.int64)
    ends = np.empty(hits.size, np.int64)
    file = 0
    start = end = np.int64(0)
    have = False
    for number in range(hits.size):
        hit = hits[number]
        if not have or hit >= end:
            while offsets[file + 1] <= hit:
                file += 1
                have = False
            floor = offsets[file]
            if have and end + 1 > floor:
                floor = end if data[end] != 10 else end + 1
            line = hit
            while line > floor and data[line - 1] != 10:
                line -= 1
            start = line
            end = _region_end(data, start, offsets[file + 1])
            while end <= hit and end < offsets[file + 1] and data[end] != 10:
                start = end
                end = _region_end(data, start, offsets[file + 1])
            have = True
        files[number] = file
        starts[number] = start
        ends[number] = end
    return files, starts, ends


@njit(cache=True, nogil=True)
def joined(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of some regions, a line feed behind each, and (regions + 1,) where each begins."""
    bounds = np.zeros(starts.size + 1, np.int64)
    for number in range(starts.size):
        bounds[number + 1] = bounds[number] + ends[number] - starts[number] + 1
    out = np.empty(bounds[-1], np.uint8)
    for number in range(starts.size):
        to = bounds[number]
        for at in range(starts[number], ends[number]):
            out[to] = data[at]
            to += 1
        out[to] = 10
    return out, bounds


@njit(cache=True, nogil=True)
def _region_end(data: NDArray[np.uint8], start: int, stop: int) -> int:
    """Where the region that begins at ``start`` ends."""
    at = start
    while at < stop and data[at] != 10:
        length = at - start
        if length > 2048:
            before = data[at - 1]
            if before == 59 or before == 125:
                return at
            if length > 4096 and (before == 44 or before == 32 or before == 93 or before == 41):
                return at
            if length >= 32768:
                return at
        at += 1
    return at


@njit(cache=True, nogil=True)
def cuts(data: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.int64]:
    """The bounds of the pieces of ``data[start:stop]`` that result when only long lines are cut."""
    out = [start]
    at = start
    while at < stop:
        end = _region_end(data, at, stop)
        if end < stop and data[end] != 10:
            out.append(end)
            at = end
        else:
            at = end + 1
    out.append(stop)
    return np.array(out, np.int64)
