"""The one way out, against small real servers: limits, redirects, refusals, and where a token may go."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import BaseModel

from deepdash.http import ServiceError, ServiceSession, Unauthorized, side_by_side

Reply = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A server on loopback that answers with ``reply`` and remembers what it was sent."""

    def __init__(self, reply: Reply) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                server.seen.append((self.command, self.path, dict(self.headers)))
                reply(self)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - names of the base class

            def log_message(self, *args: object) -> None:
                pass

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_address[1]}"
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], Server]]:
    servers: list[Server] = []

    def start(reply: Reply) -> Server:
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.httpd.shutdown()
        server.httpd.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def failure(url: str, method: str = "GET", **options: object) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        ServiceSession("SLAM", url, **options).request(method, "/x")  # type: ignore[arg-type]
    return caught.value


def test_json_is_read_whatever_its_label(serve: Callable[[Reply], Server]) -> None:
    server = serve(says(200, b'{"a": 1}', Content_Type="text/plain;charset=utf-8"))
    assert ServiceSession("CMDB", server.url).get("/x").json() == {"a": 1}


def test_our_name_and_the_token_are_sent(serve: Callable[[Reply], Server]) -> None:
    server = serve(says(204))
    ServiceSession("SLAM", server.url, token="tok").get("/x")
    headers = server.seen[0][2]
    assert headers["Authorization"] == "Bearer tok"
    assert headers["User-Agent"].startswith("deepdash/")


@pytest.mark.parametrize(
    ("status", "id"),
    [
        (400, "service:refused"),
        (403, "service:denied"),
        (404, "service:missing"),
        (409, "service:conflict"),
        (422, "service:refused"),
        (429, "service:busy"),
        (500, "service:fault"),
        (503, "service:fault"),
    ],
)
def test_each_status_has_its_meaning(serve: Callable[[Reply], Server], status: int, id: str) -> None:
    server = serve(says(status, b'{"code": 1, "message": "because"}', Content_Type="application/json"))
    error = failure(server.url)
    assert (error.id, error.http_status) == (id, status)
    assert "because" in error.detail
    assert error.headline.startswith("SLAM")


def test_a_401_is_told_apart_and_its_echoed_token_hidden(serve: Callable[[Reply], Server]) -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    server = serve(says(401, f'{{"message": "Invalid token: {token}"}}'.encode(), Content_Type="application/json"))
    error = failure(server.url)
    assert isinstance(error, Unauthorized)
    assert token not in error.detail
    assert "[hidden]" in error.detail


def test_a_proxys_web_page_is_not_shown_as_the_services_words(serve: Callable[[Reply], Server]) -> None:
    error = failure(serve(says(502, b"<html><h1>Bad Gateway</h1></html>", Content_Type="text/html")).url)
    assert "<h1>" not in error.detail
    assert error.unavailable


def test_the_wait_that_a_429_asks_for_is_kept(serve: Callable[[Reply], Server]) -> None:
    assert failure(serve(says(429, Retry_After="7")).url).retry_after == 7
    assert failure(serve(says(429, Retry_After="²")).url).retry_after is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 100_000])
def test_broken_json_is_a_garbled_answer(serve: Callable[[Reply], Server], body: bytes) -> None:
    answer = ServiceSession("SLAM", serve(says(200, body)).url).get("/x")
    with pytest.raises(ServiceError) as caught:
        answer.json()
    assert caught.value.id == "service:garbled"


def test_json_of_another_shape_is_a_garbled_answer(serve: Callable[[Reply], Server]) -> None:
    class Shape(BaseModel):
        uuid: str

    answer = ServiceSession("SLAM", serve(says(200, b'{"uuid": [1]}')).url).get("/x")
    with pytest.raises(ServiceError) as caught:
        answer.parse(Shape)
    assert "uuid" in caught.value.detail


def test_silence_is_a_timeout(serve: Callable[[Reply], Server]) -> None:
    error = failure(serve(lambda handler: time.sleep(2)).url, read_timeout=0.3)
    assert error.id == "service:timeout"


def test_a_dripping_answer_ends_at_the_total_limit(serve: Callable[[Reply], Server]) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(50):
            try:
                handler.wfile.write(b"x" * 70_000)
            except OSError:
                return
            time.sleep(0.1)

    error = failure(serve(drip).url, read_timeout=5, total_timeout=0.5)
    assert error.id == "service:timeout"


def test_a_huge_answer_is_cut_off(serve: Callable[[Reply], Server]) -> None:
    error = failure(serve(says(200, b"x" * 300_000)).url, max_bytes=100_000)
    assert (error.id, error.detail) == ("service:garbled", "more than 97 KiB")


def test_nobody_listening_is_unreachable_and_surely_not_done() -> None:
    error = failure("http://127.0.0.1:9", method="POST")
    assert error.id == "service:unreachable"
    assert not error.maybe_done


def test_a_connection_dropped_after_a_write_may_have_been_done(serve: Callable[[Reply], Server]) -> None:
    server = serve(lambda handler: handler.connection.close())
    error = failure(server.url, method="POST")
    assert error.maybe_done
    assert len(server.seen) == 1  # and it was not sent again


def test_a_redirect_elsewhere_does_not_get_the_token(serve: Callable[[Reply], Server]) -> None:
    elsewhere = serve(says(200, b"{}"))
    here = serve(says(302, Location=f"{elsewhere.url}/taken"))
    ServiceSession("SLAM", here.url, token="secret-token").get("/x")
    assert elsewhere.seen[0][1] == "/taken"
    assert "Authorization" not in elsewhere.seen[0][2]


def test_a_redirect_on_the_same_host_keeps_the_token(serve: Callable[[Reply], Server]) -> None:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        says(200, b"{}")(handler) if handler.path == "/x/" else says(308, Location="/x/")(handler)

    server = serve(reply)
    ServiceSession("DEEPaaS", server.url, token="tok").get("/x")
    assert [headers.get("Authorization") for _, _, headers in server.seen] == ["Bearer tok", "Bearer tok"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/", "/x"])
def test_bad_and_endless_redirects_end(serve: Callable[[Reply], Server], target: str) -> None:
    server = serve(says(302, Location=target))
    assert failure(server.url).id == "service:garbled"
    assert len(server.seen) <= 4


def test_a_write_is_never_redirected(serve: Callable[[Reply], Server]) -> None:
    server = serve(says(302, Location="/elsewhere"))
    assert failure(server.url, method="POST").http_status == 302
    assert len(server.seen) == 1


def test_an_unset_service_says_so() -> None:
    assert failure("").id == "service:unset"


def test_calls_side_by_side_keep_their_order_and_their_failures_apart() -> None:
    gate = threading.Barrier(3, timeout=5)  # passes only if all three really run at once

    def good(value: int) -> int:
        gate.wait()
        return value

    def bad() -> int:
        gate.wait()
        raise ServiceError("service:timeout", service="CMDB")

    one, two, three = side_by_side([lambda: good(1), bad, lambda: good(3)])
    assert (one, three) == (1, 3)
    assert isinstance(two, ServiceError)
