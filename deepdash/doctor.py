"""What ``manage.py doctor`` is made of: examinations of the living site, one finding per line.

Every app adds its own in a module ``doctor``, decorated with ``@examination``; here are those of the site itself.
An examination only looks: it writes nothing and sends no user's token.
"""

import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from django.conf import settings
from django.core.checks import ERROR, WARNING, run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from deepdash.config import config
from deepdash.http import Answer, ServiceError, ServiceSession
from deepdash.inert import one_line
from deepdash.queue import SILENCE, broker, heartbeat_age, queue_length
from deepdash.rotation import encrypted_fields, rotate

EXPIRY_NEAR = 21  # days
SPACE_NEAR = 200 * 1024 * 1024  # bytes; a checkout of templates and a day of a small database
DRIFT = 30.0  # seconds; tokens are judged by the clock
CERTIFICATE, KEY = Path("/certs/cert.pem"), Path("/certs/key.pem")  # as in gunicorn.conf.py


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and when it is not well, how to mend it."""

    level: Level
    subject: str
    text: str
    mend: str = ""


Examination = Callable[[], Iterator[Finding]]
examinations: list[Examination] = []


def examination(examine: Examination) -> Examination:
    examinations.append(examine)
    return examine


def ok(subject: str, text: str) -> Finding:
    return Finding(Level.OK, subject, text)


def warn(subject: str, text: str, mend: str) -> Finding:
    return Finding(Level.WARN, subject, text, mend)


def fail(subject: str, text: str, mend: str) -> Finding:
    return Finding(Level.FAIL, subject, text, mend)


def failed_call(subject: str, key: str, error: ServiceError) -> Finding:
    """A call that did not succeed, in words an operator can act on."""
    mend = {
        "service:unset": f"Set {key}.",
        "service:unreachable": f"Check {key}, the network and firewall between here and there, and that it runs.",
        "service:timeout": f"Check that {key} is right and the service well; a firewall may drop packets.",
        "service:fault": "Look into the service's own log, and that of the proxy in front of it.",
        "service:garbled": f"Check that {key} leads to this very service: something else seems to answer.",
        "service:missing": f"Check the path in {key}.",
        "service:busy": "Wait a minute and look again.",
    }.get(error.id, f"Check {key}.")
    if "certificate has expired" in error.detail or "not yet valid" in error.detail:
        mend = "Have its operator renew the certificate, and see that this machine's clock is right."
    elif "certificate" in error.detail:
        bundle = f"{key.removesuffix('_BASE_URL').removesuffix('_URL')}_CERT"
        mend = f"If an authority of your own has signed its certificate, name that authority's file in {bundle}."
    return fail(subject, f"{error.headline} {one_line(error.detail)[:200]}".strip(), mend)


def answering(subject: str, key: str, url: str, *, verify: bool | str, path: str = "", shape: type | None = None,
              accept: tuple[int, ...] = ()) -> Iterator[Finding]:  # fmt: skip
    """Does the service at ``url`` answer? Statuses in ``accept`` (a token is missing, ...) are answers as well.

    With ``shape`` a 2xx must hold JSON of that type: something else at the address is found out by it.
    """
    try:
        answer = ServiceSession(subject, url, verify=verify).get(path, ok=accept)
        if shape is not None and answer.status < 300 and not isinstance(answer.json(), shape):
            raise ServiceError("service:garbled", service=subject, detail=answer.text[:100])
    except ServiceError as error:
        yield failed_call(subject, key, error)
        return
    yield ok(subject, f"{url} answers ({answer.status}).")
    yield from drift(subject, answer)
    yield from certificate(subject, url, verify)


def drift(subject: str, answer: Answer) -> Iterator[Finding]:
    """Tokens expire by the clock: theirs and ours must agree."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)  # "-0000" names no zone (RFC 5322)
    off = (datetime.now(UTC) - theirs).total_seconds()
    if abs(off) > DRIFT:
        where = "ahead of" if off > 0 else "behind"
        yield warn(f"{subject}: clock", f"This machine's clock is {abs(off):.0f} s {where} its clock.",
                   "Synchronise the clocks (NTP): tokens are refused when they differ.")  # fmt: skip


