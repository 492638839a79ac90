"""The webhook takes what GitHub signed, once, and nothing else; whatever comes, it answers and stays whole."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from accounts.testing import make_user
from catalog import checks, webhook
from catalog.models import RefreshRun, WebhookDelivery
from catalog.models import delivery as delivery_module
from catalog.tasks import take_up_refresh
from catalog.testing import use_config
from catalog.tests.test_mutations import VALUES, mutated

pytestmark = pytest.mark.django_db
SECRET = "a shared secret"
PUSH: dict[str, Any] = {
    "ref": "refs/heads/master",
    "before": "0" * 40,
    "after": "a" * 40,
    "deleted": False,
    "repository": {"full_name": "indigo-dc/tosca-templates", "default_branch": "master"},
    "pusher": {"name": "ada", "email": "ada@example.org"},
    "commits": [],
}


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with use_config(GITHUB_SECRET=SecretStr(SECRET), WEBHOOK_REPOSITORIES=["indigo-dc/tosca-templates", "deephdc/*"]):
        yield


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The messages to the workers, which nobody reads here."""
    sent: list[float] = []
    monkeypatch.setattr(take_up_refresh, "apply_async", lambda args, countdown: sent.append(countdown))
    return sent


def signature(body: bytes, name: str = "sha256", secret: str = SECRET) -> str:
    return f"{name}={hmac.new(secret.encode(), body, name).hexdigest()}"


def deliver(
    payload: Any = PUSH, *, event: str = "push", id: str = "guid-1", form: bool = False, body: bytes | None = None,
    client: Client | None = None, **headers: str,
) -> Any:  # fmt: skip
    """A delivery as GitHub makes it; ``headers`` with ``_`` for ``-`` replace those it would have."""
    if body is None:
        text = json.dumps(payload)
        body = urlencode({"payload": text}).encode() if form else text.encode()
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    sent = {"X_Hub_Signature_256": signature(body), "X_GitHub_Event": event, "X_GitHub_Delivery": id, **headers}
    return (client or Client(raise_request_exception=False)).post(
        "/reload", body, content_type=kind, headers={k.replace("_", "-"): v for k, v in sent.items() if v}
    )


def the_row() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


