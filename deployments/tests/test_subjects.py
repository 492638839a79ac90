"""A form made from a deployment's own template: for whom it is, and that it asks as the module's form does."""

from typing import Any

import pytest
import responses
from django.test import Client

from accounts.models import User
from accounts.testing import give_token, make_user
from catalog.models import Template
from catalog.testing import make_module, make_template
from catalog.tosca.parameters import load_parameters, refine
from deployments.models import Deployment
from deployments.testing import make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_configure import MACHINE, RAW, sent, shown, words

LOCKED = "metadata: {{allowed_groups: {groups}}}\n{text}"
FLAVOURS = """\
inputs:
  flavour:
    display_name: Machine
    type: select
    constraints:
      - {value: "{'num_cpus': '2', 'mem_size': '8 GB'}", label: Small}
      - {value: "{'num_cpus': '8', 'mem_size': '16 GB'}", label: Large}
"""


def locked(text: str, groups: str = "[vo/imaging]") -> str:
    return LOCKED.format(groups=groups, text=text)


@pytest.fixture
def member(db: None, services: None) -> User:
    user = make_user("member", groups=["vo/imaging", "vo/sound"])
    give_token(user)
    return user


@pytest.fixture
def visitor(member: User) -> Client:
    client = Client()
    client.force_login(member)
    return client


def alone(owner: User, text: str, **fields: Any) -> Deployment:
    """One whose template is all there is of it."""
    values = {"template_text": text, "template_file": "own.yml", "module_slug": "", "inputs": {"num_cpus": 2}}
    return make_deployment(owner, **(values | fields))


def work_for(user: User, group: str) -> None:
    user.active_group = group
    user.save()


@pytest.mark.parametrize("what", ["again", "update"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_template_of_another_group_is_not_deployed_nor_updated(
    visitor: Client, member: User, what: str, method: str
) -> None:
    made = alone(member, locked(MACHINE), deployment_kind="OPENSTACK")
    assert visitor.get(f"/deployments/{made.uuid}/{what}").status_code == 200, "all groups count while none is chosen"
    work_for(member, "vo/sound")
    answer = getattr(visitor, method)(f"/deployments/{made.uuid}/{what}", {"action": "deploy"})
    assert answer.status_code == 403
    assert "for people in the group vo/imaging" in words(answer)
    assert "choose vo/imaging under “Work for”" in words(answer)
    member.groups = ["vo/sound"]
    member.save()
    answer = getattr(visitor, method)(f"/deployments/{made.uuid}/{what}", {"action": "deploy"})
    assert answer.status_code == 403
    assert "how to join" in words(answer)


def test_the_catalogue_says_for_whom_a_template_is_today(visitor: Client, member: User) -> None:
    opened = make_template(RAW, path="opened.yml")
    made = alone(member, locked(RAW, "[others]"), template=opened)
    assert visitor.get(f"/deployments/{made.uuid}/again").status_code == 200
    closed = make_template(locked(RAW, "[others]"), path="closed.yml")
    Deployment.objects.update(template=closed, template_text=RAW)
    assert visitor.get(f"/deployments/{made.uuid}/again").status_code == 403


def test_one_made_elsewhere_follows_its_own_words(visitor: Client, member: User, wire: responses.RequestsMock) -> None:
    made = make_deployment(member, submission_key=None, module_slug="", choices={}, inputs={}, title="")
    wire.add(responses.GET, f"{ORCHESTRATOR}/deployments/{made.uuid}/template", body=locked(RAW, "[others]"))
    assert visitor.get(f"/deployments/{made.uuid}/again").status_code == 403
    assert visitor.get(f"/deployments/{made.uuid}/again/providers").status_code == 403


def test_the_module_page_the_form_and_what_is_sent_agree_on_the_group(visitor: Client, member: User) -> None:
    template = make_template(locked(RAW), path="own.yml", display_name="Own")
    module = make_module(templates=(template,))
    for group, status in (("", 200), ("vo/imaging", 200), ("vo/sound", 409)):
        work_for(member, group)
        page = visitor.get(module.get_absolute_url())
        assert ("Configure and deploy" in words(page)) == (status == 200), group
        assert ("For people in the group vo/imaging" in words(visitor.get("/"))) == (status == 409), group
        assert visitor.get(f"/module/{module.slug}?toscaname=own").status_code == status
        assert visitor.get(f"/module/{module.slug}?in-num_cpus=2&preset=1").status_code == status
        posted = visitor.post(f"/module/{module.slug}", {"toscaname": "own", "action": "review"})
        assert posted.status_code in ({200, 422} if status == 200 else {409})
        if status == 409:
            assert "Choose vo/imaging under “Work for”" in words(page)
            assert "choose it under “Work for”" in words(posted)


@pytest.fixture
def flavoured(db: None) -> Template:
    """A template whose parameters file has one choice that sets two inputs."""
    template = make_template(MACHINE, path="own.yml")
    described = refine(template.described(), load_parameters(FLAVOURS))
    template.description = described.model_dump(mode="json")
    template.save()
    return template


def test_a_choice_that_sets_several_inputs_is_there_again(
    visitor: Client, member: User, flavoured: Template, wire: responses.RequestsMock
) -> None:
    sent_before = {"docker_image": "some/image:1", "num_cpus": 8, "mem_size": "16 GB"}
    made = alone(member, MACHINE, template=flavoured, inputs=sent_before)
    page = visitor.get(f"/deployments/{made.uuid}/again")
    values = shown(page)
    assert "Machine" in words(page)
    assert values["in-flavour"] == "{'num_cpus': '8', 'mem_size': '16 GB'}", "as it was chosen then"
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=member), status=201)
    values |= {"in-flavour": "{'num_cpus': '2', 'mem_size': '8 GB'}", "action": "deploy"}
    answer = visitor.post(f"/deployments/{made.uuid}/again", values)
    assert answer.status_code == 302, words(answer)
    parameters = sent(wire)["parameters"]
    assert (parameters["num_cpus"], parameters["mem_size"]) == (2, "8 GB")
    assert "flavour" not in parameters


