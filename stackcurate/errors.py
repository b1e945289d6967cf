"""The error family, drawn in one place: an error is named by what happens next.

    StackcurateError
    ├── ConfigError      fix the config or the call; nothing was started          exit 2
    ├── InputError       this repository or partition is set aside, the run goes on
    ├── TransientError   tried again with back-off
    ├── IntegrityError   stop: something is not what its checksum says            exit 3
    └── StopError        stopped, nothing published: disk full, alarm, opt-out    exit 4

A message says what, where, and what to do next. It never holds file contents, because a
content may hold a secret.
"""

from __future__ import annotations

from dataclasses import dataclass

EXIT_DONE = 0
EXIT_SET_ASIDE = 1
EXIT_USAGE = 2
EXIT_INTEGRITY = 3
EXIT_STOPPED = 4


class StackcurateError(Exception):
    """Base of every error that stackcurate raises on purpose."""

    exit_code = EXIT_USAGE


class ConfigError(StackcurateError):
    """The config or the call is wrong; nothing was started.

    ``at`` are the keys, inside their section of a config, of the value that is wrong.
    """

    exit_code = EXIT_USAGE

    def __init__(self, message: str = "", at: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.at = at


class InputError(StackcurateError):
    """One input (repository, archive, partition) cannot be read; it is set aside with a reason.

    ``reason`` is a short word that ends up in the ledger, for example ``corrupt``.
    """

    exit_code = EXIT_SET_ASIDE

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class TransientError(StackcurateError):
    """A fault that may pass (network, busy store); the caller tries again with back-off."""

    exit_code = EXIT_STOPPED


class IntegrityError(StackcurateError):
    """Something is not what its checksum says; nothing may be built on it."""

    exit_code = EXIT_INTEGRITY


class StopError(StackcurateError):
    """The run stopped before publishing: disk full, read-only output, alarm, opt-out hit."""

    exit_code = EXIT_STOPPED


@dataclass(frozen=True)
class Problem:
    """Something that could not be read: where, a reason in one word, and a sentence for people.

    No error: what is broken is named and set aside, and the rest goes on.
    """

    where: str
    reason: str
    message: str
