"""The list of deployments."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from django.test import Client
from django.utils import timezone
from lxml import html

from accounts.models import User
from catalog.models import Module
from deployments.states import Status
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.test_pages import HTMX, text
from deployments.tests.test_services import LIST, of
from deployments.trainings.testing import make_training

pytestmark = pytest.mark.usefixtures("plants")


class TestList:
    def test_the_page_is_there_before_anybody_is_asked(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        make_deployment(owner)
        page = text(browser.get("/deployments"))
        assert "Alpine plants" in page
        assert 'hx-get="/deployments/rows?step=sync" hx-trigger="load"' in page
        assert len(wire.calls) == 0

    def test_only_a_list_of_every_status_takes_what_leaves_it_for_deleted(self, browser: Client, owner: User) -> None:
        make_deployment(owner, status=Status.DELETE_IN_PROGRESS)
        assert 'data-gone="Deleted"' in text(browser.get("/deployments"))
        narrowed = text(browser.get("/deployments?status=progress"))
        assert "data-about" in narrowed
        assert "data-gone" not in narrowed, "it may have failed to be deleted"

    def test_a_module_is_called_by_its_title_in_the_filter_though_some_have_lost_it(
        self, browser: Client, owner: User
    ) -> None:
        plants = Module.objects.get(slug="deep-oc-plants")
        for number, module in enumerate([plants, None, plants, None]):
            make_deployment(owner, module=module, module_slug="deep-oc-plants", provider_name=f"site-{number}")
        options = html.fromstring(browser.get("/deployments").content).xpath(
            "//select[@name='module']/option[@value!='']"
        )
        assert [option.text for option in options] == ["Plants"]

    def test_the_fragment_brings_the_orchestrators_list_and_stops(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        wire.get(LIST, json=listing(upstream("u1", owner=owner, status="CREATE_FAILED", statusReason="Quota exceeded")))
        answer = browser.get("/deployments/rows?step=sync", headers=HTMX)
        assert answer.status_code == 286
        assert "Creation failed" in text(answer)
        assert "The provider’s quota is used up" in text(answer)
        assert "hx-get" not in text(answer)

    def test_it_asks_again_only_while_something_moves(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        moving = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        wire.get(LIST, json=listing(of(moving)))
        wire.get(f"{LIST}/{moving.uuid}", json=of(moving))
        first = browser.get("/deployments/rows?step=sync", headers=HTMX)
        assert first.status_code == 200
        assert 'hx-trigger="every 3s"' in text(first)
        found = re.search(r'hx-get="([^"]+)"', text(first))
        assert found
        again = found[1].replace("&amp;", "&")
        unchanged = browser.get(again, headers=HTMX)
        assert unchanged.status_code == 204, "an opened detail stays open, the focus where it is"
        wire.replace(responses.GET, f"{LIST}/{moving.uuid}", json=of(moving, status="CREATE_FAILED"))
        last = browser.get(again, headers=HTMX)
        assert last.status_code == 286
        assert 'data-about="Alpine plants"' in text(last), "what the browser says once its words differ"

    @pytest.mark.parametrize(
        ("failure", "words"),
        [
            ({"status": 503, "body": "<html>", "content_type": "text/html"}, "reports a fault of its own"),
            ({"body": "{broken"}, "sent an answer that can’t be understood"),
            ({"body": requests.exceptions.ConnectTimeout("x")}, "can’t be reached"),
            ({"body": requests.exceptions.ReadTimeout("x")}, "did not answer in time"),
            ({"status": 429}, "asks us to slow down"),
        ],
    )
    @pytest.mark.parametrize("address", ["/deployments/rows?step=sync", "/deployments?fresh=1"])
    def test_when_the_orchestrator_is_in_trouble_the_last_known_list_stays(
        self,
        address: str,
        failure: dict[str, Any],
        words: str,
        browser: Client,
        owner: User,
        wire: responses.RequestsMock,
    ) -> None:
        make_deployment(owner, title="First")
        make_deployment(owner, title="Second", status=Status.CREATE_IN_PROGRESS)
        wire.get(LIST, **failure)
        answer = browser.get(address)
        page = text(answer)
        assert answer.status_code == 200
        assert f"The orchestrator {words}" in page
        assert "last seen" in page
        assert "Try now" in page
        assert "First" in page
        assert "Was being created" in page
        assert 'hx-trigger="every 20s"' in page

    def test_without_scripts_the_link_looks_first(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        wire.get(LIST, json=listing(upstream("u1", owner=owner, outputs={"deployment_description": "Elsewhere"})))
        page = text(browser.get("/deployments?fresh=1"))
        assert "Elsewhere" in page
        assert "?fresh=1" in page

    def test_search_filters_order_and_pages(self, browser: Client, owner: User, services: None) -> None:
        for number in range(30):  # with identifiers that no search for digits finds
            site = "provider-A" if number % 2 else ""
            make_deployment(owner, title=f"Number {number:02}", provider_name=site, uuid=f"u{number}")
        make_deployment(owner, title="Broken", status=Status.CREATE_FAILED)
        make_deployment(owner, title="Vanished", status=Status.GONE)
        assert "Vanished" not in text(browser.get("/deployments"))
        assert "Vanished" in text(browser.get("/deployments?status=gone"))
        broken = text(browser.get("/deployments?status=attention"))
        assert "Broken" in broken
        assert "Number" not in broken
        page = text(browser.get("/deployments?provider=provider-A&sort=title"))
        assert "Number 01" in page
        assert "Number 02" not in page
        found = text(browser.get("/deployments?q=number+07"))
        assert "Number 07" in found
        assert "Number 17" not in found
        second = text(browser.get("/deployments?sort=title&page=2"))
        assert "Number 29" in second
        assert "Number 00" not in second
        assert 'aria-sort="ascending"' in second

    def test_modules_go_by_the_title_that_curators_gave_them(
        self, browser: Client, owner: User, services: None
    ) -> None:
        birds = Module.objects.create(slug="deep-oc-a", title="Audio", title_override="Night birds", docker_image="x/a")
        make_deployment(owner, title="of plants", module=Module.objects.get(slug="deep-oc-plants"))
        make_deployment(owner, title="of birds", module=birds, module_slug="deep-oc-a")
        make_deployment(owner, title="of nothing", module_slug="deep-oc-zz")

        page = html.fromstring(text(browser.get("/deployments?sort=module")))
        assert [cell.text_content() for cell in page.xpath("//td[@data-label='Module']")] == [
            "deep-oc-zzcpu", "Night birdscpu", "Plantscpu",
        ]  # fmt: skip
        offered = page.xpath("//select[@name='module']/option[@value!='']")
        assert [(it.get("value"), it.text) for it in offered] == [
            ("deep-oc-zz", "deep-oc-zz"), ("deep-oc-a", "Night birds"), ("deep-oc-plants", "Plants"),
        ]  # fmt: skip
        assert "of birds" in (found := text(browser.get("/deployments?q=NIGHT")))
        assert "of plants" not in found

    def test_it_is_narrowed_by_group_and_days_of_creation(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        for title, group, day in (("Early", "plants", 1), ("Middle", "plants", 2), ("Late", "", 3)):
            made = datetime(2026, 3, day, 23, 59, tzinfo=UTC)
            make_deployment(owner, title=title, user_group=group, created_at=made)

        def shown(query: str) -> set[str]:
            page = text(browser.get(f"/deployments?{query}"))
            return {title for title in ("Early", "Middle", "Late") if f">{title}</a>" in page}

        assert shown("group=plants") == {"Early", "Middle"}
        assert shown("created_from=2026-03-02") == {"Middle", "Late"}
        assert shown("created_to=2026-03-02") == {"Early", "Middle"}
        assert shown("group=plants&created_from=2026-03-02&created_to=2026-03-02") == {"Middle"}
        assert shown("created_from=2026-03-03&created_to=2026-03-02") == set()
        page = text(browser.get("/deployments?group=plants&created_from=2026-03-02"))
        assert '<option value="plants" selected>' in page
        assert 'name="created_from" value="2026-03-02"' in page
        live = "/deployments/rows?group=plants&amp;created_from=2026-03-02&amp;step=sync"
        assert f'hx-get="{live}"' in page  # what follows is narrowed alike
        assert len(wire.calls) == 0

    @pytest.mark.parametrize(
        "query",
        [
            "page=0",
            "page=9999",
            "page=x",
            "sort=owner",
            "sort=--title",
            "status=nonsense",
            "q=%00",
            "provider=%27",
            "group=%00",
            "created_from=x&created_to=2026-02-30",
            "created_from=0001-01-01",
            "created_to=9999-12-31",
        ],
    )
    def test_odd_addresses_are_no_trouble(self, query: str, browser: Client, owner: User, services: None) -> None:
        make_deployment(owner)
        assert browser.get(f"/deployments?{query}").status_code == 200

    def test_nothing_fits_says_so(self, browser: Client, owner: User, services: None) -> None:
        make_deployment(owner)
        page = text(browser.get("/deployments?q=seismic"))
        assert "No deployment matches “seismic”" in page

    def test_the_first_time_it_explains(self, browser: Client, wire: responses.RequestsMock) -> None:
        wire.get(LIST, json=listing())
        assert "Your first deployment" in text(browser.get("/deployments/rows?step=sync", headers=HTMX))

    def test_without_an_answer_it_does_not_claim_that_there_is_none(
        self, browser: Client, wire: responses.RequestsMock
    ) -> None:
        wire.get(LIST, status=503)
        page = text(browser.get("/deployments/rows?step=sync", headers=HTMX))
        assert "Status not known" in page
        assert "Your first deployment" not in page

    def test_statements_are_few_whatever_the_length(
        self, browser: Client, owner: User, wire: responses.RequestsMock, django_assert_max_num_queries: Any
    ) -> None:
        many = [upstream(owner=owner) for _ in range(2000)]
        wire.get(LIST, json=listing(*many))
        with django_assert_max_num_queries(13):  # all are new: session, user and token; one look; the page
            browser.get("/deployments/rows?step=sync", headers=HTMX)
        assert len(wire.calls) == 1, "one upstream round trip"
        with django_assert_max_num_queries(8):
            page = browser.get("/deployments")
        assert "of 2000" in text(page)
        assert len(wire.calls) == 1, "none before the first paint"
        with django_assert_max_num_queries(10):  # nothing changed: the usual case
            browser.get("/deployments/rows?step=sync", headers=HTMX)
        assert len(wire.calls) == 2
        for step in ("?sort=title&page=40", "?q=alp&status=ready", "?sort=-provider&page=7"):
            with django_assert_max_num_queries(10):
                assert browser.get(f"/deployments{step}").status_code == 200
        assert len(wire.calls) == 2

    def test_each_row_tells_of_the_training_that_began_last(self, browser: Client, owner: User) -> None:
        first, second = make_deployment(owner), make_deployment(owner)
        make_deployment(owner, title="Untrained")
        now = timezone.now()
        make_training(first, status="done", started_at=now - timedelta(hours=5))
        newest = make_training(first, status="error", started_at=now - timedelta(hours=1))
        make_training(second, status="done", started_at=now - timedelta(hours=2))
        make_training(second, status="done", started_at=now, removed_at=now)
        page = html.fromstring(browser.get("/deployments").content.decode())
        said = [" ".join(cell.text_content().split()) for cell in page.xpath("//td[@data-label='Last training']")]
        assert said == ["–", "Done 2 hours ago", "Error 1 hour ago"]
        assert page.xpath("//td[@data-label='Last training']//a/@href")[-1] == newest.get_absolute_url()
