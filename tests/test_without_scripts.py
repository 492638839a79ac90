"""What scripts make more comfortable is complete without them, on a phone.

The journey, the finder and a training without scripts have their tests beside those with scripts.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.places import Places

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(visit: Callable[..., Page]) -> Callable[[str], Page]:
    """``plain(address)``: Ada's page, in a browser without scripts, with nothing on it that needs them."""

    def open_page(address: str) -> Page:
        page = visit(address, scripts=False, width=390)
        assert page.locator(".js-only:visible").count() == 0
        return page

    return open_page


def test_home_shows_what_runs_and_what_needs_attention(plain: Callable[[str], Page], places: Places) -> None:
    page = plain("/")
    expect(page.get_by_role("region", name="Running now").get_by_role("link", name="Seen ready").first).to_be_visible()
    attention = page.get_by_role("region", name="Needs your attention")
    expect(attention.get_by_role("link", name=re.compile("See why.*Seen failed"))).to_be_visible()
    keep("noscript-home", page)


def test_the_catalogue_is_searched_and_filtered(plain: Callable[[str], Page]) -> None:
    page = plain("/")
    every = page.locator("#modules > li").count()
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Apply filters").click()
    expect(page.get_by_role("list", name="Active filters").get_by_role("link", name="Remove filter")).to_have_count(1)
    some = page.locator("#modules > li").count()
    assert 0 < some < every
    page.get_by_role("link", name="Remove filter").click()
    expect(page.locator("#modules > li")).to_have_count(every)


def test_deployments_are_narrowed_and_picked_to_be_deleted(plain: Callable[[str], Page]) -> None:
    page = plain("/deployments?fresh=1")
    page.get_by_label("Search deployments").fill("Seen")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Status").select_option(index=1)
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("q=Seen.*status=[^&]"))
    page.get_by_role("link", name="Clear", exact=True).click()
    page.get_by_role("checkbox", name="Select Seen ready").check()
    page.get_by_role("checkbox", name="Select Seen failed").check()
    keep("noscript-picked", page)
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete 2 deployments?")
    page.get_by_role("link", name="Keep them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Deployments")


def test_a_model_predicts(plain: Callable[[str], Page]) -> None:
    page = plain("{ready}/predict?fresh=1")
    files = page.locator("input[type=file]")
    for number in range(files.count()):
        files.nth(number).set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"})
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)  # it needs scripts
    keep("noscript-predict", page)


def test_trainings_are_picked_and_compared(plain: Callable[[str], Page]) -> None:
    page = plain("/training")
    picks = page.get_by_role("checkbox", name=re.compile("^Compare the training"))
    for number in range(min(2, picks.count())):
        picks.nth(number).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?.*run="))
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")


def test_a_storage_account_is_added_tested_and_deleted(plain: Callable[[str], Page], places: Places) -> None:
    page = plain("/storage")
    kept = page.get_by_role("listitem").filter(has_text="Cloud")
    address = re.search(r"ada at (\S+)", kept.first.inner_text())
    assert address
    for label, value in {"Name": "Second", "Address": address[1], "User": "ada", "Password": "storage-of-ada"}.items():
        page.get_by_label(re.compile(f"^{label}")).first.fill(value)
    page.get_by_role("button", name="Save and test").click()
    second = page.get_by_role("listitem").filter(has_text="Second")
    expect(second.get_by_role("status")).to_contain_text(re.compile("."))
    second.get_by_role("button", name="Test Second").click()
    expect(page.get_by_role("listitem").filter(has_text="Second").get_by_role("status")).to_be_visible()
    page.get_by_role("link", name="Delete… Second").click()
    page.get_by_role("button", name=re.compile("Delete")).click()
    expect(page.get_by_role("listitem").filter(has_text="Second")).to_have_count(0)


def test_a_question_is_a_page(plain: Callable[[str], Page]) -> None:
    page = plain("{ready}")
    page.get_by_role("link", name="Delete…").click()
    expect(page).to_have_url(re.compile("/delete$"))
    expect(page.get_by_role("button", name="Delete deployment")).to_be_visible()


def test_the_menu_of_the_account_opens_and_the_theme_changes(plain: Callable[[str], Page]) -> None:
    page = plain("/")
    page.get_by_role("button", name="Account: ").click()
    expect(page.get_by_role("link", name="Preferences")).to_be_visible()
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert page.evaluate(scheme) == "light dark"
    page.locator("label", has_text="Dark").click()
    assert page.evaluate(scheme) == "dark"
