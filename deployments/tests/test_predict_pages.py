"""Predictions: sent through to the module, shown or handed on by what comes back, and kept nowhere."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import responses
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from accounts.testing import configure
from deepdash.http import ServiceError
from deployments.models import Deployment
from deployments.trainings.testing import PREDICT, make_api
from deployments.trainings.views.predict import SHOWN_BYTES


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


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return make_api(owner)


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
