"""Two web hosts, one database: whose token is it to refresh?

IAM takes each refresh token once here, and withdraws everything when one is shown again: a second refresh would end
the user's session on both hosts.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Tell
from tests.faults.site import Site, until
from tests.stack import Process, free_port, wait_for
from tests.visitor import Visitor

pytestmark = [pytest.mark.redis, pytest.mark.postgres]


@pytest.fixture(scope="module")
def second_host(one_site: Site) -> Iterator[str]:
    """The address of another web host, whose clock is 50 seconds ahead."""
    stack, port = one_site.stack, free_port()
    clock = stack.data / "second-clock"
    clock.write_text("50", encoding="ascii")
    data = stack.data / "second"
    data.mkdir(exist_ok=True)
    host: Process = stack.process(
        "gunicorn", "-c", "gunicorn.conf.py", "deepdash.wsgi",
        PORT=str(port), CLOCK_FILE=str(clock), DEEPDASH_DATA_DIR=str(data), STATIC_ROOT=str(stack.data / "static"),
    )  # fmt: skip
    host.start()
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", host, host.log)
        yield f"http://127.0.0.1:{port}"
    finally:
        host.kill()


def test_two_hosts_refresh_a_token_once(site: Site, second_host: str, tell: Tell) -> None:
    olu = site.visitor("olu")
    site.stack.control("PUT", "settings", {"rotate_refresh_tokens": True, "revoke_on_reuse": True})
    hosts = [olu, Visitor(second_host)]
    hosts[1].session.cookies.update(olu.session.cookies)
    assert all(host.get("/deployments?fresh=1").status == 200 for host in hosts)
    site.stack.fault("iam", match="/token", latency=0.3)
    for _ in range(3):
        site.expire_token("olu")
        site.stack.control("DELETE", "calls")
        with ThreadPoolExecutor(12) as pool:
            pages = list(pool.map(lambda number: hosts[number % 2].get("/deployments?fresh=1"), range(12)))
        assert {page.status for page in pages} == {200}
        assert {page.url.partition("?")[0].rpartition("/")[2] for page in pages} == {"deployments"}, "nobody signs in"
        assert [page.words for page in pages if "IAM" in page.words] == []
        assert site.stack.calls("iam", "POST", "/token") == 1
    site.stack.heal()
    site.expire_token("olu")
    assert hosts[1].get("/deployments?fresh=1").status == 200, "the refresh token kept is the one in force"


def test_a_host_that_dies_while_it_refreshes_does_not_take_the_other_with_it(
    site: Site, second_host: str, tell: Tell
) -> None:
    olu = site.visitor("olu")
    other = Visitor(second_host)
    other.session.cookies.update(olu.session.cookies)
    site.stack.fault("iam", match="/token", hang=60)
    site.expire_token("olu", seconds=100)
    with ThreadPoolExecutor(1) as pool:
        dying = pool.submit(olu.get, "/deployments?fresh=1")
        until(lambda: site.stack.is_asked("iam", "POST"), "one host refreshes")
        site.kill_web_processes()
        page = other.get("/deployments?fresh=1")
        assert dying.exception() is not None
    assert page.status == 200
    assert "IAM" not in page.words, "the token that is left serves, whoever died"