def test_what_no_choice_sets_any_more_is_asked_for_by_itself(
    visitor: Client, member: User, flavoured: Template
) -> None:
    text = MACHINE.replace("    mem_size: {type: scalar-unit.size, default: 4 GB}\n", "")
    made = alone(member, text, template=flavoured, inputs={"num_cpus": 8})
    values = shown(visitor.get(f"/deployments/{made.uuid}/again"))
    assert "in-flavour" not in values
    assert values["in-num_cpus"] == "8"


def test_the_tabs_of_a_templates_own_metadata_are_there_without_the_catalogue(visitor: Client, member: User) -> None:
    made = alone(member, "metadata: {tabs: {Machine room: 'num_.*'}}\n" + RAW)
    assert "Machine room" in words(visitor.get(f"/deployments/{made.uuid}/again"))


def test_the_form_of_a_renamed_module_is_found_under_its_old_address(visitor: Client, member: User) -> None:
    template = make_template(RAW, path="own.yml", display_name="Own")
    new = make_module("deep-oc-new", templates=(template,))
    middle = make_module("deep-oc-middle", state="gone", successor=new)
    make_module("deep-oc-old", state="gone", successor=middle)
    answer = visitor.get("/module/deep-oc-old?hardware=gpu&in-num_cpus=3")
    assert (answer.status_code, answer["Location"]) == (307, "/module/deep-oc-new?hardware=gpu&in-num_cpus=3")
    posted = visitor.post("/module/deep-oc-old", {"action": "review", "in-num_cpus": "3"}, follow=True)
    assert shown(posted)["in-num_cpus"] == "3", "what was typed is not lost"
    made = alone(member, RAW, module_slug="deep-oc-old")
    again = visitor.get(visitor.get(f"/deployments/{made.uuid}/again")["Location"])
    assert shown(visitor.get(again["Location"]))["in-num_cpus"] == "2"
    new.hidden = True
    new.save()
    assert visitor.get("/module/deep-oc-old").status_code == 404


def test_modules_that_name_each_other_as_successors_end_nowhere(visitor: Client) -> None:
    one = make_module("deep-oc-one", state="gone")
    two = make_module("deep-oc-two", state="gone", successor=one)
    one.successor = two
    one.save()
    assert visitor.get("/module/deep-oc-one").status_code == 404