@pytest.mark.parametrize("form", [False, True])
def test_a_signed_push_asks_for_a_refresh_at_once(
    form: bool, nudges: list[float], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = deliver(form=form)
    assert answer.status_code == 202
    row = the_row()
    assert (row.delivery, row.event, row.verdict, row.ref) == ("guid-1", "push", "queued", "refs/heads/master")
    assert (row.repository, row.genuine) == ("indigo-dc/tosca-templates", True)
    assert row.run
    assert (row.run.trigger, row.run.state) == ("webhook", "waiting")
    assert len(nudges) == 1


OTHER = PUSH | {"ref": "refs/heads/topic"}
NAME, REF = "indigo-dc/tosca-templates", "refs/heads/master"


@pytest.mark.parametrize(
    ("sent", "status", "words", "verdict", "about"),
    [
        ({}, 202, "The catalogue will be refreshed.", "queued", (NAME, REF)),
        ({"event": "ping"}, 200, "Hello. Pushes will refresh the catalogue.", "ping", (NAME, "")),
        ({"event": "issues"}, 200, "Only pushes refresh the catalogue.", "other", (NAME, REF)),
        ({"event": ""}, 200, "Only pushes refresh the catalogue.", "other", (NAME, REF)),
        ({"payload": OTHER}, 200, "This branch is not watched.", "unwatched", (NAME, "refs/heads/topic")),
        ({"body": b"[]"}, 400, "The body is no payload of a webhook.", "malformed", ("", "")),
        ({"body": b"x" * (webhook.MAX_BYTES + 1)}, 413, "More than 5 MiB.", "large", ("", "")),
        ({"X_Hub_Signature_256": ""}, 403, "It is not signed.", "forged", ("", "")),
        ({"X_Hub_Signature_256": "sha256=0"}, 403, "The signature does not fit.", "forged", ("", "")),
        (
            {"X_Hub_Signature_256": "", "X_Hub_Signature": "sha1=0"},
            403,
            "It is signed with SHA-1 alone, which is not taken.",
            "forged",
            ("", ""),
        ),
    ],
)
def test_who_delivers_is_told_what_was_made_of_it_and_so_is_the_record(
    sent: dict[str, Any], status: int, words: str, verdict: str, about: tuple[str, str]
) -> None:
    answer = deliver(**sent)
    assert (answer.status_code, answer.json()) == (status, {"answer": words})
    row = the_row()
    assert (row.verdict, row.answer, (row.repository, row.ref)) == (verdict, f"{status} {words}", about)
    assert (row.event, row.delivery) == (sent.get("event", "push"), "guid-1")


def test_names_that_are_too_long_are_cut_to_their_columns() -> None:
    long = {"ref": "r" * 256, "repository": {"full_name": "n" * 201, "default_branch": "master"}}
    assert deliver(long, event="e" * 65, id="i" * 65).status_code == 200
    row = the_row()
    assert (row.event, row.delivery, row.repository, row.ref) == ("e" * 64, "i" * 64, "n" * 200, "r" * 255)


def test_exactly_as_much_as_is_allowed_is_read() -> None:
    body = json.dumps(PUSH).encode()
    with patch.object(webhook, "MAX_BYTES", len(body)):
        assert deliver(body=body).status_code == 202
        assert deliver(body=body + b" ", id="2").status_code == 413


def test_nothing_is_kept_of_the_people_a_payload_names() -> None:
    deliver()
    assert "ada" not in " ".join(str(value) for value in WebhookDelivery.objects.values_list()[0])


def test_a_ping_and_other_events_refresh_nothing() -> None:
    assert deliver(event="ping", id="1").status_code == 200
    assert deliver(event="issues", id="2").status_code == 200
    assert list(WebhookDelivery.objects.values_list("verdict", flat=True)) == ["other", "ping"]
    assert not RefreshRun.objects.exists()


@pytest.mark.parametrize(
    ("repository", "default", "ref", "watched"),
    [
        ("indigo-dc/tosca-templates", "master", "refs/heads/master", True),
        ("Indigo-DC/TOSCA-templates", "master", "refs/heads/master", True),
        ("indigo-dc/tosca-templates", "develop", "refs/heads/develop", True),
        ("indigo-dc/tosca-templates", "develop", "refs/heads/main", True),  # metadata is read from there too
        ("indigo-dc/tosca-templates", "master", "refs/heads/topic", False),
        ("indigo-dc/tosca-templates", "master", "refs/tags/master", False),
        ("indigo-dc/tosca-templates", "master", "master", False),
        ("indigo-dc/tosca-types", "master", "refs/heads/master", False),
        ("deephdc/deep-oc-anything", "main", "refs/heads/main", True),
        ("deephdc/staged@x", "main", "refs/heads/main", True),
        ("other/one", "main", "refs/heads/main", False),
        ("other/one", "main", "refs/heads/stable/1", True),
        ("", "main", "refs/heads/main", False),
    ],
)
def test_only_watched_repositories_and_branches_count(repository: str, default: str, ref: str, watched: bool) -> None:
    with use_config(WEBHOOK_REPOSITORIES=["indigo-dc/tosca-templates", "deephdc/*", "other/one@stable/1"]):
        answer = deliver({"ref": ref, "repository": {"full_name": repository, "default_branch": default}})
    assert (answer.status_code, the_row().verdict) == ((202, "queued") if watched else (200, "unwatched"))


@pytest.mark.parametrize(
    ("repository", "ref", "default"),
    [("a/b", "xrefs/heads/main", "main"), ("a/b", "refs/heads/", ""), ("", "refs/heads/main", "main")],
)
def test_what_names_no_branch_of_a_repository_is_never_watched(repository: str, ref: str, default: str) -> None:
    with use_config(WEBHOOK_REPOSITORIES=[]):
        assert webhook.is_watched(repository, ref, default) is False


def test_without_a_list_any_signed_repository_counts() -> None:
    with use_config(WEBHOOK_REPOSITORIES=[]):
        assert deliver(PUSH | {"repository": {"full_name": "any/body", "default_branch": "master"}}).status_code == 202


def test_a_repeated_delivery_does_nothing_more() -> None:
    assert deliver().status_code == 202
    RefreshRun.objects.update(state=RefreshRun.State.DONE)
    assert deliver(id="another").status_code == 202
    RefreshRun.objects.update(state=RefreshRun.State.DONE)
    for _ in range(2):
        again = deliver()
        assert again.status_code == 200
        assert again.json() == {"answer": "This delivery came before; nothing more is done."}
    assert list(WebhookDelivery.objects.order_by("delivery").values_list("delivery", "repeats")) == [
        ("another", 0), ("guid-1", 2),
    ]  # fmt: skip
    assert RefreshRun.objects.count() == 2


def test_who_forges_a_delivery_can_not_take_its_id_away() -> None:
    assert deliver(X_Hub_Signature_256="sha256=00").status_code == 403
    assert deliver().status_code == 202
    assert deliver().status_code == 200
    assert dict(WebhookDelivery.objects.values_list("verdict", "repeats")) == {"forged": 0, "queued": 1}


@pytest.mark.parametrize(
    "given",
    ["", "sha256=", "sha256=00", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "\u00fc", "x" * 5000,
     signature(json.dumps(PUSH).encode(), secret="another"), signature(json.dumps(PUSH).encode()).upper()],
)  # fmt: skip
def test_what_is_not_signed_with_our_secret_is_refused_unread(given: str) -> None:
    with patch.object(json, "loads", side_effect=AssertionError("parsed before it was trusted")):
        assert deliver(X_Hub_Signature_256=given).status_code == 403
    row = the_row()
    assert (row.verdict, row.genuine, row.repository, row.ref) == ("forged", False, "", "")
    assert not RefreshRun.objects.exists()


def test_the_signature_is_over_the_raw_bytes() -> None:
    body = json.dumps(PUSH, indent=1).encode() + b"\n"
    assert deliver(body=body).status_code == 202
    assert deliver(body=body, id="2", X_Hub_Signature_256=signature(json.dumps(PUSH).encode())).status_code == 403


def test_the_old_signature_counts_only_where_a_setting_allows_it() -> None:
    old = signature(json.dumps(PUSH).encode(), "sha1")
    assert deliver(X_Hub_Signature_256="", X_Hub_Signature=old).status_code == 403
    with use_config(WEBHOOK_ALLOW_SHA1=True):
        assert deliver(X_Hub_Signature_256="", X_Hub_Signature=old).status_code == 202
        # The better one decides where both are there.
        assert deliver(X_Hub_Signature_256="sha256=00", X_Hub_Signature=old, id="2").status_code == 403


def test_without_a_secret_everything_is_refused_unless_a_setting_says_otherwise() -> None:
    with use_config(GITHUB_SECRET=SecretStr("")):
        closed = deliver()
        assert (closed.status_code, closed.json()["answer"]) == (
            403, "No webhook secret is set here, so none can be trusted.",
        )  # fmt: skip
        assert (the_row().verdict, the_row().genuine) == ("closed", False)
        with use_config(WEBHOOK_ALLOW_UNSIGNED=True):
            assert deliver(X_Hub_Signature_256="").status_code == 202
    with use_config(WEBHOOK_ALLOW_UNSIGNED=True):
        assert deliver(X_Hub_Signature_256="", id="2").status_code == 403, "a secret is there, so it must be used"


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ({}, []),
        ({"WEBHOOK_ALLOW_UNSIGNED": True}, ["catalog.W007"]),
        ({"WEBHOOK_ALLOW_UNSIGNED": True, "GITHUB_SECRET": SecretStr("")}, ["catalog.W007"]),
        ({"WEBHOOK_ALLOW_SHA1": True}, ["catalog.W008"]),
        ({"WEBHOOK_REPOSITORIES": ["a/b", "a/*", "a/b@c/d", "https://github.com/a/b", "a"]}, ["catalog.W009"]),
    ],
)
def test_a_startup_check_warns_of_an_open_webhook(values: dict[str, Any], ids: list[str]) -> None:
    with use_config(**values):
        assert [message.id for message in checks.webhook(None)] == ids


