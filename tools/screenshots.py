"""Take the pictures of docs/screenshots from a running stack: `python -m tools.screenshots` (needs Chromium)."""

import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.stack import ROOT, running
from tests.visitor import Visitor

FOLDER = ROOT / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 860}
MODULE = "deep-oc-alpine-flora"


def main() -> None:
    with tempfile.TemporaryDirectory() as data, running(Path(data)) as stack, sync_playwright() as playwright:
        ada = Visitor(stack.url).sign_in("ada")
        page = ada.get(f"/module/{MODULE}?hardware=gpu")
        page = ada.submit(page, "/module/", ("action", "deploy"), title="Alpine plants v3")
        deployment = page.url
        time.sleep(4)
        ada.get(f"{deployment}?fresh=1")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        for cookie in ada.session.cookies:
            context.add_cookies([{"name": cookie.name, "value": str(cookie.value), "url": stack.url}])
        tab = context.new_page()
        addresses = {"modules": "/", "configure": f"/module/{MODULE}?hardware=gpu", "deployment": deployment}
        for name, address in addresses.items():
            tab.goto(address if address.startswith("http") else stack.url + address)
            tab.wait_for_load_state("networkidle")
            tab.screenshot(path=str(FOLDER / f"{name}.png"))
        browser.close()


if __name__ == "__main__":
    main()
