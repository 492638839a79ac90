"""The deployments of a group: told by the orchestrator to its members, and never kept."""

from typing import Any

import pytest
import responses
from django.test import Client

from accounts.models import User
from accounts.testing import give_token, make_user
from deployments.models import Deployment
from deployments.testing import listing, upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_services import LIST

HTMX = {"HX-Request": "true"}


def text(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture
def group(owner: User, wire: responses.RequestsMock) -> Any:
    """What Ada is told of the group: one of her own, one of Ben's, and one of another group."""
    ben = make_user("ben")
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "2.8.0"}})
    items = [
        upstream("u-ada", owner=owner, userGroup="ml-users", outputs={"deployment_description": "Of Ada"}),
        upstream("u-ben", owner=ben, userGroup="ml-users", status="CREATE_COMPLETE",
                 outputs={"deployment_description": "Of Ben <b>", "deepaas_endpoint": "http://203.0.113.7:1"}),
        upstream("u-other", owner=ben, userGroup="physics", outputs={"deployment_description": "Of others"}),
    ]  # fmt: skip
    return wire.get(LIST, json=listing(*items))


def test_the_page_is_there_before_anybody_is_asked(browser: Client, wire: responses.RequestsMock) -> None:
    assert 'hx-get="/deployments/group?group=ml-users"' in text(browser.get("/deployments/group"))
    assert len(wire.calls) == 0


def test_members_see_state_and_maker_but_no_way_in(browser: Client, group: Any) -> None:
    page = text(browser.get("/deployments/group?group=ml-users", headers=HTMX))
    assert group.calls[0].request.params["userGroup"] == "ml-users"
    assert 'href="/deployments/u-ada"' in page
    assert "Of Ben &lt;b&gt;" in page
    assert "sub-ben" in page
    assert "u-ben" in page
    assert 'href="/deployments/u-ben"' not in page
    assert "203.0.113.7" not in page
    assert "Of others" not in page


def test_nothing_of_it_is_kept(browser: Client, group: Any) -> None:
    browser.get("/deployments/group?group=ml-users&fresh=1")
    assert not Deployment.objects.exists()


def test_only_ones_own_groups_can_be_asked_about(browser: Client, wire: responses.RequestsMock) -> None:
    for path in ("/deployments/group?group=physics", "/deployments/group?group=physics&fresh=1"):
        assert browser.get(path).status_code == 403
    assert len(wire.calls) == 0


def test_who_is_in_no_group_is_told(db: None, wire: responses.RequestsMock) -> None:
    nora = make_user("nora", groups=())
    give_token(nora)
    client = Client()
    client.force_login(nora)
    assert client.get("/deployments/group").status_code == 404


@pytest.mark.parametrize("version", ["2.5.0", ""])
def test_an_orchestrator_that_would_ignore_the_group_is_not_asked(
    browser: Client, wire: responses.RequestsMock, version: str, db: None
) -> None:
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": version}})
    page = text(browser.get("/deployments/group?fresh=1"))
    assert "list a group" in page
    assert not [call for call in wire.calls if "/deployments" in str(call.request.url)]


def test_an_orchestrator_in_trouble_is_said(browser: Client, wire: responses.RequestsMock) -> None:
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "2.8.0"}})
    wire.get(LIST, status=503, body="<html>")
    assert "The orchestrator" in text(browser.get("/deployments/group?fresh=1"))
