"""What each page weighs and how soon it shows, in Chromium on a slow line: `python -m benchmarks.weight`.

Every page of the URL configuration is opened twice: by a browser that has nothing of the dashboard yet, and by one
that comes from another of its pages. Needs Chromium. Writes benchmarks/weight.json after each page: a run that was
ended goes on with ``--resume``. ``--only /notices`` (as often as wanted) measures some pages, and says which element
was painted last and what moved, without writing anything.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ViewportSize, sync_playwright

from benchmarks.site import Site, site
from tests.visitor import Visitor

RESULTS = Path(__file__).with_name("weight.json")
# What Lighthouse takes for a phone: 1.6 Mbit/s with 150 ms for each request, and a processor four times as slow.
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
SLOWER = 4
PHONE: ViewportSize = {"width": 390, "height": 844}
WATCH = """
window.seen = {paint: 0, shift: 0, first: 0, largest: [], moved: []};
const named = node => node?.outerHTML?.slice(0, 90) ?? node?.textContent?.slice(0, 60) ?? "gone by now";
new PerformanceObserver(list => { for (const it of list.getEntries()) {
  window.seen.paint = it.startTime;
  window.seen.largest.push([it.startTime, it.size, named(it.element)]);
} }).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => { for (const it of list.getEntries())
  if (it.name === "first-contentful-paint") window.seen.first = it.startTime;
}).observe({type: "paint", buffered: true});
new PerformanceObserver(list => { for (const it of list.getEntries()) if (!it.hadRecentInput) {
  window.seen.shift += it.value;
  for (const {node, previousRect, currentRect} of it.sources)
    window.seen.moved.push([it.startTime, it.value, named(node), previousRect, currentRect]);
} }).observe({type: "layout-shift", buffered: true});
"""


def visited(context: BrowserContext, visitor: Visitor, address: str) -> None:
    """A page on a fast line: only what the browser then has of the dashboard matters."""
    page = context.new_page()
    page.goto(visitor.base + address)
    page.wait_for_load_state("networkidle")
    page.close()


def opened(context: BrowserContext, visitor: Visitor, address: str) -> dict[str, Any]:
    """One page in a tab of its own: bytes as they came over the line, other hosts, shift of the layout, seconds."""
    page = context.new_page()
    page.add_init_script(WATCH)
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", LINE)
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    sizes: list[float] = []
    hosts: set[str] = set()
    line.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    line.on("Network.requestWillBeSent", lambda event: hosts.add(urlsplit(event["request"]["url"]).netloc))
    page.goto(visitor.base + address)
    page.wait_for_load_state("networkidle")
    seen = page.evaluate("window.seen")
    page.close()
    return {
        "kB": round(sum(sizes) / 1000, 1),
        "requests": len(sizes),
        "other hosts": sorted(host for host in hosts if host and host != urlsplit(visitor.base).netloc),
        "shift": round(seen["shift"], 4),
        "largest paint s": round(seen["paint"] / 1000, 2),
        "seen": seen,
    }


def signed_in(browser: Browser, visitor: Visitor) -> BrowserContext:
    context = browser.new_context(viewport=PHONE, device_scale_factor=2)
    context.add_cookies([{"name": cookie.name, "value": str(cookie.value), "url": visitor.base}
                         for cookie in visitor.session.cookies])  # fmt: skip
    return context


def weigh(browser: Browser, place: Site, routes: list[str]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(route, its figures, what was seen besides) one after another: pages side by side would slow each other down."""
    for route in routes:
        address = place.pages[route]
        visitor = place.grace if route == "/settings/health" else place.ada
        context = signed_in(browser, visitor)
        first = opened(context, visitor, address)
        context.close()
        context = signed_in(browser, visitor)
        visited(context, visitor, "/preferences" if route == "/" else "/")
        following = opened(context, visitor, address)
        context.close()
        figures = {
            "first kB": first["kB"],
            "next kB": following["kB"],
            "largest paint s": first["largest paint s"],
            "next largest paint s": following["largest paint s"],
            "shift": max(first["shift"], following["shift"]),
            "other hosts": first["other hosts"],
        }
        yield route, figures, {"first": first["seen"], "next": following["seen"]}


def main() -> None:
    parser = argparse.ArgumentParser(description="What each page weighs and how soon it shows.")
    parser.add_argument("--resume", action="store_true", help="leave out the pages that weight.json has")
    parser.add_argument("--only", action="append", metavar="ROUTE", help="measure this page, write nothing")
    asked = parser.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if asked.resume else {}
    with site() as place, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-quic"])
        routes = asked.only or [route for route in place.pages if route not in results]
        for number, (route, figures, seen) in enumerate(weigh(browser, place, routes), 1):
            sys.stdout.write(f"{number}/{len(routes)} {route}: {json.dumps(figures)}\n")
            if asked.only:
                sys.stdout.write(f"{json.dumps(seen, indent=2)}\n")
            else:
                results[route] = figures
                RESULTS.write_text(f"{json.dumps(results, indent=2)}\n", encoding="utf-8")
            sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
