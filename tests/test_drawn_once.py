"""What is drawn once for many readers: it is the same for all of them, and nothing of anybody is in it."""

import pickle
import re

import pytest
from django.core.cache import cache, caches
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.testing import make_user
from catalog.testing import make_module, make_template
from deployments.models import Notice
from deployments.testing import make_deployment

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'(?<="csrfmiddlewaretoken" value=")\w+|(?<="X-CSRFToken": ")\w+')
PAGES = ["/", "/?q=plants&sort=title", "/preferences", "/notices"]


def kept() -> str:
    """All that is kept of pages."""
    return "\n".join(str(pickle.loads(it)) for it in caches["fragments"]._cache.values())  # type: ignore[attr-defined]  # noqa: S301


@pytest.fixture
def readers() -> dict[str, Client]:
    """People who differ in all that the frame of a page shows, and somebody who is not signed in."""
    make_template()
    for number in range(3):
        make_module(f"deep-oc-plants-{number}")
    people = [
        make_user("ada", groups=["vo/imaging", "vo/flora"], organisation="Uni"),
        make_user("grace", staff=True),
        make_user("olu", groups=["vo/flora", "vo/fauna"]),
    ]
    User.objects.filter(pk=people[2].pk).update(language="es")
    clients = {"": Client()}
    for number, user in enumerate(people):
        for cause in "ab"[:number]:
            deployment = make_deployment(user)
            Notice.objects.create(user=user, deployment=deployment, kind="ready", headline=user.name, cause=cause)
        clients[user.name] = Client()
        clients[user.name].force_login(user)
    clients["Ada Example"].cookies["theme"] = "dark"
    return clients


def drawn(client: Client, page: str) -> str:
    return TOKEN.sub("…", client.get(page).text)


def test_each_reader_sees_the_same_after_others_as_alone(readers: dict[str, Client]) -> None:
    alone = {}
    for page in PAGES:
        for name, client in readers.items():
            cache.clear()
            caches["fragments"].clear()
            alone[name, page] = drawn(client, page)
    caches["fragments"].clear()
    for _ in range(2):
        for (name, page), text in alone.items():
            cache.clear()  # of what is kept for one reader alone
            assert drawn(readers[name], page) == text, (name, page)


def test_nothing_that_is_kept_names_anybody_or_holds_a_token(readers: dict[str, Client]) -> None:
    tokens: set[str] = set()
    for page in PAGES:
        for client in readers.values():
            answer = client.get(page)
            found = set(TOKEN.findall(answer.text))
            assert found or answer.status_code == 302
            assert not found & tokens, "a token that another answer had before"
            tokens |= found
    texts = kept()
    assert "deep-oc-plants-0" in texts
    assert "csrf" not in texts.lower()
    for private in [*filter(None, readers), "vo/", "Uni", *tokens]:
        assert private not in texts


def test_a_new_notice_is_in_the_bell_at_once(readers: dict[str, Client]) -> None:
    grace = User.objects.get(name="Grace Example")
    client = readers["Grace Example"]
    before = grace.notices.count()
    for number in (1, 2):
        cause = f"new {number}"
        Notice.objects.create(user=grace, deployment=make_deployment(grace), kind="ready", headline="x", cause=cause)
        assert f"Notices: {before + number} unread" in client.get("/").text
        assert f"Notices: {before + number} unread" not in readers["Ada Example"].get("/").text


def test_a_page_that_was_drawn_before_costs_four_statements(
    readers: dict[str, Client], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The session, the user, the state of the catalogue and the bell, however many modules there are."""
    client = readers["Ada Example"]
    client.get("/")
    with django_assert_num_queries(4):
        client.get("/")
