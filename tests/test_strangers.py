"""Every address, made from the URL configuration, as anonymous, as a colleague and as a stranger.

A new page is walked without anybody adding it here: what is public, and what any signed-in user may see, is listed;
everything else must know its owner.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.testing import give_token, make_user
from catalog.testing import make_module
from deployments.models import TrainingBatch
from deployments.testing import make_deployment
from deployments.trainings.testing import make_training

PUBLIC = {
    "catalog:home", "catalog:module", "catalog:metadata", "catalog:picture", "catalog:reload", "healthz", "readyz",
    "metrics", "accounts:login", "accounts:iam", "accounts:callback", "accounts:denied", "accounts:logged_out",
    "accounts:logout", "deployments:callback",
}  # fmt: skip
SECRET = "Ada's own title"
UUID = "11ed8ab3-6a40-968a-82b7-62f0862dbe46"
RUN = "5f0c35a2-7a3d-4c57-9c53-0f9c3f1fd9a5"
SAMPLES: dict[str, Any] = {"uuid": UUID, "key": RUN, "id": UUID, "slug": "alpine-flora"}


def addresses(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """(name, address with sample arguments) of every pattern, the admin's left out."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from addresses(entry, route, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            address = route
            for argument in entry.pattern.converters:
                kind = next(part for part in route.split("<") if part.split(">")[0].split(":")[-1] == argument)
                address = address.replace(f"<{kind.split('>')[0]}>", str(SAMPLES.get(argument, "1")))
            yield f"{space}{entry.name or address}", f"/{address}"


ALL = dict(addresses(get_resolver()))
OF_A_DEPLOYMENT = {name: address for name, address in ALL.items() if UUID in address or RUN in address}


@pytest.fixture(autouse=True)
def _adas_things(db: None) -> None:
    ada = make_user("ada")
    give_token(ada)
    make_module(slug="alpine-flora")
    deployment = make_deployment(owner=ada, uuid=UUID, title=SECRET)
    make_training(deployment, key=RUN, arguments={"note": SECRET})
    TrainingBatch.objects.create(key=RUN, owner=ada, deployment=deployment, model="plants")


def signed_in(name: str, **facts: Any) -> Client:
    user = make_user(name, **facts)
    give_token(user)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_there_is_something_to_walk() -> None:
    assert len(OF_A_DEPLOYMENT) >= 6
    assert PUBLIC & set(ALL)


@pytest.mark.parametrize("name", sorted(set(ALL) - PUBLIC))
@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_is_asked_to_sign_in_everywhere_else(name: str, method: str) -> None:
    answer = getattr(Client(), method)(ALL[name])
    assert answer.status_code in {302, 405}, name
    if answer.status_code == 302:
        assert answer["Location"].startswith("/login"), name


@pytest.mark.parametrize("name", sorted(OF_A_DEPLOYMENT))
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("person", "facts"),
    [("ben", {}), ("mallory", {"groups": ("physics",), "organisation": "other-lab"}), ("grace", {"staff": True})],
)
def test_nobody_else_gets_to_a_deployment_of_adas(name: str, method: str, person: str, facts: dict[str, Any]) -> None:
    client = signed_in(person, **facts)
    for address in (OF_A_DEPLOYMENT[name], f"{OF_A_DEPLOYMENT[name]}?fresh=1"):
        answer = getattr(client, method)(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert SECRET.encode() not in body.replace(b"&#x27;", b"'"), address
        # 404 where it must not even be known that it exists; a redirect of an old address leads to such a 404.
        assert answer.status_code in {302, 404, 405, 502, 503}, (address, answer.status_code)


@pytest.mark.parametrize(
    "path", ["/deployments", "/deployments/rows?step=probe", "/home-strips", "/", "/training", "/training/export"]
)
def test_lists_hold_only_ones_own(path: str) -> None:
    answer = signed_in("ben").get(path, headers={"HX-Request": "true"} if "rows" in path or "strips" in path else {})
    assert answer.status_code in {200, 286}
    assert SECRET not in answer.content.decode().replace("&#x27;", "'")
