"""How often somebody may do something, and who that somebody is."""

import threading
from http import HTTPStatus

import pytest
from django.core.cache import cache, caches
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.testing import configure, make_user
from deepdash import limits
from deepdash.addresses import client_address
from deepdash.errors import Problem
from deepdash.limits import LEASE, count, limited, place_take


@limited("trial", limit=2, seconds=60)
def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


def test_one_call_too_many_is_refused_and_others_go_on() -> None:
    factory = RequestFactory()
    first, other = factory.post("/", REMOTE_ADDR="192.0.2.1"), factory.post("/", REMOTE_ADDR="192.0.2.2")

    assert [view(first).status_code, view(first).status_code] == [200, 200]
    with pytest.raises(Problem) as caught:
        view(first)
    assert caught.value.id == "page:busy"
    assert view(other).status_code == 200


def test_methods_that_are_not_named_do_not_count() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")

    assert [view(request).status_code for _ in range(5)] == [200] * 5


@pytest.mark.django_db
def test_a_signed_in_user_is_counted_wherever_they_call_from() -> None:
    user = make_user()
    for host in (1, 2):
        request = RequestFactory().post("/", REMOTE_ADDR=f"192.0.2.{host}")
        request.user = user
        view(request)
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.3")
    request.user = user
    with pytest.raises(Problem):
        view(request)


def test_an_address_that_a_caller_made_up_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "1.1.1.1, 198.51.100.7"})

    assert client_address(request) == "10.0.0.1"
    configure(monkeypatch, TRUSTED_PROXIES=1)
    assert client_address(request) == "198.51.100.7"
    configure(monkeypatch, TRUSTED_PROXIES=3)
    assert client_address(request) == "10.0.0.1"


def test_nonsense_from_a_proxy_is_not_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, TRUSTED_PROXIES=1)
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": "<script>"})

    assert client_address(request) == "10.0.0.1"


@pytest.mark.django_db
def test_a_refused_page_says_when_to_come_back(client: Client) -> None:
    for _ in range(60):
        count("login", "at 127.0.0.1", limit=60, seconds=60)

    answer = client.get("/login/iam")

    assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert answer.headers["Retry-After"] == "60"
    assert "Wait up to 60 seconds" in answer.content.decode()


class TestPlaces:
    def test_one_is_held_as_long_as_it_takes_and_then_free(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "LEASE", 0.06)
        renewed: list[tuple[str, float]] = []
        enough = threading.Event()

        def touch(self: object, key: str, seconds: float) -> bool:
            renewed.append((key, seconds))
            if len(renewed) >= 4:
                enough.set()
            return True

        monkeypatch.setattr(type(caches["default"]), "touch", touch)  # each thread has an instance of its own
        give_back = place_take("trial", "ada", each=1, total=5, seconds=600)
        assert enough.wait(timeout=20)
        give_back()
        assert len({key for key, _ in renewed}) == 2  # of the person, and of everybody
        assert {seconds for _, seconds in renewed} == {0.06}

    def test_a_second_one_is_refused_until_the_first_is_given_back(self) -> None:
        give_back = place_take("trial", "ada", each=1, total=5, seconds=600)
        with pytest.raises(Problem) as caught:
            place_take("trial", "ada", each=1, total=5, seconds=600)
        assert caught.value.id == "page:full"
        give_back()
        place_take("trial", "ada", each=1, total=5, seconds=600)()

    def test_what_a_killed_process_held_is_free_when_its_lease_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        held: dict[str, float] = {}

        def add(key: str, value: int, seconds: float) -> bool:
            return held.setdefault(key, seconds) == seconds

        monkeypatch.setattr(cache, "add", add)
        monkeypatch.setattr(threading.Thread, "start", lambda thread: None)  # nothing of the process is left to renew
        place_take("trial", "ada", each=1, total=5, seconds=655)
        assert list(held.values()) == [LEASE, LEASE]
