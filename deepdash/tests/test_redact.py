"""Credentials never reach a log, and ordinary sentences stay readable."""

import io
import logging

import pytest

from deepdash.logs import RedactingFilter, RequestIdFilter, request_id
from deepdash.redact import redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLW9mLWl0"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {JWT}", JWT),
        (f"Invalid token: {JWT}", JWT),
        ("Invalid token: opaque-token-1234", "opaque-token-1234"),
        ('{"access_token": "abcdef123456", "token_type": "Bearer"}', "abcdef123456"),
        ("refresh_token=abcdef123456&grant_type=refresh_token", "abcdef123456"),
        ("client_secret='abcdef123456'", "abcdef123456"),
        ("id = im; type = InfrastructureManager; token = abcdef123456;", "abcdef123456"),
        ("password: hunter2222", "hunter2222"),
        ("rclone_password=hunter2222", "hunter2222"),
        ('{"JUPYTER_PASSWORD": "hunter2222"}', "hunter2222"),
        ("Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
        ("fatal: could not read from https://ada:hunter2222@git.example.org/templates", "hunter2222"),
        ("Not Found: /callback/5f0c35a2-7a3d-4c57-9c53-0f9c3f1fd9a5/Ab-c_1234567", "Ab-c_1234567"),
        (f"unsigned {JWT.rsplit('.', 1)[0]}.", JWT.rsplit(".", 1)[0]),
    ],
)
def test_a_credential_is_hidden(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert "[hidden]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "User's token does not contain a group claim or it is empty",
        "No SLA with id 5f0dab12cd34ef56ab78cd90 available",
        "The deployment <11ed8ab3-6a40-968a-82b7-62f0862dbe46> doesn't exist",
        "Full authentication is required to access this resource",
        "Basic authentication is required; look at https://git.example.org:8443/a@b",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_a_log_line_carries_its_request_and_no_credential_even_in_a_traceback() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("[%(request_id)s] %(message)s"))
    handler.addFilter(RequestIdFilter())
    handler.addFilter(RedactingFilter())
    logger = logging.Logger("test")  # noqa: LOG001 - one of its own, outside the tree
    logger.addHandler(handler)
    marker = request_id.set("abc123")
    try:
        raise ValueError(f"Bearer {JWT}")
    except ValueError:
        logger.exception("failed with %s", JWT)
    finally:
        request_id.reset(marker)
    assert stream.getvalue().startswith("[abc123] failed with [hidden]")
    assert "ValueError" in stream.getvalue()
    assert JWT not in stream.getvalue()
