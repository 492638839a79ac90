import pytest
from pytest_django import Settings

from accounts.checks import check_iam, check_sessions_and_keys
from accounts.testing import configure
from accounts.tests.conftest import FakeIam


def ids() -> set[str]:
    messages = [*check_iam(None), *check_sessions_and_keys(None)]
    assert all(message.hint for message in messages)
    return {str(message.id) for message in messages}


def test_a_right_configuration_passes(iam: FakeIam) -> None:
    assert ids() == set()


def test_no_iam_at_all_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, IAM_BASE_URL="")

    assert ids() == set()


@pytest.mark.parametrize(
    ("url", "found"), [("http://iam.example.org", {"accounts.E001"}), ("http://127.0.0.1:5002/iam", set())]
)
def test_plain_http_to_iam_is_refused_but_on_this_machine(
    iam: FakeIam, monkeypatch: pytest.MonkeyPatch, url: str, found: set[str]
) -> None:
    configure(monkeypatch, IAM_BASE_URL=url)

    assert ids() == found


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("OIDC_RP_CLIENT_ID", "", "accounts.E002"),
        ("OIDC_RP_CLIENT_SECRET", "", "accounts.E002"),
        ("OIDC_RP_SIGN_ALGO", "HS256", "accounts.E003"),
        ("OIDC_ALLOW_UNSECURED_JWT", True, "accounts.E003"),
        ("OIDC_USE_PKCE", False, "accounts.E004"),
        ("OIDC_USE_NONCE", False, "accounts.E004"),
        ("SESSION_COOKIE_SAMESITE", "Strict", "accounts.E005"),
        ("TOKEN_KEYS", ["not a key"], "accounts.E006"),
        ("TOKEN_KEYS", [], "accounts.E006"),
    ],
)
def test_each_mistake_is_found(iam: FakeIam, settings: Settings, name: str, value: object, found: str) -> None:
    setattr(settings, name, value)

    assert ids() == {found}


def test_a_key_is_never_printed(settings: Settings) -> None:
    settings.TOKEN_KEYS = ["planted-not-a-key"]

    assert "planted" not in str(check_sessions_and_keys(None))
