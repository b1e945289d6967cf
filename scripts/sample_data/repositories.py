"""The git source: bare repositories as a mirror would keep them."""

from __future__ import annotations

from pathlib import Path

from . import situations as s
from .gitwrite import Objects, write_bare
from .plan import Expectations

START = 1_617_278_400  # 2021-04-01, noon UTC
DAY = 86_400

# Container -> (remote, files). One remote is written the way people clone, and one is missing.
PLAIN = {
    "choosy.git": ("https://github.com/brightside/choosy.git", s.choosy),
    "closed-door.git": ("https://github.com/hearth/closed-door", s.closed_door),
    "cupboard.git": (None, s.cupboard),
    "half-open.git": ("https://gitlab.com/hearth/half-open.git", s.half_open),
    "oddments.git": ("https://github.com/brightside/oddments", s.oddments),
    "toolbox.git": ("git@github.com:brightside/toolbox.git", s.toolbox),
    "twofold.git": ("https://github.com/twofold/twofold", s.twofold),
}
ORIGINS = {
    "choosy.git": "https://github.com/brightside/choosy",
    "closed-door.git": "https://github.com/hearth/closed-door",
    "cupboard.git": "git:cupboard.git",
    "half-open.git": "https://gitlab.com/hearth/half-open.git",
    "lantern.git": "https://github.com/brightside/lantern",
    "oddments.git": "https://github.com/brightside/oddments",
    "toolbox.git": "https://github.com/brightside/toolbox",
    "twofold.git": "https://github.com/twofold/twofold",
}


def build(out: Path, expected: Expectations) -> None:
    """Write git/ and note what must become of every file."""
    for number, (name, (remote, files)) in enumerate(PLAIN.items()):
        objects = Objects()
        commit = objects.commit(objects.tree(files()), [], START + number * DAY, "Begin")
        packed = name == "twofold.git"
        write_bare(out / "git" / name, objects, {"main": commit}, "main", remote, packed)
        expected.add("git", ORIGINS[name], files())
    objects = Objects()
    first = objects.commit(objects.tree(s.lantern_first()), [], START, "Begin")
    side = objects.commit(objects.tree(s.lantern_second()), [first], START + DAY, "Blend colors")
    last = objects.commit(
        objects.tree(s.lantern()), [first, side], START + 30 * DAY, "Merge the show", "-0330"
    )
    remote = "https://github.com/brightside/lantern.git"
    branches = {"main": last, "shows/blend": side}
    write_bare(out / "git" / "lantern.git", objects, branches, "main", remote)
    expected.add("git", ORIGINS["lantern.git"], s.lantern())
