"""Whole logins over real sockets, against the sandbox's IAM in a process of its own."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Token, User
from accounts.testing import configure
from accounts.tokens import LoginExpired, access_token_for, token_refresh_now
from accounts.users import GroupsMissing
from deepdash.config import BASE_DIR

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("accounts.tests.urls")]

TIMEOUT = 120  # seconds


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox that runs beside the tests of this module."""
    state: Path = tmp_path_factory.mktemp("sandbox")
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state)],
        cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        patience = time.monotonic() + TIMEOUT
        while not (state / "url").exists():
            assert process.poll() is None, "the sandbox ended"
            assert time.monotonic() < patience, "the sandbox did not start"
            time.sleep(0.05)
        yield (state / "url").read_text().strip().rstrip("/")
    finally:
        process.terminate()
        process.wait(TIMEOUT)


@pytest.fixture
def control(sandbox: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, live_server: LiveServer) -> "Control":
    """The dashboard configured for the sandbox, which is as freshly started."""
    configure(
        monkeypatch, IAM_BASE_URL=f"{sandbox}/iam", PUBLIC_URL="", IAM_GROUP_MEMBERSHIP=["ml-users"],
        IAM_ADMIN_GROUPS=["deepdash-curators"],
    )  # fmt: skip
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = "deepdash-sandbox", "deepdash-sandbox-secret"
    cache.clear()
    control = Control(sandbox, live_server.url)
    control.call("POST", "/reset")
    return control


class Control:
    """The sandbox's control, and browsers that sign in there."""

    def __init__(self, sandbox: str, dashboard: str) -> None:
        self.sandbox, self.dashboard = sandbox, dashboard

    def call(self, method: str, path: str, **body: Any) -> None:
        url = f"{self.sandbox}/control{path}"
        requests.request(method, url, json=body or None, timeout=TIMEOUT).raise_for_status()

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


def test_a_researcher_signs_in_and_ends_on_the_page_they_wanted(control: Control) -> None:
    page = control.sign_in(requests.Session(), "ada", "/trial/page?x=1")

    ada = User.objects.get()
    assert page.url == f"{control.dashboard}/trial/page?x=1"
    assert page.text == "page of Ada Lovelace"
    assert ada.groups == ["ml-users", "ml-users/vision"]
    assert (ada.organisation, ada.is_staff) == ("indigo-dc", False)
    assert ada.issuer == f"{control.sandbox}/iam"
    assert len(access_token_for(ada)) > 100


def test_the_curator_becomes_one(control: Control) -> None:
    control.sign_in(requests.Session(), "grace")

    assert User.objects.get().is_staff


@pytest.mark.parametrize("person", ["nora", "mallory"])
def test_who_is_in_no_or_another_group_reads_which_one_is_missing(control: Control, person: str) -> None:
    page = control.sign_in(requests.Session(), person)

    assert page.status_code == 403
    assert page.url == f"{control.dashboard}/login/denied"
    assert "<strong>ml-users</strong>" in page.text
    assert not User.objects.exists()


@pytest.mark.parametrize("rotate", [False, True])
def test_tokens_are_refreshed_again_and_again(control: Control, rotate: bool) -> None:
    control.call("PUT", "/settings", rotate_refresh_tokens=rotate)
    control.sign_in(requests.Session(), "ada")
    tokens, refreshes = set(), set()

    for _ in range(3):
        tokens.add(access_token_for(run_out()))
        refreshes.add(Token.objects.get().refresh_token)
    tokens.add(token_refresh_now(User.objects.get()))

    assert len(tokens) == 4
    assert len(refreshes) == (3 if rotate else 1)


def test_when_iam_has_revoked_the_user_must_sign_in_again_and_can(control: Control) -> None:
    browser = requests.Session()
    control.sign_in(browser, "ada")
    control.call("POST", "/people/ada/revoke")
    run_out()

    page = browser.get(f"{control.dashboard}/trial/token", timeout=TIMEOUT)

    assert page.url == f"{control.dashboard}/login?next=%2Ftrial%2Ftoken&problem=login%3Aexpired"
    assert "Your session has ended" in page.text
    # The browser is still signed in at IAM, which therefore asks nothing.
    back = browser.get(f"{control.dashboard}/login/iam", params={"next": "/trial/token"}, timeout=TIMEOUT)
    assert back.text == "has a token"


@pytest.mark.parametrize("fault", [{"status": 503}, {"body": "html"}, {"close": True}], ids=str)
def test_a_fault_of_iam_in_the_middle_of_a_login_ends_on_a_page_that_names_it(
    control: Control, fault: dict[str, Any]
) -> None:
    control.call("PUT", "/faults/iam", match="/token", **fault)

    page = control.sign_in(requests.Session(), "ada")

    assert page.status_code == 200
    assert "IAM can’t be reached" in page.text
    control.call("DELETE", "/faults/iam")


def test_refusing_at_iam_is_told(control: Control) -> None:
    browser = requests.Session()
    picker = browser.get(f"{control.dashboard}/login/iam", timeout=TIMEOUT)
    sent = {name: values[0] for name, values in parse_qs(urlsplit(picker.url).query).items()}

    page = browser.post(f"{control.sandbox}/iam/authorize", data={**sent, "deny": "1"}, timeout=TIMEOUT)

    assert "IAM did not let you in" in page.text


def test_after_signing_out_the_refresh_token_is_worthless(control: Control) -> None:
    browser = requests.Session()
    control.sign_in(browser, "ada")
    refresh = Token.objects.get().refresh_token
    form = browser.get(f"{control.dashboard}/login", timeout=TIMEOUT).text
    match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert match, "the page's menu holds the form"

    page = browser.post(
        f"{control.dashboard}/logout", data={"csrfmiddlewaretoken": match[1]}, timeout=TIMEOUT,
        headers={"Origin": control.dashboard},
    )  # fmt: skip

    assert "You are signed out of deepdash" in page.text
    answer = requests.post(
        f"{control.sandbox}/iam/token", data={"grant_type": "refresh_token", "refresh_token": refresh},
        auth=("deepdash-sandbox", "deepdash-sandbox-secret"), timeout=TIMEOUT,
    )  # fmt: skip
    assert answer.json()["error"] == "invalid_grant"
    with pytest.raises(LoginExpired):
        access_token_for(User.objects.get())


def test_who_loses_a_group_at_iam_loses_access_at_the_next_reading(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.sign_in(requests.Session(), "ada")
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users", "new-condition"])
    User.objects.update(seen_at=None)

    with pytest.raises(GroupsMissing):
        access_token_for(run_out())
    assert not Token.objects.exists()
