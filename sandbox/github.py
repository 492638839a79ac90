"""Stand-in of raw.githubusercontent.com: files of repositories, with ETags."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from sandbox.world import World

_HEADERS = {
    "Cache-Control": "max-age=300",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


def routes(world: World) -> list[web.RouteDef]:
    async def raw(request: web.Request) -> web.Response:
        content = world.catalogue.raw(request.match_info["path"])
        if content is None:
            return web.Response(status=HTTPStatus.NOT_FOUND, text="404: Not Found")
        etag = hashlib.sha256(content).hexdigest()
        headers = {**_HEADERS, "ETag": f'"{etag}"'}
        # aiohttp parses the header: weak tags compare equal, and "*" matches anything there is.
        if any(known.value in (etag, "*") for known in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return web.Response(body=content, content_type="text/plain", charset="utf-8", headers=headers)

    return [web.get("/{path:.+}", raw)]
