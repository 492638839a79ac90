"""Sending to the orchestrator: once, typed, and on record whatever happens."""

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
import yaml
from django.db import connection

from accounts.models import Token, User
from accounts.testing import configure, give_token, make_user
from accounts.tokens import LoginExpired
from catalog.models import Module, Template
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.choices import Choices
from deployments.models import Action, Deployment
from deployments.placement import PLACEMENT, SLA_PLACEMENT, placement_type, with_placement
from deployments.states import Status
from deployments.storage.models import StorageAccount
from deployments.submission import Submission, deployment_submit
from deployments.testing import make_deployment

ORCHESTRATOR = "https://paas.example.org/orchestrator"
RAW = """\
tosca_definitions_version: tosca_simple_yaml_1_0
# a comment that stays when nothing is added
topology_template:
  inputs:
    num_cpus: {type: integer, default: 1}
    rclone_password: {type: string, default: ""}
"""
ANSWER = {
    "uuid": "11ed8ab3-6a40",
    "status": "CREATE_IN_PROGRESS",
    "task": "NONE",
    "creationTime": "2026-11-23T09:22+0000",
    "outputs": {},
    "links": [],
}


@pytest.fixture(autouse=True)
def _orchestrator(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, ORCHESTRATOR_URL=ORCHESTRATOR)


@pytest.fixture
def upstream() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(responses.GET, f"{ORCHESTRATOR}/info", json={"build": {"version": "2.9.0-SNAPSHOT"}})
        yield mock


@pytest.fixture
def ada(db: None) -> User:
    user = make_user("ada")
    give_token(user)
    return user


def submission(**changes: Any) -> Submission:
    module = Module.objects.get_or_create(slug="m", defaults={"title": "M", "docker_image": "deephdc/m"})[0]
    template = Template.objects.get_or_create(
        path="t.yml", defaults={"filename": "t.yml", "raw": RAW, "kind": "MARATHON"}
    )[0]
    values: dict[str, Any] = {
        "key": uuid.uuid4(),
        "module": module,
        "template": template,
        "template_title": "default",
        "choices": Choices("default", "cpu", "cpu", "deepaas"),
        "title": "Alpine",
        "parameters": {"num_cpus": 2, "rclone_password": "hunter22222", "docker_image": "deephdc/m:cpu"},
        "secret_names": ["rclone_password"],
    }
    return Submission(**{**values, **changes})


def sent_body(upstream: responses.RequestsMock) -> dict[str, Any]:
    (call,) = [call for call in upstream.calls if call.request.method == "POST"]
    return dict(json.loads(call.request.body or b""))


