"""The Parquet source, the table of repository facts, and the opt-out registry."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from stackcurate.optout import registry
from stackcurate.optout.subjects import Subject

from . import content, graph
from . import situations as s
from .gitwrite import Objects
from .plan import Expectations, Planted, all_become, plant

ALMANAC, OIL_LAMP = "saltmarsh/almanac", "saltmarsh/oil-lamp"
WITHDRAWN = "withdrawn-person/old-diary"
HARBOR = "tideline/harbor"

TIME = pa.timestamp("ns")
STACK_V2 = pa.schema(
    [
        ("blob_id", pa.string()),
        ("directory_id", pa.string()),
        ("path", pa.string()),
        ("content_id", pa.string()),
        ("detected_licenses", pa.list_(pa.string())),
        ("license_type", pa.string()),
        ("repo_name", pa.string()),
        ("snapshot_id", pa.string()),
        ("revision_id", pa.string()),
        ("branch_name", pa.string()),
        ("visit_date", TIME),
        ("revision_date", TIME),
        ("committer_date", TIME),
        ("github_id", pa.int64()),
        ("star_events_count", pa.int64()),
        ("fork_events_count", pa.int64()),
        ("gha_license_id", pa.string()),
        ("gha_event_created_at", TIME),
        ("gha_created_at", TIME),
        ("gha_language", pa.string()),
        ("src_encoding", pa.string()),
        ("language", pa.string()),
        ("is_vendor", pa.bool_()),
        ("is_generated", pa.bool_()),
        ("length_bytes", pa.int64()),
        ("extension", pa.string()),
    ]
)

OIL_LAMP_GO = """package lamp

import "time"

// Wick says how far the wick is turned up, from 0 to 1.
type Wick float64

// Burn returns the milliliters of oil that a flame takes in the given time.
func (w Wick) Burn(d time.Duration) float64 {
	const perHour = 18.5
	if w <= 0 {
		return 0
	}
	return float64(w) * perHour * d.Hours()
}

