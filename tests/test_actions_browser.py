"""What an owner does with one deployment, in a browser with scripts and without; a colleague sees and moves nothing."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.places import Places, deploy, until
from tests.stack import Stack, running
from tests.visitor import Visitor

pytestmark = pytest.mark.browser
both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])


def enter(page: Page, stack: Stack, person: str) -> Visitor:
    """The page gets the person's session; the visitor has it too."""
    visitor = Visitor(stack.url).sign_in(person)
    page.context.add_cookies(
        [{"name": it.name, "value": str(it.value), "url": stack.url} for it in visitor.session.cookies]
    )
    return visitor


def post(stack: Stack, person: str, address: str, **posted: str) -> int:
    """The status of a POST that no page of theirs offers, but with their own token."""
    visitor = Visitor(stack.url).sign_in(person)
    token = visitor.get("/storage").form("/storage").fields["csrfmiddlewaretoken"]
    headers = {"Referer": f"{stack.url}/storage", "Origin": stack.url}
    data = {"csrfmiddlewaretoken": token, **posted}
    return visitor.session.post(f"{stack.url}{address}", data=data, headers=headers, timeout=60).status_code


def refused(stack: Stack, address: str, **posted: str) -> None:
    """Ben, who works for the same organisation, can neither see it nor do this."""
    assert Visitor(stack.url).sign_in("ben").get(address).status in {404, 405}
    assert post(stack, "ben", address, **posted) in {404, 405}


@both
def test_locked_and_unlocked(stack: Stack, new_page: Callable[..., Page], scripts: bool) -> None:
    page = new_page(scripts=scripts)
    address = deploy(enter(page, stack, "ada"), "To lock")
    refused(stack, f"{address}/lock", locked="on")
    page.goto(f"{stack.url}{address}")
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="is locked against deletion")).to_be_visible()
    refused(stack, f"{address}/lock")
    page.goto(f"{stack.url}{address}/delete")
    expect(page.get_by_text("It is locked against deletion.")).to_be_visible()
    expect(page.get_by_role("button", name="Delete deployment")).to_have_count(0)
    assert post(stack, "ada", f"{address}/delete") == 409
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible()
    refused(stack, f"{address}/delete")
    page.goto(f"{stack.url}{address}/delete")
    page.get_by_role("button", name="Delete deployment").click()
    expect(page.get_by_role("status").filter(has_text="“To lock” is being deleted.")).to_be_visible()


@both
def test_renamed_with_a_note(stack: Stack, new_page: Callable[..., Page], scripts: bool) -> None:
    page = new_page(scripts=scripts)
    address = deploy(enter(page, stack, "ada"), "Old name")
    page.goto(f"{stack.url}{address}")
    page.get_by_role("link", name="Rename…").click()
    form = page.get_by_role("dialog") if scripts else page.locator("main")
    form.get_by_label("Title", exact=True).fill("New <name>")
    form.get_by_label("Note").fill("For the paper\nand the talk")
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New <name>")
    expect(page.locator(".page-head")).to_contain_text("and the talk")
    refused(stack, f"{address}/rename", title="Ben's", note="")
    page.goto(f"{stack.url}/deployments?q=new")
    expect(page.get_by_role("link", name="New <name>").first).to_be_visible()


@both
def test_a_machine_is_stopped_and_started(
    stack: Stack, places: Places, new_page: Callable[..., Page], scripts: bool
) -> None:
    page = new_page(scripts=scripts)
    enter(page, stack, "ada")
    nodes = f"{stack.url}{places.machine}/nodes"
    for act, other in (("Stop", "Start"), ("Start", "Stop")):
        page.goto(nodes)
        if not scripts:
            page.get_by_role("link", name="Ask the orchestrator").click()
        button = page.get_by_role("button", name=re.compile(f"^{act} "))
        address = str(button.locator("xpath=ancestor::form").get_attribute("action"))
        refused(stack, address, act=act.lower())
        button.click()
        expect(page.get_by_role("status").filter(has_text="has a node")).to_be_visible()
        keep(f"node-{act.lower()}", page)
        turned = page.get_by_role("button", name=re.compile(f"^{other} "))
        for _ in range(100):
            page.goto(f"{nodes}?fresh=1")
            if turned.count():
                break
        expect(turned).to_be_visible()
    refused(stack, f"{places.machine}/nodes")


