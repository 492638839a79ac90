"""What the home page says before the catalogue begins."""

import uuid
from typing import Any

import pytest

from accounts.models import User
from accounts.testing import make_user
from catalog.testing import make_module
from deployments.home import USED, home
from deployments.models import Deployment
from deployments.states import Status
from deployments.storage.models import StorageAccount
from deployments.testing import make_deployment

pytestmark = pytest.mark.django_db


def asked(owner: User, slug: str, **fields: Any) -> Deployment:
    return make_deployment(owner, module_slug=slug, submission_key=uuid.uuid4(), **fields)


def test_a_newcomer_is_led_step_by_step() -> None:
    ada = make_user("ada")
    make_module("deep-oc-flora")
    assert [step.done for step in home(ada).steps] == [True, False, False, False]
    StorageAccount.objects.create(owner=ada, label="Box", url="https://box.org", user_name="ada", password="x")
    under_way = asked(ada, "deep-oc-flora", status=Status.CREATE_IN_PROGRESS)
    steps = home(ada).steps
    assert [step.done for step in steps] == [True, True, True, False]
    assert steps[-1].address == under_way.get_absolute_url()


def test_who_had_one_ready_is_not_led_any_more_though_it_is_gone() -> None:
    ada = make_user("ada")
    made = asked(ada, "deep-oc-flora", status=Status.CREATE_COMPLETE)
    assert home(ada).steps == []
    made.gone_at, made.status = made.recorded_at, Status.DELETE_COMPLETE
    made.ready_at = made.recorded_at
    made.save()
    assert home(ada).steps == []


def test_modules_used_last_come_newest_first_once_each_without_hidden_ones() -> None:
    ada = make_user("ada")
    for slug in ("a", "b", "c", "d", "secret"):
        make_module(slug, title=f"Module {slug}", hidden=slug == "secret")
    for slug in ("a", "b", "b", "c", "a", "d", "secret"):
        last = asked(ada, slug, choices={"hardware": "gpu"})
    asked(make_user("ben"), "c")
    used = home(ada).used
    assert [item.module.slug for item in used] == ["d", "a"]  # the third of the last three is hidden
    assert len(used) <= USED
    assert "hardware=gpu" in used[0].again
    assert last.reference not in used[0].again
