"""Asks tosca-parser about templates through child processes that are limited in time and memory, and reused."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

VALID, INVALID, PARSER_FAILED, UNREADABLE = "valid", "invalid", "parser_failed", "unreadable"
TIME_LIMIT = 10.0  # seconds for one template; the slowest honest one takes 0.3
PATIENCE = 1.0  # seconds a check waits for a child before one more is started, which takes about as long to load
START_LIMIT = 60.0  # seconds for a child to load the library, on a machine that is busy
MAX_ANSWER = 256 * 1024
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Verdict:
    """What tosca-parser says. ``verdict`` is one of the four above; ``errors`` hold no paths of this server."""

    verdict: str
    errors: tuple[str, ...] = ()


class _Child:
    """One child process; usable by one thread at a time. It takes a while to load, which only ``ask`` waits for."""

    def __init__(self) -> None:
        self._ready = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "catalog.tosca.child"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "utf-8"},  # none of our settings, so none of our secrets
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def ask(self, request: str, seconds: float) -> str:
        """The answer to a request; "" when the child died or took too long. Raises OSError when it never started."""
        if not self._ready and self._answer(START_LIMIT) != "ready":
            raise OSError("the process for tosca-parser does not start")
        self._ready = True
        assert self.process.stdin
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
        except OSError:
            return ""
        return self._answer(seconds)

    def _answer(self, seconds: float) -> str:
        assert self.process.stdout
        clock = threading.Timer(seconds, self.process.kill)
        clock.start()
        try:
            return self.process.stdout.readline(MAX_ANSWER).strip()
        finally:
            clock.cancel()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with suppress(BrokenPipeError):  # what a dead child was not told any more
                    stream.close()


class Checker:
    """A small pool of children; threads may share it. Use it as a context manager, so that they end with the work."""

    def __init__(self, *, children: int = 2, seconds: float = TIME_LIMIT) -> None:
        self._most, self._seconds = children, seconds
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._alive, self._lock = 0, threading.Lock()

    def __enter__(self) -> "Checker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            self._end(self._idle.get())

    def prepare(self) -> None:
        """Have a child load while other things are waited for, if something will have to be checked."""
        if self._may_start(1):
            self._idle.put(self._start())

    def check(self, text: str, types: Mapping[str, str]) -> Verdict:
        """The verdict on a template, given the texts of the type files it imports, nested ones included.

        Never raises for what a template can do; one that hangs, crashes or exhausts its child has failed the
        parser. Raises OSError when no child can be started.
        """
        child = self._take()
        try:
            answer = child.ask(json.dumps({"template": text, "types": dict(types)}), self._seconds)
        except OSError:
            self._end(child)
            raise
        if not answer:
            self._end(child)
            return Verdict(PARSER_FAILED, (f"tosca-parser gave no answer within {self._seconds:.0f} seconds.",))
        self._idle.put(child)
        found = json.loads(answer)
        return Verdict(found["verdict"], tuple(found["errors"]))

    def _take(self) -> _Child:
        """A child with nothing to do. The first is started at once, others when waiting takes longer than loading."""
        most = 1
        while not self._may_start(most):
            try:
                return self._idle.get(timeout=PATIENCE)
            except queue.Empty:
                most = self._most
        return self._start()

    def _may_start(self, most: int) -> bool:
        """Whether fewer than this many are alive; one more is counted as such then."""
        with self._lock:
            if self._alive >= most:
                return False
            self._alive += 1
            return True

    def _start(self) -> _Child:
        try:
            return _Child()
        except OSError:
            self._forget()
            raise

    def _end(self, child: _Child) -> None:
        child.end()
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._alive -= 1
