"""Stops an installation with a Python that stackcurate does not run on, before pip begins."""

import sys

if not (3, 10) <= sys.version_info[:2] <= (3, 13):
    found = ".".join(str(part) for part in sys.version_info[:2])
    sys.exit(
        f"stackcurate runs on Python 3.10 to 3.13 and this is {found}; name another one, for "
        "example: make PYTHON=python3.12 run"
    )
