"""The lists of addresses that are no pages are true, so what is tested for all pages is tested for all there are."""

import contextlib

import pytest
from django.test import Client
from django.urls import Resolver404, resolve
from lxml import html

from tests.addresses import ALL, FILES, MACHINES, MOVED, PAGES, PARTS, POSTED, PUBLIC, RUN, STAFF, addresses
from tests.things import adas_things

# Without any service in reach; the others are there all the same.
NOT_WITHOUT_SERVICES = {"deployments:measured", "deployments:configure_providers", "deployments:again_providers"}


@pytest.fixture
def ada(db: None) -> Client:
    user, _ = adas_things()
    client = Client()
    client.force_login(user)
    return client


def test_every_list_names_addresses_there_are() -> None:
    assert set(ALL) >= PUBLIC | POSTED | PARTS | FILES | MOVED | MACHINES | STAFF
    assert len(PAGES) > 30


def test_what_no_database_takes_is_no_part_of_an_address() -> None:
    odd = addresses(dict.fromkeys(("slug", "uuid", "node", "digest", "id", "secret"), "a\0b") | {"key": RUN})
    known = set()
    for name in (name for name, address in odd.items() if "\0" in address):
        with contextlib.suppress(Resolver404):
            resolve(odd[name])
            known.add(name)
    assert known == {"deployments:callback", "log/<str:id>"}, "their views see to it"


@pytest.mark.parametrize("name", sorted(POSTED))
def test_what_is_posted_to_answers_nothing_else(name: str, ada: Client) -> None:
    assert ada.get(ALL[name]).status_code == 405


@pytest.mark.parametrize("name", sorted(MOVED))
def test_what_moved_leads_on(name: str, ada: Client) -> None:
    assert ada.get(ALL[name]).status_code == 302


@pytest.mark.parametrize("name", sorted((PARTS | FILES | MACHINES) - NOT_WITHOUT_SERVICES))
def test_a_part_or_file_is_no_whole_page(name: str, ada: Client) -> None:
    answer = ada.get(ALL[name])
    if name == "catalog:picture":  # there is none in the sample
        assert answer.status_code == 404
        return
    assert answer.status_code in {200, 286}
    assert b"<!doctype" not in answer.content[:100].lower()


@pytest.mark.parametrize("name", sorted(PAGES - STAFF - NOT_WITHOUT_SERVICES))
def test_a_page_is_a_whole_one_with_one_heading_and_complete_without_scripts(name: str, ada: Client) -> None:
    answer = ada.get(ALL[name])
    assert answer.status_code == 200, name
    text = answer.content.decode()
    assert text.startswith("<!doctype html>")
    assert text.count("<h1") == 1
    tree = html.fromstring(text)
    # Buttons that only scripts give a meaning to are hidden without them; what loads after the page has another way.
    scripted = tree.xpath(
        "//button[@type='button'][not(@popovertarget)][not(ancestor::dialog)]"
        "[not(ancestor-or-self::*[contains(concat(' ', @class, ' '), ' js-only ')])]"
    )
    assert [html.tostring(button) for button in scripted] == []
    assert tree.xpath("//a[@href='#' or starts-with(@href, 'javascript:')]") == []
    if tree.xpath("//main//*[@aria-busy='true'][contains(@hx-trigger, 'load')]"):
        assert tree.xpath(
            "//main//noscript//*[self::a or self::button or self::p] | //main//a[contains(@href, 'fresh=1')]"
        )
