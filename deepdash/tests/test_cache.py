"""The cache in Redis while Redis is away, and the one in the database that several processes share without it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection

from deepdash.cache import ForgivingRedisCache
from deepdash.database_cache import CountingDatabaseCache
from deepdash.limits import count


@pytest.fixture
def away() -> Iterator[ForgivingRedisCache]:
    """A cache whose Redis refuses connections (port 9 of this machine)."""
    yield ForgivingRedisCache("redis://127.0.0.1:9/1", {"OPTIONS": {"socket_connect_timeout": 1}})
    ForgivingRedisCache.resting_until = 0.0


def test_it_is_an_empty_cache_in_which_everybody_is_first(away: ForgivingRedisCache) -> None:
    def rested() -> ForgivingRedisCache:
        ForgivingRedisCache.resting_until = 0.0
        return away

    assert rested().get("a") is None
    assert rested().get("a", "other") == "other"
    assert rested().get("a", default="other") == "other"
    assert rested().add("a", 1) is True
    assert rested().set("a", 1) is None
    assert rested().get_many(["a", "b"]) == {}
    assert rested().set_many({"a": 1}) == ["a"]
    assert rested().has_key("a") is False
    assert rested().delete("a") is False
    assert rested().touch("a") is False
    with pytest.raises(ValueError, match="does not answer"):
        rested().incr("a")


def test_after_a_failure_it_is_left_alone_for_a_while(
    away: ForgivingRedisCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    away.get("a")

    def fail(*args: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(type(away._cache), "get", fail)
    started = time.monotonic()
    for _ in range(100):
        away.get("a")
    assert time.monotonic() - started < 1


def test_limits_let_everybody_through_rather_than_nobody(
    away: ForgivingRedisCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepdash.limits.cache", away)

    for _ in range(5):
        count("trial", "somebody", limit=1, seconds=60)


@pytest.mark.django_db
def test_a_counter_in_the_database_is_forgotten_at_the_time_it_was_begun_with() -> None:
    cache = CountingDatabaseCache("deepdash_cache", {})
    with time_machine.travel(datetime(2026, 11, 23, tzinfo=UTC), tick=False) as clock:
        cache.add("calls", 1, 60)
        for _ in range(3):
            clock.shift(15)
            cache.incr("calls")
        assert cache.get("calls") == 4
        clock.shift(16)
        assert cache.get("calls") is None
        with pytest.raises(ValueError, match="not found"):
            cache.incr("calls")


@pytest.mark.django_db(transaction=True)
def test_a_counter_in_the_database_misses_no_call_of_several_at_once() -> None:
    cache = CountingDatabaseCache("deepdash_cache", {})
    cache.add("calls", 0, 600)

    def calls() -> None:
        for _ in range(10):
            cache.incr("calls")
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(calls) for _ in range(4)]:
            done.result()
    assert cache.get("calls") == 40
