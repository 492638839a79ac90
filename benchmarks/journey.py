"""From nothing to a training, and how long each step takes: `python -m benchmarks.journey [--suite]`.

Clones the repository, types the README's commands and goes the whole way in Chromium, signed in as a newcomer. Needs
git, make, Chromium and a package index. `--suite` runs `make test` too. Writes benchmarks/journey.json. Of that the
sandbox's own pace (``sandbox.world.Settings``) is 8.5 s to create a deployment and have it boot, 20 s for a training
whatever its epochs, and 2.5 s to delete.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.stack import free_port

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("journey.json")
STARTS = 240  # seconds that a first start may take, most of them for the packages


class Steps:
    """Seconds by step, in the order in which they were gone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begun, 2)
        sys.stdout.write(f"{self.seconds[name]:8.2f} s  {name}\n")
        sys.stdout.flush()


def started(clone: Path, port: int) -> "subprocess.Popen[bytes]":
    """`make run`, once it answers. Raises RuntimeError when it ends or does not answer in time."""
    process = subprocess.Popen(  # noqa: S603 - fixed words
        ["make", "run", f"PORT={port}", f"SANDBOX_PORT={port + 1}"],  # noqa: S607
        cwd=clone,
        env=without_ours(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + STARTS
    while time.monotonic() < until and process.poll() is None:
        with (
            suppress(OSError, urllib.error.HTTPError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2),
        ):
            return process
        time.sleep(0.1)
    stop(process)
    raise RuntimeError(f"make run ended with {process.returncode}, or did not answer within {STARTS} s.")


def without_ours() -> dict[str, str]:
    """The environment of somebody who has only just come: nothing of this checkout's."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("DEEPDASH_", "DJANGO_", "VIRTUAL"))}


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C, as at a terminal: to all of the foreground."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=30)


def go(page: Page, base: str, steps: Steps) -> None:
    """The way of a researcher from the address to a training's result and back to an empty list."""
    with steps.step("first page"):
        page.goto(base)
    with steps.step("sign in"):
        page.get_by_role("link", name="Sign in").first.click()
        page.get_by_role("link", name="Sign in with IAM").click()
        page.locator("button[name=person][value=nora]").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Modules")
    with steps.step("find a module"):
        page.get_by_label("Search modules").fill("flora")
        page.get_by_label("Search modules").press("Enter")
        page.locator("#modules h3 a").first.click()
        expect(page.get_by_role("link", name="Configure and deploy").first).to_be_visible()
    with steps.step("open its form"):
        page.get_by_role("link", name="Configure and deploy").first.click()
        expect(page.get_by_label("Title", exact=True)).to_be_visible()
    with steps.step("choose another hardware"):
        page.locator("label", has_text="GPU").first.click()
        expect(page.get_by_label("GPUs")).to_have_value("1")
    page.get_by_label("Title", exact=True).fill("First steps")
    with steps.step("deploy: until it has a page"):
        page.get_by_role("button", name="Deploy", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("First steps")
    deployment = page.url
    with steps.step("deploy: until it can be opened"):
        expect(page.get_by_role("link", name="Open API")).to_be_visible(timeout=60_000)
    with steps.step("open DEEPaaS"), page.context.expect_page() as opened:
        page.get_by_role("link", name="Open API").click()
        opened.value.wait_for_load_state()
    opened.value.close()
    with steps.step("open its trainings"):
        page.goto(f"{deployment.partition('?')[0]}/training")
        expect(page.get_by_label("epochs")).to_be_visible(timeout=30_000)
    page.get_by_label("dataset").fill("/srv/data")
    page.get_by_label("epochs").fill("3")
    with steps.step("start a training"):
        page.get_by_role("button", name="Start training").click()
        expect(page.get_by_role("heading", name="Current training")).to_be_visible()
    with steps.step("three epochs, until the history has it"):
        expect(page.locator("#history tbody tr").first).to_contain_text("Done", timeout=60_000)
    page.goto(deployment)
    with steps.step("delete it: until the list is empty"):
        page.get_by_role("link", name="Delete…").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete deployment").click()
        page.goto(f"{base}/deployments")
        expect(page.get_by_role("row", name="First steps")).to_have_count(0, timeout=60_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", action="store_true", help="run `make test` in the clone as well")
    suite = parser.parse_args().suite
    steps, port = Steps(), free_port()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        clone = Path(folder) / "deepdash"
        with steps.step("git clone"):
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)  # noqa: S603, S607
        with steps.step("make run, the first time, until it answers"):
            process = started(clone, port)
        try:
            path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            go(browser.new_page(), f"http://127.0.0.1:{port}", steps)
            browser.close()
        finally:
            with steps.step("Ctrl-C, until all has ended"):
                stop(process)
        with steps.step("make run, the second time, until it answers"):
            process = started(clone, port)
        stop(process)
        if suite:
            with steps.step("make test, packages and all"):
                subprocess.run(["make", "test"], cwd=clone, env=without_ours(), check=True)  # noqa: S607
    RESULTS.write_text(f"{json.dumps(steps.seconds, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
