"""What pages of deployments have in common: home, services, what others wrote, and whose they are."""

from collections.abc import Callable
from typing import Any

import pytest
import responses
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.testing import configure
from deployments.home_kept import home_forget
from deployments.models import Deployment
from deployments.states import Status
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR, SLAM
from deployments.tests.test_services import LIST, NOT_THERE, of

HTMX = {"HX-Request": "true"}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


pytestmark = pytest.mark.usefixtures("plants")


def text(response: Any) -> str:
    return str(response.content.decode())


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
