import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import jwt
import pytest
import requests
from django.utils import timezone

from accounts import tokens
from accounts.iam import GrantRefused, TokenAnswer
from accounts.models import Token, User
from accounts.testing import ISSUER, configure, give_token, make_user
from accounts.tests.conftest import CLIENT_ID, FakeIam
from accounts.tokens import (
    CLAIM,
    REFRESHES,
    LoginExpired,
    access_token_for,
    id_token_of,
    token_refresh_now,
    tokens_forget,
    tokens_store,
)
from accounts.users import GroupsMissing
from deepdash.http import ServiceError
from deepdash.metrics import Counted

pytestmark = pytest.mark.django_db

DOWN: list[tuple[str, tuple[int, str] | Exception]] = [
    ("503", (503, "down")),
    ("429", (429, "slow down")),
    ("web page", (200, "<html>")),
    ("no access token", (200, '{"token_type": "Bearer"}')),
    ("refused connection", requests.ConnectionError()),
    ("timeout", requests.ReadTimeout()),
    ("wrong client secret", (401, '{"error": "invalid_client"}')),
]
down = pytest.mark.parametrize("reply", [pytest.param(reply, id=name) for name, reply in DOWN])


def forged_id_token(**claims: Any) -> str:
    whole = {"iss": ISSUER, "sub": "sub-ada", "aud": CLIENT_ID, **claims}
    return jwt.encode(whole, "k" * 32, algorithm="HS256")


def test_a_token_that_lasts_is_given_without_asking_iam(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "still-good", expires_in=200)

    assert access_token_for(ada) == "still-good"
    assert iam.calls == []


def test_a_token_near_its_end_is_refreshed_and_the_old_refresh_token_kept(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "old", expires_in=100, refresh="first-refresh-token")
    iam.answer = {"access_token": "new"}

    assert access_token_for(ada) == "new"

    assert iam.calls[-1] == ("token", {"grant_type": "refresh_token", "refresh_token": "first-refresh-token"})
    token = Token.objects.get(user=ada)
    assert (token.access_token, token.refresh_token) == ("new", "first-refresh-token")
    assert token.left() > timedelta(seconds=3500)
    assert token.claimed_until is None
    assert access_token_for(ada) == "new"
    assert iam.count("token") == 1


def test_a_rotated_refresh_token_replaces_the_old_one(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0, refresh="first-refresh-token")
    iam.answer = {"refresh_token": "second-refresh-token"}

    access_token_for(ada)

    assert Token.objects.get(user=ada).refresh_token == "second-refresh-token"


