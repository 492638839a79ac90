"""One sandbox for all tests of a run, fifty times as fast as life."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import SandboxThread
from sandbox.tests.orchestrating import User
from sandbox.world import SAMPLE


@pytest.fixture(scope="session")
def catalogue_dir() -> Path:
    """The catalogue folder: the sample, or the one SANDBOX_CATALOGUE names."""
    return Path(os.environ.get("SANDBOX_CATALOGUE") or SAMPLE)


@pytest.fixture(scope="session")
def sandbox(catalogue_dir: Path) -> Iterator[SandboxThread]:
    """A running sandbox with ``url`` and ``control``; tests that change it use ``fresh``."""
    with SandboxThread(catalogue=catalogue_dir) as running:
        yield running


@pytest.fixture
def fresh(sandbox: SandboxThread) -> SandboxThread:
    """The sandbox as freshly started: no faults, calls, deployments, tokens or changed settings."""
    sandbox.control.reset()
    return sandbox


@pytest.fixture
def ada(fresh: SandboxThread) -> User:
    return User(fresh, "ada")


class Listener(HTTPServer):
    """A dashboard that keeps the headers and the body of what it is sent, and answers ``status``."""

    def __init__(self) -> None:
        self.status = 202
        self.received: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Keep)
        self.url = f"http://127.0.0.1:{self.server_port}/told"

    def told(self) -> list[dict[str, Any]]:
        """The bodies, read as JSON."""
        return [json.loads(body) for _, body in self.received]


class _Keep(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers.items()), body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"accepted")

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)
