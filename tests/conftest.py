"""Fixtures of the site-wide tests: one running stack for all of them, and a real browser."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.places import Places, settle
from tests.stack import Stack, running
from tests.visitor import Visitor

PATIENCE = 60_000  # milliseconds; only what fails waits so long
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")  # a folder: pages the browser tests pass by are kept there


@pytest.fixture(scope="session")
def one_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def stack(one_stack: Stack) -> Iterator[Stack]:
    """The running stack, with all faults healed before and after."""
    one_stack.heal()
    yield one_stack
    one_stack.heal()


@pytest.fixture(scope="session")
def places(one_stack: Stack) -> Places:
    """One of everything of Ada's, to look at; tests leave it as it is."""
    return settle(one_stack)


@pytest.fixture
def ada(stack: Stack) -> Visitor:
    return Visitor(stack.url).sign_in("ada")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("Chromium is not installed (apt install chromium)")
    # sync_playwright runs an event loop in this thread, which Django otherwise takes for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        yield instance
        instance.close()


@pytest.fixture
def new_page(browser: Browser, one_stack: Stack) -> Iterator[Callable[..., Page]]:
    """``new_page(scripts=True, width=1440, dark=False)``: a page in a context of its own.

    At the end no page of the dashboard may have written an error to the console (the content security policy
    writes what it refuses there too); the sandbox's own pages don't count.
    """
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def ours(message: ConsoleMessage) -> bool:
        # A form that comes back with errors is a 422, what can't be done a 409 and a missing page a 404: the browser
        # notes them as failed.
        meant = any(f"status of {status}" in message.text for status in (404, 409, 422))
        meant = meant and "/static/" not in message.location["url"]
        # A page that is left while a part of it is on its way: htmx writes that its request was ended.
        meant = meant or message.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
        return message.type == "error" and not meant and message.location["url"].startswith(one_stack.url)

    def make(*, scripts: bool = True, width: int = 1440, dark: bool = False) -> Page:
        context = browser.new_context(
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if ours(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not problems, problems


@pytest.fixture
def visit(stack: Stack, places: Places, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """``visit(address, person, language="", scripts=True, width=1440, dark=False)``: a page of someone signed in.

    ``address`` may hold names of ``tests.addresses`` in braces, or ready, failed or machine. What the page loads
    after itself is there.
    """

    def open_page(address: str, person: str = "ada", *, language: str = "", **look: Any) -> Page:
        page = new_page(**look)
        if person:
            visitor = Visitor(stack.url).sign_in(person)
            page.context.add_cookies(
                [
                    {"name": cookie.name, "value": str(cookie.value), "url": stack.url}
                    for cookie in visitor.session.cookies
                ]
            )
        if language:
            page.set_extra_http_headers({"Accept-Language": language})
        known = places.pages | {"ready": places.ready, "failed": places.failed, "machine": places.machine}
        page.goto(stack.url + re.sub(r"\{(.+?)\}", lambda found: known[found[1]], address))
        page.wait_for_load_state("networkidle")
        return page

    return open_page


def keep(name: str, page: Page) -> None:
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)