def test_a_refreshed_id_token_of_the_same_user_is_kept(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    iam.answer = {"id_token": forged_id_token(iss=f"{ISSUER}/")}

    access_token_for(ada)

    assert Token.objects.get(user=ada).id_token == iam.answer["id_token"]


@pytest.mark.parametrize("claims", [{"sub": "sub-eve"}, {"iss": "https://evil.example"}, {"aud": "another"}])
def test_tokens_of_somebody_else_are_refused(iam: FakeIam, claims: dict[str, str]) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    iam.answer = {"access_token": "of-somebody-else", "id_token": forged_id_token(**claims)}

    with pytest.raises(LoginExpired):
        access_token_for(ada)

    assert Token.objects.get(user=ada).access_token == ""


def test_a_refused_refresh_token_means_sign_in_again_and_is_not_tried_twice(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=100)
    iam.replies["token"] = (400, '{"error": "invalid_grant", "error_description": "expired"}')

    for _ in range(2):
        with pytest.raises(LoginExpired):
            access_token_for(ada)

    token = Token.objects.get(user=ada)
    assert (token.access_token, token.refresh_token, token.expires_at) == ("", "", None)
    assert iam.count("token") == 1


@down
def test_while_iam_is_down_the_present_token_serves(iam: FakeIam, reply: tuple[int, str] | Exception) -> None:
    ada = make_user()
    give_token(ada, "still-valid", expires_in=60, refresh="kept")
    iam.replies["token"] = reply

    assert access_token_for(ada) == "still-valid"

    assert Token.objects.get(user=ada).refresh_token == "kept"
    assert access_token_for(ada) == "still-valid"
    assert iam.count("token") == 1, "a second page within seconds must not wait for IAM again"


@down
def test_while_iam_is_down_and_the_token_has_run_out_iam_is_named(
    iam: FakeIam, reply: tuple[int, str] | Exception
) -> None:
    ada = make_user()
    give_token(ada, expires_in=4, refresh="kept")
    iam.replies["token"] = reply

    with pytest.raises(ServiceError) as caught:
        access_token_for(ada)

    assert (caught.value.id, caught.value.service) == ("service:unreachable", "IAM")
    assert Token.objects.get(user=ada).refresh_token == "kept"


def test_after_a_pause_iam_is_asked_again(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=60)
    Token.objects.update(failed_at=timezone.now() - timedelta(seconds=11))
    iam.answer = {"access_token": "new"}

    assert access_token_for(ada) == "new"
    assert Token.objects.get(user=ada).failed_at is None


def test_without_a_refresh_token_the_access_token_serves_to_its_end(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "only-one", expires_in=30, refresh="")
    assert access_token_for(ada) == "only-one"

    give_token(ada, "only-one", expires_in=3, refresh="")
    with pytest.raises(LoginExpired):
        access_token_for(ada)
    assert iam.calls == []


def test_who_never_got_tokens_must_sign_in(iam: FakeIam) -> None:
    with pytest.raises(LoginExpired) as caught:
        access_token_for(make_user())

    assert caught.value.id == "login:expired"


def test_a_token_that_lives_a_minute_is_used_for_half_of_it(iam: FakeIam) -> None:
    ada = make_user()
    tokens_store(user=ada, answer=TokenAnswer(access_token="short", expires_in=60, refresh_token="r"))

    assert access_token_for(ada) == "short"

    now = timezone.now()
    Token.objects.update(refreshed_at=now - timedelta(seconds=40), expires_at=now + timedelta(seconds=20))
    iam.answer = {"access_token": "next"}
    assert access_token_for(ada) == "next"


def test_after_a_401_a_new_token_comes_although_the_old_one_had_not_run_out(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "refused-by-the-service")
    iam.answer = {"access_token": "new"}

    assert token_refresh_now(ada, rejected="refused-by-the-service") == "new"
    assert token_refresh_now(ada, rejected="refused-by-the-service") == "new", "the new one is taken over"
    assert iam.count("token") == 1


def test_after_a_401_the_refused_token_is_not_given_again_while_iam_is_down(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada)
    iam.replies["token"] = (503, "")

    with pytest.raises(ServiceError, match="service:unreachable"):
        token_refresh_now(ada)


def test_groups_are_read_again_with_a_refresh_when_they_are_old(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    access_token_for(ada)
    assert iam.count("userinfo") == 0

    User.objects.update(seen_at=timezone.now() - timedelta(minutes=16))
    give_token(ada, expires_in=0)
    access_token_for(User.objects.get())

    assert iam.count("userinfo") == 1
    assert User.objects.get().groups == ["ml-users", "ml-users/vision"]


def test_who_has_left_a_group_loses_the_tokens_at_the_refresh(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users"])
    make_user()
    User.objects.update(seen_at=None)
    ada = User.objects.get()
    give_token(ada, expires_in=0)
    iam.userinfo.pop("groups")

    with pytest.raises(GroupsMissing) as caught:
        access_token_for(ada)

    assert caught.value.groups == ["ml-users"]
    assert not Token.objects.exists()
    assert iam.count("revoke") == 1


@pytest.mark.parametrize(
    "bend",
    [
        lambda iam: iam.replies.update(userinfo=(503, "")),
        lambda iam: iam.replies.update(userinfo=(401, "")),
        lambda iam: iam.userinfo.update(sub="sub-eve", groups=[]),
    ],
    ids=["down", "refused", "of another"],
)
def test_userinfo_that_fails_or_is_anothers_changes_nothing(iam: FakeIam, bend: Callable[[FakeIam], None]) -> None:
    make_user()
    User.objects.update(seen_at=None)
    ada = User.objects.get()
    give_token(ada, expires_in=0)
    iam.answer = {"access_token": "new"}
    bend(iam)

    assert access_token_for(ada) == "new"
    assert User.objects.get().groups == ["ml-users"]


def test_forgetting_withdraws_the_refresh_token(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, refresh="to-be-withdrawn")

    assert tokens_forget(ada)

    assert iam.calls[-1] == ("revoke", {"token": "to-be-withdrawn", "token_type_hint": "refresh_token"})
    assert not Token.objects.exists()


def test_forgetting_works_while_iam_is_down_and_says_that_it_was_not_told(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada)
    iam.replies["revoke"] = requests.ConnectionError()

    assert tokens_forget(ada) is False
    assert not Token.objects.exists()


def test_a_login_during_a_refresh_wins(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)

    def meanwhile(refresh_token: str) -> TokenAnswer:
        tokens_store(user=ada, answer=TokenAnswer(access_token="of-the-login", refresh_token="new-login"))
        return TokenAnswer(access_token="of-the-refresh", refresh_token="of-the-refresh")

    monkeypatch.setattr("accounts.iam.token_by_refresh", meanwhile)

    assert access_token_for(ada) == "of-the-login"
    assert Token.objects.get().refresh_token == "new-login"


def test_while_iam_is_asked_the_row_is_claimed_for_a_while_and_nobody_elses(
    iam: FakeIam, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = make_user("ada"), make_user("bob")
    for user in (ada, bob):
        give_token(user, expires_in=0)
    seen: list[Token] = []

    def look(refresh_token: str) -> TokenAnswer:
        seen.extend(Token.objects.filter(user__in=[ada, bob]).order_by("user__subject"))
        return TokenAnswer(access_token="new")

    monkeypatch.setattr("accounts.iam.token_by_refresh", look)
    before = timezone.now()

    assert access_token_for(ada) == "new"

    hers, his = seen
    assert len(hers.claim) == 32
    assert hers.claimed_until
    assert CLAIM - timedelta(seconds=5) < hers.claimed_until - before < CLAIM + timedelta(minutes=2)
    assert (his.claim, his.claimed_until, Token.objects.get(user=bob).version) == ("", None, his.version)


def test_tokens_that_were_replaced_since_they_were_read_are_not_claimed(iam: FakeIam) -> None:
    ada = make_user()
    read = give_token(ada, expires_in=0)
    tokens_store(user=ada, answer=TokenAnswer(access_token="of-the-login"))

    assert tokens._claim(read) == ""
    assert tokens._claim(Token.objects.get()) != ""


def test_who_read_the_row_before_another_failed_does_not_ask_again(iam: FakeIam) -> None:
    ada = make_user()
    read = give_token(ada, expires_in=0)
    iam.replies["token"] = (503, "down")
    with pytest.raises(ServiceError):
        access_token_for(ada)

    assert tokens._claim(read) == ""
    assert tokens._claim(Token.objects.get()) != "", "after the pause somebody may"


def test_whoever_failed_gives_the_claim_back_and_says_why(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    iam.replies["token"] = (503, "down")

    for reason in ("503", "it did not answer a moment ago"):
        with pytest.raises(ServiceError) as caught:
            access_token_for(ada)
        assert caught.value.detail == reason if reason != "503" else "503" in caught.value.detail

    token = Token.objects.get()
    assert (token.claim, token.claimed_until) == ("", None)
    assert token.failed_at


def test_a_refresh_keeps_the_id_token_when_iam_sends_none_and_takes_the_scopes(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    Token.objects.update(id_token="of-the-login")
    iam.answer = {"scope": "openid email"}

    access_token_for(ada)

    assert id_token_of(ada) == "of-the-login"
    assert Token.objects.get().scopes == "openid email"


def test_an_audience_may_be_a_list(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    iam.answer = {"access_token": "new", "id_token": forged_id_token(aud=["another", CLIENT_ID])}

    assert access_token_for(ada) == "new"


def test_what_is_refused_is_emptied_of_all_it_held_and_of_nothing_else(iam: FakeIam) -> None:
    ada, bob = make_user("ada"), make_user("bob")
    for user in (ada, bob):
        give_token(user, f"of-{user.subject}", expires_in=0)
    Token.objects.update(id_token="hint")
    before = Token.objects.get(user=ada).version
    iam.replies["token"] = (400, '{"error": "invalid_grant"}')

    with pytest.raises(LoginExpired):
        access_token_for(ada)

    token = Token.objects.get(user=ada)
    assert (token.id_token, token.claim, token.version) == ("", "", before + 1)
    assert Token.objects.get(user=bob).access_token == "of-sub-bob"


def test_a_login_during_a_refused_refresh_wins(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)

    def meanwhile(refresh_token: str) -> TokenAnswer:
        tokens_store(user=ada, answer=TokenAnswer(access_token="of-the-login", refresh_token="new-login"))
        raise GrantRefused

    monkeypatch.setattr("accounts.iam.token_by_refresh", meanwhile)

    assert access_token_for(ada) == "of-the-login"


def test_a_login_replaces_all_that_was_there_before(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "old")
    Token.objects.update(id_token="old", failed_at=timezone.now())

    tokens_store(user=ada, answer=TokenAnswer(access_token="new", scope="openid"))

    token = Token.objects.get()
    assert (token.access_token, token.refresh_token, token.id_token, token.scopes) == ("new", "", "", "openid")
    assert token.failed_at is None


def test_each_outcome_of_a_refresh_is_counted(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []

    def add(what: Counted, **labels: str) -> None:
        if what is REFRESHES:
            counted.append(labels["outcome"])

    monkeypatch.setattr(Counted, "add", add)
    ada = make_user()
    for reply in (None, (503, "down"), (400, '{"error": "invalid_grant"}')):
        give_token(ada, "still-valid", expires_in=60)
        iam.replies = {"token": reply} if reply else {}
        Token.objects.update(failed_at=None)
        with suppress(LoginExpired):
            access_token_for(ada)

    assert counted == ["refreshed", "failed", "refused"]


def test_each_user_has_tokens_of_their_own(iam: FakeIam) -> None:
    ada, bob = make_user("ada"), make_user("bob")
    for user in (ada, bob):
        whole = {name: f"{name} of {user.subject}" for name in ("access_token", "refresh_token", "id_token")}
        tokens_store(user=user, answer=TokenAnswer(**whole))

    kept = set(Token.objects.values_list("user", "access_token", "refresh_token", "id_token"))
    assert kept == {
        (user.pk, *(f"{name} of {user.subject}" for name in ("access_token", "refresh_token", "id_token")))
        for user in (ada, bob)
    }
    assert [access_token_for(user) for user in (ada, bob)] == ["access_token of sub-ada", "access_token of sub-bob"]
    assert [id_token_of(user) for user in (ada, bob)] == ["id_token of sub-ada", "id_token of sub-bob"]

    assert tokens_forget(bob)
    assert iam.calls[-1][1]["token"] == "refresh_token of sub-bob"
    assert Token.objects.get().user == ada


def test_a_token_in_its_last_seconds_is_not_given(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Token, "left", lambda token, now=None: tokens.LAST_USE)
    monkeypatch.setattr(tokens, "WAIT", 0)
    ada = make_user()
    give_token(ada, refresh="")
    with pytest.raises(LoginExpired):
        access_token_for(ada)

    give_token(ada)
    Token.objects.update(claim="of-another", claimed_until=timezone.now() + timedelta(seconds=30))
    with pytest.raises(ServiceError) as caught:
        access_token_for(ada)
    assert caught.value.detail == "a refresh that another process began has not ended"

    Token.objects.update(claimed_until=None)
    iam.replies["token"] = (503, "down")
    with pytest.raises(ServiceError):
        access_token_for(ada)

    Token.objects.update(failed_at=None)
    iam.replies.clear()
    iam.answer = {"access_token": "new"}
    assert token_refresh_now(ada, rejected="refused-by-the-service") == "new"


def test_a_refused_token_that_can_not_be_refreshed_means_sign_in_again(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "refused-by-the-service", refresh="")

    with pytest.raises(LoginExpired):
        token_refresh_now(ada, rejected="refused-by-the-service")


def test_who_waits_for_anothers_refresh_looks_now_and_then(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    Token.objects.update(claim="of-another", claimed_until=timezone.now() + timedelta(seconds=30))
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            give_token(ada, "of-the-other")

    monkeypatch.setattr(time, "sleep", pause)

    assert access_token_for(ada) == "of-the-other"
    assert pauses == [tokens.LOOK] * 2


def test_a_claim_that_another_took_over_meanwhile_stays(iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)

    def very_slow(refresh_token: str) -> TokenAnswer:
        Token.objects.update(claim="of-another")
        return TokenAnswer(access_token="new")

    monkeypatch.setattr("accounts.iam.token_by_refresh", very_slow)

    assert access_token_for(ada) == "new"
    assert Token.objects.get().claim == "of-another"


def test_who_has_no_tokens_has_nothing_to_forget(iam: FakeIam) -> None:
    ada = make_user()
    assert tokens_forget(ada)
    assert id_token_of(ada) == ""

    give_token(ada, refresh="")
    assert tokens_forget(ada)
    assert not Token.objects.exists()
    assert iam.calls == []


def test_another_token_than_the_refused_one_is_given_only_while_it_lasts(iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, "replaced-since", expires_in=4)
    iam.answer = {"access_token": "new"}

    assert token_refresh_now(ada, rejected="refused-by-the-service") == "new"


def test_a_problem_keeps_its_detail_for_the_log() -> None:
    assert LoginExpired(detail="no row").detail == "no row"
    assert LoginExpired().detail == ""
