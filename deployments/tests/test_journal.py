"""Notices and the audit trail: told once, to the right person, whoever sees the change first."""

import smtplib
import uuid
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.testing import configure, give_token, make_user
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deepdash.limits import count
from deployments import following, tasks
from deployments.callback import SETTLING, callback_url
from deployments.following import deployments_watch
from deployments.journal.actions import action_record, recorded
from deployments.journal.notices import KEPT, notices_forget, notices_mail
from deployments.models import Action, Deployment, Notice
from deployments.services import deployment_delete, deployment_refresh, deployment_rename, deployments_sync
from deployments.states import Status
from deployments.testing import listing, make_deployment
from deployments.tests.test_services import LIST, of


def moving(owner: User, **fields: Any) -> Deployment:
    return make_deployment(owner, status=Status.CREATE_IN_PROGRESS, outputs={}, **fields)


def make_notice(deployment: Deployment, **fields: Any) -> Notice:
    values: dict[str, Any] = {"kind": "ready", "cause": uuid.uuid4().hex, "headline": "“Alpine plants” is deployed"}
    return Notice.objects.create(user=deployment.owner, deployment=deployment, **(values | fields))


class TestNotices:
    @pytest.mark.parametrize(
        ("status", "kind", "words"),
        [
            ("CREATE_COMPLETE", "ready", "is deployed"),
            ("UPDATE_COMPLETE", "ready", "is updated"),
            ("CREATE_FAILED", "failed", "could not be created"),
            ("DELETE_FAILED", "failed", "could not be deleted"),
        ],
    )
    @pytest.mark.parametrize("look", ["list", "one"])
    def test_whichever_look_sees_the_end_tells_it(
        self, owner: User, wire: responses.RequestsMock, look: str, status: str, kind: str, words: str
    ) -> None:
        mine = moving(owner)
        ended = of(mine, status=status, updateTime="2026-11-23T10:00+0000")
        wire.get(LIST, json=listing(ended))
        wire.get(f"{LIST}/{mine.uuid}", json=ended)
        if look == "list":
            deployments_sync(user=owner)
        else:
            deployment_refresh(user=owner, uuid=str(mine.uuid))
        (notice,) = Notice.objects.of(owner)
        assert (notice.kind, notice.deployment) == (kind, mine)
        assert words in notice.headline

    def test_the_same_change_is_told_once_however_often_it_is_seen(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = moving(owner)
        ended = of(mine, status="CREATE_COMPLETE", updateTime="2026-11-23T10:00+0000")
        wire.get(LIST, json=listing(ended))
        deployments_sync(user=owner)
        # A second look that began before the first one ended saw the old state too, and sees the same change.
        Deployment.objects.update(status=Status.CREATE_IN_PROGRESS, seen_at=None)
        deployments_sync(user=owner)
        assert Notice.objects.count() == 1

    def test_a_state_that_was_only_unknown_for_a_while_is_no_news(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = moving(owner)
        for status in ("CREATE_COMPLETE", "UNKNOWN", "CREATE_COMPLETE"):
            wire.replace(
                responses.GET, LIST, json=listing(of(mine, status=status, updateTime="2026-11-23T10:00+0000"))
            ) if wire.registered() else wire.get(
                LIST, json=listing(of(mine, status=status, updateTime="2026-11-23T10:00+0000"))
            )
            deployments_sync(user=owner)
        assert Notice.objects.count() == 1

    def test_what_was_complete_when_first_met_is_no_news(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.get(LIST, json=listing(of(mine, outputs={"new": "output"})))
        deployments_sync(user=owner)
        assert not Notice.objects.exists()

    def test_the_bell_counts_and_the_page_marks_them_read_by_post_alone(self, owner: User, browser: Client) -> None:
        notice = make_notice(make_deployment(owner))
        make_notice(notice.deployment, kind="failed", headline="“Alpine plants” could not be updated")
        assert "Notices: 2 unread" in browser.get("/notices").content.decode()
        assert browser.get(f"/notices/{notice.pk}").status_code == 405
        assert browser.post(f"/notices/{notice.pk}").headers["Location"] == notice.deployment.get_absolute_url()
        assert "Notices: 1 unread" in browser.get("/notices").content.decode()
        browser.post("/notices/read")
        assert "unread" not in browser.get("/notices").content.decode()

    def test_notices_are_their_owners_alone(self, owner: User, stranger: User, browser: Client) -> None:
        theirs = make_notice(make_deployment(stranger, title="Hidden thing"))
        assert "Alpine" not in browser.get("/notices").content.decode()
        assert browser.post(f"/notices/{theirs.pk}").status_code == 404
        browser.post("/notices/read")
        theirs.refresh_from_db()
        assert theirs.read_at is None

    def test_the_page_takes_few_statements_however_many_there_are(
        self, owner: User, browser: Client, django_assert_max_num_queries: Any
    ) -> None:
        mine = make_deployment(owner)
        for _ in range(60):
            make_notice(mine)
        with django_assert_max_num_queries(8):
            assert "60" in browser.get("/notices?page=2").content.decode()

    def test_old_ones_are_forgotten(self, owner: User) -> None:
        mine = make_deployment(owner)
        make_notice(mine, created_at=timezone.now() - KEPT - timedelta(days=1))
        new = make_notice(mine)
        tasks.forget_notices.apply()
        assert [notice.pk for notice in Notice.objects.all()] == [new.pk]
        assert notices_forget() == 0


class TestMail:
    @pytest.fixture(autouse=True)
    def _mail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        configure(monkeypatch, EMAIL_URL="smtp://mail.example.org", PUBLIC_URL="https://dash.example.org")

    def test_a_mail_goes_out_once_with_the_way_to_the_page_and_out(self, owner: User) -> None:
        mine = make_deployment(owner)
        make_notice(mine, mail_due=True, headline="“Alpine\nBcc: all@example.org” is deployed", detail="It runs.")
        assert (notices_mail(), notices_mail()) == (1, 0)
        (sent,) = mail.outbox
        assert sent.to == ["ada@example.org"]
        assert sent.subject == "“Alpine Bcc: all@example.org” is deployed"
        assert f"https://dash.example.org/deployments/{mine.uuid}" in sent.body
        assert "https://dash.example.org/preferences" in sent.body

    def test_who_switched_mails_off_gets_none(self, owner: User, browser: Client) -> None:
        browser.post("/preferences", {"timezone": "Europe/Madrid"})
        make_notice(make_deployment(owner), mail_due=True)
        assert notices_mail() == 0
        assert not mail.outbox

    def test_a_change_makes_a_mail_due_and_starts_the_task_after_the_transaction(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:  # fmt: skip
        started: list[str] = []
        monkeypatch.setattr(tasks.send_mails, "delay", lambda: started.append("mails"))
        mine = moving(owner)
        wire.get(LIST, json=listing(of(mine, status="CREATE_FAILED", statusReason="Quota exceeded")))
        with django_capture_on_commit_callbacks(execute=True):
            deployments_sync(user=owner)
        assert started == ["mails"]
        tasks.send_mails.apply()
        assert "quota" in mail.outbox[0].body

    def test_a_mail_server_in_trouble_stops_nothing(self, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(self: object, **options: object) -> int:
            raise smtplib.SMTPServerDisconnected("gone")

        monkeypatch.setattr("django.core.mail.EmailMessage.send", fails)
        make_notice(make_deployment(owner), mail_due=True)
        assert notices_mail() == 0
        assert not Notice.objects.filter(mail_due=True).exists()


class TestCallback:
    @pytest.fixture
    def looks(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        looks: list[Any] = []
        monkeypatch.setattr(tasks.look_again, "apply_async", lambda args, **options: looks.append((args, options)))
        return looks

    def call(self, address: str, **options: Any) -> Any:
        return Client(enforce_csrf_checks=True).post(address, content_type="application/json", **options)

    def test_the_right_address_starts_one_look_and_its_body_changes_nothing(
        self, owner: User, looks: list[Any], django_capture_on_commit_callbacks: Any
    ) -> None:
        mine = moving(owner)
        address = reverse("deployments:callback", args=[mine.submission_key, mine.callback_secret])
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(3):
                assert self.call(address, data={"uuid": "other", "status": "CREATE_FAILED"}).status_code == 204
        assert looks == [((mine.pk,), {"countdown": SETTLING})]
        mine.refresh_from_db()
        assert mine.status == Status.CREATE_IN_PROGRESS

    def test_what_is_not_json_is_taken_too_as_it_is_not_read(self, owner: User, looks: list[Any]) -> None:
        mine = moving(owner)
        address = reverse("deployments:callback", args=[mine.submission_key, mine.callback_secret])
        assert self.call(address, data=b"\xff{{{").status_code == 204

    @pytest.mark.parametrize("wrong", ["x", "", "é"])
    def test_a_wrong_secret_is_not_found_and_starts_nothing(
        self, owner: User, looks: list[Any], wrong: str, django_capture_on_commit_callbacks: Any
    ) -> None:
        mine = moving(owner)
        with django_capture_on_commit_callbacks(execute=True):
            assert self.call(f"/callback/{mine.submission_key}/{wrong}").status_code == 404
            assert self.call(f"/callback/{uuid.uuid4()}/{mine.callback_secret}").status_code == 404
        assert looks == []

    def test_a_record_without_secret_has_no_address(self, owner: User, looks: list[Any]) -> None:
        mine = moving(owner, callback_secret="")
        assert callback_url(mine) == ""
        assert self.call(f"/callback/{mine.submission_key}/").status_code == 404

    def test_too_many_calls_are_refused(self, db: None, looks: list[Any]) -> None:
        for _ in range(599):
            count("callback", "at 127.0.0.1", limit=600, seconds=60)
        address = f"/callback/{uuid.uuid4()}/x"
        assert [self.call(address).status_code for _ in range(3)] == [404, 429, 429]

    def test_the_look_reads_the_state_with_the_owners_token(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = moving(owner)
        wire.get(f"{LIST}/{mine.uuid}", json=of(mine, status="CREATE_COMPLETE"))
        tasks.look_again.apply((mine.pk,))
        mine.refresh_from_db()
        assert mine.status == Status.CREATE_COMPLETE
        assert wire.calls[0].request.headers["Authorization"] == "Bearer the-token-of-ada"

    def test_an_orchestrator_in_trouble_is_no_failure_of_the_task(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = moving(owner)
        wire.get(f"{LIST}/{mine.uuid}", status=503)
        assert tasks.look_again.apply((mine.pk,)).successful()


class TestWatching:
    def test_what_moves_is_looked_at_for_owners_with_tokens_only(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = moving(owner)
        moving(make_user("ben"))
        wire.get(f"{LIST}/{mine.uuid}", json=of(mine, status="CREATE_COMPLETE"))
        assert deployments_watch() == 1
        assert Notice.objects.get().user == owner
        assert deployments_watch() == 0  # nothing moves any more

    def test_those_not_looked_at_longest_come_first_and_the_rest_next_time(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(following, "OWNERS", 1)
        ben = make_user("ben")
        give_token(ben)
        now = timezone.now()
        moving(owner, seen_at=now - timedelta(minutes=1))
        moving(ben, seen_at=now - timedelta(minutes=9))
        seen: list[User] = []
        monkeypatch.setattr(following, "deployments_follow", lambda user: seen.append(user))
        deployments_watch()
        assert seen == [ben]

    def test_whose_look_fails_is_left_alone_for_a_while(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = moving(owner)
        wire.get(f"{LIST}/{mine.uuid}", status=503)
        assert (deployments_watch(), deployments_watch()) == (1, 0)


class TestActions:
    def test_a_deletion_is_on_record_with_its_result(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", status=403, json={"message": "Only the owner. token=abcdefghijkl"})
        with pytest.raises(Problem):
            deployment_delete(user=owner, deployment=mine)
        wire.replace(responses.DELETE, f"{LIST}/{mine.uuid}", status=204)
        deployment_delete(user=owner, deployment=mine)
        done, refused = Action.objects.filter(deployment=mine)
        assert (done.what, done.result, done.who) == ("delete", "done", "Ada Example")
        assert refused.result == "failed"
        assert "Only the owner" in refused.detail
        assert "abcdefghijkl" not in refused.detail

    def test_what_got_no_answer_is_on_record_as_not_known(self, owner: User) -> None:
        mine = make_deployment(owner)
        for problem in (Problem("deployment:delete-unknown", title="x"), unanswered()):
            with pytest.raises(Problem), recorded(owner, "delete", mine):
                raise problem
        assert {action.result for action in Action.objects.all()} == {"unknown"}

    def test_records_outlive_the_deployment(self, owner: User) -> None:
        mine = make_deployment(owner)
        action_record(owner, "lock", mine)
        mine.delete()
        assert "Alpine plants" in Action.objects.get().subject

    def test_an_unknown_word_is_a_mistake_of_ours(self, owner: User) -> None:
        with pytest.raises(ValueError, match="no action"):
            action_record(owner, "eat")

    def test_the_timeline_and_the_admin_show_them(self, owner: User, browser: Client, services: None) -> None:
        mine = make_deployment(owner)
        deployment_rename(user=owner, deployment=mine, title="Plants 2", note="")
        assert "You changed title and note" in browser.get(mine.get_absolute_url()).content.decode()
        curator = Client()
        curator.force_login(User.objects.create_superuser(issuer="https://iam.example.org", subject="root"))
        action = Action.objects.get()
        assert "Plants 2" in curator.get("/admin/deployments/action/").content.decode()
        assert curator.post(f"/admin/deployments/action/{action.pk}/delete/", {"post": "yes"}).status_code == 403


def unanswered() -> ServiceError:
    return ServiceError("service:timeout", service="The orchestrator", sent=True)
