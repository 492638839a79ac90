"""The form's pages: what they begin with, what they send, and what they never take or give."""

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from django.test import Client
from lxml import html

from accounts.models import User
from accounts.testing import give_token, make_user
from catalog.models import Module
from catalog.testing import make_module, make_template
from deployments.models import Deployment
from deployments.states import Status
from deployments.testing import make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR, SLAM

RAW = """\
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    docker_image: {type: string, required: yes}
    num_cpus: {type: integer, default: 1, constraints: [in_range: [1, 16]]}
    num_gpus: {type: integer, default: 0}
    mem_size: {type: scalar-unit.size, default: 4 GB}
    datasets: {type: list, entry_schema: {type: string}, default: []}
    labels: {type: map, entry_schema: {type: string}, default: {}}
    verbose: {type: boolean, default: false}
    run_command: {type: string, default: run}
    jupyter_password: {type: string, required: no, default: ""}
  node_templates:
    app: {type: tosca.nodes.indigo.Container.Application.Docker.Marathon}
  outputs:
    jupyter_endpoint: {value: x}
"""
MACHINE = RAW.replace("Container.Application.Docker.Marathon", "Compute")
_TEXTUAL = {None, "text", "password", "number", "hidden", "email", "url"}
FIELDS = {"in-docker_image": "deephdc/deep-oc-demo:cpu", "in-num_cpus": "1", "in-num_gpus": "0", "in-mem_size_0": "4",
          "in-mem_size_1": "GB", "in-verbose-shown": "1", "in-run_command": "run"}  # fmt: skip


@pytest.fixture
def module(db: None) -> Module:
    return make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))


def shown(answer: Any) -> dict[str, str]:
    """The values of the form on a page, as a browser would send them."""
    tree = html.fromstring(answer.content.decode())
    form = next(form for form in tree.forms if form.get("id") == "configure")
    values = {str(element.get("name")): "" for element in form.iter("input") if element.get("type") in _TEXTUAL}
    values |= {name: value.removeprefix("\n") for name, value in form.form_values()}
    return values


def words(answer: Any) -> str:
    return " ".join(html.fromstring(answer.content.decode()).text_content().split())


def sent(wire: responses.RequestsMock) -> dict[str, Any]:
    """What the orchestrator was sent last."""
    body: dict[str, Any] = json.loads(wire.calls[-1].request.body or "")
    return body


# -- Sending ----------------------------------------------------------------------------------------------


def test_a_double_click_deploys_once(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    values = {**shown(browser.get(f"/module/{module.slug}")), "action": "deploy"}
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    first, second = (browser.post(f"/module/{module.slug}", values) for _ in range(2))
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("left", "remark", "shows"),
    [
        ({"toscaname": "withdrawn"}, "There is no template “withdrawn”", ("in-num_cpus", "7")),
        ({"docker_tag": "v0", "in-docker_image": "deephdc/deep-oc-demo:v0"}, "There is no tag “v0”",
         ("in-docker_image", "deephdc/deep-oc-demo:cpu")),
    ],
)  # fmt: skip
def test_a_choice_that_has_left_the_catalogue_meanwhile_is_not_replaced_unseen(
    left: dict[str, str], remark: str, shows: tuple[str, str], browser: Client, module: Module,
    wire: responses.RequestsMock,
) -> None:  # fmt: skip
    values = shown(browser.get(f"/module/{module.slug}")) | {"in-num_cpus": "7", "action": "deploy"} | left
    values |= {f"was_{name}": value for name, value in left.items()}
    answer = browser.post(f"/module/{module.slug}", values)
    assert "Look at them, then deploy" in words(answer)
    assert remark in words(answer)
    assert shown(answer)[shows[0]] == shows[1]
    assert not wire.calls
    wire.post(f"{ORCHESTRATOR}/deployments", json=upstream(), status=201)
    assert browser.post(f"/module/{module.slug}", {**shown(answer), "action": "deploy"}).status_code == 302


