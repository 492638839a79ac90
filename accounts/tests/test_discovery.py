import time

import pytest
import requests
import time_machine

from accounts import discovery
from accounts.discovery import jwks, jwks_again, provider
from accounts.testing import configure
from accounts.tests.conftest import FakeIam
from deepdash.addresses import is_protected
from deepdash.http import ServiceError


def test_the_document_is_read_once_for_many_logins(iam: FakeIam) -> None:
    found = [provider() for _ in range(5)]

    assert iam.count("openid-configuration") == 1
    assert found[0].issuer == "https://iam.example.org"
    assert found[0].end_session_endpoint is None
    assert found[0] == found[4]


def test_after_an_hour_it_is_read_again(iam: FakeIam) -> None:
    with time_machine.travel(time.time()) as clock:
        provider()
        clock.shift(3601)
        iam.document["end_session_endpoint"] = "https://iam.example.org/end"
        assert provider().end_session_endpoint == "https://iam.example.org/end"


def test_while_iam_is_down_yesterdays_document_serves_without_asking_each_time(iam: FakeIam) -> None:
    with time_machine.travel(time.time()) as clock:
        provider()
        clock.shift(20 * 3600)
        iam.replies["openid-configuration"] = requests.ConnectionError()
        for _ in range(3):
            assert provider().token_endpoint == "https://iam.example.org/token"
        assert iam.count("openid-configuration") == 2
        clock.shift(discovery.STALE)
        with pytest.raises(ServiceError):
            provider()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example/"},
        {"issuer": None},
        {"token_endpoint": "http://iam.example.org/token"},
        {"jwks_uri": "ftp://iam.example.org/jwk"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "https:///userinfo"},
        {"revocation_endpoint": "http://evil.example/"},
    ],
    ids=str,
)
def test_a_document_that_is_wrong_or_unsafe_is_refused(iam: FakeIam, change: dict[str, str | None]) -> None:
    iam.document |= change

    with pytest.raises(ServiceError) as caught:
        provider()

    assert caught.value.id == "service:garbled"


def test_without_iam_there_is_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, IAM_BASE_URL="")

    with pytest.raises(ServiceError, match="service:unset"):
        provider()


def test_keys_are_read_every_five_minutes_and_forced_once_a_minute(iam: FakeIam) -> None:
    with time_machine.travel(time.time()) as clock:
        for _ in range(3):
            jwks()
        assert iam.count("jwk") == 1
        for _ in range(3):
            jwks_again()
        assert iam.count("jwk") == 2
        clock.shift(61)
        jwks_again()
        assert iam.count("jwk") == 3
        clock.shift(301)
        jwks()
        assert iam.count("jwk") == 4


@pytest.mark.parametrize(
    ("url", "protected"),
    [
        ("https://iam.example.org", True),
        ("http://iam.example.org", False),
        ("http://127.0.0.1:5002/iam", True),
        ("http://[::1]:5002/iam", True),
        ("http://localhost:5002", True),
        ("http://localhost.evil.example", False),
        ("http://10.0.0.1", False),
        ("https://", False),
        ("", False),
    ],
)
def test_plain_http_is_for_this_machine_only(url: str, protected: bool) -> None:
    assert is_protected(url) is protected
