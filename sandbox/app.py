"""Puts all stand-ins on one port, each below its own prefix."""

from __future__ import annotations

import socket

from aiohttp import web

from sandbox import (
    cmdb,
    control,
    dockerhub,
    faults,
    git,
    github,
    iam,
    im,
    monitoring,
    orchestrator,
    slam,
    storage,
)
from sandbox.world import World

# Services that keep state, in the order they are loaded and started.
PARTS = (("git", git.part), ("iam", iam.part), ("dockerhub", dockerhub.part), ("orchestrator", orchestrator.part))
MOUNTS = (
    ("iam", "/iam", iam.routes),
    ("orchestrator", "/orchestrator", orchestrator.routes),
    ("slam", "/slam", slam.routes),
    ("cmdb", "/cmdb", cmdb.routes),
    ("im", "/im", im.routes),
    ("monitoring", "/monitoring-wrapper", monitoring.routes),
    ("github", "/github", github.routes),
    ("git", "/git", git.routes),
    ("dockerhub", "/dockerhub", dockerhub.routes),
    ("storage", "/storage", storage.routes),
)
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared with, not bound to
MAX_BODY = 64 * 1024 * 1024


def build_app(world: World) -> web.Application:
    """Return the application with every service below its prefix, and register the parts of the world."""
    for name, part in PARTS:
        world.parts[name] = part(world)
    world.orchestrator = world.parts["orchestrator"]
    app = web.Application()
    for name, prefix, routes in MOUNTS:
        service = web.Application(middlewares=[faults.middleware(world, name)], client_max_size=MAX_BODY)
        service.add_routes(routes(world))
        app.add_subapp(prefix, service)
    controls = control.Control(world, tuple((name, prefix) for name, prefix, _ in MOUNTS))
    app.add_subapp("/control", control.application(controls))
    app.add_routes([web.get("/", controls.home)])
    return app


class Server:
    """The running sandbox: one listening port, the world behind it."""

    def __init__(self, world: World, port: int, base_url: str | None = None) -> None:
        self.world = world
        self._port = port
        self._base_url = base_url
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen and start everything; return the base URL. Port 0 takes any free port. Raises OSError."""
        family = socket.AF_INET6 if ":" in self.world.host else socket.AF_INET
        listening = socket.create_server((self.world.host, self._port), family=family, backlog=512)
        port: int = listening.getsockname()[1]
        self.world.base_url = self._base_url or url_of(self.world.host, port)
        self._runner = web.AppRunner(build_app(self.world), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await self.world.start()
        await web.SockSite(self._runner, listening).start()
        return self.world.base_url

    async def stop(self) -> None:
        """Stop listening, keep the state, end everything."""
        if self._runner:
            await self._runner.cleanup()
        await self.world.stop()


def url_of(host: str, port: int) -> str:
    """Return the URL to reach a listening address at; "all addresses" is nothing a browser can open."""
    name = _LOOPBACK_OF.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
