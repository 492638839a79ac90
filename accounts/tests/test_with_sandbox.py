"""Whole logins over real sockets, against the sandbox's IAM."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Token, User
from accounts.testing import configure
from accounts.tokens import LoginExpired, access_token_for, token_refresh_now
from accounts.users import GroupsMissing
from sandbox.oauth import CLIENT_ID, CLIENT_SECRET
from sandbox.testing import Control, SandboxThread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("accounts.tests.urls")]

TIMEOUT = 120  # seconds


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as running:
        yield running


@pytest.fixture
def site(
    sandbox: SandboxThread, settings: Settings, monkeypatch: pytest.MonkeyPatch, live_server: LiveServer
) -> "Site":
    """The dashboard configured for the sandbox, which is as freshly started."""
    configure(
        monkeypatch, IAM_BASE_URL=f"{sandbox.url}/iam", PUBLIC_URL="", IAM_GROUP_MEMBERSHIP=["ml-users"],
        IAM_ADMIN_GROUPS=["deepdash-curators"],
    )  # fmt: skip
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    sandbox.control.reset()
    return Site(live_server.url, sandbox.url, sandbox.control)


@dataclass
class Site:
    """The dashboard, and the sandbox at which its browsers sign in."""

    dashboard: str
    sandbox: str
    control: Control

    def sign_in(self, browser: requests.Session, person: str, next_path: str = "/trial/page") -> requests.Response:
        """Walk through the login as that person; the page that it ends on."""
        picker = browser.get(f"{self.dashboard}/login/iam", params={"next": next_path}, timeout=TIMEOUT)
        assert picker.url.startswith(f"{self.sandbox}/iam/authorize?"), picker.url
        sent = {name: values[0] for name, values in parse_qs(urlsplit(picker.url).query).items()}
        return browser.post(f"{self.sandbox}/iam/authorize", data={**sent, "person": person}, timeout=TIMEOUT)


def run_out() -> User:
    now = timezone.now()
    Token.objects.update(refreshed_at=now - timedelta(hours=1), expires_at=now + timedelta(seconds=30))
    return User.objects.get()


def test_a_researcher_signs_in_and_ends_on_the_page_they_wanted(site: Site) -> None:
    page = site.sign_in(requests.Session(), "ada", "/trial/page?x=1")

    ada = User.objects.get()
    assert page.url == f"{site.dashboard}/trial/page?x=1"
    assert page.text == "page of Ada Lovelace"
    assert ada.groups == ["ml-users", "ml-users/vision"]
    assert (ada.organisation, ada.is_staff) == ("indigo-dc", False)
    assert ada.issuer == f"{site.sandbox}/iam"
    assert len(access_token_for(ada)) > 100


def test_the_curator_becomes_one(site: Site) -> None:
    site.sign_in(requests.Session(), "grace")

    assert User.objects.get().is_staff


@pytest.mark.parametrize("person", ["nora", "mallory"])
def test_who_is_in_no_or_another_group_reads_which_one_is_missing(site: Site, person: str) -> None:
    page = site.sign_in(requests.Session(), person)

    assert page.status_code == 403
    assert page.url == f"{site.dashboard}/login/denied"
    assert "<strong>ml-users</strong>" in page.text
    assert not User.objects.exists()


@pytest.mark.parametrize("rotate", [False, True])
def test_tokens_are_refreshed_again_and_again(site: Site, rotate: bool) -> None:
    site.control.settings(rotate_refresh_tokens=rotate)
    site.sign_in(requests.Session(), "ada")
    tokens, refreshes = set(), set()

    for _ in range(3):
        tokens.add(access_token_for(run_out()))
        refreshes.add(Token.objects.get().refresh_token)
    tokens.add(token_refresh_now(User.objects.get()))

    assert len(tokens) == 4
    assert len(refreshes) == (3 if rotate else 1)


def test_when_iam_has_revoked_the_user_must_sign_in_again_and_can(site: Site) -> None:
    browser = requests.Session()
    site.sign_in(browser, "ada")
    site.control.revoke("ada")
    run_out()

    page = browser.get(f"{site.dashboard}/trial/token", timeout=TIMEOUT)

    assert page.url == f"{site.dashboard}/login?next=%2Ftrial%2Ftoken&problem=login%3Aexpired"
    assert "Your session has ended" in page.text
    # The browser is still signed in at IAM, which therefore asks nothing.
    back = browser.get(f"{site.dashboard}/login/iam", params={"next": "/trial/token"}, timeout=TIMEOUT)
    assert back.text == "has a token"


@pytest.mark.parametrize("fault", [{"status": 503}, {"body": "html"}, {"close": True}], ids=str)
def test_a_fault_of_iam_in_the_middle_of_a_login_ends_on_a_page_that_names_it(
    site: Site, fault: dict[str, Any]
) -> None:
    site.control.fault("iam", match="/token", **fault)

    page = site.sign_in(requests.Session(), "ada")

    assert page.status_code == 200
    assert "IAM can’t be reached" in page.text


def test_refusing_at_iam_is_told(site: Site) -> None:
    browser = requests.Session()
    picker = browser.get(f"{site.dashboard}/login/iam", timeout=TIMEOUT)
    sent = {name: values[0] for name, values in parse_qs(urlsplit(picker.url).query).items()}

    page = browser.post(f"{site.sandbox}/iam/authorize", data={**sent, "deny": "1"}, timeout=TIMEOUT)

    assert "IAM did not let you in" in page.text


def test_after_signing_out_the_refresh_token_is_worthless(site: Site) -> None:
    browser = requests.Session()
    site.sign_in(browser, "ada")
    refresh = Token.objects.get().refresh_token
    form = browser.get(f"{site.dashboard}/login", timeout=TIMEOUT).text
    match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert match, "the page's menu holds the form"

    page = browser.post(
        f"{site.dashboard}/logout", data={"csrfmiddlewaretoken": match[1]}, timeout=TIMEOUT,
        headers={"Origin": site.dashboard},
    )  # fmt: skip

    assert "You are signed out of deepdash" in page.text
    answer = requests.post(
        f"{site.sandbox}/iam/token", data={"grant_type": "refresh_token", "refresh_token": refresh},
        auth=(CLIENT_ID, CLIENT_SECRET), timeout=TIMEOUT,
    )  # fmt: skip
    assert answer.json()["error"] == "invalid_grant"
    with pytest.raises(LoginExpired):
        access_token_for(User.objects.get())


def test_who_loses_a_group_at_iam_loses_access_at_the_next_reading(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.sign_in(requests.Session(), "ada")
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users", "new-condition"])
    User.objects.update(seen_at=None)

    with pytest.raises(GroupsMissing):
        access_token_for(run_out())
    assert not Token.objects.exists()