def test_an_oversized_body_is_refused_without_being_read() -> None:
    with patch.object(webhook, "MAX_BYTES", 100):
        assert deliver().status_code == 413
    assert (the_row().verdict, the_row().genuine) == ("large", False)


def test_a_body_longer_than_announced_is_not_read_on(rf: Any) -> None:
    request = rf.post("/reload", b"x" * 200, content_type="application/json")
    request.META["CONTENT_LENGTH"] = "odd"
    with patch.object(webhook, "MAX_BYTES", 100):
        assert webhook.judge(request).status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000, b"payload=", b"payload=[]", b"a=1"],
)
@pytest.mark.parametrize("form", [False, True])
def test_a_signed_body_that_is_no_payload_is_a_bad_request(body: bytes, form: bool) -> None:
    assert deliver(body=body, form=form).status_code == 400
    assert the_row().verdict == "malformed"


def test_only_posts_are_taken_and_no_cross_site_token_is_asked_for() -> None:
    assert Client().get("/reload").status_code == 405
    assert deliver(client=Client(enforce_csrf_checks=True)).status_code == 202


def test_the_last_ones_are_kept_and_strangers_can_not_push_them_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "KEPT", 3)
    monkeypatch.setattr(delivery_module, "KEPT_REFUSED", 2)
    for number in range(5):
        deliver(id=f"good-{number}")
    for number in range(5):
        deliver(id=f"bad-{number}", X_Hub_Signature_256="sha256=00")
    kept = list(WebhookDelivery.objects.values_list("delivery", flat=True))
    assert kept == ["bad-4", "bad-3", "good-4", "good-3", "good-2"]


