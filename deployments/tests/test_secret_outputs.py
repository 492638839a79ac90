"""Secret outputs: their names are kept, their values are shown when asked for, and left nowhere."""

import logging
from typing import Any

import pytest
import responses
from django.core import serializers
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from deployments.models import Action, Deployment
from deployments.states import Status
from deployments.testing import make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR

HTMX = {"HX-Request": "true"}
VALUE = "hush <hush> 4711"
SHOWN = "hush &lt;hush&gt; 4711"


@pytest.fixture
def mine(owner: User, wire: responses.RequestsMock) -> Deployment:
    mine = make_deployment(owner, outputs={"endpoint": "http://203.0.113.7:1"}, secret_outputs=["jupyter_password"])
    outputs = {"endpoint": "http://203.0.113.7:1", "jupyter_password": VALUE}
    wire.get(f"{ORCHESTRATOR}/deployments/{mine.uuid}", json=upstream(str(mine.uuid), owner=owner, outputs=outputs))
    return mine


def address(deployment: Deployment) -> str:
    return f"/deployments/{deployment.reference}/secrets"


def text(response: Any) -> str:
    return str(response.content.decode())


def test_they_are_asked_for_only_by_a_post(mine: Deployment, browser: Client, wire: responses.RequestsMock) -> None:
    page = text(browser.get(address(mine)))
    assert "jupyter_password" in page
    assert "Show them" in page
    assert len(wire.calls) == 0
    shown = browser.post(address(mine))
    assert SHOWN in text(shown)
    assert "203.0.113.7" not in text(shown)  # the others have their place
    assert "no-store" in shown.headers["Cache-Control"]
    assert SHOWN not in text(browser.get(f"/deployments/{mine.uuid}"))


def test_the_page_of_the_deployment_gets_the_rows_alone(mine: Deployment, browser: Client) -> None:
    assert f'hx-post="{address(mine)}" hx-target="#secret-outputs"' in text(browser.get(f"/deployments/{mine.uuid}"))
    rows = browser.post(address(mine), headers=HTMX)
    assert text(rows).startswith('<tbody id="secret-outputs">')
    assert SHOWN in text(rows)
    assert "no-store" in rows.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nx\n", "alpine-plants-jupyter_password.pem"),
        ("apiVersion: v1\nkind: Config\n", "alpine-plants-jupyter_password.yaml"),
        (VALUE, "alpine-plants-jupyter_password.txt"),
    ],
)
def test_one_is_saved_as_a_file(
    mine: Deployment, owner: User, browser: Client, wire: responses.RequestsMock, value: str, name: str
) -> None:
    told = upstream(str(mine.uuid), owner=owner, outputs={"jupyter_password": value})
    wire.replace(responses.GET, f"{ORCHESTRATOR}/deployments/{mine.uuid}", json=told)
    answer = browser.post(address(mine), {"save": "jupyter_password"})
    assert text(answer) == value
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "no-store" in answer["Cache-Control"]
    assert "attachment" not in str(browser.post(address(mine), {"save": "endpoint"}).headers)


def test_the_values_are_left_nowhere_and_the_look_is_on_record(
    mine: Deployment, browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser.post(address(mine))
    mine.refresh_from_db()
    assert mine.secret_outputs == ["jupyter_password"]
    everything = serializers.serialize(
        "json", [*Deployment.objects.all(), *mine.events.all(), *Action.objects.all(), *User.objects.all()]
    )
    assert "4711" not in everything + caplog.text + str(dict(browser.session)) + str(vars(cache).get("_cache", ""))
    assert [(action.what, action.result) for action in Action.objects.all()] == [("reveal", Action.Result.DONE)]
    assert "You looked at its secret outputs" in text(browser.get(f"/deployments/{mine.uuid}"))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_orchestrator_that_is_down_is_said_in_place(
    headers: dict[str, str], mine: Deployment, browser: Client, wire: responses.RequestsMock
) -> None:
    wire.replace(responses.GET, f"{ORCHESTRATOR}/deployments/{mine.uuid}", status=503)
    answer = browser.post(address(mine), headers=headers)
    assert "reports a fault" in text(answer)
    assert answer.status_code == (200 if headers else 502)  # a part of a page is swapped in, whatever it says
    assert "jupyter_password" in text(answer)
    assert Action.objects.get().result == Action.Result.FAILED


def test_those_of_what_is_gone_were_never_kept(owner: User, browser: Client, wire: responses.RequestsMock) -> None:
    gone = make_deployment(owner, status=Status.GONE, secret_outputs=["token"])
    assert "Show secrets" not in text(browser.get(f"/deployments/{gone.uuid}"))
    answer = browser.post(address(gone))
    assert answer.status_code == 409
    assert len(wire.calls) == 0


def test_nobody_else_sees_them(mine: Deployment, stranger: User, wire: responses.RequestsMock) -> None:
    other = Client()
    other.force_login(stranger)
    assert other.post(address(mine)).status_code == 404
    assert len(wire.calls) == 0


def test_they_take_the_forms_secret(mine: Deployment, owner: User, wire: responses.RequestsMock) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(address(mine)).status_code == 403
    assert len(wire.calls) == 0
