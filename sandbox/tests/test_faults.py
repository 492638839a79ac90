"""Faults on demand and the count of calls."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox import faults
from sandbox.faults import Fault
from sandbox.testing import SandboxThread, run
from sandbox.world import World

PATH = "/github/deephdc/deep-oc/master/MODULES.yml"


def get(sandbox: SandboxThread, path: str = PATH, timeout: float = 10) -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", timeout=timeout)


def under_way(sandbox: SandboxThread) -> list[tuple[str, str]]:
    """Service and method of each request that has not been answered yet."""
    return [(row["service"], row["method"]) for row in sandbox.control.call("GET", "/calls")["under_way"]]


class TestAnswers:
    @pytest.mark.parametrize("status", [502, 503, 504])
    def test_a_status_alone_is_the_page_of_a_proxy(self, fresh: SandboxThread, status: int) -> None:
        fresh.control.fault("github", status=status)
        answer = get(fresh)
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "nginx" in answer.text

    def test_bodies_can_be_broken_in_several_ways(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", body="broken-json")
        broken = get(fresh)
        assert broken.headers["Content-Type"].startswith("application/json")
        with pytest.raises(requests.JSONDecodeError):
            broken.json()
        fresh.control.fault("github", body="empty")
        assert get(fresh).content == b""
        fresh.control.fault("github", status=500, body="text")
        assert get(fresh).headers["Content-Type"].startswith("text/plain")

    def test_a_huge_body_is_larger_than_anybody_should_read(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", body="huge")
        with requests.get(f"{fresh.url}{PATH}", stream=True, timeout=10) as answer:
            read = 0
            for chunk in answer.iter_content(1 << 20):
                read += len(chunk)
                if read > 20 << 20:
                    break
        assert read > 20 << 20

    def test_headers_can_be_sent_along(self, fresh: SandboxThread) -> None:
        fresh.control.fault("dockerhub", status=429, headers={"Retry-After": "7"})
        assert get(fresh, "/dockerhub/v2/repositories/a/b/tags").headers["Retry-After"] == "7"

    def test_latency_delays_the_true_answer(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", latency=0.3)
        began = time.monotonic()
        answer = get(fresh)
        assert time.monotonic() - began >= 0.3
        assert answer.status_code == 200

    def test_a_closed_connection_has_no_answer(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", close=True)
        with pytest.raises(requests.ConnectionError):
            get(fresh)

    def test_a_hanging_service_says_nothing_and_then_drops(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", hang=20)
        with pytest.raises(requests.ReadTimeout):
            get(fresh, timeout=0.2)
        fresh.control.fault("github", hang=0.1)
        with pytest.raises(requests.ConnectionError):
            get(fresh)

    def test_git_fails_like_the_others(self, fresh: SandboxThread) -> None:
        fresh.control.fault("git", status=503)
        path = "/git/indigo-dc/tosca-templates.git/info/refs?service=git-upload-pack"
        assert get(fresh, path).status_code == 503


class TestMatching:
    def test_other_services_go_on(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", status=503)
        assert get(fresh, "/iam/jwk").status_code == 200

    def test_a_star_means_all_but_the_control_api(self, fresh: SandboxThread) -> None:
        fresh.control.fault("*", status=503)
        assert get(fresh).status_code == 503
        assert get(fresh, "/iam/jwk").status_code == 503
        assert get(fresh, "/control/").status_code == 200

    def test_a_fault_can_be_kept_to_a_path_and_a_method(self, fresh: SandboxThread) -> None:
        fresh.control.fault("iam", status=503, match="/userinfo$")
        assert get(fresh, "/iam/userinfo").status_code == 503
        assert get(fresh, "/iam/jwk").status_code == 200
        fresh.control.fault("iam", status=503, method="POST")
        assert get(fresh, "/iam/jwk").status_code == 200
        assert requests.post(f"{fresh.url}/iam/token", timeout=10).status_code == 503

    def test_a_fault_can_end_after_some_calls(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", status=503, times=2)
        assert [get(fresh).status_code for _ in range(3)] == [503, 503, 200]
        assert fresh.control.call("GET", "/faults") == {}

    def test_several_faults_can_be_set_the_first_that_hits_counts(self, fresh: SandboxThread) -> None:
        fresh.control.call(
            "PUT", "/faults/iam", [{"status": 502, "match": "jwk"}, {"status": 504, "match": "userinfo|jwk"}]
        )
        assert get(fresh, "/iam/jwk").status_code == 502
        assert get(fresh, "/iam/userinfo").status_code == 504

    def test_faults_are_taken_back_one_by_one_or_all(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", status=503)
        fresh.control.fault("iam", status=503)
        fresh.control.call("DELETE", "/faults/iam")
        assert get(fresh, "/iam/jwk").status_code == 200
        assert get(fresh).status_code == 503
        fresh.control.clear_faults()
        assert get(fresh).status_code == 200

    @pytest.mark.parametrize(
        ("service", "fault"),
        [
            ("nobody", {"status": 503}),
            ("iam", {"status": 99}),
            ("iam", {"status": "503"}),
            ("iam", {"body": "sausage"}),
            ("iam", {"match": "("}),
            ("iam", {"latency": "long"}),
            ("iam", {"times": 0}),
            ("iam", {"colour": "red"}),
            ("iam", "503"),
        ],
    )
    def test_nonsense_is_refused(self, fresh: SandboxThread, service: str, fault: object) -> None:
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.call("PUT", f"/faults/{service}", fault)
        assert fresh.control.call("GET", "/faults") == {}


class TestCalls:
    def test_calls_are_counted_by_route_not_by_address(self, fresh: SandboxThread) -> None:
        get(fresh)
        get(fresh, "/github/nobody/nothing/master/x")
        get(fresh, "/iam/nowhere")
        rows = {(row["service"], row["route"], row["status"]): row["count"] for row in fresh.control.calls()}
        assert rows == {
            ("github", "/github/{path}", 200): 1,
            ("github", "/github/{path}", 404): 1,
            ("iam", "(unknown path)", 404): 1,
        }
        assert fresh.control.count("github") == 2
        fresh.control.clear_calls()
        assert fresh.control.calls() == []

    @pytest.mark.parametrize(
        ("method", "path"),
        [("DELETE", "/faults"), ("DELETE", "/faults/github"), ("PUT", "/faults/github"), ("PUT", "/faults/*")],
    )
    def test_a_request_that_is_held_up_is_under_way_until_the_fault_is_taken_back(
        self, fresh: SandboxThread, method: str, path: str
    ) -> None:
        fresh.control.fault("github", latency=60)
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(get, fresh, timeout=30)
            until = time.monotonic() + 20
            while not under_way(fresh) and time.monotonic() < until:
                time.sleep(0.01)
            assert under_way(fresh) == [("github", "GET")]
            fresh.control.fault("iam", status=503)  # concerns somebody else
            assert under_way(fresh) == [("github", "GET")]
            fresh.control.call(method, path, {} if method == "PUT" else None)
            assert call.result().status_code == 200
        assert under_way(fresh) == []

    def test_a_request_that_hangs_is_dropped_when_the_fault_is_taken_back(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", hang=60, times=1)
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(get, fresh, timeout=30)
            until = time.monotonic() + 20
            while not under_way(fresh) and time.monotonic() < until:
                time.sleep(0.01)
            fresh.control.clear_faults()
            assert isinstance(call.exception(), requests.ConnectionError)

    def test_failed_calls_count_too_a_dropped_one_with_status_0(self, fresh: SandboxThread) -> None:
        fresh.control.fault("github", close=True, times=1)
        # A bare socket: an HTTP library may send the request again by itself.
        host, port = fresh.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert connection.recv(100) == b""
        fresh.control.fault("github", status=503)
        get(fresh)
        assert [row["status"] for row in fresh.control.calls("github")] == [0, 503]

    def test_the_control_api_is_not_counted(self, fresh: SandboxThread) -> None:
        get(fresh, "/control/")
        assert fresh.control.calls() == []


def test_an_application_with_a_port_of_its_own_fails_and_counts_alike() -> None:
    async def scenario() -> tuple[int, int, list[tuple[str, int]]]:
        world = World()

        async def hello(_request: web.Request) -> web.Response:
            return web.Response(text="hello")

        app = web.Application(middlewares=[faults.middleware(world, "deepaas")])
        app.add_routes([web.get("/v2/models", hello)])
        async with TestClient(TestServer(app)) as client:
            first = (await client.get("/v2/models")).status
            world.faults.put("deepaas", [Fault(status=502)])
            second = (await client.get("/v2/models")).status
            world.faults.put("deepaas", [Fault(close=True)])
            with pytest.raises(aiohttp.ClientError):
                await client.get("/v2/models")
        await world.stop()
        return first, second, [(row["route"], row["status"]) for row in world.calls.rows()]

    first, second, rows = run(scenario())
    assert (first, second) == (200, 502)
    assert {status for _, status in rows} == {0, 200, 502}
    assert {route for route, _ in rows} == {"/v2/models"}