def test_a_queue_that_is_away_delays_the_refresh_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def away(args: object, countdown: float) -> None:
        raise OperationalError("Connection refused")

    monkeypatch.setattr(take_up_refresh, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        assert deliver().status_code == 202
    assert "the queue can't be reached" in caplog.text
    done: list[RefreshRun] = []
    monkeypatch.setattr("catalog.services._refresh", lambda report, progress: done.append(report.run))
    take_up_refresh()
    assert done == [the_row().run]


@contextmanager
def _closing() -> Iterator[None]:
    try:
        yield
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_same_delivery_many_times_at_once_counts_once() -> None:
    statuses: list[int] = []

    def send() -> None:
        with _closing():
            statuses.append(deliver().status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [200] * 7 + [202]
    assert the_row().repeats == 7


@pytest.mark.django_db(transaction=True)
def test_many_deliveries_at_once_leave_one_wish(nudges: list[float]) -> None:
    statuses: list[int] = []

    def send(number: int) -> None:
        with _closing():
            statuses.append(deliver(id=f"guid-{number}").status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert statuses == [202] * 12
    assert RefreshRun.objects.count() == 1
    assert WebhookDelivery.objects.filter(run=RefreshRun.objects.get()).count() == 12
    assert len(nudges) == 12


def test_curators_read_deliveries_in_the_admin_and_change_none() -> None:
    deliver(id="guid-of-it")
    curator = make_user("grace", staff=True)
    curator.user_permissions.add(*Permission.objects.filter(content_type__app_label="catalog"))
    client = Client()
    client.force_login(curator)
    page = client.get("/admin/catalog/webhookdelivery/")
    assert "indigo-dc/tosca-templates" in page.content.decode()
    row = the_row()
    assert "guid-of-it" in client.get(f"/admin/catalog/webhookdelivery/{row.pk}/change/").content.decode()
    assert client.post(f"/admin/catalog/webhookdelivery/{row.pk}/change/", {"verdict": "ping"}).status_code == 403
    assert client.get("/admin/catalog/webhookdelivery/add/").status_code == 403
    assert client.post(f"/admin/catalog/webhookdelivery/{row.pk}/delete/", {"post": "yes"}).status_code == 403


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=100)


@given(
    body=mutated(json.dumps(PUSH)).map(lambda text: text.encode(errors="replace")) | st.binary(max_size=60),
    form=st.booleans(),
    signed=st.booleans(),
    event=HEADER | st.just("push"),
    id=HEADER,
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_and_no_header_is_too_much_for_it(
    body: bytes, form: bool, signed: bool, event: str, id: str, nudges: list[float]
) -> None:
    cache.clear()  # many more than in a minute
    answer = deliver(
        body=body, form=form, event=event, id=id, X_Hub_Signature_256=signature(body) if signed else "sha256=0"
    )
    assert answer.status_code in ({200, 202, 400} if signed else {403})


@given(
    payload=st.fixed_dictionaries(
        {},
        optional={
            "ref": VALUES,
            "repository": VALUES | st.fixed_dictionaries({}, optional={"full_name": VALUES, "default_branch": VALUES}),
        },
    ),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_anywhere_in_a_signed_payload_is_judged(payload: Any, nudges: list[float]) -> None:
    assert deliver(payload, id="").status_code in {200, 202}


@given(noise=st.text(max_size=20), place=st.integers(0, 2))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_good_delivery_among_bad_ones_is_never_lost(noise: str, place: int, nudges: list[float]) -> None:
    cache.clear()
    WebhookDelivery.objects.all().delete()
    sent = [(noise.encode(errors="replace"), "sha256=0")] * 2
    good = json.dumps(PUSH | {"noise": noise}).encode()
    sent.insert(place, (good, f"sha256={hmac.new(SECRET.encode(), good, hashlib.sha256).hexdigest()}"))
    answers = [deliver(body=body, X_Hub_Signature_256=given).status_code for body, given in sent]
    assert answers.pop(place) == 202
    assert set(answers) == {403}


def test_a_burst_of_pushes_passes_and_a_flood_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [deliver(id=f"guid-{number}").status_code for number in range(100)] == [202] * 100
    monkeypatch.setattr(webhook, "GENUINE_A_MINUTE", 103)
    statuses = [deliver(id=f"guid-{number}").status_code for number in range(100, 105)]
    assert statuses == [202, 202, 202, 429, 429]
    refused = deliver(id="guid-106")
    assert refused.headers["Retry-After"] == "60"
    assert refused.json() == {"answer": "Too many deliveries; again in 60 seconds."}
    assert WebhookDelivery.objects.count() == 103, "what is refused leaves nothing in the database"


def test_strangers_are_counted_apart_from_github_and_from_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "OTHERS_A_MINUTE", 3)
    forged = "sha256=0"
    statuses = [deliver(id=str(n), X_Hub_Signature_256=forged).status_code for n in range(5)]
    assert statuses == [403, 403, 403, 429, 429]
    elsewhere = Client(REMOTE_ADDR="192.0.2.9")
    assert deliver(id="a", client=elsewhere, X_Hub_Signature_256=forged).status_code == 403
    assert deliver(id="b").status_code == 202
