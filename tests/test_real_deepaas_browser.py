"""From the train form to the result in a real browser, with the real DEEPaaS in the place of a container."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.conftest import keep
from tests.real.deepaas import running
from tests.stack import Stack
from tests.visitor import Visitor

pytestmark = pytest.mark.browser
LEAF: FilePayload = {"name": "leaf.png", "mimeType": "image/png", "buffer": b"leaf" * 1000}


@pytest.fixture(scope="module")
def place(one_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a deployment of Ada's, whose API is the real one."""
    one_stack.heal()
    visitor = Visitor(one_stack.url).sign_in("ada")
    with running(tmp_path_factory.mktemp("deepaas")) as api:
        page = visitor.get("/module/deep-oc-alpine-flora")
        page = visitor.submit(page, "/module/", ("action", "deploy"), title="The real API")
        address = page.url.partition("?")[0]
        led = {"status": "CREATE_COMPLETE", "outputs": {"deepaas_endpoint": api}}
        one_stack.control("PUT", f"deployments/{address.rpartition('/')[2]}", led)
        visitor.get(f"{address}?fresh=1")
        visitor.get(f"{address}/training?fresh=1")
        yield address
        visitor.submit(visitor.get(f"{address}/delete"), "/delete")


@pytest.fixture
def page(stack: Stack, new_page: Callable[..., Page]) -> Page:
    page = new_page()
    page.goto(f"{stack.url}/login/iam")
    page.locator("button[name=person][value=ada]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Modules")
    return page


def test_train_and_read_the_result(place: str, page: Page) -> None:
    page.goto(f"{place}/training?model=slow")
    page.locator("[name=a-data]").fill("/srv")
    page.get_by_label("epochs").fill("4")
    page.get_by_label("seconds").fill("2")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="Current training")).to_be_visible()
    row = page.locator("#history tbody tr").first
    expect(row).to_contain_text("Done", timeout=40_000)  # by itself, as it is followed
    expect(row).to_contain_text("0.25")
    row.locator("th a").click()
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("0.25")
    expect(result.get_by_role("link", name="https://example.org/weights")).to_be_visible()
    keep("training-real", page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Record", exact=True).click()
    assert re.fullmatch(r"training-slow-\d{8}-\d{6}\.json", download.value.suggested_filename)


def test_what_the_module_refuses_stands_at_its_field(place: str, page: Page) -> None:
    page.goto(f"{place}/training?model=slow")
    page.locator("[name=a-data]").fill("/srv")
    page.get_by_label("weights").fill("1\nx")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("alert")).to_contain_text("weights")


def test_an_answer_is_shown_and_gone_when_the_next_is_a_download(place: str, page: Page) -> None:
    page.goto(f"{place}/predict?model=files")
    page.get_by_label("image").set_input_files(LEAF)
    page.get_by_label("accept").select_option("text/plain")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text("leaf.png: 4000 bytes")).to_be_visible()
    page.get_by_label("image").set_input_files(LEAF)
    page.get_by_label("accept").select_option("application/zip")
    with page.expect_download() as download:
        page.get_by_role("button", name="Predict", exact=True).click()
    assert download.value.suggested_filename == "prediction-files.zip"
    expect(page.get_by_role("heading", name="Answer")).to_have_count(0)
