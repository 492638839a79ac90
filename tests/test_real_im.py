"""Logs of machines from the real Infrastructure Manager, whose users sign in at the sandbox's IAM."""

import time
from collections.abc import Callable, Iterator

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.testing import configure, give_token
from deepdash.http import ServiceError
from deployments.clients.im import Im
from deployments.health import services_health
from deployments.logs import log_of
from deployments.models import Deployment
from deployments.testing import make_deployment
from sandbox.oauth import CLIENT_ID, CLIENT_SECRET
from sandbox.testing import SandboxThread
from tests.real import im
from tests.stack import ROOT

MACHINE = ROOT / "sandbox/sample/tosca-templates/indigo-dc/deep-oc/deep-oc-virtual-machine.yaml"
People = Callable[[str], User]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def manager(sandbox: SandboxThread, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with im.running(tmp_path_factory.mktemp("im"), issuer=f"{sandbox.url}/iam") as url:
        yield url


@pytest.fixture(scope="module")
def infrastructure(sandbox: SandboxThread, manager: str) -> str:
    """A machine of ada's, whose setting up has begun."""
    token = sandbox.control.tokens("ada")["access_token"]
    made = im.infrastructure(manager, token)
    header = f"id = im; type = InfrastructureManager; token = {token};"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        said = requests.get(f"{manager}/infrastructures/{made}/contmsg", headers={"Authorization": header}, timeout=10)
        if "master" in said.text:
            return made
        time.sleep(0.1)
    raise AssertionError("setting up the machine did not begin")


@pytest.fixture
def person(
    sandbox: SandboxThread, manager: str, monkeypatch: pytest.MonkeyPatch, settings: Settings, db: None
) -> People:
    """Signs a person of the sandbox in, at a site where logs come from the real manager."""
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    configure(
        monkeypatch,
        IAM_BASE_URL=f"{sandbox.url}/iam",
        ORCHESTRATOR_URL=f"{sandbox.url}/orchestrator",
        IM_URL=manager,
        OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"],
    )

    def signed_in(name: str) -> User:
        told = sandbox.control.tokens(name)
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        claims = requests.get(f"{sandbox.url}/iam/userinfo", headers=headers, timeout=10).json()
        user = User.objects.create_user(issuer=f"{sandbox.url}/iam", subject=claims["sub"], name=claims["name"])
        give_token(user, told["access_token"], refresh=told["refresh_token"])
        return user

    return signed_in


@pytest.fixture
def machine(person: People, infrastructure: str) -> Deployment:
    """Ada's, at an orchestrator that can't tell its log."""
    return make_deployment(
        person("ada"), physical_id=infrastructure, provider_name="provider-ALPINE", deployment_kind="OPENSTACK"
    )


def test_its_owner_reads_the_log(person: People, manager: str, infrastructure: str) -> None:
    assert "Select master VM" in Im(person("ada"), manager).contextualization_log(infrastructure)


def test_the_page_shows_it_when_the_orchestrator_has_none(machine: Deployment) -> None:
    assert "Select master VM" in log_of(machine, user=machine.owner).text
    browser = Client()
    browser.force_login(machine.owner)
    page = browser.get(f"{machine.get_absolute_url()}/log?fresh=1").content.decode()
    assert "Select master VM" in page
    told = browser.get(f"{machine.get_absolute_url()}/log?raw=1")
    assert "attachment" in told["Content-Disposition"]
    assert "Wait master VM to boot" in told.content.decode()


def test_nobody_else_does(person: People, manager: str, infrastructure: str) -> None:
    with pytest.raises(ServiceError) as raised:
        Im(person("ben"), manager).contextualization_log(infrastructure)
    assert raised.value.id == "service:denied"
    assert "Access to this infrastructure not granted." in raised.value.detail


def test_what_is_not_there_is_missing(person: People, manager: str) -> None:
    with pytest.raises(ServiceError) as raised:
        Im(person("ada"), manager).contextualization_log("b4e1f0aa-0000-11f1-0000-000000000000")
    assert raised.value.id == "service:missing"


def test_a_token_that_is_refused_is_renewed_once(
    person: People, manager: str, infrastructure: str, sandbox: SandboxThread
) -> None:
    user = person("ada")
    stale = sandbox.control.tokens("ada", lifetime=-60)["access_token"]
    type(user.token).objects.filter(user=user).update(access_token=stale)
    assert "Select master VM" in Im(user, manager).contextualization_log(infrastructure)


def test_a_token_that_is_none_is_refused_and_never_told(person: People, manager: str, infrastructure: str) -> None:
    user = person("ada")
    give_token(user, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.x", refresh="gone")
    with pytest.raises(ServiceError) as raised:
        Im(user, manager).contextualization_log(infrastructure)
    assert raised.value.id == "service:refused"
    assert "eyJ" not in raised.value.detail


def test_its_version_is_told_to_curators(person: People, manager: str) -> None:
    health = {line.name: line for line in services_health(person("grace"))}
    line = health["Infrastructure Manager"]
    assert (line.version, line.problem) == ("2.0.0", None)


class TestSandbox:
    """The stand-in answers as the real one does."""

    @pytest.fixture
    def its_infrastructure(self, sandbox: SandboxThread) -> str:
        """One of ada's at the stand-in."""
        headers, address = sandbox.control.bearer("ada"), f"{sandbox.url}/orchestrator/deployments"
        made = requests.post(address, json={"template": MACHINE.read_text("utf-8")}, headers=headers, timeout=10).json()
        until = time.monotonic() + 120
        while time.monotonic() < until:
            told = requests.get(f"{address}/{made['uuid']}", headers=headers, timeout=10).json()
            if told.get("physicalId"):
                return str(told["physicalId"])
            time.sleep(0.1)
        raise AssertionError("the stand-in made no machine")

    def answers(self, url: str, headers: dict[str, str]) -> tuple[int, str]:
        answer = requests.get(url, headers=headers, timeout=10)
        return answer.status_code, answer.headers["Content-Type"].partition(";")[0]

    @pytest.mark.parametrize("accept", ["text/plain", "application/json", "image/png"])
    @pytest.mark.parametrize("path", ["contmsg", "state", "contmsg?headeronly=true"])
    def test_to_owner_stranger_and_nobody(
        self, sandbox: SandboxThread, manager: str, infrastructure: str, its_infrastructure: str, path: str, accept: str
    ) -> None:
        real = f"{manager}/infrastructures/{infrastructure}/{path}"
        ours = f"{sandbox.url}/im/infrastructures/{its_infrastructure}/{path}"
        for who in ("ada", "ben", "", "nonsense"):
            token = sandbox.control.tokens(who)["access_token"] if who in {"ada", "ben"} else who
            headers = {"Accept": accept}
            if token:
                headers["Authorization"] = f"id = im; type = InfrastructureManager; token = {token};"
            theirs = self.answers(real, headers)
            assert self.answers(ours, headers) == theirs, f"to {who or 'nobody'}"
