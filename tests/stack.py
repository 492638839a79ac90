"""The whole thing as real processes on free ports: sandbox, database, catalogue, gunicorn.

Only what `make run` does, with a folder of its own and a faster clock in the sandbox.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tools.up import sandbox_environment

ROOT = Path(__file__).resolve().parent.parent
SPEED = 20  # times faster than the sandbox's own clock


# Below those that Linux gives to outgoing connections: such a port may be taken between its choice and its use, and
# while the server that has it is killed and started again.
PORTS = range(20_000, 32_000)
_reserved: list[socket.socket] = []  # while this process lives


def free_port() -> int:
    """A port that nobody listens on, and that no other process of the tests is given: its number is taken in UDP."""
    for port in random.sample(PORTS, 200):
        mark = socket.socket(type=socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
        else:
            _reserved.append(mark)
            return port
    raise RuntimeError(f"no port of {PORTS} is free")


class Process:
    """One Python module run as a process group of its own; it can be killed and started again."""

    def __init__(self, *command: str, environment: Mapping[str, str], log: Path) -> None:
        self.command, self.environment, self.log = command, environment, log
        self.popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the first process of the group."""
        assert self.popen, f"{self.command[0]} was not started"
        return self.popen.pid

    @property
    def children(self) -> list[int]:
        """Process ids of those it has forked: gunicorn's and Celery's processes that do the work."""
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in found.split()]

    @property
    def is_running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ROOT, env=dict(self.environment), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def run(self) -> None:
        """Wait for its end, which has to be a good one."""
        self.start()
        assert self.popen
        if self.popen.wait(timeout=180):
            raise RuntimeError(f"{' '.join(self.command)} failed: {self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """Nothing is left of it and its children, as when its machine lost power."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        assert self.popen
        self.popen.wait()

    def terminate(self) -> None:
        """Ask it to end; ``wait`` for it."""
        if self.popen:
            self.popen.terminate()

    def wait(self) -> None:
        if self.popen:
            try:
                self.popen.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Stack:
    """A running dashboard. ``url`` is its address, ``sandbox`` the sandbox's, ``log`` what the dashboard wrote.

    ``web``, ``services`` (the sandbox), ``beat`` and ``workers`` are its processes; without Redis there are neither
    beat nor workers.
    """

    url: str
    sandbox: str
    data: Path
    environment: dict[str, str]
    web: Process = field(init=False)
    services: Process = field(init=False)
    beat: Process = field(init=False)
    workers: list[Process] = field(default_factory=list)

    def process(self, *command: str, log: str = "web.log", **environment: str) -> Process:
        """A process of this stack, not started; ``environment`` is what differs from the stack's."""
        return Process(*command, environment={**self.environment, **environment}, log=self.data / log)

    def start_worker(self) -> None:
        """One more worker, with two processes."""
        name = f"--hostname=worker{len(self.workers)}@%h"
        self.workers.append(self.process("celery", "-A", "deepdash", "worker", "--concurrency=2", name))
        self.workers[-1].start()

    def kill_workers(self) -> None:
        """Nothing is left of any worker, as when its machine lost power."""
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    @property
    def log(self) -> str:
        return (self.data / "web.log").read_text(encoding="utf-8", errors="replace")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the sandbox's control API; raises for a refusal."""
        answer = requests.request(method, f"{self.sandbox}/control/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fault(self, service: str, **fault: Any) -> None:
        self.control("PUT", f"faults/{service}", fault)

    def heal(self) -> None:
        self.control("DELETE", "faults")

    def calls(self, service: str, method: str = "", route: str = "") -> int:
        """How many requests the service has answered since they were last cleared."""
        counted = self.control("GET", "calls")["calls"]
        return sum(
            row["count"] for row in counted
            if row["service"] == service and method in {"", row["method"]} and route in row["route"]
        )  # fmt: skip

    def is_asked(self, service: str, method: str = "", route: str = "") -> bool:
        """Whether the service has taken a request that it has not answered yet."""
        return any(
            row["service"] == service and method in {"", row["method"]} and route in row["route"]
            for row in self.control("GET", "calls")["under_way"]
        )

    def manage(self, *words: str) -> str:
        """Output of a manage.py command under the same configuration."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(words)} failed:\n{done.stderr[-3000:]}")
        return done.stdout


def wait_for(url: str, process: Process, log: Path, seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not process.is_running:
            break
        try:
            requests.get(url, timeout=2)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(encoding='utf-8', errors='replace')[-5000:]}")


@contextmanager
def running(
    data: Path,
    *,
    catalogue: str = "",
    extra: Mapping[str, Any] | None = None,
    application: str = "deepdash.wsgi",
    sandbox_module: str = "sandbox",
    environment: Mapping[str, str] | None = None,
    keeps_state: bool = False,
    public: bool = False,
) -> Iterator[Stack]:
    """A stack in the folder ``data``; ``extra`` are configuration keys that differ from the sandbox's.

    ``environment`` holds what is not configuration, such as WORKERS. With REDIS_URL a worker and beat run too.
    ``public``: it knows its own address, so that the orchestrator is told where to call back. ``keeps_state``: the
    sandbox may be killed and goes on where it was.
    """
    port, sandbox_port = free_port(), free_port()
    url, sandbox = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{sandbox_port}"
    keys = {key: value for key, value in os.environ.items() if not key.startswith(("DEEPDASH_", "SANDBOX_"))}
    keys |= sandbox_environment(sandbox)
    keys |= {
        f"DEEPDASH_{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in (extra or {}).items()
    }
    if public:
        keys["DEEPDASH_PUBLIC_URL"] = url
    keys |= {
        "PORT": str(port),
        "DEEPDASH_DATA_DIR": str(data),
        "DEEPDASH_TOSCA_TEMPLATES_DIR": str(data / "tosca-templates" / "deep-oc"),
        "DEEPDASH_TOSCA_PARAMETERS_DIR": str(data / "tosca-templates" / "tosca-parameters"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        **(environment or {}),
    }
    options = ["--port", str(sandbox_port), "--speed", str(SPEED), "--dashboard", url]
    options += ["--state", str(data / "sandbox")] if keeps_state else []
    options += ["--catalogue", catalogue] if catalogue else []
    stack = Stack(url, sandbox, data, keys)
    stack.services = stack.process(sandbox_module, *options, log="sandbox.log")
    stack.web = stack.process("gunicorn", "-c", "gunicorn.conf.py", application)
    stack.beat = stack.process("celery", "-A", "deepdash", "beat")
    try:
        stack.services.start()
        wait_for(f"{sandbox}/control/", stack.services, data / "sandbox.log")
        stack.manage("migrate", "--no-input", "-v0")
        stack.manage("collectstatic", "--no-input", "-v0")
        stack.manage("refresh_catalog")
        stack.web.start()
        if "DEEPDASH_REDIS_URL" in keys:
            stack.start_worker()
            stack.beat.start()
        wait_for(f"{url}/readyz", stack.web, data / "web.log")
        yield stack
    finally:
        processes = [*stack.workers, stack.beat, stack.web, stack.services]
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
