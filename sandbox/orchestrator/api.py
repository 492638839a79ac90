"""The orchestrator's HTTP interface (contract 1.2 to 1.15)."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox import tokens
from sandbox.orchestrator.deployment import STATUSES, Deployment, deployment_json, vm_properties
from sandbox.orchestrator.errors import (
    ApiError,
    answer,
    error_answer,
    insufficient_scope,
    invalid_token,
    unauthorized,
)
from sandbox.orchestrator.imlog import contextualisation
from sandbox.orchestrator.paging import PageRequest, envelope
from sandbox.orchestrator.request import read_deployment, read_json
from sandbox.orchestrator.resources import ResourceApi
from sandbox.orchestrator.state import Orchestrator, part
from sandbox.orchestrator.templates import CLOUD
from sandbox.orchestrator.version import version
from sandbox.tokens import Claims
from sandbox.world import World

Handler = Callable[[web.Request, Claims], Awaitable[web.Response]]

_MUTATIONS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_JSON = ("application/json", "application/*", "*/*")
_TEXT = ("text/plain", "text/*", "application/json", "application/*", "*/*")


def routes(world: World) -> list[web.RouteDef]:
    """Return the routes; every path also works with a slash at its end."""
    orchestrator = part(world)
    api = Api(world, orchestrator)
    resources = ResourceApi(world, orchestrator)
    one = "/deployments/{uuid}"
    found = [
        _Path("/configuration", {"GET": api.configuration}, since=(2, 3)),
        _Path("/deployments", {"GET": api.index, "POST": api.create}),
        _Path(
            one,
            {"GET": api.show, "PUT": api.update, "PATCH": api.reset, "DELETE": api.delete},
            newer={"PATCH": (2, 7)},
        ),
        _Path(f"{one}/template", {"GET": api.template}, accepts=_TEXT),
        _Path(f"{one}/log", {"GET": api.log}, since=(2, 4), accepts=_TEXT),
        _Path(f"{one}/extrainfo", {"GET": api.extrainfo}, since=(2, 4), accepts=_TEXT),
        _Path(f"{one}/resources", {"GET": resources.index}),
        _Path(f"{one}/resources/filter", {"GET": resources.filter}, since=(2, 8)),
        _Path(f"{one}/resources/{{resource}}", {"GET": resources.show}),
        _Path(f"{one}/resources/{{resource}}/actions", {"POST": resources.act}, since=(2, 8)),
    ]
    return [
        web.get("/info", api.info),
        web.get("/info/", api.info),
        *(route for path in found for route in path.routes(world)),
        web.route("*", "/{path:.*}", _guarded(world, api.nowhere)),
    ]


class _Path:
    """One path with its methods, from which version on it exists, and which media types it can answer."""

    def __init__(
        self,
        path: str,
        methods: dict[str, Handler],
        *,
        since: tuple[int, ...] = (),
        newer: dict[str, tuple[int, ...]] | None = None,
        accepts: tuple[str, ...] = _JSON,
    ) -> None:
        self.path = path
        self.methods = methods
        self.since = since
        self.newer = newer or {}
        self.accepts = accepts

    def routes(self, world: World) -> list[web.RouteDef]:
        async def dispatch(request: web.Request, claims: Claims) -> web.Response:
            now = version(world)
            if now < self.since:
                raise _no_handler(request)
            allowed = [method for method in self.methods if now >= self.newer.get(method, ())]
            method = "GET" if request.method == "HEAD" else request.method
            if method not in allowed:
                message = f"Request method '{request.method}' not supported"
                raise ApiError(405, message, {"Allow": ", ".join(allowed)})
            if not _acceptable(request.headers.get("Accept", "*/*"), self.accepts):
                raise ApiError(406, "Could not find acceptable representation")
            return await self.methods[method](request, claims)

        guarded = _guarded(world, dispatch)
        return [web.route("*", self.path, guarded), web.route("*", f"{self.path}/", guarded)]


class Api:
    """Deployments and the service itself; the resources of a deployment are in their own module."""

    def __init__(self, world: World, orchestrator: Orchestrator) -> None:
        self._world = world
        self._orchestrator = orchestrator

    # -- the service -----------------------------------------------------------------------------------------

    async def info(self, request: web.Request) -> web.Response:
        return answer(
            {
                "git": {"commit": {"time": 1682591522000, "id": "a1b2c3d"}, "branch": "master"},
                "build": {
                    "version": self._world.settings.orchestrator_version,
                    "artifact": "orchestrator",
                    "name": "orchestrator",
                    "group": "it.reply",
                    "time": 1682592011000,
                },
            }
        )

    async def configuration(self, request: web.Request, claims: Claims) -> web.Response:
        base = self._world.base_url
        return answer(
            {
                "cpr_url": f"{base}/cpr",
                "slam_url": f"{base}/slam/rest/slam",
                "cmdb_url": f"{base}/cmdb",
                "im_url": f"{base}/im",
                "monitoring_url": f"{base}/monitoring-wrapper",
            }
        )

    async def nowhere(self, request: web.Request, claims: Claims) -> web.Response:
        raise _no_handler(request)

    # -- deployments -----------------------------------------------------------------------------------------

    async def index(self, request: web.Request, claims: Claims) -> web.Response:
        names = ["createdBy"] if version(self._world) < (2, 6) else ["createdBy", "userGroup"]
        filters = {name: request.query[name] for name in names if request.query.get(name)}
        subject = self._subject(filters.get("createdBy"), claims)
        group = filters.get("userGroup")
        if group is not None:
            self._orchestrator.check_group(group, claims)
        page = PageRequest.read(request.query)
        rows = [
            row
            for row in self._orchestrator.rows.values()
            if (subject is None or row.subject == subject)
            and (group is None or row.user_group == group)
            and self._orchestrator.sees(row, claims)
        ]
        missing = ",".join(name for name in names if name not in filters)
        template = f"{{{'&' if filters else '?'}{missing}}}" if missing else ""
        url = self._orchestrator.url
        issuer, now = tokens.issuer(self._world), version(self._world)
        return answer(
            envelope(
                page.sorted(rows, "Deployment"),
                page,
                lambda row: deployment_json(row, issuer, url, now),
                url,
                filters,
                template,
            )
        )

    async def create(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._orchestrator.create(await read_deployment(request), claims)
        return answer(self._show(row), 201)

    async def show(self, request: web.Request, claims: Claims) -> web.Response:
        return answer(self._show(self._orchestrator.get(request.match_info["uuid"], claims)))

    async def update(self, request: web.Request, claims: Claims) -> web.Response:
        wanted = await read_deployment(request)
        self._orchestrator.update(self._orchestrator.get(request.match_info["uuid"], claims, own=True), wanted)
        return web.Response(status=202)

    async def reset(self, request: web.Request, claims: Claims) -> web.Response:
        body = await read_json(request)
        status = body.get("status") if isinstance(body, dict) else None
        row = self._orchestrator.get(request.match_info["uuid"], claims, own=True)
        if status not in STATUSES:
            raise ApiError(
                500,
                None if status is None else f"No enum constant it.reply.orchestrator.enums.Status.{status}",
            )
        if status != "DELETE_FAILED":
            raise ApiError(400, f"Cannot reset deployment: illegal status {status}.")
        self._orchestrator.reset_status(row)
        return web.Response(status=204)

    async def delete(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._orchestrator.get(request.match_info["uuid"], claims, own=True)
        self._orchestrator.delete(row, force=request.query.get("force", "").lower() == "true")
        return web.Response(status=204)

    async def template(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._orchestrator.get(request.match_info["uuid"], claims)
        return _plain(request, row.template)

    async def log(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._chosen(request, claims)
        text = ""
        if row.kind == CLOUD:
            seconds = self._world.settings.provider_work / self._world.speed
            text = contextualisation(row, self._world.now(), seconds)
        return _plain(request, text)

    async def extrainfo(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._chosen(request, claims)
        machines = [resource for resource in row.resources if resource.vm is not None]
        return _plain(request, json.dumps([{"vmProperties": vm_properties(row, machine)} for machine in machines]))

    # -- helpers ---------------------------------------------------------------------------------------------

    def _show(self, row: Deployment) -> dict[str, Any]:
        return deployment_json(row, tokens.issuer(self._world), self._orchestrator.url, version(self._world))

    def _chosen(self, request: web.Request, claims: Claims) -> Deployment:
        """Return the caller's own deployment; without a provider the real service stumbles over a null."""
        row = self._orchestrator.get(request.match_info["uuid"], claims, own=True)
        if row.service_id is None:
            raise ApiError(500)
        return row

    def _subject(self, created_by: str | None, claims: Claims) -> str | None:
        """Return whose deployments are listed, None for everybody's. Raises ApiError (contract 1.6)."""
        if created_by is None:
            everybody = self._orchestrator.is_admin(claims) or version(self._world) < (2, 3)
            return None if everybody else claims.sub
        if created_by == "me":
            return claims.sub
        found = re.fullmatch(r"([^@]+)@([^@]+)", created_by)
        if found is None:
            raise ApiError(400, f"Value {created_by} for param createdBy is illegal")
        if found[1] != claims.sub and not self._orchestrator.is_admin(claims):
            raise ApiError(403, f"Only admin can retrieve deployments for {created_by}")
        return found[1]


