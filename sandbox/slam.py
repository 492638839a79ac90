"""SLAM, the service level agreements of an organisation or group (contract 2)."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from aiohttp import web

from sandbox import tokens
from sandbox.providers import ALL, CUSTOMERS, Service
from sandbox.world import World


def routes(world: World) -> list[web.RouteDef]:
    """Return the routes; SLAM answers only below ``/rest/slam``."""

    def allowed(request: web.Request) -> bool:
        try:
            tokens.check(world, request.headers.get("Authorization"))
        except (tokens.MissingToken, tokens.InvalidToken):
            return False
        return True

    async def preferences(request: web.Request) -> web.Response:
        customer = request.match_info["customer"]
        if not allowed(request):
            return _error(request, 403, "Access Denied")
        if customer not in CUSTOMERS:
            # The code means to answer 404 and does not manage to (contract 2.1).
            return _error(request, 500, "No message available")
        return web.json_response(_preferences(customer))

    async def no_preferences(request: web.Request) -> web.Response:
        return web.json_response([]) if allowed(request) else _error(request, 403, "Access Denied")

    async def agreements(request: web.Request) -> web.Response:
        if not allowed(request):
            return _error(request, 403, "Access Denied")
        return web.json_response([_agreement(service, None) for service in ALL])

    async def agreement(request: web.Request) -> web.Response:
        if not allowed(request):
            return _error(request, 403, "Access Denied")
        for service in ALL:
            if service.sla_id == request.match_info["sla"]:
                return web.json_response(_agreement(service, None))
        return _error(request, 500, "No message available")

    async def unknown(request: web.Request) -> web.Response:
        return _error(request, 404, "No message available")

    return [
        web.get("/rest/slam/preferences/{customer}", preferences),
        web.get("/rest/slam/preferences", no_preferences),
        web.get("/rest/slam/sla/{sla}", agreement),
        web.get("/rest/slam/sla", agreements),
        web.route("*", "/{path:.*}", unknown),
    ]


def _preferences(customer: str) -> dict[str, Any]:
    services = CUSTOMERS[customer]
    highest = max((service.weight for service in services), default=0.0)
    priority = [
        {
            "sla_id": service.sla_id,
            "service_id": service.service_id,
            # A division by zero there, which its JSON library writes as a string (contract 2.1).
            "weight": service.weight / highest if highest else "NaN",
        }
        for service in services
    ]
    return {
        "preferences": [
            {
                "customer": customer,
                "preferences": [
                    {"service_type": "compute", "priority": priority},
                    {"service_type": "storage", "priority": []},
                ],
                "id": hashlib.sha1(customer.encode(), usedforsecurity=False).hexdigest(),
            }
        ],
        "sla": [_agreement(service, customer) for service in services],
    }


def _agreement(service: Service, customer: str | None) -> dict[str, Any]:
    start, end = service.dates
    return {
        "customer": customer,
        "provider": service.provider_id if service.named_provider else None,
        "start_date": start,
        "end_date": end,
        "services": [{"type": "computing", "service_id": service.service_id, "targets": list(service.targets)}],
        "id": service.sla_id,
    }


def _error(request: web.Request, status: int, message: str) -> web.Response:
    reasons = {403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}
    return web.json_response(
        {
            "timestamp": int(time.time() * 1000),
            "status": status,
            "error": reasons[status],
            "message": message,
            "path": request.path.removeprefix("/slam"),
        },
        status=status,
    )
