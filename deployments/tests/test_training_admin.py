"""What operators see of trainings in the admin: that they were, not what is in them, and nothing to change."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.testing import make_user
from deployments.models import ModuleApi, Training, TrainingBatch
from deployments.trainings.testing import make_api, make_training

PRIVATE = ("typed-by-ada", "s3cret", "said-by-the-module", "loss-of-ada")


@pytest.fixture
def pages(owner: User) -> list[str]:
    """The lists and the single pages of everything about trainings."""
    deployment = make_api(owner)
    batch = TrainingBatch.objects.create(
        owner=owner, deployment=deployment, model="plants", plan=[[["data", PRIVATE[0]]]], beside=PRIVATE[1]
    )
    run = make_training(
        deployment, batch=batch, arguments={"data": PRIVATE[0]}, sent=[["data", PRIVATE[0]]], message=PRIVATE[2],
        result={PRIVATE[3]: 1}, metrics={PRIVATE[3]: 1.0}, source={"a": PRIVATE[0]},
    )  # fmt: skip
    rows: list[tuple[type[Training | TrainingBatch | ModuleApi], int]] = [
        (Training, run.pk), (TrainingBatch, batch.pk), (ModuleApi, deployment.api.pk)
    ]  # fmt: skip
    lists = [f"/admin/deployments/{model._meta.model_name}/" for model, _ in rows]
    return lists + [f"/admin/deployments/{model._meta.model_name}/{pk}/change/" for model, pk in rows]


def test_operators_see_that_they_were_and_not_what_is_in_them(pages: list[str]) -> None:
    operator = User.objects.create_superuser(issuer="https://iam.example.org", subject="operator", name="Oda")
    client = Client()
    client.force_login(operator)
    for page in pages:
        answer = client.get(page)
        shown = answer.content.decode()
        assert answer.status_code == 200, page
        assert not [text for text in PRIVATE if text in shown], page
        assert 'name="_save"' not in shown
        assert "View on site" not in shown  # which would be missing for anybody but the owner
    assert client.post(pages[-1], {}).status_code == 403
    assert client.get(pages[0].replace("/training/", "/training/add/")).status_code == 403


def test_curators_of_the_catalogue_do_not(pages: list[str]) -> None:
    client = Client()
    client.force_login(make_user("cora", staff=True))
    assert {client.get(page).status_code for page in pages} == {403}
