"""The error bodies of the orchestrator (contract 1.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class ApiError(Exception):
    """An answer other than success. Without a ``message`` the body has none."""

    def __init__(self, status: int, message: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer JSON with the content type the orchestrator writes."""
    return web.Response(
        status=status,
        body=json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json;charset=UTF-8", **(headers or {})},
    )


def error_answer(error: ApiError) -> web.Response:
    body: dict[str, Any] = {"code": error.status, "title": HTTPStatus(error.status).phrase}
    if error.message is not None:
        body["message"] = error.message
    return answer(body, error.status, error.headers)


def unauthorized() -> ApiError:
    """No token was sent."""
    message = "Full authentication is required to access this resource"
    return ApiError(401, message, _challenge("unauthorized", message))


def invalid_token(token: str) -> ApiError:
    """The token is no good; the real service echoes it in body and header, which clients must redact."""
    message = f"Invalid token: {token}"
    return ApiError(401, message, _challenge("invalid_token", message))


def insufficient_scope(scope: str) -> ApiError:
    message = "Insufficient scope for this resource"
    challenge = _challenge("insufficient_scope", message)
    challenge["WWW-Authenticate"] += f', scope="{scope}"'
    return ApiError(403, f'{message}, scope="{scope}"', challenge)


def _challenge(error: str, description: str) -> dict[str, str]:
    # A header cannot hold what a token is not allowed to hold either; a broken one must not break the answer.
    printable = "".join(character for character in description if " " <= character <= "~")
    challenge = f'Bearer realm="oauth", error="{error}", error_description="{printable}"'
    return {**NO_STORE, "WWW-Authenticate": challenge}


def not_found(uuid: str) -> ApiError:
    return ApiError(404, f"The deployment <{uuid}> doesn't exist")


def not_owner() -> ApiError:
    return ApiError(403, "Only the owner of the deployment can perform this operation")


def bean_validation(field: str, rejected: object, message: str) -> ApiError:
    """A field broke a rule: Spring's long text with the rule's own words at its end (contract 1.3)."""
    shown = json.dumps(rejected) if isinstance(rejected, (dict, list)) else "null" if rejected is None else rejected
    return ApiError(
        400,
        "Validation failed for argument at index 0 in method: public "
        "org.springframework.http.ResponseEntity it.reply.orchestrator.controller.DeploymentController."
        "createDeployment(it.reply.orchestrator.dto.request.DeploymentRequest), "
        f"with 1 error(s): [Field error in object 'deploymentRequest' on field '{field}': rejected value "
        f"[{shown}]; codes [NotNull.deploymentRequest.{field},NotNull.{field},NotNull]; "
        f"default message [{message}]] ",
    )


def unreadable(detail: str) -> ApiError:
    return ApiError(
        400,
        f"JSON parse error: {detail}; nested exception is "
        f"com.fasterxml.jackson.databind.JsonMappingException: {detail}",
    )
