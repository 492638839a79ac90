"""No page has what axe calls a violation, in either theme, and none scrolls sideways at 320 pixels."""

import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.conftest import keep
from tests.stack import Stack
from tests.visitor import Visitor

pytestmark = pytest.mark.browser
MODULE = "deep-oc-alpine-flora"
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
PUBLIC = {"login": "/login", "missing": "/nowhere", "sign-in failed": "/login?problem=login:provider"}
SIGNED_IN = {
    "home": "/",
    "home, searched": "/?q=flora&capability=trainable",
    "home, nothing found": "/?q=seismic",
    "module": f"/modules/{MODULE}",
    "module, broken": "/modules/deep-oc-soil-moisture",
    "configure": f"/module/{MODULE}?hardware=gpu&run=jupyterlab",
    "configure, every type": "/module/deep-oc-demo-app?toscaname=every+kind+of+field",
    "deployments": "/deployments?fresh=1",
    "deployments, nothing found": "/deployments?q=nothing",
    "providers": "/slas?fresh=1",
    "settings": "/settings",
    "ready": "{ready}?fresh=1",
    "failed": "{failed}?fresh=1",
    "template": "{ready}/template?fresh=1",
    "log": "{ready}/log?fresh=1",
    "delete": "{ready}/delete",
    "training": "{ready}/training",
    "predict": "{ready}/predict",
    "trainings": "/training",
    "usage": "/usage",
    "notices": "/notices",
    "storage": "/storage",
    "preferences": "/preferences",
    "group's deployments": "/deployments/group",
    "find": "/find?q=a",
    "find, nothing found": "/find?q=zzz",
}
SEEN = [*((name, address, "") for name, address in PUBLIC.items()), *((n, a, "ada") for n, a in SIGNED_IN.items())]


@pytest.fixture(scope="module")
def places(one_stack: Stack) -> dict[str, str]:
    """Addresses of a running and of a failed deployment of ada's."""
    one_stack.heal()
    ada, found = Visitor(one_stack.url).sign_in("ada"), {}
    for name, slug in (("ready", MODULE), ("failed", "deep-oc-always-fails")):
        page = ada.submit(ada.get(f"/module/{slug}"), "/module/", ("action", "deploy"), title=f"Seen {name}")
        found[name] = page.url.removeprefix(one_stack.url)
    for _ in range(100):
        words = [ada.get(f"{address}?fresh=1").words for address in found.values()]
        if "Ready" in words[0] and "Creation failed" in words[1]:
            return found
        time.sleep(0.2)
    raise AssertionError(words)


@pytest.fixture
def visit(stack: Stack, places: dict[str, str], new_page: Callable[..., Page]) -> Callable[..., Page]:
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
        page.goto(stack.url + address.format(**places))
        page.wait_for_load_state("networkidle")
        return page

    return open_page


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)], ids=["desktop-light", "phone-dark"])
@pytest.mark.parametrize(("name", "address", "person"), SEEN, ids=[name for name, *_ in SEEN])
def test_axe_finds_nothing(
    visit: Callable[..., Page], name: str, address: str, person: str, *, width: int, dark: bool
) -> None:
    page = visit(address, person, width=width, dark=dark)
    keep(f"page-{name.replace(', ', '-').replace(' ', '-')}-{'dark' if dark else 'light'}-{width}", page)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize(("name", "address", "person"), SEEN, ids=[name for name, *_ in SEEN])
def test_nothing_is_lost_at_320_pixels(visit: Callable[..., Page], name: str, address: str, person: str) -> None:
    page = visit(address, person, width=320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
