"""The page of the interface's parts shows what the style sheet and the sprite hold."""

import pytest
from django.test import Client

from accounts.testing import make_user
from deepdash.design import symbols, tokens

pytestmark = pytest.mark.django_db


def test_staff_see_every_token_and_symbol_others_are_told_no(client: Client) -> None:
    client.force_login(make_user("grace", staff=True))
    page = client.get("/design").text
    assert {"accent", "s-1", "shadow-2"} <= {token.name for token in tokens()}
    assert {"bell", "ok"} <= set(symbols())
    assert all(f"--{token.name}<" in page for token in tokens())
    assert all(f"#{name}" in page for name in symbols())
    assert "<strong>" in page  # the problem
    client.force_login(make_user("ada"))
    assert client.get("/design").status_code == 403
