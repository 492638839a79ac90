"""The sandbox as a process: start, stop, what it keeps, and many callers at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
import requests

from sandbox.app import url_of
from sandbox.testing import Control, SandboxThread, run
from sandbox.world import Part, World, write_atomically

ROOT = Path(__file__).parents[2]


@contextmanager
def process(catalogue: Path, state: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``python -m sandbox`` on a free port; yield the process and its URL."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state), *arguments]
    running = subprocess.Popen(
        [*command, "--catalogue", str(catalogue)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        first = running.stdout.readline()
        assert first.startswith("Sandbox ready at http://"), first
        yield running, first.split()[-1]
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate(timeout=60)


class TestProcess:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_says_where_it_is_and_stops_cleanly(
        self, catalogue_dir: Path, tmp_path: Path, number: signal.Signals
    ) -> None:
        with process(catalogue_dir, tmp_path) as (running, url):
            assert (tmp_path / "url").read_text(encoding="utf-8").strip() == url
            assert requests.get(f"{url}/control/", timeout=10).json()["base_url"] == url
            running.send_signal(number)
            _, errors = running.communicate(timeout=60)
            assert (running.returncode, errors) == (0, "")
        assert not (tmp_path / "url").exists()

    def test_it_stops_soon_though_a_request_hangs(self, catalogue_dir: Path, tmp_path: Path) -> None:
        with process(catalogue_dir, tmp_path) as (running, url):
            Control(url).fault("iam", hang=60)
            with pytest.raises(requests.ReadTimeout):
                requests.get(f"{url}/iam/jwk", timeout=0.3)
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=50)  # less than the request would hang

    def test_a_port_in_use_is_a_sentence(self, sandbox: SandboxThread, catalogue_dir: Path) -> None:
        port = sandbox.url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", port, "--catalogue", str(catalogue_dir)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("The sandbox cannot start: ")

    @pytest.mark.parametrize("arguments", [["--speed", "0"], ["--catalogue", "/nowhere"], ["--port", "x"]])
    def test_wrong_arguments_are_refused(self, arguments: list[str]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 2


class TestAddress:
    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("127.0.0.1", "http://127.0.0.1:5002"),
            ("localhost", "http://localhost:5002"),
            ("0.0.0.0", "http://127.0.0.1:5002"),  # noqa: S104 -- a name here, nothing listens
            ("::", "http://[::1]:5002"),
            ("::1", "http://[::1]:5002"),
        ],
    )
    def test_the_address_is_one_a_browser_can_open(self, host: str, url: str) -> None:
        assert url_of(host, 5002) == url

    def test_behind_another_address_the_services_name_that_one(self, catalogue_dir: Path, tmp_path: Path) -> None:
        public = "http://sandbox.example.org:8080"
        with process(catalogue_dir, tmp_path, "--url", f"{public}/") as (_, said):
            assert said == public


class TestState:
    def test_a_restart_continues(self, catalogue_dir: Path, tmp_path: Path) -> None:
        with SandboxThread(catalogue=catalogue_dir, state=tmp_path) as first:
            port = int(first.url.rpartition(":")[2])
            tokens = first.control.tokens("ada")
            commit = first.control.push("deep-oc/kept.yml", "a: 1\n")
            first.control.module("lab/kept", metadata='{"title": "Kept"}', tags=["one"])
            first.control.settings(token_lifetime=5)
            keys = requests.get(f"{first.url}/iam/jwk", timeout=10).json()
        with SandboxThread(catalogue=catalogue_dir, state=tmp_path, port=port) as second:
            assert requests.get(f"{second.url}/iam/jwk", timeout=10).json() == keys
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            assert requests.get(f"{second.url}/iam/userinfo", headers=bearer, timeout=10).status_code == 200
            refreshed = requests.post(
                f"{second.url}/iam/token",
                data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
                auth=("deepdash-sandbox", "deepdash-sandbox-secret"),
                timeout=10,
            )
            assert refreshed.status_code == 200
            assert refreshed.json()["expires_in"] > 3000  # settings are of one process only
            assert second.control.call("POST", "/catalogue/push", {"path": "x", "content": None})["before"] == (commit)
            raw = f"{second.url}/github"
            assert requests.get(f"{raw}/lab/kept/master/metadata.json", timeout=10).text == '{"title": "Kept"}'
            kept = f"{raw}/indigo-dc/tosca-templates/master/deep-oc/kept.yml"
            assert requests.get(kept, timeout=10).text == "a: 1\n"

    def test_a_browser_stays_signed_in(self, catalogue_dir: Path, tmp_path: Path) -> None:
        browser = requests.Session()
        with SandboxThread(catalogue=catalogue_dir, state=tmp_path) as first:
            browser.post(f"{first.url}/iam/login", data={"person": "grace"}, timeout=10)
        with SandboxThread(catalogue=catalogue_dir, state=tmp_path) as second:
            assert "Grace Hopper" in browser.get(f"{second.url}/iam/", timeout=10).text

    def test_what_is_kept_is_written_without_a_stop(self, catalogue_dir: Path, tmp_path: Path) -> None:
        with SandboxThread(catalogue=catalogue_dir, state=tmp_path) as running:
            token = running.control.tokens("ada")["refresh_token"]
            deadline = time.monotonic() + 60
            while not (tmp_path / "state.json").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert token in (tmp_path / "state.json").read_text(encoding="utf-8")

    def test_secrets_are_for_the_owner_only(self, catalogue_dir: Path, tmp_path: Path) -> None:
        with SandboxThread(catalogue=catalogue_dir, state=tmp_path):
            pass
        for name in ("signing-key.pem", "state.json"):
            assert (tmp_path / name).stat().st_mode & 0o077 == 0

    def test_a_failed_write_leaves_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "state.json"
        write_atomically(path, "old")

        def full(*_args: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(os, "replace", full)
        monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="disk full"):
            write_atomically(path, "new")
        assert path.read_text(encoding="utf-8") == "old"

    def test_without_a_folder_nothing_is_left_behind(self, catalogue_dir: Path) -> None:
        async def scenario() -> tuple[bool, bool]:
            world = World(catalogue_dir=catalogue_dir)
            before = world.work_dir.is_dir()
            await world.stop()
            return before, world.work_dir.exists()

        assert run(scenario()) == (True, False)

    def test_a_part_is_loaded_before_it_starts(self, catalogue_dir: Path, tmp_path: Path) -> None:
        class Diary(Part):
            def __init__(self) -> None:
                self.entries: list[object] = []

            async def start(self) -> None:
                self.entries.append("started")

            def dump(self) -> object:
                return "the past"

            def load(self, data: object) -> None:
                self.entries.append(data)

        async def life() -> list[object]:
            world = World(catalogue_dir=catalogue_dir, state_dir=tmp_path)
            diary = Diary()
            world.parts["diary"] = diary
            await world.start()
            await world.stop()
            return diary.entries

        assert run(life()) == ["started"]
        assert run(life()) == ["the past", "started"]


def test_two_hundred_people_at_once_are_served(fresh: SandboxThread) -> None:
    bearer = fresh.control.bearer("ada")
    paths = ("/iam/userinfo", "/github/deephdc/deep-oc/master/MODULES.yml", "/iam/jwk")

    async def person(session: aiohttp.ClientSession) -> list[int]:
        statuses = []
        for path in paths:
            async with session.get(f"{fresh.url}{path}", headers=bearer) as answer:
                await answer.read()
                statuses.append(answer.status)
        return statuses

    async def crowd() -> list[list[int]]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await asyncio.gather(*(person(session) for _ in range(200)))

    assert run(crowd()) == [[200, 200, 200]] * 200
