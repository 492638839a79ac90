"""Working for one of several groups: only ever for one's own."""

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from accounts.active_group import active_group, active_group_set
from accounts.models import User
from accounts.testing import make_user
from deepdash.errors import Problem


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada", groups=("ml-users", "ml-users/vision"))


def request_of(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_without_a_choice_it_is_the_organisation(ada: User) -> None:
    assert active_group(request_of(ada)) == ""


def test_a_choice_outlives_the_session(ada: User) -> None:
    client = Client()
    client.force_login(ada)
    answer = client.post("/group", {"group": "ml-users/vision"}, headers={"Referer": "http://testserver/deployments"})
    assert (answer.status_code, answer["Location"]) == (302, "/deployments")
    ada.refresh_from_db()
    assert active_group(request_of(ada)) == "ml-users/vision"
    client.post("/group", {"group": ""})
    ada.refresh_from_db()
    assert ada.current_group == ""


@pytest.mark.parametrize("group", ["physics", "ml-users/", "ML-USERS", "ml-users/vision/x"])
def test_nobody_works_for_a_group_they_are_not_in(ada: User, group: str) -> None:
    with pytest.raises(Problem) as caught:
        active_group_set(user=ada, group=group)
    assert caught.value.id == "group:not-yours"
    client = Client()
    client.force_login(ada)
    assert client.post("/group", {"group": group}).status_code == 403
    ada.refresh_from_db()
    assert ada.active_group == ""


def test_a_group_they_left_is_no_longer_worked_for(ada: User) -> None:
    active_group_set(user=ada, group="ml-users")
    ada.groups = ["ml-users/vision"]
    assert ada.current_group == ""


def test_it_is_switched_by_post_alone_and_leads_to_no_other_site(ada: User) -> None:
    client = Client()
    client.force_login(ada)
    assert client.get("/group?group=ml-users").status_code == 405
    answer = client.post("/group", {"group": "ml-users"}, headers={"Referer": "https://evil.example.org/x"})
    assert answer["Location"] == "/"


def test_the_menu_offers_it_to_those_who_have_a_choice(ada: User) -> None:
    client = Client()
    client.force_login(ada)
    assert b'action="/group"' in client.get("/").content
    client.force_login(make_user("nora", groups=()))
    assert b'action="/group"' not in client.get("/").content
