"""Asks tosca-parser about templates through child processes that are limited in time and memory, and reused."""

import json
import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

log = logging.getLogger(__name__)

VALID, INVALID, PARSER_FAILED, UNREADABLE = "valid", "invalid", "parser_failed", "unreadable"
TIME_LIMIT = 10.0  # seconds for one template; the slowest honest one takes 0.3
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
                stream.close()


class Checker:
    """A small pool of children; threads may share it. Use it as a context manager, so that they end with the work."""

    def __init__(self, *, children: int = 2, seconds: float = TIME_LIMIT) -> None:
        self._seconds = seconds
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._idle.put(None)  # started when first needed

    def __enter__(self) -> "Checker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._idle.empty():
            child = self._idle.get()
            if child:
                child.end()

    def prepare(self) -> None:
        """Have a child load while other things are waited for, if something will have to be checked."""
        child = self._idle.get()
        self._idle.put(child or _Child())

    def check(self, text: str, types: Mapping[str, str]) -> Verdict:
        """The verdict on a template, given the texts of the type files it imports, nested ones included.

        Never raises for what a template can do; one that hangs, crashes or exhausts its child has failed the
        parser. Raises OSError when no child can be started.
        """
        child = self._idle.get()
        try:
            if child is None:
                child = _Child()
            try:
                answer = child.ask(json.dumps({"template": text, "types": dict(types)}), self._seconds)
            except OSError:
                child.end()
                child = None
                raise
            if not answer:
                child.end()
                child = None
                return Verdict(PARSER_FAILED, (f"tosca-parser gave no answer within {self._seconds:.0f} seconds.",))
            found = json.loads(answer)
            return Verdict(found["verdict"], tuple(found["errors"]))
        finally:
            self._idle.put(child)
