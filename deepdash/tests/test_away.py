"""What a visitor sees while the database is away."""

import pytest
from django.db import OperationalError
from django.test import Client


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that answers nothing."""

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("django.db.backends.base.base.BaseDatabaseWrapper.cursor", away)


@pytest.mark.parametrize("path", ["/", "/deployments", "/modules/some-module"])
@pytest.mark.usefixtures("lost")
def test_a_page_says_that_it_comes_back(client: Client, path: str) -> None:
    client.raise_request_exception = False
    client.cookies["deepdash_session"] = "of-somebody"
    answer = client.get(path)
    text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "10", "no-store")
    assert "The dashboard is unavailable for a moment." in text
    assert "Sign in" not in text, "nobody knows whether the reader is"