def certificate(subject: str, url: str, verify: bool | str) -> Iterator[Finding]:
    """How long the certificate of an https service still lasts; whether it is trusted is known already."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return
    context = ssl.create_default_context()
    if isinstance(verify, str):
        place = Path(verify)
        context.load_verify_locations(capath=verify) if place.is_dir() else context.load_verify_locations(verify)
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname=parts.hostname) as secured,
        ):
            found = secured.getpeercert() or {}
    except (OSError, ssl.SSLError) as error:
        yield warn(f"{subject}: certificate", f"It can't be read: {error}", "Look at it with: openssl s_client.")
        return
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)
    yield expiry(f"{subject}: certificate", ends)


def expiry(subject: str, ends: datetime) -> Finding:
    days = (ends - datetime.now(UTC)).days
    if days < 0:
        return fail(subject, f"It ended on {ends:%d %b %Y}.", "Renew it.")
    if days < EXPIRY_NEAR:
        return warn(subject, f"It ends in {days} days, on {ends:%d %b %Y}.", "Renew it.")
    return ok(subject, f"Valid until {ends:%d %b %Y}.")


@examination
def configuration() -> Iterator[Finding]:
    """The checks that are also made at start."""
    found = [message for message in run_checks() if message.level >= WARNING]
    for message in found:
        make = fail if message.level >= ERROR else warn
        yield make("Configuration", f"{message.msg} ({message.id})", str(message.hint or ""))
    if not found:
        yield ok("Configuration", "No contradictions.")


@examination
def own_certificate() -> Iterator[Finding]:
    """With ENABLE_HTTPS gunicorn itself needs certificate and key."""
    if not settings.ENABLE_HTTPS:
        return
    for path in (CERTIFICATE, KEY):
        try:
            path.read_bytes()
        except OSError as error:
            yield fail("Own certificate", f"{path} can't be read: {error.strerror}.",
                       "Mount it there, readable by the user the dashboard runs as.")  # fmt: skip
            return
    try:
        found = x509.load_pem_x509_certificate(CERTIFICATE.read_bytes())
    except ValueError:
        yield fail("Own certificate", f"{CERTIFICATE} is not a PEM certificate.", "Convert it with openssl.")
        return
    yield expiry("Own certificate", found.not_valid_after_utc)


@examination
def database() -> Iterator[Finding]:
    name = "PostgreSQL" if config.DATABASE_URL else "SQLite"
    try:
        with connection.cursor() as cursor:
            before = time.time()
            cursor.execute("SELECT EXTRACT(EPOCH FROM clock_timestamp())" if config.DATABASE_URL else "SELECT 1")
            told = float(cursor.fetchone()[0])
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        mend = "Check DATABASE_URL and that the server runs." if config.DATABASE_URL else "Check DATA_DIR."
        yield fail("Database", f"{name} does not answer: {one_line(str(error))[:200]}", mend)
        return
    if missing:
        yield fail("Database", f"{len(missing)} migrations are missing.", "Run: python manage.py migrate")
    else:
        yield ok("Database", f"{name} answers, migrations are complete.")
    if config.DATABASE_URL and abs(told - before) > DRIFT:
        yield warn("Database: clock", f"It differs by {abs(told - before):.0f} s from ours.", "Synchronise (NTP).")


@examination
def data_folder() -> Iterator[Finding]:
    """What is kept (secrets, SQLite, the template checkout) needs a place to write, and must not be everybody's."""
    folder = config.data_dir
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield fail("Data folder", f"{folder} can't be written: {error.strerror}.", "Mend DATA_DIR or its permissions.")
        return
    open_files = [path.name for path in (folder / "secret-key", folder / "token-key")
                  if path.exists() and path.stat().st_mode & 0o077]  # fmt: skip
    if open_files:
        yield warn("Data folder", f"{', '.join(open_files)} may be read by other users.", "chmod 600 them.")
    free = shutil.disk_usage(folder).free
    if free < SPACE_NEAR:
        yield warn("Data folder", f"{folder} has {free // 1024**2} MiB left.", "Make room, or give it a larger volume.")
    elif not open_files:
        yield ok("Data folder", f"{folder} can be written, {free // 1024**3} GiB are left.")


@examination
def token_keys() -> Iterator[Finding]:
    """A key that is not the one things were encrypted with shows only as users who have to sign in again."""
    try:
        counts = [rotate(model, field, dry=True) for model, field in encrypted_fields()]
    except (DatabaseError, ValueError):
        return  # its own examination says so; of keys that are none, the checks
    lost, old = (sum(count[state] for count in counts) for state in ("lost", "old"))
    if lost:
        yield fail("Token keys", f"{lost} stored values can't be decrypted with any of TOKEN_KEYS.",
                   "Put the key they were made with last; if it is gone, users sign in again.")  # fmt: skip
    elif old:
        yield ok("Token keys", f"{old} stored values still need an old key (manage.py rotate_keys).")
    else:
        yield ok("Token keys", "The first one opens all that is stored.")


@examination
def background_work() -> Iterator[Finding]:
    """Redis, a worker, and beat; without Redis the web processes do the work."""
    if not config.REDIS_URL:
        yield ok("Background work", "Done by the web processes (REDIS_URL is not set).")
        return
    try:
        with broker() as redis:
            redis.ping()
    except (RedisError, OSError) as error:
        yield fail("Redis", f"It does not answer: {one_line(str(error))[:200]}",
                   "Check REDIS_URL and that it runs. Pages go on without it, background work does not.")  # fmt: skip
        return
    yield ok("Redis", f"It answers; {queue_length()} tasks wait.")
    from deepdash.celery import app

    names = [name for answer in app.control.ping(timeout=2) or [] for name in answer]
    if names:
        yield ok("Worker", f"{len(names)} alive.")
    else:
        yield fail("Worker", "None answers.", "Start one: celery -A deepdash worker")
    age = heartbeat_age()
    if age is not None and age < SILENCE:
        yield ok("Beat", f"Last heard of {age:.0f} s ago.")
    elif names:
        since = "never" if age is None else f"{age:.0f} s ago"
        yield fail("Beat", f"Last heard of: {since}.", "Start exactly one (celery -A deepdash beat), wait a minute.")
