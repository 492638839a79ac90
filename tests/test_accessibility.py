"""No page has what axe calls a violation at any width, in either theme, at twice the size or in another language.

Each page is loaded once; its width, size and theme change under it. axe's rules of order are among them: headings
that skip no level, one main landmark, nothing outside of landmarks, targets of 24 pixels.
"""

import json
import re
from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.admin import site
from playwright.sync_api import Page

from tests.addresses import PAGES, STAFF
from tests.conftest import keep

pytestmark = pytest.mark.browser
MODULE = "deep-oc-alpine-flora"
RULES = json.dumps({
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
})  # fmt: skip
# Width and height in CSS pixels, how many of the screen's make one, the theme. 720 by two is 1,440 at 200 %.
LOOKS = [(1440, 900, 1, "light"), (768, 1024, 1, "dark"), (320, 800, 1, "dark"), (720, 450, 2, "light")]
PHONE = [(320, 800, 1, "dark")]
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
# What curators see of the administration, each with a link to the first of its rows: all tables of the catalogue and
# what was done to them. What belongs to users is drawn by the same templates.
TABLES = {
    "module": "#result_list tbody th a",
    "template": "#result_list tbody th a",
    "refreshrun": "#result_list tbody th a",
    "webhookdelivery": "",  # there are none
    "externallink": ".object-tools .addlink",
    "moduleindex": "#result_list tbody th a",
    "typefile": "#result_list tbody th a",
    "picture": "#result_list tbody th a",
}
OVERVIEWS = ["/admin/", "/admin/catalog/", "/admin/admin/logentry/"]
CURATED = [(1440, 900, 1, "light"), (320, 800, 1, "dark")]
# Spanish and Italian words are longer: the pages with most of them.
TRANSLATED = {
    "home": "/",
    "module": f"/modules/{MODULE}",
    "configure": f"/module/{MODULE}",
    "deployments": "/deployments?fresh=1",
    "ready": "{ready}?fresh=1",
    "machine": "{machine}?fresh=1",
    "training": "{ready}/training",
    "trainings": "/training",
    "providers": "/slas?fresh=1",
    "usage": "{deployments:usage}",
    "storage": "{deployments:storage}",
}
SEEN = [*EVERY, *STATES]


def audit(page: Page) -> list[str]:
    """What axe finds on the page as it is: each rule broken, with the first places that break it."""
    found = page.evaluate(f"axe.run({RULES})")["violations"]
    return [
        f"{rule['id']} ({rule['help']}): " + "; ".join(f"{at['html'][:200]} {at['failureSummary']}" for at in nodes[:5])
        for rule in found
        for nodes in [rule["nodes"]]
    ]


def walk(page: Page, name: str, looks: list[tuple[int, int, int, str]]) -> list[str]:
    """What is wrong with the page in each of these looks."""
    found = []
    page.evaluate(AXE_SCRIPT)
    for width, height, scale, theme in looks:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": height})
        if scale != 1:  # no context of its own is needed for it, only to be the last one
            size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
            page.context.new_cdp_session(page).send("Emulation.setDeviceMetricsOverride", size)
        assert page.evaluate("[innerWidth, devicePixelRatio]") == [width, scale]
        found += [f"{width} {theme}: {broken}" for broken in audit(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{width} {theme}: {wide} pixels wide"] if wide > width else []
        keep(f"page-{re.sub('[^a-z0-9]+', '-', name.lower())}-{theme}-{width}", page)
    return found


@pytest.mark.parametrize(("name", "address", "person"), SEEN, ids=[name for name, *_ in SEEN])
def test_axe_finds_nothing_and_nothing_is_lost_at_any_width(
    visit: Callable[..., Page], name: str, address: str, person: str
) -> None:
    page = visit(address, person)
    found = walk(page, name, LOOKS)
    assert not found, "\n".join(found)
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("name", TRANSLATED)
@pytest.mark.parametrize("language", ["es", "it"])
def test_longer_words_of_other_languages_fit_a_phone(visit: Callable[..., Page], language: str, name: str) -> None:
    page = visit(TRANSLATED[name], "ada", language=language)
    assert page.locator("html").get_attribute("lang") == language
    found = walk(page, f"{language} {name}", PHONE)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("address", OVERVIEWS)
def test_axe_finds_nothing_in_the_overviews_of_the_administration(visit: Callable[..., Page], address: str) -> None:
    found = walk(visit(address, "grace"), f"admin {address}", CURATED)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("table", TABLES)
def test_axe_finds_nothing_in_the_administration(visit: Callable[..., Page], table: str) -> None:
    """Its list, the form of a row, and what leads on from there: history, versions, the question before deleting."""
    page = visit(f"/admin/catalog/{table}/", "grace")
    found = walk(page, f"admin {table}", CURATED)
    if TABLES[table]:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.locator(TABLES[table]).first.click()
        page.wait_for_url(re.compile("/(change|add)/"))
        found += walk(page, f"admin {table} form", CURATED)
        if table == "externallink":
            page.get_by_label("Title:").fill("Handbook")
            page.get_by_label("Address:").fill("https://example.org/handbook")
            page.get_by_role("button", name="Save", exact=True).click()
            found += walk(page, f"admin {table} saved", CURATED)
            page.locator("#result_list").get_by_role("link", name="Handbook").click()
            page.wait_for_url("**/change/")
        links = page.locator(".historylink, .object-tools a[href$='/versions/'], .deletelink")
        for address in links.evaluate_all("(all) => all.map((link) => link.href)"):
            page.goto(address)
            found += walk(page, f"admin {table} {address.rsplit('/', 2)[1]}", CURATED)
        if table == "externallink":
            page.get_by_role("button", name="Yes, I’m sure").click()
    assert not found, "\n".join(found)


def test_every_table_of_the_administration_is_looked_at() -> None:
    shown = {model._meta.model_name for model in site._registry if model._meta.app_label == "catalog"}
    assert shown == set(TABLES)
