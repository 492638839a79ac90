"""kill -9 of each process, in the middle of what it does: nothing is sent twice, nothing is lost."""

import os
import signal
import time
from urllib.parse import urlsplit

import pytest
import requests

from tests.faults.conftest import Tell
from tests.faults.site import MODULE, Site, Watched, meanwhile, until
from tests.stack import wait_for
from tests.visitor import Page, Visitor

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
HELD = 60  # seconds that a call waits for its answer, unless the services are healed before


def send(visitor: Visitor, page: Page, title: str) -> Page:
    return visitor.submit(page, "/module/", ("action", "deploy"), title=title)


def accepted(site: Site) -> int:
    """How many deployments the orchestrator was asked for since its calls were cleared."""
    return site.stack.calls("orchestrator", "POST", "/deployments")


def known(site: Site, visitor: Visitor, title: str) -> bool:
    """Whether a look at the orchestrator tells which deployment that is."""
    visitor.get("/deployments?fresh=1")
    return all(uuid for _, uuid in site.records(title))


@pytest.mark.parametrize("whole", [False, True], ids=["its processes", "the whole host"])
def test_the_web_host_dies_while_a_deployment_is_sent(site: Site, tell: Tell, whole: bool) -> None:
    title, ada = f"Sent as the host died {whole}", site.visitor("ada")
    page = ada.get(MODULE)
    site.stack.fault("orchestrator", method="POST", latency=HELD)
    site.stack.control("DELETE", "calls")
    sent = meanwhile(send, ada, page, title)
    until(lambda: site.stack.is_asked("orchestrator", "POST"), "the deployment is being sent")
    with Watched(ada) as watched:
        killed = time.monotonic()
        if whole:
            site.stack.web.kill()
            site.stack.web.start()
        else:
            site.kill_web_processes()
        assert isinstance(sent.exception(), requests.ConnectionError)  # the browser's own page about it
        site.stack.heal()
    tell("pages away", watched.away)
    assert watched.seen == [], "no page of an error"
    until(lambda: accepted(site) == 1, "the orchestrator has made it")

    answer = send(ada, page, title)  # the browser offers to send it again

    assert (answer.status, answer.title) == (200, title)
    assert answer.url.startswith(f"{ada.base}/deployments/")
    until(lambda: known(site, ada, title), "our record is that deployment")
    tell("known again", time.monotonic() - killed)
    assert len(site.records(title)) == 1
    assert accepted(site) == 1
    assert title in ada.get("/deployments").words


def test_the_web_host_dies_while_it_gets_a_token_and_nothing_typed_is_lost(site: Site, tell: Tell) -> None:
    """IAM has taken the refresh token back for a new one, which died with the process: the user has to sign in."""
    title = "Typed before"
    ben = Visitor(site.stack.url).sign_in("ben", again=True)
    page = ben.get(MODULE)
    site.stack.control("PUT", "settings", {"rotate_refresh_tokens": True})
    site.stack.fault("iam", match="/token", latency=HELD)
    site.expire_token("ben")
    sent = meanwhile(send, ben, page, title)
    until(lambda: site.stack.is_asked("iam", "POST"), "a token is being refreshed")
    with Watched(ben) as watched:
        site.kill_web_processes()
        site.stack.heal()
        assert isinstance(sent.exception(), requests.ConnectionError)
    tell("pages away", watched.away)
    until(lambda: not site.stack.is_asked("iam", "POST"), "IAM has answered into the void")
    site.end_claims()  # else the other processes wait up to half a minute for the dead one

    answer = send(ben, page, title)

    assert "Your session has ended." in answer.words
    assert site.records(title) == []
    answer = ben.get("/login/iam?next=" + MODULE)  # IAM itself still knows who it is
    assert "It has not been sent yet." in answer.words
    assert dict(answer.form("/module/").form_values())["title"] == title
    assert send(ben, answer, title).title == title
    assert len(site.records(title)) == 1


def test_a_worker_dies_while_it_gets_a_token_and_the_user_notices_nothing(site: Site, tell: Tell) -> None:
    grace = site.visitor("grace")
    address = site.deployed(grace, "Watched")
    site.stack.control("PUT", f"deployments/{address.rsplit('/', 1)[1]}", {"status": "UPDATE_IN_PROGRESS"})
    grace.get(f"{address}?fresh=1")
    site.stack.fault("iam", match="/token", hang=HELD, times=1)
    site.expire_token("grace", seconds=100)
    site.call_task("deployments.tasks.watch_moving")
    until(lambda: site.stack.is_asked("iam", "POST"), "the worker asks for a token")
    site.stack.kill_workers()
    site.stack.heal()

    begun = time.monotonic()
    page = grace.get(f"{address}?fresh=1")

    tell("page in", time.monotonic() - begun)
    assert page.status == 200
    assert "Updating" in page.words
    assert "IAM" not in page.words, "the token that is left serves"
    site.end_claims()
    site.stack.start_worker()
    assert grace.get("/deployments?fresh=1").status == 200
    assert site.value("select expires_at > now() + interval '30 minutes' from accounts_token t join accounts_user u "
                      "on u.id = t.user_id where u.email like 'grace%%'")  # fmt: skip


