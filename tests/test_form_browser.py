"""The form in a real browser: storage, presets, links, cloning and updating, as scripts make them smoother."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.stack import Stack
from tests.test_journey_browser import sign_in

pytestmark = pytest.mark.browser
MODULE = "/module/deep-oc-alpine-flora"


def test_storage_is_saved_once_and_chosen_in_the_form(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, stack, "grace")
    page.goto(f"{stack.url}/storage")
    page.get_by_role("textbox", name="Name").fill("My Nextcloud")
    page.get_by_label("Address").fill(f"{stack.sandbox}/storage/remote.php/dav/files/grace/")
    page.get_by_label("User").fill("grace")
    page.locator("#id_password").fill("wrong")
    page.get_by_role("button", name="Save and test").click()
    expect(page.locator(".rows")).to_contain_text("It refuses this user or password")
    keep("storage", page)
    page.get_by_role("link", name="Change My Nextcloud").click()
    page.locator("#id_password").fill("storage-of-grace")
    page.get_by_role("button", name="Save and test").click()
    expect(page.locator(".rows")).to_contain_text("Accepts the sign-in")

    page.goto(f"{stack.url}{MODULE}")
    expect(page.locator("#summary")).to_contain_text("My Nextcloud accepts your sign-in")
    expect(page.get_by_label("Storage address")).to_have_count(0)
    page.get_by_label("CPUs").fill("4")
    page.get_by_label("Storage account").select_option("hand")
    expect(page.get_by_label("Storage address")).to_have_value("https://storage.example.org/remote.php/webdav/")
    expect(page.get_by_label("CPUs")).to_have_value("4")
    page.get_by_label("Storage user").fill("somebody")
    page.get_by_label("Storage account").select_option("none")
    expect(page.get_by_label("Storage user")).to_have_count(0)
    page.get_by_label("Storage account").select_option("hand")
    expect(page.get_by_label("Storage user")).to_have_value("somebody")


def test_what_was_typed_comes_back_from_a_preset_a_link_and_a_clone(
    stack: Stack, new_page: Callable[..., Page]
) -> None:
    page = new_page()
    sign_in(page, stack, "olu")
    page.goto(f"{stack.url}{MODULE}")
    page.get_by_text("Save or share this form").click()
    page.get_by_label("Preset").fill("Three cores")
    page.get_by_label("CPUs").fill("3")
    with page.expect_response(f"{stack.url}/module/**"):  # the summary is swapped: what is in it stays as it was
        page.get_by_label("Title", exact=True).fill("Kept")
    expect(page.get_by_label("Preset")).to_have_value("Three cores")
    page.locator("#keep").get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved as your preset")).to_be_visible()
    keep("form-preset", page)

    page.goto(f"{stack.url}{MODULE}")
    page.get_by_role("link", name="Three cores").click()
    expect(page.get_by_label("CPUs")).to_have_value("3")
    link = page.locator("#keep a").get_attribute("href")
    page.goto(f"{stack.url}{link}")
    expect(page.get_by_text("A link filled in: CPUs")).to_be_visible()
    expect(page.get_by_label("CPUs")).to_have_value("3")

    page.get_by_label("Title", exact=True).fill("To be cloned")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("To be cloned")
    page.get_by_role("link", name="Clone", exact=True).click()
    expect(page.get_by_label("Title", exact=True)).to_have_value("To be cloned")
    expect(page.get_by_label("CPUs")).to_have_value("3")
    expect(page.get_by_role("link", name=re.compile("As last time"))).to_be_visible()


def test_a_machine_is_sized_by_one_choice_and_updated(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, stack, "ada")
    page.goto(f"{stack.url}/module/deep-oc-demo-app?toscaname=virtual+machine")
    page.get_by_label("Size").select_option(label="Large: 8 cores, 16 GB")
    expect(page.locator("#summary")).to_contain_text("8 CPUs, 16 GB")
    keep("form-machine", page)
    page.get_by_label("Title", exact=True).fill("A machine")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A machine")
    expect(page.get_by_role("link", name="Update…")).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="Update…").click()
    page.get_by_label("Machines").fill("2")
    keep("update", page)
    page.get_by_role("button", name="Update", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A machine")
    expect(page.locator(".timeline")).to_contain_text("Update begun")
