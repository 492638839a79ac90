"""Addresses from outside never lead into a private network."""

import http.server
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from deepdash.guard import GuardedAdapter, Resolver, may_be_called, networks, resolve
from deepdash.http import ServiceError, ServiceSession

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert may_be_called(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds keep the machine's credentials
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "8.8.8.8%eth0",
        "::1",
        "::",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::1",
        "2001:0:808:808::1",
        "100::1",
        "not an address",
        "",
    ],
)
def test_everything_else_may_not(address: str) -> None:
    assert may_be_called(address) is False


def test_allowed_networks_may_be_called_also_when_wrapped() -> None:
    allowed = networks(["10.1.7.7/16", "fe80::/10"])  # a host of the network names it as well
    assert may_be_called("10.1.2.3", allowed)
    assert may_be_called("fe80::1%eth0", allowed)
    assert may_be_called("::ffff:10.1.2.3", allowed)
    assert not may_be_called("10.2.0.1", allowed)
    assert not may_be_called("::1", allowed)


def test_a_host_has_all_its_addresses_and_ipv4_first(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, int]] = []

    def known(host: str, port: int, *, type: int) -> list[tuple[int, int, int, str, tuple[str | int, ...]]]:
        asked.append((host, port, type))
        ipv6 = [(socket.AF_INET6, type, 6, "", (address, port, 0, 0)) for address in ("2606:4700::2", "2606:4700::1")]
        return [*ipv6, (socket.AF_INET, type, 6, "", ("8.8.8.8", port))]

    monkeypatch.setattr(socket, "getaddrinfo", known)
    assert resolve("module.example.org", 8443) == ["8.8.8.8", "2606:4700::2", "2606:4700::1"]
    assert asked == [("module.example.org", 8443, socket.SOCK_STREAM)]


class Recorder(http.server.BaseHTTPRequestHandler):
    hosts: list[str] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        if self.path.startswith("/redirect-to-"):
            self.send_response(302)
            self.send_header("Location", f"http://{self.path.removeprefix('/redirect-to-')}/")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[int]:
    Recorder.hosts = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running.server_address[1]
        running.shutdown()


def session(resolver: Resolver, *, allowed: bool = True, verify: bool | str = True) -> ServiceSession:
    adapter = GuardedAdapter("The module", allowed=LOOPBACK if allowed else (), resolver=resolver)
    return ServiceSession("The module", "", adapter=adapter, verify=verify)


def test_it_connects_to_the_checked_address_and_says_the_name(server: int) -> None:
    for user in ("", "ada:secret@"):
        answer = session(lambda host, port: ["127.0.0.1"]).get(f"http://{user}module.example.org:{server}/")
        assert answer.body == b"hello"
    assert Recorder.hosts == [f"module.example.org:{server}"] * 2


def test_a_name_that_points_inside_is_refused_before_anything_is_sent(server: int) -> None:
    with pytest.raises(ServiceError) as caught:
        session(lambda host, port: ["127.0.0.1"], allowed=False).get(f"http://module.example.org:{server}/")
    assert (caught.value.id, caught.value.detail) == ("service:blocked", "module.example.org is 127.0.0.1")
    assert Recorder.hosts == []


def test_one_foot_inside_is_enough_to_be_refused() -> None:
    with pytest.raises(ServiceError) as caught:
        session(lambda host, port: ["8.8.8.8", "10.0.0.1"], allowed=False).get("http://module.example.org/")
    assert caught.value.id == "service:blocked"


def test_a_name_server_that_changes_its_mind_gains_nothing(server: int) -> None:
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    guarded = session(rebinding)
    assert guarded.get(f"http://module.example.org:{server}/").status == 200
    assert asked == ["module.example.org"], "the address that was checked is the one that is called"
    with pytest.raises(ServiceError) as caught:
        guarded.get(f"http://module.example.org:{server}/")
    assert caught.value.id == "service:blocked"
    assert len(Recorder.hosts) == 1


def test_redirects_are_checked_like_the_first_call(server: int) -> None:
    def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "module.example.org" else ["169.254.169.254"]

    with pytest.raises(ServiceError) as caught:
        session(resolver).get(f"http://module.example.org:{server}/redirect-to-metadata.example.org")
    assert caught.value.id == "service:blocked"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
)
def test_spellings_of_this_host_are_all_refused(host: str, server: int) -> None:
    guarded = ServiceSession("The module", "", adapter=GuardedAdapter("The module"))
    with pytest.raises(ServiceError) as caught:
        guarded.get(f"http://{host}:{server}/")
    assert caught.value.id in {"service:blocked", "service:unreachable"}
    assert Recorder.hosts == []


@pytest.mark.parametrize("failure", [OSError("no such name"), UnicodeError("label too long"), None])
def test_a_name_without_address_is_unreachable(failure: Exception | None) -> None:
    def nothing(host: str, port: int) -> list[str]:
        if failure:
            raise failure
        return []

    with pytest.raises(ServiceError) as caught:
        session(nothing).get("http://module.example.org/")
    assert caught.value.id == "service:unreachable"
    assert f"module.example.org has no address{f': {failure}' if failure else ''}" in caught.value.detail


@pytest.mark.parametrize(
    ("address", "asked", "name"),
    [
        ("http://module.example.org/", ("module.example.org", 80), None),
        ("https://module.example.org/", ("module.example.org", 443), "module.example.org"),
        ("https://module.example.org:8443/", ("module.example.org", 8443), "module.example.org"),
        ("http://[2606:4700::1111]:81/", ("2606:4700::1111", 81), None),
        ("https://[2606:4700::1111]/", ("2606:4700::1111", 443), "2606:4700::1111"),
    ],
)
def test_the_port_of_the_address_is_asked_for_and_the_certificate_is_for_the_name(
    address: str, asked: tuple[str, int], name: str | None
) -> None:
    found: list[tuple[str, int]] = []

    def known(host: str, port: int) -> list[str]:
        found.append((host, port))
        return ["8.8.8.8"]

    request = requests.Request("GET", address).prepare()
    place, options = GuardedAdapter("The module", resolver=known).build_connection_pool_key_attributes(request, True)
    assert found == [asked]
    assert place["host"] == "8.8.8.8"
    assert (options.get("server_hostname"), options.get("assert_hostname")) == (name, name)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for module.example.org, signed by itself, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=module.example.org", "-addext", "subjectAltName=DNS:module.example.org"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[tuple[int, list[str | None]]]:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda socket, name, context: names.append(name)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running.server_address[1], names
        running.shutdown()


def test_certificates_are_checked_against_the_name_not_the_number(
    tls_server: tuple[int, list[str | None]], certificate: Path
) -> None:
    port, names = tls_server
    trusting = session(lambda host, port: ["127.0.0.1"], verify=str(certificate))
    assert trusting.get(f"https://module.example.org:{port}/").status == 200
    assert names == ["module.example.org"]
    with pytest.raises(ServiceError) as caught:
        trusting.get(f"https://other.example.org:{port}/")
    assert "certificate" in caught.value.detail.lower()


def test_a_certificate_nobody_vouches_for_is_refused(tls_server: tuple[int, list[str | None]]) -> None:
    with pytest.raises(ServiceError) as caught:
        session(lambda host, port: ["127.0.0.1"]).get(f"https://module.example.org:{tls_server[0]}/")
    assert caught.value.id == "service:unreachable"
    assert "certificate" in caught.value.detail.lower()
