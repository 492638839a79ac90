"""The containers of deployments: real ports on which DEEPaaS, JupyterLab and the monitor answer."""

from __future__ import annotations

import logging
import socket
from urllib.parse import urlsplit

from aiohttp import web

from sandbox import faults
from sandbox.deepaas import deepaas_app, jupyter_app, monitor_app
from sandbox.orchestrator.deployment import Deployment
from sandbox.world import World

log = logging.getLogger(__name__)


class Containers:
    """Ports by deployment. A port is reserved (connections refused) before its service listens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reserved: dict[str, dict[str, socket.socket]] = {}
        self._runners: dict[str, list[web.AppRunner]] = {}

    @property
    def host(self) -> str:
        """The host name that clients use, as in URLs."""
        name = urlsplit(self._world.base_url).hostname or "127.0.0.1"
        return f"[{name}]" if ":" in name else name

    def __len__(self) -> int:
        return len(self._runners)

    def reserve(self, deployment: Deployment, roles: list[str]) -> None:
        """Give every role a port of its own, the one it had before if that is free."""
        sockets = self._reserved.setdefault(deployment.uuid, {})
        for role in roles:
            if role not in sockets:
                sockets[role] = self._bind(deployment.ports.get(role, 0))
            deployment.ports[role] = sockets[role].getsockname()[1]

    async def boot(self, deployment: Deployment, listening: list[str]) -> None:
        """Start the services of the reserved ports named in ``listening``; a second call changes nothing."""
        if deployment.uuid in self._runners or deployment.uuid not in self._reserved:
            return
        runners = self._runners.setdefault(deployment.uuid, [])
        makers = {"deepaas": deepaas_app, "jupyter": jupyter_app, "monitor": monitor_app}
        for role, reserved in list(self._reserved[deployment.uuid].items()):
            if role not in listening:
                continue
            app = makers[role](self._world, deployment.image)
            app.middlewares.insert(0, faults.middleware(self._world, role))
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            runners.append(runner)
            await runner.setup()
            await web.SockSite(runner, reserved).start()

    async def close(self, uuid: str) -> None:
        """Stop the services of a deployment and give its ports back."""
        for runner in self._runners.pop(uuid, []):
            await runner.cleanup()
        for reserved in self._reserved.pop(uuid, {}).values():
            reserved.close()

    async def close_all(self) -> None:
        for uuid in list(self._reserved):
            await self.close(uuid)

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._world.host else socket.AF_INET
        reserved = socket.socket(family, socket.SOCK_STREAM)
        # Otherwise the port of the process before this one stays taken for a while.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            reserved.bind((self._world.host, port))
        except OSError:
            log.warning("Port %d is taken; a deployment moves to another one.", port)
            reserved.bind((self._world.host, 0))
        reserved.setblocking(False)
        return reserved
