"""What each page weighs and how soon it shows, in Chromium on a slow line: `python -m benchmarks.weight`.

Every page of the URL configuration is opened twice: by a browser that has nothing of the dashboard yet, and by one
that comes from another of its pages. Needs Chromium. Writes benchmarks/weight.json.
"""

import json
import shutil
import sys
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
window.seen = {paint: 0, shift: 0};
new PerformanceObserver(list => { for (const it of list.getEntries()) window.seen.paint = it.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const it of list.getEntries()) if (!it.hadRecentInput) window.seen.shift += it.value;
}).observe({type: "layout-shift", buffered: true});
"""


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
    }


def signed_in(browser: Browser, visitor: Visitor) -> BrowserContext:
    context = browser.new_context(viewport=PHONE, device_scale_factor=2)
    context.add_cookies([{"name": cookie.name, "value": str(cookie.value), "url": visitor.base}
                         for cookie in visitor.session.cookies])  # fmt: skip
    return context


def weigh(browser: Browser, place: Site) -> dict[str, Any]:
    found = {}
    for route, address in place.pages.items():
        visitor = place.grace if route == "/settings/health" else place.ada
        context = signed_in(browser, visitor)
        first = opened(context, visitor, address)
        context.close()
        context = signed_in(browser, visitor)
        opened(context, visitor, "/preferences" if route == "/" else "/")
        following = opened(context, visitor, address)
        context.close()
        found[route] = {
            "first kB": first["kB"],
            "next kB": following["kB"],
            "largest paint s": first["largest paint s"],
            "next largest paint s": following["largest paint s"],
            "shift": max(first["shift"], following["shift"]),
            "other hosts": first["other hosts"],
        }
        sys.stdout.write(f"{route}: {json.dumps(found[route])}\n")
        sys.stdout.flush()
    return found


def main() -> None:
    with site() as place, sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-quic"])
        results = weigh(browser, place)
        browser.close()
    RESULTS.write_text(f"{json.dumps(results, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
