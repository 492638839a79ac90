"""CMDB, the public register of sites and services: CouchDB behind a small proxy (contract 3)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aiohttp import web

from sandbox.providers import ALL, BY_ID, NOVA, Service
from sandbox.world import World

_IMAGES = ("ubuntu-20.04", "ubuntu-22.04", "centos-7")
_FLAVORS = (
    {"name": "small", "num_vcpus": 2, "mem_size": 4096},
    {"name": "large", "num_vcpus": 8, "mem_size": 16384},
)


def routes(world: World) -> list[web.RouteDef]:
    """Return the routes. A token is neither needed nor looked at; anything but GET is refused."""
    documents = _documents()

    async def document(request: web.Request) -> web.Response:
        found = documents.get((request.match_info["kind"], request.match_info["id"]))
        if found is None:
            return _answer(request, {"error": "not_found", "reason": "missing"}, 404)
        return _answer(request, found)

    async def listing(request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        return _answer(request, _rows(request, [doc for key, doc in documents.items() if key[0] == kind]))

    async def children(request: web.Request) -> web.Response:
        parent, child = request.match_info["id"], request.match_info["children"].removesuffix("s")
        found = [doc for key, doc in documents.items() if key[0] == child and parent in _parents(doc["data"], child)]
        return _answer(request, _rows(request, found))

    async def other(request: web.Request) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=403, text="Access Denied")
        return _answer(request, {"error": "not_found", "reason": "missing"}, 404)

    return [
        web.get("/{kind:service|provider|tenant|image|flavor}/list", listing),
        web.get("/{kind:service|provider|tenant|image|flavor}/id/{id}", document),
        web.get("/{parent:service|provider|tenant}/id/{id}/has_many/{children}", children),
        web.route("*", "/{path:.*}", other),
    ]


def _documents() -> dict[tuple[str, str], dict[str, Any]]:
    documents: dict[tuple[str, str], dict[str, Any]] = {}

    def add(kind: str, identifier: str, data: dict[str, Any]) -> None:
        revision = hashlib.md5(json.dumps(data).encode(), usedforsecurity=False).hexdigest()
        documents[kind, identifier] = {
            "_id": identifier,
            "_rev": f"4-{revision}",
            "type": kind,
            "owners": [],
            "data": data,
        }

    for service in ALL:
        add("service", service.service_id, _service_data(service))
        add(
            "provider",
            service.provider_id,
            {"id": service.provider_id, "name": service.site, "country": "EU"},
        )
        if service.service_type == NOVA:
            tenant = f"{service.service_id}_tenant"
            add(
                "tenant",
                tenant,
                {
                    "tenant_id": "4f0e8d2c5ab94e1b8a53",
                    "tenant_name": "ml",
                    "service": service.service_id,
                    "iam_organisation": "indigo-dc",
                    "public_network_name": "public",
                    "private_network_name": "private",
                },
            )
            for name in _IMAGES:
                add(
                    "image",
                    f"{tenant}_{name}",
                    {"image_name": name, "tenant": tenant, "architecture": "x86_64"},
                )
            for flavor in _FLAVORS:
                add("flavor", f"{tenant}_{flavor['name']}", {**flavor, "tenant": tenant})
    return documents


def _service_data(service: Service) -> dict[str, Any]:
    return {
        "service_type": service.service_type,
        "type": "compute",
        "sitename": service.site,
        "provider_id": service.provider_id,
        "hostname": service.hostname,
        "endpoint": service.endpoint,
        **service.data,
    }


def _parents(data: dict[str, Any], kind: str) -> set[str]:
    keys = {"service": "provider_id", "tenant": "service", "image": "tenant", "flavor": "tenant"}
    return {str(data.get(keys.get(kind, ""), ""))}


def _rows(request: web.Request, found: list[dict[str, Any]]) -> dict[str, Any]:
    with_documents = request.query.get("include_docs") == "true"
    rows = []
    for doc in found:
        row: dict[str, Any] = {"id": doc["_id"], "key": [doc["_id"]], "value": {"_id": doc["_id"]}}
        if doc["_id"] in BY_ID:
            row["value"]["service_type"] = doc["data"]["service_type"]
        if with_documents:
            row["doc"] = doc
        rows.append(row)
    return {"total_rows": len(rows), "offset": 0, "rows": rows}


def _answer(request: web.Request, body: dict[str, Any], status: int = 200) -> web.Response:
    """Answer JSON, labelled so only for a client that asks for it by name."""
    label = "application/json" if "application/json" in request.headers.get("Accept", "") else "text/plain"
    return web.Response(status=status, text=json.dumps(body) + "\n", content_type=label, charset="utf-8")