def test_a_worker_dies_while_it_asks_for_trainings(site: Site) -> None:
    ada = site.visitor("ada")
    address = site.deployed(ada, "Trained as the worker died")
    page = ada.get(f"{address}/training?fresh=1")
    started = ada.submit(
        page, f"{urlsplit(address).path}/training", ("action", "start"), **{"a-dataset": "/srv/data", "a-epochs": "3"}
    )
    assert "Training started." in started.words, started.words[:600]
    site.stack.fault("deepaas", latency=HELD)
    site.ask_apis_again()
    site.call_task("deployments.trainings.tasks.watch_trainings")
    until(lambda: site.stack.is_asked("deepaas", "GET"), "the worker asks")
    site.stack.kill_workers()
    site.stack.heal()
    assert "Current training" in ada.get(f"{address}/training").words
    site.stack.start_worker()

    def ended() -> bool:
        site.ask_apis_again()
        site.call_task("deployments.trainings.tasks.watch_trainings")
        time.sleep(0.5)
        return bool(site.trainings(address)) and site.trainings(address)[0][0] == "done"

    until(ended, "another worker learns that it is done")
    assert [status for status, _ in site.trainings(address)] == ["done"]
    assert site.value("select count(*) from deployments_notice where training_id is not null "
                      "and headline like '%%Trained as the worker died%%'") == 1  # fmt: skip
    assert "Done" in ada.get(f"{address}/training").words


def test_a_worker_dies_while_it_starts_a_training_of_a_batch(site: Site) -> None:
    ada = site.visitor("ada")
    address = site.deployed(ada, "A batch as the worker died")
    ada.get(f"{address}/training?fresh=1")
    page = ada.get(f"{address}/training/batch")
    site.stack.control("DELETE", "calls")
    site.stack.fault("deepaas", method="POST", latency=HELD)
    grid = {"a-dataset": "/srv/data", "axis_1": "epochs", "values_1": "1, 2, 3"}
    batch = ada.submit(page, "/training/batch", ("action", "start"), **grid)
    assert "0 of 3 ended" in batch.words, batch.words[:900]
    until(lambda: site.stack.is_asked("deepaas", "POST"), "the worker starts the first one")
    site.stack.kill_workers()
    site.stack.heal()
    site.stack.start_worker()
    until(lambda: site.stack.calls("deepaas", "POST") == 1, "DEEPaaS has begun it")

    def ended() -> bool:
        site.end_claims()
        site.ask_apis_again()
        return "3 of 3 ended" in ada.fragment(batch.url).words  # which has a worker go on with it

    until(ended, "the batch ends")
    assert site.stack.calls("deepaas", "POST") == 3, "none was started twice"
    assert [status for status, _ in site.trainings(address)] == ["done"] * 3


def test_one_process_of_a_worker_dies_in_mid_refresh(site: Site) -> None:
    last = site.last_run()
    site.stack.fault("github", latency=HELD)
    site.call_task("catalog.tasks.refresh_catalog")
    until(lambda: site.runs(last) == ["running"], "the refresh begins")
    for pid in site.stack.workers[0].children:
        os.kill(pid, signal.SIGKILL)
    site.stack.heal()
    site.silence_runs()
    site.call_task("catalog.tasks.take_up_refresh")  # as beat does each minute
    until(lambda: site.runs(last)[1:2] == ["done"], "the same worker does it again")
    assert site.runs(last)[0] == "abandoned"


def test_beat_dies_and_makes_up_for_what_was_due_once(site: Site, tell: Tell) -> None:
    site.stack.beat.kill()
    assert site.visitor("ada").get("/deployments").status == 200
    site.moved(600)  # so long nobody missed it
    site.drop_heartbeat()
    assert site.ready() == {"ready": True, "down": ["worker"], "queued": 0}
    site.stack.kill_workers()
    started = time.monotonic()
    site.stack.beat.start()
    until(lambda: "deepdash.tasks.heartbeat" in site.queued(), "beat sends what is due")
    assert site.queued().count("deployments.tasks.watch_moving") == 1, "not once for each time that was missed"
    site.stack.start_worker()
    until(lambda: "worker" not in site.ready()["down"], "the heartbeat is back")
    tell("heartbeat after", time.monotonic() - started)


