"""The monitoring wrapper, a Zabbix adapter (contract 5)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.providers import BY_ID, NOVA, Service
from sandbox.world import World

_PATH = "/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups/{provider}/hosts/{service}"
_NO_VALUE = -1.0
_NEVER = "Instant null because no metrics were returned in the last 24hs"


def routes(world: World) -> list[web.RouteDef]:
    """Return the routes. The wrapper itself checks no token."""

    async def metrics(request: web.Request) -> web.Response:
        group, host = request.match_info["provider"], request.match_info["service"]
        service = BY_ID.get(host)
        if not any(known.site == group for known in BY_ID.values()):
            return _error(404, f"Wrong Group Name Inserted, Not Existing Into Platform: {group}")
        if service is None:
            return _error(404, f"Wrong Host Name Inserted: Not Existing Into Platform: {host}")
        if service.site != group:
            return _error(400, "Host Selected does not belong to selected group")
        return web.json_response({"meta": {"status": 200}, "result": {"groups": [_group(service, world.now())]}})

    async def unknown(request: web.Request) -> web.Response:
        return _error(404, f"Wrong Parameters: {request.path} inserted or NO host avalaible for such parameters")

    return [web.get(_PATH, metrics), web.route("*", "/{path:.*}", unknown)]


def _group(service: Service, now: float) -> dict[str, Any]:
    machine = {
        "machineName": service.service_id,
        "ip": "203.0.113.20",
        "serviceCategory": "nova" if service.service_type == NOVA else "appaas",
        "serviceId": "",
        "services": [_service(service, now)] if service.targets else [],
    }
    return {"groupName": service.site, "paasMachines": [machine]}


def _service(service: Service, now: float) -> dict[str, Any]:
    name = {"OPENSTACK": "Openstack"}.get(service.deployment_type, service.deployment_type.capitalize())
    rows: list[tuple[str, float, str]] = []
    for step in ("create", "run", "clear", "delete"):
        # A site where nobody measures this: the wrapper says -1, and a sentence instead of an instant.
        silent = step == "clear" and not service.gpus
        rows.append((f"{step}.responseTime", _NO_VALUE if silent else _noise(service, step, now), "ms"))
        rows.append((f"{step}.result", _NO_VALUE if silent else 200.0, ""))
        rows.append((f"{step}.status", _NO_VALUE if silent else 1.0, ""))
    if service.deployment_type in ("MARATHON", "CHRONOS"):
        rows.append(("master.tasks_failed", float(len(service.site)), ""))
    return {"serviceName": name, "paasMetrics": [_metric(service, name, now, *row) for row in rows]}


def _metric(service: Service, name: str, now: float, metric: str, value: float, unit: str) -> dict[str, Any]:
    measured = datetime.fromtimestamp(now - now % 300, UTC).strftime("%d-%m-%Y %H:%M:%S")
    body: dict[str, Any] = {
        "metricName": metric,
        "metricKey": f"{service.site}.{service.service_id}.{name}.{metric}",
        "metricValue": value,
        "metricTime": _NEVER if value == _NO_VALUE else measured,
        "paasThresholds": [],
        "historyClocks": [],
        "historyValues": [],
    }
    if unit:
        body["metricUnit"] = unit
    return body


def _noise(service: Service, step: str, now: float) -> float:
    """Return a believable response time (ms), the same for all readers, another every five minutes."""
    digest = hashlib.sha256(f"{service.service_id}{step}{int(now // 300)}".encode()).digest()
    return float(200 + int.from_bytes(digest[:2], "big") % 600)


def _error(status: int, message: str) -> web.Response:
    exception = "it.reply.monitoringpillar.domain.exception.NotFoundMonitoringException"
    trace = f"{exception}: {message}\n\tat it.reply.monitoringpillar.adapter.zabbix"
    return web.json_response(
        {"meta": {"status": status}, "error": {"code": status, "message": message, "stackTrace": trace}},
        status=status,
    )
