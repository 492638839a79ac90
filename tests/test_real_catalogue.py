"""The journey over HTTP on a whole catalogue: every module is shown, every template asked for, many are deployed.

By default the sandbox's sample; DEEPDASH_REALDATA names a folder of the same layout with a real one.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stack import ROOT, Stack, running
from tests.visitor import Visitor

CATALOGUE = os.environ.get("DEEPDASH_REALDATA") or str(ROOT / "sandbox" / "sample")
AT_LEAST = 10


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("whole"), catalogue=CATALOGUE) as stack:
        yield stack


def modules_on(visitor: Visitor) -> list[str]:
    """The slugs of all modules, page by page."""
    found: list[str] = []
    for number in range(1, 50):
        page = visitor.get(f"/?page={number}")
        links = [link.rsplit("/", 1)[1] for link in page.tree.xpath('//*[@id="modules"]//h3/a/@href')]
        if not links or links[0] in found:
            return found
        found += links
    return found


def names_in_the_list() -> set[str]:
    """The names in the catalogue's MODULES.yml that have a metadata.json."""
    folder = Path(CATALOGUE) / "modules"
    return {path.parent.name.lower().replace("_", "-") for path in folder.glob("*/*/metadata.json")}


def test_every_module_with_metadata_is_shown(whole: Stack) -> None:
    shown = set(modules_on(Visitor(whole.url)))
    development = {"deep-oc-generic-dev"}  # has a button of its own
    missing = {name for name in names_in_the_list() - development if not any(slug == name for slug in shown)}
    assert not missing
    print(f"\n{len(shown)} modules shown, {len(names_in_the_list())} have metadata")


def test_every_template_of_every_module_yields_a_form(whole: Stack) -> None:
    visitor = Visitor(whole.url).sign_in("ada")
    forms = 0
    for slug in modules_on(visitor):
        page = visitor.get(f"/module/{slug}")
        if page.status == 409:  # nothing to deploy: the page says so
            assert "can’t be deployed now" in page.words
            continue
        assert page.status == 200, slug
        for key in page.tree.xpath('//select[@id="template"]/option/@value'):
            page = visitor.get(f"/module/{slug}", params={"toscaname": key, "hardware": "gpu"})
            assert page.tree.xpath('//select[@id="template"]/option[@selected]/@value') == [key]
            assert page.tree.xpath('//fieldset[contains(@class, "section")]')
            forms += 1
    print(f"\n{forms} forms")
    assert forms


def deploy(base: str, slug: str) -> str:
    """Deploy a module with what the form suggests; returns the last status seen."""
    visitor = Visitor(base).sign_in("ada")
    page = visitor.get(f"/module/{slug}")
    if page.status != 200:
        return "not deployable"
    page = visitor.submit(page, "/module/", ("action", "deploy"), title=slug[:45])
    for _ in range(400):
        pill = page.tree.xpath('//*[contains(@class, "pill")]')
        status = pill[0].text_content().strip() if pill else page.words[:200]
        if not status.startswith(("Creating", "Starting", "Sending")):
            return str(status)
        time.sleep(0.3)
        page = visitor.get(f"{page.url.partition('?')[0]}?fresh=1")
    return str(status)


def test_many_different_modules_are_deployed_to_completion(whole: Stack) -> None:
    slugs = [slug for slug in modules_on(Visitor(whole.url)) if "fails" not in slug and "never" not in slug]
    with ThreadPoolExecutor(4) as pool:
        ended = dict(zip(slugs, pool.map(lambda slug: deploy(whole.url, slug), slugs), strict=True))
    ready = [slug for slug, status in ended.items() if status == "Ready"]
    print(f"\n{len(ready)} of {len(slugs)} modules deployed to completion")
    assert len(ready) >= AT_LEAST, ended
