"""A WebDAV server as Nextcloud offers one (RFC 4918): enough to sign in and look at an empty folder."""

from __future__ import annotations

import binascii
from base64 import b64decode
from html import escape

from aiohttp import web

from sandbox.people import PEOPLE
from sandbox.world import World

APP_PASSWORD = "storage-of-"  # followed by the person's key  # noqa: S105 -- nothing real is behind it


def routes(world: World) -> list[web.RouteDef]:
    """Return the routes: one folder per person, for that person with ``APP_PASSWORD`` and their key."""

    async def folder(request: web.Request) -> web.Response:
        user = request.match_info["user"]
        if _signed_in(request.headers.get("Authorization", "")) != user:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="Sandbox storage"'})
        if request.method != "PROPFIND":
            return web.Response(status=405, headers={"Allow": "OPTIONS, PROPFIND"})
        body = (
            '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:"><d:response>'
            f"<d:href>{escape(request.path)}</d:href><d:propstat><d:prop><d:resourcetype><d:collection/>"
            "</d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"
        )
        return web.Response(status=207, text=body, content_type="application/xml")

    return [web.route("*", "/remote.php/dav/files/{user}/", folder)]


def _signed_in(header: str) -> str:
    """The person whose user name and password a header of RFC 7617 holds, "" for anybody else."""
    kind, _, packed = header.partition(" ")
    try:
        user, _, password = b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    known = any(person.key == user for person in PEOPLE)
    return user if kind.lower() == "basic" and known and password == f"{APP_PASSWORD}{user}" else ""
