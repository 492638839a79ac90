"""The real DEEPaaS."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.real.environment import environment
from tests.stack import free_port

MODELS = Path(__file__).resolve().parent / "models"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A DEEPaaS with the models of this folder; gives its address."""
    port = free_port()
    python = environment("deepaas") / "bin" / "python"
    code = "import sys; from deepaas.cmd.run import main; sys.exit(main())"
    keys = {"PATH": os.environ["PATH"], "PYTHONPATH": str(MODELS), "HOME": str(folder)}
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
            if process.poll() is None:
                os.killpg(process.pid, 9)
            process.wait(timeout=20)
