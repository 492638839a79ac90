"""No page has what axe calls a violation, in either theme, and none scrolls sideways at 320 pixels."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.addresses import PAGES, STAFF
from tests.conftest import keep
from tests.places import Places
from tests.stack import Stack
from tests.visitor import Visitor

pytestmark = pytest.mark.browser
MODULE = "deep-oc-alpine-flora"
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
# (what it is, its address, who looks). Every page there is, and states of some that are looked at besides.
EVERY = [
    (name, f"{{{name}}}", "" if name.startswith("accounts:log") else "grace" if name in STAFF else "ada")
    for name in sorted(PAGES)
]
STATES = [
    ("missing", "/nowhere", ""),
    ("sign-in failed", "/login?problem=login:provider", ""),
    *((name, address, "ada") for name, address in {
        "home, searched": "/?q=flora&capability=trainable",
        "home, nothing found": "/?q=seismic",
        "module, broken": "/modules/deep-oc-soil-moisture",
        "configure, other choices": f"/module/{MODULE}?hardware=gpu&run=jupyterlab",
        "configure, every type": "/module/deep-oc-demo-app?toscaname=every+kind+of+field",
        "deployments, looked at": "/deployments?fresh=1",
        "deployments, nothing found": "/deployments?q=nothing",
        "providers, looked at": "/slas?fresh=1",
        "ready": "{ready}?fresh=1",
        "failed": "{failed}?fresh=1",
        "machine": "{machine}?fresh=1",
        "template, asked for": "{ready}/template?fresh=1",
        "log, none": "{ready}/log?fresh=1",
        "log": "{machine}/log?fresh=1",
        "nodes, read": "{machine}/nodes?fresh=1",
        "find": "/find?q=a",
        "find, nothing found": "/find?q=zzz",
    }.items()),
]  # fmt: skip
SEEN = [*EVERY, *STATES]


@pytest.fixture
def visit(stack: Stack, places: Places, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """``visit(address, person, width=…, dark=…)``: the page, with what follows it loaded."""

    def open_page(address: str, person: str, **look: object) -> Page:
        page = new_page(**look)
        if person:
            visitor = Visitor(stack.url).sign_in(person)
            page.context.add_cookies(
                [
                    {"name": cookie.name, "value": str(cookie.value), "url": stack.url}
                    for cookie in visitor.session.cookies
                ]
            )
        known = places.pages | {"ready": places.ready, "failed": places.failed, "machine": places.machine}
        page.goto(stack.url + re.sub(r"\{(.+?)\}", lambda found: known[found[1]], address))
        page.wait_for_load_state("networkidle")
        return page

    return open_page


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)], ids=["desktop-light", "phone-dark"])
@pytest.mark.parametrize(("name", "address", "person"), SEEN, ids=[name for name, *_ in SEEN])
def test_axe_finds_nothing_and_nothing_is_lost_at_320_pixels(
    visit: Callable[..., Page], name: str, address: str, person: str, *, width: int, dark: bool
) -> None:
    page = visit(address, person, width=width, dark=dark)
    keep(f"page-{re.sub('[^a-z0-9]+', '-', name.lower())}-{'dark' if dark else 'light'}-{width}", page)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.locator("h1").count() == 1
    if width < 400:
        page.set_viewport_size({"width": 320, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
