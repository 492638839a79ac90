"""DEEPaaS inside a deployment, in the forms of DEEPaaS 2.6 (contract 6)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from sandbox.deepaas.module import module_of
from sandbox.testing import SandboxThread
from sandbox.tests.orchestrating import User, wait_for

UUID = re.compile(r"[0-9a-f]{32}")
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


class Module:
    """The DEEPaaS of a fresh deployment."""

    def __init__(self, sandbox: SandboxThread, image: str = "deephdc/deep-oc-demo_app:cpu") -> None:
        self.sandbox = sandbox
        outputs = User(sandbox, "ada").finished(inputs={"docker_image": image})["outputs"]
        self.url: str = outputs["deepaas_endpoint"]
        wait_for(self._answers, "DEEPaaS")
        models = requests.get(f"{self.url}/v2/models", timeout=30).json()["models"]
        self.model: dict[str, Any] = models[0]
        self.train = self.url + self.model["links"][0]["href"] + "/train/"
        self.predict = self.url + self.model["links"][0]["href"] + "/predict/"

    def _answers(self) -> bool:
        try:
            return requests.get(self.url, timeout=30).ok
        except requests.ConnectionError:
            return False

    def start(self, **args: Any) -> dict[str, Any]:
        answer = requests.post(self.train, params={"dataset": "/data", **args}, timeout=30)
        assert answer.status_code == 200, answer.text
        training: dict[str, Any] = answer.json()
        return training

    def trainings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = requests.get(self.train, timeout=30).json()
        return found

    def wait(self, uuid: str, status: str) -> dict[str, Any]:
        def reached() -> dict[str, Any] | None:
            one: dict[str, Any] = requests.get(self.train + uuid, timeout=30).json()
            return one if one["status"] == status else None

        found: dict[str, Any] = wait_for(reached, f"training {status}")
        return found


@pytest.fixture
def module(fresh: SandboxThread) -> Module:
    return Module(fresh)


class TestModels:
    def test_the_versions_lead_on(self, module: Module) -> None:
        body = requests.get(module.url, timeout=30).json()
        assert [version["id"] for version in body["versions"]] == ["v2"]
        assert body["versions"][0]["links"][0]["href"] == "/v2/"
        assert [link["href"] for link in body["links"]] == ["/api", "/swagger.json"]

    def test_models_without_slash_is_a_permanent_redirect(self, module: Module) -> None:
        answer = requests.get(f"{module.url}/v2/models", allow_redirects=False, timeout=30)
        assert (answer.status_code, answer.headers["Location"]) == (308, "/v2/models/")

    def test_both_shapes_of_module_occur_and_one_trap_is_the_id(self, fresh: SandboxThread) -> None:
        nameless = Module(fresh, "x/deep-oc-thing-sandbox-nometadata:gpu")
        assert nameless.model["id"] == "0"
        assert "author" not in nameless.model
        assert requests.get(f"{nameless.url}/v2/models/0/train/", timeout=30).status_code == 404
        assert nameless.trainings() == []
        shapes = {module_of(f"deephdc/deep-oc-module-{number}").metadata.get("id") for number in range(20)}
        assert shapes == {"0", None}

    def test_the_module_s_own_words_go_over_the_rest(self, module: Module) -> None:
        assert module.model["id"] == "demo_app"
        assert module.model["license"] == "Apache-2.0"
        one = requests.get(f"{module.url}/v2/models/demo_app/", timeout=30).json()
        assert one == module.model

    def test_a_module_that_cannot_train_lists_none_and_refuses(self, fresh: SandboxThread) -> None:
        module = Module(fresh, "x/sandbox-notrain")
        assert module.trainings() == []
        answer = requests.post(module.train, timeout=30)
        assert answer.status_code == 501
        assert answer.reason.startswith("Not implemented by underlying model (loaded '")

    def test_the_help_page_and_its_old_address(self, module: Module) -> None:
        answer = requests.get(f"{module.url}/ui", timeout=30)
        assert answer.url == f"{module.url}/api"
        assert "learning_rate" in answer.text


class TestTrainings:
    def test_a_training_runs_and_is_done(self, module: Module) -> None:
        started = module.start(epochs=3, class_weights=[1, 2], optimizer="sgd", unknown="dropped")
        assert UUID.fullmatch(started["uuid"])
        assert DATE.fullmatch(started["date"])
        assert started["status"] == "running"
        assert started["args"] == {
            "dataset": "/data",
            "epochs": 3,
            "learning_rate": 0.001,
            "batch_size": 16,
            "augmentation": True,
            "optimizer": "sgd",
            "class_weights": [1.0, 2.0],
            "labels": [],
            "note": None,
        }
        done = module.wait(started["uuid"], "done")
        output = done["result"]["output"]
        assert len(output["history"]) == 3
        assert output["loss"] == output["history"][-1]["loss"]
        assert DATE.fullmatch(done["result"]["finish_date"])
        assert re.fullmatch(r"\d+:\d\d:\d\d(\.\d{6})?", done["result"]["duration"])
        assert "message" not in done
        assert module.trainings() == [done]

    @pytest.mark.parametrize(
        ("args", "words"), [({"dataset": "/data/fail"}, "No images"), ({"learning_rate": 2}, "learning rate")]
    )
    def test_arguments_can_make_it_fail(self, module: Module, args: dict[str, Any], words: str) -> None:
        failed = module.wait(module.start(**args)["uuid"], "error")
        assert words in failed["message"]
        assert "result" not in failed

    def test_a_second_one_waits_for_the_worker_and_says_running(self, module: Module) -> None:
        module.sandbox.control.settings(training=20)
        first, second = module.start(), module.start()
        assert [training["status"] for training in module.trainings()] == ["running", "running"]
        ended = [
            datetime.fromisoformat(module.wait(training["uuid"], "done")["result"]["finish_date"])
            for training in (first, second)
        ]
        assert ended[1] - ended[0] >= timedelta(seconds=0.39), "the second began when the first had ended"

    @pytest.mark.parametrize(
        ("args", "problems"),
        [
            ({}, {"dataset": ["Missing data for required field."]}),
            (
                {"dataset": "x", "epochs": "many", "augmentation": "perhaps", "class_weights": ["1", "x"]},
                {
                    "epochs": ["Not a valid integer."],
                    "augmentation": ["Not a valid boolean."],
                    "class_weights": {"1": ["Not a valid number."]},
                },
            ),
            (
                {"dataset": "x", "epochs": 0, "optimizer": "magic", "learning_rate": "nan"},
                {
                    "epochs": ["Must be greater than or equal to 1 and less than or equal to 500."],
                    "optimizer": ["Must be one of: adam, sgd, rmsprop."],
                    "learning_rate": ["Special numeric values (nan or infinity) are not permitted."],
                },
            ),
        ],
    )
    def test_wrong_arguments_are_422_by_name(
        self, module: Module, args: dict[str, Any], problems: dict[str, Any]
    ) -> None:
        answer = requests.post(module.train, params=args, timeout=30)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/json")
        assert answer.json() == problems
        assert module.trainings() == []

    def test_deleting_a_running_one_removes_it_and_answers_500(self, module: Module) -> None:
        module.sandbox.control.settings(training=5000)
        running = module.start()
        answer = requests.delete(module.train + running["uuid"], timeout=30)
        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.text == "500 Internal Server Error\n\nServer got itself in trouble"
        assert module.trainings() == []
        module.sandbox.control.settings(training=1)
        # The worker is free again.
        module.wait(module.start()["uuid"], "done")

    def test_deleting_a_finished_one_answers_with_it_and_a_failed_one_500(self, module: Module) -> None:
        done = module.wait(module.start()["uuid"], "done")
        answer = requests.delete(module.train + done["uuid"], timeout=30)
        assert (answer.status_code, answer.json()) == (200, done)
        failed = module.wait(module.start(dataset="fail")["uuid"], "error")
        assert requests.delete(module.train + failed["uuid"], timeout=30).status_code == 500
        assert module.trainings() == []

    def test_an_unknown_one_is_404_in_plain_text(self, module: Module) -> None:
        for method in ("GET", "DELETE"):
            answer = requests.request(method, module.train + "0" * 32, timeout=30)
            assert (answer.status_code, answer.text) == (404, "404: Not Found")
        answer = requests.put(module.train, timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET,POST")


class TestPrediction:
    def test_a_file_is_classified_and_another_differently(self, module: Module) -> None:
        answers = [
            requests.post(module.predict, files={"image": ("a.png", data, "image/png")}, timeout=30).json()
            for data in (b"a", b"b")
        ]
        assert all(answer["status"] == "OK" for answer in answers)
        assert answers[0]["predictions"]["labels"] != answers[1]["predictions"]["labels"]

    def test_it_honours_its_arguments(self, module: Module) -> None:
        query = {"top_k": "2", "with_heatmap": "yes"}
        answer = requests.post(module.predict, params=query, files={"image": b"x"}, timeout=30).json()
        assert len(answer["predictions"]["labels"]) == 2
        assert answer["predictions"]["heatmap"].startswith("data:image/png;base64,")

    def test_an_image_comes_back_when_asked_for(self, module: Module) -> None:
        headers = {"Accept": "image/png"}
        answer = requests.post(module.predict, files={"image": b"x"}, headers=headers, timeout=30)
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.content.startswith(b"\x89PNG")

    def test_it_needs_the_file(self, module: Module) -> None:
        answer = requests.post(module.predict, timeout=30)
        assert (answer.status_code, answer.json()) == (422, {"image": ["Missing data for required field."]})


class TestSwagger:
    def test_every_kind_of_argument_is_described(self, module: Module) -> None:
        spec = requests.get(f"{module.url}/swagger.json", timeout=30).json()
        train = spec["paths"]["/v2/models/demo_app/train/"]["post"]["parameters"]
        described = {parameter["name"]: parameter for parameter in train}
        assert described["dataset"]["required"] is True
        assert described["epochs"] == {
            "in": "query",
            "name": "epochs",
            "required": False,
            "type": "integer",
            "format": "int32",
            "default": 10,
            "minimum": 1,
            "maximum": 500,
            "description": "How often the whole training set is gone through.",
        }
        assert described["augmentation"]["type"] == "boolean"
        assert described["optimizer"]["enum"] == ["adam", "sgd", "rmsprop"]
        assert described["class_weights"]["items"] == {"type": "number", "format": "float"}
        assert described["note"]["x-nullable"] is True
        predict = spec["paths"]["/v2/models/demo_app/predict/"]["post"]["parameters"]
        places = {parameter["name"]: (parameter["in"], parameter["type"]) for parameter in predict}
        assert places["image"] == ("formData", "file")
        assert places["accept"] == ("header", "string")


def test_faults_reach_the_containers_too_and_calls_are_counted(module: Module) -> None:
    control = module.sandbox.control
    before = control.count("deepaas")
    control.fault("deepaas", status=503, times=1)
    assert requests.get(module.url, timeout=30).status_code == 503
    assert requests.get(module.url, timeout=30).status_code == 200
    assert control.count("deepaas") == before + 2
