"""Control files that are symbolic links: they state what the file states that they lead to.

A link is followed name by name, as a file system follows it, and never out of the tree of its
revision. A license file that is a link to nothing leaves its folder's license unknown, with a rule
that says why; a link to a folder is like a folder, which states nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from stackcurate.licenses import names
from stackcurate.licenses.detect import OWN, evidence_id
from stackcurate.licenses.spoken import UNKNOWN

MATCHER = "link"
RULE = "link: "  # begins the rule of a link that leads nowhere
LIMIT = 10  # links on one way; real ones have up to three
MAX_NAMES = 40  # that are still to be passed on one way
MAX_BYTES = 4096  # of a link: PATH_MAX of Linux
FOLLOWED = (names.LICENSE_FILE, names.LICENSE_TEXT, names.NOTICE, names.MANIFEST, names.REUSE)

ABSOLUTE = "it is absolute"
OUT = "it leads out of the tree"
NOWHERE = "nothing lies where it leads"
LONG = f"its way has more than {LIMIT} links or {MAX_NAMES} names"
UNREAD = "what it leads to cannot be read"


class Way:
    """The way from a link at ``path`` (bytes, "/a/b") to ``end``, or to ``why`` it has none."""

    def __init__(self, path: bytes) -> None:
        self.at, _, name = path.rpartition(b"/")
        self.rest = [name]
        self.links = 0
        self.end: bytes | None = None
        self.why: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still has to be asked what lies ahead."""
        return self.end is None and self.why is None

    def ahead(self) -> list[bytes]:
        """The paths that the way passes if none of them is a link."""
        at, passed = self.at, []
        for name in self.rest:
            if name == b".." and not at:
                break
            at = at.rpartition(b"/")[0] if name == b".." else at + b"/" + name
            passed.append(at)
        return passed

    def go(self, known: Mapping[bytes, bytes | None]) -> None:
        """Walk on to the first link ahead and turn, or to the end.

        ``known`` are the links ahead with what they say, null where nobody could look.
        """
        at = self.at
        for number, name in enumerate(self.rest):
            if name == b"..":
                if not at:
                    self.why = OUT
                    return
                at = at.rpartition(b"/")[0]
                continue
            above, at = at, at + b"/" + name
            if at in known:
                self._turn(above, known[at], self.rest[number + 1 :])
                return
        self.end = at

    def _turn(self, folder: bytes, target: bytes | None, rest: list[bytes]) -> None:
        self.links += 1
        self.at = folder
        if target is None or len(target) > MAX_BYTES:
            self.why = UNREAD
        elif target.startswith(b"/"):
            self.why = ABSOLUTE
        elif not target or b"\0" in target:
            self.why = NOWHERE
        else:
            self.rest = [name for name in target.split(b"/") if name not in (b"", b".")] + rest
            if self.links > LIMIT or len(self.rest) > MAX_NAMES:
                self.why = LONG


def stated(content_id: str, kind: str, why: str) -> dict[str, Any]:
    """The EVIDENCE row (as a dict) of a link without an end; ``content_id`` (hex) is the link's."""
    rule = f"{RULE}{why}"
    return {
        "evidence_id": evidence_id(content_id, kind, 0, 0, rule),
        "content_id": content_id,
        "kind": kind,
        "start": 0,
        "end": 0,
        "expression": UNKNOWN,
        "score": 100.0,
        "rule": rule,
        "matcher": MATCHER,
        "detector": OWN,
    }


def by_link(row: Mapping[str, Any], target: str) -> dict[str, Any]:
    """A row of EVIDENCE as it stands where a link leads to ``target``, which states it."""
    said = f"{row['evidence_id']}\0{target}".encode()
    key = hashlib.blake2b(said, digest_size=16).hexdigest()
    return {**row, "evidence_id": key, "rule": f"{row['rule']} (a link to {target})"}
