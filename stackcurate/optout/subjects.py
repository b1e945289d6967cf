"""What an opt-out can name, and the one spelling under which names are compared.

A person writes ``https://www.GitHub.com/Alice/Tool.git/``, a mirror ``git@github.com:alice/tool``;
both must meet. So every origin is reduced to a *key*, ``host/path``: no scheme, credentials,
``www``, default port, fragment, trailing slash or ``.git``; the host in lower case, and on forges,
where names ignore case, the path too. Keys are computed for whole columns with Arrow's RE2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from stackcurate.errors import ConfigError
from stackcurate.optout.globs import MAX_GLOB_CHARS

OWNER, REPOSITORY, ORIGIN, SWHID, PATH = "owner", "repository", "origin", "swhid", "path"
KINDS = (OWNER, REPOSITORY, ORIGIN, SWHID, PATH)

# Forges whose repositories are exactly owner/name; what follows is a page within the repository.
TWO_LEVEL_HOSTS = (
    "bitbucket.org",
    "codeberg.org",
    "gitea.com",
    "gitee.com",
    "github.com",
    "notabug.org",
)
# Forges with groups inside groups; pages within a repository follow "/-/". Every host whose name
# begins with "gitlab." counts as one.
GROUP_HOSTS = ("framagit.org", "gitlab.com", "invent.kde.org", "salsa.debian.org")

_BARE = re.compile(r"[A-Za-z0-9\-_]+/[A-Za-z0-9\-_.]+")  # owner/name: GitHub's, as people write it
_SWHID = re.compile(r"swh:1:(cnt|dir|rev|rel|snp):([0-9a-f]{40})")


@dataclass(frozen=True, order=True)
class Subject:
    """One thing that can be withdrawn.

    ``value`` is an origin key for owner, repository, origin and path, and a core SWHID for swhid;
    ``glob`` is set for path alone. Build it with ``parse``, which normalizes and checks.
    """

    kind: str
    value: str
    glob: str | None = None

    def __str__(self) -> str:
        tail = "" if self.glob is None else f" {self.glob}"
        return f"{self.kind} {self.value}{tail}"


def origin_keys(origins: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The keys of a string column of origins, row by row; null stays null.

    Names without a host (local repositories, archives) are keys of their own. From a data set that
    tells no more, ``parquet:owner/name`` counts as GitHub's, where nearly all are: in doubt a file
    goes. Percent escapes are left as they are.
    """
    if isinstance(origins, pa.ChunkedArray):
        origins = origins.combine_chunks()
    text = pc.utf8_trim_whitespace(origins.cast(pa.string()))
    text = pc.replace_substring_regex(text, r"(?s)#.*$", "")
    # scheme://user:password@www.host/… , then git@host:path and host.tld:path
    text = pc.replace_substring_regex(text, r"(?i)^[a-z][a-z0-9+.\-]*://(?:[^/]*@)?(?:www\.)?", "")
    text = pc.replace_substring_regex(text, r"^[^/@:\s]+@([^/:@]+):/*", r"\1/")
    text = pc.replace_substring_regex(
        text, r"^([A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+):([^0-9/])", r"\1/\2"
    )
    text = pc.replace_substring_regex(text, r"//+", "/")
    text = pc.replace_substring_regex(
        text, r"^parquet:([A-Za-z0-9\-_]+/[A-Za-z0-9\-_.]+)$", r"github.com/\1"
    )
    host = pc.utf8_lower(pc.replace_substring_regex(text, r"(?s)/.*$", ""))
    host = pc.replace_substring_regex(host, r"\.?(:(22|80|443|9418))?$", "")
    path = pc.replace_substring_regex(text, r"(?s)^[^/]*/?", "")
    two_level = pc.is_in(host, pa.array(TWO_LEVEL_HOSTS))
    grouped = pc.or_(pc.is_in(host, pa.array(GROUP_HOSTS)), pc.starts_with(host, "gitlab."))
    path = _forge_paths(path, two_level, grouped)
    path = pc.replace_substring_regex(path, r"(\.git|/)+$", "")
    return pc.if_else(pc.equal(path, ""), host, pc.binary_join_element_wise(host, path, "/"))


