"""PostgreSQL and Redis of this machine's packages, on free ports, in folders of their own."""

import glob
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.stack import free_port


def program(name: str, places: str = "") -> str:
    """Where a server's program is; the test is skipped where there is none (which CI does not let pass)."""
    found = shutil.which(name) or next(iter(sorted(glob.glob(places), reverse=True)), "")  # noqa: PTH207 - absolute
    if not found:
        pytest.skip(f"{name} is not installed (apt install postgresql redis-server nginx-light)")
    return found


def _as_postgres(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root, as which containers of CI run."""
    if os.geteuid():
        return list(command)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]


def _wait(answers: list[str], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while subprocess.run(answers, capture_output=True).returncode:
        if time.monotonic() > until:
            raise RuntimeError(f"{' '.join(answers)} does not succeed")
        time.sleep(0.1)


def _descendants(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
        return [*children, *(below for child in children for below in _descendants(child))]
    return []


class Server:
    """A server process. ``url`` is its address; it can be stopped or killed, and started again with its data.

    ``ends_by`` is the signal at which it ends without waiting for its clients.
    """

    def __init__(
        self, command: list[str], answers: list[str], url: str, cwd: Path, ends_by: signal.Signals = signal.SIGTERM
    ) -> None:
        self.command, self.answers, self.url, self.cwd, self.ends_by = command, answers, url, cwd, ends_by

    def start(self) -> None:
        with (self.cwd / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.cwd, stdout=log, stderr=log, start_new_session=True)
        _wait(self.answers)

    def kill(self) -> None:
        """Nothing is left of it and its children, as when its machine lost power; its data stay."""
        for pid in [self.process.pid, *_descendants(self.process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(self.ends_by)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)


@contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """A database server whose database ``deepdash`` may be changed at will."""
    initdb = program("initdb", "/usr/lib/postgresql/*/bin/initdb")
    bin_folder = Path(initdb).resolve().parent
    place = Path(f"/var/tmp/{folder.name}-{os.getpid()}-postgres") if os.geteuid() == 0 else folder / "postgres"  # noqa: S108
    place.mkdir(mode=0o755)
    try:
        if os.geteuid() == 0:  # pytest's own folders are closed to other users
            shutil.chown(place, "postgres")
        port = free_port()
        options = ["--auth=trust", "--username=deepdash", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run(
            _as_postgres(initdb, "-D", str(place / "data"), *options), cwd=place, check=True, capture_output=True
        )
        command = _as_postgres(
            str(bin_folder / "postgres"), "-D", str(place / "data"), "-p", str(port), "-h", "127.0.0.1",
            "-k", "", "-F",
        )  # fmt: skip
        ready = [str(bin_folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-d", "postgres"]
        server = Server(command, ready, f"postgres://deepdash@127.0.0.1:{port}/deepdash", place, signal.SIGINT)
        server.start()
        try:
            subprocess.run(
                [str(bin_folder / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "deepdash", "deepdash"],
                check=True,
            )
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def redis(folder: Path) -> Iterator[Server]:
    """A Redis that keeps nothing on disk."""
    server_program, client = program("redis-server"), program("redis-cli")
    place = folder / "redis"
    place.mkdir()
    port = free_port()
    command = [
        server_program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(place),
    ]
    server = Server(command, [client, "-p", str(port), "ping"], f"redis://127.0.0.1:{port}", place)
    server.start()
    try:
        yield server
    finally:
        server.stop()
