"""Training from the dashboard, in a real browser against the sandbox."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import keep
from tests.places import until
from tests.stack import Stack
from tests.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def place(one_stack: Stack) -> Iterator[str]:
    """The address of a deployment of Ada's whose API answers."""
    one_stack.heal()
    visitor = Visitor(one_stack.url).sign_in("ada")
    page = visitor.get("/module/deep-oc-alpine-flora")
    page = visitor.submit(page, "/module/", ("action", "deploy"), title="To train on")
    address = page.url.partition("?")[0]
    until(visitor, address, "Open API")
    visitor.get(f"{address}/training?fresh=1")
    yield address
    page = visitor.get(f"{address}/delete")
    visitor.submit(page, "/delete")


@pytest.fixture
def page(stack: Stack, new_page: Callable[..., Page]) -> Page:
    page = new_page()
    sign_in(page, stack)
    return page


def sign_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/login/iam")
    page.locator("button[name=person][value=ada]").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Modules")


def train(page: Page, epochs: int) -> None:
    page.get_by_label("dataset").fill("/srv/data")
    page.get_by_label("epochs").fill(str(epochs))
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="Current training")).to_be_visible()
    expect(page.get_by_text("Nothing is training now.")).to_be_visible(timeout=40_000)


def test_train_follow_and_compare(place: str, page: Page) -> None:
    page.goto(f"{place}/training")
    page.get_by_label("dataset").fill("")  # it may begin with what was used last
    page.get_by_label("epochs").fill("900")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("alert")).to_contain_text("From 1 to 500; this is 900.")
    expect(page.get_by_role("alert")).to_contain_text("This is needed.")
    keep("training-errors", page)
    train(page, 3)
    train(page, 6)  # the page followed it by itself, and the history has both
    rows = page.locator("#history tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Done")
    keep("training", page)
    page.get_by_text("The same with curl").click()
    page.get_by_role("button", name="Show the call").click()
    expect(page.locator("#call")).to_contain_text("curl -X POST")
    for box in rows.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect(page.get_by_role("row", name="epochs").locator("mark")).to_have_count(2)
    keep("training-comparison", page)


def test_cancel_in_the_middle(stack: Stack, place: str, page: Page) -> None:
    before = stack.control("GET", "")["settings"]["training"]
    stack.control("PUT", "settings", {"training": 4000})
    try:
        page.goto(f"{place}/training")
        page.get_by_label("dataset").fill("/srv/data")
        page.get_by_role("button", name="Start training").click()
        expect(page.locator("#state")).to_contain_text("Training")
        page.get_by_role("link", name="Delete…").click()
        expect(page.locator("main")).to_contain_text("A training runs in it.")
        page.goto(f"{place}/training")
        page.get_by_role("link", name="Cancel training…").click()
        page.get_by_role("button", name="Cancel training").click()
        expect(page.get_by_role("heading", level=1).locator("..")).to_contain_text("Cancelled")
    finally:
        stack.control("PUT", "settings", {"training": before})


def test_start_a_run_again_on_a_new_deployment(place: str, page: Page) -> None:
    page.goto(f"{place}/training")
    train(page, 7)
    page.locator("#history tbody th a").first.click()
    page.get_by_role("button", name="On a new deployment").click()
    page.get_by_label("Title", exact=True).fill("Trained again")
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.locator("#state")).to_contain_text("Ready", timeout=40_000)
    page.get_by_role("link", name="Training", exact=True).last.click()
    expect(page.get_by_label("epochs")).to_have_value("7", timeout=20_000)


def test_predict_with_a_file_also_without_scripts(stack: Stack, place: str, new_page: Callable[..., Page]) -> None:
    page = new_page(scripts=False, width=390)
    sign_in(page, stack)
    page.goto(f"{place}/predict")
    page.get_by_label("image").set_input_files({"name": "leaf.png", "mimeType": "image/png", "buffer": b"leaf" * 1000})
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile("Quercus|Fagus|Acer|Tilia|Betula|Alnus"))
    keep("predict-phone", page)
    page.get_by_label("image").set_input_files({"name": "leaf.png", "mimeType": "image/png", "buffer": b"leaf"})
    with page.expect_download() as download:
        page.get_by_role("button", name="Predict and download").click()
    assert download.value.suggested_filename == "prediction-alpine_flora.json"


def test_a_record_is_imported_and_trains_again_on_a_new_deployment_in_two_clicks(
    place: str, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{place}/training")
    train(page, 3)
    page.locator("#history tbody th a").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Record", exact=True).click()
    record = json.loads(Path(download.value.path()).read_text())
    record["training"]["uuid"] = uuid4().hex  # as if it came from another dashboard
    record["environment"]["choices"]["docker_tag"] = "no-such-tag"
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record))
    page.goto(f"{place.partition('/deployments')[0]}/training/import")
    page.get_by_label("Record").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.locator("main")).to_contain_text("imported")
    keep("training-imported", page)
    page.get_by_role("button", name="On a new deployment").click()  # the first click
    expect(page.locator("main")).to_contain_text("There is no tag “no-such-tag”")
    expect(page.get_by_label(re.compile("Start it when the API answers"))).to_be_checked()
    keep("training-again", page)
    page.get_by_role("button", name="Deploy", exact=True).click()  # the second
    expect(page.locator("#state")).to_contain_text(re.compile("Ready|Training"), timeout=40_000)
    page.get_by_role("link", name="Training", exact=True).last.click()
    expect(page.locator("#history tbody tr")).to_contain_text(["epochs 3"], timeout=40_000)
    keep("training-followed", page)


def test_a_grid_is_counted_started_watched_and_stopped(place: str, page: Page) -> None:
    page.goto(f"{place}/training")
    page.get_by_label("dataset").fill("/srv/data")
    page.get_by_role("button", name="Several trainings…").click()
    page.locator("#axis-1").select_option("epochs")
    page.locator("#values-1").fill("1..3")
    page.get_by_role("button", name="Count", exact=True).click()
    expect(page.get_by_role("heading", name="3 trainings")).to_be_visible()
    keep("grid", page)
    page.get_by_role("button", name="Start 3 trainings").click()
    expect(page.get_by_role("row", name="1 epochs 1")).to_contain_text(re.compile("Running|Done"), timeout=40_000)
    keep("batch", page)
    page.get_by_role("button", name="Stop this batch").click()
    expect(page.locator("main")).to_contain_text("Cancelled")
