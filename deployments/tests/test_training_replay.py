"""A record becomes a deployment that trains again: in two clicks, whatever has changed since, and whoever wrote it."""

import json
import time
from typing import Any

import pytest
import responses
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from catalog.models import Module
from catalog.testing import TEMPLATE, make_module, make_template
from deployments.models import Action, Deployment, Notice, Training, TrainingBatch
from deployments.testing import upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.trainings.batches import batches_go_on
from deployments.trainings.records import record_of
from deployments.trainings.replay import replay_of, training_follow
from deployments.trainings.testing import API, MODELS, TRAIN, make_api, make_training, models, swagger, told

UUID = "22ed8ab3-6a40-968a-82b7-62f0862dbe46"


def text(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture
def module(db: None) -> Module:
    return make_module("deep-oc-plants", templates=(make_template(TEMPLATE),))


@pytest.fixture
def record(stranger: User) -> dict[str, Any]:
    """Somebody else's training, as their file tells it."""
    deployment = make_api(
        stranger, title="Theirs", choices={"hardware": "gpu", "run": "deepaas", "docker_tag": "gpu", "toscaname": "x"},
        inputs={"num_cpus": 4, "mem_size": "8192 MB"}, secret_inputs=["rclone_password"], template_text=TEMPLATE,
    )  # fmt: skip
    return record_of(make_training(deployment, arguments={"data": "/srv", "epochs": 9, "weights": [1.0, 2.0]}))


def imported(browser: Client, record: Any) -> Any:
    content = record if isinstance(record, bytes) else json.dumps(record).encode()
    return browser.post("/training/import", {"record": SimpleUploadedFile("r.json", content, "application/json")})


def start_page(browser: Client, record: Any) -> Any:
    """Import it and press "On a new deployment"."""
    address = imported(browser, record)["Location"]
    return browser.post(f"{address}/again", follow=True)


def fields_of(page: Any) -> dict[str, Any]:
    form = page.context["page"].form
    data = {name: values[0] for controls in form.posted().values() for name, values in controls.items() if values}
    shown = page.context["page"]
    return {**data, **shown.choices.as_dict(), "submission_key": str(shown.key), "title": "Once more",
            "action": "deploy", "storage": form.storage_choice}  # fmt: skip


class TestTwoClicks:
    def test_the_form_is_as_it_was_and_says_to_look_at_it(
        self, browser: Client, module: Module, record: dict[str, Any]
    ) -> None:
        page = start_page(browser, record)
        shown = text(page)
        assert 'value="4"' in shown
        assert "8192" in shown
        assert "The record filled in: " in shown
        assert "There is no template “x” for this module" in shown
        assert 'name="follows" value="1" form="configure" checked' in shown

    def test_deploying_has_the_training_follow_once_the_api_answers(
        self, browser: Client, owner: User, module: Module, record: dict[str, Any], wire: responses.RequestsMock
    ) -> None:
        page = start_page(browser, record)
        run = Training.objects.visible_to(owner).get()
        wire.post(f"{ORCHESTRATOR}/deployments", status=201, json=upstream(UUID, owner=owner))
        sent = {**fields_of(page), "record": str(run.key), "follows": "1"}
        for _ in range(2):  # a double click
            answer = browser.post("/module/deep-oc-plants", sent, follow=True)
        assert "Its training starts by itself as soon as its API answers." in text(answer), text(answer)[:3000]
        batch = TrainingBatch.objects.get()
        assert batch.plan == [[["data", "/srv"], ["epochs", "9"], ["weights", "1.0"], ["weights", "2.0"]]]
        go_on()  # still being created
        assert not Training.objects.filter(batch=batch).exists()
        Deployment.objects.filter(uuid=UUID).update(
            status="CREATE_COMPLETE", outputs={"deepaas_endpoint": API}, seen_at=timezone.now()
        )
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[])
        wire.get(f"{API}/swagger.json", json=swagger())
        wire.post(TRAIN, json=told("a" * 32))
        go_on()
        started = [call.request.url for call in wire.calls if call.request.method == "POST"]
        assert started[1:] == [f"{TRAIN}?data=%2Fsrv&epochs=9&weights=1.0&weights=2.0"]
        assert batch.runs.get().uuid == "a" * 32
        assert Action.objects.filter(what="batch").count() == 1

    def test_unticked_nothing_follows(
        self, browser: Client, owner: User, module: Module, record: dict[str, Any], wire: responses.RequestsMock
    ) -> None:
        page = start_page(browser, record)
        wire.post(f"{ORCHESTRATOR}/deployments", status=201, json=upstream(UUID, owner=owner))
        run = Training.objects.visible_to(owner).get()
        browser.post("/module/deep-oc-plants", {**fields_of(page), "record": str(run.key)})
        assert Deployment.objects.filter(uuid=UUID).exists()
        assert not TrainingBatch.objects.exists()

    def test_an_own_run_brings_its_deployment_and_its_training(
        self, browser: Client, owner: User, module: Module
    ) -> None:
        run = make_training(make_api(owner, title="Mine", inputs={"num_cpus": 3}))
        shown = text(browser.post(f"{run.get_absolute_url()}/again", follow=True))
        assert "Filled in as for “Mine”." in shown
        assert f'name="record" value="{run.key}"' in shown

    def test_secrets_and_files_are_named_and_nothing_follows_without_them(
        self, browser: Client, owner: User, module: Module
    ) -> None:
        arguments = {"data": "/srv", "labels": ["labels", "text/plain", "labels.txt"], "nested": {"a": 1}}
        run = make_training(make_api(owner), arguments=arguments, secret_arguments=["api_token"])
        assert replay_of(run).missing == ["api_token", "labels", "nested"]
        assert training_follow(user=owner, deployment=make_api(owner), run=run) is None
        shown = text(browser.post(f"{run.get_absolute_url()}/again", follow=True))
        assert "api_token, labels, nested can’t be sent by itself" in shown
        assert 'name="follows"' not in shown

    def test_a_deployment_that_fails_stops_it_and_says_so(self, owner: User) -> None:
        deployment = make_api(owner, status="CREATE_FAILED")
        run = make_training(make_api(owner))
        batch = training_follow(user=owner, deployment=deployment, run=run)
        assert batch is not None
        go_on()
        batch.refresh_from_db()
        assert (batch.state, batch.reason) == ("stopped", "Its deployment could not be created.")
        assert Notice.objects.get().headline.endswith("was not started")


