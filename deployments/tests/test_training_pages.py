"""The pages of trainings: from the database at once, safe whatever a module says, and each user's own."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError
from requests import ConnectionError

from accounts.models import User
from catalog.testing import make_module
from deployments.models import Deployment, ModuleApi, Training, TrainingArguments, TrainingBatch
from deployments.testing import make_deployment
from deployments.trainings.records import record_of
from deployments.trainings.tasks import go_on_with_batch
from deployments.trainings.testing import API, MODELS, TRAIN, make_api, make_training, models, swagger, told

EVIL = '"><script>alert(1)</script>'
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

    def test_the_first_look_brings_the_next_one_though_it_learns_nothing_new(
        self, browser: Client, deployment: Deployment, page: str, wire: responses.RequestsMock
    ) -> None:
        Deployment.objects.filter(pk=deployment.pk).update(answers=False, answered_at=None)
        ModuleApi.objects.update(offered=[], read_at=None, described_at=None)
        wire.get(MODELS, body=ConnectionError())
        browser.get(f"{page}?fresh=1")
        shown = text(browser.get(page))
        assert 'hx-trigger="load"' in shown
        address = shown.split('id="now" hx-get="')[1].split('"')[0].replace("&amp;", "&")
        answer = browser.get(address)
        assert answer.status_code == 200
        assert 'hx-trigger="every 3s"' in text(answer)  # soon again: it boots

    def test_the_first_answer_of_one_that_boots_makes_its_head_say_so(
        self, browser: Client, deployment: Deployment, page: str, wire: responses.RequestsMock
    ) -> None:
        Deployment.objects.filter(pk=deployment.pk).update(answers=False, answered_at=None)
        wire.get(MODELS, json=models("plants"))
        wire.get(TRAIN, json=[])
        shown = text(browser.get(page))
        assert "Starting" in shown.split('id="state"')[1].split("</span></span>")[0]
        address = shown.split('id="now" hx-get="')[1].split('"')[0].replace("&amp;", "&")
        head = text(browser.get(address)).split('id="state" hx-swap-oob="true"')[1][:300]
        assert "Ready" in head
        assert "Starting" not in head

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
        assert (answer.status_code, "not a readable record of a training" in text(answer)) == (422, True)


class TestLists:
    def test_search_and_filters(self, browser: Client, deployment: Deployment, owner: User) -> None:
        make_training(deployment, arguments={"data": "/alps"}, status="error", message="No images")
        make_training(deployment, arguments={"data": "/sea"})
        for query, here, away in [("q=alps", "/alps", "/sea"), ("status=done", "/sea", "/alps"),
                                  ("q=images", "/alps", "/sea")]:  # fmt: skip
            shown = text(browser.get(f"/training?{query}"))
            assert here in shown
            assert away not in shown
        assert "No training matches “nothing”" in text(browser.get("/training?q=nothing"))

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
        assert "Select at least two" in text(browser.get("/training/compare?run=nonsense"))


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
