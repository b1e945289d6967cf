"""Kernels: NumPy arrays in, NumPy arrays out, compiled with numba.

numba caches compiled code beside the source, else in the user's cache folder. Where neither can be
written, its import would fail; a temporary folder serves then.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def _cache_folder() -> None:
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    home = Path.home()
    if os.access(Path(__file__).parent, os.W_OK) or os.access(home, os.W_OK):
        return
    user = os.getuid() if hasattr(os, "getuid") else "user"
    os.environ["NUMBA_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"stackcurate-numba-{user}")


_cache_folder()
