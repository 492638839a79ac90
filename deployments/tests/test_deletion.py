"""A deletion is asked for once, tells what is known of it, and is for its owner alone."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses
from django.utils import timezone

from accounts.models import User
from deepdash.errors import Problem
from deployments.models import Deployment
from deployments.services import (
    deployment_delete,
    deployment_rename,
)
from deployments.states import Status
from deployments.testing import make_deployment
from deployments.tests.conftest import ORCHESTRATOR

LIST = f"{ORCHESTRATOR}/deployments"
NOT_THERE = {"code": 404, "title": "Not Found", "message": "The deployment <u1> doesn't exist"}


class TestDelete:
    def test_it_is_asked_for_once_and_shown_as_going_on(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        answer = wire.delete(f"{LIST}/{mine.uuid}", status=204)
        deployment_delete(user=owner, deployment=mine)
        mine.refresh_from_db()
        assert mine.status == "DELETE_IN_PROGRESS"
        assert mine.gone_at is None
        assert answer.call_count == 1

    def test_one_already_gone_is_gone(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", status=404, json=NOT_THERE)
        assert deployment_delete(user=owner, deployment=mine).is_gone

    def test_asked_for_again_it_goes_on_since_the_first_time(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        message = "Deployment already in DELETE_IN_PROGRESS state."
        wire.delete(f"{LIST}/{mine.uuid}", status=409, json={"code": 409, "message": message})
        first, second = (deployment_delete(user=owner, deployment=mine).status_since for _ in range(2))
        assert (mine.status, first) == ("DELETE_IN_PROGRESS", second)
        assert mine.events.count() == 1

    def test_an_answer_after_it_went_does_not_bring_it_back(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        Deployment.objects.filter(pk=mine.pk).update(status=Status.GONE, gone_at=timezone.now())
        wire.delete(f"{LIST}/{mine.uuid}", status=204)
        assert deployment_delete(user=owner, deployment=mine).status == "GONE"

    @pytest.mark.parametrize(
        ("failure", "id"),
        [
            ({"status": 403, "json": {"message": "Only the owner"}}, "deployment:delete-refused"),
            ({"status": 409, "json": {"message": "concurrent update"}}, "deployment:delete-refused"),
            ({"status": 500}, "deployment:not-deleted"),
            ({"status": 504}, "deployment:delete-unknown"),
            ({"body": requests.exceptions.ConnectTimeout("x")}, "deployment:not-deleted"),
            ({"body": requests.exceptions.ReadTimeout("x")}, "deployment:delete-unknown"),
        ],
    )
    def test_a_failure_says_what_is_known_and_loses_nothing(
        self, failure: dict[str, Any], id: str, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", **failure)
        with pytest.raises(Problem) as caught:
            deployment_delete(user=owner, deployment=mine)
        assert caught.value.id == id
        assert "Alpine plants" in caught.value.headline
        mine.refresh_from_db()
        assert mine.status == "CREATE_COMPLETE"
        assert not mine.events.exists()

    def test_a_locked_one_is_not_even_asked_for(self, owner: User, wire: responses.RequestsMock) -> None:
        with pytest.raises(Problem) as caught:
            deployment_delete(user=owner, deployment=make_deployment(owner, locked=True))
        assert caught.value.id == "deployment:locked"
        assert len(wire.calls) == 0

    def test_one_without_identifier_can_not_be_deleted_yet(self, owner: User, wire: responses.RequestsMock) -> None:
        with pytest.raises(Problem) as caught:
            deployment_delete(user=owner, deployment=make_deployment(owner, status=Status.UNCERTAIN))
        assert caught.value.id == "deployment:unnamed"

    @pytest.mark.parametrize(
        "act",
        [
            lambda user, it: deployment_delete(user=user, deployment=it),
            lambda user, it: deployment_rename(user=user, deployment=it, title="x", note=""),
        ],
        ids=["delete", "rename"],
    )
    def test_a_stranger_can_not(
        self, act: Callable[[User, Deployment], Any], owner: User, stranger: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        with pytest.raises(Deployment.DoesNotExist):
            act(stranger, mine)
        assert len(wire.calls) == 0