def test_digits_that_are_no_numbers_are_only_refused(browser: Client, module: Module) -> None:
    answer = browser.post(f"/module/{module.slug}", {**FIELDS, "in-num_cpus": "²", "action": "review"})
    assert "“²” is not a whole number" in words(answer)


def test_an_ended_session_gives_the_form_back_as_it_was_typed(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    values = {**shown(browser.get(f"/module/{module.slug}")), "in-num_cpus": "7", "title": "Typed", "action": "deploy"}
    later = Client()  # the session has ended: nothing but the form itself tells whose it is
    answer = later.post(f"/module/{module.slug}", values)
    assert answer["Location"].startswith("/login")
    later.force_login(owner)
    answer = later.get(f"/module/{module.slug}")
    assert (shown(answer)["in-num_cpus"], shown(answer)["title"]) == ("7", "Typed")
    assert "It has not been sent yet" in words(answer)
    assert not wire.calls


def test_when_the_registry_is_not_read_any_tag_can_be_written(browser: Client, owner: User) -> None:
    module = make_module("deep-oc-new", tags=(), templates=(make_template(RAW, path="new.yml"),))
    page = browser.get(f"/module/{module.slug}?docker_tag=my-Tag")
    assert html.fromstring(page.content.decode()).get_element_by_id("tag").tag == "input"
    assert shown(page)["in-docker_image"] == "deephdc/deep-oc-new:my-Tag"
    answer = browser.post(f"/module/{module.slug}", {**shown(page), "docker_tag": "a b/../c", "action": "apply"})
    assert "“a b/../c” is not a tag" in words(answer)


# -- Links ------------------------------------------------------------------------------------------------


def test_a_link_fills_the_form_and_says_what_it_filled(browser: Client, module: Module) -> None:
    answer = browser.get(
        f"/module/{module.slug}?in-num_cpus=4&in-mem_size=8+GB&in-datasets=a%0Ab&in-verbose=on&title=From+a+link"
    )
    values = shown(answer)
    assert (values["in-num_cpus"], values["in-mem_size_0"], values["in-verbose"]) == ("4", "8", "on")
    assert values["in-datasets"].split("\n") == ["a", "b"]
    assert values["title"] == "From a link"
    assert "A link filled in: CPUs, Memory, Datasets, Verbose" in words(answer)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("in-num_cpus=64", "Choose 1 to 16; this is 64"),
        ("in-num_cpus=many", "“many” is not a whole number"),
        ("in-jupyter_password=known-to-others", "JupyterLab password is a secret: it is never taken from a link"),
        ("in-no_such=1", "The link gives “in-no_such”, which this form does not ask for"),
        ("in-datasets=" + "x" * 5000, "carries more than a form takes from a link"),
        ("&".join(f"in-x{i}=1" for i in range(200)), "carries more than a form takes from a link"),
        ("in-mem_size_1=GB&in-mem_size_0=<script>alert(1)</script>", "is not a number"),
    ],
)
def test_a_link_puts_nothing_into_the_form_that_could_not_be_typed(
    browser: Client, module: Module, query: str, said: str
) -> None:
    usual = shown(browser.get(f"/module/{module.slug}"))
    answer = browser.get(f"/module/{module.slug}?{query}")
    assert said in words(answer)
    own = {"submission_key", "csrfmiddlewaretoken"}
    assert {k: v for k, v in shown(answer).items() if k not in own} == {k: v for k, v in usual.items() if k not in own}
    assert b"<script>alert" not in answer.content


def test_a_link_does_not_choose_the_provider_nor_send_anything(
    browser: Client, module: Module, wire: responses.RequestsMock
) -> None:
    answer = browser.get(
        f"/module/{module.slug}?action=deploy&provider=evil&in-num_cpus=2&submission_key={uuid.uuid4()}"
    )
    assert shown(answer)["provider"] == ""
    assert not wire.calls
    assert not Deployment.objects.exists()


