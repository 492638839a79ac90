"""The whole journey in a real browser, with scripts and without: sign in, find, configure, deploy, open, delete."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.stack import Stack

pytestmark = pytest.mark.browser


def sign_in(page: Page, stack: Stack, person: str = "ada") -> None:
    page.goto(f"{stack.url}/login")
    page.get_by_role("link", name="Sign in with IAM").click()
    page.locator(f"button[name=person][value={person}]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Modules")


def test_from_the_catalogue_to_a_running_environment_and_back(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(stack.url)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    page.get_by_label("Search modules").fill("flora")
    page.get_by_label("Search modules").press("Enter")
    page.locator("#modules h3 a").first.click()
    keep("module", page)
    page.get_by_role("link", name="Configure and deploy").first.click()

    # Not signed in yet: the login leads back to this very form.
    page.get_by_role("link", name="Sign in with IAM").click()
    page.locator("button[name=person][value=ada]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Configure and deploy")

    # Typed values survive a changed choice; untouched ones follow it.
    page.get_by_label("Title", exact=True).fill("Alpine plants v3")
    page.locator("label", has_text="GPU").first.click()
    expect(page.get_by_label("GPUs")).to_have_value("1")
    expect(page.get_by_label("Title", exact=True)).to_have_value("Alpine plants v3")
    expect(page.get_by_label("Memory", exact=True)).to_have_value("4096")
    expect(page.get_by_label("Tag", exact=True)).to_have_value("gpu")
    page.locator("label", has_text="JupyterLab").first.click()
    expect(page.get_by_label("Command")).to_have_value(
        "monitorPORT=$PORT1 jupyterPORT=$PORT2 /srv/.jupyter/run_jupyter.sh --allow-root"
    )
    expect(page).to_have_url(re.compile("hardware=gpu.*run=jupyterlab"))
    expect(page.get_by_label("Provider", exact=True).locator("option")).not_to_have_count(1)
    keep("configure", page)

    # What is missing is named, at its field and above; nothing is lost.
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("JupyterLab password")
    expect(page.get_by_label("Title", exact=True)).to_have_value("Alpine plants v3")
    keep("configure-errors", page)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_label("JupyterLab password")).not_to_have_value("")

    page.get_by_role("button", name="Review what is sent").click()
    expect(page.locator("#review")).to_contain_text("run_jupyter.sh")
    keep("review", page)
    page.locator("#review").get_by_role("button", name="Deploy").click()

    # The deployment's page follows it by itself until it can be opened.
    expect(page.get_by_role("heading", level=1)).to_have_text("Alpine plants v3")
    keep("deployment-creating", page)
    expect(page.get_by_role("link", name="Open JupyterLab")).to_be_visible(timeout=30_000)
    keep("deployment-ready", page)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open JupyterLab").click()
    opened.value.wait_for_load_state()
    assert "Jupyter" in opened.value.content()
    opened.value.close()

    page.get_by_role("link", name="Deployments", exact=True).first.click()
    row = page.get_by_role("row", name="Alpine plants v3")
    expect(row).to_contain_text("Ready")
    keep("deployments", page)

    row.get_by_role("link", name="Alpine plants v3").first.click()
    page.get_by_role("link", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Alpine plants v3")
    dialog.get_by_role("button", name="Delete deployment").click()
    page.goto(f"{stack.url}/deployments")
    expect(page.get_by_role("row", name="Alpine plants v3")).to_have_count(0, timeout=30_000)


def test_the_same_journey_without_scripts(stack: Stack, new_page: Callable[..., Page]) -> None:
    page = new_page(scripts=False, width=390)
    sign_in(page, stack, "ben")
    page.goto(f"{stack.url}/?q=flora")
    page.locator("#modules h3 a").first.click()
    page.get_by_role("link", name="Configure and deploy").first.click()
    page.get_by_label("Title", exact=True).fill("No scripts")
    page.locator("label", has_text="GPU").first.click()
    page.locator("label", has_text="JupyterLab").first.click()
    page.get_by_role("button", name="Apply choices").click()
    expect(page.get_by_label("GPUs")).to_have_value("1")
    expect(page.get_by_label("Title", exact=True)).to_have_value("No scripts")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_label("JupyterLab password")).not_to_have_value("")
    page.get_by_role("button", name="Choose a provider by hand").click()
    page.get_by_label("Provider", exact=True).select_option(index=1)
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No scripts")
    keep("noscript-deployment", page)
    for _ in range(120):
        if page.get_by_role("link", name="Open JupyterLab").count():
            break
        page.wait_for_timeout(500)
        page.get_by_role("link", name="Refresh").first.click()
    expect(page.get_by_role("link", name="Open JupyterLab")).to_be_visible()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete deployment").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Something broke on our side.")