def _forge_paths(path: pa.Array, two_level: pa.Array, grouped: pa.Array) -> pa.Array:
    """Paths on forges: in lower case, without query, cut after the repository."""
    forge = pc.or_(two_level, grouped)
    if not pc.any(forge).as_py():
        return path
    plain = pc.replace_substring_regex(pc.utf8_lower(path), r"(?s)\?.*$", "")
    first_two = pc.replace_substring_regex(plain, r"(?s)^([^/]+/[^/]+)/.*$", r"\1")
    ungrouped = pc.replace_substring_regex(plain, r"(?s)/-/.*$", "")
    return pc.if_else(forge, pc.if_else(two_level, first_two, ungrouped), path)


def origin_key(origin: str) -> str:
    """The key of one origin; see ``origin_keys``."""
    return origin_keys(pa.array([origin], pa.string()))[0].as_py()


def parse(kind: str, value: str, glob: str | None = None) -> Subject:
    """A checked, normalized subject; ConfigError where the words say less or more than one."""
    return parse_all([Subject(kind, value, glob)])[0]  # type: ignore[return-value]


def parse_all(subjects: Sequence[Subject | None]) -> list[Subject | None]:
    """``parse`` for many, with the keys of all computed at once; None stays None."""
    keys = origin_keys(pa.array([s.value if s else None for s in subjects], pa.string()))
    return [
        _checked(subject, key) if subject is not None else None
        for subject, key in zip(subjects, keys.to_pylist(), strict=True)
    ]


def _checked(subject: Subject, key: str) -> Subject:
    if subject.kind not in KINDS:
        raise ConfigError(f"unknown kind of subject {subject.kind!r}; one of: {', '.join(KINDS)}")
    if (subject.glob is not None) != (subject.kind == PATH):
        raise ConfigError(f"a path has a glob, and nothing else has; the kind is {subject.kind}")
    if subject.kind == SWHID:
        return Subject(SWHID, _core_swhid(subject.value))
    if subject.kind in (REPOSITORY, PATH) and _BARE.fullmatch(key):
        key = f"github.com/{key.lower()}"
    return _owned_place(Subject(subject.kind, key, subject.glob))


def _core_swhid(value: str) -> str:
    """The core SWHID. One with qualifiers names a place, and taking the whole would be too much."""
    text = value.strip()
    if _SWHID.fullmatch(text):
        return text
    if _SWHID.match(text) and ";" in text:
        raise ConfigError(
            "a SWHID with qualifiers names one place of a content; "
            "give the part before ';' for every place, or a repository and a path"
        )
    raise ConfigError("a SWHID reads swh:1:(cnt|dir|rev|rel|snp): and 40 lowercase hex digits")


def _owned_place(subject: Subject) -> Subject:
    """A place with a normalized key, refused where it is wider than anything a person can own."""
    levels = [part for part in subject.value.split("/") if part]
    host = levels[0] if levels else ""
    if subject.kind == OWNER and len(levels) < 2:
        raise ConfigError(f"an owner reads host/name; {subject.value!r} names no account")
    if host in TWO_LEVEL_HOSTS and subject.kind == OWNER and len(levels) != 2:
        raise ConfigError(f"{subject.value!r} is a repository on {host}, not an owner")
    if host in TWO_LEVEL_HOSTS and subject.kind in (REPOSITORY, PATH) and len(levels) != 3:
        raise ConfigError(f"a repository on {host} reads {host}/owner/name")
    if not levels or (subject.kind in (REPOSITORY, PATH) and len(levels) < 2):
        raise ConfigError(f"{subject.value!r} names no {subject.kind}")
    if subject.glob is not None and not subject.glob.strip("/* \t"):
        raise ConfigError("this glob would be the whole repository; ask for the repository")
    if subject.glob is not None and len(subject.glob) > MAX_GLOB_CHARS:
        raise ConfigError(f"a glob has at most {MAX_GLOB_CHARS} characters")
    return subject