def go_on() -> None:
    Deployment.objects.update(seen_at=timezone.now())
    batches_go_on(until=time.monotonic() + 60)


class TestWhatHasChanged:
    def test_a_changed_template_tag_and_input_are_each_told(
        self, browser: Client, module: Module, record: dict[str, Any]
    ) -> None:
        record["environment"] |= {"template_sha256": "f" * 64, "image": "deephdc/plants:old"}
        record["environment"]["choices"]["docker_tag"] = "vanished"
        record["environment"]["inputs"] = {"num_cpus": "many", "no_longer": 5, "mem_size": "2 GB"}
        shown = text(start_page(browser, record))
        assert "has changed since; its record holds the text as it was." in shown
        assert "That training ran in deephdc/plants:old" in shown
        assert "There is no tag “vanished”" in shown or "vanished" in shown
        assert "no_longer is no longer asked for; it was “5”." in shown
        assert "which can’t be used now" in shown

    def test_a_module_that_is_gone_leads_back_to_the_record(self, browser: Client, record: dict[str, Any]) -> None:
        answer = start_page(browser, record)
        assert answer.status_code == 200
        assert "Its module is not in the catalogue" in text(answer)
        run = Training.objects.get(imported_at__isnull=False)
        again = browser.get(f"{run.get_absolute_url()}/record").json()
        assert again["environment"]["template"] == record["environment"]["template"]

    def test_what_a_record_fills_in_is_named_and_a_secret_never_is(
        self, browser: Client, module: Module, record: dict[str, Any]
    ) -> None:
        record["environment"]["inputs"] = {
            "docker_image": "evil/miner:1", "run_command": "rm -rf /", "rclone_password": "s3cret"
        }  # fmt: skip
        shown = text(start_page(browser, record))
        assert "s3cret" not in shown
        named = shown.split("The record filled in: ")[1].split("</h2>")[0]
        assert named == "Image, Command"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good record with some of its values replaced by anything, some taken out."""
    record: dict[str, Any] = {
        "format": "deepdash training record", "version": 1, "written_at": "2026-11-23T10:00:00Z",
        "training": {
            "model": "plants", "uuid": draw(st.text("0123456789abcdef", min_size=32, max_size=32)), "status": "done",
            "arguments": {"data": "/srv", "epochs": 3, "weights": [1.0]}, "secret_arguments": [],
            "started_at": "2026-11-22T10:00:00Z", "finished_at": None, "seconds": 2.5, "message": "",
            "result": {"loss": 0.5},
        },
        "environment": {
            "uuid": UUID, "title": "T", "module": "deep-oc-plants", "image": "deephdc/plants:cpu", "tag": "cpu",
            "choices": {"hardware": "cpu", "docker_tag": "cpu", "run": "deepaas", "toscaname": "default"},
            "inputs": {"num_cpus": 2, "mem_size": "4096 MB", "docker_privileged": False}, "secret_inputs": [],
            "provider": "", "template_file": "a.yml", "template_sha256": "0" * 64, "template": "x: y",
        },
    }  # fmt: skip
    for _ in range(draw(st.integers(1, 4))):
        part = record
        while True:
            name = draw(st.sampled_from(sorted(part)))
            if isinstance(part[name], dict) and part[name] and draw(st.booleans()):
                part = part[name]
                continue
            part[name] = draw(JSON)
            break
    return record


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(record=mutated() | JSON)
def test_no_record_however_odd_breaks_a_page(browser: Client, owner: User, module: Module, record: Any) -> None:
    """Each page that a record reaches answers: import, run, list, comparison, export, record, the form to deploy."""
    before = set(Training.objects.values_list("pk", flat=True))
    answer = imported(browser, json.dumps(record).encode())
    assert answer.status_code in {302, 422}
    if answer.status_code == 422:
        assert "not a readable record of a training" in text(answer)
        assert set(Training.objects.values_list("pk", flat=True)) == before
        return
    run = Training.objects.visible_to(owner).order_by("-pk")[0]
    address = run.get_absolute_url()
    good = make_training(make_api(owner))
    pages = [address, f"{address}/record", "/training", f"/training/compare?run={run.key}&run={good.key}",
             "/training/export", f"/training/compare?run={run.key}&run={good.key}&as=json",
             f"{address}/cancel", f"{address}/delete"]  # fmt: skip
    for page in pages:
        assert browser.get(page).status_code == 200, page
    if run.result is not None:
        assert browser.get(f"{address}/result").status_code == 200
    assert browser.post(f"{address}/again", follow=True).status_code == 200
    place = good.deployment
    assert place is not None
    assert browser.get(f"{place.get_absolute_url()}/training?from={run.key}").status_code == 200
    assert browser.get(f"{place.get_absolute_url()}/training/batch?from={run.key}").status_code == 200
    # What was imported can be read back once more.
    assert imported(browser, browser.get(f"{address}/record").content).status_code == 302
    Training.objects.all().delete()
