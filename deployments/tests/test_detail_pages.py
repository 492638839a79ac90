"""The page of a deployment, and what is done from it."""

from typing import Any

import pytest
import requests
import responses
from django.test import Client
from django.utils import timezone
from lxml import html

from accounts.models import User
from deployments.states import Status
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.test_pages import HTMX, text
from deployments.tests.test_services import LIST, of

pytestmark = pytest.mark.usefixtures("plants")


class TestDetail:
    def test_the_timeline_of_what_was_made_elsewhere_begins_with_the_state_it_was_found_in(
        self, browser: Client, owner: User
    ) -> None:
        reason = "Timeout: Maximum execution time exceeded."
        found = make_deployment(owner, submission_key=None, status=Status.DELETE_FAILED, status_reason=reason)
        page = html.fromstring(browser.get(f"/deployments/{found.uuid}").content.decode())
        lines = [" ".join(line.text_content().split()) for line in page.xpath("//ol[@class='timeline']/li")]
        assert len(lines) == 2
        assert lines[0].startswith("Deletion failed")
        assert lines[1].startswith("Made elsewhere")
        assert "Its provider did not delete it in time" in lines[0]

    def test_it_shows_what_is_known_and_then_asks(
        self, browser: Client, owner: User, wire: responses.RequestsMock, django_assert_max_num_queries: Any
    ) -> None:
        mine = make_deployment(
            owner,
            inputs={"num_cpus": 4, "ports": [1, 2]},
            secret_inputs=["jupyter_password"],
            outputs={"deepaas_endpoint": "http://203.0.113.7:10012", "Docker_image": "deephdc/plants:cpu"},
            secret_outputs=["token"],
            services={"deepaas_endpoint": {"answers": True}},
            answers=True,
            answered_at=timezone.now(),
            checked_at=timezone.now(),
        )
        with django_assert_max_num_queries(7):
            page = text(browser.get(f"/deployments/{mine.uuid}"))
        assert "Open API" in page
        assert 'href="http://203.0.113.7:10012"' in page
        assert "Over plain http" in page
        assert "secret, not kept" in page
        assert "Show secrets" in page
        assert f'hx-get="/deployments/{mine.uuid}/live?step=sync" hx-trigger="load"' in page
        assert len(wire.calls) == 0

    def test_its_live_part_polls_until_it_rests(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        wire.get(f"{LIST}/{mine.uuid}", json=of(mine, cloudProviderName="provider-SITE"))
        moving = browser.get(f"/deployments/{mine.uuid}/live?step=sync", headers=HTMX)
        assert moving.status_code == 200
        assert 'hx-trigger="every 3s"' in text(moving)
        assert "Creating: starting at SITE" in text(moving)
        wire.replace(responses.GET, f"{LIST}/{mine.uuid}", json=of(mine, status="CREATE_FAILED"))
        assert browser.get(f"/deployments/{mine.uuid}/live?step=poll", headers=HTMX).status_code == 286

    def test_one_made_elsewhere_is_read_on_the_first_visit(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        wire.get(f"{LIST}/u1", json=upstream("u1", owner=owner, outputs={"deployment_description": "Elsewhere"}))
        page = text(browser.get("/deployments/u1"))
        assert "Elsewhere" in page
        assert "Made elsewhere" in page

    @pytest.mark.parametrize(
        "failure", [{"status": 503}, {"body": "<html>"}, {"body": requests.exceptions.ReadTimeout()}]
    )
    def test_trouble_leaves_the_last_known(
        self, failure: dict[str, Any], browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, note="mind the dog")
        wire.get(f"{LIST}/{mine.uuid}", **failure)
        for address in (f"/deployments/{mine.uuid}?fresh=1", f"/deployments/{mine.uuid}/live"):
            answer = browser.get(address)
            assert answer.status_code == 200
            assert "The orchestrator" in text(answer)
            assert "last seen" in text(answer)
            assert "mind the dog" in text(answer)

    def test_trouble_with_one_not_met_yet_is_a_page_that_says_so(
        self, browser: Client, wire: responses.RequestsMock
    ) -> None:
        wire.get(f"{LIST}/u1", status=503)
        answer = browser.get("/deployments/u1")
        assert answer.status_code == 502
        assert "The orchestrator reports a fault of its own" in text(answer)

    def test_a_failure_is_explained(self, browser: Client, owner: User, services: None) -> None:
        reason = (
            "Retries on cloud providers exhausted. Error list is:\n\n"
            + "-" * 64
            + ("\nCloud Provider <provider-ALPINE>\nCloud Provider Service <s>\n\nInsufficient nvidia.com/gpu")
        )
        mine = make_deployment(owner, status=Status.CREATE_FAILED, status_reason=reason)
        mine.events.create(status="CREATE_FAILED", reason=reason)
        page = text(browser.get(f"/deployments/{mine.uuid}"))
        assert "One provider tried: no GPU was free" in page
        assert "Try failed: ALPINE" in page
        assert "Change and try again" in page
        assert "Insufficient nvidia.com/gpu" in page

    def test_a_submission_without_answer_has_a_page(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, status=Status.UNCERTAIN)
        wire.get(LIST, json=listing())
        page = browser.get(f"/deployments/{mine.submission_key}")
        assert "not named yet" in text(page)
        assert browser.get(f"/deployments/{mine.submission_key}/live").status_code in {200, 286}

    @pytest.mark.parametrize("odd", ["..", "a/b", "%2e%2e", "x" * 65, "a b", "%00"])
    def test_odd_identifiers_are_not_found(self, odd: str, browser: Client, wire: responses.RequestsMock) -> None:
        assert browser.get(f"/deployments/{odd}").status_code == 404
        assert len(wire.calls) == 0


class TestActs:
    def test_deleting_asks_first(self, browser: Client, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, num_gpus=1)
        page = text(browser.get(f"/deployments/{mine.uuid}/delete"))
        assert "Delete “Alpine plants”?" in page
        assert "1 GPU" in page
        assert len(wire.calls) == 0
        wire.delete(f"{LIST}/{mine.uuid}", status=204)
        answer = browser.post(f"/deployments/{mine.uuid}/delete", follow=True)
        assert "“Alpine plants” is being deleted." in text(answer)

    def test_a_failed_deletion_says_so_and_can_be_tried_again(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", status=503)
        answer = browser.post(f"/deployments/{mine.uuid}/delete")
        assert answer.status_code == 502
        assert "“Alpine plants” was not deleted. The orchestrator reports a fault of its own." in text(answer)
        assert "Try again" in text(answer)

    def test_deleting_needs_the_forms_secret(self, owner: User, wire: responses.RequestsMock) -> None:
        careful = Client(enforce_csrf_checks=True)
        careful.force_login(owner)
        mine = make_deployment(owner)
        assert careful.post(f"/deployments/{mine.uuid}/delete").status_code == 403
        assert len(wire.calls) == 0

    def test_renaming(self, browser: Client, owner: User, services: None) -> None:
        mine = make_deployment(owner)
        answer = browser.post(f"/deployments/{mine.uuid}/rename", {"title": "Field trip", "note": "x"}, follow=True)
        assert "Title and note are saved" in text(answer)
        assert "<h1>Field trip</h1>" in text(answer)
        refused = browser.post(f"/deployments/{mine.uuid}/rename", {"title": "y" * 46, "note": "kept words"})
        assert refused.status_code == 422
        assert "Use at most 45 characters; this has 46." in text(refused)
        assert "kept words" in text(refused)
        assert 'value="Field trip"' in text(browser.get(f"/deployments/{mine.uuid}/rename"))
