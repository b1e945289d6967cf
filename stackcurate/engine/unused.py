"""Packages that libraries ask for and no task uses.

pyarrow asks whether a value is one of pandas, numba whether scipy has linear algebra: both import
the whole package for it, half a second of a worker's start.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

_UNUSED = frozenset({"pandas", "scipy"})


class _Absent(MetaPathFinder):
    """Says of the packages in _UNUSED that they are not installed."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name in _UNUSED:
            raise ModuleNotFoundError(f"{name} is not needed in a worker", name=name)


def do_without_unused() -> None:
    """From here on, this process does not find the packages that no task uses."""
    if not any(isinstance(finder, _Absent) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Absent())
