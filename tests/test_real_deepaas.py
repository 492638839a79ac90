"""Trainings and predictions against the real DEEPaaS."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.testing import configure, give_token, make_user
from deployments.clients.deepaas import ArgumentsRefused
from deployments.models import Deployment, Training
from deployments.testing import make_deployment
from deployments.trainings.description import restored
from deployments.trainings.services import Call, training_cancel, training_remove, training_start, trainings_read
from tests.real.deepaas import running


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("deepaas")) as url:
        yield url


@pytest.fixture
def ada(db: None, monkeypatch: pytest.MonkeyPatch) -> User:
    configure(monkeypatch, OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"])
    user = make_user("ada")
    give_token(user)
    return user


@pytest.fixture
def deployment(ada: User, api: str) -> Deployment:
    deployment = make_deployment(ada, outputs={"deepaas_endpoint": api}, answers=True, seen_at=timezone.now())
    assert trainings_read(user=ada, deployment=deployment)
    return deployment


@pytest.fixture
def read(ada: User, deployment: Deployment) -> Callable[[], None]:
    def again() -> None:
        Deployment.objects.update(seen_at=timezone.now())
        deployment.refresh_from_db()
        trainings_read(user=ada, deployment=deployment, force=True)

    return again


def until(read: Callable[[], None], run: Training, *states: str) -> Training:
    for _ in range(1200):
        read()
        run.refresh_from_db()
        if run.status in states:
            return run
        time.sleep(0.1)
    raise AssertionError(f"{run.model} is still {run.status}")


def call(*pairs: tuple[str, str]) -> Call:
    return Call(list(pairs), shown=list(pairs), kept=dict(pairs))


def test_models_are_known_by_their_routes_and_described_with_their_arguments(deployment: Deployment) -> None:
    offered = {model["key"]: model for model in deployment.api.offered}
    assert set(offered) == {"slow", "fails", "files"}
    arguments = {argument.name: argument for argument in restored(offered["slow"]["train"])}
    assert (arguments["epochs"].minimum, arguments["epochs"].maximum) == (1, 50)
    assert arguments["data"].required
    assert arguments["weights"].many
    assert [argument.kind for argument in restored(offered["files"]["predict"])] == ["file", "string"]


def test_a_training_runs_and_its_result_is_kept(ada: User, deployment: Deployment, read: Callable[[], None]) -> None:
    sent = call(("data", "/srv"), ("epochs", "4"), ("weights", "1.5"), ("weights", "2"), ("seconds", "0.5"))
    run = training_start(user=ada, deployment=deployment, model="slow", call=sent)
    assert run.status == "running"
    until(read, run, "done")
    assert run.arguments["weights"] == [1.5, 2.0]
    assert run.metrics == {"loss": 0.25, "history.loss, last": 0.25}
    assert run.duration is not None
    assert run.duration.total_seconds() >= 0.5


def test_a_failure_comes_with_its_message(ada: User, deployment: Deployment, read: Callable[[], None]) -> None:
    run = training_start(user=ada, deployment=deployment, model="fails", call=call(("data", "/empty")))
    until(read, run, "error")
    assert run.message == "no images in /empty"


def test_refused_arguments_come_by_name(ada: User, deployment: Deployment) -> None:
    wrong = call(("epochs", "99"), ("weights", "1"), ("weights", "x"), ("aug", "perhaps"))
    with pytest.raises(ArgumentsRefused) as raised:
        training_start(user=ada, deployment=deployment, model="slow", call=wrong)
    assert raised.value.problems == {
        "data": "Missing data for required field.",
        "epochs": "Must be greater than or equal to 1 and less than or equal to 50.",
        "weights": "Entry 2: Not a valid number.",
        "aug": "Not a valid boolean.",
    }
    assert not Training.objects.filter(model="slow", started_here=True).exists()


def test_a_running_one_is_cancelled_at_once(ada: User, deployment: Deployment, read: Callable[[], None]) -> None:
    run = training_start(user=ada, deployment=deployment, model="slow", call=call(("data", "x"), ("seconds", "60")))
    assert training_cancel(user=ada, run=run).status == "cancelled"
    read()
    run.refresh_from_db()
    assert run.status == "cancelled"
    following = training_start(user=ada, deployment=deployment, model="slow", call=call(("data", "next")))
    until(read, following, "done")  # its worker is free again


@pytest.mark.parametrize(("model", "ended"), [("slow", "done"), ("fails", "error")])
def test_an_ended_one_can_be_deleted(
    ada: User, deployment: Deployment, read: Callable[[], None], model: str, ended: str
) -> None:
    run = training_start(user=ada, deployment=deployment, model=model, call=call(("data", "x")))
    until(read, run, ended)
    Deployment.objects.update(seen_at=timezone.now())
    run = Training.objects.select_related("deployment").get(pk=run.pk)
    training_remove(user=ada, run=run)
    read()
    assert not Training.objects.visible_to(ada).filter(pk=run.pk).exists()


class TestPages:
    @pytest.fixture
    def browser(self, ada: User) -> Client:
        client = Client()
        client.force_login(ada)
        return client

    def send(self, browser: Client, deployment: Deployment, **fields: Any) -> Any:
        image = SimpleUploadedFile("leaf.png", b"\x01" * 300_000, "image/png")
        values = {"model": "files", "a-image": image, "a-accept": "application/json", "action": "show", **fields}
        return browser.post(f"{deployment.get_absolute_url()}/predict", values)

    def test_a_file_reaches_the_module_whole(self, browser: Client, deployment: Deployment) -> None:
        shown = self.send(browser, deployment).content.decode()
        assert "leaf.png" in shown
        assert '<dd class="mono">300000</dd>' in shown

    def test_the_answer_is_of_the_type_asked_for(self, browser: Client, deployment: Deployment) -> None:
        plain = self.send(browser, deployment, **{"a-accept": "text/plain"})
        assert "leaf.png: 300000 bytes" in plain.content.decode()
        packed = self.send(browser, deployment, **{"a-accept": "application/zip"})
        assert packed["Content-Type"] == "application/zip"
        assert b"".join(packed.streaming_content).startswith(b"PK")

    def test_a_model_without_weights_says_that_it_failed(self, browser: Client, deployment: Deployment) -> None:
        answer = browser.post(f"{deployment.get_absolute_url()}/predict", {"model": "fails", "action": "show"})
        assert "The module failed while it worked on this." in answer.content.decode()

    def test_a_training_on_an_upload_fails_as_the_form_warns(
        self, browser: Client, deployment: Deployment, read: Callable[[], None]
    ) -> None:
        page = f"{deployment.get_absolute_url()}/training"
        assert "can’t train on an uploaded file" in browser.get(f"{page}?model=files").content.decode()
        labels = SimpleUploadedFile("labels.txt", b"oak\nash\n", "text/plain")
        browser.post(page, {"model": "files", "a-labels": labels, "action": "start"})
        run = until(read, Training.objects.get(model="files"), "error")
        assert run.arguments["labels"] == ["labels", "text/plain", "labels.txt"]
