"""People, addresses and a stand-in for the wire, for the tests of this app that ask for them."""

from collections.abc import Iterator

import pytest
import responses
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.testing import configure, give_token, make_user
from catalog.models import Module

ORCHESTRATOR = "https://paas.example.org/orchestrator"
SLAM = "https://slam.example.org:8443"
CMDB = "https://paas.example.org/cmdb"
IM = "https://paas.example.org/im"
MONITORING = "https://monitoring.example.org"


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All services configured at addresses that only ``wire`` answers."""
    configure(
        monkeypatch,
        ORCHESTRATOR_URL=ORCHESTRATOR,
        SLAM_URL=SLAM,
        CMDB_URL=CMDB,
        IM_URL=IM,
        MONITORING_URL=MONITORING,
        IAM_BASE_URL="",
    )
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def wire(services: None) -> Iterator[responses.RequestsMock]:
    """What the services answer; a call nobody prepared is a connection error."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def owner(db: None) -> User:
    user = make_user("ada")
    give_token(user, "the-token-of-ada")
    return user


@pytest.fixture
def stranger(db: None) -> User:
    user = make_user("mallory", organisation="other-lab", groups=("physics",))
    give_token(user, "the-token-of-mallory")
    return user


@pytest.fixture
def browser(owner: User) -> Client:
    """The owner, signed in."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def plants(db: None) -> Module:
    """The module that deployments are made of unless told otherwise."""
    return Module.objects.create(slug="deep-oc-plants", title="Plants", docker_image="deephdc/plants")
