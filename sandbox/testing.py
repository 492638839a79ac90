"""A sandbox inside a test run: the whole of it, in a thread of its own, on a free port."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import requests

from sandbox.app import Server
from sandbox.world import SAMPLE, World

_START_TIMEOUT = 120
_CALL_TIMEOUT = 60


_T = TypeVar("_T")


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """As ``asyncio.run``, in a thread of its own: a browser driven from this one keeps an event loop running in it."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


class Control:
    """The control API as methods; each raises requests.HTTPError when the sandbox refuses."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/control"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one call and return its JSON answer."""
        answer = requests.request(method, f"{self.url}{path}", json=body, timeout=_CALL_TIMEOUT)
        if not answer.ok:
            raise requests.HTTPError(f"{answer.status_code} {answer.text}", response=answer)
        return answer.json()

    def reset(self) -> None:
        self.call("POST", "/reset")

    def fault(self, service: str, **fault: Any) -> None:
        self.call("PUT", f"/faults/{service}", fault)

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def settings(self, **changes: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("PUT", "/settings", changes)
        return answer

    def tokens(self, person: str, scopes: Sequence[str] | None = None, lifetime: float | None = None) -> dict[str, Any]:
        """Return the token endpoint's answer for a person, without a browser."""
        body: dict[str, Any] = {"person": person, "lifetime": lifetime}
        if scopes is not None:
            body["scopes"] = list(scopes)
        answer: dict[str, Any] = self.call("POST", "/tokens", body)
        return answer

    def bearer(self, person: str, scopes: Sequence[str] | None = None) -> dict[str, str]:
        """Return the request headers that make the caller this person."""
        return {"Authorization": f"Bearer {self.tokens(person, scopes)['access_token']}"}

    def revoke(self, person: str) -> None:
        self.call("POST", f"/people/{person}/revoke")

    def seed(self, person: str, count: int, statuses: Sequence[str] | None = None) -> list[str]:
        """Add finished deployments; return their uuids."""
        body: dict[str, Any] = {"person": person, "count": count}
        if statuses is not None:
            body["statuses"] = list(statuses)
        uuids: list[str] = self.call("POST", "/deployments", body)["uuids"]
        return uuids

    def force(self, uuid: str, status: str, status_reason: str | None = None, **outputs: str) -> dict[str, Any]:
        body = {"status": status, "status_reason": status_reason, "outputs": outputs}
        answer: dict[str, Any] = self.call("PUT", f"/deployments/{uuid}", body)
        return answer

    def push(self, path: str, content: str | None) -> str:
        """Commit a change to the templates, or a deletion (None); return the commit's id."""
        commit: str = self.call("POST", "/catalogue/push", {"path": path, "content": content})["commit"]
        return commit

    def module(self, repository: str, **change: Any) -> None:
        """Change the module ``ORG/REPO``: ``metadata`` (raw text or None), ``tags`` (list or None)."""
        self.call("PUT", f"/catalogue/module/{repository}", change)

    def modules_yml(self, content: str) -> None:
        self.call("PUT", "/catalogue/modules", {"content": content})

    def webhook(self, url: str, secret: str, **delivery: Any) -> dict[str, Any]:
        """Deliver a signed webhook; return the receiver's status, body and headers."""
        answer: dict[str, Any] = self.call("POST", "/webhook", {"url": url, "secret": secret, **delivery})
        return answer

    def calls(self, service: str | None = None) -> list[dict[str, Any]]:
        """Return the counted calls, of one service or of all."""
        rows: list[dict[str, Any]] = self.call("GET", "/calls")["calls"]
        return [row for row in rows if service in (None, row["service"])]

    def count(self, service: str) -> int:
        return sum(row["count"] for row in self.calls(service))

    def clear_calls(self) -> None:
        self.call("DELETE", "/calls")


class SandboxThread:
    """A running sandbox; a context manager. ``url`` has no trailing slash."""

    def __init__(
        self,
        *,
        speed: float = 50,
        catalogue: Path = SAMPLE,
        state: Path | None = None,
        dashboard: str = "http://127.0.0.1:5001",
        port: int = 0,
    ) -> None:
        self._options: dict[str, Any] = {
            "speed": speed,
            "catalogue_dir": catalogue,
            "state_dir": state,
            "dashboard": dashboard,
        }
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._server: Server | None = None
        self.url = ""
        self.control = Control("")

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(_START_TIMEOUT)
        except BaseException:
            self._end()
            raise
        self.control = Control(self.url)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._server:
                asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(_START_TIMEOUT)
        finally:
            self._end()

    async def _start(self) -> str:
        self._server = Server(World(**self._options), self._port)
        return await self._server.start()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_TIMEOUT)
        self._loop.close()
