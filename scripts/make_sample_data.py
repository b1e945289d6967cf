"""Writes sample_data/, from which `make run` builds its release; see scripts/sample_data.

python scripts/make_sample_data.py OUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

from sample_data.plan import Expectations  # noqa: E402

from sample_data import archives, graph, repositories, tables  # noqa: E402

README = """# sample_data

Small, made up, and the same every time: written by `scripts/make_sample_data.py`, which declares
every file together with what must become of it. `expected.json` is that declaration, for a run of
`configs/v2.1.yaml`. Nothing here is a real secret, address or person. The license texts are the
standard ones; the programs were written for this purpose.

| folder | source | what is in it |
|---|---|---|
| `swh_graph/`, `contents/` | `swh_graph` | a graph export in ORC, its (damaged) content store |
| `git/` | `git` | bare repositories |
| `archives/` | `archive` | packages, and two archives that mean harm |
| `parquet/` | `parquet` | rows with their content |
| `parquet_ids/` | `parquet` | ids, whose bytes lie in `contents/` |
| `repositories.parquet` | | stars, forks and dates of repositories |
| `optout.jsonl` | | the opt-out registry |
"""


def build(out: Path) -> None:
    """Write everything below ``out``, which must be empty or absent."""
    if out.exists() and any(out.iterdir()):
        raise SystemExit(f"{out} is not empty; remove it first")
    out.mkdir(parents=True, exist_ok=True)
    expected = Expectations()
    graph.build(out, expected)
    repositories.build(out, expected)
    archives.build(out, expected)
    tables.build_parquet(out, expected)
    tables.build_facts(out)
    tables.build_registry(out)
    document = json.dumps(expected.document("configs/v2.1.yaml"), indent=1, ensure_ascii=False)
    (out / "expected.json").write_text(document + "\n", encoding="utf-8", newline="\n")
    # no line ending may change where this is checked out: git objects and the registry are digests
    (out / ".gitattributes").write_text("* -text\n", encoding="utf-8", newline="\n")
    (out / "README.md").write_text(README, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    build(Path(sys.argv[1]))
