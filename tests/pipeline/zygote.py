"""A process that has imported stackcurate and forks the command line on demand, to be killed.

Reads a JSON list of arguments per line; answers with the child's process id, and when it is dead
with its wait status. The child leads a process group of its own, as a shell's job does. Workers are
spawned by it as always.
"""

from __future__ import annotations

import json
import os
import sys

from stackcurate.cli import main as root
from stackcurate.cli import run as _imported_now  # noqa: F401  the slow part, done once


def child(arguments: list[str], log: str) -> None:
    """Become the command line, with everything it says in ``log``."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for target, source in ((0, nothing), (1, said), (2, said)):
        os.dup2(source, target)
    sys.argv = ["stackcurate", *arguments]
    code = 4
    try:
        root.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        arguments, log = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(arguments, log)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
