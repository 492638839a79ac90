"""The keyboard goes everywhere, in the order things are read, and is seen wherever it is."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
PAGES = {
    "home": "/",
    "module": "/modules/deep-oc-alpine-flora",
    "configure": "/module/deep-oc-alpine-flora?hardware=gpu&run=jupyterlab",
    "deployments": "/deployments?fresh=1",
    "ready": "{ready}?fresh=1",
    "machine": "{machine}?fresh=1",
    "training": "{ready}/training",
    "predict": "{ready}/predict",
    "trainings": "/training",
    "compare": "{deployments:compare}",
    "providers": "/slas?fresh=1",
    "storage": "/storage",
    "preferences": "{accounts:preferences}",
    "find": "/find?q=a",
    "design": "{design}",
}
STAFF = {"design"}

# Numbers what can be pressed or typed into, as the document has it, and tells where it stands: its box, the box that
# holds it. One of several radio buttons is a stop.
NUMBERED = """() => {
  const places = [];
  const holder_of = (it) => {
    const holder = it.closest("li, tr, .panel, .card, fieldset, form, nav, section, aside, header, footer, main");
    if (!places.includes(holder)) places.push(holder);
    return places.indexOf(holder);
  };
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter((it) => !it.disabled && it.type !== "hidden" && it.checkVisibility({visibilityProperty: true}))
    .filter((it) => it.type !== "radio" || it.checked || !document.querySelector(`[name="${it.name}"]:checked`));
  return stops.map((it, number) => {
    it.dataset.stop = number;
    const {left, right, top, bottom} = it.getBoundingClientRect();
    return {html: it.outerHTML.slice(0, 160), holder: holder_of(it), left, right, top, bottom};
  });
}"""
# Where the focus is: its number, how it is shown, and what lies over it.
HERE = """() => {
  const it = document.activeElement;
  if (it === document.body || it.dataset.stop === undefined) return null;
  const seen = it.matches(".seg input") ? it.nextElementSibling : it;
  const rings = [seen, it.closest(".card:has(.stretch:focus)") ?? seen].map((one) => getComputedStyle(one));
  const box = seen.getClientRects()[0] ?? seen.getBoundingClientRect();
  const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const bar = over?.closest(".topbar, .bulk, .foot");
  return {
    number: +it.dataset.stop, html: it.outerHTML.slice(0, 160),
    ring: rings.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
    hidden: Boolean(bar && !bar.contains(it)) || box.bottom < 0 || box.top > innerHeight,
  };
}"""


def tabbed(page: Page, most: int = 400) -> list[dict[str, Any]]:
    """Everything Tab stops at, from the top of the page to its end."""
    stops: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(HERE)
        if stop is None or (stops and stop["number"] == stops[0]["number"]):
            return stops
        stops.append(stop)
    raise AssertionError(f"no end after {most} stops, now at {stops[-1]}")


@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_everything_in_the_order_of_reading_and_is_seen(visit: Callable[..., Page], name: str) -> None:
    page = visit(PAGES[name], "grace" if name in STAFF else "ada")
    wanted = page.evaluate(NUMBERED)
    stops = tabbed(page)
    reached = [stop["number"] for stop in stops]
    assert len(wanted) > 10
    assert [place["html"] for number, place in enumerate(wanted) if number not in reached] == []
    assert reached == sorted(reached), "the document's order is the order of the focus"
    assert [stop["html"] for stop in stops if not stop["ring"]] == [], "without a ring of two pixels"
    assert [stop["html"] for stop in stops if stop["hidden"]] == [], "behind a bar or out of sight"
    back = [
        (before["html"], after["html"])
        for before, after in pairwise(wanted)
        if before["holder"] == after["holder"]
        if after["bottom"] <= before["top"] and after["left"] < before["right"]
    ]
    assert back == [], "from one to a next one that stands above it"


def test_the_first_stop_skips_to_the_content(visit: Callable[..., Page]) -> None:
    page = visit("/deployments")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_finder_keeps_the_focus_and_gives_it_back(visit: Callable[..., Page]) -> None:
    page = visit("/deployments")
    opener = page.get_by_role("link", name="Find a page, module or deployment")
    opener.focus()
    page.keyboard.press("Enter")
    finder = page.get_by_role("dialog", name="Find a page, module or deployment")
    expect(finder.get_by_role("searchbox")).to_be_focused()
    expect(finder.get_by_role("link", name="Storage accounts")).to_be_visible()
    links = finder.get_by_role("link").count()
    for _ in range(links + 3):  # through all of it, and round
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#find')")
    page.keyboard.press("Escape")
    expect(finder).to_have_count(0)
    expect(opener).to_be_focused()


@pytest.mark.parametrize("name", ["Rename…", "Delete…"])
def test_a_question_gives_the_focus_back_to_what_asked_it(visit: Callable[..., Page], name: str) -> None:
    page = visit("{ready}?fresh=1")
    opener = page.get_by_role("link", name=name)
    opener.focus()
    page.keyboard.press("Enter")
    question = page.get_by_role("dialog")
    expect(question.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(opener).to_be_focused()


def test_the_focus_stays_where_it_is_when_the_page_renews_itself(visit: Callable[..., Page]) -> None:
    page = visit("{ready}?fresh=1")
    link = page.get_by_role("link", name="Clone")
    link.focus()
    page.evaluate("document.getElementById('part').dataset.old = '1'")
    address = page.url.partition("?")[0] + "/live?step=probe"
    page.evaluate("address => htmx.ajax('GET', address, {target: '#part', swap: 'outerHTML'})", address)
    expect(page.locator("#part[data-old]")).to_have_count(0)
    expect(link).to_be_focused()


def test_typing_into_the_filter_of_a_page_says_how_many_rows_fit(visit: Callable[..., Page]) -> None:
    page = visit("/deployments?fresh=1")
    page.get_by_role("searchbox", name="Search deployments").press_sequentially("seen fai")
    expect(page.locator("#list tbody tr:visible")).to_have_count(1)
    expect(page.locator("#live")).to_have_text("1 shown")
    page.get_by_role("searchbox", name="Search deployments").press_sequentially("zzz")
    expect(page.get_by_role("heading", name="No deployment on this page matches")).to_be_visible()
    expect(page.locator("#live")).to_have_text("0 shown")


def test_on_a_phone_the_focus_goes_through_the_head_of_the_page_as_one_sees_it(visit: Callable[..., Page]) -> None:
    page = visit("/deployments", width=390)
    where = """() => {
      const it = document.activeElement, box = it.getBoundingClientRect();
      return it.closest("main") ? null : [it.closest("nav") ? 1 : 0, box.top + box.height / 2, box.left];
    }"""
    page.keyboard.press("Tab")  # the way to the content, which lies above all
    seen: list[tuple[int, float, float]] = []
    while True:
        page.keyboard.press("Tab")
        place = page.evaluate(where)
        if place is None:
            break
        seen.append(tuple(place))
    assert [line for line, _, _ in seen] == [0, 0, 0, 0, 1, 1, 1, 1], "the brand and three buttons, then the tabs"
    assert seen == sorted(seen, key=lambda at: (at[0], at[2])), "from the left to the right"
    assert max(at[1] for at in seen[:4]) < min(at[1] for at in seen[4:]), "and downwards"
