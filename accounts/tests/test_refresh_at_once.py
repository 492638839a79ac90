"""One refresh at a time: threads with connections of their own, as processes have."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from accounts import tokens
from accounts.iam import TokenAnswer
from accounts.models import Token
from accounts.testing import give_token, make_user
from accounts.tests.conftest import FakeIam
from accounts.tokens import access_token_for, token_refresh_now
from deepdash.http import ServiceError

pytestmark = pytest.mark.django_db(transaction=True)  # threads see only what is committed


def in_threads(count: int, call: Callable[[], object]) -> list[object]:
    """Run the call at the same moment in several threads; their results or exceptions, in any order."""
    results: list[object] = []
    start = threading.Barrier(count)

    def run() -> None:
        try:
            start.wait()
            results.append(call())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == count
    return results


@pytest.fixture
def slow_refresh(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """IAM takes a while for a refresh; the list holds the refresh tokens it was sent."""
    sent: list[str] = []

    def slow(refresh_token: str) -> TokenAnswer:
        sent.append(refresh_token)
        time.sleep(0.4)
        return TokenAnswer(access_token=f"new-{len(sent)}", refresh_token=f"rotated-{len(sent)}", expires_in=3600)

    monkeypatch.setattr("accounts.iam.token_by_refresh", slow)
    return sent


def test_one_refreshes_and_all_get_its_result(iam: FakeIam, slow_refresh: list[str]) -> None:
    ada = make_user()
    give_token(ada, expires_in=0, refresh="first")

    results = in_threads(6, lambda: access_token_for(ada))

    assert results == ["new-1"] * 6
    assert slow_refresh == ["first"]


def test_one_refreshes_after_a_401_seen_by_all(iam: FakeIam, slow_refresh: list[str]) -> None:
    ada = make_user()
    give_token(ada, "refused")

    results = in_threads(4, lambda: token_refresh_now(ada, rejected="refused"))

    assert results == ["new-1"] * 4
    assert len(slow_refresh) == 1


def test_when_the_one_fails_the_others_do_not_ask_again(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    asked: list[str] = []

    def fail(refresh_token: str) -> TokenAnswer:
        asked.append(refresh_token)
        time.sleep(0.4)
        raise ServiceError("service:timeout", service="IAM")

    monkeypatch.setattr("accounts.iam.token_by_refresh", fail)

    results = in_threads(4, lambda: access_token_for(ada))

    assert {getattr(result, "id", result) for result in results} == {"service:unreachable"}
    assert len(asked) == 1


def test_a_process_that_died_while_refreshing_blocks_nobody_for_long(iam: FakeIam, slow_refresh: list[str]) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    Token.objects.update(claim="of-the-dead", claimed_until=timezone.now() + timedelta(seconds=0.3))

    assert access_token_for(ada) == "new-1"


def test_a_claim_made_by_a_clock_that_ran_ahead_does_not_outlast_it(iam: FakeIam, slow_refresh: list[str]) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    Token.objects.update(claim="of-the-dead", claimed_until=timezone.now() + timedelta(hours=10))

    assert access_token_for(ada) == "new-1"


def test_a_host_whose_clock_runs_ahead_takes_no_claim_from_another(
    iam: FakeIam, slow_refresh: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT", 0.2)
    ada = make_user()
    give_token(ada, expires_in=0)
    Token.objects.update(claim="of-another", claimed_until=timezone.now() + timedelta(seconds=30))

    with time_machine.travel(timezone.now() + timedelta(seconds=50)), pytest.raises(ServiceError):
        access_token_for(ada)
    assert slow_refresh == []


def test_while_another_refreshes_what_is_still_valid_is_given_at_once(
    iam: FakeIam, slow_refresh: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT", 3600)
    ada = make_user()
    give_token(ada, "still-valid", expires_in=60)
    Token.objects.update(claim="of-another", claimed_until=timezone.now() + timedelta(seconds=30))

    assert access_token_for(ada) == "still-valid"
    assert slow_refresh == []
