"""The control API: what tests and demonstrations do to the sandbox. Exempt from faults, not counted."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox import pages, tokens
from sandbox.faults import Fault
from sandbox.git import TemplatesRepository
from sandbox.oauth import CLIENT_ID, LOOPBACK
from sandbox.webhook import EVENTS, SIGNATURES, Delivery

if TYPE_CHECKING:
    from sandbox.people import Person
    from sandbox.world import World

# GitHub gives a receiver ten seconds.
_WEBHOOK_TIMEOUT = aiohttp.ClientTimeout(total=10)
_MAX_SEED = 100_000

_Endpoint = Callable[["Control", web.Request], Awaitable[web.Response]]


class ControlError(Exception):
    """The call cannot be carried out; the message says why."""

    def __init__(self, message: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


def _answers_errors(endpoint: _Endpoint) -> _Endpoint:
    @functools.wraps(endpoint)
    async def answer(self: Control, request: web.Request) -> web.Response:
        try:
            return await endpoint(self, request)
        except ControlError as error:
            return web.json_response({"error": str(error)}, status=error.status)
        except ValueError as error:
            # How faults, paths, settings and deployments refuse what does not fit; the messages are for people.
            return web.json_response({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)

    return answer


class Control:
    """Handlers; ``services`` are the (name, prefix) pairs behind the common port."""

    def __init__(self, world: World, services: tuple[tuple[str, str], ...]) -> None:
        self.world = world
        self.services = services

    # -- looking --------------------------------------------------------------------------------------------

    async def home(self, _request: web.Request) -> web.Response:
        world = self.world
        text = pages.home(
            world.base_url,
            world.dashboard,
            self.services,
            world.calls.totals(),
            world.faults.describe(),
            self._figures(),
        )
        return web.Response(text=text, content_type="text/html")

    @_answers_errors
    async def summary(self, _request: web.Request) -> web.Response:
        world = self.world
        return web.json_response(
            {
                "base_url": world.base_url,
                "dashboard": world.dashboard,
                "speed": world.speed,
                "settings": asdict(world.settings),
                "addresses": {name: world.base_url + prefix for name, prefix in self.services},
                "people": [asdict(person) for person in world.people.values()],
                "state": self._figures(),
                "faults": world.faults.describe(),
                "calls": world.calls.totals(),
            }
        )

    def _figures(self) -> dict[str, dict[str, Any]]:
        return {name: part.summary() for name, part in self.world.parts.items()}

    # -- calls, faults, settings ----------------------------------------------------------------------------

    @_answers_errors
    async def calls(self, _request: web.Request) -> web.Response:
        calls = self.world.calls
        return web.json_response({"calls": calls.rows(), "under_way": calls.rows_under_way(), "totals": calls.totals()})

    @_answers_errors
    async def clear_calls(self, _request: web.Request) -> web.Response:
        self.world.calls.clear()
        return _done()

    @_answers_errors
    async def faults(self, _request: web.Request) -> web.Response:
        return web.json_response(self.world.faults.describe())

    @_answers_errors
    async def put_faults(self, request: web.Request) -> web.Response:
        """Set one fault (an object) or several (an array, the first that hits counts)."""
        data = await _json(request)
        faults = [Fault.parse(item) for item in (data if isinstance(data, list) else [data])]
        self.world.faults.put(request.match_info["service"], faults)
        return _done()

    @_answers_errors
    async def clear_faults(self, request: web.Request) -> web.Response:
        self.world.faults.clear(request.match_info.get("service"))
        return _done()

    @_answers_errors
    async def put_settings(self, request: web.Request) -> web.Response:
        changes = await _object(request)
        speed = changes.pop("speed", self.world.speed)
        if isinstance(speed, bool) or not isinstance(speed, int | float) or speed <= 0:
            raise ControlError("speed is a number above 0.")
        self.world.settings.change(changes)
        self.world.speed = float(speed)
        return web.json_response({**asdict(self.world.settings), "speed": self.world.speed})

    @_answers_errors
    async def reset(self, _request: web.Request) -> web.Response:
        await self.world.reset()
        return _done()

    # -- people ---------------------------------------------------------------------------------------------

    @_answers_errors
    async def issue_tokens(self, request: web.Request) -> web.Response:
        data = await _object(request)
        person = self._person(data.get("person"))
        scopes = data.get("scopes", list(tokens.DASHBOARD_SCOPES))
        if not isinstance(scopes, list) or not set(map(str, scopes)) <= tokens.CLIENT_SCOPES:
            raise ControlError(f"scopes is a list out of {', '.join(sorted(tokens.CLIENT_SCOPES))}.")
        lifetime = data.get("lifetime")
        if lifetime is not None and not isinstance(lifetime, int | float):
            raise ControlError("lifetime is a number of seconds.")
        return web.json_response(tokens.issue(self.world, person, CLIENT_ID, scopes, lifetime=lifetime))

    @_answers_errors
    async def revoke(self, request: web.Request) -> web.Response:
        person = self._person(request.match_info["person"])
        revoked = self.world.tokens.revoke_person(person.key)
        self.world.persist()
        return web.json_response({"revoked": revoked})

    def _person(self, key: object) -> Person:
        person = self.world.people.get(key) if isinstance(key, str) else None
        if person is None:
            raise ControlError(f"person is one of {', '.join(self.world.people)}.", HTTPStatus.NOT_FOUND)
        return person

    # -- deployments ----------------------------------------------------------------------------------------

    @_answers_errors
    async def seed_deployments(self, request: web.Request) -> web.Response:
        data = await _object(request)
        person = self._person(data.get("person"))
        count = data.get("count", 1)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= _MAX_SEED:
            raise ControlError(f"count is a number from 1 to {_MAX_SEED}.")
        statuses = data.get("statuses")
        if statuses is not None and not (isinstance(statuses, list) and statuses):
            raise ControlError("statuses is a list of states, not empty.")
        uuids = self.world.orchestrator.seed(person, count, statuses)
        self.world.persist()
        return web.json_response({"uuids": uuids}, status=HTTPStatus.CREATED)

    @_answers_errors
    async def force_deployment(self, request: web.Request) -> web.Response:
        data = await _object(request)
        status = data.get("status")
        if not isinstance(status, str):
            raise ControlError("status is a state of a deployment.")
        outputs = data.get("outputs", {})
        if not isinstance(outputs, dict):
            raise ControlError("outputs is an object.")
        uuid, reason = request.match_info["uuid"], data.get("status_reason")
        deployment = self.world.orchestrator.force(uuid, status, reason, outputs)
        if deployment is None:
            raise ControlError("There is no such deployment.", HTTPStatus.NOT_FOUND)
        self.world.persist()
        return web.json_response(deployment)

    # -- catalogue ------------------------------------------------------------------------------------------

    @_answers_errors
    async def push(self, request: web.Request) -> web.Response:
        data = await _object(request)
        path, content = data.get("path"), data.get("content")
        if not isinstance(path, str) or not isinstance(content, str | None) or "content" not in data:
            raise ControlError("path is a string, content a string or null.")
        before = await self._repository().commit("Before the change")
        self.world.catalogue.change_template(path, content)
        verb = "Delete" if content is None else "Change"
        commit = await self._repository().commit(data.get("message") or f"{verb} {path}")
        self.world.persist()
        return web.json_response({"before": before, "commit": commit})

    @_answers_errors
    async def put_module(self, request: web.Request) -> web.Response:
        change = await _object(request)
        metadata, tags = change.get("metadata"), change.get("tags")
        if set(change) - {"metadata", "tags"}:
            raise ControlError("A module has metadata and tags.")
        if not isinstance(metadata, str | None) or not isinstance(tags, list | None):
            raise ControlError("metadata is raw text or null, tags a list or null.")
        if not all(isinstance(tag, str) or (isinstance(tag, dict) and "name" in tag) for tag in tags or ()):
            raise ControlError("A tag is its name, or an object with a name.")
        owner, repository = request.match_info["org"], request.match_info["repo"]
        self.world.catalogue.change_module(owner, repository, change)
        self.world.persist()
        return _done()

    @_answers_errors
    async def put_modules_yml(self, request: web.Request) -> web.Response:
        content = (await _object(request)).get("content")
        if not isinstance(content, str):
            raise ControlError("content is a string.")
        self.world.catalogue.change_modules_yml(content)
        self.world.persist()
        return _done()

    def _repository(self) -> TemplatesRepository:
        repository = self.world.parts["git"]
        assert isinstance(repository, TemplatesRepository)
        return repository

    # -- webhooks -------------------------------------------------------------------------------------------

    @_answers_errors
    async def webhook(self, request: web.Request) -> web.Response:
        """Deliver a webhook and return what the receiver answered."""
        data = await _object(request)
        unknown = set(data) - {field.name for field in fields(Delivery)}
        if unknown or not isinstance(data.get("url"), str):
            raise ControlError(f"Unknown keys: {', '.join(sorted(unknown))}." if unknown else "url is missing.")
        if not self._may_be_called(data["url"]):
            raise ControlError("Webhooks go to the dashboard or to this computer only.")
        if "after" not in data:
            data["after"] = await self._repository().commit("Before the delivery")
        delivery = Delivery(**data)
        if delivery.event not in EVENTS or delivery.signature not in SIGNATURES:
            raise ControlError(f"event: {', '.join(EVENTS)}; signature: {', '.join(SIGNATURES)}.")
        body, headers = delivery.request(self.world.now())
        began = monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=_WEBHOOK_TIMEOUT) as session,
                session.post(delivery.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                text = await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise ControlError(f"No answer ({message}).", HTTPStatus.BAD_GATEWAY) from error
        return web.json_response(
            {
                "status": answer.status,
                "body": text,
                "headers": dict(answer.headers),
                "seconds": round(monotonic() - began, 3),
                "delivery": delivery.delivery,
            }
        )

    def _may_be_called(self, url: str) -> bool:
        parts, dashboard = urlsplit(url), urlsplit(self.world.dashboard)
        return parts.hostname in LOOPBACK or parts.netloc == dashboard.netloc


@web.middleware
async def _same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a web page of another site sends: a browser then names its origin."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return web.json_response({"error": "Not from another site."}, status=HTTPStatus.FORBIDDEN)
    return await handler(request)


def application(control: Control) -> web.Application:
    """Return the control API, to be mounted below ``/control``."""
    app = web.Application(middlewares=[_same_origin], client_max_size=64 * 1024 * 1024)
    app.add_routes(
        [
            web.get("", control.summary),
            web.get("/", control.summary),
            web.get("/calls", control.calls),
            web.delete("/calls", control.clear_calls),
            web.get("/faults", control.faults),
            web.put("/faults/{service}", control.put_faults),
            web.delete("/faults", control.clear_faults),
            web.delete("/faults/{service}", control.clear_faults),
            web.put("/settings", control.put_settings),
            web.post("/reset", control.reset),
            web.post("/tokens", control.issue_tokens),
            web.post("/people/{person}/revoke", control.revoke),
            web.post("/deployments", control.seed_deployments),
            web.put("/deployments/{uuid}", control.force_deployment),
            web.post("/catalogue/push", control.push),
            web.put("/catalogue/module/{org}/{repo}", control.put_module),
            web.put("/catalogue/modules", control.put_modules_yml),
            web.post("/webhook", control.webhook),
        ]
    )
    return app


def _done() -> web.Response:
    return web.json_response({"done": True})


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise ControlError(f"The body is no JSON: {error}.") from error


async def _object(request: web.Request) -> dict[str, Any]:
    data = await _json(request)
    if not isinstance(data, dict):
        raise ControlError("The body is a JSON object.")
    return data
