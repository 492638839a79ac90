"""The pages of deployments, providers and services."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from lxml import html

from accounts.models import User
from accounts.testing import configure
from catalog.models import Module
from deployments.home_kept import home_forget
from deployments.models import Deployment
from deployments.states import Status
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR, SLAM
from deployments.tests.test_services import LIST, NOT_THERE, of
from deployments.trainings.testing import make_training

HTMX = {"HX-Request": "true"}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


@pytest.fixture(autouse=True)
def _module(db: None) -> None:
    Module.objects.create(slug="deep-oc-plants", title="Plants", docker_image="deephdc/plants")


def text(response: Any) -> str:
    return str(response.content.decode())


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


def test_settings_shows_the_services(
    browser: Client, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SLAM in text(browser.get("/settings"))
    configure(monkeypatch, IM_URL="")
    page = text(browser.get("/settings"))
    assert 'hx-get="/settings" hx-trigger="load"' in page
    wire.get(f"{ORCHESTRATOR}/configuration", status=503)
    assert "The orchestrator reports a fault" in text(browser.get("/settings?fresh=1"))
    wire.replace(
        responses.GET,
        f"{ORCHESTRATOR}/configuration",
        json={"im_url": "javascript:alert(1)", "slam_url": "https://told.org"},
    )
    told = text(browser.get("/settings", headers=HTMX))
    assert "https://told.org" in told
    assert "javascript:" not in told


def test_home_strips_come_from_the_database_alone(
    browser: Client, owner: User, wire: responses.RequestsMock, django_assert_max_num_queries: Any
) -> None:
    make_deployment(owner, title="Broken", status=Status.CREATE_FAILED)
    for number in range(7):
        make_deployment(owner, title=f"Good {number}")
    browser.get("/")
    home_forget([owner.pk])
    with django_assert_max_num_queries(10):
        page = text(browser.get("/"))
    assert "Needs your attention" in page
    assert "Broken" in page
    assert "5+" in page
    assert len(wire.calls) == 0


def test_the_home_page_tells_at_once_what_was_done_and_what_was_seen(
    browser: Client, owner: User, wire: responses.RequestsMock, django_capture_on_commit_callbacks: Any
) -> None:
    deployment = make_deployment(owner, title="Lilies", uuid="u1", status=Status.CREATE_IN_PROGRESS)
    assert "Lilies" not in text(browser.get("/"))

    wire.get(f"{ORCHESTRATOR}/deployments/u1", json=upstream("u1", owner=owner, status="CREATE_FAILED"))
    with django_capture_on_commit_callbacks(execute=True):
        browser.get("/deployments/u1?fresh=1")
    assert "Creation failed" in text(browser.get("/"))

    browser.post(f"{deployment.get_absolute_url()}/rename", {"title": "Better lilies"})
    assert "Better lilies" in (spanish := text(browser.get("/")))
    browser.post("/language", {"language": "es"})
    assert "Better lilies" in text(browser.get("/")) != spanish


def test_the_home_page_does_not_keep_what_is_gone_or_lack_what_was_found(
    browser: Client, owner: User, wire: responses.RequestsMock, django_capture_on_commit_callbacks: Any
) -> None:
    mine = make_deployment(owner, title="Lilies")
    assert "Lilies" in text(browser.get("/"))

    wire.get(f"{LIST}/{mine.uuid}", status=404, json=NOT_THERE)
    with django_capture_on_commit_callbacks(execute=True):
        browser.get(f"{mine.get_absolute_url()}?fresh=1")
    assert "Lilies" not in text(browser.get("/"))

    wire.get(LIST, json=listing(upstream("found-in-list", owner=owner, status="CREATE_COMPLETE")))
    with django_capture_on_commit_callbacks(execute=True):
        browser.get("/deployments?fresh=1")
    assert "found-in-list" in text(browser.get("/"))

    wire.get(f"{LIST}/found-at-once", json=upstream("found-at-once", owner=owner, status="CREATE_COMPLETE"))
    browser.get("/deployments/found-at-once")
    assert "found-at-once" in text(browser.get("/"))


def test_old_addresses_lead_on(browser: Client, owner: User, services: None) -> None:
    mine = make_deployment(owner, physical_id="i1")
    assert browser.get(f"/template/{mine.uuid}").headers["Location"] == f"/deployments/{mine.uuid}/template"
    assert browser.get("/log/i1").headers["Location"] == f"/deployments/{mine.uuid}/log"
    for unknown in ("unknown", "<NO_ENDPOINT>", "%00"):
        assert browser.get(f"/log/{unknown}").headers["Location"] == "/deployments"


def test_what_others_wrote_is_inert_everywhere(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    mine = make_deployment(
        owner, title=EVIL[:45], note=EVIL, template_text=EVIL, status=Status.CREATE_FAILED, status_reason=EVIL,
        module_slug="m", docker_image=EVIL, provider_name=EVIL, inputs={EVIL: EVIL}, secret_inputs=[EVIL],
        outputs={EVIL: EVIL, "x_endpoint": f"https://h/{EVIL.replace(' ', '')}", "link": "javascript:alert(1)"},
        secret_outputs=[EVIL], user_group=EVIL, template_title=EVIL, choices={"docker_tag": EVIL},
    )  # fmt: skip
    mine.events.create(status="CREATE_FAILED", reason=EVIL, provider_name=EVIL)
    running = make_deployment(owner, title="", description=EVIL, outputs={EVIL: "http://h/<script>"}, answers=True)
    wire.get(LIST, status=400, json={"message": EVIL})
    for path in ("/deployments", "/deployments?fresh=1", f"/deployments?q={EVIL}", "/deployments/rows", "/"):
        check_inert(browser, path)
    for deployment in (mine, running):
        for part in ("", "/live", "/template", "/log", "/delete", "/rename"):
            check_inert(browser, f"/deployments/{deployment.uuid}{part}")


def check_inert(browser: Client, path: str) -> None:
    page = text(browser.get(path))
    assert "<script>alert" not in page, path
    assert "<img src=x" not in page, path
    assert 'href="javascript:' not in page, path


PAGES: list[tuple[str, Callable[[Client, str], Any]]] = [
    (name, lambda client, url: client.get(url)) for name in ("detail", "live", "template", "log", "delete", "rename")
] + [(name, lambda client, url: client.post(url, {"title": "x", "note": ""})) for name in ("delete", "rename")]


@pytest.mark.parametrize(("name", "call"), PAGES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(PAGES)])
@pytest.mark.parametrize("reference", ["uuid", "submission_key"])
def test_a_stranger_finds_nothing(
    name: str,
    call: Callable[[Client, str], Any],
    reference: str,
    owner: User,
    stranger: User,
    wire: responses.RequestsMock,
) -> None:
    mine = make_deployment(owner, note="private words")
    wire.get(f"{LIST}/{mine.uuid}", json=of(mine))  # the same organisation: the orchestrator would tell
    wire.get(f"{LIST}/{mine.submission_key}", status=404, json=NOT_THERE)
    client = Client()
    client.force_login(stranger)
    answer = call(client, reverse(f"deployments:{name}", args=[getattr(mine, reference)]))
    assert answer.status_code == 404
    assert "private words" not in text(answer)
    assert [sent.request.method for sent in wire.calls if sent.request.method != "GET"] == []
    mine.refresh_from_db()
    assert mine.title == "Alpine plants"


@pytest.mark.parametrize("path", ["/deployments", "/deployments/rows", "/"])
def test_a_strangers_lists_are_their_own(path: str, owner: User, stranger: User, wire: responses.RequestsMock) -> None:
    make_deployment(owner)
    make_deployment(owner, status=Status.CREATE_FAILED)
    wire.get(LIST, json=listing())
    client = Client()
    client.force_login(stranger)
    assert "Alpine" not in text(client.get(path))
    assert Deployment.objects.visible_to(owner).alive().count() == 2


@pytest.mark.parametrize(
    "path", ["/deployments", "/deployments/u1", "/deployments/u1/delete", "/slas", "/settings", "/log/x"]
)
def test_nobody_gets_in_without_signing_in(path: str, services: None, db: None) -> None:
    answer = Client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=")


def test_the_admin_shows_records_and_changes_none(db: None, owner: User) -> None:
    curator = User.objects.create_superuser(issuer="https://iam.example.org", subject="root")
    mine = make_deployment(owner, inputs={"secretive": "hush-hush"}, callback_secret="sssh" * 8)
    client = Client()
    client.force_login(curator)
    assert "Alpine plants" in text(client.get("/admin/deployments/deployment/"))
    page = client.get(f"/admin/deployments/deployment/{mine.pk}/change/")
    assert page.status_code == 200
    assert "hush-hush" not in text(page)
    assert "ssshsssh" not in text(page)
    assert client.post(f"/admin/deployments/deployment/{mine.pk}/delete/", {"post": "yes"}).status_code == 403
