"""What a look at each page costs: statements in the database, and calls to outside services.

Every page and part of the URL configuration is asked for against a running sandbox, as a browser asks first, with
``?fresh=1`` and as a fragment. A new page is measured without anybody adding it here.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from requests.adapters import HTTPAdapter

from accounts.testing import configure, give_token
from deepdash.config import BASE_DIR
from deployments.models import Deployment, StorageAccount
from deployments.services import deployments_sync
from sandbox.providers import NORDIC
from sandbox.testing import SandboxThread
from tests.addresses import PAGES, READ, SAMPLES, addresses
from tests.things import adas_things

MACHINE = BASE_DIR / "sandbox/sample/tosca-templates/indigo-dc/deep-oc/deep-oc-virtual-machine.yaml"
MOST = 10  # statements
SEEDED = 30  # deployments beside the one looked at
SERVICE = NORDIC.service_id
NOBODY = "http://127.0.0.1:9/"  # where the services of all seeded deployments are said to be
LATENCY = 0.08  # seconds each service takes: calls that go one after another show

EXPECTED = {"deployments:again": {302}}
MANNERS: dict[str, dict[str, Any]] = {
    "first": {},
    "fresh": {"data": {"fresh": "1"}},
    "fragment": {"headers": {"HX-Request": "true"}},
}
NOT_REAL = re.compile(r"^(SAVEPOINT|RELEASE SAVEPOINT|ROLLBACK TO SAVEPOINT|BEGIN)")
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+")


@dataclass(frozen=True)
class Call:
    """One request to a service; times as of ``time.monotonic``."""

    method: str
    url: str
    body: Any
    began: float
    ended: float

    @property
    def kind(self) -> str:
        """What is asked, whichever it is asked of."""
        return f"{self.method} {IDENTIFIER.sub('*', self.url.partition('?')[0])}"

    def overlaps(self, other: "Call") -> bool:
        return self.began < other.ended and other.began < self.ended


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(speed=100) as running:
        running.control.seed("ada", SEEDED)
        yield running


@pytest.fixture(scope="module")
def machine(sandbox: SandboxThread) -> str:
    """The identifier of a complete deployment of Ada's with machines."""
    sent = {
        "template": MACHINE.read_text(encoding="utf-8"),
        "parameters": {"docker_image": "deephdc/deep-oc-demo_app:cpu", "deployment_description": "A machine"},
    }
    address, bearer = f"{sandbox.url}/orchestrator/deployments", sandbox.control.bearer("ada")
    made = requests.post(address, json=sent, headers=bearer, timeout=10).json()["uuid"]
    until = time.monotonic() + 120
    while requests.get(f"{address}/{made}", headers=bearer, timeout=10).json()["status"] != "CREATE_COMPLETE":
        assert time.monotonic() < until
        time.sleep(0.05)
    return str(made)


@pytest.fixture
def ada(sandbox: SandboxThread, machine: str, monkeypatch: pytest.MonkeyPatch, db: None) -> Client:
    """Ada, who has one of everything: what the sandbox seeded, and a machine with trainings on record."""
    sandbox.control.clear_faults()
    cache.clear()
    configure(
        monkeypatch,
        IAM_BASE_URL=f"{sandbox.url}/iam",
        ORCHESTRATOR_URL=f"{sandbox.url}/orchestrator",
        SLAM_URL=f"{sandbox.url}/slam",
        CMDB_URL=f"{sandbox.url}/cmdb",
        IM_URL="",  # so that the orchestrator is asked for the others' addresses, as where nobody configured them
        MONITORING_URL="",
        OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"],
    )
    user, deployment = adas_things()
    token = sandbox.control.tokens("ada")["access_token"]
    told = requests.get(f"{sandbox.url}/iam/userinfo", headers={"Authorization": f"Bearer {token}"}, timeout=10).json()
    user.subject, user.organisation, user.groups = told["sub"], told["organisation_name"], told["groups"]
    user.is_staff = True  # for the pages that are for staff
    user.save()
    give_token(user, token)
    StorageAccount.objects.update(url=f"{sandbox.url}/storage/remote.php/dav/files/ada/")
    Deployment.objects.filter(pk=deployment.pk).update(uuid=machine, subject=user.subject)
    assert deployments_sync(user=user).listed == SEEDED + 1
    cache.clear()
    client = Client()
    client.force_login(user)
    client.get("/")  # each process reads the index of modules once
    return client


@pytest.fixture
def calls(ada: Client, sandbox: SandboxThread, monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The requests that leave from now on."""
    sandbox.control.fault("*", latency=LATENCY)
    made: list[Call] = []
    send = HTTPAdapter.send

    def noted(self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        began = time.monotonic()
        try:
            return send(self, request, *args, **options)
        finally:
            if request.url != NOBODY:
                made.append(Call(str(request.method), str(request.url), request.body, began, time.monotonic()))

    monkeypatch.setattr(HTTPAdapter, "send", noted)
    return made


@pytest.mark.parametrize("name", sorted(READ | {"deployments:again"}))
def test_a_page_costs_few_statements_and_no_call_twice(
    name: str, sandbox: SandboxThread, machine: str, ada: Client, calls: list[Call]
) -> None:
    address = addresses(SAMPLES | {"uuid": machine})[name]
    query = {"service": SERVICE} if name == "deployments:measured" else {}
    for manner, options in MANNERS.items():
        cache.clear()
        calls.clear()
        with CaptureQueriesContext(connection) as captured:
            answer = ada.get(address, **(options | {"data": query | options.get("data", {})}))
        assert answer.status_code in EXPECTED.get(name, {200, 204, 286}), (manner, answer.content[:500])

        statements = [row["sql"] for row in captured.captured_queries if not NOT_REAL.match(row["sql"])]
        assert len(statements) <= MOST, "\n".join([manner, *(sql[:150] for sql in statements)])

        asked = Counter((it.method, it.url, it.body) for it in calls)
        assert not {key: count for key, count in asked.items() if count > 1}, manner

        if manner == "first" and name in PAGES:
            assert not calls, "a page is there before anybody is asked"

        for kind, count in Counter(it.kind for it in calls).items():
            if count > 2:
                alike = [it for it in calls if it.kind == kind]
                alone = [it for it in alike if not any(it.overlaps(other) for other in alike if other is not it)]
                assert len(alone) <= 1, f"{count} times {kind}, one by one"