def test_postgresql_dies_while_a_deployment_is_sent_and_the_catalogue_refreshed(site: Site, tell: Tell) -> None:
    title, ada, last = "Sent as the database died", site.visitor("ada"), site.last_run()
    page = ada.get(MODULE)
    site.stack.fault("github", latency=HELD)
    site.call_task("catalog.tasks.refresh_catalog")
    until(lambda: site.runs(last) == ["running"], "the refresh begins")
    site.stack.fault("orchestrator", method="POST", latency=HELD)
    site.stack.control("DELETE", "calls")
    with Watched(ada) as watched:
        sent = meanwhile(send, ada, page, title)
        until(lambda: site.stack.is_asked("orchestrator", "POST"), "the deployment is being sent")
        killed = time.monotonic()
        site.database.kill()
        site.stack.heal()
        answer = sent.result()
        assert answer.status == 503
        assert answer.title == "The dashboard is unavailable for a moment."
        assert "look whether it arrived before you send it again" in answer.words
        assert requests.get(f"{ada.base}/readyz", timeout=10).json()["down"][0] == "database"
        assert requests.get(f"{ada.base}/healthz", timeout=10).status_code == 200
        site.database.start()
        back = time.monotonic()
    tell("pages away", watched.away)
    tell("of it the database itself", back - killed)
    assert [began for began in watched.failed if began > back] == [], "they are there as soon as the database is"
    assert {(page.status, page.title) for page in watched.seen} == {(503, "The dashboard is unavailable for a moment.")}
    assert title in ada.get("/deployments").words, "it was on record before it was sent"
    until(lambda: known(site, ada, title), "our record is that deployment")
    assert send(ada, page, title).title == title
    assert len(site.records(title)) == 1
    assert accepted(site) == 1
    site.silence_runs()
    site.call_task("catalog.tasks.take_up_refresh")
    site.call_task("catalog.tasks.refresh_catalog")
    until(lambda: site.runs(last)[-1] == "done", "the catalogue is refreshed")


def test_redis_dies_and_nobody_notices(site: Site, tell: Tell) -> None:
    title, ada, last = "Sent as Redis died", site.visitor("ada"), site.last_run()
    page = ada.get(MODULE)
    site.stack.fault("orchestrator", method="POST", latency=HELD)
    site.stack.fault("github", latency=HELD)
    site.call_task("catalog.tasks.refresh_catalog")
    until(lambda: site.runs(last) == ["running"], "the refresh begins")
    with Watched(ada) as watched:
        sent = meanwhile(send, ada, page, title)
        until(lambda: site.stack.is_asked("orchestrator", "POST"), "the deployment is being sent")
        site.broker.kill()
        site.stack.heal()
        assert sent.result().title == title
        for path in ("/", MODULE, "/deployments", "/slas", "/training"):
            assert ada.get(path).status == 200, path
        until(lambda: site.runs(last) == ["done"], "the refresh goes on")
        site.broker.start()
    tell("pages away", watched.away)
    assert watched.seen == []
    site.drop_heartbeat()
    started = time.monotonic()

    def beats() -> bool:
        # Celery's worker may end itself when Redis dies in mid-task; whoever watches over it starts it again.
        for worker in site.stack.workers:
            if not worker.is_running:
                worker.start()
        site.call_task("deepdash.tasks.heartbeat")
        time.sleep(0.2)
        return "worker" not in site.ready()["down"]

    until(beats, "the worker takes work again")
    tell("worker back after", time.monotonic() - started)


def test_the_services_die_while_a_deployment_is_sent(site: Site) -> None:
    title, ada = "Sent as the orchestrator died", site.visitor("ada")
    page = ada.get(MODULE)
    site.stack.fault("orchestrator", method="POST", latency=HELD)
    sent = meanwhile(send, ada, page, title)
    until(lambda: site.stack.is_asked("orchestrator", "POST"), "the deployment is being sent")
    site.stack.services.kill()
    answer = sent.result()
    assert answer.title == title
    assert "we don’t know whether it was accepted" in answer.words
    for path in ("/", MODULE, "/deployments", "/slas", "/training"):
        assert ada.get(path).status == 200, path
    assert "The orchestrator can’t be reached." in ada.get("/deployments?fresh=1").words
    site.stack.services.start()
    wait_for(f"{site.stack.sandbox}/control/", site.stack.services, site.stack.data / "sandbox.log")
    assert send(ada, page, title).url.partition("?")[0] == answer.url.partition("?")[0], "the same one"
    assert "Not known whether accepted" in ada.get("/deployments?fresh=1").words
    site.rows("update deployments_deployment set recorded_at = recorded_at - interval '5 minutes' where title = %s",
              title)  # fmt: skip
    assert "It never reached the orchestrator." in ada.get(f"{answer.url.partition('?')[0]}?fresh=1").words
    assert [status for status, _ in site.records(title)] == ["GONE"]
