"""Every address, made from the URL configuration, as anonymous, as a colleague and as a stranger.

A new page is walked without anybody adding it here: what is public, and what any signed-in user may see, is listed;
everything else must know its owner.
"""

from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from accounts.models import User
from accounts.testing import give_token, make_user
from deployments.models import Action, Deployment, Notice, StorageAccount, Training, TrainingArguments, TrainingBatch
from tests.addresses import ALL, PUBLIC, RUN, UUID
from tests.things import SECRET, adas_things

# Addresses that name something of Ada's: in their path, or asked for it by their query.
OF_ADA = {
    name: address
    for name, address in ALL.items()
    if UUID in address or RUN in address or (address.endswith(("/1", "/1/test", "/1/delete")) and name not in PUBLIC)
}
ASKED_FOR = {
    "many to delete": f"/deployments/delete?pick={UUID}",
    "cloned": f"/module/alpine-flora?from={UUID}",
    "cloned, of no module": f"/module/nothing?from={UUID}",
    "compared": f"/training/compare?run={RUN}",
    "trainings": f"/training?deployment={UUID}",
    "trainings as a file": f"/training/export?deployment={UUID}",
    "form with a storage account": "/module/alpine-flora?storage=account-1",
}
WALKED = OF_ADA | ASKED_FOR
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("ben", {}), ("mallory", {"groups": ("physics",), "organisation": "other-lab"}), ("grace", {"staff": True}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def ada(db: None) -> User:
    return adas_things()[0]


def signed_in(name: str, **facts: Any) -> Client:
    user = make_user(name, **facts)
    give_token(user)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def adas_rows() -> dict[str, list[dict[str, Any]]]:
    """All there is of Ada's."""
    models: tuple[type[Model], ...] = (Deployment, Notice, StorageAccount, Training, TrainingArguments, TrainingBatch,
                                       Action)  # fmt: skip
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def test_there_is_something_to_walk() -> None:
    assert len(OF_ADA) >= 30
    assert PUBLIC & set(ALL)
    assert {"deployments:storage_edit", "deployments:notice", "deployments:preflight_storage"} <= set(OF_ADA)


@pytest.mark.parametrize("name", sorted(set(ALL) - PUBLIC))
@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_is_asked_to_sign_in_everywhere_else(name: str, method: str) -> None:
    answer = getattr(Client(), method)(ALL[name])
    assert answer.status_code in {302, 405}, name
    if answer.status_code == 302:
        assert answer["Location"].startswith("/login"), name


@pytest.mark.parametrize("name", sorted(WALKED))
@pytest.mark.parametrize(("person", "facts"), OTHERS)
def test_nobody_else_sees_or_changes_anything_of_adas(name: str, person: str, facts: dict[str, Any]) -> None:
    client, before = signed_in(person, **facts), adas_rows()
    address = WALKED[name]
    fresh = f"{address}{'&' if '?' in address else '?'}fresh=1"
    for method, asked in (("get", address), ("get", fresh), ("post", address)):
        answer = getattr(client, method)(asked)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert SECRET.encode() not in body.replace(b"&#x27;", b"'"), (method, asked)
        if name in OF_ADA:
            # 404 where it must not even be known that it exists; a redirect of an old address leads to such a 404.
            assert answer.status_code in {302, 404, 405, 502, 503}, (method, asked, answer.status_code)
        else:
            assert answer.status_code < 500, (method, asked, answer.status_code)
    assert adas_rows() == before


def test_ada_herself_sees_what_the_others_do_not(ada: User) -> None:
    client = Client()
    client.force_login(ada)
    for name in ("deployments:detail", "deployments:storage_edit", "deployments:run", "deployments:batch"):
        assert SECRET in client.get(WALKED[name]).content.decode().replace("&#x27;", "'"), name


@pytest.mark.parametrize(
    "path",
    ["/deployments", "/deployments/rows?step=probe", "/", "/training", "/training/export", "/notices",
     "/storage", "/usage", "/modules/alpine-flora/deployments", "/module/alpine-flora"],
)  # fmt: skip
def test_lists_hold_only_ones_own(path: str) -> None:
    part = any(word in path for word in ("rows", "strips", "/deployments?"))
    answer = signed_in("ben").get(path, headers={"HX-Request": "true"} if part else {})
    assert answer.status_code in {200, 286}
    assert SECRET not in answer.content.decode().replace("&#x27;", "'")
