"""The repositories of the graph and git sources, each with the situations it stands for."""

from __future__ import annotations

from . import content
from .content import license_text, program
from .plan import EXECUTABLE, Planted, all_become, plant, submodule, symlink

HARBOR = "https://github.com/tideline/harbor"  # most stars of all that remain: its copies win
LICENSE_COPY = "the same text stands in a repository with more stars"
UNSTATED = "no license covers it and its own header says nothing"
REFUSED = "the nearest license is the GPL, which the policy does not allow"
SUBMODULE_REVISION = "5ac1ab1e" * 5
SPDX = "SPDX-License-" + "Identifier: "  # apart, so that no tool reads this file as licensed so


def mit_copy(path: str = "LICENSE") -> Planted:
    return plant(path, license_text("MIT"), "choose:copy", LICENSE_COPY)


WITHDRAWN_CONTENT = program("signal.jl")
BY_SWHID = ("optout:swhid", "this content is withdrawn wherever it lies")


def harbor() -> list[Planted]:
    return [
        plant("LICENSE", license_text("MIT"), why="the repository with the most stars has it"),
        plant("README.md", README_HARBOR),
        plant("docs/signal.jl", WITHDRAWN_CONTENT, *BY_SWHID),
        plant("ops/backup.sh", program("backup.sh"), "optout:path", "the glob ops/** is withdrawn"),
        plant("src/__init__.py", b"", "filter:empty", "nothing is in it"),
        plant("src/depth.h", program("depth.h")),
        plant("src/queue.go", program("queue.go")),
        plant("src/soundings.c", program("soundings.c")),
        plant("src/tide.py", program("tide.py"), why="best rank of all its near duplicates"),
        submodule("third_party/almanac", SUBMODULE_REVISION),
        plant("tools/tide.py", program("tide.py"), "choose:copy", "the same bytes as src/tide.py"),
        plant("web/chart.js", program("chart.js")),
        symlink("web/current.js", "chart.js"),
    ]


def harbor_before() -> list[Planted]:
    """An older state: its files must not appear."""
    return [
        plant("LICENSE", license_text("MIT")),
        plant("README.md", "# harbor\n\nTides, soon.\n"),
        plant("src/first_try.py", program("tide.py").split("@dataclass\nclass Station")[0]),
    ]


def soundings() -> list[Planted]:
    return [
        mit_copy(),
        plant("Makefile", program("Makefile")),
        plant(
            "depth.h", program("depth.h"), "choose:copy", "harbor has the same bytes, more stars"
        ),
        plant(
            "soundings.c",
            content.soundings_fork(),
            "dedup:near",
            "harbor's soundings.c with a comment and a name changed",
        ),
    ]


def parsekit() -> list[Planted]:
    return [
        plant("LICENSE", license_text("BSD-3-Clause")),
        plant("Parsekit/Tokens.hs", program("Tokens.hs")),
        plant("doc/order.txt", content.UTF16_NOTES, why="UTF-16 with its mark is text"),
        plant(b"doc/gr\xfc\xdfe.txt", content.LATIN1_NOTES, why="name and content are Latin-1"),
        plant("ml/grammar.ml", program("grammar.ml")),
    ]


def atlas() -> list[Planted]:
    folder = "trunk/src/net/quillworks/atlas/"
    skipped = "the archive holds no content for it"
    return [
        plant("trunk/LICENSE.txt", license_text("Apache-2.0"), why="its name says what it is"),
        plant(folder + "Atlas.java", program("Atlas.java")),
        plant(folder + "Projection.kt", program("Projection.kt")),
        plant("trunk/data/world.bin", content.noise("world", 64), "source:skipped", skipped),
    ]


def relics() -> list[Planted]:
    """Unlicensed as a whole; single files speak for themselves."""
    return [
        plant("README.md", README_RELICS, "header:unstated", "a README alone is no license"),
        plant(
            "db/schema.sql",
            program("schema.sql"),
            "choose:copy",
            "the same bytes stand in a licensed repository, and allowed goes before open",
        ),
        plant("inventory.rb", f"# {SPDX}MIT\n" + program("inventory.rb"), why="its header is MIT"),
        plant("loans.pl", program("relic.pl"), "header:unstated", UNSTATED),
        plant(
            "scene.scala",
            f"// {SPDX}GPL-3.0-or-later\n" + program("scene.scala"),
            "header:refused",
            "no folder license, and its own header is copyleft",
        ),
    ]


