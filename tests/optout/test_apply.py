"""Applying: columns answer as a plain loop over rows would, and only approved requests count."""

import random

import pyarrow as pa

from stackcurate.optout import apply
from stackcurate.optout.globs import match_globs
from stackcurate.optout.registry import EMPTY, Registry, Request
from stackcurate.optout.subjects import origin_key, parse
from stackcurate.schema import FILE, HEAD, ID


def registry(*subjects, state="approved"):
    return Registry(
        tuple(
            Request(f"r{n}", parse(*subject), "place", state, "2024-01-01T00:00:00Z")
            for n, subject in enumerate(subjects)
        )
    )


def heads(rows):
    return pa.Table.from_pylist(rows, schema=HEAD)


def sha(n):
    return f"{n:040x}"


HEADS = [
    {"origin": "https://github.com/Alice/tool"},
    {"origin": "https://github.com/alice-b/tool"},
    {"origin": "https://github.com/bob/tool"},
    {"origin": "https://github.com/bob/tool2"},
    {"origin": "https://svn.example.org/proj", "snapshot_id": sha(1)},
    {"origin": "https://gitlab.com/group/sub/x", "revision_id": sha(2)},
    {"origin": "local/thing", "directory_id": sha(3)},
    {"origin": None},
]


def test_heads_by_every_kind():
    state = registry(
        ("owner", "github.com/alice"),
        ("repository", "github.com/bob/tool"),
        ("origin", "http://svn.example.org/proj/"),
        ("owner", "gitlab.com/group"),
        ("swhid", "swh:1:dir:" + sha(3)),
    )
    assert apply.match_heads(heads(HEADS), state).to_pylist() == [
        "optout:owner", None, "optout:repository", None,
        "optout:origin", "optout:owner", "optout:swhid", None,
    ]  # fmt: skip


def test_heads_by_snapshot_and_revision():
    state = registry(("swhid", "swh:1:snp:" + sha(1)), ("swhid", "swh:1:rev:" + sha(2)))
    found = apply.match_heads(heads(HEADS), state).to_pylist()
    assert found == [None] * 4 + ["optout:swhid", "optout:swhid", None, None]
    wrong_kind = registry(("swhid", "swh:1:rev:" + sha(1)), ("swhid", "swh:1:cnt:" + sha(2)))
    assert apply.match_heads(heads(HEADS), wrong_kind).null_count == len(HEADS)


def test_what_is_not_approved_does_not_apply():
    for state in ("pending", "denied", "undone"):
        found = apply.match_heads(
            heads(HEADS), registry(("owner", "github.com/alice"), state=state)
        )
        assert found.null_count == len(HEADS)
    assert apply.match_heads(heads(HEADS), EMPTY).null_count == len(HEADS)
    assert len(apply.match_heads(heads([]), EMPTY)) == 0


def files(rows, kind=ID):
    ids = [bytes.fromhex(row[2]) if row[2] and kind == ID else row[2] for row in rows]
    return pa.table(
        {
            "origin": pa.array([row[0] for row in rows], pa.string()),
            "path": pa.array([row[1] for row in rows], pa.string()),
            "content_id": pa.array(ids, kind),
        }
    )


FILES = [
    ("https://github.com/alice/tool", "/docs/a.md", sha(1)),
    ("https://github.com/bob/tool", "/docs/a.md", sha(2)),
    ("https://github.com/ALICE/tool.git", "/docs/b/c.md", sha(9)),
    ("https://github.com/alice/tool", "/src/a.c", sha(9)),
    ("https://github.com/alice/tool", "/link", None),
    (None, "/docs/a.md", sha(3)),
]


def test_files_by_path_and_content():
    state = registry(("path", "github.com/alice/tool", "docs/**"), ("swhid", "swh:1:cnt:" + sha(9)))
    wanted = ["optout:path", None, "optout:path", "optout:swhid", None, None]
    assert apply.match_files(files(FILES), state).to_pylist() == wanted
    assert apply.match_files(files(FILES, pa.string()), state).to_pylist() == wanted
    table = pa.concat_tables([files(FILES[:2]), files(FILES[2:])])
    assert apply.match_files(table, state).to_pylist() == wanted
    assert apply.match_files(files(FILES), EMPTY).null_count == len(FILES)
    assert len(apply.match_files(files([]), state)) == 0


def test_hits_reads_released_rows():
    rows = [{"origin": o, "path": p, "content_id": c, "revision_id": sha(5)} for o, p, c in FILES]
    table = pa.Table.from_pylist(rows, schema=FILE)
    state = registry(("repository", "github.com/bob/tool"), ("swhid", "swh:1:cnt:" + sha(3)))
    assert apply.hits(table, state).to_pylist() == [
        None,
        "optout:repository",
        *[None] * 3,
        "optout:swhid",
    ]
    by_revision = registry(("swhid", "swh:1:rev:" + sha(5)))
    assert apply.hits(table, by_revision).to_pylist() == ["optout:swhid"] * len(FILES)


def slow_twin(origin, path, content, state):
    """One row at a time, in plain words."""
    for request in state.approved("path"):
        subject = request.subject
        if (
            origin_key(origin) == subject.value
            and match_globs(pa.array([path]), [subject.glob])[0].as_py()
        ):
            return "optout:path"
    for request in state.approved("swhid"):
        if request.subject.value == "swh:1:cnt:" + content:
            return "optout:swhid"
    return None


def test_a_mixed_batch_equals_the_slow_twin():
    rng = random.Random(7)
    names = [f"https://github.com/u{n % 5}/r{n}" for n in range(12)]
    globs = ["docs/", "*.c", "/a/*", "x/**/y"]
    subjects = [("path", name, rng.choice(globs)) for name in names[::2] for _ in range(2)]
    subjects += [("swhid", "swh:1:cnt:" + sha(n)) for n in (3, 5)]
    state = registry(*subjects)
    paths = ["/docs/a", "/a/b", "/x/q/y", "/m.c", "/z"]
    rows = [(rng.choice(names), rng.choice(paths), sha(rng.randrange(20))) for _ in range(150)]
    wanted = [slow_twin(*row, state) for row in rows]
    assert apply.match_files(files(rows), state).to_pylist() == wanted
    assert {None, "optout:path", "optout:swhid"} == set(wanted)
