"""Each service down, faulty, garbled or silent, at each page of the journey.

Whatever happens: no error 500, the service is named, the rest of the page is there, nothing typed is lost.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deepdash.http import READ_TIMEOUT
from tests.stack import Stack
from tests.visitor import Page, Visitor

MODULE = "/module/deep-oc-alpine-flora"
FAULTS: dict[str, dict[str, Any]] = {
    "down": {"close": True},
    "500": {"status": 500, "body": "text"},
    "proxy-page": {"status": 503, "body": "html"},
    "html": {"status": 200, "body": "html"},
    "broken-json": {"status": 200, "body": "broken-json"},
    "empty": {"status": 200, "body": "empty"},
    "busy": {"status": 429},
}
SILENT = {"hang": 60}


def deployed(visitor: Visitor, title: str) -> Page:
    """A deployment of the visitor's, seen until it can be opened."""
    page = visitor.get(MODULE)
    page = visitor.submit(page, "/module/", ("action", "deploy"), title=title)
    assert page.title == title, page.words[:400]
    for _ in range(300):
        page = visitor.get(f"{page.url.partition('?')[0]}?fresh=1")
        if "Open API" in page.words and "Answers" in page.words:
            return page
        time.sleep(0.2)
    raise AssertionError(page.words[:800])


@pytest.fixture(scope="module")
def running_page(one_stack: Stack) -> str:
    """The address of a running deployment of ada's."""
    one_stack.heal()
    return deployed(Visitor(one_stack.url).sign_in("ada"), "Faults").url.partition("?")[0]


