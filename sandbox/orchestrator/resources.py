"""The resources of a deployment over HTTP (contract 1.15)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.orchestrator.deployment import Deployment, Resource, resource_json
from sandbox.orchestrator.errors import ApiError, answer
from sandbox.orchestrator.paging import PageRequest, envelope
from sandbox.orchestrator.request import read_json
from sandbox.orchestrator.state import Orchestrator
from sandbox.orchestrator.templates import COMPUTE
from sandbox.orchestrator.version import version
from sandbox.tokens import Claims
from sandbox.world import World

_PARENTS = {COMPUTE: "tosca.nodes.Compute", "tosca.nodes.Compute": "tosca.nodes.Root"}


class ResourceApi:
    """Lists, single resources, and starting and stopping machines."""

    def __init__(self, world: World, orchestrator: Orchestrator) -> None:
        self._world = world
        self._orchestrator = orchestrator

    async def index(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._row(request, claims)
        kind = request.query.get("type") if version(self._world) >= (2, 8) else None
        page = PageRequest.read(request.query)
        rows = [resource for resource in row.resources if not kind or _is_a(resource.node_type, kind)]
        if kind:
            # With the filter everything comes in one page, whatever size was asked for.
            page = PageRequest(0, max(len(rows), 1), page.sort)
        base = f"{self._orchestrator.url}/{row.uuid}/resources"
        filters = {"type": kind} if kind else {}
        return answer(
            envelope(
                page.sorted(rows, "Resource"),
                page,
                lambda resource: self._show(row, resource),
                base,
                filters,
                self_has_page=True,
            )
        )

    async def filter(self, request: web.Request, claims: Claims) -> web.Response:
        row = self._row(request, claims)
        kind = request.query.get("type")
        if not kind:
            raise ApiError(400, "Required String parameter 'type' is not present")
        return answer([self._show(row, found) for found in row.resources if _is_a(found.node_type, kind)])

    async def show(self, request: web.Request, claims: Claims) -> web.Response:
        row, wanted = self._row(request, claims), request.match_info["resource"]
        resource = _find(row, wanted)
        if resource is None:
            raise ApiError(404, f"The resource <{wanted}> in deployment <{row.uuid}> doesn't exist")
        return answer(self._show(row, resource))

    async def act(self, request: web.Request, claims: Claims) -> web.Response:
        body = await read_json(request)
        row, wanted = self._row(request, claims, own=True), request.match_info["resource"]
        resource = _find(row, wanted)
        if resource is None:
            raise ApiError(400, f"Resource <{wanted}> not found in deployment <{row.uuid}>")
        self._orchestrator.act(row, resource, body.get("type") if isinstance(body, dict) else None)
        return web.Response(status=202)

    def _row(self, request: web.Request, claims: Claims, own: bool = False) -> Deployment:
        return self._orchestrator.get(request.match_info["uuid"], claims, own=own)

    def _show(self, row: Deployment, resource: Resource) -> dict[str, Any]:
        return resource_json(row, resource, self._orchestrator.url, version(self._world))


def _find(row: Deployment, uuid: str) -> Resource | None:
    return next((resource for resource in row.resources if resource.uuid == uuid), None)


def _is_a(node_type: str, wanted: str) -> bool:
    """Say whether a node is of a type or a subtype, as far as the built-in types tell."""
    known: str | None = node_type
    while known is not None:
        if known == wanted:
            return True
        known = _PARENTS.get(known)
    return wanted == "tosca.nodes.Root"
