"""What is said to those who hear a page, kept still where motion disturbs, and told apart where colours are forced."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.conftest import keep
from tests.places import Places
from tests.stack import ROOT

pytestmark = pytest.mark.browser

# Keeps every text that the page's live regions are given from now on.
LISTENING = """() => {
  window.heard = [];
  new MutationObserver((changes) => {
    for (const change of changes) {
      const place = change.target.nodeType === 1 ? change.target : change.target.parentElement;
      const region = place?.closest("[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]");
      if (region && region.textContent.trim()) window.heard.push(region.textContent.trim());
      for (const added of change.addedNodes) if (added.nodeType === 1 && !region)
        for (const inner of [added, ...added.querySelectorAll("*")])
          if (inner.matches("[role=status], [role=alert]")) window.heard.push(inner.textContent.trim());
    }
  }).observe(document.body, {childList: true, subtree: true, characterData: true});
}"""
MOVING = """() => {
  const seconds = (all) => Math.max(...all.split(",").map((one) => parseFloat(one) * (one.endsWith("ms") ? .001 : 1)));
  const moves = (style) => style.animationName !== "none" && seconds(style.animationDuration) > .001;
  const changes = (style) => seconds(style.transitionDuration) > .001;
  return [...document.querySelectorAll("*")].flatMap((it) => [null, "::before", "::after"]
    .filter((part) => moves(getComputedStyle(it, part)) || changes(getComputedStyle(it, part)))
    .map((part) => `${it.outerHTML.slice(0, 80)} ${part ?? ""}`));
}"""
FLAT = """() => [...document.querySelectorAll(
  `main :is(.btn, .pill, .badge, .chip, .banner, .seg, .bone, .panel, select, input:not([type=radio], [type=checkbox]))`
)].filter((it) => {
  const {borderTopWidth, borderTopStyle} = getComputedStyle(it);
  return it.checkVisibility() && (parseFloat(borderTopWidth) < 1 || borderTopStyle === "none");
}).map((it) => it.outerHTML.slice(0, 120))"""
UNSEEN = """() => [...document.querySelectorAll("main :is(a, button, h1, h2, p, td, label, .light)")].filter((it) => {
  const {color, backgroundColor} = getComputedStyle(it), under = getComputedStyle(document.body).backgroundColor;
  return it.checkVisibility() && color === under && backgroundColor === "rgba(0, 0, 0, 0)";
}).map((it) => it.outerHTML.slice(0, 120))"""


def test_a_deployment_that_becomes_complete_is_announced_once(visit: Callable[..., Page], places: Places) -> None:
    page = visit("/")
    page.add_init_script(f"addEventListener('DOMContentLoaded', {LISTENING})")

    def earlier(route: Route) -> None:
        """The page as it was while the deployment was being created; what it asks for next tells of today."""
        answer = route.fetch()
        body = re.sub(r'(<span id="state">.*?)Deployed', r"\1Creating", answer.text(), count=1, flags=re.DOTALL)
        route.fulfill(response=answer, body=body)

    page.route(re.compile(f"{places.machine}$"), earlier)
    page.goto(page.url.rstrip("/") + places.machine)
    expect(page.locator("#live")).to_have_text("Seen machine: Deployed")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.heard") == ["Seen machine: Deployed"], "once, and nothing else speaks"


def test_the_list_announces_what_the_worker_has_seen_and_what_is_gone(
    visit: Callable[..., Page], places: Places
) -> None:
    page = visit("/")
    page.add_init_script(f"addEventListener('DOMContentLoaded', {LISTENING})")
    gone = '<tr><td><span id="state-x" data-about="Seen gone" data-gone="Deleted">Deleting</span></td></tr>'

    def earlier(route: Route) -> None:
        """The list as it was while one was being created and another deleted; the records tell of today already."""
        answer = route.fetch()
        body = re.sub(r'(data-about="Seen machine".*?)Deployed', r"\1Creating", answer.text(), count=1, flags=re.DOTALL)
        route.fulfill(response=answer, body=body.replace("</tbody>", f"{gone}</tbody>"))

    page.route(re.compile("/deployments$"), earlier)
    page.goto(page.url.rstrip("/") + "/deployments")
    expect(page.locator("#live")).to_have_text("Seen machine: Deployed; Seen gone: Deleted")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.heard") == ["Seen machine: Deployed; Seen gone: Deleted"], (
        "once, and nothing else speaks"
    )


def test_what_was_unfolded_stays_so_and_what_is_called_alike_stays_folded(browser: Browser) -> None:
    def part(*boxes: tuple[str, str]) -> str:
        return "".join(f"<details><summary>{line}</summary>{text}</details>" for line, text in boxes)

    page = browser.new_page()
    html = f"<h1>x</h1><main>{part(('Words', 'a'), ('Words', 'b'), ('Form', '1'))}</main><p id=live>"
    page.route("**", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto("http://localhost/")  # a page without an address has no cookies to read
    page.add_script_tag(path=ROOT / "static/js/ui.js")
    page.evaluate("document.querySelectorAll('details').forEach((it, place) => { it.open = place > 0; })")
    page.evaluate(
        """html => {
          const target = document.querySelector("main"), event = (name) => new CustomEvent(name, {detail: {target}});
          document.dispatchEvent(event("htmx:beforeSwap"));
          target.innerHTML = html;
          document.dispatchEvent(event("htmx:afterSettle"));
        }""",
        part(("Words", "new"), ("Words", "a"), ("Words", "b"), ("Form", "2")),
    )
    opened = page.evaluate("[...document.querySelectorAll('details')].map((it) => it.open)")
    page.close()
    assert opened == [False, False, True, True]


def test_found_modules_are_counted_aloud(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.get_by_role("searchbox", name="Search modules").press_sequentially("flora")
    expect(page.locator("#live")).to_have_text("Modules: 1 module")


def test_the_finder_speaks_inside_its_dialog(visit: Callable[..., Page]) -> None:
    page = visit("/")
    page.keyboard.press("Control+k")
    finder = page.get_by_role("dialog")
    expect(finder.get_by_role("status")).to_have_text(re.compile("^[1-9][0-9]* shown$"))
    page.keyboard.type("zzz")
    expect(finder.get_by_role("status")).to_have_text("0 shown")


def test_what_was_done_is_said_in_a_region_of_its_name(visit: Callable[..., Page]) -> None:
    page = visit("{accounts:preferences}")
    expect(page.locator("#live[role=status]")).to_have_count(1)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="New messages").get_by_role("status")).to_have_count(1)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("region", name="New messages").get_by_role("status")).to_have_count(0)


@pytest.mark.parametrize("address", ["/", "/deployments", "{ready}", "{ready}/training", "{design}"])
def test_nothing_moves_where_motion_is_not_wanted(visit: Callable[..., Page], address: str) -> None:
    page = visit(address, "grace" if address == "{design}" else "ada")
    assert page.evaluate(MOVING) == []
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVING) != [], "it does otherwise"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_states_are_told_apart_where_colours_are_forced(visit: Callable[..., Page], theme: str) -> None:
    page = visit("{design}", "grace", dark=theme == "dark")
    page.emulate_media(forced_colors="active", color_scheme="dark" if theme == "dark" else "light")
    keep(f"forced-design-{theme}", page)
    assert page.evaluate(FLAT) == [], "without a border"
    # The chosen one of several, and the page one is on, have a ring that others have not.
    ring = "([...of]) => of.map((it) => getComputedStyle(it).outlineStyle)"
    assert set(page.locator(".seg :checked + span").evaluate_all(ring)) == {"solid"}
    assert set(page.locator(".seg :not(:checked) + span").evaluate_all(ring)) == {"none"}
    page.goto(page.url.replace("/design", "/deployments"))
    assert page.locator(".tabs a[aria-current]").evaluate_all(ring) == ["solid"]
    assert set(page.locator(".topbar .tabs a:not([aria-current])").evaluate_all(ring)) == {"none"}
    # Icons take the colour of the text they stand by.
    drawn = page.evaluate(
        """() => [...document.querySelectorAll("svg.icon")].filter((it) => it.checkVisibility())
        .filter((it) => getComputedStyle(it).stroke !== getComputedStyle(it).color).map((it) => it.outerHTML)"""
    )
    assert drawn == []


@pytest.mark.parametrize("address", ["/", "/module/deep-oc-alpine-flora", "/deployments?fresh=1", "{ready}/training"])
def test_pages_where_colours_are_forced_can_be_looked_at(visit: Callable[..., Page], address: str) -> None:
    page = visit(address, width=390, dark=True)
    page.emulate_media(forced_colors="active")
    keep(f"forced-{re.sub('[^a-z]+', '-', address)}", page)
    assert page.evaluate(UNSEEN) == []