# Page → (service it needs, what it is called there, how it is asked for, words that must be there all the same).
Ask = Callable[[Visitor, str], Page]
PAGES: dict[str, tuple[str, str, Ask, str]] = {
    "list": ("orchestrator", "orchestrator", lambda v, d: v.get("/deployments?fresh=1"), "Faults"),
    "list, live": ("orchestrator", "orchestrator", lambda v, d: v.fragment("/deployments/rows"), "Faults"),
    "deployment": ("orchestrator", "orchestrator", lambda v, d: v.get(f"{d}?fresh=1"), "Faults"),
    "deployment, live": ("orchestrator", "orchestrator", lambda v, d: v.fragment(f"{d}/live"), "orchestrator"),
    "log": ("orchestrator", "orchestrator", lambda v, d: v.get(f"{d}/log"), "Faults"),
    "providers": ("slam", "SLAM", lambda v, d: v.get("/slas?fresh=1"), "Providers"),
    "providers, live": ("slam", "SLAM", lambda v, d: v.fragment("/slas?fresh=1"), "SLAM"),
    "provider choice": ("slam", "SLAM", lambda v, d: v.fragment(f"{MODULE}/providers?again=1"), "Automatic"),
    "facts of providers": ("cmdb", "CMDB", lambda v, d: v.get("/slas?fresh=1"), "NORDIC-ML"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_survives_and_names_the_service(
    stack: Stack, ada: Visitor, running_page: str, page: str, fault: str
) -> None:
    service, name, ask, kept = PAGES[page]
    stack.fault(service, **FAULTS[fault])
    found = ask(ada, running_page)
    assert found.status < 500, found.words[:500]
    assert name in found.words
    assert kept in found.words
    assert "Traceback" not in found.text


def test_silence_is_waited_for_once_and_not_for_ever(stack: Stack, ada: Visitor, running_page: str) -> None:
    for service in ("orchestrator", "slam", "cmdb"):
        stack.fault(service, **SILENT)

    def timed(page: str) -> tuple[str, Page, float]:
        started = time.monotonic()
        return page, PAGES[page][2](ada, running_page), time.monotonic() - started

    with ThreadPoolExecutor(len(PAGES)) as pool:
        results = list(pool.map(timed, PAGES))
    for page, found, seconds in results:
        assert found.status < 500, page
        assert PAGES[page][1] in found.words or page == "facts of providers", (page, found.words[:500])
        assert seconds < 25, page


def test_pages_that_need_no_service_do_not_notice(stack: Stack, ada: Visitor, running_page: str) -> None:
    stack.fault("*", **SILENT)
    for path in ("/", "/?q=flora", "/modules/deep-oc-alpine-flora", MODULE, "/deployments", running_page, "/slas"):
        page = ada.get(path)
        assert page.status == 200, path
        assert page.response.elapsed.total_seconds() < READ_TIMEOUT, "one wait for a service would take longer"


@pytest.mark.parametrize("fault", ["down", "500", "proxy-page", "busy"])
def test_a_form_that_could_not_be_sent_comes_back_as_it_was(stack: Stack, ada: Visitor, fault: str) -> None:
    page = ada.get(MODULE)
    # The request for the token's owner etc. still works: only the POST meets the fault.
    stack.fault("orchestrator", method="POST", **FAULTS[fault])
    page = ada.submit(
        page, "/module/", ("action", "deploy"),
        **{"title": "Kept title", "in-rclone_password": "typed secret", "in-mem_size_0": "7.5", "in-mem_size_1": "GB"},
    )  # fmt: skip
    if fault == "down":  # it was sent, and no answer came: nobody knows, and the page says so
        assert "don’t know whether it was accepted" in page.words or "not known" in page.words.lower()
        return
    assert page.status == 422
    assert "orchestrator" in page.words
    fields = dict(page.form("/module/").form_values())
    assert fields["title"] == "Kept title"
    assert fields["in-rclone_password"] == "typed secret"
    assert (fields["in-mem_size_0"], fields["in-mem_size_1"]) == ("7.5", "GB")
    stack.heal()
    again = ada.submit(page, "/module/", ("action", "deploy"))
    assert again.title == "Kept title"


def test_a_refusal_shows_the_orchestrators_reason_beside_the_filled_form(stack: Stack, ada: Visitor) -> None:
    page = ada.submit(ada.get(MODULE), "/module/", ("action", "deploy"), title="sandbox-refuse")
    assert "Not deployed: the orchestrator refused it." in page.words
    assert dict(page.form("/module/").form_values())["title"] == "sandbox-refuse"
    assert page.tree.xpath("//details//pre")[0].text_content().startswith("400")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deletion_that_failed_says_so_and_loses_nothing(
    stack: Stack, ada: Visitor, running_page: str, fault: str
) -> None:
    page = ada.get(f"{running_page}/delete")
    stack.fault("orchestrator", method="DELETE", times=1, **FAULTS[fault])
    answer = ada.submit(page, "/delete")
    assert answer.status in {200, 502}
    assert answer.title != "Something broke on our side."
    if FAULTS[fault].get("status") != 200:
        assert "orchestrator" in answer.words
    stack.control("PUT", f"deployments/{running_page.rsplit('/', 1)[1]}", {"status": "CREATE_COMPLETE"})
    assert "Delete…" in ada.get(f"{running_page}?fresh=1").words  # what a 200 of a proxy made us believe is put right


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_can_sign_in_while_iam_is_in_trouble_but_all_can_browse(stack: Stack, fault: str) -> None:
    visitor = Visitor(stack.url)
    page = visitor.get("/login/iam?next=/deployments")
    assert "authorize" in page.url
    stack.fault("iam", match="/token", **FAULTS[fault])
    page = visitor.submit(page, "authorize", person="ben")
    assert page.status < 500, page.words[:300]
    assert "Sign in" in page.words
    assert visitor.get("/").status == 200


def test_a_session_whose_token_was_withdrawn_signs_in_again_and_finds_the_form(stack: Stack) -> None:
    visitor = Visitor(stack.url).sign_in("grace", again=True)
    page = visitor.get(MODULE)
    stack.control("POST", "people/grace/revoke")
    page = visitor.submit(page, "/module/", ("action", "deploy"), title="Typed before", **{"in-rclone_user": "me"})
    assert "session has ended" in page.words
    page = visitor.get(next(link for link in page.links() if "/login/iam" in link))
    if "authorize" in page.url:
        page = visitor.submit(page, "authorize", person="grace")
    fields = dict(page.form("/module/").form_values())
    assert (fields["title"], fields["in-rclone_user"]) == ("Typed before", "me")
    assert "has not been sent yet" in page.words
