"""Faults on demand, and the count of calls each service received."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

if TYPE_CHECKING:
    from sandbox.world import World

SERVICES = (
    "iam",
    "orchestrator",
    "slam",
    "cmdb",
    "im",
    "monitoring",
    "github",
    "git",
    "dockerhub",
    "storage",
    "deepaas",
    "jupyter",
    "monitor",
)
BODIES = ("html", "broken-json", "empty", "huge", "text")
HUGE_BODY = 64 * 1024 * 1024
_NO_ANSWER = 0
Hold = Callable[[float], Awaitable[None]]


class FaultError(ValueError):
    """The description of a fault cannot be used; the message says why."""


@dataclass
class Fault:
    """What goes wrong with matching requests.

    ``latency`` and ``hang`` are real seconds. With only a latency the service answers, late. ``hang`` accepts
    the request, says nothing for that long and drops the connection; ``close`` drops it at once. ``match`` is
    searched for in the path with its query; ``times`` is how many requests are hit (None: all). Whom a fault holds up
    goes on at once when the faults of the service are taken back or replaced.
    """

    latency: float = 0.0
    status: int | None = None
    body: str | None = None
    close: bool = False
    hang: float | None = None
    match: str | None = None
    method: str | None = None
    times: int | None = None
    headers: dict[str, str] | None = None

    @classmethod
    def parse(cls, data: object) -> Fault:
        """Read a fault from JSON; raises FaultError."""
        if not isinstance(data, Mapping):
            raise FaultError("A fault is a JSON object.")
        unknown = set(data) - set(cls.__dataclass_fields__)
        if unknown:
            raise FaultError(f"Unknown keys: {', '.join(sorted(map(str, unknown)))}.")
        _check(data, "latency", int | float, lambda value: value >= 0)
        _check(data, "hang", int | float, lambda value: value >= 0)
        _check(data, "status", int, lambda value: 200 <= value <= 599)
        _check(data, "times", int, lambda value: value > 0)
        _check(data, "close", bool)
        _check(data, "body", str, lambda value: value in BODIES)
        _check(data, "method", str)
        _check(data, "match", str, _compiles)
        _check(data, "headers", dict)
        return cls(**{name: value for name, value in data.items() if value is not None})

    def hits(self, request: web.BaseRequest) -> bool:
        if self.method and self.method.upper() != request.method:
            return False
        return not self.match or re.search(self.match, request.path_qs) is not None


def _check(data: Mapping[str, Any], name: str, kind: Any, fits: Callable[[Any], bool] = lambda _value: True) -> None:
    """Raise FaultError unless the value is absent, null, or of this kind and fitting."""
    value = data.get(name)
    if value is None:
        return
    # In Python a bool is a number, in JSON it is not.
    right_kind = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
    if not right_kind or not fits(value):
        raise FaultError(f"{name} cannot be {value!r}.")


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


class Faults:
    """The faults in force, per service; ``*`` stands for all services and comes after a service's own."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = {}
        self._held: dict[str, set[asyncio.Event]] = {}

    def put(self, service: str, faults: list[Fault]) -> None:
        """Replace the faults of a service; the first that hits a request counts. Raises FaultError."""
        if service != "*" and service not in SERVICES:
            raise FaultError(f"service is one of {', '.join(SERVICES)} or *.")
        self._faults[service] = faults
        self._release(None if service == "*" else service)

    def clear(self, service: str | None = None) -> None:
        if service is None:
            self._faults.clear()
        else:
            self._faults.pop(service, None)
        self._release(None if service == "*" else service)

    async def hold(self, service: str, seconds: float) -> None:
        """Return after so many seconds, or when the faults of the service are taken back or replaced."""
        released = asyncio.Event()
        held = self._held.setdefault(service, set())
        held.add(released)
        try:
            async with asyncio.timeout(seconds):
                await released.wait()
        except TimeoutError:
            pass
        finally:
            held.discard(released)

    def _release(self, service: str | None) -> None:
        for name, held in self._held.items():
            if service in {None, name}:
                for released in held:
                    released.set()

    def take(self, service: str, request: web.BaseRequest) -> Fault | None:
        """Return the fault that hits this request, counting down its ``times``."""
        for key in (service, "*"):
            for fault in self._faults.get(key, ()):
                if not fault.hits(request):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults[key].remove(fault)
                return fault
        return None

    def describe(self) -> dict[str, list[dict[str, Any]]]:
        return {
            service: [{key: value for key, value in asdict(fault).items() if value} for fault in faults]
            for service, faults in self._faults.items()
            if faults
        }