def test_the_login_leads_back_to_the_filled_form(module: Module, db: None) -> None:
    answer = Client().get(f"/module/{module.slug}?in-num_cpus=4")
    query = dict(parse_qsl(urlsplit(answer["Location"]).query))
    assert query["next"] == f"/module/{module.slug}?in-num_cpus=4"


# -- Updating ---------------------------------------------------------------------------------------------


def machine(owner: User, **fields: Any) -> Deployment:
    values: dict[str, Any] = {
        "template_text": MACHINE, "deployment_kind": "OPENSTACK", "module_slug": "",
        "inputs": {"docker_image": "some/image:1", "num_cpus": 2, "datasets": ["a"]},
        "secret_inputs": ["jupyter_password"],
    }  # fmt: skip
    return make_deployment(owner, **(values | fields))


def test_an_update_sends_only_what_was_changed(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    made = machine(owner)
    page = browser.get(f"/deployments/{made.uuid}/update")
    assert shown(page)["in-num_cpus"] == "2"
    assert "title" not in shown(page)
    wire.add(responses.PUT, f"{ORCHESTRATOR}/deployments/{made.uuid}", status=202)
    values = {**shown(page), "in-num_cpus": "4", "in-datasets": "a\nb", "action": "deploy"}
    answer = browser.post(f"/deployments/{made.uuid}/update", values)
    assert answer.status_code == 302, words(answer)
    body = sent(wire)
    assert body["parameters"] == {"num_cpus": 4, "datasets": ["a", "b"]}
    assert body["template"] == MACHINE
    made.refresh_from_db()
    assert made.status == Status.UPDATE_IN_PROGRESS
    assert made.inputs == {"docker_image": "some/image:1", "num_cpus": 4, "datasets": ["a", "b"]}
    # A second press finds it under way and sends nothing.
    assert browser.post(f"/deployments/{made.uuid}/update", values).status_code == 302
    assert len(wire.calls) == 1


def test_what_is_emptied_in_an_update_is_sent_as_empty(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    made = machine(owner)
    wire.add(responses.PUT, f"{ORCHESTRATOR}/deployments/{made.uuid}", status=202)
    values = {**shown(browser.get(f"/deployments/{made.uuid}/update")), "in-datasets": "", "action": "deploy"}
    assert browser.post(f"/deployments/{made.uuid}/update", values).status_code == 302
    assert sent(wire)["parameters"] == {"datasets": []}


def test_a_secret_is_updated_when_it_is_typed_and_never_kept(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    made = machine(owner)
    wire.add(responses.PUT, f"{ORCHESTRATOR}/deployments/{made.uuid}", status=202)
    values = {**shown(browser.get(f"/deployments/{made.uuid}/update")), "in-jupyter_password": "new-secret-1"}
    assert browser.post(f"/deployments/{made.uuid}/update", {**values, "action": "deploy"}).status_code == 302
    assert sent(wire)["parameters"] == {"jupyter_password": "new-secret-1"}
    made.refresh_from_db()
    assert "new-secret-1" not in json.dumps(made.inputs)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"deployment_kind": "MARATHON"}, "Marathon deployments can’t be changed"),
        ({"deployment_kind": "CHRONOS"}, "Chronos deployments can’t be changed"),
        ({"deployment_kind": "QCG"}, "QCG deployments can’t be changed"),
        ({"status": Status.CREATE_FAILED}, "Only a deployment that was created completely"),
        ({"status": Status.DELETE_IN_PROGRESS}, "Only a deployment that was created completely"),
        ({"status": Status.GONE}, "It is gone"),
    ],
)
def test_what_cant_be_updated_is_refused_with_the_reason(
    browser: Client, owner: User, wire: responses.RequestsMock, fields: dict[str, Any], said: str
) -> None:
    made = machine(owner, **fields)
    for answer in (
        browser.get(f"/deployments/{made.uuid}/update"),
        browser.post(f"/deployments/{made.uuid}/update", {**FIELDS, "action": "deploy"}),
    ):
        assert answer.status_code == 409
        assert said in words(answer)
    assert not wire.calls
    assert f"/deployments/{made.uuid}/update" not in browser.get(made.get_absolute_url()).content.decode()


