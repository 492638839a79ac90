"""The cache in Redis, made so that the dashboard goes on without it."""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
PAUSE = 5.0  # seconds in which a Redis that failed is left alone: each try may take as long as the connect timeout


def _forgiving(name: str, otherwise: Callable[[dict[str, Any], tuple[Any, ...]], Any]) -> Callable[..., Any]:
    """The cache's method of that name, with what to answer when Redis does not."""
    original = getattr(RedisCache, name)

    @functools.wraps(original)
    def call(self: "ForgivingRedisCache", *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self.resting_until:
            return otherwise(kwargs, args)
        try:
            return original(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            log.warning("The cache does not answer (%s); going on without it for %.0f s", type(error).__name__, PAUSE)
            type(self).resting_until = time.monotonic() + PAUSE
            return otherwise(kwargs, args)

    return call


def _default(kwargs: dict[str, Any], args: tuple[Any, ...]) -> Any:
    return kwargs.get("default", args[1] if len(args) > 1 else None)


def _gone(kwargs: dict[str, Any], args: tuple[Any, ...]) -> Any:
    raise ValueError("the cache does not answer")  # what incr raises for a key that is not there


class ForgivingRedisCache(RedisCache):
    """A cache that does not answer is an empty one: pages get slower, none fails.

    ``add`` then says yes, since "I was first" is the answer with which work goes on; nothing that must happen once
    leans on the cache alone (those claims are rows in the database).
    """

    resting_until = 0.0  # for all threads of this process

    add = _forgiving("add", lambda kwargs, args: True)
    get = _forgiving("get", _default)
    set = _forgiving("set", lambda kwargs, args: None)
    touch = _forgiving("touch", lambda kwargs, args: False)
    delete = _forgiving("delete", lambda kwargs, args: False)
    get_many = _forgiving("get_many", lambda kwargs, args: {})
    has_key = _forgiving("has_key", lambda kwargs, args: False)
    incr = _forgiving("incr", _gone)
    set_many = _forgiving("set_many", lambda kwargs, args: list(args[0]) if args else [])
    delete_many = _forgiving("delete_many", lambda kwargs, args: None)
    clear = _forgiving("clear", lambda kwargs, args: False)
