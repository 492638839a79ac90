"""gunicorn: threads rather than processes, as what we wait for is other people's HTTP.

Environment, as the original's container: PORT (5001), WORKERS, TIMEOUT (seconds), ENABLE_HTTPS with
/certs/cert.pem and /certs/key.pem.
"""

import gc
import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any

from gunicorn.glogging import Logger


def number(name: str, default: int, least: int = 1) -> int:
    """A whole number from the environment; empty counts as not given, as compose files pass on what is not set.

    Anything else ends the start in words: no processes at all (``WORKERS=0``) would answer nobody, silently.
    """
    given = os.environ.get(name, "").strip()
    if given.isdecimal() and int(given) >= least:
        return int(given)
    if given:
        print(f"{name} has to be a whole number of at least {least}, not {given!r}.", file=sys.stderr, flush=True)
        sys.exit(4)
    return default


bind = f"{os.environ.get('BIND') or '127.0.0.1'}:{number('PORT', 5001)}"
workers = number("WORKERS", 1)
threads = number("THREADS", 16)
worker_class = "gthread"
timeout = number("TIMEOUT", 60)
graceful_timeout = 15
keepalive = 5
# A net for leaks nobody knows of. Seldom, as meanwhile the others carry all, and keep the memory that this takes.
max_requests = 100_000
max_requests_jitter = 20_000
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
control_socket_disable = True  # nothing to steer from outside, and a read-only home must do


class JsonLines(logging.Formatter):
    """As ``deepdash.logs`` has them. The server must not load the dashboard, or it would fork what it read at start."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": "-",
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class ServerLogger(Logger):  # type: ignore[misc]
    """One form for all lines. The address of a callback holds its secret, which must not get into the access log."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        if os.environ.get("DEEPDASH_LOG_FORMAT", "").lower() == "json":
            for handler in (*self.error_log.handlers, *self.access_log.handlers):
                handler.setFormatter(JsonLines())

    def atoms(self, *args: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(*args)
        found["U"] = re.sub(r"(/callback/[^/]*/).*", r"\1[hidden]", str(found["U"]))
        return found


logger_class = ServerLogger
accesslog = "-" if os.environ.get("ACCESS_LOG") else None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'  # no query: it may hold codes

if os.environ.get("ENABLE_HTTPS", "").lower() in {"true", "yes", "on", "1"}:
    certfile = "/certs/cert.pem"
    keyfile = "/certs/key.pem"


def on_starting(server: Any) -> None:
    """Settings must know of several processes, also when ``gunicorn --workers`` asks for them."""
    os.environ["WORKERS"] = str(server.cfg.workers)


def post_worker_init(worker: Any) -> None:
    """Without Redis this process also does the periodic work."""
    # What was loaded is there to stay: left out of collections, these are quick, come sooner and find more.
    gc.collect()
    gc.freeze()
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
