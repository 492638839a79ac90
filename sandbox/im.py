"""The Infrastructure Manager: infrastructures of the orchestrator's cloud deployments (contract 4)."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from sandbox import tokens
from sandbox.orchestrator import Orchestrator, part
from sandbox.orchestrator.deployment import Deployment, vm_properties
from sandbox.orchestrator.imlog import contextualisation
from sandbox.world import World

VERSION = "1.18.0"
_STATES = {
    "STARTED": "configured",
    "STOPPED": "stopped",
    "STOPPING": "running",
    "ERROR": "unconfigured",
    "DELETING": "deleting",
}


class ImError(Exception):
    """A refusal, with the status and the text the service writes."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class _Caller:
    subject: str | None
    """None: the credentials were understood, but are not valid."""


def routes(world: World) -> list[web.RouteDef]:
    """Return the routes of the REST interface that a dashboard or a curious user may call."""
    manager = _Manager(world, part(world))
    one = "/infrastructures/{id}"
    return [
        web.get("/version", _answered(manager.version)),
        web.get("/infrastructures", _answered(manager.index)),
        web.get(one, _answered(manager.machines)),
        web.get(f"{one}/contmsg", _answered(manager.contmsg)),
        web.get(f"{one}/state", _answered(manager.state)),
        web.get(f"{one}/outputs", _answered(manager.outputs)),
        web.get(f"{one}/tosca", _answered(manager.tosca)),
        web.get(f"{one}/vms/{{vm}}", _answered(manager.machine)),
    ]


class _Manager:
    def __init__(self, world: World, orchestrator: Orchestrator) -> None:
        self._world = world
        self._orchestrator = orchestrator

    async def version(self, request: web.Request) -> web.Response:
        return _text_or_json(request, VERSION, {"version": VERSION})

    async def index(self, request: web.Request) -> web.Response:
        caller = _caller(self._world, request)
        if caller.subject is None:
            raise ImError(401, "Error Getting Inf. List: Invalid InfrastructureManager credentials")
        urls = [
            f"{self._world.base_url}/im/infrastructures/{row.physical_id}"
            for row in self._infrastructures()
            if row.subject == caller.subject
        ]
        return _text_or_json(request, "\n".join(urls), {"uri-list": [{"uri": url} for url in urls]})

    async def machines(self, request: web.Request) -> web.Response:
        row = self._get(request)
        urls = [
            f"{self._world.base_url}/im/infrastructures/{row.physical_id}/vms/{resource.vm}"
            for resource in row.resources
            if resource.vm is not None
        ]
        return _text_or_json(request, "\n".join(urls), {"uri-list": [{"uri": url} for url in urls]})

    async def contmsg(self, request: web.Request) -> web.Response:
        row = self._get(request)
        text = contextualisation(
            row,
            self._world.now(),
            self._world.settings.provider_work / self._world.speed,
            header_only=request.query.get("headeronly", "").lower() in ("yes", "true", "1"),
        )
        return _text_or_json(request, text, {"contmsg": text})

    async def state(self, request: web.Request) -> web.Response:
        _json_only(request)
        row = self._get(request)
        machines = {
            resource.vm: _STATES.get(resource.state, "running") for resource in row.resources if resource.vm is not None
        }
        overall = next(iter(machines.values()), "pending")
        return web.json_response({"state": {"state": overall, "vm_states": machines}})

    async def outputs(self, request: web.Request) -> web.Response:
        _json_only(request)
        return web.json_response({"outputs": self._get(request).outputs})

    async def tosca(self, request: web.Request) -> web.Response:
        text = self._get(request).template
        return _text_or_json(request, text, {"tosca": text})

    async def machine(self, request: web.Request) -> web.Response:
        row = self._get(request)
        for resource in row.resources:
            if resource.vm == request.match_info["vm"]:
                properties = vm_properties(row, resource)
                return _text_or_json(request, json.dumps(properties), {"radl": properties})
        raise ImError(404, "Error Getting VM. info: Invalid VM ID")

    def _infrastructures(self) -> list[Deployment]:
        return [
            row
            for row in self._orchestrator.rows.values()
            # Container deployments have a physical id too, but none that is known here.
            if row.physical_id and row.kind == "CLOUD"
        ]

    def _get(self, request: web.Request) -> Deployment:
        caller, wanted = _caller(self._world, request), request.match_info["id"]
        if caller.subject is None:
            raise ImError(400, "Error Getting Inf. prop: Invalid InfrastructureManager credentials")
        if wanted in self._orchestrator.deleted_infrastructures:
            raise ImError(404, "Error Getting Inf. prop: Deleted infrastructure.")
        for row in self._infrastructures():
            if row.physical_id == wanted:
                if row.subject != caller.subject:
                    raise ImError(403, "Error Getting Inf. prop: Access to this infrastructure not granted.")
                return row
        raise ImError(404, "Error Getting Inf. prop: Invalid infrastructure ID or access not granted.")


def _caller(world: World, request: web.Request) -> _Caller:
    """Read the Authorization header in its own language (contract 4.1)."""
    header = _authorization(request)
    token = header[len("Bearer ") :].strip() if header.startswith("Bearer ") else _token(header)
    try:
        return _Caller(tokens.check_token(world, token).sub)
    except tokens.InvalidToken:
        return _Caller(None)


def _authorization(request: web.Request) -> str:
    """Return the Authorization header. Raises ImError 401 without one."""
    header = request.headers.get("Authorization")
    if not header:
        raise ImError(401, "No authentication data provided")
    return header


def _token(header: str) -> str:
    """Return the token of the item of type InfrastructureManager, or an empty string."""
    for line in header.split("\\n"):
        values: dict[str, str] = {}
        for pair in line.split(";"):
            if not pair.strip():
                continue
            found = re.fullmatch(r"""\s*([^=]+?)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^=]*?))\s*""", pair)
            if found is None:
                # A pair without exactly one equals sign: the rest of the line is dropped without a word.
                break
            values[found[1]] = next(part for part in found.groups()[1:] if part is not None)
        if values.get("type") == "InfrastructureManager":
            return values.get("token", "")
    return ""


def _answered(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answered(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ImError as error:
            if "application/json" in _accepted(request):
                return web.json_response({"message": error.message, "code": error.status}, status=error.status)
            return web.Response(text=error.message, status=error.status, content_type="text/plain")

    return answered


def _json_only(request: web.Request) -> None:
    """Raise ImError 415 when the client can't take JSON, the only form that some properties have, whoever asks."""
    _authorization(request)
    if not {"application/json", "application/*", "*/*"} & set(_accepted(request)):
        raise _unsupported(request)


def _text_or_json(request: web.Request, text: str, body: Mapping[str, object]) -> web.Response:
    """Answer in the first media type the client can take; text unless JSON is asked for (contract 4.2)."""
    for media in _accepted(request):
        if media == "application/json":
            return web.json_response(body)
        if media in ("*/*", "text/*", "text/plain"):
            return web.Response(text=text, content_type="text/plain")
    raise _unsupported(request)


def _accepted(request: web.Request) -> list[str]:
    """The media types of the Accept header, in its order."""
    asked = [part.split(";", 1)[0].strip() for part in request.headers.get("Accept", "").split(",")]
    return [media for media in asked if media] or ["*/*"]


def _unsupported(request: web.Request) -> ImError:
    return ImError(415, f"Unsupported Accept Media Types: {request.headers.get('Accept', '')}")