def rig() -> list[Planted]:
    """What a content store can do wrong; see ``graph.DAMAGE``."""
    return [
        plant("LICENSE", license_text("ISC")),
        plant("assets/logo.bin", content.BINARY, "fetch:binary", "it has NUL bytes"),
        plant("data/buoys.json", content.data_rows(3500), "fetch:too_large", "over max_bytes"),
        plant("src/missing.lua", "-- lost\nreturn 1\n", "fetch:missing", "the store lacks it"),
        plant("src/rig.rs", program("rig.rs")),
        plant("src/spool.cpp", program("spool.cpp")),
        plant("src/torn.lua", "-- torn\nreturn 2\n", "fetch:corrupt", "its gzip ends early"),
        plant("src/wrong.lua", "-- wrong\nreturn 3\n", "fetch:corrupt", "other bytes lie there"),
    ]


def letters() -> list[Planted]:
    return [
        mit_copy(),
        plant("src/Sorter.php", program("letters.php"), why="its withdrawn twin is another origin"),
        plant("src/Stamps.swift", program("stamps.swift")),
    ]


def diary() -> list[Planted]:
    why = "its owner withdrew everything"
    return all_become([mit_copy(), plant("diary.py", program("diary.py"))], "optout:owner", why)


def vim_notes() -> list[Planted]:
    why = "the same owner, in other letters"
    return all_become([plant("plugin/notes.vim", program("notes.vim"))], "optout:owner", why)


def kernelkit() -> list[Planted]:
    tagged = f"/* {SPDX}MIT */\nint answer(void)\n{{\n    return 42;\n}}\n"
    files = [
        plant("COPYING", license_text("GPL-3.0")),
        plant("README", "kernelkit: a scheduler for machines with very little memory.\n"),
        plant("answer.c", tagged),
        plant("sched.c", program("kernelkit.c")),
    ]
    return all_become(files, "license:refused", REFUSED)


def lantern_first() -> list[Planted]:
    return [mit_copy(), plant("README.md", "# lantern\n\nLight shows.\n")]


def lantern_second() -> list[Planted]:
    return [*lantern_first(), plant("src/lantern.ts", program("lantern.ts"))]


def lantern() -> list[Planted]:
    conflict = f"! {SPDX}GPL-2.0-only\n" + program("matrix.f90")
    vendored = "a vendored folder stands on its own, and its license is the GPL"
    return [
        mit_copy(),
        plant("README.md", README_LANTERN, why="to mention the GPL is not to grant it"),
        plant("bin/route.clj", program("route.clj"), mode=EXECUTABLE),
        plant(b"data/donn\xe9es.R", program("stats.R"), why="its name is not UTF-8"),
        plant("db/schema.sql", program("schema.sql"), why="allowed here, open in its other place"),
        plant("docs/signal.jl", WITHDRAWN_CONTENT, *BY_SWHID),
        submodule("modules/firmware", SUBMODULE_REVISION),
        plant("src/banded.f90", conflict, "header:conflict", "GPL header in an MIT folder"),
        plant("src/glow.lua", program("glow.lua")),
        plant("src/lantern.ts", program("lantern.ts")),
        plant("src/seiche.py", content.seiche(), why="shares less than half with tide.py"),
        plant(
            "src/tide_display.py",
            content.tide_display(),
            "dedup:near",
            "harbor's tide.py with other comments and one name changed",
        ),
        plant("vendor/gplkit/COPYING", license_text("GPL-3.0"), "license:refused", vendored),
        plant("vendor/gplkit/heap.erl", program("heap.erl"), "license:refused", vendored),
        plant(
            "vendor/harbor/chart.js",
            program("chart.js"),
            "choose:copy",
            "harbor's own file goes before a vendored one",
        ),
        plant(
            "vendor/lampbus/frame.c",
            LAMPBUS,
            "header:unstated",
            "vendored without a license: the project's own is not its to give",
        ),
        symlink("web/home.html", "page.html"),
        plant("web/page.html", program("page.html")),
        plant("web/palette.css", program("palette.css")),
    ]


def twofold() -> list[Planted]:
    return [
        plant("Cargo.toml", CARGO),
        plant(
            "LICENSE-APACHE",
            license_text("Apache-2.0"),
            "choose:copy",
            "atlas has it under a name that a language is known for",
        ),
        mit_copy("LICENSE-MIT"),
        plant("src/lib.rs", f"// {SPDX}MIT OR Apache-2.0\n" + program("lib.rs")),
        plant("src/merge.rs", program("merge.rs")),
    ]


def cupboard() -> list[Planted]:
    return [
        plant("README.md", README_CUPBOARD, "header:unstated", "a README alone is no license"),
        plant("lib/counter.ex", program("counter.ex"), "header:unstated", UNSTATED),
    ]