// Until returns how long a filling lasts; a lamp that is off lasts forever.
func (w Wick) Until(milliliters float64) (time.Duration, bool) {
	hourly := w.Burn(time.Hour)
	if hourly == 0 {
		return 0, false
	}
	return time.Duration(milliliters / hourly * float64(time.Hour)), true
}
"""

MOON_PY = '''"""The age of the moon, good to about half a day; enough for a tide table on a wall."""

import datetime

KNOWN_NEW_MOON = datetime.datetime(2000, 1, 6, 18, 14)
MONTH = 29.530588853


def age(moment):
    days = (moment - KNOWN_NEW_MOON).total_seconds() / 86400
    return days % MONTH


def spring_tide(moment, lag=1.5):
    """Whether the tides of that day are spring tides."""
    since = (age(moment) - lag) % (MONTH / 2)
    return since < 1.5 or since > MONTH / 2 - 1.5
'''


def almanac() -> list[Planted]:
    return [
        s.mit_copy(),
        plant("moon.py", MOON_PY),
        plant(
            "tide.py",
            content.tide_almanac(),
            "dedup:near",
            "harbor's tide.py with two numbers and a comment changed",
        ),
        plant("web/chart.js", content.program("chart.js"), "choose:copy", "harbor has more stars"),
    ]


def oil_lamp() -> list[Planted]:
    return [s.mit_copy(), plant("lamp.go", OIL_LAMP_GO, why="its bytes come from the store")]


def old_diary() -> list[Planted]:
    files = [s.mit_copy(), plant("old.py", content.program("diary.py"))]
    return all_become(files, "optout:owner", "the owner's wish holds in every source")


def older_harbor() -> list[Planted]:
    why = "the graph export has a newer visit of the same origin"
    return all_become(s.harbor_before(), "choose:older_visit", why)


WITH_CONTENT = {ALMANAC: almanac, HARBOR: older_harbor, WITHDRAWN: old_diary}
IDS_ALONE = {OIL_LAMP: oil_lamp}


def build_parquet(out: Path, expected: Expectations) -> None:
    """parquet/with_content.parquet, and parquet_ids/ whose bytes lie in the content store."""
    rows = [
        row | {"content": (one.data or b"").decode()}
        for name, files in WITH_CONTENT.items()
        for one, row in _rows(name, files())
    ]
    with_content = STACK_V2.append(pa.field("content", pa.string()))
    _write(out / "parquet" / "with_content.parquet", rows, with_content)
    ids = [row for name, files in IDS_ALONE.items() for _, row in _rows(name, files())]
    _write(out / "parquet_ids" / "ids.parquet", ids, STACK_V2)
    for one in oil_lamp():
        graph.store_blob(out / "contents" / "content", one.data or b"")
    for name, files in {**WITH_CONTENT, **IDS_ALONE}.items():
        expected.add("parquet", f"https://github.com/{name}", files())


def _rows(name: str, files: list[Planted]) -> list[tuple[Planted, dict[str, Any]]]:
    objects = Objects()
    root = objects.tree(files)
    revision = objects.commit(root, [], graph.Y2021, "Begin")
    found = []
    for one in files:
        data = one.data or b""
        found.append(
            (
                one,
                {
                    "blob_id": hashlib.sha1(data).hexdigest(),
                    "directory_id": root,
                    "path": one.listed,
                    "content_id": objects.add("blob", data),
                    "detected_licenses": ["MIT"],
                    "license_type": "permissive",
                    "repo_name": name,
                    "revision_id": revision,
                    "branch_name": "refs/heads/main",
                    "visit_date": datetime(2021, 6, 1),
                    "revision_date": datetime(2021, 3, 1, 12),
                    "committer_date": datetime(2021, 3, 1, 12),
                    "github_id": 7_000 + len(name),
                    "star_events_count": 20,
                    "fork_events_count": 1,
                    "src_encoding": "UTF-8",
                    "is_vendor": False,
                    "is_generated": False,
                    "length_bytes": len(data),
                    "extension": one.listed.rpartition(".")[2],
                },
            )
        )
    return found


# repository -> (id, stars, forks, created, license of the host, language, default branch)
FACTS = {
    "tideline/harbor": (101, 420, 31, 2016, "MIT", "Python", "trunk"),
    "crosswind/harbor": (102, 3, 0, 2019, "MIT", "Python", "trunk"),
    "mirrors-of-water/soundings": (103, 12, 2, 2018, "MIT", "C", "main"),
    "postbox/letters": (104, 17, 1, 2019, "MIT", "PHP", "main"),
    "keepsake/letters": (105, 66, 9, 2015, "MIT", "PHP", "main"),
    "copperleaf/kernelkit": (106, 900, 80, 2012, "GPL-3.0", "C", "main"),
    "brightside/lantern": (107, 95, 12, 2017, "MIT", "TypeScript", "main"),
    "brightside/toolbox": (108, 30, 3, 2018, None, "Shell", "main"),
    "brightside/oddments": (109, 5, 0, 2020, "MIT", None, "main"),
    "Twofold/Twofold": (110, 51, 4, 2020, "NOASSERTION", "Rust", "main"),
    "oldbarn/relics": (111, 8, 0, 2014, None, "Perl", "master"),
    "hearth/closed-door": (112, 2, 0, 2021, "MIT", "Python", "main"),
}


def build_facts(out: Path) -> None:
    """repositories.parquet, in the shape of the merge of GHArchive's events."""
    rows = [
        {
            "github_id": number,
            "full_name": name,
            "html_url": f"https://github.com/{name}",
            "star_events_count": stars,
            "fork_events_count": forks,
            "gha_license_id": license_id,
            "gha_event_created_at": datetime(2023, 2, 1),
            "gha_created_at": datetime(year, 5, 1),
            "gha_language": language,
            "default_branch": branch,
        }
        for name, (number, stars, forks, year, license_id, language, branch) in FACTS.items()
    ]
    schema = pa.schema(
        [
            ("github_id", pa.int64()),
            ("full_name", pa.string()),
            ("html_url", pa.string()),
            ("star_events_count", pa.int64()),
            ("fork_events_count", pa.int64()),
            ("gha_license_id", pa.string()),
            ("gha_event_created_at", TIME),
            ("gha_created_at", TIME),
            ("gha_language", pa.string()),
            ("default_branch", pa.string()),
        ]
    )
    _write(out / "repositories.parquet", rows, schema)


def _write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(table, path, compression="zstd")


def build_registry(out: Path) -> None:
    """optout.jsonl: one approved request of each kind, and three that must not apply."""
    blob = Objects().add("blob", s.WITHDRAWN_CONTENT.encode())
    subjects = {
        "sample-1": Subject("owner", "https://github.com/withdrawn-person"),
        "sample-2": Subject("repository", "https://github.com/Keepsake/Letters.git"),
        "sample-3": Subject("origin", graph.PRIVATE_HG),
        "sample-4": Subject("swhid", f"swh:1:cnt:{blob}"),
        "sample-5": Subject("path", s.HARBOR, "ops/**"),
        "sample-6": Subject("owner", "https://github.com/tideline"),
        "sample-7": Subject("repository", graph.SOUNDINGS),
        "sample-8": Subject("owner", "https://github.com/brightside"),
    }
    steps = [("approve", f"sample-{n}") for n in (1, 2, 3, 4, 5)]
    # 6 stays pending; 7 was denied; 8 was approved by mistake and undone
    steps += [("deny", "sample-7"), ("approve", "sample-8"), ("undo", "sample-8")]
    events = [
        registry.Event("submit", name, f"2023-03-{n:02d}T09:00:00Z", subject, "place")
        for n, (name, subject) in enumerate(subjects.items(), 1)
    ]
    events += [
        registry.Event(kind, name, f"2023-04-{n:02d}T09:00:00Z")
        for n, (kind, name) in enumerate(steps, 1)
    ]
    registry.append(out / "optout.jsonl", events)