def test_an_update_without_a_change_is_not_sent(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    made = machine(owner)
    values = {**shown(browser.get(f"/deployments/{made.uuid}/update")), "action": "deploy"}
    answer = browser.post(f"/deployments/{made.uuid}/update", values)
    assert answer.status_code == 422
    assert "Nothing differs from what it runs with" in words(answer)
    assert not wire.calls


@pytest.mark.parametrize(
    ("status", "said"),
    [(409, "the orchestrator refused it"), (503, "was not updated"), (504, "we don’t know whether")],
)
def test_a_refused_update_leaves_form_and_record_as_they_were(
    browser: Client, owner: User, wire: responses.RequestsMock, status: int, said: str
) -> None:
    made = machine(owner)
    values = {**shown(browser.get(f"/deployments/{made.uuid}/update")), "in-num_cpus": "4", "action": "deploy"}
    wire.add(responses.PUT, f"{ORCHESTRATOR}/deployments/{made.uuid}", status=status, json={"message": "no"})
    answer = browser.post(f"/deployments/{made.uuid}/update", values)
    assert answer.status_code == 422
    assert said in words(answer)
    assert shown(answer)["in-num_cpus"] == "4"
    made.refresh_from_db()
    assert (made.status, made.inputs["num_cpus"]) == (Status.CREATE_COMPLETE, 2)


def test_a_colleague_can_neither_clone_nor_update(owner: User, wire: responses.RequestsMock) -> None:
    made = machine(owner)
    ben = make_user("ben")
    give_token(ben)
    client = Client()
    client.force_login(ben)
    for page in ("again", "update", "again/providers"):
        assert client.get(f"/deployments/{made.uuid}/{page}").status_code == 404
    assert client.post(f"/deployments/{made.uuid}/update", {**FIELDS, "action": "deploy"}).status_code == 404
    assert not wire.calls


# -- Groups -----------------------------------------------------------------------------------------------


def test_the_active_group_governs_agreements_and_what_is_sent(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    browser.post("/group", {"group": "ml-users"})
    wire.add(responses.GET, f"{SLAM}/rest/slam/preferences/ml-users", json={"preferences": [], "sla": []})
    assert browser.get(f"/module/{module.slug}/providers").status_code == 200
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    values = {**shown(browser.get(f"/module/{module.slug}")), "action": "deploy"}
    assert browser.post(f"/module/{module.slug}", values).status_code == 302
    assert sent(wire)["userGroup"] == "ml-users"
    assert Deployment.objects.get().user_group == "ml-users"


def test_a_group_switched_in_another_tab_is_said_before_anything_is_sent(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    address = f"/module/{module.slug}"
    begun = shown(browser.get(address))
    browser.post("/group", {"group": "ml-users"})
    page = browser.post(address, begun | {"action": "deploy", "title": "Typed"})
    assert "begun for your organisation, but you have switched to ml-users" in words(page)
    assert shown(page)["title"] == "Typed"
    assert not Deployment.objects.exists()
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    browser.post(address, shown(page) | {"action": "deploy"})
    assert sent(wire)["userGroup"] == "ml-users"


def test_without_an_active_group_none_is_sent(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    browser.post(f"/module/{module.slug}", {**shown(browser.get(f"/module/{module.slug}")), "action": "deploy"})
    assert "userGroup" not in sent(wire)


@pytest.mark.parametrize("language", ["en", "es", "it"])
def test_the_provider_can_be_chosen_in_every_language(browser: Client, module: Module, language: str) -> None:
    page = browser.get(f"/module/{module.slug}", headers={"Accept-Language": language}).content.decode()
    assert f'<html lang="{language}"' in page
    assert '<select id="provider"' in page
