"""Stand-in of Docker Hub: the tags of repositories, in pages, with a limit per minute (contract 7)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from sandbox.sent import number
from sandbox.world import Part

if TYPE_CHECKING:
    from sandbox.world import World

_DEFAULT_PAGE_SIZE = 10
_MAX_PAGE_SIZE = 100
_MINUTE = 60
_FIRST_PUSH = datetime(2024, 1, 15, 9, 30, tzinfo=UTC)


class RateLimit:
    """Counts the calls of each address within the running minute."""

    def __init__(self) -> None:
        self._minute = 0
        self._used: dict[str, int] = {}

    def count(self, address: str, now: float) -> tuple[int, int]:
        """Count a call; return how many there were this minute and when (seconds) the next one begins."""
        minute = int(now) // _MINUTE
        if minute != self._minute:
            self._minute, self._used = minute, {}
        self._used[address] = self._used.get(address, 0) + 1
        return self._used[address], (minute + 1) * _MINUTE


class DockerHub(Part):
    """Handlers of the stand-in."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.limit = RateLimit()

    async def reset(self) -> None:
        self.limit = RateLimit()

    async def tags(self, request: web.Request) -> web.Response:
        now = self.world.now()
        allowed = self.world.settings.dockerhub_limit
        used, resets = self.limit.count(request.remote or "", now)
        headers = {
            "X-RateLimit-Limit": str(allowed),
            "X-RateLimit-Remaining": str(max(0, allowed - used)),
            "X-RateLimit-Reset": str(resets),
        }
        if used > allowed:
            headers["Retry-After"] = str(max(1, int(resets - now)))
            return web.json_response(
                {"detail": "Rate limit exceeded", "error": False},
                status=HTTPStatus.TOO_MANY_REQUESTS,
                headers=headers,
            )
        image = f"{request.match_info['namespace']}/{request.match_info['repository']}"
        known = self.world.catalogue.tags(image)
        page = number(request.query.get("page"), 1)
        size = min(number(request.query.get("page_size"), _DEFAULT_PAGE_SIZE), _MAX_PAGE_SIZE)
        if known is None or (page > 1 and (page - 1) * size >= len(known)):
            return web.json_response(
                {"message": "httperror 404: object not found", "errinfo": {}},
                status=HTTPStatus.NOT_FOUND,
                headers=headers,
            )
        first = (page - 1) * size
        entries = [_entry(image, position, tag) for position, tag in enumerate(known)][first : first + size]
        answer = {
            "count": len(known),
            "next": self._page_url(image, page + 1, size) if first + size < len(known) else None,
            "previous": self._page_url(image, page - 1, size) if page > 1 else None,
            "results": entries,
        }
        return web.json_response(answer, headers=headers)

    def _page_url(self, image: str, page: int, size: int) -> str:
        query = urlencode({"page": page, "page_size": size})
        return f"{self.world.base_url}/dockerhub/v2/repositories/{image}/tags?{query}"

    async def gone(self, _request: web.Request) -> web.Response:
        """Version 1 was switched off in September 2022."""
        return web.Response(status=HTTPStatus.GONE, text="Gone")


def part(world: World) -> DockerHub:
    return DockerHub(world)


def routes(world: World) -> list[web.RouteDef]:
    hub = world.parts["dockerhub"]
    assert isinstance(hub, DockerHub)
    return [
        web.get("/v2/repositories/{namespace}/{repository}/tags", hub.tags),
        web.get("/v2/repositories/{namespace}/{repository}/tags/", hub.tags),
        web.get("/v2/namespaces/{namespace}/repositories/{repository}/tags", hub.tags),
        web.get("/v1/repositories/{image:.+}/tags", hub.gone),
    ]


def _entry(image: str, position: int, tag: dict[str, Any]) -> dict[str, Any]:
    """Return one tag as Docker Hub describes it; what the catalogue does not say is derived from the name."""
    name = str(tag["name"])
    digest = hashlib.sha256(f"{image}:{name}".encode()).hexdigest()
    number = int(digest[:6], 16)
    size = tag.get("size")
    if size is None:
        size = 1_500_000_000 + number * 100
    updated = tag.get("last_updated")
    if updated is None:
        updated = (_FIRST_PUSH - timedelta(days=position)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    user = 4096 + number % 97
    return {
        "creator": user,
        "id": number,
        "name": name,
        "repository": int(hashlib.sha256(image.encode()).hexdigest()[:6], 16),
        "full_size": size,
        "v2": True,
        "last_updated": updated,
        "last_updater": user,
        "last_updater_username": "builder",
        "tag_status": "active",
        "tag_last_pulled": updated,
        "tag_last_pushed": updated,
        "media_type": "application/vnd.docker.container.image.v1+json",
        "content_type": "image",
        "digest": f"sha256:{digest}",
        "images": [
            {
                "architecture": "amd64",
                "features": "",
                "variant": None,
                "digest": f"sha256:{digest}",
                "os": "linux",
                "os_features": "",
                "os_version": None,
                "size": size,
                "status": "active",
                "last_pulled": updated,
                "last_pushed": updated,
            }
        ],
    }
