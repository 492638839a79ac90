"""Redis over TLS: its certificate is checked, by the cache and by the queue alike."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import make_certificate
from tests.servers import Server, program
from tests.stack import ROOT, free_port

pytestmark = pytest.mark.redis
USE = """
import django; django.setup()
from django.core.cache import cache
from deepdash.celery import app
from deepdash.queue import broker
cache.set("a", 1); print("cache", cache.get("a"))
for name, use in (("broker", lambda: broker().ping()),
                  ("celery", lambda: app.connection().ensure_connection(max_retries=1, interval_start=0))):
    try:
        use(); print(name, "yes")
    except Exception as error:
        print(name, "no", "CERTIFICATE_VERIFY_FAILED" in str(error))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    port = free_port()
    command = [program("redis-server"), "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "",
               "--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no"]  # fmt: skip
    ping = [program("redis-cli"), "--tls", "--insecure", "-p", str(port), "ping"]
    made = Server(command, ping, f"rediss://localhost:{port}", folder)
    made.start()
    yield made
    made.stop()


def used(server: Server, **keys: str) -> list[str]:
    environment = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "deepdash.settings",
                   "DEEPDASH_DATA_DIR": str(server.cwd), "DEEPDASH_REDIS_URL": server.url,
                   **{f"DEEPDASH_{key}": value for key, value in keys.items()}}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", USE], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_an_authority_of_ones_own_is_named_by_redis_cert(server: Server) -> None:
    assert used(server, REDIS_CERT=str(server.cwd / "cert.pem")) == ["cache 1", "broker yes", "celery yes"]


def test_a_certificate_that_nobody_vouches_for_is_refused_by_all(server: Server) -> None:
    assert used(server) == ["cache None", "broker no True", "celery no True"]


def test_a_certificate_for_another_name_is_refused(server: Server, tmp_path: Path) -> None:
    other = Server([], [], server.url.replace("localhost", "127.0.0.2"), server.cwd)
    assert used(other, REDIS_CERT=str(server.cwd / "cert.pem"))[1:] in (
        ["broker no True", "celery no True"], ["broker no False", "celery no False"],
    )  # fmt: skip
