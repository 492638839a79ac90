"""The catalogue is open to everybody, works without script, and says honestly what is broken."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.testing import make_user
from catalog.models import Module, ModuleIndex, RefreshRun
from catalog.problems import stored
from catalog.testing import TEMPLATE, make_module, make_template
from deepdash.errors import Problem

pytestmark = pytest.mark.django_db


def titles(client: Client, address: str) -> list[str]:
    return re.findall(r'class="stretch" href="/modules/([\w-]+)"', client.get(address).content.decode())


@pytest.fixture
def three() -> None:
    make_module(
        "deep-oc-plants", keywords=["trainable", "tensorflow", "image classification"], created_on=date(2021, 1, 1)
    )
    make_module(
        "deep-oc-audio", keywords=["inference", "pytorch", "audio"], created_on=date(2023, 1, 1), licence="Apache-2.0"
    )
    make_module("deep-oc-fish", keywords=["trainable", "pytorch", "vo.imagine-ai.eu"], created_on=date(2022, 1, 1))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["deep-oc-audio", "deep-oc-fish", "deep-oc-plants"]),
        ("?sort=newest", ["deep-oc-audio", "deep-oc-fish", "deep-oc-plants"]),
        ("?q=plants", ["deep-oc-plants"]),
        ("?capability=trainable", ["deep-oc-fish", "deep-oc-plants"]),
        ("?capability=trainable&framework=pytorch", ["deep-oc-fish"]),
        ("?framework=tensorflow&framework=pytorch", ["deep-oc-audio", "deep-oc-fish", "deep-oc-plants"]),
        ("?community=vo.imagine-ai.eu", ["deep-oc-fish"]),
        ("?licence=apache+2.0", ["deep-oc-audio"]),
        ("?task=audio&q=fish", []),
        ("?capability=&sort=nonsense&page=nonsense&other=1", ["deep-oc-audio", "deep-oc-fish", "deep-oc-plants"]),
        ("?q=%00&framework=%00", ["deep-oc-audio", "deep-oc-fish", "deep-oc-plants"]),
    ],
)
def test_everything_asked_for_is_in_the_address(client: Client, three: None, query: str, found: list[str]) -> None:
    assert titles(client, f"/{query}") == found


def test_facets_count_what_would_be_shown(client: Client, three: None) -> None:
    html = client.get("/?capability=trainable").content.decode()
    counts = dict(re.findall(r'value="([\w. -]+)"(?: checked)?>[^<]+<span class="count">(\d+)<', html))
    assert counts["trainable"] == "2"
    assert counts["inference"] == "1", "a further value of the chosen kind shows what it would add"
    assert (counts["pytorch"], counts["tensorflow"]) == ("1", "1")
    assert "apache 2.0" not in counts


def test_a_chosen_filter_can_be_taken_off_and_keeps_the_others(client: Client, three: None) -> None:
    html = client.get("/?q=fish&capability=trainable&framework=pytorch&sort=title").content.decode()
    assert 'href="?q=fish&amp;framework=pytorch&amp;sort=title" aria-label="Remove filter Trainable"' in html


def test_htmx_gets_the_cards_and_the_facets_alone(client: Client, three: None) -> None:
    part = client.get("/?q=fish", headers={"HX-Request": "true"})
    html = part.content.decode()
    assert "<html" not in html
    assert 'hx-swap-oob="innerHTML:#facets"' in html
    assert "HX-Request" in part.headers["Vary"]
    for header in ("HX-Boosted", "HX-History-Restore-Request"):
        assert "<html" in client.get("/", headers={"HX-Request": "true", header: "true"}).content.decode()


def test_many_modules_are_shown_page_by_page(client: Client) -> None:
    for number in range(30):
        make_module(f"deep-oc-{number:02}")
    assert len(titles(client, "/")) == 24
    assert len(titles(client, "/?page=2")) == 6
    html = client.get("/?q=deep&page=2").content.decode()
    assert 'href="?q=deep" rel="prev"' in html
    assert 'aria-current="page"' in html
    assert len(titles(client, "/?page=99")) == 6


def test_the_catalogue_costs_the_same_statements_for_any_number_of_modules(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        make_module(f"deep-oc-{number:02}")
    with django_assert_max_num_queries(10):  # the first look at a changed catalogue
        assert client.get("/").status_code == 200
    with django_assert_max_num_queries(5):
        client.get("/?q=deep&capability=trainable&framework=tensorflow&licence=mit&task=image+classification")


def test_what_was_drawn_once_is_not_drawn_again_until_something_differs(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    module = make_module("deep-oc-plants", summary="Leaves")
    client.get("/")
    with django_assert_max_num_queries(3):
        assert "Leaves" in client.get("/").text
    module.summary = "Blossoms"
    module.save()
    assert "Blossoms" in client.get("/").text
    Module.objects.filter(pk=module.pk).update(summary="Fruits")
    assert "Fruits" in client.get("/").text
    assert "Catalogue refreshed" not in client.get("/").text
    RefreshRun.objects.create(trigger="start", state="done", started=timezone.now(), finished=timezone.now())
    caches["fragments"].delete("refreshed")
    assert "Catalogue refreshed" in client.get("/").text
    assert 'hx-swap-oob="innerHTML:#facets"' in client.get("/", headers={"HX-Request": "true"}).text
    assert 'hx-swap-oob="innerHTML:#facets"' not in client.get("/").text


def test_each_reader_has_the_days_of_their_own_time_zone(client: Client) -> None:
    make_module("deep-oc-old", state=Module.State.BROKEN, fetched_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    shown = {}
    for zone in ("Pacific/Auckland", "America/Lima"):
        user = make_user(zone)
        User.objects.filter(pk=user.pk).update(timezone=zone)
        client.force_login(user)
        shown[zone] = re.findall(r"Last good version of (\d+ \w+)", client.get("/").text)
    assert shown == {"Pacific/Auckland": ["2 Mar"], "America/Lima": ["1 Mar"]}


def test_the_two_buttons_lead_to_their_forms(client: Client) -> None:
    make_module("deep-oc-generic-dev", kind=Module.Kind.DEVELOPMENT)
    make_module("external", kind=Module.Kind.EXTERNAL, docker_image="")
    html = client.get("/").content.decode()
    assert 'href="/module/deep-oc-generic-dev"' in html
    assert 'href="/module/external"' in html
    assert titles(client, "/") == []
    assert client.get("/modules/external").headers["Location"] == "/module/external"


def test_an_empty_catalogue_says_why(client: Client) -> None:
    assert "manage.py refresh_catalog" in client.get("/").content.decode()
    ModuleIndex.objects.create(url="https://x.example", error=stored(Problem("catalog:source", what="The list")))
    assert "could not be read so far" in client.get("/").content.decode()
    RefreshRun.objects.create(trigger="start", state="running", started=timezone.now())
    assert "is being filled" in client.get("/").content.decode()


def test_no_result_quotes_the_words_and_offers_to_clear_them(client: Client, three: None) -> None:
    html = client.get("/", {"q": "<b>zebra</b>"}).content.decode()
    assert "“&lt;b&gt;zebra&lt;/b&gt;”" in html
    assert "Clear search" in html


def test_a_broken_module_is_marked_on_its_card(client: Client) -> None:
    make_module("deep-oc-new", state=Module.State.BROKEN, metadata={}, docker_image="")
    make_module("deep-oc-old", state=Module.State.BROKEN, fetched_at=timezone.now() - timedelta(days=3))
    html = client.get("/").content.decode()
    assert "can’t be read" in html
    assert "Last good version of" in html


def test_a_modules_page_tells_all_and_leads_to_its_form(client: Client, django_assert_max_num_queries: Any) -> None:
    module = make_module(
        "deep-oc-plants",
        title="Plants",
        templates=(make_template(path="own.yml"),),
        tags=("cpu", "GPU-Test"),
        description="# Head\n\n![Leaf](https://pictures.example/leaf.png)",
        cite_url="https://doi.example/1",
        dataset_url="javascript:alert(1)",
        note="Curated <b>note</b>",
        created_on=date(2021, 5, 4),
    )
    with django_assert_max_num_queries(4):
        html = client.get(module.get_absolute_url()).content.decode()
    assert html.count("<h1") == 1
    assert 'href="/module/deep-oc-plants"' in html
    assert 'href="/module/deep-oc-plants?hardware=gpu&amp;docker_tag=GPU-Test"' in html
    assert "2.21 GB" in html
    assert "<h3>Head</h3>" in html
    assert "<img" not in html
    assert "javascript:" not in html
    assert "Curated &lt;b&gt;note&lt;/b&gt;" in html
    assert 'href="https://hub.docker.com/r/deephdc/deep-oc-plants"' in html
    assert 'href="https://doi.example/1"' in html
    assert "A typical template" in html


def test_a_broken_module_says_what_is_wrong_and_shows_its_last_good_version(client: Client) -> None:
    problem = Problem("catalog:malformed", what="metadata.json", detail="It is not JSON <x>")
    make_module(
        "deep-oc-old",
        title="Still here",
        state=Module.State.BROKEN,
        error=stored(problem),
        templates=(make_template(),),
    )
    html = client.get("/modules/deep-oc-old").content.decode()
    assert "metadata.json can’t be read as its source has it." in html
    assert "It is not JSON &lt;x&gt;" in html
    assert "Still here" in html
    assert "Configure and deploy" in html


def test_a_withdrawn_module_stays_to_be_read_but_not_deployed(client: Client) -> None:
    make_module("deep-oc-old", state=Module.State.GONE, gone_at=timezone.now(), templates=(make_template(),))
    html = client.get("/modules/deep-oc-old").content.decode()
    assert "This module was withdrawn." in html
    assert "Configure and deploy" not in html
    assert "/module/deep-oc-old" not in html


def test_a_module_without_template_or_image_offers_no_button_that_fails(client: Client) -> None:
    make_module("deep-oc-a")
    make_module("deep-oc-b", docker_image="", templates=(make_template(path="own.yml"),))
    assert "Configure and deploy" not in client.get("/modules/deep-oc-a").content.decode()
    assert "No template for it could be read." in client.get("/modules/deep-oc-a").content.decode()
    assert "It names no Docker image." in client.get("/modules/deep-oc-b").content.decode()


def test_a_part_of_a_template_says_that_it_can_not_stand_alone(client: Client) -> None:
    raw = TEMPLATE.replace("  tag: CPU/GPU", "  parents: [whole.yml]")
    module = make_module(templates=(make_template(raw, path="part.yml", display_name="Part"),))
    assert "a part of whole.yml, can’t stand alone" in client.get(module.get_absolute_url()).text
    client.force_login(make_user("ada"))
    form = client.get(f"/module/{module.slug}?toscaname=part").text
    assert "This template is a part that is meant to be merged into whole.yml" in form


@pytest.mark.parametrize("slug", ["deep-oc-plant", "unknown"])
def test_an_unknown_module_is_a_404_that_helps(client: Client, slug: str) -> None:
    make_module("deep-oc-plants")
    answer = client.get(f"/modules/{slug}")
    assert answer.status_code == 404
    assert ("Did you mean" in answer.content.decode()) == (slug == "deep-oc-plant")


def test_a_hidden_module_is_as_unknown_as_any(client: Client) -> None:
    make_module("deep-oc-secret", hidden=True)
    assert client.get("/modules/deep-oc-secret").status_code == 404
    assert client.get("/modules/deep-oc-secret/metadata.json").status_code == 404


def test_metadata_can_be_taken_home(client: Client) -> None:
    make_module("deep-oc-plants", metadata={"title": "Ünder"})
    answer = client.get("/modules/deep-oc-plants/metadata.json")
    assert answer.json() == {"title": "Ünder"}
    assert "Ünder" in answer.content.decode()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    make_module("deep-oc-empty", metadata={})
    assert client.get("/modules/deep-oc-empty/metadata.json").status_code == 404


@pytest.mark.parametrize("address", ["/", "/modules/deep-oc-plants", "/modules/deep-oc-plants/metadata.json"])
def test_nothing_here_takes_a_post(client: Client, address: str) -> None:
    make_module("deep-oc-plants")
    assert client.post(address).status_code == 405
