"""The loop behind `choose`: per content, the best place and up to three more."""

from __future__ import annotations

import numpy as np
from numba import njit

PLACES = 4  # a place and three to fall back on when its bytes cannot be had


@njit(cache=True, nogil=True)
def merge_places(starts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """First PLACES distinct places per group.

    ``starts`` (groups + 1, int64) bounds the groups in ``places`` (rows x PLACES, int64; -1 is no
    place), whose rows are sorted best first. Returns groups x PLACES, int64.
    """
    groups = len(starts) - 1
    merged = np.full((groups, places.shape[1]), -1, np.int64)
    for group in range(groups):
        filled = 0
        for row in range(starts[group], starts[group + 1]):
            for column in range(places.shape[1]):
                place = places[row, column]
                if place < 0 or filled == places.shape[1]:
                    continue
                known = False
                for before in range(filled):
                    known = known or merged[group, before] == place
                if not known:
                    merged[group, filled] = place
                    filled += 1
    return merged
