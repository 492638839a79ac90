"""The whole thing as real processes on free ports: sandbox, database, catalogue, gunicorn.

Only what `make run` does, with a folder of its own and a faster clock in the sandbox.
"""

import json
import os
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """A running dashboard. ``url`` is its address, ``sandbox`` the sandbox's, ``log`` what the dashboard wrote.

    ``workers`` are Celery's, each a process group of its own; there are none without Redis.
    """

    url: str
    sandbox: str
    data: Path
    environment: dict[str, str]
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start_worker(self) -> None:
        """One more worker, with two processes."""
        with (self.data / "web.log").open("ab") as log:
            command = [sys.executable, "-m", "celery", "-A", "deepdash", "worker", "--concurrency=2",
                       f"--hostname=worker{len(self.workers)}@%h"]  # fmt: skip
            self.workers.append(
                subprocess.Popen(
                    command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
                )
            )

    def kill_workers(self) -> None:
        """Nothing is left of any worker, as when its machine lost power."""
        for worker in self.workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
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

    def calls(self, service: str) -> int:
        """How many requests the service has answered since they were last cleared."""
        counted = self.control("GET", "calls")["calls"]
        return sum(row["count"] for row in counted if row["service"] == service)

    def manage(self, *words: str) -> str:
        """Output of a manage.py command under the same configuration."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(words)} failed:\n{done.stderr[-3000:]}")
        return done.stdout


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
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
    public: bool = False,
) -> Iterator[Stack]:
    """A stack in the folder ``data``; ``extra`` are configuration keys that differ from the sandbox's.

    ``environment`` holds what is not configuration, such as WORKERS. With REDIS_URL a worker and beat run too.
    ``public``: it knows its own address, so that the orchestrator is told where to call back.
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
    if catalogue:
        options += ["--catalogue", catalogue]
    children = []
    stack = Stack(url, sandbox, data, keys)
    with (data / "sandbox.log").open("wb") as sandbox_log, (data / "web.log").open("ab") as web_log:
        try:
            children.append(_start(sandbox_module, *options, environment=keys, log=sandbox_log))
            wait_for(f"{sandbox}/control/", children[-1], data / "sandbox.log")
            stack.manage("migrate", "--no-input", "-v0")
            stack.manage("collectstatic", "--no-input", "-v0")
            stack.manage("refresh_catalog")
            web = _start("gunicorn", "-c", "gunicorn.conf.py", application, environment=keys, log=web_log)
            children.append(web)
            if "DEEPDASH_REDIS_URL" in keys:
                stack.start_worker()
                children.append(_start("celery", "-A", "deepdash", "beat", environment=keys, log=web_log))
            wait_for(f"{url}/readyz", web, data / "web.log")
            yield stack
        finally:
            children += stack.workers
            for child in reversed(children):
                child.terminate()
            for child in children:
                try:
                    child.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    child.kill()


def _start(*command: str, environment: dict[str, str], log: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=log, stderr=log)
