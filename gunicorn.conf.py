"""gunicorn: threads rather than processes, as what we wait for is other people's HTTP.

Environment, as the original's container: PORT (5001), WORKERS, TIMEOUT (seconds), ENABLE_HTTPS with
/certs/cert.pem and /certs/key.pem.
"""

import os
import re
import sys
from typing import Any

from gunicorn.glogging import Logger

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '5001')}"
workers = int(os.environ.get("WORKERS", "1"))
threads = int(os.environ.get("THREADS", "16"))
worker_class = "gthread"
timeout = int(os.environ.get("TIMEOUT", "60"))
graceful_timeout = 15
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True  # nothing to steer from outside, and a read-only home must do


class AccessLogger(Logger):  # type: ignore[misc]
    """The address of a callback holds its secret, which must not get into the access log."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(*args)
        found["U"] = re.sub(r"(/callback/[^/]*/).*", r"\1[hidden]", str(found["U"]))
        return found


logger_class = AccessLogger
accesslog = "-" if os.environ.get("ACCESS_LOG") else None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'  # no query: it may hold codes

if os.environ.get("ENABLE_HTTPS", "").lower() == "true":
    certfile = "/certs/cert.pem"
    keyfile = "/certs/key.pem"


def on_starting(server: Any) -> None:
    """Settings must know of several processes, also when ``gunicorn --workers`` asks for them."""
    os.environ["WORKERS"] = str(server.cfg.workers)


def post_worker_init(worker: Any) -> None:
    """Without Redis this process also does the periodic work."""
    from django.conf import settings

    from deepdash.metrics import start_flushing

    start_flushing()
    if settings.EMBEDDED:
        from deepdash.embedded import start_scheduler

        start_scheduler()


def worker_exit(server: Any, worker: Any) -> None:
    """What was counted since the last flush."""
    if "deepdash.metrics" in sys.modules:  # it may have ended while starting
        sys.modules["deepdash.metrics"].flush()
