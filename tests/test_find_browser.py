"""The finder under Ctrl+K, by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.stack import Stack
from tests.test_journey_browser import sign_in

pytestmark = pytest.mark.browser


def test_a_few_letters_lead_anywhere(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, stack)
    page.keyboard.press("Control+k")
    finder = page.get_by_role("dialog")
    expect(finder.get_by_role("link", name="Storage accounts")).to_be_visible()
    keep("find", page)
    page.keyboard.type("alpine")
    expect(finder.get_by_role("link", name="Storage accounts")).to_be_hidden()
    module = finder.get_by_role("link", name=re.compile("^Alpine flora classifier"))
    page.keyboard.press("ArrowUp")  # from the field to the last one
    expect(module).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/modules/deep-oc-alpine-flora$"))

    # Enter in the field goes to the first; Escape closes.
    page.keyboard.press("Control+k")
    page.keyboard.type("agreem")
    expect(page.get_by_role("dialog").get_by_role("link")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/slas$"))
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # "/" is for the page's own search.
    page.goto(stack.url)
    page.keyboard.press("/")
    expect(page.get_by_label("Search modules")).to_be_focused()


def test_it_is_a_page_without_scripts(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page(scripts=False)
    sign_in(page, stack)
    page.get_by_role("link", name="Find a page, module or deployment").click()
    page.get_by_role("searchbox").fill("flora")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/find\?q=flora$"))
    page.get_by_role("link", name=re.compile("^Alpine flora classifier")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Alpine flora classifier")
