"""Whether the services of a deployment answer."""

import http.server
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from accounts.testing import configure
from deployments import readiness
from deployments.models import Deployment
from deployments.readiness import AGE, deepaas_answered, deployments_probe, is_due, lights_of
from deployments.states import Status
from deployments.testing import make_deployment


class Module(http.server.BaseHTTPRequestHandler):
    """Answers what the first part of its path says."""

    asked: list[str] = []
    meeting = threading.Barrier(4)
    over = threading.Event()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        code = self.path.strip("/").partition("/")[0]
        if code == "hang":
            self.over.wait(60)
        if code == "meet":
            self.meeting.wait()  # for the others: whoever asks one after the other gets no answer
        self.send_response(int(code) if code.isdigit() else 200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    configure(monkeypatch, OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"])
    Module.asked, Module.meeting, Module.over = [], threading.Barrier(4, timeout=60), threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Module) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        Module.over.set()
        server.shutdown()


def probed(deployment: Deployment) -> Deployment:
    cache.clear()
    Deployment.objects.filter(pk=deployment.pk).update(checked_at=None)
    deployment.refresh_from_db()
    deployments_probe([deployment])
    deployment.refresh_from_db()
    return deployment


@pytest.mark.parametrize("code", [200, 302, 401, 403, 404])
def test_whatever_is_no_fault_is_an_answer(code: int, owner: User, module: str) -> None:
    made = probed(make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/{code}"}))
    assert made.answers is True
    assert made.answered_at == made.ready_at == made.checked_at
    (light,) = lights_of(made)
    assert (light.label, light.tone, light.usable) == ("Answers", "ok", True)


@pytest.mark.parametrize("code", [500, 502, 503])
def test_a_fault_is_none(code: int, owner: User, module: str) -> None:
    made = probed(make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/{code}"}))
    assert made.answers is False
    (light,) = lights_of(made)
    assert (light.label, light.tone, light.usable, light.note) == ("Starting", "busy", False, f"Answers {code}")


def test_what_answered_before_is_silent_not_starting(owner: User, module: str) -> None:
    made = probed(make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/200"}))
    first = made.ready_at
    made.outputs = {"deepaas_endpoint": "http://127.0.0.1:9"}
    made.save()
    made = probed(made)
    assert made.answers is False
    assert made.ready_at == first
    (light,) = lights_of(made)
    assert (light.label, light.tone, light.note) == ("Not answering", "warn", "Can’t be reached")


def test_private_addresses_are_not_probed_and_not_blamed(
    owner: User, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, OUTBOUND_ALLOWED_NETWORKS=[])
    made = probed(make_deployment(owner, outputs={"deepaas_endpoint": module}))
    assert made.answers is None
    assert Module.asked == []
    (light,) = lights_of(made)
    assert (light.label, light.tone, light.usable) == ("Not checked", "idle", True)
    assert "may not reach" in light.note


def test_what_was_chosen_to_run_decides(owner: User, module: str) -> None:
    outputs = {
        "deepaas_endpoint": f"{module}/503",
        "jupyter_endpoint": f"{module}/200",
        "monitor_endpoint": f"{module}/502",
    }
    lab = probed(make_deployment(owner, choices={"run": "jupyterlab"}, outputs=outputs))
    assert lab.answers is True
    assert [(light.service.label, light.label, light.main) for light in lights_of(lab)] == [
        ("JupyterLab", "Answers", True),
        ("DEEPaaS API", "Not started", False),
        ("TensorBoard", "Not started", False),
    ]
    api = probed(make_deployment(owner, choices={"run": "deepaas"}, outputs=outputs))
    assert api.answers is False
    assert next(light.service.label for light in lights_of(api)) == "DEEPaaS API"


def test_all_are_probed_at_the_same_time(owner: User, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 20)
    made = [make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/meet/{n}"}) for n in range(4)]
    assert deployments_probe(made) == 4
    assert [Deployment.objects.get(pk=one.pk).answers for one in made] == [True] * 4


def test_one_that_is_too_slow_is_given_up_and_costs_the_others_nothing(
    owner: User, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 2)
    slow = make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/hang"})
    quick = make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/200"})
    assert deployments_probe([slow, quick]) == 2
    quick.refresh_from_db()
    assert quick.answers is True
    slow.refresh_from_db()
    assert slow.answers is False
    assert lights_of(slow)[0].note == "No answer in time"


def test_two_pages_at_once_probe_once(owner: User, module: str) -> None:
    made = make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/200"})
    same = Deployment.objects.get(pk=made.pk)
    assert deployments_probe([made]) == 1
    assert deployments_probe([same]) == 0
    assert len(Module.asked) == 1


def test_many_take_one_statement(owner: User, module: str, django_assert_num_queries: Any) -> None:
    many = [make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/200"}) for _ in range(10)]
    with django_assert_num_queries(1):
        deployments_probe(many)


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({}, True),
        ({"checked_at": timedelta(seconds=10), "answered_at": timedelta(seconds=10)}, False),
        ({"checked_at": AGE, "answered_at": AGE}, True),
        ({"checked_at": timedelta(seconds=5), "answers": False}, True),
        ({"checked_at": timedelta(seconds=2), "answers": False}, False),
        ({"checked_at": timedelta(seconds=10), "answers": False, "status_since": timedelta(hours=2)}, False),
        ({"outputs": {}}, False),
        ({"outputs": {"deepaas_endpoint": "javascript:alert(1)"}}, False),
        ({"status": Status.CREATE_FAILED}, False),
        ({"status": Status.GONE}, False),
    ],
)
def test_when_it_is_due(fields: dict[str, Any], due: object, owner: User) -> None:
    now = timezone.now()
    given = {name: now - value if isinstance(value, timedelta) else value for name, value in fields.items()}
    made = make_deployment(owner, **({"outputs": {"deepaas_endpoint": "http://203.0.113.7:1"}} | given))
    assert is_due(made, now) is due


def test_when_nobody_knows_what_it_runs_any_service_counts(owner: User, module: str) -> None:
    outputs = {"jupyter_endpoint": "http://127.0.0.1:9", "deepaas_endpoint": f"{module}/200"}
    assert probed(make_deployment(owner, choices={}, outputs=outputs)).answers is True
    told = probed(make_deployment(owner, choices={}, outputs={**outputs, "command": "/srv/.jupyter/run_jupyter.sh"}))
    assert told.run == "jupyterlab"
    assert told.answers is False


def test_a_deepaas_that_answers_a_reading_is_up_whatever_an_earlier_probe_said(owner: User, module: str) -> None:
    made = probed(make_deployment(owner, outputs={"deepaas_endpoint": f"{module}/503"}))
    assert made.is_starting
    deepaas_answered(made, timezone.now() - timedelta(minutes=1))  # asked before the probe, which knows better
    made.refresh_from_db()
    assert made.is_starting
    deepaas_answered(made, timezone.now())
    made.refresh_from_db()
    assert (made.answers, made.is_starting) == (True, False)
    assert made.answered_at == made.ready_at
    (light,) = lights_of(made)
    assert (light.label, light.usable) == ("Answers", True)


def test_a_deepaas_beside_the_jupyterlab_that_was_asked_for_speaks_for_itself_alone(owner: User, module: str) -> None:
    outputs = {"jupyter_endpoint": f"{module}/503", "deepaas_endpoint": f"{module}/503"}
    made = probed(make_deployment(owner, outputs=outputs, choices={"run": "jupyterlab"}))
    assert made.is_starting
    deepaas_answered(made, timezone.now())
    made.refresh_from_db()
    assert (made.answers, made.is_starting) == (False, True)
    assert sorted(light.label for light in lights_of(made)) == ["Answers", "Starting"]
