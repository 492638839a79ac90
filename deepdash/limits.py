"""How often somebody may do what is dear: a counter in the cache per person and minute (or other span).

A fixed window: the counter starts with the first call and is forgotten ``seconds`` later. That lets through at most
twice the limit around a border, which is good enough against a loop gone wild, and needs one cache call.
"""

import functools
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from deepdash.addresses import client_address
from deepdash.errors import Problem

log = logging.getLogger(__name__)
View = TypeVar("View", bound=Callable[..., HttpResponseBase])
LEASE = 30  # seconds after which a place is free again whose process is gone


def limited(
    name: str, *, limit: int, seconds: int, methods: tuple[str, ...] = ("POST",), per: str = ""
) -> Callable[[View], View]:
    """Let a view be called at most ``limit`` times in ``seconds`` by one person; then Problem ``page:busy`` (429).

    A person is the signed-in user, else the address the call comes from; ``per="everybody"`` counts all together.
    Only the ``methods`` named count.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in methods:
                count(name, per or _person(request), limit=limit, seconds=seconds)
            return view(request, *args, **kwargs)

        return counted  # type: ignore[return-value]  # same signature as the view

    return decorate


def count(name: str, who: str, *, limit: int, seconds: int) -> None:
    """Count one call of ``name`` by ``who``. Raises Problem ``page:busy`` when it is one too many."""
    key = f"limit:{name}:{hashlib.sha256(who.encode()).hexdigest()[:24]}"
    if cache.add(key, 1, seconds):
        return
    try:
        calls = cache.incr(key)
    except ValueError:  # it ran out in between
        return
    if calls > limit:
        if calls == limit + 1:  # once per window is enough in the log
            log.warning("%s: more than %d calls in %d s by one caller", name, limit, seconds)
        raise Problem("page:busy", seconds=seconds)


def place_take(name: str, who: str, *, each: int, total: int, seconds: int) -> Callable[[], None]:
    """Take a place for something long; returns what gives it back. It is free again after ``seconds`` at the latest.

    One person has ``each`` places at the same time, everybody together ``total``. Raises Problem ``page:full``.
    A thread renews it while it is held, since what holds it may wait long for one answer: should this process be
    killed, the place is free again after LEASE.
    """
    taken: list[str] = []
    given_back = threading.Event()

    def give_back() -> None:
        given_back.set()
        cache.delete_many(taken)

    def renew() -> None:
        until = time.monotonic() + seconds
        while not given_back.wait(LEASE / 3) and (left := until - time.monotonic()) > 0:
            for key in taken:
                cache.touch(key, min(LEASE, left))

    for whose, places in ((hashlib.sha256(who.encode()).hexdigest()[:24], each), ("everybody", total)):
        keys = (f"place:{name}:{whose}:{number}" for number in range(places))
        free = next((key for key in keys if cache.add(key, 1, min(LEASE, seconds))), None)
        if free is None:
            give_back()
            raise Problem("page:full")
        taken.append(free)
    threading.Thread(target=renew, name=f"place {name}", daemon=True).start()
    return give_back


def _person(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return f"user {user.pk}" if user is not None and user.is_authenticated else f"at {client_address(request)}"
