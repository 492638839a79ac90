"""The real DEEPaaS, in an environment of its own that is made once from the hash-checked list."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.stack import ROOT, free_port

HERE = Path(__file__).resolve().parent
LIST = HERE / "requirements-deepaas.txt"
ENVIRONMENT = ROOT / ".venv-deepaas"


def environment() -> Path:
    """The folder of the environment; made, or made anew when the list has changed. Raises CalledProcessError."""
    mark = ENVIRONMENT / "made-from"
    wanted = hashlib.sha256(LIST.read_bytes()).hexdigest()
    if mark.is_file() and mark.read_text() == wanted:
        return ENVIRONMENT
    # Made beside and moved into place, as several test processes may come here at once.
    fresh = ROOT / f".venv-deepaas-{os.getpid()}"
    try:
        subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, fresh], check=True)
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(fresh)]
        subprocess.run([*install, "--require-hashes", "-r", str(LIST)], check=True)
        (fresh / "made-from").write_text(wanted)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        try:
            fresh.rename(ENVIRONMENT)
        except OSError:  # another one was quicker
            if not mark.is_file():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return ENVIRONMENT


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A DEEPaaS with the models of this folder; gives its address."""
    port = free_port()
    python = environment() / "bin" / "python"
    # Called as a module: the scripts of an environment that was moved point to where it was made.
    code = "import sys; from deepaas.cmd.run import main; sys.exit(main())"
    keys = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HERE / "models"), "HOME": str(folder)}
    with (folder / "deepaas.log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-c", code, "--listen-ip", "127.0.0.1", "--listen-port", str(port)],
            env=keys, stdout=log, stderr=log, cwd=folder, start_new_session=True,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 60
            while True:
                try:
                    requests.get(f"{url}/v2/models/", timeout=2)
                    break
                except requests.RequestException:
                    if process.poll() is not None or time.monotonic() > until:
                        said = (folder / "deepaas.log").read_text(errors="replace")[-3000:]
                        raise RuntimeError(f"DEEPaaS did not start:\n{said}") from None
                    time.sleep(0.1)
            yield url
        finally:
            # It ignores SIGTERM while a training sleeps, and its workers are processes of their own.
            os.killpg(process.pid, 9)
            process.wait(timeout=20)