@both
def test_secrets_are_shown_when_asked_for(
    stack: Stack, places: Places, new_page: Callable[..., Page], scripts: bool
) -> None:
    page = new_page(scripts=scripts)
    enter(page, stack, "ada")
    page.goto(f"{stack.url}{places.machine}")
    expect(page.get_by_text("PRIVATE KEY")).to_have_count(0)
    page.get_by_role("button", name="Show secrets").click()
    expect(page.get_by_text("PRIVATE KEY").first).to_be_visible()
    refused(stack, f"{places.machine}/secrets")


@both
def test_many_are_deleted_together(stack: Stack, new_page: Callable[..., Page], scripts: bool) -> None:
    page = new_page(scripts=scripts, width=390)
    visitor = enter(page, stack, "ada")
    made = [deploy(visitor, f"Together {number}") for number in (1, 2)]
    uuids = [address.rsplit("/", 1)[1] for address in made]
    ben = Visitor(stack.url).sign_in("ben")
    question = ben.get(f"/deployments/delete?pick={uuids[0]}&pick={uuids[1]}")
    assert "Together" not in question.words
    page.goto(f"{stack.url}/deployments/delete?pick={uuids[0]}&pick={uuids[1]}")
    expect(page.locator("main")).to_contain_text("Together 2")
    page.get_by_role("button", name="Delete 2 deployments").click()
    expect(page.get_by_text("2 deployments are being deleted.")).to_be_visible()
    for address in made:
        until(visitor, address, "Deleted", "Gone", "gone")


@both
def test_a_failed_one_is_changed_and_tried_again(
    stack: Stack, places: Places, new_page: Callable[..., Page], scripts: bool
) -> None:
    page = new_page(scripts=scripts)
    enter(page, stack, "ada")
    page.goto(f"{stack.url}{places.failed}?fresh=1")
    page.get_by_role("link", name="Change and try again").first.click()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Seen failed")
    page.get_by_label("Title", exact=True).fill(f"Tried again {scripts}")
    page.get_by_role("button", name="Deploy", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Tried again {scripts}")
    refused(stack, f"{places.failed}/again")


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose orchestrator can delete by force (3.0). Its version is read once, so this takes its own stack."""
    with running(tmp_path_factory.mktemp("newer")) as stack:
        stack.control("PUT", "settings", {"orchestrator_version": "3.0.1-FINAL"})
        yield stack


def test_without_force_it_is_said_why(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page()
    visitor = enter(page, stack, "ada")
    address = deploy(visitor, "Stays sandbox-nodelete")
    until(visitor, address, "Open API")
    visitor.submit(visitor.get(f"{address}/delete"), "/delete")
    until(visitor, address, "Deletion failed")
    page.goto(f"{stack.url}{address}?fresh=1")
    expect(page.locator("main")).to_contain_text("This needs orchestrator 3.0 or later; here it is 2.9.0.")
    expect(page.locator("main")).to_contain_text("connection refused")
    visitor.submit(visitor.get(f"{address}/delete"), "/delete", force="true")  # a field nobody was offered
    until(visitor, address, "Deletion failed")


@both
def test_a_deletion_that_hangs_is_given_up_then_forced(
    newer: Stack, new_page: Callable[..., Page], scripts: bool
) -> None:
    page = new_page(scripts=scripts)
    visitor = enter(page, newer, "ada")
    address = deploy(visitor, f"Hangs {scripts} sandbox-nodelete")
    uuid = address.rsplit("/", 1)[1]
    until(visitor, address, "Open API")
    newer.control("PUT", f"deployments/{uuid}", {"status": "DELETE_IN_PROGRESS"})
    page.goto(f"{newer.url}{address}?fresh=1")
    expect(page.locator("main")).to_contain_text("it can be given up when it has not ended after 10 minutes")
    expect(page.get_by_role("button", name="Give up")).to_have_count(0)
    newer.manage(
        "shell", "-c",
        "from datetime import timedelta; from django.db.models import F; from deployments.models import Deployment; "
        f"Deployment.objects.filter(uuid='{uuid}').update(status_since=F('status_since') - timedelta(minutes=11))",
    )  # fmt: skip
    refused(newer, f"{address}/reset")
    page.goto(f"{newer.url}{address}?fresh=1")
    keep("deletion-hangs", page)
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_role("status").filter(has_text="is no longer being deleted")).to_be_visible()
    expect(page.locator("#state")).to_contain_text("Deletion failed")

    refused(newer, f"{address}/delete", force="true")
    page.locator("#manage ~ * a, section:has(#manage) a", has_text="Delete…").first.click()
    expect(page.get_by_role("checkbox", name=re.compile("By force"))).to_be_checked()
    page.get_by_role("button", name="Delete deployment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deployments")
    until(visitor, address, "Deleted", "Gone", "gone")
