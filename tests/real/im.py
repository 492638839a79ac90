"""The real Infrastructure Manager, with its provider that only pretends to start machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.real.environment import serving
from tests.stack import free_port

_MAIN = """
import sys
from IM.config import Config
folder, port, issuer = sys.argv[1:]
del sys.argv[1:]
Config.REST_ADDRESS, Config.REST_PORT = "127.0.0.1", int(port)
Config.DATA_DB, Config.LOG_FILE = folder + "/im.db", folder + "/im.log"
Config.OIDC_ISSUERS = [issuer]
from IM.im_service import main
main()
"""
# One machine, and a recipe for it: only a machine that is set up has a log.
MACHINE = """
network pub (outbound = 'yes')
system front (
  cpu.count >= 1 and memory.size >= 512m and net_interface.0.connection = 'pub' and
  disk.0.os.name = 'linux' and disk.0.image.url = 'mock0://linux.for.ev.er'
)
configure front (
@begin
---
  - tasks:
    - shell: echo hello
@end
)
deploy front 1
"""


@contextmanager
def running(folder: Path, *, issuer: str) -> Iterator[str]:
    """An Infrastructure Manager that takes the tokens of ``issuer``; gives its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    # At SIGTERM its threads would wait for the machines' SSH.
    with serving("im", ["-c", _MAIN, str(folder), str(port), issuer], f"{url}/version", folder):
        yield url


def infrastructure(url: str, token: str) -> str:
    """Make one machine in the name of the token's owner; its infrastructure's id."""
    header = rf"id = dummy; type = Dummy;\nid = im; type = InfrastructureManager; token = {token};"
    answer = requests.post(
        f"{url}/infrastructures",
        data=MACHINE,
        headers={"Authorization": header, "Content-Type": "text/plain", "Accept": "application/json"},
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["uri"]).rpartition("/")[2]
