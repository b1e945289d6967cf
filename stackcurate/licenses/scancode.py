"""ScanCode's full matcher in a process of its own: loaded once, late, and guarded.

Its index takes 1.4 GB and 4 to 9 s, and some texts take minutes, so no worker ever loads it. A
``Judge`` starts one server process at the first question; where the platform can fork, the server
freezes the loaded index and answers through children that share it. A text that runs past the limit
or kills its child comes back undetermined, and the others go on.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from stackcurate.errors import StopError

LIMIT = 120.0  # seconds for one text; the slowest license file measured took 8.6
LOADING = 180.0  # seconds a server may take to load its index
MAX_TEXT = 200_000  # characters of a text that are matched
RECYCLE = 100  # texts after which a child is replaced, because matching unshares memory


def detector() -> str:
    """Name and version of what decides here; part of every cache key."""
    return f"scancode-toolkit {version('scancode-toolkit')}"


@dataclass(frozen=True)
class Answer:
    """What ScanCode says about one text.

    ``detections`` is a list of ``{expression, matches}``; a match has ``expression``, ``lines``
    (first and last, from 1), ``score``, ``rule``, ``matcher``, and where text and rule differ:
    ``extra``, the words only the text has, and ``missing``, runs of words only the rule has.
    ``failure`` is None, ``timeout`` or ``crashed``; ``seconds`` of the processor it took.
    """

    detections: list[dict[str, Any]] = field(default_factory=list)
    failure: str | None = None
    seconds: float = 0.0


# --- the side that asks ---------------------------------------------------------------------------


class Judge:
    """Answers texts through a server process; starts it when first asked.

    ``workers`` children match side by side. Pickles without its process.
    """

    def __init__(self, workers: int = 1, limit: float = LIMIT) -> None:
        self.workers = workers
        self.limit = limit
        self.asked = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"workers": self.workers, "limit": self.limit}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server; the next question starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    stream.close()  # type: ignore[union-attr]
            process.wait()
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.cleanup()
            self._folder = None

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        self._folder = tempfile.TemporaryDirectory(prefix="stackcurate-licenses-")
        environment = dict(os.environ)
        for name in ("SCANCODE_CACHE", "SCANCODE_TEMP"):
            if name not in environment:
                folder = Path(self._folder.name) / name.lower()
                folder.mkdir()
                environment[name] = str(folder)
        root = str(Path(__file__).resolve().parents[2])
        search = [root, environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else [root]
        environment["PYTHONPATH"] = os.pathsep.join(search)
        # Set and dictionary order reach ScanCode's choice between equal matches.
        environment["PYTHONHASHSEED"] = "0"
        command = [sys.executable, "-m", "stackcurate.licenses.scancode"]
        command.append(str(self.workers))
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        if _receive_within(self._process, LOADING) != {"ready": True}:
            self.close()
            raise StopError(
                "ScanCode did not load; check that pluggy 1.6 is installed and that a temporary "
                "folder can be written"
            )
        return self._process

    def ask(self, texts: Sequence[str]) -> list[Answer]:
        """One answer per text, in order."""
        answers: list[Answer | None] = [None] * len(texts)
        while any(answer is None for answer in answers):
            open_ = [number for number, answer in enumerate(answers) if answer is None]
            process = self._start()
            writer = threading.Thread(
                target=_send_all,
                args=(process, [(n, texts[n]) for n in open_], self.limit),
                daemon=True,
            )
            writer.start()
            for _ in open_:
                reply = _receive_within(process, self.limit + 30)
                if reply is None:  # the server is gone or stuck, so the oldest open text did it
                    stuck = next(number for number in open_ if answers[number] is None)
                    answers[stuck] = Answer(failure="crashed")
                    self.close()
                    break
                answers[reply["id"]] = Answer(
                    reply["detections"], reply["failure"], reply.get("seconds", 0.0)
                )
            writer.join(5)
        self.asked += len(texts)
        return [answer for answer in answers if answer is not None]


def _send_all(
    process: subprocess.Popen[bytes], questions: list[tuple[int, str]], limit: float
) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        for number, text in questions:
            _send(process.stdin, {"id": number, "text": text[:MAX_TEXT], "limit": limit})


def _receive_within(process: subprocess.Popen[bytes], seconds: float) -> Any:
    """The next message, or None where the server is gone or silent for ``seconds``."""
    assert process.stdout is not None
    result: list[Any] = []
    reader = threading.Thread(
        target=lambda stream: result.append(_receive(stream)), args=(process.stdout,), daemon=True
    )
    reader.start()
    reader.join(seconds)
    if reader.is_alive():
        process.kill()
        reader.join()
        return None
    return result[0] if result else None


def _send(stream: IO[bytes], message: Any) -> None:
    data = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    with contextlib.suppress(OSError, ValueError):
        head = stream.read(4)
        if len(head) == 4:
            (size,) = struct.unpack(">I", head)
            data = stream.read(size)
            if len(data) == size:
                return json.loads(data)
    return None


# --- the side that answers ------------------------------------------------------------------------


def _forks() -> bool:
    return hasattr(os, "fork") and sys.platform != "darwin"


def _load() -> Callable[[str], list[dict[str, Any]]]:
    """Load ScanCode's index and return the function that matches one text."""
    import gc

    gc.disable()
    from licensedcode.cache import get_index
    from licensedcode.detection import detect_licenses

    index = get_index()
    gc.collect()
    gc.freeze()
    gc.enable()

    def match(text: str) -> list[dict[str, Any]]:
        found = []
        # No deadline: ScanCode would pass on half an answer. The guard kills instead.
        for detection in detect_licenses(index=index, query_string=text):
            expression = detection.license_expression_spdx
            if expression:
                matches = [_describe(one, index) for one in detection.matches]
                found.append({"expression": expression, "matches": matches})
        return found

    return match


