"""A whole site whose parts can be killed one by one, what its database holds, and how long its pages were away."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urljoin

import psycopg
import requests
from celery import Celery
from redis import Redis

from tests.servers import Server
from tests.stack import Stack
from tests.visitor import Page, Visitor

MODULE = "/module/deep-oc-alpine-flora"
T = TypeVar("T")
_pool = ThreadPoolExecutor(32)


def until(found: Callable[[], T], what: str, seconds: float = 120) -> T:
    """What ``found`` gives as soon as that is true; fails when it does not become so in time."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.05)
    return value


def meanwhile(call: Callable[..., T], *args: Any, **kwargs: Any) -> "Future[T]":
    """A call in a thread of its own."""
    return _pool.submit(call, *args, **kwargs)


@dataclass
class Site:
    """A stack with PostgreSQL, Redis, worker and beat. ``clock`` is the file that moves the clock of its processes."""

    stack: Stack
    database: Server
    broker: Server
    clock: Path

    def heal(self) -> None:
        """No faults, no wrong clocks; IAM takes refresh tokens more than once, as it does by default."""
        self.moved(0)
        self.stack.heal()
        self.stack.control("PUT", "settings", {"rotate_refresh_tokens": False, "revoke_on_reuse": False})

    def visitor(self, person: str) -> Visitor:
        return Visitor(self.stack.url).sign_in(person)

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What a statement gives in the site's database; changes are made at once."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *values: Any) -> Any:
        return self.rows(statement, *values)[0][0]

    def records(self, title: str) -> list[Any]:
        """(status, the orchestrator's uuid) of what is on record under a title."""
        return self.rows("select status, uuid from deployments_deployment where title = %s", title)

    def kill_web_processes(self) -> None:
        """Each of gunicorn's processes that answer requests; it makes new ones."""
        for pid in self.stack.web.children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def moved(self, seconds: float) -> None:
        """The wall clock of web, worker and beat is so many seconds ahead of ours from now on."""
        self.clock.write_text(str(seconds), encoding="ascii")

    def call_task(self, name: str) -> None:
        """Leave a message for a worker, as beat does now and then."""
        # Tasks of this process stay those of the dashboard's own application.
        with Celery(broker=f"{self.broker.url}/0", set_as_current=False) as sender:
            sender.send_task(name, queue="deepdash")

    def queued(self) -> list[str]:
        """Names of the tasks whose messages wait for a worker."""
        with Redis.from_url(f"{self.broker.url}/0") as redis:
            messages: Any = redis.lrange("deepdash", 0, -1)
        return [json.loads(message)["headers"]["task"] for message in messages]

    def flush(self) -> None:
        """Redis forgets everything: cache and queue."""
        with Redis.from_url(self.broker.url) as redis:
            redis.flushall()

    def ready(self) -> dict[str, Any]:
        """What ``/readyz`` says."""
        return dict(requests.get(f"{self.stack.url}/readyz", timeout=10).json())

    # -- Time that has passed, lest a test has to wait for it ----------------------------------------------

    def expire_token(self, person: str, seconds: int = 0) -> None:
        """The person's access token is good for so many seconds more."""
        self.rows("update accounts_token set expires_at = now() + %s * interval '1 second', failed_at = null, "
                  "refreshed_at = now() - interval '1 hour' "
                  "from accounts_user u where u.id = user_id and u.email like %s", seconds, f"{person}%")  # fmt: skip

    def end_claims(self) -> None:
        """What a process that died had claimed is free again, as it is half a minute later, or one."""
        self.rows("update accounts_token set claimed_until = now() - interval '1 second'")
        self.rows("update deployments_trainingbatch set claimed_until = now() - interval '1 second'")

    def ask_apis_again(self) -> None:
        """All DEEPaaS are due to be asked for their trainings."""
        self.rows("update deployments_moduleapi set asked_at = null")

    def silence_runs(self) -> None:
        """The refresh that runs has not been heard of for two minutes."""
        self.rows("update catalog_refreshrun set alive_at = alive_at - interval '2 minutes' where state = 'running'")

    def drop_heartbeat(self) -> None:
        """Nobody has heard of the workers for long."""
        with Redis.from_url(f"{self.broker.url}/1") as redis:
            redis.delete(":1:deepdash:heartbeat")

    def hours_ahead(self, visitor: Visitor, address: str) -> float:
        """How far ahead of the database's clock the site's is, by what it notes of a look at a deployment."""
        visitor.get(f"{address}?fresh=1")
        uuid = address.rsplit("/", 1)[1]
        seconds = "extract(epoch from seen_at - now())"
        return float(self.value(f"select {seconds} / 3600 from deployments_deployment where uuid = %s", uuid))  # noqa: S608

    # -- What the database holds ---------------------------------------------------------------------------

    def last_run(self) -> int:
        until(lambda: not self.rows("select 1 from catalog_refreshrun where state in ('waiting', 'running')"),
              "the refreshes of before end")  # fmt: skip
        return int(self.value("select coalesce(max(id), 0) from catalog_refreshrun"))

    def runs(self, after: int) -> list[str]:
        """States of the refreshes that came after one, oldest first."""
        return [row[0] for row in self.rows("select state from catalog_refreshrun where id > %s order by id", after)]

    def trainings(self, address: str) -> list[Any]:
        """(status, uuid) of the trainings of the deployment at an address."""
        uuid = address.rsplit("/", 1)[1]
        return self.rows("select t.status, t.uuid from deployments_training t join deployments_deployment d "
                         "on d.id = t.deployment_id where d.uuid = %s order by t.id", uuid)  # fmt: skip

    def deployed(self, visitor: Visitor, title: str) -> str:
        """The address of a new deployment that can be opened."""
        page = visitor.submit(visitor.get(MODULE), "/module/", ("action", "deploy"), title=title)
        address = page.url.partition("?")[0]
        until(lambda: "Answers" in visitor.get(f"{address}?fresh=1").words, f"“{title}” is there")
        return address


class Watched:
    """Asks for a page all the time.

    ``away`` is the longest it did not come (seconds), ``seen`` what came instead, ``failed`` when those requests began.
    """

    def __init__(self, visitor: Visitor, path: str = "/deployments") -> None:
        self.url, self.session = urljoin(visitor.base, path), requests.Session()
        self.session.cookies.update(visitor.session.cookies.copy())
        self.away, self.seen, self.failed = 0.0, list[Page](), list[float]()
        self._ended, self._good = threading.Event(), 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        until(lambda: self._good, "the page comes at first")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It has to come once more."""
        good = self._good
        if error is None:
            until(lambda: self._good > good, f"{self.url} comes again")
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(0.05):
            began = time.monotonic()
            try:
                answer = self.session.get(self.url, timeout=5, allow_redirects=False)
            except requests.RequestException:
                self.failed.append(began)
                continue
            if not 200 <= answer.status_code < 300:  # 286 ends the polling of a page that is complete
                self.failed.append(began)
                self.seen.append(Page(answer))
                continue
            self.away, last = max(self.away, time.monotonic() - last), time.monotonic()
            self._good += 1
