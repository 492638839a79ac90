"""Background work as on a real site: gunicorn, Redis, PostgreSQL, two workers and beat, pushes as GitHub signs them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import requests

from tests.servers import Server, postgres, redis
from tests.stack import Stack, running
from tests.test_doctor import doctor
from tests.visitor import Visitor

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
HELD = 60  # seconds that a call waits for its answer, unless the services are healed before
SECRET = "deepdash-sandbox-webhook-secret"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("celery-database")) as server:
        yield server


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with redis(tmp_path_factory.mktemp("celery-broker")) as server:
        yield server


@pytest.fixture(scope="module")
def one_site(database: Server, broker: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    keys = {
        "DATABASE_URL": database.url,
        "REDIS_URL": broker.url,
        "GITHUB_SECRET": SECRET,
        "WEBHOOK_REPOSITORIES": ["indigo-dc/tosca-templates", "deephdc/*"],
    }
    with running(tmp_path_factory.mktemp("celery"), extra=keys, environment={"WORKERS": "2"}) as stack:
        stack.start_worker()
        yield stack


class Rows:
    """What the database holds of runs and deliveries."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def all(self, statement: str, *values: Any) -> list[Any]:
        return self.connection.execute(statement, values).fetchall()

    def states(self, after: int) -> list[str]:
        """States of the runs that came after one, oldest first."""
        return [row[0] for row in self.all("select state from catalog_refreshrun where id > %s order by id", after)]

    def age_running(self) -> None:
        """Make the silence of the running run two minutes longer, lest a test has to wait for it."""
        self.connection.execute(
            "update catalog_refreshrun set alive_at = alive_at - interval '2 minutes' where state = 'running'"
        )

    def last_run(self) -> int:
        return int(self.all("select coalesce(max(id), 0) from catalog_refreshrun")[0][0])


@pytest.fixture
def rows(database: Server, one_site: Stack) -> Iterator[Rows]:
    """The database, with all runs at their end before and after."""
    one_site.heal()
    found = Rows(database.url)
    until(lambda: not pending(found), "the runs of before end")
    yield found
    one_site.heal()
    until(lambda: not pending(found), "all runs end")
    found.connection.close()


def pending(rows: Rows) -> list[Any]:
    return rows.all("select state, trigger from catalog_refreshrun where state in ('waiting', 'running')")


def until(true: Callable[[], Any], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.1)


def deliver(site: Stack, **delivery: Any) -> dict[str, Any]:
    """A delivery signed and made by the sandbox; its answer with ``status``, ``body``, ``seconds``."""
    wanted = {"url": f"{site.url}/reload", "secret": SECRET, "after": "a" * 40, **delivery}
    return dict(site.control("POST", "webhook", wanted))


def test_a_signed_push_brings_what_was_pushed(one_site: Stack, rows: Rows) -> None:
    path = "deep-oc/deep-oc-pushed.yml"
    text = (one_site.data / "tosca-templates" / "deep-oc" / "deep-oc-marathon-minimal.yml").read_text("utf-8")
    one_site.control("POST", "catalogue/push", {"path": path, "content": text + "\n# pushed\n"})
    before = rows.last_run()
    assert deliver(one_site, signature="wrong")["status"] == 403
    assert deliver(one_site, signature="none")["status"] == 403
    assert deliver(one_site, ref="refs/heads/topic")["status"] == 200
    assert deliver(one_site, event="ping")["status"] == 200
    assert rows.states(before) == []
    answer = deliver(one_site, modified=[path], form=True)
    assert answer["status"] == 202
    until(lambda: rows.states(before) == ["done"], "the refresh that the push asked for")
    assert rows.all("select 1 from catalog_template where path like %s and state = 'live'", "%deep-oc-pushed.yml")
    assert deliver(one_site, modified=[path], delivery=answer["delivery"])["status"] == 200
    assert rows.states(before) == ["done"], "a repeated delivery asks for nothing"


def test_a_hundred_pushes_at_once_make_at_most_two_runs(one_site: Stack, rows: Rows) -> None:
    before = rows.last_run()
    one_site.fault("github", latency=HELD)  # so that a run is under way until all have come in
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: deliver(one_site)["status"], range(100)))
    one_site.heal()
    assert statuses == [202] * 100
    until(lambda: not pending(rows), "all runs end")
    states = rows.states(before)
    assert states in (["done"], ["done", "done"]), states
    kept = rows.all("select count(*), count(distinct run_id) from catalog_webhookdelivery where run_id > %s", before)
    assert kept == [(100, len(states))], "each delivery knows the run that served it"


def test_a_worker_killed_in_mid_refresh_leaves_nothing_undone(one_site: Stack, rows: Rows) -> None:
    before = rows.last_run()
    one_site.fault("github", latency=HELD)
    assert deliver(one_site)["status"] == 202
    until(lambda: rows.states(before) == ["running"], "the refresh begins")
    one_site.kill_workers()
    assert rows.states(before) == ["running"], "nobody was left to say otherwise"
    assert deliver(one_site)["status"] == 202, "the webhook goes on without workers"
    one_site.heal()
    rows.age_running()
    one_site.start_worker()
    one_site.start_worker()
    until(lambda: not pending(rows), "another worker does what was asked for", 180)
    assert rows.states(before) == ["abandoned", "done"], "one run serves both pushes"