def test_typed_inputs_and_the_templates_own_text_are_sent(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    deployment = deployment_submit(
        user=ada, submission=submission(options={"keep_last_attempt": True, "timeout_mins": 30})
    )
    assert sent_body(upstream) == {
        "template": RAW,
        "parameters": {"num_cpus": 2, "rclone_password": "hunter22222", "docker_image": "deephdc/m:cpu"},
        "keepLastAttempt": True,
        "timeoutMins": 30,
    }
    assert (deployment.uuid, deployment.status) == ("11ed8ab3-6a40", "CREATE_IN_PROGRESS")
    assert (deployment.num_cpus, deployment.docker_image) == (2, "deephdc/m:cpu")


def test_all_that_was_asked_for_is_on_record(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    account = StorageAccount.objects.create(owner=ada, label="Box", url="https://box.org", user_name="a", password="x")
    wanted = submission(
        user_group="ml-users", module_slug="not-this-one", options={"timeout_mins": 30}, storage=account.key,
        secret_names=["rclone_password", "not_sent"], parameters={"num_gpus": 0, "rclone_password": "hunter22222"},
    )  # fmt: skip
    made = Deployment.objects.get(pk=deployment_submit(user=ada, submission=wanted).pk)
    assert sent_body(upstream)["userGroup"] == "ml-users"
    assert (made.submission_key, made.owner, made.issuer, made.subject) == (wanted.key, ada, ada.issuer, ada.subject)
    assert (made.module, made.module_slug, made.template) == (wanted.module, "m", wanted.template)
    assert (made.template_file, made.template_title, made.template_text) == ("t.yml", "default", RAW)
    assert made.template_digest == hashlib.sha256(RAW.encode()).hexdigest()
    assert (made.title, made.user_group, made.deployment_kind) == ("Alpine", "ml-users", "MARATHON")
    assert wanted.choices
    assert (made.choices, made.options) == (wanted.choices.as_dict(), {"timeout_mins": 30})
    assert (made.inputs, made.secret_inputs) == ({"num_gpus": 0}, ["rclone_password"])
    assert (made.provider_choice, made.storage) == ({"mode": "auto"}, account.key)
    assert (made.docker_image, made.num_cpus, made.num_gpus) == ("", None, 0)
    account.refresh_from_db()
    assert account.used_at


def test_a_template_alone_is_recorded_and_sent_without_the_provider_it_once_had(
    ada: User, upstream: responses.RequestsMock
) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    alone = Template(filename="t.yml", raw=with_placement(RAW, sla_id="gone", type=SLA_PLACEMENT))
    parameters = {"docker_image": "", "dockerhub_img": "i" * 501}
    wanted = submission(module=None, module_slug="m-of-old", template=alone, choices=None, parameters=parameters)
    made = Deployment.objects.get(pk=deployment_submit(user=ada, submission=wanted).pk)
    assert yaml.safe_load(sent_body(upstream)["template"]) == yaml.safe_load(RAW)
    assert (made.module, made.module_slug, made.template, made.choices) == (None, "m-of-old", None, {})
    assert made.docker_image == "i" * 500


def test_the_orchestrator_is_given_an_address_to_call_back_where_ours_is_known(
    ada: User, upstream: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, PUBLIC_URL="https://dash.example.org")
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    deployment = deployment_submit(user=ada, submission=submission())
    assert sent_body(upstream)["callback"] == (
        f"https://dash.example.org/callback/{deployment.submission_key}/{deployment.callback_secret}"
    )


def test_every_submission_is_in_the_audit_trail(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", status=400, json={"message": "mem_size exceeds"})
    with pytest.raises(Problem):
        deployment_submit(user=ada, submission=submission())
    (action,) = Action.objects.all()
    assert (action.what, action.result, action.user) == ("submit", "failed", ada)
    assert "Alpine" in action.subject
    assert "mem_size exceeds" in action.detail


def test_secrets_are_sent_and_never_kept(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    deployment = deployment_submit(user=ada, submission=submission())
    deployment.refresh_from_db()
    assert deployment.secret_inputs == ["rclone_password"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM deployments_deployment")
        assert "hunter22222" not in str(cursor.fetchall())


def test_a_second_press_returns_the_first_deployment_and_sends_nothing(
    ada: User, upstream: responses.RequestsMock
) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    first = submission()
    one, two = (deployment_submit(user=ada, submission=first) for _ in range(2))
    assert one.pk == two.pk
    Token.objects.all().delete()
    assert deployment_submit(user=ada, submission=first).pk == one.pk, "nobody has to sign in for that"
    assert len([call for call in upstream.calls if call.request.method == "POST"]) == 1


def test_somebody_elses_key_does_not_lead_to_their_deployment(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    mine = submission()
    deployment_submit(user=ada, submission=mine)
    mallory = make_user("mallory")
    give_token(mallory)
    make_deployment(mallory)
    with pytest.raises(Problem, match="submit:template"):
        deployment_submit(user=mallory, submission=mine)


@pytest.mark.django_db(transaction=True)
def test_a_template_that_the_catalogue_drops_at_that_moment_is_said(upstream: responses.RequestsMock) -> None:
    wanted, ada = submission(), make_user("ada")
    give_token(ada)
    Template.objects.all().delete()
    with pytest.raises(Problem, match="submit:template"):
        deployment_submit(user=ada, submission=wanted)


def test_a_number_that_no_column_takes_is_sent_and_not_recorded(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    deployment = deployment_submit(user=ada, submission=submission(parameters={"num_gpus": 10**30, "num_cpus": "4"}))
    assert sent_body(upstream)["parameters"]["num_gpus"] == 10**30
    assert (deployment.num_gpus, deployment.num_cpus) == (None, 4)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            {"status": 400, "json": {"code": 400, "title": "Bad Request", "message": "mem_size exceeds"}},
            "submit:refused",
        ),
        ({"status": 403, "json": {"message": "Insufficient scope"}}, "submit:refused"),
        ({"status": 409, "json": {"message": "later"}}, "submit:refused"),
        ({"status": 500, "json": {"message": "NullPointer"}}, "submit:unsent"),
        ({"status": 503, "body": "<html>down</html>", "content_type": "text/html"}, "submit:unsent"),
        ({"status": 429, "headers": {"Retry-After": "3"}}, "submit:unsent"),
    ],
)
def test_a_refusal_leaves_no_record_and_names_the_reason(
    ada: User, upstream: responses.RequestsMock, answer: dict[str, Any], problem: str
) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", **answer)
    with pytest.raises(Problem) as caught:
        deployment_submit(user=ada, submission=submission())
    assert caught.value.id == problem
    assert not Deployment.objects.exists()
    if "json" in answer:
        assert answer["json"]["message"] in caught.value.detail


@pytest.mark.parametrize(
    "body", [requests.exceptions.ReadTimeout("Read timed out"), "not json", '{"uuid": ""}', "<html>gateway</html>"]
)
def test_without_a_usable_answer_the_record_stays_and_says_so(
    ada: User, upstream: responses.RequestsMock, body: Any
) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", body=body, status=201)
    deployment = deployment_submit(user=ada, submission=submission())
    assert deployment.status == Status.UNCERTAIN
    assert deployment.uuid is None
    assert [event.status for event in deployment.events.all()] == [Status.SUBMITTING, Status.UNCERTAIN]


def test_when_no_token_can_be_had_nothing_is_sent_and_who_is_away_is_named(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(user: User) -> str:
        raise ServiceError("service:unreachable", service="IAM", detail="no route")

    monkeypatch.setattr("deployments.submission.Orchestrator", away)
    with pytest.raises(Problem) as caught:
        deployment_submit(user=ada, submission=submission())
    problem = caught.value
    assert (problem.id, problem.facts["service"], problem.detail) == ("submit:unsent", "IAM", "no route")
    assert not Deployment.objects.exists()


def test_the_newer_policy_is_sent_when_the_version_is_not_told(ada: User) -> None:
    with responses.RequestsMock() as upstream:
        upstream.add(responses.GET, f"{ORCHESTRATOR}/info", status=503)
        upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
        deployment_submit(user=ada, submission=submission(sla_id="5f0dab12"))
        assert SLA_PLACEMENT in sent_body(upstream)["template"]


def test_a_token_refused_twice_asks_to_sign_in_and_leaves_no_record(
    ada: User, upstream: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployments.clients.base.token_refresh_now", lambda user, **rejected: "a-new-token")
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", status=401, json={"message": "Invalid token: abc"})
    with pytest.raises(LoginExpired):
        deployment_submit(user=ada, submission=submission())
    assert not Deployment.objects.exists()


def test_a_chosen_provider_becomes_a_placement_policy(ada: User, upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    deployment = deployment_submit(user=ada, submission=submission(sla_id="5f0dab12", provider_label="IFCA: Marathon"))
    template = yaml.safe_load(sent_body(upstream)["template"])
    assert template["topology_template"]["policies"] == [
        {"deploy_on_specific_site": {"type": SLA_PLACEMENT, "properties": {"sla_id": "5f0dab12"}}}
    ]
    assert deployment.provider_choice == {"mode": "manual", "sla_id": "5f0dab12", "label": "IFCA: Marathon"}


def test_old_placements_go_and_other_policies_stay() -> None:
    raw = (
        RAW
        + """\
  policies:
    - scaling: {type: tosca.policies.Scaling}
    - old: {type: tosca.policies.Placement, properties: {sla_id: other}}
"""
    )
    policies = yaml.safe_load(with_placement(raw, sla_id="x", type=SLA_PLACEMENT))["topology_template"]["policies"]
    assert [next(iter(policy)) for policy in policies] == ["scaling", "deploy_on_specific_site"]


@pytest.mark.parametrize(
    ("version", "type"),
    [
        ("2.1.1-FINAL", PLACEMENT),
        ("2.2.0", SLA_PLACEMENT),
        ("2.10.0-SNAPSHOT", SLA_PLACEMENT),
        ("", SLA_PLACEMENT),
        ("odd", SLA_PLACEMENT),
    ],
)
def test_the_policys_type_follows_the_orchestrators_version(version: str, type: str) -> None:
    assert placement_type(version) == type


def test_a_hostile_sla_id_stays_a_value() -> None:
    text = with_placement(RAW, sla_id="x}}\n- evil: {type: y", type=SLA_PLACEMENT)
    (policy,) = yaml.safe_load(text)["topology_template"]["policies"]
    assert policy["deploy_on_specific_site"]["properties"]["sla_id"] == "x}}\n- evil: {type: y"


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_send_once(upstream: responses.RequestsMock) -> None:
    upstream.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=ANSWER, status=201)
    user = make_user("ada")
    give_token(user)
    pressed, start, results = submission(), threading.Barrier(2), []

    def press() -> None:
        try:
            start.wait(timeout=10)
            results.append(deployment_submit(user=user, submission=pressed).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(results) == 2
    assert len(set(results)) == 1
    assert len([call for call in upstream.calls if call.request.method == "POST"]) == 1
