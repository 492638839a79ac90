"""Redis emptied, the database restarted: what users see, and that the work goes on."""

import pytest

from tests.faults.conftest import Tell
from tests.faults.site import MODULE, Site, Watched, until

pytestmark = [pytest.mark.redis, pytest.mark.postgres]


def test_redis_is_emptied(site: Site, tell: Tell) -> None:
    """Cache and queue are gone, also the message about a refresh; the wish for it is a row."""
    ada, last = site.visitor("ada"), site.last_run()
    page = ada.get(MODULE)
    with Watched(ada) as watched:
        for process in (site.stack.workers[0],):
            process.kill()
        site.call_task("catalog.tasks.refresh_catalog")
        site.rows("insert into catalog_refreshrun (trigger, \"only\", state, requested, counts, items) "
                  "values ('webhook', '', 'waiting', now(), '{}', '[]')")  # fmt: skip
        site.flush()
        assert "worker" in site.ready()["down"]
        assert site.ready()["queued"] == 0
        for path in ("/", MODULE, "/deployments", "/slas"):
            assert ada.get(path).status == 200, path
        title = "Sent after Redis was emptied"
        assert ada.submit(page, "/module/", ("action", "deploy"), title=title).title == title
        site.stack.workers.clear()
        site.stack.start_worker()
        until(lambda: site.runs(last) == ["done"], "the wish is taken up")
    tell("pages away", watched.away)
    assert watched.seen == []
    site.call_task("deepdash.tasks.heartbeat")
    until(lambda: "worker" not in site.ready()["down"], "the worker works")


def test_redis_is_emptied_under_a_worker(site: Site) -> None:
    site.flush()
    site.call_task("deepdash.tasks.heartbeat")
    until(lambda: "worker" not in site.ready()["down"], "the worker takes what comes afterwards")


def test_the_database_is_restarted_under_polling_pages(site: Site, tell: Tell) -> None:
    ada = site.visitor("ada")
    address = site.deployed(ada, "There before the restart")
    with Watched(ada, f"{address}/live") as fragment, Watched(ada, address) as watched:
        site.database.stop()
        away = ada.get(address)
        site.database.start()
    tell("page away", watched.away)
    assert (away.status, away.title) == (503, "The dashboard is unavailable for a moment.")
    assert away.response.headers["Retry-After"] == "10"
    assert "It comes back by itself" in away.words
    assert "Traceback" not in away.text
    # htmx puts no 503 into the page: what is there stays, and is asked for again.
    assert {(page.status, page.title) for page in fragment.seen} <= {(503, away.title)}
    assert "There before the restart" in ada.get(address).words
    assert site.ready()["ready"] is True
