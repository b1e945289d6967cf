"""Write stackcurate/tables/redaction_tlds.txt from IANA's list of top-level domains.

The list (https://data.iana.org/TLD/tlds-alpha-by-domain.txt) is facts; several packages carry a
copy, for example hypothesis in ``hypothesis/vendor``. Usage: make_tlds.py IANA_LIST
"""

from __future__ import annotations

import sys
from pathlib import Path

TABLE = Path(__file__).parent.parent / "stackcurate" / "tables" / "redaction_tlds.txt"


def main(source: Path) -> None:
    """Keep the version line as a comment, lower and sort the names."""
    first, *names = source.read_text("ascii").splitlines()
    lines = [
        "# Top-level domains, as published by IANA (data.iana.org/TLD/tlds-alpha-by-domain.txt).",
        first.strip(),
        "# Written by scripts/make_tlds.py; facts, no copyright claimed.",
        *sorted({name.strip().lower() for name in names if name.strip()}),
    ]
    TABLE.write_text("\n".join(lines) + "\n", "ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
