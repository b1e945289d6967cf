"""Blobs on S3 under ``content/<sha1>``, as the Software Heritage archive publishes them."""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from stackcurate.contents.base import body_bound, name_of, unpack
from stackcurate.errors import ConfigError, Problem, TransientError

# Error codes of S3 by what happens next; every other code, and every network fault, may pass.
# Without the right to list, S3 answers AccessDenied for keys that do not exist.
_MISSING = frozenset({"NoSuchKey", "404", "AccessDenied", "403", "InvalidObjectState"})
_EMPTY = frozenset({"InvalidRange", "416"})  # a range of an object without bytes
_NEVER = frozenset(
    {
        "AllAccessDisabled",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidBucketName",
        "NoSuchBucket",
        "PermanentRedirect",
        "SignatureDoesNotMatch",
    }
)
_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 20.0


@dataclass(frozen=True)
class S3Store:
    """``url`` is ``s3://bucket/prefix``, with or without the last folder ``content``.

    ``anonymous`` reads without credentials, as the archive's public bucket is read.
    ``endpoint_url`` is another server than Amazon's. ``threads`` requests are under way at once in
    ``get_many``. ``pause`` is how back-off waits, in seconds.
    """

    url: str
    endpoint_url: str | None = None
    anonymous: bool = True
    threads: int = 16
    pause: Callable[[float], None] = field(default=time.sleep, compare=False, repr=False)

    def __post_init__(self) -> None:
        bucket, _, prefix = self.url.removeprefix("s3://").strip("/").partition("/")
        if not self.url.startswith("s3://") or not bucket:
            raise ConfigError(f"contents: {self.url} should be s3://bucket or s3://bucket/prefix")
        if prefix != "content" and not prefix.endswith("/content"):
            prefix = f"{prefix}/content".lstrip("/")
        object.__setattr__(self, "url", f"s3://{bucket}/{prefix}")
        if self.threads < 1:
            raise ConfigError("contents: `threads` should be 1 or more")
        _s3fs()

    def get(self, blob_id: bytes, limit: int) -> bytes | Problem:
        """See ``Store.get``. One range request per try, never more than a gzip of ``limit`` needs.

        Faults that may pass are tried 6 times with growing pauses, then raise TransientError.
        """
        name = name_of(blob_id)
        for number in range(_TRIES):
            try:
                body = self._request(name, body_bound(limit) + 1)
            except Exception as error:
                answer = self._judge(name, error)
                if answer is not None:
                    return answer
                if number + 1 == _TRIES:
                    raise TransientError(
                        f"{self.url}/{name}: no answer after {_TRIES} tries ({_code(error)})"
                    ) from error
                self.pause(_pause_seconds(number, blob_id))
            else:
                return unpack([body], blob_id, limit)
        raise AssertionError("the loop above returns or raises")

    def get_many(
        self, blob_ids: Sequence[bytes], limit: int
    ) -> Iterator[tuple[int, bytes | Problem]]:
        """See ``Store.get_many``. At most twice ``threads`` results are held at any time."""
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[tuple[int, Future[bytes | Problem]]] = deque()
            try:
                for number, blob_id in enumerate(blob_ids):
                    waiting.append((number, pool.submit(self.get, blob_id, limit)))
                    if len(waiting) >= 2 * self.threads:
                        first, future = waiting.popleft()
                        yield first, future.result()
                while waiting:
                    first, future = waiting.popleft()
                    yield first, future.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def _request(self, name: str, length: int) -> bytes:
        # fsspec keeps one file system per process and set of options, so this costs nothing.
        system = _s3fs().S3FileSystem(anon=self.anonymous, endpoint_url=self.endpoint_url)
        body: bytes = system.cat_file(f"{self.url}/{name}", start=0, end=length)
        return body

    def _judge(self, name: str, error: Exception) -> Problem | None:
        """The answer that ``error`` is; None where it may pass; ConfigError where it never does."""
        code = _code(error)
        if code in _MISSING:
            return Problem(name, "missing", f"the store does not give it ({code})")
        if code in _EMPTY:
            return Problem(name, "corrupt", "its gzip body is empty")
        if code in _NEVER:
            raise ConfigError(
                f"contents: {self.url} cannot be read ({code}); check bucket, endpoint and access"
            ) from error
        return None


def _s3fs() -> Any:
    try:
        return importlib.import_module("s3fs")
    except ImportError as error:
        raise ConfigError(
            "contents on S3 need s3fs: pip install stackcurate[s3], or name a local folder"
        ) from error


def _code(error: Exception) -> str:
    """The S3 code behind an error of s3fs, or the error's type where there was no answer."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return "NoSuchKey" if isinstance(error, FileNotFoundError) else type(error).__name__


def _pause_seconds(number: int, blob_id: bytes) -> float:
    """Doubles with each try; the id spreads the threads, so that they do not come back together."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0**number)
    return longest * (0.5 + blob_id[-1] / 510)
