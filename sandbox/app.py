"""Puts all stand-ins on one port, each below its own prefix."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterable

from aiohttp import web

from sandbox import control, faults
from sandbox.world import World

MOUNTS: tuple[tuple[str, str], ...] = (
    ("iam", "/iam"),
    ("orchestrator", "/orchestrator"),
    ("slam", "/slam"),
    ("cmdb", "/cmdb"),
    ("im", "/im"),
    ("monitoring", "/monitoring-wrapper"),
    ("github", "/github"),
    ("git", "/git"),
    ("dockerhub", "/dockerhub"),
)


def build_app(world: World) -> web.Application:
    """Return the application with every service below its prefix.

    Each service module offers ``routes(world)``, with paths relative to its prefix, and may offer
    ``part(world)`` that returns the :class:`~sandbox.world.Part` holding its state; that is called first and
    registered by name.
    """
    app = web.Application()
    for name, prefix in MOUNTS:
        try:
            module = importlib.import_module(f"sandbox.{name}")
        except ModuleNotFoundError:
            continue
        if hasattr(module, "part"):
            world.parts[name] = module.part(world)
            if name == "orchestrator":
                world.orchestrator = world.parts[name]
        routes: Iterable[web.RouteDef] = module.routes(world)
        service = web.Application(
            middlewares=[faults.middleware(world, name)], client_max_size=64 * 1024 * 1024
        )
        service.add_routes(routes)
        app.add_subapp(prefix, service)
    controls = control.Control(world, MOUNTS)
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
        host = f"[{self.world.host}]" if family is socket.AF_INET6 else self.world.host
        self.world.base_url = self._base_url or f"http://{host}:{listening.getsockname()[1]}"
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
