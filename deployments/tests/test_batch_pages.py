"""The form for a grid of trainings: counted before anything starts, started once, and why it can't be."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from deployments.models import Action, Deployment, TrainingBatch
from deployments.trainings.testing import make_api

FORM = {"model": "plants", "a-data": "/srv", "a-epochs": "2", "a-rate": "0.1", "a-opt": "adam", "a-aug-shown": "1",
        "a-weights": "1", "a-nested": "{}", "a-js": "x"}  # fmt: skip


def text(response: Any) -> str:
    return str(response.content.decode())


def form_key(shown: str) -> str:
    """The key that a page's form was made with."""
    (key,) = re.findall(r'name="submission_key" value="([^"]+)"', shown)
    return str(key)


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return make_api(owner)


@pytest.fixture
def page(deployment: Deployment) -> str:
    return f"{deployment.get_absolute_url()}/training"


class TestBatch:
    def test_the_count_is_shown_before_anything_starts(self, browser: Client, page: str) -> None:
        grid = {"axis_1": "epochs", "values_1": "1..3", "axis_2": "opt", "values_2": "adam, sgd"}
        assert "Start 6 trainings" in text(browser.post(f"{page}/batch", {**FORM, **grid, "action": "count"}))
        assert not TrainingBatch.objects.exists()

    def test_starting_makes_the_plan(self, browser: Client, page: str) -> None:
        grid = {"axis_1": "epochs", "values_1": "1..3"}
        answer = browser.post(f"{page}/batch", {**FORM, **grid, "action": "start", "a-epochs": ""})
        batch = TrainingBatch.objects.get()
        assert answer["Location"] == batch.get_absolute_url()
        assert len(batch.plan) == 3
        assert "0 of 3 ended" in text(browser.get(batch.get_absolute_url()))
        browser.post(f"{batch.get_absolute_url()}/stop")
        batch.refresh_from_db()
        assert batch.state == "cancelled"

    def test_a_second_press_leads_to_the_same_batch(self, browser: Client, page: str) -> None:
        grid = {**FORM, "axis_1": "epochs", "values_1": "1..3"}
        counted = text(browser.post(f"{page}/batch", {**grid, "action": "count"}))
        pressed = {**grid, "submission_key": form_key(counted), "action": "start"}
        first, second = (browser.post(f"{page}/batch", pressed) for _ in range(2))
        assert first["Location"] == second["Location"] == TrainingBatch.objects.get().get_absolute_url()
        assert Action.objects.filter(what="batch").count() == 1
        assert browser.post(f"{page}/batch", {**pressed, "values_1": "1..4"})["Location"] != first["Location"]

    def test_a_file_is_said_to_be_left_out_before_anything_starts(self, browser: Client, page: str) -> None:
        chosen = SimpleUploadedFile("labels.txt", b"oak", "text/plain")
        opened = text(browser.post(f"{page}/batch", {**FORM, "a-labels": chosen, "action": "open"}))
        assert "The file you chose is not part of these trainings." in opened
        assert 'name="a-labels"' not in opened
        assert "api_token: kept encrypted until the last of them has ended" in opened

    def test_a_model_that_needs_a_file_has_no_grid(self, browser: Client, deployment: Deployment, page: str) -> None:
        api = deployment.api
        api.offered[0]["train"] = [{"name": "labels", "kind": "file", "place": "formData", "required": True}]
        api.save()
        answer = browser.post(f"{page}/batch", {**FORM, "action": "start", "axis_1": "epochs", "values_1": "1, 2"})
        assert (answer.status_code, "It needs a file" in text(answer)) == (409, True)
        assert not TrainingBatch.objects.exists()

    def test_a_secret_goes_with_each_and_is_not_shown(self, browser: Client, page: str) -> None:
        grid = {**FORM, "axis_1": "epochs", "values_1": "1, 2", "a-api_token": "s3cret", "action": "start"}
        shown = text(browser.post(f"{page}/batch", grid, follow=True))
        assert "Also sent with each: api_token" in shown
        assert "s3cret" not in shown
        assert "s3cret" in TrainingBatch.objects.get().beside

    @pytest.mark.parametrize(
        ("grid", "said"),
        [
            ({}, "Choose an argument and give its values."),
            ({"axis_1": "epochs", "values_1": "99"}, "From 1 to 50; this is 99."),
            ({"axis_1": "epochs", "values_1": "1", "axis_2": "epochs", "values_2": "2"}, "Choose each argument once."),
            ({"axis_1": "weights", "values_1": "1"}, "Choose each argument once."),
            ({"axis_1": "epochs", "values_1": "1..20", "axis_2": "rate", "values_2": "1, 2, 3, 4"}, "80 trainings"),
        ],
    )
    def test_a_grid_that_does_not_work_says_why(
        self, browser: Client, page: str, grid: dict[str, str], said: str
    ) -> None:
        answer = browser.post(f"{page}/batch", {**FORM, **grid, "action": "start"})
        assert (answer.status_code, said in text(answer)) == (422, True)
        assert not TrainingBatch.objects.exists()
