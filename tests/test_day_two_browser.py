"""What is done with deployments that exist, in a real browser: picked, locked, deleted together, told by the bell."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.stack import Stack
from tests.visitor import Visitor

pytestmark = pytest.mark.browser


def sign_in(page: Page, stack: Stack, person: str) -> None:
    page.goto(f"{stack.url}/login/iam")
    page.locator(f"button[name=person][value={person}]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Modules")


def deploy(visitor: Visitor, title: str) -> str:
    """The address of a new deployment."""
    form = visitor.get("/module/deep-oc-alpine-flora")
    page = visitor.submit(form, "/module/", button=("action", "deploy"), title=title)
    assert "/deployments/" in page.url, page.words[:500]
    return page.url


def test_many_are_deleted_after_one_question_and_what_is_locked_stays(
    stack: Stack, new_page: Callable[..., Page]
) -> None:
    page, visitor = new_page(), Visitor(stack.url).sign_in("ben")
    made = [deploy(visitor, f"Batch {number}") for number in range(3)]
    sign_in(page, stack, "ben")
    page.goto(made[0])
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="locked against deletion")).to_be_visible()
    expect(page.get_by_role("button", name="Unlock")).to_be_visible()
    keep("locked", page)

    page.goto(f"{stack.url}/deployments")
    expect(page.get_by_role("button", name="Delete…")).to_be_hidden()
    for address in made:
        # At once, not as a press and a release: rows are swapped all the time here, also between the two.
        page.locator(f"input.pick[value='{address.rsplit('/', 1)[1]}']").dispatch_event("click")
    expect(page.locator("[data-picked]")).to_have_text("3")
    # Rows are looked at and swapped while they move; what was picked stays so.
    expect(page.locator("#part tr[aria-busy=true]")).to_have_count(0, timeout=30_000)
    expect(page.locator("[data-picked]")).to_have_text("3")
    keep("picked", page)
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete 2 deployments?")
    expect(page.get_by_text("It is locked against deletion.")).to_be_visible()
    page.get_by_role("button", name="Delete 2 deployments").click()
    expect(page.get_by_text("2 deployments are being deleted.")).to_be_visible()

    # A colleague of the same organisation sees none of it, and can neither unlock nor delete.
    ada = new_page()
    sign_in(ada, stack, "ada")
    ada.goto(made[0])
    expect(ada.get_by_role("heading", level=1)).to_have_text("This page does not exist.")

    # The bell told of what was complete; opening a notice marks it read.
    page.goto(f"{stack.url}/notices")
    before = page.locator("[data-unread]").count()
    assert before >= 1
    page.get_by_role("button", name="Open").first.click()
    page.goto(f"{stack.url}/notices")
    expect(page.locator("[data-unread]")).to_have_count(before - 1)
    keep("notices", page)
