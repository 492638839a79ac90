"""The clock of the site's processes leaps; PostgreSQL, Redis and IAM keep the right time."""

import time

import pytest

from tests.faults.conftest import Tell
from tests.faults.site import MODULE, Site, until

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
HOUR = 3600


def test_a_clock_runs_ahead_for_a_while_and_is_set_right(site: Site, tell: Tell) -> None:
    """Two hours ahead; what was noted then must not hold anything up for two hours afterwards."""
    ada = site.visitor("ada")
    address = site.deployed(ada, "Seen from the future")
    uuid = address.rsplit("/", 1)[1]
    site.moved(2 * HOUR)
    until(lambda: site.hours_ahead(ada, address) > 1, "the site believes it")
    assert "Seen from the future" in ada.get("/deployments?fresh=1").words, "nobody has to sign in"
    site.expire_token("ada")
    sent = ada.submit(ada.get(MODULE), "/module/", ("action", "deploy"), title="Sent from the future")
    assert sent.title == "Sent from the future"
    ada.get(f"{address}/training?fresh=1")
    last = site.last_run()
    site.call_task("catalog.tasks.refresh_catalog")
    until(lambda: site.runs(last)[-1:] == ["done"], "the catalogue is refreshed")
    assert site.value("select seen_at > now() + interval '1 hour' from deployments_deployment where uuid = %s", uuid)

    site.moved(0)

    site.stack.control("PUT", f"deployments/{uuid}", {"status": "UPDATE_FAILED"})
    until(lambda: "Update failed" in ada.get(f"{address}?fresh=1").words, "a look counts at once", 20)
    site.stack.control("PUT", f"deployments/{uuid}", {"status": "CREATE_COMPLETE"})
    until(lambda: "Answers" in ada.get(f"{address}?fresh=1").words, "so does the next")
    ada.get(f"{address}/training?fresh=1")
    assert site.value("select a.asked_at < now() + interval '5 minutes' from deployments_moduleapi a join "
                      "deployments_deployment d on d.id = a.deployment_id where d.uuid = %s", uuid)  # fmt: skip
    assert len(site.records("Sent from the future")) == 1
    last = site.last_run()
    site.call_task("catalog.tasks.refresh_catalog")
    until(lambda: site.runs(last)[-1:] == ["done"], "the catalogue is refreshed")


def test_beat_goes_on_when_its_clock_is_set_back(site: Site, tell: Tell) -> None:
    site.moved(-2 * HOUR)
    site.drop_heartbeat()
    began = time.monotonic()
    until(lambda: "worker" not in site.ready()["down"], "a heartbeat that beat asked for", 45)
    tell("heartbeat after", time.monotonic() - began)