def _describe(match: Any, index: Any) -> dict[str, Any]:
    extra: list[str] = []
    missing: list[str] = []
    if match.matcher not in ("1-hash", "1-spdx-id") and len(match.ispan) < match.rule.length:
        tokens = index.tids_by_rid[match.rule.rid]
        present = set(match.ispan)
        runs = groupby(enumerate(tokens), key=lambda pair: pair[0] in present)
        missing = [
            " ".join(index.tokens_by_tid[token] for _, token in run)
            for there, run in runs
            if not there
        ]
    if match.matcher.startswith("3"):
        shown = match.matched_text(
            whole_lines=False,
            highlight=True,
            highlight_matched="{}",
            highlight_not_matched="\x01{}\x02",
            _usecache=False,
        )
        extra = [word.lower() for word in re.findall("\x01(.*?)\x02", shown)]
    return {
        "expression": match.rule.spdx_license_expression() or match.rule.license_expression,
        "lines": [match.start_line, match.end_line],
        "score": round(float(match.score()), 2),
        "rule": match.rule.identifier,
        "matcher": match.matcher,
        "kind": "text" if match.rule.is_license_text else "other",
        "extra": extra[:2000],
        "missing": missing[:2000],
    }


@dataclass
class _Child:
    pid: int
    to: IO[bytes]
    back: IO[bytes]
    question: dict[str, Any] | None = None
    since: float = 0.0
    answered: int = 0

    def end(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        for stream in (self.to, self.back):
            with contextlib.suppress(OSError):
                stream.close()
        with contextlib.suppress(OSError):
            os.waitpid(self.pid, 0)


def _fork(match: Callable[[str], list[dict[str, Any]]]) -> _Child:
    question_read, question_write = os.pipe()
    answer_read, answer_write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(question_read)
        os.close(answer_write)
        return _Child(pid, os.fdopen(question_write, "wb"), os.fdopen(answer_read, "rb"))
    try:
        os.close(question_write)
        os.close(answer_read)
        questions, answers = os.fdopen(question_read, "rb"), os.fdopen(answer_write, "wb")
        while (question := _receive(questions)) is not None:
            _send(answers, _answer(question, match))
    finally:
        os._exit(0)


def _answer(
    question: dict[str, Any], match: Callable[[str], list[dict[str, Any]]]
) -> dict[str, Any]:
    began = time.process_time()
    try:
        found = match(question["text"])
        took = round(time.process_time() - began, 4)
        return {"id": question["id"], "detections": found, "failure": None, "seconds": took}
    except Exception:
        return {"id": question["id"], "detections": [], "failure": "crashed"}


def _serve_forking(
    match: Callable[[str], list[dict[str, Any]]], out: IO[bytes], workers: int
) -> None:
    """Hand questions from standard input to children until the input ends."""
    children: list[_Child] = []
    waiting: list[dict[str, Any]] = []
    pending = bytearray()
    open_ = True
    while open_ or waiting or any(child.question for child in children):
        for child in list(children):
            if child.question is None and child.answered >= RECYCLE:
                child.end()
                children.remove(child)
        while waiting:
            idle = next((child for child in children if child.question is None), None)
            if idle is None and len(children) < workers:
                idle = _fork(match)
                children.append(idle)
            if idle is None:
                break
            idle.question, idle.since = waiting.pop(0), time.monotonic()
            with contextlib.suppress(OSError):
                _send(idle.to, idle.question)
        busy = [child for child in children if child.question]
        streams: list[Any] = [child.back for child in busy] + ([0] if open_ else [])
        ready = select.select(streams, [], [], 0.5)[0]
        if 0 in ready:
            data = os.read(0, 1 << 16)
            open_ = bool(data)
            pending += data
            while len(pending) >= 4 and len(pending) >= 4 + struct.unpack(">I", pending[:4])[0]:
                size = struct.unpack(">I", pending[:4])[0]
                waiting.append(json.loads(bytes(pending[4 : 4 + size])))
                del pending[: 4 + size]
        for child in busy:
            reply, failure = None, None
            if child.back in ready:
                reply = _receive(child.back)
                failure = None if reply else "crashed"
            elif child.question and time.monotonic() - child.since > child.question["limit"]:
                failure = "timeout"
            if failure:
                assert child.question is not None
                reply = {"id": child.question["id"], "detections": [], "failure": failure}
                child.end()
                children.remove(child)
            if reply:
                child.question, child.answered = None, child.answered + 1
                _send(out, reply)
    for child in children:
        child.end()


def main(workers: int) -> None:
    """Serve: load, say ready, answer until standard input ends."""
    # Whatever a library prints must not reach the protocol.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    match = _load()
    _send(out, {"ready": True})
    if _forks():
        _serve_forking(match, out, workers)
        return
    while (question := _receive(sys.stdin.buffer)) is not None:
        _send(out, _answer(question, match))


if __name__ == "__main__":
    main(int(sys.argv[1]))