def _guarded(world: World, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Check token and scopes before anything else, and turn refusals into the orchestrator's error body."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            if request.method == "GET" and request.match_info.get("path") == "" and not _has_token(request):
                return web.Response(text="INDIGO-Orchestrator")
            return await handler(request, _authenticate(world, request))
        except ApiError as error:
            return error_answer(error)

    return guarded


def _has_token(request: web.Request) -> bool:
    return request.headers.get("Authorization", "")[:6].lower() == "bearer" or "access_token" in request.query


def _authenticate(world: World, request: web.Request) -> Claims:
    header = request.headers.get("Authorization")
    try:
        token = tokens.bearer(header)
    except tokens.MissingToken:
        token = request.query.get("access_token", "")
        if not token:
            raise unauthorized() from None
    try:
        claims = tokens.check_token(world, token)
    except tokens.InvalidToken as error:
        raise invalid_token(error.token) from error
    if not {"openid", "profile"} <= claims.scopes:
        raise insufficient_scope("openid profile")
    path = request.match_info.route.resource.canonical if request.match_info.route.resource else ""
    if request.method in _MUTATIONS and "/deployments" in path:
        if path.rstrip("/").endswith("/actions"):
            if "offline_access" not in claims.scopes:
                raise insufficient_scope("offline_access")
        elif not {"offline_access", "fts:submit-transfer"} & claims.scopes:
            raise insufficient_scope("offline_access fts:submit-transfer")
    return claims


def _acceptable(accept: str, offered: tuple[str, ...]) -> bool:
    asked = {part.split(";", 1)[0].strip().lower() for part in accept.split(",")}
    return not accept.strip() or bool(asked & set(offered))


def _plain(request: web.Request, text: str) -> web.Response:
    """Answer text; who asks for JSON gets the same text under that label (contract 1.13)."""
    accept = request.headers.get("Accept", "*/*")
    label = "application/json" if "application/json" in accept and "text/plain" not in accept else "text/plain"
    return web.Response(body=text.encode(), headers={"Content-Type": f"{label};charset=UTF-8"})


def _no_handler(request: web.Request) -> ApiError:
    path = request.path.removeprefix("/orchestrator") or "/"
    return ApiError(404, f"No handler found for {request.method} {path}")
