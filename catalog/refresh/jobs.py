"""Slow calls side by side in threads, their results handled one by one in the calling thread."""

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from types import TracebackType
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from deepdash.errors import Problem

log = logging.getLogger(__name__)
T = TypeVar("T")
TICK = 5.0  # seconds


class Jobs:
    """A bounded number of calls at once. Handlers run in the thread that calls ``drain`` and may add more.

    The calls must not use the database: threads would open connections of their own.
    """

    def __init__(self, *, at_once: int, tick: Callable[[], None], broken: Callable[[str, Problem], None]) -> None:
        """``tick`` is called often; ``broken`` gets the name of a call whose handler failed, and why."""
        self._pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="refresh")
        self._handlers: dict[Future[Any], tuple[str, Callable[[Any], None]]] = {}
        self._tick, self._broken = tick, broken

    def __enter__(self) -> "Jobs":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, name: str, call: Callable[[], T], handle: Callable[["T | Problem"], None]) -> None:
        """Make a call soon; ``handle`` gets what it returns, or the Problem it raised. ``name`` is the item's."""
        self._handlers[self._pool.submit(copy_context().run, call)] = name, handle

    def drain(self) -> None:
        """Return when all calls, also those added meanwhile, are made and handled; ticks in between."""
        while self._handlers:
            done, _ = wait(self._handlers, timeout=TICK, return_when=FIRST_COMPLETED)
            self._tick()
            for future in done:
                self._handle(future)

    def _handle(self, future: Future[Any]) -> None:
        name, handle = self._handlers.pop(future)
        try:
            handle(_outcome(future))
        except SoftTimeLimitExceeded:  # it concerns the whole run, not the item in hand
            raise
        except Exception as error:  # such as a value that the database refuses: the other items go on
            log.exception("the result for %s can't be stored", name)
            self._broken(name, Problem("page:broken", detail=type(error).__name__))


def _outcome(future: Future[T]) -> "T | Problem":
    try:
        return future.result()
    except Problem as problem:
        return problem
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:  # one item's unforeseen trouble must not end the refresh of all others
        log.exception("a call of the refresh failed")
        return Problem("page:broken", detail=type(error).__name__)
