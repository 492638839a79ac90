"""Forms that begin as an earlier deployment was made."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from django.test import Client

from accounts.models import User
from catalog.models import Module
from catalog.testing import make_module, make_template
from deployments.models import Deployment
from deployments.states import Status
from deployments.testing import make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_configure import RAW, machine, sent, shown, words


@pytest.fixture
def module(db: None) -> Module:
    return make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))


def cloned(owner: User, module: Module, **fields: Any) -> Deployment:
    values: dict[str, Any] = {
        "module": module,
        "module_slug": module.slug,
        "title": "Alpine plants",
        "choices": {"hardware": "gpu", "run": "jupyterlab", "docker_tag": "gpu", "toscaname": "own"},
        "inputs": {
            "docker_image": "deephdc/deep-oc-demo:gpu", "num_cpus": 8, "num_gpus": 2, "mem_size": "16 GB",
            "datasets": ["a b", "c"], "labels": {"team": "flora"}, "verbose": True, "run_command": "mine",
        },
        "secret_inputs": ["jupyter_password"],
        "provider_choice": {"mode": "manual", "sla_id": "sla-7", "label": "Site"},
        "options": {"keep_last_attempt": True, "timeout_mins": 90, "max_providers_retry": 2},
    }  # fmt: skip
    return make_deployment(owner, **(values | fields))


def test_a_clone_begins_with_everything_but_the_secrets(browser: Client, owner: User, module: Module) -> None:
    made = cloned(owner, module)
    answer = browser.get(f"/deployments/{made.uuid}/again", follow=True)
    address = urlsplit(answer.redirect_chain[0][0])
    assert address.path == f"/module/{module.slug}"
    assert {"hardware": "gpu", "run": "jupyterlab"}.items() <= dict(parse_qsl(address.query)).items()
    values = shown(answer)
    wanted = {
        "title": "Alpine plants", "hardware": "gpu", "run": "jupyterlab", "docker_tag": "gpu", "in-num_cpus": "8",
        "in-num_gpus": "2", "in-mem_size_0": "16", "in-mem_size_1": "GB", "in-labels": "team: flora",
        "in-verbose": "on", "in-run_command": "mine", "provider": "sla-7", "keep_last_attempt": "on",
        "timeout_mins": "90", "max_providers_retry": "2", "in-jupyter_password": "",
    }  # fmt: skip
    assert {name: values[name] for name in wanted} == wanted
    assert values["in-datasets"].split("\n") == ["a b", "c"]
    assert "Type again: JupyterLab password" in words(answer)


def test_what_a_clone_shows_is_what_it_sends(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    made = cloned(owner, module, provider_choice={"mode": "auto"})
    values = shown(browser.get(f"/module/{module.slug}?from={made.uuid}"))
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    answer = browser.post(
        f"/module/{module.slug}", {**values, "in-jupyter_password": "long-enough", "action": "deploy"}
    )
    assert answer.status_code == 302, words(answer)
    body = sent(wire)
    assert body["parameters"] == {**made.inputs, "jupyter_password": "long-enough"}
    assert (body["keepLastAttempt"], body["timeoutMins"], body["maxProvidersRetry"]) == (True, 90, 2)
    again = Deployment.objects.exclude(pk=made.pk).get()
    assert again.inputs == made.inputs
    assert again.choices == made.choices


def test_a_box_ticked_and_unticked_again_is_off(browser: Client, module: Module, wire: responses.RequestsMock) -> None:
    address = f"/module/{module.slug}"
    ticked = browser.post(address, {**shown(browser.get(address)), "in-verbose": "on", "action": "review"})
    assert ticked.context["page"].parked() == []
    values = shown(ticked)
    assert values.pop("in-verbose") == "on"
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(), status=201)
    assert browser.post(address, {**values, "action": "deploy"}).status_code == 302
    assert sent(wire)["parameters"]["verbose"] is False


def test_what_only_another_template_asks_for_is_parked(browser: Client, module: Module) -> None:
    address = f"/module/{module.slug}"
    values = {**shown(browser.get(address)), "in-elsewhere": "on", "in-elsewhere-shown": "1", "action": "apply"}
    assert set(browser.post(address, values).context["page"].parked()) == {
        ("in-elsewhere", "on"), ("in-elsewhere-shown", "1"),
    }  # fmt: skip


SEVERAL_LINES = RAW.replace(
    "  node_templates:", '    settings: {type: string, default: "[a]\\nx = 1\\n"}\n  node_templates:'
)


def test_a_text_of_several_lines_is_sent_as_the_template_has_it(
    browser: Client, db: None, wire: responses.RequestsMock
) -> None:
    module = make_module(templates=(make_template(SEVERAL_LINES, path="own.yml", display_name="Own"),))
    address = f"/module/{module.slug}"
    # As a browser sends it: each line break as CR LF.
    values = {**shown(browser.get(address)), "in-settings": "[a]\r\nx = 1\r\n", "in-datasets": "a\r\nb"}
    page = browser.post(address, {**values, "action": "apply"}).context["page"]
    assert "in-datasets=a%0Ab" in page.share_path
    assert "in-settings" not in page.share_path  # nothing of it was changed
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(), status=201)
    assert browser.post(address, {**values, "action": "deploy"}).status_code == 302
    assert sent(wire)["parameters"]["settings"] == "[a]\nx = 1\n"


def test_a_text_of_several_lines_that_nobody_touched_is_no_update(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    made = machine(owner, template_text=SEVERAL_LINES.replace("Container.Application.Docker.Marathon", "Compute"))
    wire.add(responses.PUT, f"{ORCHESTRATOR}/deployments/{made.uuid}", status=202)
    values = {**shown(browser.get(f"/deployments/{made.uuid}/update")), "in-settings": "[a]\r\nx = 1\r\n"}
    values |= {"in-num_cpus": "3", "action": "deploy"}
    assert browser.post(f"/deployments/{made.uuid}/update", values).status_code == 302
    assert sent(wire)["parameters"] == {"num_cpus": 3}


def test_nobody_begins_with_what_belongs_to_others(
    browser: Client, owner: User, stranger: User, module: Module
) -> None:
    theirs = cloned(stranger, module)
    values = shown(browser.get(f"/module/{module.slug}?from={theirs.uuid}"))
    assert values["in-num_cpus"] == "1"
    assert values["title"] == ""
    assert browser.get(f"/deployments/{theirs.uuid}/again").status_code == 404


def test_a_value_the_template_no_longer_takes_gives_way_and_is_told(
    browser: Client, owner: User, module: Module
) -> None:
    made = cloned(owner, module, inputs={"num_cpus": 64, "gone_input": "x", "num_gpus": 2})
    answer = browser.get(f"/module/{module.slug}?from={made.uuid}")
    assert shown(answer)["in-num_cpus"] == "1"
    assert shown(answer)["in-num_gpus"] == "2"
    assert "CPUs was “64”, which can’t be used now" in words(answer)
    assert "gone_input is no longer asked for; it was “x”" in words(answer)


@pytest.mark.parametrize("state", [Module.State.GONE, "hidden", "deleted"])
def test_without_its_module_a_deployment_is_cloned_from_its_own_template(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock, state: str
) -> None:
    made = cloned(owner, module, template_text=RAW, template_file="own.yml", provider_choice={"mode": "auto"})
    if state == "deleted":
        module.delete()
    else:
        Module.objects.update(hidden=state == "hidden", state=Module.State.GONE if state != "hidden" else "live")
    answer = browser.get(f"/module/{made.module_slug}?from={made.uuid}", follow=True)
    assert answer.status_code == 200
    values = shown(answer)
    assert values["in-num_cpus"] == "8"
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    answer = browser.post(
        f"/deployments/{made.uuid}/again", {**values, "in-jupyter_password": "long-enough", "action": "deploy"}
    )
    assert answer.status_code == 302, words(answer)
    assert sent(wire)["template"] == RAW
    again = Deployment.objects.exclude(pk=made.pk).get()
    assert (again.module, again.module_slug, again.inputs) == (None, made.module_slug, made.inputs)


def test_one_made_elsewhere_is_cloned_from_the_template_that_the_orchestrator_tells(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    placed = RAW + "  policies: [{here: {type: tosca.policies.indigo.SlaPlacement, properties: {sla_id: old}}}]\n"
    made = make_deployment(owner, submission_key=None, module_slug="", choices={}, inputs={}, title="")
    wire.add(responses.GET, f"{ORCHESTRATOR}/deployments/{made.uuid}/template", body=placed)
    answer = browser.get(f"/deployments/{made.uuid}/again")
    assert "was made elsewhere, so what was typed then is not known" in words(answer)
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    values = {**shown(answer), "in-docker_image": "some/image:1", "action": "deploy"}
    assert browser.post(f"/deployments/{made.uuid}/again", values).status_code == 302
    body = sent(wire)
    assert "SlaPlacement" not in body["template"]  # the choice of a provider is made anew
    assert body["parameters"]["docker_image"] == "some/image:1"
    assert Deployment.objects.exclude(pk=made.pk).get().choices == {}


def test_a_template_nobody_knows_any_more_is_said(browser: Client, owner: User) -> None:
    made = make_deployment(owner, status=Status.GONE, module_slug="", submission_key=None)
    answer = browser.get(f"/deployments/{made.uuid}/again")
    assert answer.status_code == 409
    assert "is not known any more" in words(answer)


def test_a_silent_orchestrator_leaves_a_clone_to_be_tried_again(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    made = make_deployment(owner, module_slug="", submission_key=None)
    wire.add(responses.GET, f"{ORCHESTRATOR}/deployments/{made.uuid}/template", status=503)
    answer = browser.get(f"/deployments/{made.uuid}/again")
    assert answer.status_code == 502
    assert "Try again" in words(answer)
