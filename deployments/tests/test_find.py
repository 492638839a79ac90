"""Finding pages, modules and deployments by a few letters."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.testing import make_user
from catalog.testing import make_module
from deployments.find import EACH, Group, find_all
from deployments.testing import make_deployment

pytestmark = pytest.mark.django_db


def titles(groups: list[Group]) -> dict[str, list[str]]:
    return {group.title: [found.title for found in group.finds] for group in groups}


def test_every_word_must_fit_whatever_its_order() -> None:
    ada = make_user("ada")
    make_deployment(ada, title="Alpine heights")
    make_deployment(ada, title="Alpine birds")
    make_module("deep-oc-alpine", title="Alpine flora", summary="Names what grows at heights")
    assert titles(find_all(ada, "heights  ALPINE")) == {
        "Your deployments": ["Alpine heights"],
        "Modules": ["Alpine flora"],
    }


def test_others_deployments_and_staff_pages_are_not_found() -> None:
    ada, ben, grace = make_user("ada"), make_user("ben"), make_user("grace", staff=True)
    make_deployment(ben, title="Secret plans")
    assert titles(find_all(ada, "secret")) == {}
    assert titles(find_all(ada, "admin")) == {}
    assert titles(find_all(grace, "admin")) == {"Pages": ["Administration"]}


def test_pages_are_found_by_what_they_are_about_from_the_start_of_a_word() -> None:
    ada = make_user("ada")
    assert titles(find_all(ada, "webd")) == {"Pages": ["Storage accounts"]}
    assert "Training" not in titles(find_all(ada, "stor"))["Pages"]  # "history"


def test_more_than_shown_leads_to_the_lists_own_search() -> None:
    ada = make_user("ada")
    for number in range(EACH + 1):
        make_deployment(ada, title=f"Flora & fauna {number}")
    [group] = find_all(ada, "flora & fauna")
    assert len(group.finds) == EACH
    assert group.more == "/deployments?q=flora+%26+fauna"
    assert find_all(ada, "")[0].more == "/deployments"


def test_it_costs_four_statements_at_most(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    ada = make_user("ada")
    make_deployment(ada, title="Alpine plants")
    make_module("deep-oc-alpine", title="Alpine flora")
    find_all(ada, "alpine")
    with django_assert_max_num_queries(4):
        find_all(ada, "alpine")


@pytest.mark.parametrize("text", ["", "\0", "<script>", "%_'\"", "x" * 5000, "a " * 3000])
def test_any_text_gets_an_answer(client: Client, text: str) -> None:
    client.force_login(make_user("ada"))
    whole = client.get("/find", {"q": text})
    part = client.get("/find", {"q": text}, headers={"HX-Request": "true"})
    assert whole.status_code == part.status_code == 200
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert "<script>" not in part.text
