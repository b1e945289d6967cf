"""Content stores: where the bytes of a blob come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackcurate.errors import ConfigError
from stackcurate.storage.blobs import Store

__all__ = ["Store", "open_store"]

_OPTIONS = ("url", "endpoint_url", "anonymous", "threads")


def open_store(spec: str | Path | Mapping[str, Any]) -> Store:
    """The content store that ``spec`` names.

    A folder (text or Path) is a local store: ``content/<sha1>`` inside it, or the folder
    ``content`` itself. ``s3://bucket/prefix`` is a store on S3, read anonymously. A mapping gives
    the S3 options by name: ``url``, ``endpoint_url``, ``anonymous``, ``threads``.

    Raises ConfigError where the folder does not exist, the address cannot be one, or the extra
    ``[s3]`` is not installed.
    """
    options: dict[str, Any] = dict(spec) if isinstance(spec, Mapping) else {"url": spec}
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown or not options.get("url"):
        found = f"unknown: {', '.join(map(str, unknown))}" if unknown else "`url` is missing"
        raise ConfigError(f"contents takes a folder or the keys {', '.join(_OPTIONS)}; {found}")
    url = options.pop("url")
    if isinstance(url, str) and url.startswith("s3://"):
        from stackcurate.contents.s3 import S3Store

        return S3Store(url, **options)
    if isinstance(url, str) and "://" in url:
        raise ConfigError(f"contents: {url} is neither a folder nor an s3:// address")
    if options:
        raise ConfigError(f"contents: {', '.join(sorted(options))} is for s3:// addresses only")
    from stackcurate.contents.local import LocalStore

    return LocalStore(Path(url))