def closed_door() -> list[Planted]:
    files = [
        plant(".stackcurate-optout", "# Please leave this repository out.\n"),
        mit_copy(),
        plant("door.py", "def knock(times):\n    return ['knock'] * times\n"),
    ]
    return all_become(files, "optout:repository", "its own control file withdraws all of it")


def half_open() -> list[Planted]:
    why = "the repository's own control file withdraws this path"
    return [
        plant(".stackcurate-optout", "# Not for training:\nprivate/\n*.key.txt\n"),
        mit_copy(),
        plant("deep/down/house.key.txt", "left drawer, third box\n", "optout:path", why),
        plant("private/plans.md", "# Plans\n\nNot yours.\n", "optout:path", why),
        plant("src/Ledger.cs", program("Ledger.cs")),
    ]


def choosy() -> list[Planted]:
    return [
        plant("index.js", CHOOSY, why="the manifest's OR leaves the choice of MIT"),
        plant("package.json", CHOOSY_MANIFEST),
    ]


def toolbox() -> list[Planted]:
    return [
        mit_copy(),
        plant("README.md", README_TOOLBOX),
        plant("deploy.py", content.deploy_with_cloud_key(), redactions={"key": 2}),
        plant("lamps.yaml", content.contacts(), redactions={"email": 2, "ip": 2}),
        plant("release.sh", content.release_with_token(), redactions={"key": 1}),
        plant("tls/relay.py", content.relay_with_private_key(), redactions={"private_key": 1}),
        plant("web/db.php", content.database_with_password(), redactions={"password": 1}),
    ]


def oddments() -> list[Planted]:
    """One file for each thing that the filters look for."""
    return [
        mit_copy(),
        plant("hints.js", content.long_line(), "filter:long_line", "one line of 1,300 characters"),
        plant("icon.py", content.mostly_base64(), "filter:encoded", "most of it is base64"),
        plant("levels.py", content.mostly_digits(), "filter:alpha", "hardly a letter in it"),
        plant("stations.json", content.data_rows(600), "filter:data_lines", "data of 600 lines"),
        plant("tables.c", content.generated_tables(), "filter:generated", "it says so at its top"),
    ]


README_HARBOR = """# harbor

Tides, berths and soundings for a small harbor.

`tide.py` predicts high and low water from five constituents. `queue.go` gives berths to vessels in
the order of their draught, deepest first, and `soundings.c` mends the holes in a depth chart.

Run `python tide.py` with the name of a station. The levels are above chart datum; add the height of
the swell yourself, because nobody can do that for you.
"""

README_RELICS = """# relics

What hangs in the old barn, who lent it and when it goes back.

You may use all of this under the MIT license.
"""

README_LANTERN = """# lantern

Slow color shows for garden lights.

The lamp's firmware, a module of its own, is licensed under the GNU General Public License version
3; nothing in this repository is. The files in `vendor/gplkit` are only needed to talk to it, and
lantern runs without them.

Draw a show with `add(time, color)` and ask `colorAt(time)` for what is in between.
"""

LAMPBUS = """#include <stdint.h>

/* One frame of the lamp bus: start, lamp, level, sum. */
int frame_make(uint8_t out[4], uint8_t lamp, uint8_t level)
{
    if (lamp == 0 || lamp > 63)
        return -1;
    out[0] = 0x7e;
    out[1] = lamp;
    out[2] = level;
    out[3] = (uint8_t)(out[0] ^ out[1] ^ out[2]);
    return 4;
}
"""

README_CUPBOARD = """# cupboard

Odd cups. Free for everyone, take what you like.
"""

README_TOOLBOX = """# toolbox

Scripts that keep the booking desk alive: publish the site, tag a release, reach the lamps.

Everything reads its settings from the top of its own file. That is convenient, and a mistake.
"""

CARGO = """[package]
name = "twofold"
version = "0.3.1"
edition = "2021"
license = "MIT OR Apache-2.0"
description = "Three-way merge of lines"

[dependencies]
"""

CHOOSY = """'use strict';

/** Picks the option with the best score; of equal ones the first. */
module.exports = function choose(options, score) {
  let best;
  let highest = -Infinity;
  for (const option of options) {
    const points = score(option);
    if (Number.isNaN(points)) {
      throw new TypeError('a score must be a number');
    }
    if (points > highest) {
      highest = points;
      best = option;
    }
  }
  return best;
};
"""

CHOOSY_MANIFEST = """{
  "name": "choosy",
  "version": "2.0.0",
  "description": "Picks the best of several options",
  "license": "(MIT OR GPL-2.0-only)",
  "main": "index.js"
}
"""
