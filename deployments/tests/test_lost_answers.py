"""A submission whose answer was lost: it is found again, merged, or given up, and never made twice."""

from datetime import timedelta
from typing import Any

import responses
from django.utils import timezone

from accounts.models import User
from deployments.clients.orchestrator import UpstreamDeployment
from deployments.models import Deployment
from deployments.services import (
    deployment_accepted,
    deployment_refresh,
    deployment_uncertain,
    deployments_sync,
)
from deployments.states import Status
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR

LIST = f"{ORCHESTRATOR}/deployments"


class TestLostAnswers:
    """A submission that was sent, but whose answer never came."""

    def pending(self, owner: User, *, minutes: float = 5, status: str = Status.UNCERTAIN) -> Deployment:
        made = make_deployment(owner, status=status, template_text="a: b\nc: d\n", callback_secret="s3cr3t" * 5)
        Deployment.objects.filter(pk=made.pk).update(recorded_at=timezone.now() - timedelta(minutes=minutes))
        return made

    def made(self, owner: User, uuid: str, *, minutes: float = 5, **fields: Any) -> dict[str, Any]:
        when = timezone.now() - timedelta(minutes=minutes)
        return upstream(uuid, owner=owner, creationTime=when.strftime("%Y-%m-%dT%H:%M+0000"), **fields)

    def test_it_is_found_by_its_callback(self, owner: User, wire: responses.RequestsMock) -> None:
        lost = self.pending(owner)
        callback = f"https://dash.example.org/callback/{lost.callback_secret}"
        wire.get(LIST, json=listing(self.made(owner, "u2"), self.made(owner, "u1", callback=callback)))
        wire.get(f"{LIST}/u2/template", body="other")
        deployments_sync(user=owner)
        lost.refresh_from_db()
        assert (lost.uuid, lost.status) == ("u1", "CREATE_IN_PROGRESS")
        assert Deployment.objects.visible_to(owner).count() == 2

    def test_it_is_found_by_time_and_template(self, owner: User, wire: responses.RequestsMock) -> None:
        lost = self.pending(owner)
        wire.get(LIST, json=listing(self.made(owner, "u3", minutes=60), self.made(owner, "u2"), self.made(owner, "u1")))
        wire.get(f"{LIST}/u1/template", body="a: b\r\nc: d\r\n")
        other = wire.get(f"{LIST}/u2/template", body="something: else")
        too_old = wire.get(f"{LIST}/u3/template", body="a: b\nc: d\n")
        deployments_sync(user=owner)
        lost.refresh_from_db()
        assert lost.uuid == "u1"
        assert other.call_count == 1
        assert too_old.call_count == 0
        assert Deployment.objects.visible_to(owner).count() == 3

    def test_one_that_is_nowhere_was_never_accepted(self, owner: User, wire: responses.RequestsMock) -> None:
        lost = self.pending(owner)
        wire.get(LIST, json=listing(self.made(owner, "u1", minutes=60)))
        deployments_sync(user=owner)
        lost.refresh_from_db()
        assert (lost.status, lost.known_status) == ("GONE", "UNCERTAIN")

    def test_nothing_is_concluded_too_early_or_from_half_a_list(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        fresh, old = self.pending(owner, minutes=1), self.pending(owner, minutes=20)
        wire.get(LIST, json=listing({"no": "uuid"}))
        deployments_sync(user=owner)
        fresh.refresh_from_db()
        old.refresh_from_db()
        assert (fresh.status, old.status) == ("UNCERTAIN", "UNCERTAIN")

    def test_a_submission_whose_process_died_becomes_uncertain(self, owner: User, wire: responses.RequestsMock) -> None:
        dead = self.pending(owner, status=Status.SUBMITTING)
        wire.get(LIST, json=listing({"no": "uuid"}))
        deployments_sync(user=owner)
        dead.refresh_from_db()
        assert dead.status == "UNCERTAIN"

    def test_one_on_its_way_is_not_mistaken_for_one_made_elsewhere(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        self.pending(owner, minutes=0, status=Status.SUBMITTING)
        wire.get(LIST, json=listing(self.made(owner, "u1", minutes=0), self.made(owner, "u2", minutes=60)))
        deployments_sync(user=owner)
        assert set(Deployment.objects.visible_to(owner).values_list("uuid", flat=True)) == {None, "u2"}

    def test_one_whose_process_died_is_known_by_its_callback_at_the_next_look(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        dead = self.pending(owner, minutes=0, status=Status.SUBMITTING)
        callback = f"https://dash.example.org/callback/{dead.callback_secret}"
        wire.get(LIST, json=listing(self.made(owner, "u1", minutes=0, callback=callback)))
        deployments_sync(user=owner)
        assert [found.uuid for found in Deployment.objects.visible_to(owner)] == ["u1"]

    def test_an_answer_that_comes_after_a_look_has_told_it_all_changes_nothing(self, owner: User) -> None:
        mine = make_deployment(owner, status=Status.SUBMITTING)
        answer = UpstreamDeployment.model_validate(upstream("u1", owner=owner))
        seen_by_a_look = Deployment.objects.get(pk=mine.pk)
        deployment_accepted(deployment=seen_by_a_look, upstream=answer)
        deployment_accepted(deployment=mine, upstream=answer)
        assert (mine.uuid, mine.events.count()) == ("u1", 1)

    def test_one_whose_time_was_noted_by_a_clock_that_ran_ahead_is_settled_too(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        dead = self.pending(owner, minutes=-600, status=Status.SUBMITTING)
        wire.get(LIST, json=listing({"no": "uuid"}))
        deployments_sync(user=owner)
        dead.refresh_from_db()
        assert dead.status == "UNCERTAIN"

    def test_a_look_by_a_clock_that_ran_ahead_does_not_outlast_it(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        make_deployment(owner, uuid="u1", seen_at=timezone.now() + timedelta(hours=10))
        wire.get(f"{LIST}/u1", json=upstream("u1", owner=owner, status="CREATE_FAILED"))
        assert deployment_refresh(user=owner, uuid="u1").status == "CREATE_FAILED"

    def test_an_answer_that_comes_after_a_look_merges_the_two_records(self, owner: User) -> None:
        mine = make_deployment(owner, status=Status.SUBMITTING)
        twin = make_deployment(owner, uuid="u1", submission_key=None)
        twin.events.create(status="CREATE_COMPLETE")
        deployment_accepted(deployment=mine, upstream=UpstreamDeployment.model_validate(upstream("u1", owner=owner)))
        mine.refresh_from_db()
        assert mine.uuid == "u1"
        assert [event.status for event in mine.events.all()] == ["CREATE_COMPLETE", "CREATE_IN_PROGRESS"]
        assert not Deployment.objects.filter(pk=twin.pk).exists()

    def test_an_answer_that_came_meanwhile_counts_more_than_the_doubt(self, owner: User) -> None:
        mine = make_deployment(owner, status=Status.SUBMITTING)
        Deployment.objects.filter(pk=mine.pk).update(uuid="u1", status="CREATE_IN_PROGRESS")
        deployment_uncertain(deployment=mine)
        assert (mine.uuid, mine.status) == ("u1", "CREATE_IN_PROGRESS")