def test_a_killed_refresh_is_done_again_though_nobody_asks(one_site: Stack, rows: Rows) -> None:
    before = rows.last_run()
    one_site.fault("github", latency=HELD)
    assert deliver(one_site)["status"] == 202
    until(lambda: rows.states(before) == ["running"], "the refresh begins")
    one_site.kill_workers()
    one_site.heal()
    rows.age_running()
    one_site.start_worker()
    one_site.start_worker()
    # A worker that starts looks for it, and beat has one look each minute; the message itself comes back in an hour.
    until(lambda: rows.states(before) == ["abandoned", "done"], "it is done again", 180)
    found = rows.all("select trigger from catalog_refreshrun where id > %s order by id", before)
    assert found == [("webhook",), ("restart",)]


def test_deliveries_are_answered_while_a_refresh_runs(
    one_site: Stack, rows: Rows, record_property: Callable[[str, object], None]
) -> None:
    """That it takes at most 100 ms is reported, not asserted: it depends on the machine."""
    before = rows.last_run()
    one_site.fault("github", latency=HELD)
    assert deliver(one_site)["status"] == 202
    until(lambda: "running" in rows.states(before), "the refresh begins")
    answers = [deliver(one_site) for _ in range(20)]
    assert "running" in rows.states(before), "it ran all the while"
    assert {answer["status"] for answer in answers} == {202}
    seconds = sorted(answer["seconds"] for answer in answers)
    record_property("median_ms", round(seconds[10] * 1000))
    print(f"answers while a refresh runs: median {seconds[10] * 1000:.0f} ms, worst {seconds[-1] * 1000:.0f} ms")


def test_a_push_while_redis_is_away_is_refreshed_later(one_site: Stack, rows: Rows, broker: Server) -> None:
    before = rows.last_run()
    broker.stop()
    try:
        assert deliver(one_site)["status"] == 202
        assert rows.states(before) == ["waiting"]
    finally:
        broker.start()
    one_site.start_worker()  # which looks for what was left; so does beat, each minute
    until(lambda: rows.states(before)[:1] == ["done"], "it is taken up")


def test_the_doctor_names_the_workers_when_none_is_left(one_site: Stack, rows: Rows) -> None:
    one_site.manage("shell", "-c", "from deepdash.tasks import heartbeat; heartbeat.delay()")

    def unwell() -> set[str]:
        _, lines = doctor(one_site)
        return {line.split(None, 1)[1].partition(":")[0] for line in lines if line.startswith(("warn", "FAIL"))}

    until(lambda: not {"Worker", "Beat", "Redis"} & unwell(), "all are alive")
    one_site.kill_workers()
    assert "Worker" in unwell()
    one_site.start_worker()
    until(lambda: "Worker" not in unwell(), "the new one answers")


class TestBatchOfTrainings:
    """A grid of trainings goes on after its worker was killed, wherever that happened, and starts nothing twice."""

    @pytest.fixture
    def ada(self, one_site: Stack, rows: Rows) -> Visitor:
        return Visitor(one_site.url).sign_in("ada")

    @pytest.fixture
    def place(self, ada: Visitor) -> str:
        page = ada.submit(ada.get("/module/deep-oc-alpine-flora"), "/module/", ("action", "deploy"), title="Grid")
        address = page.url.partition("?")[0]
        until(lambda: "Ready" in ada.get(f"{address}?fresh=1").words, "the deployment is ready")
        ada.get(f"{address}/training?fresh=1")
        return address

    def test_a_worker_killed_in_mid_batch(self, one_site: Stack, ada: Visitor, place: str, rows: Rows) -> None:
        one_site.control("PUT", "settings", {"training": 20})  # a second by the sandbox's clock
        page = ada.submit(
            ada.get(f"{place}/training/batch"), "/training/batch", ("action", "start"),
            axis_1="epochs", values_1="1, 2, 3, 4", **{"a-dataset": "/srv"},
        )  # fmt: skip
        batch = page.url

        def looked() -> list[tuple[int, str]]:
            ada.fragment(batch)  # as a page that somebody watches: the next step need not wait for beat's minute
            return rows.all(
                "select batch_place, deployments_training.status from deployments_training"
                " join deployments_trainingbatch b on b.id = batch_id where b.key = %s order by batch_place",
                batch.rsplit("/", 1)[1],
            )

        until(lambda: len(looked()) >= 1, "the first is started")
        one_site.fault("deepaas", method="POST", latency=HELD)
        until(lambda: "starting" in dict(looked()).values(), "another one is being sent")
        one_site.kill_workers()  # in the middle of the call, which DEEPaaS goes on with
        one_site.heal()
        begun = dict(looked())
        rows.connection.execute(
            "update deployments_trainingbatch set claimed_until = claimed_until - interval '2 minutes'"
        )  # nobody holds it any more, which is known by itself a minute later
        one_site.start_worker()
        one_site.start_worker()
        until(lambda: {"done"} == set(dict(looked()).values()) and len(looked()) == 4, "all four are done", 180)
        assert len(begun) < 4, "it was killed before its end"
        assert list(dict(looked())) == [0, 1, 2, 3]
        endpoint = rows.all(
            "select outputs ->> 'deepaas_endpoint' from deployments_deployment where uuid = %s", place.rsplit("/", 1)[1]
        )[0][0]
        told = requests.get(f"{endpoint}/v2/models/alpine_flora/train/", timeout=10).json()
        assert sorted(run["args"]["epochs"] for run in told) == [1, 2, 3, 4], "nothing was started twice"
