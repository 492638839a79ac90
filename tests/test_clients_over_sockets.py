"""Every client against a real server in every kind of trouble: each becomes one known problem, in time, and no token
or password gets anywhere else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from accounts import iam
from accounts.discovery import Provider
from accounts.models import User
from accounts.testing import configure, give_token, make_user
from accounts.tokens import LoginExpired
from catalog.sources.dockerhub import DockerHub
from catalog.sources.fetch import fetch, github_session
from catalog.sources.pictures import picture_session, read_picture
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.clients import base, webdav
from deployments.clients.cmdb import Cmdb
from deployments.clients.deepaas import Deepaas, probe
from deployments.clients.im import Im
from deployments.clients.monitoring import Monitoring
from deployments.clients.orchestrator import Orchestrator
from deployments.clients.slam import Slam
from tests.stack import free_port

TOKEN, RENEWED, PASSWORD = "the-token-of-ada", "the-renewed-token", "the-password-of-ada"
PATIENCE = 0.3  # seconds without a byte, in place of the clients' own, before those who say nothing are given up
MOST = 3  # requests, when the first was not answered
ENDLESS = 128  # MiB
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>nginx</body></html>"

CLIENTS: dict[str, Callable[[User, str], Any]] = {
    "orchestrator": lambda user, url: Orchestrator(user).deployments(),
    "orchestrator, text": lambda user, url: Orchestrator(user).template("u1"),
    "orchestrator, nobody's": lambda user, url: Orchestrator(None).info(),
    "slam": lambda user, url: Slam(user, url).preferences("indigo-dc"),
    "cmdb": lambda user, url: Cmdb(user, url).service("s1"),
    "im": lambda user, url: Im(user, url).contextualization_log("i1"),
    "monitoring": lambda user, url: Monitoring(user, url).metrics("SITE", "s1"),
    "deepaas": lambda user, url: Deepaas(url).models(),
    "deepaas, trainings": lambda user, url: Deepaas(url).trainings("plants"),
    "probe": lambda user, url: probe("JupyterLab", url),
    "webdav": lambda user, url: webdav.sign_in(f"{url}/dav/", "ada", PASSWORD),
    "iam, who": lambda user, url: iam.userinfo_read(TOKEN),
    "iam, code": lambda user, url: iam.token_by_code({"code": PASSWORD}),
    "iam, refresh": lambda user, url: iam.token_by_refresh(PASSWORD),
    "github": lambda user, url: fetch(github_session(), f"{url}/deephdc/deep-oc/master/MODULES.yml"),
    "docker hub": lambda user, url: DockerHub().read_tags("deephdc/deep-oc-plants"),
    "picture": lambda user, url: read_picture(picture_session(), github_session(), f"{url}/icon.png"),
}
TEXTUAL = {"orchestrator, text", "im", "github", "probe"}  # any text may be what was asked for
# Those whose 401 is about the user's own token, which is renewed once.
RENEWING = {"orchestrator", "orchestrator, text", "slam", "im", "monitoring"}
every = pytest.mark.parametrize("client", CLIENTS)


class Trouble(ThreadingHTTPServer):
    """Answers everything alike. ``status``, ``body``, ``headers`` and ``manner`` are set by the test."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status, self.body, self.manner = 200, b"{}", ""
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.written = 0  # MiB of an answer without end
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The client had enough."""


class _Answer(BaseHTTPRequestHandler):
    server: Trouble
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        server = self.server
        server.seen.append((self.command, self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.close_connection = True  # and it is said, else the next request may be sent into what is being closed
        if server.manner == "hang":
            server.over.wait()
            return
        if server.manner == "drop":
            return
        self.send_response(server.status)
        self.send_header("Connection", "close")
        for name, value in server.headers.items():
            self.send_header(name, value)
        if server.manner == "huge":
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            with suppress(OSError):
                for _ in range(ENDLESS):
                    self.wfile.write(b"[" * 1024 * 1024)
                    server.written += 1
            return
        if server.manner == "cut":
            self.send_header("Content-Length", str(len(server.body) + 100))
        else:
            self.send_header("Content-Length", str(len(server.body)))
        self.end_headers()
        self.wfile.write(server.body)

    do_GET = do_POST = do_PROPFIND = do_PUT = do_DELETE = _answer  # noqa: N815 - as the library calls them

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def trouble() -> Iterator[Trouble]:
    with Trouble() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


@pytest.fixture
def ada(db: None, monkeypatch: pytest.MonkeyPatch) -> User:
    user = make_user("ada")
    give_token(user, TOKEN)
    monkeypatch.setattr(base, "token_refresh_now", lambda user, rejected="": RENEWED)
    return user


def call(client: str, user: User, url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    configure(
        monkeypatch, ORCHESTRATOR_URL=url, SLAM_URL=url, CMDB_URL=url, IM_URL=url, MONITORING_URL=url,
        IAM_BASE_URL=url, DOCKERHUB_URL=url, GITHUB_RAW_URL=url, OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"],
    )  # fmt: skip
    endpoints = {f"{name}_endpoint": f"{url}/{name}" for name in ("authorization", "token", "userinfo")}
    monkeypatch.setattr(iam, "provider", lambda: Provider(issuer=url, jwks_uri=f"{url}/jwk", **endpoints))
    return CLIENTS[client](user, url)


def problem_of(client: str, user: User, url: str, monkeypatch: pytest.MonkeyPatch) -> Problem:
    with pytest.raises(Problem) as caught:
        call(client, user, url, monkeypatch)
    for secret in (TOKEN, RENEWED, PASSWORD):
        assert secret not in str(caught.value) + caught.value.detail
    return caught.value


@every
def test_nobody_listens(client: str, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(client, ada, f"http://127.0.0.1:{free_port()}", monkeypatch)
    assert problem.id == "service:unreachable"
    assert isinstance(problem, ServiceError)
    assert not problem.sent


@every
def test_it_accepts_and_says_nothing(client: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    request = requests.Session.request

    def hasty(self: requests.Session, *arguments: Any, **options: Any) -> requests.Response:
        connecting, reading = options["timeout"]
        assert 0 < reading <= 30, "its own patience has an end"
        return request(self, *arguments, **(options | {"timeout": (connecting, PATIENCE)}))

    monkeypatch.setattr(requests.Session, "request", hasty)
    trouble.manner = "hang"
    assert problem_of(client, ada, trouble.url, monkeypatch).id == "service:timeout"
    assert len(trouble.seen) <= MOST


@every
def test_it_hangs_up(client: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble.manner = "drop"
    assert problem_of(client, ada, trouble.url, monkeypatch).id == "service:unreachable"
    assert len(trouble.seen) <= MOST


@every
@pytest.mark.parametrize(
    ("status", "id"),
    [(403, "denied"), (404, "missing"), (409, "conflict"), (429, "busy"), (500, "fault"), (502, "fault"),
     (503, "fault"), (504, "fault")],
)  # fmt: skip
def test_each_status_with_a_web_page(
    client: str, status: int, id: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble.status, trouble.body, trouble.headers = status, HTML, {"Content-Type": "text/html", "Retry-After": "99"}
    if client == "probe":  # any status is an answer, and judged by who asked
        assert call(client, ada, trouble.url, monkeypatch) == status
        return
    problem = problem_of(client, ada, trouble.url, monkeypatch)
    assert problem.id == f"service:{id}"
    assert "nginx" not in problem.detail
    assert len(trouble.seen) == 1, "what was answered is not asked again"


@every
def test_a_401_renews_the_token_once_and_then_ends_the_login(
    client: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble.status, trouble.body = 401, b'{"error": "invalid_token"}'
    if client == "probe":
        assert call(client, ada, trouble.url, monkeypatch) == 401
        return
    if client in {"iam, code", "iam, refresh"}:  # the operator's secret is wrong: signing in again would not help
        with pytest.raises((ServiceError, iam.GrantRefused)) as refused:
            call(client, ada, trouble.url, monkeypatch)
        assert not isinstance(refused.value, LoginExpired)
        return
    problem = problem_of(client, ada, trouble.url, monkeypatch)
    tokens = [next((t for t in (TOKEN, RENEWED) if t in str(headers)), "") for _, _, headers in trouble.seen]
    if client in RENEWING:
        assert isinstance(problem, LoginExpired)
        assert tokens == [TOKEN, RENEWED]
    else:
        assert problem.id == "login:expired"
        assert len(trouble.seen) == 1


@pytest.mark.parametrize("client", sorted(set(CLIENTS) - TEXTUAL))
@pytest.mark.parametrize(
    "body",
    [b'{"content": [{', b"", HTML, b"\xff\xfe\x00", b"[" * 60_000],
    ids=["broken", "empty", "html", "binary", "deep"],
)
def test_what_is_not_json_is_garbled(
    client: str, body: bytes, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble.body = body
    assert problem_of(client, ada, trouble.url, monkeypatch).id in {"service:garbled", "catalog:bad-picture"}


@every
def test_an_answer_that_is_cut_off(client: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble.manner, trouble.body = "cut", b'{"half": '
    assert problem_of(client, ada, trouble.url, monkeypatch).id in {"service:garbled", "service:unreachable"}


@every
def test_an_answer_without_end_is_not_read_to_its_end(
    client: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble.manner = "huge"
    if client == "probe":
        assert call(client, ada, trouble.url, monkeypatch) == 200
        return
    assert problem_of(client, ada, trouble.url, monkeypatch).id == "service:garbled"
    assert trouble.written < ENDLESS


@every
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_takes_nothing_secret_elsewhere(
    client: str, status: int, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Trouble() as other:
        threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        other.body = b"{"
        trouble.status, trouble.headers = status, {"Location": f"{other.url}/catch"}
        with suppress(Problem):
            call(client, ada, trouble.url, monkeypatch)
        for method, path, headers in other.seen:
            assert method == "GET"
            assert "Authorization" not in headers
            assert not any(secret in path + str(headers) for secret in (TOKEN, RENEWED, PASSWORD))
        other.shutdown()


@every
def test_a_redirect_in_a_circle_ends(client: str, ada: User, trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble.status, trouble.headers = 302, {"Location": f"{trouble.url}/again"}
    with suppress(Problem):
        call(client, ada, trouble.url, monkeypatch)
    assert 1 <= len(trouble.seen) <= 4
