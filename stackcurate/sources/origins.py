"""Names origins the way the archive does: clean URLs without credentials, and owner/name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# The schemes of addresses that mean the same on every machine; a path or file:// does not.
_SCHEMES = frozenset({"http", "https", "git", "ssh", "git+ssh", "svn", "svn+ssh", "ftp", "ftps"})
# Forges whose repositories the archive knows under https, whatever way they were cloned.
_FORGES = frozenset({"github.com", "gitlab.com", "bitbucket.org", "codeberg.org"})
_SCP = re.compile(r"(?:[^@/\s]+@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?!//)(?!\\)(\S+)\Z")


def clean_origin(url: str) -> str | None:
    """``url`` as an origin: no user, password, query or fragment; None where it is a local path.

    ``git@host:a/b`` becomes ``ssh://host/a/b``. On the large forges ssh and git addresses become
    https; on github.com, where the archive's origins have none, ``.git`` is cut.
    """
    url = url.strip()
    if any(ord(sign) < 0x21 or ord(sign) == 0x7F for sign in url):
        return None
    if "://" not in url:
        match = _SCP.match(url)
        # One letter before the colon is a Windows drive.
        if match is None or len(match.group(1)) == 1:
            return None
        url = f"ssh://{match.group(1)}/{match.group(2).lstrip('/')}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES or not host:
        return None
    path = parts.path.rstrip("/")
    host = host.removeprefix("www.") if host == "www.github.com" else host
    if host in _FORGES:
        scheme, port = "https", None
        path = path.removesuffix(".git") if host == "github.com" else path
    if ":" in host:
        host = f"[{host}]"
    return f"{scheme}://{host}{f':{port}' if port else ''}{path}"


def given_origin(text: str) -> str:
    """An origin as a config or a table gives it: an address is cleaned, any other name stays."""
    if "://" in text or "@" in text:
        return clean_origin(text) or text
    return text


def repository_name(origin: str) -> str:
    """``owner/name`` where the origin has one, else its last part, else the origin itself.

    The whole path of the URL counts as the name (``group/subgroup/name`` on GitLab), so that its
    first part is always the owner.
    """
    try:
        path = urlsplit(origin).path if "://" in origin else origin.partition(":")[2] or origin
    except ValueError:  # an address that no parser takes, such as http://[x
        return origin
    name = path.strip("/").removesuffix(".git")
    return name or origin
