"""Reading the body of a submission as leniently and as strictly as the real one (contract 1.9)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.orchestrator.errors import ApiError, bean_validation, unreadable

_PROVIDER_TIMEOUT = (
    "Provider timeout value, if provided, must be at least of 1 minute and equal or less than timeoutMins"
)


@dataclass(frozen=True)
class DeploymentRequest:
    """A body that passed; unknown properties were dropped, as there."""

    template: str
    parameters: dict[str, Any]
    callback: str | None
    timeout_mins: int | None
    max_providers_retry: int | None
    keep_last_attempt: bool
    user_group: str | None


async def read_json(request: web.Request) -> Any:
    """Return the decoded body. Raises ApiError 415 or 400."""
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        label = request.headers.get("Content-Type", "application/octet-stream")
        raise ApiError(415, f"Content type '{label}' not supported")
    text = await request.text()
    if not text.strip():
        raise ApiError(
            400,
            "Required request body is missing: public org.springframework.http.ResponseEntity "
            "it.reply.orchestrator.controller.DeploymentController",
        )
    try:
        return json.loads(text)
    except ValueError as error:
        raise unreadable(f"Unexpected input: {error}") from error


async def read_deployment(request: web.Request) -> DeploymentRequest:
    """Return the submission in a request's body. Raises ApiError 400 or 415."""
    body = await read_json(request)
    if not isinstance(body, dict):
        raise unreadable("Cannot deserialize instance of `it.reply.orchestrator.dto.request.DeploymentRequest`")
    template = _string(body, "template")
    if template is None:
        raise bean_validation("template", None, "A TOSCA template must be provided")
    parameters = body.get("parameters", {})
    if parameters is None:
        raise bean_validation("parameters", None, "may not be null")
    if not isinstance(parameters, dict):
        raise unreadable("Cannot deserialize instance of `java.util.LinkedHashMap<java.lang.String,java.lang.Object>`")
    callback = _string(body, "callback")
    if callback is not None and (urlsplit(callback).scheme not in ("http", "https") or not urlsplit(callback).hostname):
        raise bean_validation("callback", callback, "Callback value, if provided, must be a valid HTTP or HTTPS URL")
    timeout = _whole(body, "timeoutMins", "Overall timeout value, if provided, must be at least of 1 minute")
    provider_timeout = _whole(body, "providerTimeoutMins", _PROVIDER_TIMEOUT)
    if timeout is not None and provider_timeout is not None and provider_timeout > timeout:
        raise ApiError(400, "ProviderTimeout must be <= Timeout")
    return DeploymentRequest(
        template=template,
        parameters=parameters,
        callback=callback,
        timeout_mins=timeout,
        max_providers_retry=_whole(
            body, "maxProvidersRetry", "maxProvidersRetry value, if provided, must be at least of 1"
        ),
        keep_last_attempt=_boolean(body, "keepLastAttempt"),
        user_group=_string(body, "userGroup"),
    )


def _string(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if isinstance(value, (dict, list)):
        raise unreadable(f"Cannot deserialize instance of `java.lang.String` at property `{name}`")
    # Jackson turns other scalars into their text.
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _whole(body: dict[str, Any], name: str, rule: str) -> int | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise ValueError
        number = int(value)
    except (TypeError, ValueError) as error:
        raise unreadable(f"Cannot deserialize value of type `java.lang.Integer` at property `{name}`") from error
    if number < 1:
        raise bean_validation(name, number, rule)
    return number


def _boolean(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if isinstance(value, int):
        return value != 0
    raise unreadable(f"Cannot deserialize value of type `boolean` at property `{name}`")
