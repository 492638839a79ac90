"""deploy/nginx.conf as it stands (but for names, ports and certificates) in front of a running dashboard."""

import re
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.certificates import make_certificate
from tests.servers import program
from tests.stack import ROOT, Stack, free_port, running
from tests.visitor import Visitor


@dataclass
class Site:
    """``url`` is nginx's https address, ``plain`` its http one, ``stack`` what is behind it."""

    url: str
    plain: str
    certificate: Path
    stack: Stack


def nginx_configuration(folder: Path, *, https: int, http: int, backend: str) -> Path:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    for old, new in (
        ("listen 443", f"listen 127.0.0.1:{https}"),
        ("listen 80", f"listen 127.0.0.1:{http}"),
        ("https://$host$request_uri", f"https://$host:{https}$request_uri"),
        ("dashboard.example.org", "localhost"),
        ("127.0.0.1:5001", backend),
        ("/etc/nginx/", f"{folder}/"),
        ("proxy_set_header Host $host", "proxy_set_header Host $http_host"),  # its port is not the usual one here
    ):
        assert old in text, old
        text = text.replace(old, new)
    text = re.sub(r"\n +listen \[::\].*", "", text)
    path = folder / "nginx.conf"
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path.write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; user root; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{text}\n}}\n"
    )
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    nginx = program("nginx", "/usr/sbin/nginx")
    folder = tmp_path_factory.mktemp("nginx")
    make_certificate(folder)
    https, http = free_port(), free_port()
    url = f"https://localhost:{https}"
    keys = {"PUBLIC_URL": url, "TRUSTED_PROXIES": "1"}
    with running(tmp_path_factory.mktemp("behind"), extra=keys) as stack:
        backend = stack.url.removeprefix("http://")
        path = nginx_configuration(folder, https=https, http=http, backend=backend)
        command = [nginx, "-e", "stderr", "-p", str(folder), "-c", str(path)]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        process = subprocess.Popen(command)
        try:
            for _ in range(100):
                try:
                    requests.get(f"http://localhost:{http}/", timeout=1, allow_redirects=False)
                    break
                except requests.ConnectionError:
                    pass
            yield Site(url, f"http://localhost:{http}", folder / "cert.pem", stack)
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def visitor(site: Site) -> Visitor:
    visitor = Visitor(site.url)
    visitor.session.verify = str(site.certificate)
    return visitor


def test_signing_in_and_deploying_work_through_it(visitor: Visitor) -> None:
    visitor.sign_in("ada")
    page = visitor.submit(
        visitor.get("/module/deep-oc-alpine-flora"), "/module/", ("action", "deploy"), title="Through the proxy"
    )
    assert page.title == "Through the proxy", page.words[:300]


def test_cookies_are_secure_and_browsers_are_told_to_stay_with_https(visitor: Visitor) -> None:
    visitor.sign_in("ada")
    cookies = [cookie for cookie in visitor.session.cookies if "deepdash" in cookie.name or "csrf" in cookie.name]
    assert cookies
    assert all(cookie.secure for cookie in cookies)
    assert "max-age=31536000" in visitor.get("/").response.headers["Strict-Transport-Security"]


def test_plain_http_is_sent_on(site: Site) -> None:
    answer = requests.get(f"{site.plain}/modules/x?a=1", timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{site.url}/modules/x?a=1")


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_old_tls_is_refused(site: Site, version: str) -> None:
    context = ssl.create_default_context(cafile=str(site.certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    port = int(site.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as raw, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(raw, server_hostname="localhost")


def test_a_caller_cannot_pretend_to_be_somebody_else(site: Site, visitor: Visitor) -> None:
    statuses = (
        visitor.session.get(
            f"{site.url}/login/iam", headers={"X-Forwarded-For": f"198.51.100.{number}"}, allow_redirects=False
        ).status_code
        for number in range(200)
    )
    assert 429 in statuses  # one caller, whatever they write


def test_figures_stay_inside(site: Site, visitor: Visitor) -> None:
    assert visitor.get("/metrics").status == 404
    assert visitor.get("/metrics/").status == 404
    # Behind a proxy on this machine everybody seems to be at home here: what came through one gets nothing.
    through = requests.get(f"{site.stack.url}/metrics", headers={"X-Forwarded-For": "198.51.100.1"}, timeout=5)
    assert through.status_code == 404