class Calls:
    """How often each service was asked what; status 0 stands for a dropped connection.

    And what it is being asked right now, so that a test can strike while an answer is awaited.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str, int]] = Counter()
        self._under_way: Counter[tuple[str, str, str]] = Counter()

    def begin(self, service: str, method: str, route: str) -> None:
        self._under_way[service, method, route] += 1

    def end(self, service: str, method: str, route: str) -> None:
        self._under_way[service, method, route] -= 1

    def record(self, service: str, method: str, route: str, status: int) -> None:
        self._counts[service, method, route, status] += 1

    def clear(self) -> None:
        self._counts.clear()

    def rows(self) -> list[dict[str, Any]]:
        return [
            {"service": service, "method": method, "route": route, "status": status, "count": count}
            for (service, method, route, status), count in sorted(self._counts.items())
        ]

    def rows_under_way(self) -> list[dict[str, Any]]:
        return [
            {"service": service, "method": method, "route": route, "count": count}
            for (service, method, route), count in sorted(self._under_way.items())
            if count
        ]

    def totals(self) -> dict[str, int]:
        totals: Counter[str] = Counter()
        for (service, _, _, _), count in self._counts.items():
            totals[service] += count
        return dict(sorted(totals.items()))


def middleware(world: World, service: str) -> Middleware:
    """Return the middleware that applies the faults of ``service`` and counts its calls.

    For the applications behind the common port and for those with a port of their own alike.
    """

    hold = partial(world.faults.hold, service)

    @web.middleware
    async def apply(request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "(unknown path)"
        status = _NO_ANSWER
        world.calls.begin(service, request.method, route)
        try:
            fault = world.faults.take(service, request)
            response = await (handler(request) if fault is None else _fail(fault, request, handler, hold))
            status = _NO_ANSWER if request.transport is None or request.transport.is_closing() else response.status
        except web.HTTPException as error:
            status = error.status
            raise
        except (OSError, asyncio.CancelledError):
            raise
        except Exception:
            # Counted as what aiohttp will answer, then left to aiohttp to log and answer.
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            world.calls.end(service, request.method, route)
            world.calls.record(service, request.method, route, int(status))
        return response

    return apply


async def _fail(fault: Fault, request: web.Request, handler: Handler, hold: Hold) -> web.StreamResponse:
    if fault.latency:
        await request.read()  # it has arrived as a whole, and is carried out even if nobody waits for the answer
        await hold(fault.latency)
    if fault.hang is not None:
        await hold(fault.hang)
    if fault.close or fault.hang is not None:
        if request.transport is not None:
            request.transport.close()
        return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
    if fault.status is None and fault.body is None:
        return await handler(request)
    return _answer(fault.status or HTTPStatus.OK, fault.body or "html", fault.headers)


def _answer(status: int, body: str, headers: Mapping[str, str] | None) -> web.Response:
    """Make the answer of a fault. Without a body named it is the page of a reverse proxy (contract 1.3)."""
    if body == "empty" or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return web.Response(status=status, headers=headers)
    if body == "broken-json":
        return web.Response(
            status=status,
            text='{"content": [{"uuid": "11ed',
            content_type="application/json",
            headers=headers,
        )
    if body == "text":
        return web.Response(status=status, text="upstream connect error", headers=headers)
    if body == "huge":
        return web.Response(status=status, body=_huge(), content_type="application/json", headers=headers)
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    page = (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return web.Response(status=status, text=page, content_type="text/html", headers=headers)


async def _huge() -> AsyncIterator[bytes]:
    """Yield a JSON array of 64 MiB that never ends properly; a client must stop reading by itself."""
    yield b"["
    chunk = b'"' + b"x" * 65_532 + b'",'
    for _ in range(HUGE_BODY // len(chunk)):
        yield chunk
