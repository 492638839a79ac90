"""Every page takes at most ten SQL statements, whatever it shows."""

import pytest
import responses
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from deployments.models import Deployment
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_services import LIST, of

MOST = 10


@pytest.fixture
def many(owner: User, wire: responses.RequestsMock) -> Deployment:
    found = [make_deployment(owner, deployment_kind="OPENSTACK") for _ in range(40)]
    for deployment in found[:5]:
        deployment.events.create(status="CREATE_COMPLETE")
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "3.0.1"}})
    wire.get(LIST, json=listing(*[of(deployment) for deployment in found]))
    wire.get(f"{LIST}/{found[0].uuid}", json=of(found[0]))
    wire.get(f"{LIST}/{found[0].uuid}/resources", json={"content": [], "links": []})
    wire.get(f"{LIST}/{found[0].uuid}/extrainfo", body="[]")
    return found[0]


@pytest.mark.parametrize(
    "path",
    [
        "/deployments", "/deployments?fresh=1", "/deployments?fresh=1&q=alp&status=ready",
        "/deployments?q=alp&sort=title&page=2", "/deployments/{uuid}", "/deployments/{uuid}/delete",
        "/deployments?group=plants&created_from=2026-03-02&created_to=2026-12-31",
        "/deployments/{uuid}/nodes", "/deployments/{uuid}/nodes?fresh=1", "/deployments/{uuid}/template",
        "/deployments/{uuid}/log", "/deployments/delete?pick={uuid}", "/deployments/group", "/notices", "/preferences",
        "/usage", "/settings", "/slas", "/deployments/rows?step=sync", "/deployments/rows?step=poll",
        "/deployments/rows?step=probe&group=plants",
        "/deployments/{uuid}/live?step=poll",
    ],
)  # fmt: skip
def test_a_page_takes_few_statements(path: str, many: Deployment, browser: Client) -> None:
    with CaptureQueriesContext(connection) as statements:
        answer = browser.get(path.format(uuid=many.uuid))
    assert answer.status_code in {200, 286}
    real = [s["sql"] for s in statements.captured_queries if "SAVEPOINT" not in s["sql"]]
    assert len(real) <= MOST, "\n".join(sql[:200] for sql in real)


@pytest.mark.parametrize(
    "path", ["/deployments/rows?step=sync", "/deployments?fresh=1", "/deployments?fresh=1&q=plants"]
)
def test_so_does_a_first_look_that_finds_everything_new(
    path: str, owner: User, wire: responses.RequestsMock, browser: Client
) -> None:
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "3.0.1"}})
    outputs = {"docker_image": "deephdc/deep-oc-plants:cpu", "deepaas_endpoint": "http://10.0.0.1:5000"}
    new = [upstream(owner=owner, status="CREATE_COMPLETE", outputs=outputs) for _ in range(40)]
    wire.get(LIST, json=listing(*new))
    browser.get("/preferences")  # somebody has been here before: what stands in the footer is known
    with CaptureQueriesContext(connection) as statements:
        answer = browser.get(path)
    assert answer.status_code == 200
    assert Deployment.objects.count() == 40
    if "fresh" in path and "q=" not in path:
        assert Deployment.objects.exclude(checked_at=None).count() == 25  # those on the page
    real = [s["sql"] for s in statements.captured_queries if "SAVEPOINT" not in s["sql"]]
    assert len(real) <= MOST, "\n".join(sql[:200] for sql in real)
