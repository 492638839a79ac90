"""Services that answer after their time limit: the answer is lost, what they did is not."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Tell
from tests.faults.site import MODULE, Site, until

pytestmark = [pytest.mark.redis, pytest.mark.postgres]


def test_each_page_gives_up_in_time_and_has_the_rest(site: Site, tell: Tell) -> None:
    ada = site.visitor("ada")
    address = site.deployed(ada, "Asked too late")
    ada.get(f"{address}/training?fresh=1")
    for service in ("orchestrator", "slam", "cmdb", "im", "monitoring", "deepaas"):
        site.stack.fault(service, latency=60)
    asked = {
        "/deployments?fresh=1": "The orchestrator did not answer in time.",
        f"{address}?fresh=1": "The orchestrator did not answer in time.",
        "/slas?fresh=1": "SLAM did not answer in time.",
    }

    def timed(path: str) -> tuple[str, int, str, float]:
        began = time.monotonic()
        page = site.visitor("ada").get(path)
        return path, page.status, page.words, time.monotonic() - began

    with ThreadPoolExecutor(len(asked)) as pool:
        for path, status, words, seconds in pool.map(timed, asked):
            tell(path.replace(address, ""), seconds)
            assert status == 200, path
            assert asked[path] in words, (path, words[:600])
            assert seconds < 20, path
    site.stack.heal()
    assert "did not answer" not in ada.get("/deployments?fresh=1").words


def test_a_deletion_answered_too_late_is_not_asked_for_twice(site: Site) -> None:
    ada = site.visitor("ada")
    address = site.deployed(ada, "Deleted late")
    site.stack.control("DELETE", "calls")
    page = ada.get(f"{address}/delete")
    site.stack.fault("orchestrator", method="DELETE", latency=3, close=True)
    answer = ada.submit(page, "/delete")
    assert answer.status < 500 or answer.status == 502
    site.stack.heal()
    assert site.stack.calls("orchestrator", "DELETE") == 1


def test_a_token_that_comes_too_late_costs_no_page(site: Site, tell: Tell) -> None:
    ada = site.visitor("ada")
    site.stack.fault("iam", match="/token", latency=60)
    site.expire_token("ada", seconds=100)
    began = time.monotonic()
    page = ada.get("/deployments?fresh=1")
    tell("page in", time.monotonic() - began)
    assert page.status == 200
    assert "IAM" not in page.words, "the token that is left serves"
    site.expire_token("ada")
    form = ada.get(MODULE)
    refused = ada.submit(form, "/module/", ("action", "deploy"), title="Typed as IAM was slow")
    assert refused.status == 422
    assert "Not deployed: IAM can’t be reached." in refused.words
    assert dict(refused.form("/module/").form_values())["title"] == "Typed as IAM was slow"
    site.stack.heal()
    until(lambda: not site.stack.is_asked("iam", "POST"), "IAM has answered into the void")
    site.expire_token("ada")
    sent = ada.submit(refused, "/module/", ("action", "deploy"))
    assert sent.title == "Typed as IAM was slow"
    assert len(site.records("Typed as IAM was slow")) == 1
