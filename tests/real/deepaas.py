"""The real DEEPaaS."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.environment import serving
from tests.stack import free_port

MODELS = Path(__file__).resolve().parent / "models"


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A DEEPaaS with the models of this folder; gives its address."""
    port = free_port()
    code = "import sys; from deepaas.cmd.run import main; sys.exit(main())"
    arguments = ["-c", code, "--listen-ip", "127.0.0.1", "--listen-port", str(port)]
    url = f"http://127.0.0.1:{port}"
    # It ignores SIGTERM while a training sleeps, and its workers are processes of their own.
    with serving("deepaas", arguments, f"{url}/v2/models/", folder, PYTHONPATH=str(MODELS)):
        yield url
