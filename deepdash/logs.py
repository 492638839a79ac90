"""Logging: every line carries the id of the request it belongs to, none carries a credential or a forged line."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from textwrap import indent

from deepdash.inert import inert, one_line
from deepdash.redact import redact

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to each record.

    Django says of refused requests that they were when the answer has left all middleware: the request knows its id.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        of_request = getattr(getattr(record, "request", None), "deepdash_id", "-")
        record.request_id = of_request if request_id.get() == "-" else request_id.get()
        return True


class RedactingFilter(logging.Filter):
    """Rewrites each record so that tokens and passwords never reach a log.

    A message becomes one line without control characters, a traceback is indented: what came from outside must not
    look like a line of ours or steer the terminal of whoever reads it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = one_line(redact(record.getMessage())), ()
        if record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
            record.exc_text, record.exc_info = indent(inert(redact(text)), "  ", lambda line: True), None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object per line, for log stores."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "request_id": getattr(record, "request_id", "-"),
            "message": record.getMessage(),
            "process": record.process,
        }
        if record.exc_text:
            line["exception"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)
