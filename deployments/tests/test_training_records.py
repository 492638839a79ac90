"""A record of a training can be written, read back, and never says or runs what it must not."""

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from deepdash.errors import Problem
from deployments.models import Deployment, Training
from deployments.trainings.records import record_of, record_read, runs_csv, runs_json, training_import
from deployments.trainings.testing import make_api, make_training


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return make_api(
        owner, docker_image="deephdc/plants:gpu", template_text="tosca_definitions_version: x", template_file="a.yml",
        template_digest="d" * 64, inputs={"num_cpus": 2}, secret_inputs=["rclone_password"],
    )  # fmt: skip


def test_it_holds_all_that_is_needed_to_do_it_again(deployment: Deployment) -> None:
    record = record_of(make_training(deployment))
    assert record["training"]["arguments"] == {"data": "/srv", "epochs": 2, "rate": 0.1}
    environment = record["environment"]
    assert (environment["image"], environment["tag"]) == ("deephdc/plants:gpu", "cpu")
    assert environment["template"] == "tosca_definitions_version: x"
    assert (environment["inputs"], environment["secret_inputs"]) == ({"num_cpus": 2}, ["rclone_password"])
    assert json.dumps(record, allow_nan=False)


def test_somebody_else_can_import_it_and_gets_the_same_record(deployment: Deployment, stranger: User) -> None:
    first = record_of(make_training(deployment))
    run = training_import(user=stranger, record=record_read(json.dumps(first).encode()))
    assert run.owner == stranger
    assert run.deployment is None
    again = record_of(run)
    for name in ("arguments", "status", "result", "seconds", "started_at", "model"):
        assert again["training"][name] == first["training"][name]
    assert again["environment"] == first["environment"]


@pytest.mark.parametrize("module", ["Plants 2.0", "a/b", "pflänzchen"])
def test_a_record_of_what_can_be_no_module_has_its_page_without_a_form(
    module: str, deployment: Deployment, stranger: User, client: Client
) -> None:
    record = record_of(make_training(deployment))
    record["environment"]["module"] = module
    run = training_import(user=stranger, record=record_read(json.dumps(record).encode()))
    client.force_login(stranger)
    page = client.get(run.get_absolute_url())
    assert page.status_code == 200
    assert page.context["again"] == ""


def test_importing_it_twice_makes_one(deployment: Deployment, stranger: User) -> None:
    content = json.dumps(record_of(make_training(deployment))).encode()
    first, second = (training_import(user=stranger, record=record_read(content)) for _ in range(2))
    assert first.pk == second.pk


def test_a_run_that_was_under_way_is_not_said_to_run(deployment: Deployment, stranger: User) -> None:
    content = json.dumps(record_of(make_training(deployment, status="running"))).encode()
    assert training_import(user=stranger, record=record_read(content)).status == "unknown"


def test_secrets_that_somebody_wrote_into_a_record_are_not_kept(deployment: Deployment, stranger: User) -> None:
    record = record_of(make_training(deployment))
    record["training"]["arguments"]["password"] = "s3cret-1"
    record["environment"]["inputs"]["rclone_password"] = "s3cret-2"
    run = training_import(user=stranger, record=record_read(json.dumps(record).encode()))
    assert "s3cret" not in json.dumps(record_of(run))
    assert run.secret_arguments == ["password"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format": "other"}',
        b'{"format": "deepdash training record", "version": 99, "training": {"model": "x"}}',
        b'{"format": "deepdash training record", "training": {"model": ""}}',
        b'{"format": "deepdash training record", "training": {"model": "x", "seconds": -1}}',
        b'{"format": "deepdash training record", "training": {"model": "x", "started_at": "yesterday"}}',
        b'{"format": "deepdash training record", "training": {"model": "x", "started_at": "9999-12-31T23:59:59Z"}}',
        b'{"format": "deepdash training record", "training": {"model": "x", "finished_at": "0001-01-01T00:00+14:00"}}',
        b'{"format": "deepdash training record", "training": {"model": "x", "arguments": []}}',
        b" " * (2 * 1024 * 1024 + 1),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_reason(content: bytes) -> None:
    with pytest.raises(Problem) as raised:
        record_read(content)
    assert raised.value.id == "training:record"
    assert raised.value.detail


def test_what_no_database_or_page_takes_is_left_out_of_a_record(stranger: User, client: Client) -> None:
    rubbish = {"half \ud83d": "half \ud83d", "huge": 10**400, "nul": "a\0b", "not": float("nan")}
    training = {"model": "x\0", "uuid": "u" * 200, "result": rubbish, "arguments": rubbish, "message": "\0"}
    environment = {"image": "a\0b", "module": "m\0", "inputs": rubbish, "template": "\0"}
    content = {"format": "deepdash training record", "training": training, "environment": environment}
    one, again = (training_import(user=stranger, record=record_read(json.dumps(content).encode())) for _ in range(2))
    assert one.pk == again.pk
    assert "\\u0000" not in json.dumps([one.source, one.result, one.arguments])
    client.force_login(stranger)
    for name in ("run", "run_record", "run_result"):
        assert client.get(reverse(f"deployments:{name}", args=[one.key])).status_code == 200


def test_imported_ones_are_listed_and_exported_without_a_statement_each(
    deployment: Deployment, stranger: User, django_assert_num_queries: Any
) -> None:
    first = record_of(make_training(deployment))
    for place in range(5):
        first["training"]["uuid"] = f"{place:032x}"
        training_import(user=stranger, record=record_read(json.dumps(first).encode()))
    with django_assert_num_queries(1):
        lines = list(csv.DictReader(io.StringIO(runs_csv(Training.objects.visible_to(stranger).for_list()))))
    assert {(line["deployment"], line["image"]) for line in lines} == {(deployment.shown_title, "deephdc/plants:gpu")}


def rows(runs: list[Training]) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(runs_csv(runs))))


def test_a_table_has_a_column_for_each_argument_and_number(deployment: Deployment) -> None:
    other = make_training(deployment, arguments={"lr": 1}, metrics={"acc": 0.5})
    first, second = rows([make_training(deployment), other])
    assert (first["argument epochs"], first["result loss"], first["argument lr"]) == ("2", "0.25", "")
    assert (second["argument lr"], second["result acc"]) == ("1", "0.5")


@pytest.mark.parametrize("evil", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_no_cell_is_taken_for_a_formula(deployment: Deployment, evil: str) -> None:
    run = make_training(deployment, arguments={evil: evil, "number": -3}, metrics={evil: 1.0}, message=evil)
    text = runs_csv([run])
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "@", "\t", "\r", "-2"))]
    assert "-3" in cells  # a negative number stays a number


def test_several_records_leave_out_the_template(deployment: Deployment) -> None:
    record, _ = runs_json([make_training(deployment), make_training(deployment)])
    assert "template" not in record["environment"]
    assert record["environment"]["template_sha256"] == "d" * 64
