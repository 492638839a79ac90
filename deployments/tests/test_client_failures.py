"""Every client turns every way in which its service can fail into one known problem, and tries no write twice."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import responses

from accounts.models import User
from accounts.testing import configure
from accounts.tokens import LoginExpired
from deepdash.http import ServiceError
from deployments.clients import base
from deployments.clients.cmdb import Cmdb
from deployments.clients.deepaas import Deepaas
from deployments.clients.im import Im
from deployments.clients.monitoring import Monitoring
from deployments.clients.orchestrator import Orchestrator
from deployments.clients.slam import Slam
from deployments.tests.conftest import CMDB, IM, MONITORING, ORCHESTRATOR, SLAM

TRAINING = "https://module.example.org"


@dataclass(frozen=True)
class Call:
    """One call of one client. ``json`` says whether it expects JSON."""

    method: str
    url: str
    make: Callable[[User], Any]
    json: bool = True


READS = {
    "orchestrator list": Call("GET", f"{ORCHESTRATOR}/deployments", lambda u: Orchestrator(u).deployments()),
    "orchestrator one": Call("GET", f"{ORCHESTRATOR}/deployments/u1", lambda u: Orchestrator(u).deployment("u1")),
    "orchestrator info": Call("GET", f"{ORCHESTRATOR}/info", lambda u: Orchestrator(u).info()),
    "orchestrator template": Call(
        "GET", f"{ORCHESTRATOR}/deployments/u1/template", lambda u: Orchestrator(u).template("u1"), json=False
    ),
    "orchestrator log": Call(
        "GET", f"{ORCHESTRATOR}/deployments/u1/log", lambda u: Orchestrator(u).log("u1"), json=False
    ),
    "orchestrator resources": Call(
        "GET", f"{ORCHESTRATOR}/deployments/u1/resources", lambda u: Orchestrator(u).resources("u1")
    ),
    "orchestrator extra info": Call(
        "GET", f"{ORCHESTRATOR}/deployments/u1/extrainfo", lambda u: Orchestrator(u).extra_info("u1")
    ),
    "orchestrator configuration": Call(
        "GET", f"{ORCHESTRATOR}/configuration", lambda u: Orchestrator(u).configuration()
    ),
    "slam": Call("GET", f"{SLAM}/rest/slam/preferences/indigo-dc", lambda u: Slam(u, SLAM).preferences("indigo-dc")),
    "cmdb": Call("GET", f"{CMDB}/service/id/s1", lambda u: Cmdb(u, CMDB).service("s1")),
    "im": Call("GET", f"{IM}/infrastructures/i1/contmsg", lambda u: Im(u, IM).contextualization_log("i1"), json=False),
    "monitoring": Call(
        "GET",
        f"{MONITORING}/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups/SITE/hosts/s1",
        lambda u: Monitoring(u, MONITORING).metrics("SITE", "s1"),
    ),
    "deepaas": Call("GET", f"{TRAINING}/v2/models/", lambda u: Deepaas(TRAINING).models()),
}
WRITES = {
    "create": Call(
        "POST", f"{ORCHESTRATOR}/deployments", lambda u: Orchestrator(u).create(template="t", parameters={})
    ),
    "update": Call(
        "PUT",
        f"{ORCHESTRATOR}/deployments/u1",
        lambda u: Orchestrator(u).update("u1", template="t", parameters={}),
        json=False,
    ),
    "reset": Call("PATCH", f"{ORCHESTRATOR}/deployments/u1", lambda u: Orchestrator(u).reset("u1"), False),
    "delete": Call("DELETE", f"{ORCHESTRATOR}/deployments/u1", lambda u: Orchestrator(u).delete("u1"), False),
    "action": Call(
        "POST", f"{ORCHESTRATOR}/deployments/u1/resources/r1/actions",
        lambda u: Orchestrator(u).action("u1", "r1", "stop"), False,
    ),
}  # fmt: skip
ALL = READS | WRITES
every_call = pytest.mark.parametrize("call", ALL.values(), ids=ALL.keys())


@pytest.fixture(autouse=True)
def _renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "token_refresh_now", lambda user, rejected="": "renewed-token")


def problem_of(call: Call, user: User) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        call.make(user)
    return caught.value


@every_call
@pytest.mark.parametrize(
    ("status", "id"),
    [
        (400, "service:refused"),
        (403, "service:denied"),
        (404, "service:missing"),
        (409, "service:conflict"),
        (429, "service:busy"),
        (500, "service:fault"),
        (502, "service:fault"),
        (503, "service:fault"),
    ],
)
def test_each_status_is_a_problem_of_its_own(
    call: Call, status: int, id: str, owner: User, wire: responses.RequestsMock
) -> None:
    wire.add(call.method, call.url, status=status, body="<html>nginx</html>", content_type="text/html")
    problem = problem_of(call, owner)
    assert problem.id == id
    assert problem.http_status == status
    assert "nginx" not in problem.detail
    assert len(wire.calls) == 1


@every_call
@pytest.mark.parametrize(
    ("failure", "id"),
    [
        (requests.exceptions.ConnectTimeout("slow"), "service:unreachable"),
        (requests.exceptions.ReadTimeout("slow"), "service:timeout"),
        (requests.exceptions.ConnectionError("refused"), "service:unreachable"),
        (requests.exceptions.SSLError("bad certificate"), "service:unreachable"),
        (requests.exceptions.ChunkedEncodingError("cut off"), "service:garbled"),
    ],
)
def test_no_answer_is_a_problem_too(
    call: Call, failure: Exception, id: str, owner: User, wire: responses.RequestsMock
) -> None:
    wire.add(call.method, call.url, body=failure)
    assert problem_of(call, owner).id == id


def test_a_write_is_sent_once_whatever_happens(owner: User, wire: responses.RequestsMock) -> None:
    for call in WRITES.values():
        wire.reset()
        wire.calls.reset()
        wire.add(call.method, call.url, body=requests.exceptions.ReadTimeout("slow"))
        assert problem_of(call, owner).maybe_done
        assert len(wire.calls) == 1


@pytest.mark.parametrize("call", [c for c in ALL.values() if c.json], ids=[n for n, c in ALL.items() if c.json])
@pytest.mark.parametrize("body", [b"{", b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b"'x'"])
def test_what_is_not_json_is_garbled(call: Call, body: bytes, owner: User, wire: responses.RequestsMock) -> None:
    if call is READS["orchestrator extra info"] and not body:
        return  # nothing said is said by nothing (contract 1.14)
    wire.add(call.method, call.url, body=body, status=200)
    assert problem_of(call, owner).id == "service:garbled"


@every_call
def test_a_redirect_elsewhere_never_takes_the_token_along(
    call: Call, owner: User, wire: responses.RequestsMock
) -> None:
    wire.add(call.method, call.url, status=302, headers={"Location": "https://evil.example.net/catch"})
    wire.add(responses.GET, "https://evil.example.net/catch", body="gotcha{")
    with suppress(ServiceError):
        call.make(owner)
    for sent in wire.calls:
        if str(sent.request.url).startswith("https://evil.example.net"):
            assert call.method == "GET"
            assert "Authorization" not in sent.request.headers
            assert "the-token-of-ada" not in str(sent.request.headers)


RENEWING = {name: call for name, call in ALL.items() if name not in {"orchestrator info", "cmdb", "deepaas"}}


@pytest.mark.parametrize("call", RENEWING.values(), ids=RENEWING.keys())
def test_after_a_401_the_token_is_renewed_once_and_the_call_repeated(
    call: Call, owner: User, wire: responses.RequestsMock
) -> None:
    wire.add(call.method, call.url, status=401, json={"message": "Invalid token: the-token-of-ada"})
    wire.add(call.method, call.url, status=500)
    assert problem_of(call, owner).id == "service:fault"
    tokens = [sent.request.headers["Authorization"] for sent in wire.calls]
    assert len(tokens) == 2
    assert "the-token-of-ada" in tokens[0]
    assert "renewed-token" in tokens[1]


@pytest.mark.parametrize("call", RENEWING.values(), ids=RENEWING.keys())
def test_a_second_401_ends_the_login(call: Call, owner: User, wire: responses.RequestsMock) -> None:
    wire.add(call.method, call.url, status=401, json={"message": "Invalid token: renewed-token"})
    with pytest.raises(LoginExpired) as caught:
        call.make(owner)
    assert len(wire.calls) == 2
    assert "renewed-token" not in str(caught.value)


def test_deepaas_is_called_without_any_token(owner: User, wire: responses.RequestsMock) -> None:
    wire.add(responses.GET, f"{TRAINING}/v2/models/", json={"models": []})
    assert Deepaas(TRAINING).models() == ()
    assert "Authorization" not in wire.calls[0].request.headers


class Slow(http.server.BaseHTTPRequestHandler):
    """Drips a byte at a time, or never stops sending."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            if "huge" in self.path:
                for _ in range(200):
                    self.wfile.write(b" " * 1024 * 1024)
            else:
                for _ in range(100):
                    self.wfile.write(b" ")
                    time.sleep(0.1)
        except OSError:
            pass  # the client had enough

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def slow_server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_endless_answer_is_cut_off(owner: User, slow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, ORCHESTRATOR_URL=f"{slow_server}/huge")
    with pytest.raises(ServiceError) as caught:
        Orchestrator(owner).deployments()
    assert caught.value.id == "service:garbled"


def test_a_dripping_answer_is_cut_off(owner: User, slow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, ORCHESTRATOR_URL=slow_server)
    orchestrator = Orchestrator(owner)
    orchestrator._listing.total_timeout = 0.3
    with pytest.raises(ServiceError) as caught:
        orchestrator.deployments()
    assert caught.value.id == "service:timeout"


def test_an_unconfigured_service_says_so(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, ORCHESTRATOR_URL="")
    with pytest.raises(ServiceError) as caught:
        Orchestrator(owner).deployments()
    assert caught.value.id == "service:unset"
