"""What the doctor says of certificates, clocks and background work; of living services: tests/test_doctor.py."""

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from time import time
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.core.management import call_command
from django.db import OperationalError
from pytest_django import Settings

from accounts.testing import configure
from deepdash import doctor
from deepdash.answers import Answer
from deepdash.doctor import Finding, Level, answering, background_work, data_folder, drift, own_certificate
from deepdash.queue import SILENCE
from tests.certificates import make_certificate

Serve = Callable[..., tuple[str, str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """``serve(ends=timedelta(…), ahead=0)``: address and CA bundle of a service with such a certificate and clock."""
    running: list[HTTPServer] = []

    def start(*, ends: timedelta = timedelta(days=90), ahead: float = 0) -> tuple[str, str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(200)
                self.send_header("Date", formatdate(time() + ahead, usegmt=True))
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: Any) -> None: ...

        make_certificate(tmp_path, ends=ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return f"https://localhost:{server.server_port}", str(tmp_path / "cert.pem")

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def unwell(findings: Iterator[Finding]) -> list[tuple[str, str, str]]:
    return [(found.level.value, found.subject, f"{found.text} → {found.mend}") for found in findings
            if found.level != Level.OK]  # fmt: skip


def test_a_service_in_order_is_well(serve: Serve) -> None:
    url, bundle = serve()
    found = list(answering("SLAM", "SLAM_URL", url, verify=bundle))
    assert [finding.subject for finding in found] == ["SLAM", "SLAM: certificate"]
    assert unwell(iter(found)) == []


def test_a_certificate_that_ends_soon_is_named(serve: Serve) -> None:
    url, bundle = serve(ends=timedelta(days=5, hours=1))
    ((level, subject, text),) = unwell(answering("SLAM", "SLAM_URL", url, verify=bundle))
    assert (level, subject) == ("warn", "SLAM: certificate")
    assert "It ends in 5 days" in text


def test_a_certificate_that_has_ended_is_told_from_one_of_an_unknown_authority(serve: Serve) -> None:
    url, bundle = serve(ends=timedelta(days=-3))
    ((level, subject, text),) = unwell(answering("SLAM", "SLAM_URL", url, verify=bundle))
    assert (level, subject) == ("FAIL", "SLAM")
    assert "renew the certificate" in text
    url, _ = serve()
    ((level, subject, text),) = unwell(answering("SLAM", "SLAM_URL", url, verify=True))
    assert (level, subject) == ("FAIL", "SLAM")
    assert "name that authority's file in SLAM_CERT" in text


@pytest.mark.parametrize(("ahead", "said"), [(300, "behind"), (-300, "ahead of")])
def test_clocks_that_differ_are_named(serve: Serve, ahead: float, said: str) -> None:
    url, bundle = serve(ahead=ahead)
    ((level, subject, text),) = unwell(answering("SLAM", "SLAM_URL", url, verify=bundle))
    assert (level, subject) == ("warn", "SLAM: clock")
    assert said in text


@pytest.mark.parametrize(("ends", "found"), [(90, []), (10, ["warn"]), (-1, ["FAIL"])], ids=["long", "soon", "ended"])
def test_the_dashboards_own_certificate_is_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: int, found: list[str]
) -> None:
    settings.ENABLE_HTTPS = True
    monkeypatch.setattr(doctor, "CERTIFICATE", tmp_path / "cert.pem")
    monkeypatch.setattr(doctor, "KEY", tmp_path / "key.pem")
    ((level, _, text),) = unwell(own_certificate())
    assert (level, "can't be read" in text) == ("FAIL", True)
    make_certificate(tmp_path, ends=timedelta(days=ends, hours=1 if ends > 0 else -1))
    assert [level for level, _, _ in unwell(own_certificate())] == found
    (tmp_path / "cert.pem").write_text("no certificate")
    assert "is not a PEM certificate" in unwell(own_certificate())[0][2]


class Broker:
    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *details: object) -> None: ...

    def ping(self) -> None: ...


@pytest.mark.parametrize(
    ("workers", "age", "found"),
    [
        ([{"worker1@host": {"ok": "pong"}}], 10.0, []),
        ([{"worker1@host": {"ok": "pong"}}], None, [("FAIL", "Beat", "never")]),
        ([{"worker1@host": {"ok": "pong"}}], SILENCE + 1, [("FAIL", "Beat", "186 s ago")]),
        ([], 10.0, [("FAIL", "Worker", "None answers")]),
    ],
)
def test_dead_workers_and_a_dead_beat_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, workers: list[Any], age: float | None, found: list[tuple[str, str, str]]
) -> None:
    from deepdash.celery import app

    configure(monkeypatch, REDIS_URL="redis://127.0.0.1:9")
    monkeypatch.setattr(doctor, "broker", Broker)
    monkeypatch.setattr(doctor, "queue_length", lambda: 0)
    monkeypatch.setattr(doctor, "heartbeat_age", lambda: age)
    monkeypatch.setattr(app.control, "ping", lambda timeout: workers)
    said = unwell(background_work())
    assert [(level, subject) for level, subject, _ in said] == [(level, subject) for level, subject, _ in found]
    assert all(words in text for (_, _, text), (_, _, words) in zip(said, found, strict=True))


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    response = requests.Response()
    response.headers["Date"] = format_datetime(datetime.now(UTC).replace(tzinfo=None))  # ends in -0000
    assert list(drift("IAM", Answer("IAM", response, b""))) == []


def test_a_disk_that_is_nearly_full_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configure(monkeypatch, DATA_DIR=str(tmp_path))
    assert unwell(data_folder()) == []

    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=5 * 1024**2))
    ((level, subject, said),) = unwell(data_folder())
    assert (level, subject) == ("warn", "Data folder")
    assert "has 5 MiB left" in said


def test_what_needs_the_database_is_not_blamed_while_it_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def signing_in() -> Iterator[Finding]:
        raise OperationalError("disk I/O error")
        yield

    monkeypatch.setattr("deepdash.management.commands.doctor.examinations", [signing_in])
    said = StringIO()
    call_command("doctor", stdout=said)
    assert "Signing in: Not looked at: it needs the database." in said.getvalue()
    assert "0 well, 1 warnings, 0 failures" in said.getvalue()
