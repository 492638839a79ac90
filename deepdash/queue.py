"""The state of the background work: is anything waiting, does somebody do it, does somebody ask for it."""

import logging
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache

from deepdash.config import config
from deepdash.metrics import Gauge

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)
HEARTBEAT = 60.0  # seconds
SILENCE = 3 * HEARTBEAT + 5  # then beat or the workers are taken for dead
_KEY = "deepdash:heartbeat"


def heartbeat_note() -> None:
    """Called by the task that beat sends every minute: it proves beat, broker and a worker at once."""
    cache.set(_KEY, time.time(), None)


def heartbeat_age() -> float | None:
    """Seconds since the last one, None when there was none yet (or the cache was emptied)."""
    noted = cache.get(_KEY)
    return None if noted is None else abs(time.time() - noted)  # a clock may have been set back since


def is_worked() -> bool:
    """True when scheduler and workers have been heard of lately."""
    age = heartbeat_age()
    return age is not None and age < SILENCE


def broker() -> "Redis":
    """A connection to the broker's database with short time limits. Only where REDIS_URL is set."""
    from redis import Redis  # five megabytes that nobody needs without it

    times = {"socket_connect_timeout": 1, "socket_timeout": 2}
    return Redis.from_url(settings.CELERY_BROKER_URL, **times, **settings.REDIS_TLS)


def nudge(task: Any, *args: Any, countdown: float | None = None) -> None:
    """Have a worker do a task soon. Only for what a periodic task makes up for: without the queue nothing is sent."""
    from kombu.exceptions import OperationalError  # who leaves no tasks need not load it

    try:
        task.apply_async(args, countdown=countdown)
    except OperationalError as error:
        log.warning("%s waits for the next scheduled look, the queue can't be reached: %s", task.name, error)


def queue_length() -> int | None:
    """How many tasks wait; None without a queue or when Redis does not answer."""
    if not config.REDIS_URL:
        return None
    from redis.exceptions import RedisError

    try:
        with broker() as redis:
            return int(redis.llen(settings.CELERY_TASK_DEFAULT_QUEUE))
    except (RedisError, OSError):
        return None


def _lengths() -> list[tuple[dict[str, str], float]]:
    length = queue_length()
    return [] if length is None else [({}, length)]


def _silence() -> list[tuple[dict[str, str], float]]:
    age = heartbeat_age()
    return [] if age is None else [({}, age)]


def _parts() -> list[tuple[dict[str, str], float]]:
    parts = {"redis": queue_length() is not None} if config.REDIS_URL else {}
    return [({"part": part}, float(up)) for part, up in {**parts, "worker": is_worked()}.items()]


# The two below are gone while Redis is: an alarm needs something that stays.
Gauge("part_up", "1 for each part of the site that answers, 0 for one that does not.", _parts)
Gauge("queue_length", "Background tasks that wait for a worker.", _lengths)
Gauge("heartbeat_age_seconds", "Time since scheduler and worker last proved to be alive.", _silence)
