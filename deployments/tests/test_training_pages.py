"""The pages of trainings: from the database at once, safe whatever a module says, and each user's own."""

import json
import os
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from accounts.testing import configure
from catalog.testing import make_module
from deepdash.http import ServiceError
from deployments.models import Action, Deployment, ModuleApi, Training, TrainingArguments, TrainingBatch
from deployments.testing import make_deployment
from deployments.trainings.records import record_of
from deployments.trainings.tasks import go_on_with_batch
from deployments.trainings.testing import API, MODELS, PREDICT, TRAIN, make_api, make_training, models, swagger, told
from deployments.trainings.views.predict import SHOWN_BYTES

EVIL = '"><script>alert(1)</script>'
FORM = {"model": "plants", "a-data": "/srv", "a-epochs": "2", "a-rate": "0.1", "a-opt": "adam", "a-aug-shown": "1",
        "a-weights": "1", "a-nested": "{}", "a-js": "x"}  # fmt: skip


def files_in(folder: Path) -> list[int]:
    """The descriptors of this process that are files in a folder, with a name or without."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(link.readlink()).startswith(f"{folder}/"):
                found.append(int(link.name))
    return found


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


class TestTrainingPage:
    def test_it_is_there_before_deepaas_is_asked(
        self, browser: Client, page: str, wire: responses.RequestsMock
    ) -> None:
        shown = text(browser.get(page))
        assert 'name="a-epochs"' in shown
        assert 'hx-trigger="load"' in shown
        assert len(wire.calls) == 0

    def test_the_live_part_brings_what_changed(
        self, browser: Client, deployment: Deployment, page: str, wire: responses.RequestsMock
    ) -> None:
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[told("a" * 32, args={"data": "/elsewhere"})])
        answer = browser.get(f"{page}/live?state=old")
        assert "Current training" in text(answer)
        assert "/elsewhere" in text(answer)
        assert 'id="results" hx-swap-oob="true"' in text(answer)
        assert 'hx-trigger="every 3s"' in text(answer)
        assert "Training</span>" in text(answer)  # the pill in the head

    def test_the_form_arrives_with_the_modules_description(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        fresh = make_deployment(owner, outputs={"deepaas_endpoint": API}, seen_at=timezone.now())
        shown = text(browser.get(f"{fresh.get_absolute_url()}/training"))
        assert "Reading the module’s description" in shown
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[])
        wire.get(f"{API}/swagger.json", json=swagger())
        address = shown.split('id="now" hx-get="')[1].split('"')[0].replace("&amp;", "&")
        answer = text(browser.get(address))
        assert 'id="train-box"' in answer
        assert 'name="a-epochs"' in answer

    def test_an_unchanged_live_part_swaps_nothing(
        self, browser: Client, page: str, wire: responses.RequestsMock
    ) -> None:
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[])
        first = text(browser.get(f"{page}/live"))
        address = first.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
        assert browser.get(address).status_code == 204

    def test_without_the_queue_a_batch_waits_and_the_live_part_is_there(
        self, browser: Client, deployment: Deployment, page: str, wire: responses.RequestsMock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        def away(*args: object, **options: object) -> None:
            raise OperationalError("Connection refused")

        monkeypatch.setattr(go_on_with_batch, "apply_async", away)
        TrainingBatch.objects.create(owner=deployment.owner, deployment=deployment, model="plants", plan=[[], []])
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[])
        assert browser.get(f"{page}/live").status_code == 200

    def test_while_the_orchestrator_is_down_it_shows_what_it_knows_and_says_so(
        self, browser: Client, deployment: Deployment, page: str, wire: responses.RequestsMock
    ) -> None:
        make_training(deployment)
        Deployment.objects.update(seen_at=timezone.now() - timedelta(hours=1))
        shown = text(browser.get(f"{page}?fresh=1"))
        assert "could not confirm where this deployment is" in shown
        assert "0.25" in shown

    def test_sending_the_form_starts_it(self, browser: Client, page: str, wire: responses.RequestsMock) -> None:
        wire.post(TRAIN, json=told("a" * 32))
        assert browser.post(page, {**FORM, "action": "start"}).status_code == 302
        assert Training.objects.get().started_here

    def test_a_second_press_starts_nothing_and_says_so(
        self, browser: Client, page: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, json=told("a" * 32))
        pressed = {**FORM, "submission_key": form_key(text(browser.get(page))), "action": "start"}
        first, second = (browser.post(page, pressed) for _ in range(2))
        assert (first.status_code, first["Location"]) == (302, second["Location"])
        assert "the training was started once" in text(browser.get(page))
        assert (Training.objects.count(), len(wire.calls)) == (1, 1)

    def test_a_form_brought_back_with_other_values_starts_another(
        self, browser: Client, page: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, json=told("a" * 32))
        pressed = {**FORM, "submission_key": form_key(text(browser.get(page))), "action": "start"}
        browser.post(page, pressed)
        wire.replace("POST", TRAIN, json=told("b" * 32))
        browser.post(page, {**pressed, "a-epochs": "3"})
        assert set(Training.objects.values_list("uuid", flat=True)) == {"a" * 32, "b" * 32}

    def test_refused_values_stand_at_their_fields_and_nothing_typed_is_lost(
        self, browser: Client, page: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, status=422, json={"epochs": [f"Too few {EVIL}"]})
        answer = browser.post(page, {**FORM, "a-data": "/typed", "action": "start"})
        assert answer.status_code == 422
        assert "Too few &quot;&gt;&lt;script&gt;" in text(answer)
        assert 'value="/typed"' in text(answer)
        assert 'aria-invalid="true"' in text(answer)

    def test_the_call_is_shown_and_not_made(self, browser: Client, page: str, wire: responses.RequestsMock) -> None:
        answer = browser.post(page, {**FORM, "action": "curl"}, headers={"HX-Request": "true"})
        assert "curl -X POST" in text(answer)
        assert "epochs=2" in text(answer)
        assert len(wire.calls) == 0

    def test_a_set_is_kept_used_and_forgotten(self, browser: Client, deployment: Deployment, page: str) -> None:
        browser.post(page, {**FORM, "a-epochs": "7", "action": "save", "set_name": "Long"})
        kept = TrainingArguments.objects.get(name="Long")
        assert kept.arguments["epochs"] == 7
        shown = text(browser.get(f"{page}?set=Long"))
        assert "Filled in with your set “Long”." in shown
        assert 'name="a-epochs" value="7"' in shown
        browser.post(f"{page}/sets", {"model": "plants", "name": "Long"})
        assert not TrainingArguments.objects.exists()

    def test_a_run_fills_the_form_again(self, browser: Client, deployment: Deployment, page: str) -> None:
        run = make_training(deployment, arguments={"data": "/again", "epochs": 9})
        shown = text(browser.get(f"{page}?from={run.key}"))
        assert 'value="/again"' in shown
        assert "Filled in with the arguments of the training of" in shown

    def test_a_gone_deployment_keeps_its_history_and_offers_no_form(self, browser: Client, owner: User) -> None:
        gone = make_deployment(owner, status="GONE")
        make_training(gone, status="lost", lost_at=timezone.now())
        shown = text(browser.get(f"{gone.get_absolute_url()}/training"))
        assert "Lost" in shown
        assert "This deployment is gone." in shown
        assert "hx-get" not in shown.split("<main")[1].split("</main>")[0]

    def test_a_module_that_can_not_train_says_so(self, browser: Client, deployment: Deployment, page: str) -> None:
        ModuleApi.objects.update(offered=[{"key": "plants", "name": "", "train": None, "predict": None}])
        assert "can’t be trained" in text(browser.get(page))
        assert browser.post(page, FORM).status_code == 409

    def test_what_a_module_calls_itself_and_says_is_only_text(
        self, browser: Client, deployment: Deployment, page: str
    ) -> None:
        offered = deployment.api.offered
        offered[0]["train"][0] |= {"name": EVIL, "help": EVIL, "default": EVIL, "has_default": True}
        offered.append({"key": EVIL, "name": EVIL, "train": [], "predict": []})
        ModuleApi.objects.update(offered=offered)
        fields = {"message": EVIL, "arguments": {EVIL: EVIL}, "result": {EVIL: [EVIL]}, "metrics": {EVIL: 1.0}}
        runs = [make_training(deployment, model=EVIL, status=status, **fields) for status in ("done", "error", "done")]
        keys = "&".join(f"run={run.key}" for run in runs)
        paths = [page, *(run.get_absolute_url() for run in runs), "/training", f"/training/compare?{keys}",
                 f"{page}/batch", f"{deployment.get_absolute_url()}/predict"]  # fmt: skip
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in text(answer), path

    def test_a_thousand_runs_stay_within_ten_statements(self, browser: Client, deployment: Deployment) -> None:
        Training.objects.bulk_create(
            Training(owner=deployment.owner, deployment=deployment, module_slug="deep-oc-plants", model="plants",
                     uuid=f"{place:032x}", status="done", arguments={"epochs": place}, metrics={"loss": 1.0 + place},
                     started_at=timezone.now() - timedelta(minutes=place))
            for place in range(1000)
        )  # fmt: skip
        keys = "&".join(f"run={key}" for key in Training.objects.values_list("key", flat=True)[:40])
        url = deployment.get_absolute_url()
        for path in (f"{url}/training", f"{url}/training/live", "/training", "/training?q=plants&status=done&page=20",
                     f"/training/compare?{keys}", f"{url}/predict", f"{url}/training/batch",
                     Training.objects.latest("pk").get_absolute_url()):  # fmt: skip
            ModuleApi.objects.update(asked_at=timezone.now())
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(path).status_code in {200, 286}, path
            assert len(queries) <= 10, (path, len(queries), [query["sql"][:200] for query in queries])


class TestRun:
    def test_a_failure_is_told_in_full(self, browser: Client, deployment: Deployment) -> None:
        run = make_training(deployment, status="error", message="Traceback\n" + "x" * 5000, result=None)
        assert "x" * 5000 in text(browser.get(run.get_absolute_url()))

    def test_its_result_and_record_can_be_downloaded(self, browser: Client, deployment: Deployment) -> None:
        run = make_training(deployment)
        answer = browser.get(f"{run.get_absolute_url()}/result")
        assert json.loads(text(answer)) == {"loss": 0.25}
        assert "attachment" in answer["Content-Disposition"]
        assert json.loads(text(browser.get(f"{run.get_absolute_url()}/record")))["training"]["model"] == "plants"

    def test_cancelling_asks_first(self, browser: Client, deployment: Deployment, wire: responses.RequestsMock) -> None:
        run = make_training(deployment, status="running", result=None)
        assert "Cancel the training" in text(browser.get(f"{run.get_absolute_url()}/cancel"))
        assert len(wire.calls) == 0
        wire.delete(f"{TRAIN}{run.uuid}", status=500)
        wire.get(TRAIN, json=[])
        assert browser.post(f"{run.get_absolute_url()}/cancel").status_code == 302
        run.refresh_from_db()
        assert run.status == "cancelled"

    def test_start_again_on_a_new_deployment_is_two_clicks(self, browser: Client, deployment: Deployment) -> None:
        make_module("deep-oc-plants")
        run = make_training(deployment, arguments={"data": "/kept", "epochs": 9})
        answer = browser.post(f"{run.get_absolute_url()}/again")
        assert answer["Location"].startswith("/module/deep-oc-plants?")
        fresh = make_api(deployment.owner)
        assert 'value="/kept"' in text(browser.get(f"{fresh.get_absolute_url()}/training"))

    def test_an_imported_record_leads_to_a_filled_in_form(self, browser: Client, deployment: Deployment) -> None:
        record = record_of(make_training(deployment))
        record["training"]["uuid"] = "e" * 32
        record["environment"]["inputs"] = {"num_cpus": 4, "nested": {"a": 1}}
        file = SimpleUploadedFile("record.json", json.dumps(record).encode(), "application/json")
        answer = browser.post("/training/import", {"record": file})
        run = Training.objects.get(uuid="e" * 32)
        assert answer["Location"] == run.get_absolute_url()
        again = browser.post(f"{run.get_absolute_url()}/again")["Location"]
        assert again == f"/module/deep-oc-plants?record={run.key}"

    def test_a_file_that_is_no_record_is_refused_in_place(self, browser: Client) -> None:
        answer = browser.post("/training/import", {"record": SimpleUploadedFile("x.json", b"{}")})
        assert (answer.status_code, "no record of a training" in text(answer)) == (422, True)


class TestLists:
    def test_search_and_filters(self, browser: Client, deployment: Deployment, owner: User) -> None:
        make_training(deployment, arguments={"data": "/alps"}, status="error", message="No images")
        make_training(deployment, arguments={"data": "/sea"})
        for query, here, away in [("q=alps", "/alps", "/sea"), ("status=done", "/sea", "/alps"),
                                  ("q=images", "/alps", "/sea")]:  # fmt: skip
            shown = text(browser.get(f"/training?{query}"))
            assert here in shown
            assert away not in shown
        assert "No training fits “nothing”" in text(browser.get("/training?q=nothing"))

    def test_the_first_time_says_how_to_get_there(self, browser: Client) -> None:
        assert "No training yet" in text(browser.get("/training"))

    @pytest.mark.parametrize("path", ["/training", "/training/export", "/training/compare?run={key}&run={key}&as=csv"])
    def test_they_hold_only_ones_own(self, browser: Client, stranger: User, path: str) -> None:
        theirs = make_training(make_api(stranger), arguments={"data": "/mallorys"})
        answer = browser.get(path.format(key=theirs.key))
        assert answer.status_code == 200
        assert "mallorys" not in text(answer)

    def test_another_users_run_is_not_there(self, browser: Client, stranger: User) -> None:
        theirs = make_training(make_api(stranger), status="running")
        url = theirs.get_absolute_url()
        assert [browser.get(f"{url}{path}").status_code for path in ("", "/result", "/record", "/cancel")] == [404] * 4
        assert [browser.post(f"{url}{path}").status_code for path in ("/again", "/delete", "/cancel")] == [404] * 3

    def test_a_comparison_needs_two(self, browser: Client) -> None:
        assert "Pick at least two" in text(browser.get("/training/compare?run=nonsense"))


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


class TestPredict:
    @pytest.fixture
    def predict(self, deployment: Deployment) -> str:
        return f"{deployment.get_absolute_url()}/predict"

    def send(self, browser: Client, predict: str, **fields: Any) -> Any:
        image = SimpleUploadedFile("leaf.png", b"pixels", "image/png")
        return browser.post(predict, {"model": "plants", "a-image": image, "action": "show", **fields})

    def test_a_file_is_sent_on_and_json_shown_by_its_shape(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        bodies: list[bytes] = []

        def answered(request: Any) -> tuple[int, dict[str, str], str]:
            bodies.append(b"".join(request.body))
            body = {"status": "OK", "predictions": {"labels": ["oak"], "probabilities": [0.9]}}
            return 200, {"Content-Type": "application/json"}, json.dumps(body)

        wire.add_callback("POST", PREDICT, answered)
        answer = self.send(browser, predict)
        assert "oak" in text(answer)
        assert b"pixels" in bodies[0]
        request = wire.calls[0].request
        assert int(request.headers["Content-Length"]) == len(bodies[0])
        assert request.headers["accept"] == "*/*"
        assert "Authorization" not in request.headers

    def test_addresses_are_sent_where_the_model_takes_them(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(PREDICT, json={"status": "OK", "predictions": "oak"})
        self.send(browser, predict, **{"a-urls": "https://example.org/a.png\nhttps://example.org/b.png"})
        sent = str(wire.calls[0].request.url).partition("?")[2]
        assert sent == "urls=https%3A%2F%2Fexample.org%2Fa.png&urls=https%3A%2F%2Fexample.org%2Fb.png"

    def test_a_picture_is_shown(self, browser: Client, predict: str, wire: responses.RequestsMock) -> None:
        wire.post(PREDICT, body=b"\x89PNG", content_type="image/png")
        assert "data:image/png;base64,iVBORw==" in text(self.send(browser, predict, **{"a-accept": "image/png"}))

    @pytest.mark.parametrize(
        ("kind", "sent_as"),
        [("application/zip", "application/zip"), ("image/svg+xml", "application/octet-stream"),
         ("application/x-anything", "application/octet-stream")],
    )  # fmt: skip
    def test_anything_else_is_a_download_and_never_a_page(
        self, browser: Client, predict: str, wire: responses.RequestsMock, kind: str, sent_as: str
    ) -> None:
        wire.post(PREDICT, body=b"<svg onload=alert(1)>", content_type=kind)
        answer = self.send(browser, predict)
        assert answer["Content-Type"] == sent_as
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer.getvalue() == b"<svg onload=alert(1)>"

    def test_a_large_answer_flows_through_and_is_never_whole_in_memory(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        body = b'{"labels": "' + b"x" * SHOWN_BYTES + b'"}'
        wire.post(PREDICT, body=body, content_type="application/json")
        answer = self.send(browser, predict)
        assert answer.streaming
        sizes = [len(chunk) for chunk in answer.streaming_content]
        assert (sum(sizes), max(sizes) <= 64 * 1024) == (len(body), True)

    def test_a_download_over_the_limit_breaks_off(
        self, browser: Client, predict: str, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deployments.clients.deepaas.PREDICT_BYTES", 100_000)
        wire.post(PREDICT, body=b"x" * 200_000, content_type="application/zip", auto_calculate_content_length=False)
        answer = self.send(browser, predict)
        with pytest.raises(ServiceError):
            answer.getvalue()
        wire.replace("POST", PREDICT, body=b"x" * 200_000, content_type="application/zip",
                     auto_calculate_content_length=True)  # fmt: skip
        told = self.send(browser, predict)  # the module says how long it is: nothing is begun
        assert (told.status_code, "more than 97 KiB" in text(told)) == (422, True)

    def test_two_at_the_same_time_are_enough_for_one_user(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(PREDICT, body=b"PK", content_type="application/zip")
        first, second = self.send(browser, predict), self.send(browser, predict)
        refused = self.send(browser, predict)
        assert "Too many of these are under way at the same time." in text(refused)
        assert len(wire.calls) == 2
        assert first.getvalue() == b"PK"
        assert self.send(browser, predict).getvalue() == b"PK"
        assert second.getvalue() == b"PK"

    def test_an_upload_has_no_name_on_disk_and_is_closed_with_its_request(
        self, browser: Client, predict: str, wire: responses.RequestsMock, settings: Any, tmp_path: Path
    ) -> None:
        settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 1000
        seen: list[Any] = []

        def answered(request: Any) -> tuple[int, dict[str, str], bytes]:
            seen.append(len(b"".join(request.body)))
            seen.append([os.fstat(descriptor).st_nlink for descriptor in files_in(tmp_path)])
            seen.append(list(tmp_path.iterdir()))
            return 200, {"Content-Type": "application/zip"}, b"PK"

        wire.add_callback("POST", PREDICT, answered)
        image = SimpleUploadedFile("leaf.png", b"p" * 300_000, "image/png")
        answer = browser.post(predict, {"model": "plants", "a-image": image, "action": "show"})
        assert seen[0] > 300_000
        assert seen[1:] == [[0], []]
        assert answer.getvalue() == b"PK"
        assert files_in(tmp_path) == []

    def test_a_page_of_the_module_is_shown_as_text(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(PREDICT, body="<script>alert(1)</script>", content_type="text/html")
        assert "&lt;script&gt;alert(1)" in text(self.send(browser, predict))

    def test_refused_values_stand_at_their_fields(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(PREDICT, status=422, json={"image": ["Not an image."]})
        answer = self.send(browser, predict)
        assert (answer.status_code, "Not an image." in text(answer)) == (422, True)

    def test_without_a_file_nothing_is_sent(self, browser: Client, predict: str, wire: responses.RequestsMock) -> None:
        answer = browser.post(predict, {"model": "plants", "action": "show"})
        assert "Choose a file." in text(answer)
        assert len(wire.calls) == 0

    def test_a_file_over_the_limit_is_dropped_on_its_way(
        self, browser: Client, predict: str, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configure(monkeypatch, UPLOAD_MEGABYTES=1)
        big = SimpleUploadedFile("big.bin", b"x" * 1_100_000)
        answer = browser.post(predict, {"model": "plants", "action": "show", "a-image": big})
        assert "This file is too large: at most 1 MB can be sent." in text(answer)
        assert len(wire.calls) == 0

    def test_a_module_that_breaks_says_so_in_place(
        self, browser: Client, predict: str, wire: responses.RequestsMock
    ) -> None:
        wire.post(PREDICT, status=500, body="500: no such file")
        assert "The module failed while it worked on this." in text(self.send(browser, predict))


def test_deleting_a_deployment_warns_of_its_running_training(browser: Client, deployment: Deployment) -> None:
    assert "A training runs in it." not in text(browser.get(f"{deployment.get_absolute_url()}/delete"))
    Deployment.objects.update(running_trainings=1)
    for page in (f"{deployment.get_absolute_url()}/delete", f"/deployments/delete?pick={deployment.reference}"):
        assert "A training runs in it." in text(browser.get(page)), page
    assert "Training</span>" in text(browser.get("/deployments"))


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(None, "taken as UTC: DEEPaaS names no zone"), (timedelta(hours=5, minutes=45), "UTC+05:45, as a training")],
)
def test_the_start_of_a_run_of_others_tells_by_which_clock(
    browser: Client, deployment: Deployment, ahead: timedelta | None, said: str
) -> None:
    ModuleApi.objects.update(clock_ahead=ahead)
    assert said in text(browser.get(make_training(deployment, started_here=False).get_absolute_url()))
