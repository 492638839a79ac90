"""What a configuration says of itself while it is being made, and what it sends."""

import uuid
from typing import Any

import pytest
import yaml
from django.http import QueryDict

from accounts.models import User
from catalog.models import Module, Template, TemplateChoice
from catalog.testing import make_module, make_template, use_config
from deployments.configuration import (
    ConfigurePage,
    Subject,
    following_tag,
    page_for_data,
    page_for_link,
    submission_of,
)
from deployments.forms.posted import typed_data
from deployments.placement import SLA_PLACEMENT, with_placement
from deployments.storage.models import StorageAccount
from deployments.testing import make_deployment

RAW = """\
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    docker_image: {type: string, required: yes}
    num_cpus: {type: integer, default: 1}
    num_gpus: {type: integer, default: 0}
    mem_size: {type: string, default: 4 GB}
    flags: {type: list, entry_schema: {type: string}, default: [a]}
    run_command: {type: string, default: run}
    jupyter_password: {type: string, required: no, default: ""}
    rclone_url: {type: string, default: ""}
    rclone_user: {type: string, default: ""}
    rclone_password: {type: string, default: ""}
  node_templates:
    app: {type: tosca.nodes.indigo.Container.Application.Docker.Marathon}
  outputs:
    jupyter_endpoint: {value: x}
    deepaas_endpoint: {value: x}
"""
BARE = """\
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    size: {type: range, default: [1, 2]}
    other: {type: string, required: no}
"""
CHOICES = {"toscaname": "own", "hardware": "cpu", "docker_tag": "cpu", "run": "deepaas"}


def subject_of(user: User, *raws: str, accounts: tuple[StorageAccount, ...] = (), **facts: Any) -> Subject:
    templates = [
        make_template(raw, path=f"{uuid.uuid4()}/{name}.yml") for raw, name in zip(raws, ("own", "two"), strict=False)
    ]
    module = facts.pop("module", None) or make_module(tags=("cpu", "gpu", "latest"), templates=tuple(templates))
    offered = [
        TemplateChoice(key, key.title(), template) for key, template in zip(("own", "two"), templates, strict=False)
    ]
    return Subject(user, module, offered, "/module/m", accounts=accounts, **facts)


def alone(user: User, raw: str = RAW, **facts: Any) -> Subject:
    """One template stands alone, as an earlier deployment was made with it."""
    template = Template(
        filename="own.yml", raw=raw, description=make_template(raw, path=f"{uuid.uuid4()}.yml").description
    )
    origin = facts.pop("origin", None) or make_deployment(user, title="Plants", module_slug="m-of-old", choices={})
    return Subject(
        user, Module(title="Nothing"), [TemplateChoice("own", "Own", template)], "/again", origin=origin, **facts
    )


def posted(page: ConfigurePage, **changes: str) -> QueryDict:
    """What a browser sends of a page, with changes; ``__`` in a name stands for ``-``."""
    data = QueryDict(mutable=True)
    data.update({**page.choices.as_dict(), "storage": page.form.storage_choice, "submission_key": str(page.key)})
    data.update({f"was_{name}": value for name, value in page.choices.as_dict().items()})
    for controls in page.form.posted().values():
        for control, values in controls.items():
            data.setlist(control, values)
    for name, value in changes.items():
        data[name.replace("__", "-")] = value
    return data


def test_the_title_is_the_modules_or_that_of_what_is_made_again(owner: User) -> None:
    made = make_deployment(owner, title="Plants")
    subject = subject_of(owner, RAW, origin=made)
    assert (subject.alone, subject.title) == (False, subject.module.shown_title)
    assert (alone(owner).alone, alone(owner).title) == (True, "Plants")


def test_the_choices_are_offered_with_their_labels(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    assert page.templates == page.subject.templates
    assert page.hardware_options() == [("cpu", "CPU"), ("gpu", "GPU")]
    assert page.run_options() == [("deepaas", "DEEPaaS API"), ("jupyterlab", "JupyterLab")]
    groups = page.tag_groups()
    assert [tags for _heading, tags in groups] == [["cpu"], ["gpu"], ["latest"]]
    assert page.tag_facts()["name"] == "cpu"
    page.module.tags = page.module.tags[1:]
    assert page.tag_groups() == [("Chosen", ["cpu"]), *groups[1:]]
    assert page.tag_facts() == {}
    gpu = page_for_link(page.subject, CHOICES | {"hardware": "gpu", "docker_tag": "gpu"})
    assert gpu.tag_groups()[0][1] == ["gpu"]


def test_image_and_hardware_are_said_as_the_form_holds_them(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW, BARE), CHOICES)
    assert page.image() == f"{page.module.docker_image}:cpu"
    assert (page.hardware_line(), page.cpus, page.gpus) == ("1 CPU, 0 GPUs, 4 GB", 1, 0)
    typed = page_for_data(page.subject, posted(page, in__num_cpus="4", in__num_gpus="", in__mem_size_0=""))
    assert (typed.hardware_line(), typed.cpus, typed.gpus) == ("4 CPUs", 4, 0)
    bare = page_for_link(page.subject, CHOICES | {"toscaname": "two"})
    assert (bare.template.key, bare.image(), bare.hardware_line(), bare.cpus) == ("two", "", "as the template says", 0)
    assert bare.services() == []


def test_jupyterlab_is_a_service_only_where_it_runs(owner: User) -> None:
    subject = subject_of(owner, RAW)
    assert page_for_link(subject, CHOICES).services() == ["DEEPaaS API"]
    assert page_for_link(subject, CHOICES | {"run": "jupyterlab"}).services() == ["JupyterLab", "DEEPaaS API"]


def test_values_are_shown_as_text(owner: User) -> None:
    page = page_for_link(subject_of(owner, BARE), CHOICES)
    assert [page.shown_value(name) for name in ("size", "other", "none")] == ["1 2", "", ""]
    typed = page_for_data(page.subject, posted(page, in__size_0="", in__other="text"))
    assert [typed.shown_value(name) for name in ("size", "other")] == ["", "text"]


def test_errors_lead_to_their_fields(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    back = page_for_data(page.subject, posted(page, in__num_cpus="x"), check=True)
    assert back.error_links() == [("id_in-num_cpus", "CPUs", "“x” is not a whole number.")]
    back.form.add_error("in-num_cpus", "Try another.")
    assert back.error_links()[0][2] == "“x” is not a whole number. Try another."
    back.form.add_error(None, "All wrong")
    assert back.error_links()[-1] == ("configure", "Form", "All wrong")


def test_an_error_in_a_pair_leads_to_it(owner: User) -> None:
    page = page_for_link(subject_of(owner, BARE), CHOICES)
    back = page_for_data(page.subject, posted(page, in__size_0="9", in__size_1="1"), check=True)
    ((place, label, _said),) = back.error_links()
    assert (place, label) == ("id_in-size_0", "Size")


def test_without_word_of_what_was_chosen_before_nothing_counts_as_changed(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    data = posted(page, hardware="gpu", docker_tag="gpu", in__num_gpus="0")
    for name in CHOICES:
        del data[f"was_{name}"]
    same = page_for_data(page.subject, data, check=True)
    assert (same.form.check, same.shown_value("num_gpus")) == (True, "0")


def test_a_tag_that_has_left_the_registry_is_told_and_its_image_gives_way(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    image = page.module.docker_image
    left = posted(page, was_docker_tag="gone", in__docker_image=f"{image}:gone")
    other = page_for_data(page.subject, left, check=True)
    assert (other.image(), other.kept, other.form.check) == (f"{image}:cpu", [], False)
    wished = page_for_data(page.subject, posted(page, was_toscaname="own", toscaname="gone"), check=True)
    assert wished.remarks
    assert not wished.form.check


def test_a_change_of_choices_carries_over_and_is_not_judged(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW, BARE), CHOICES)
    assert page.parked() == []
    data = posted(page, toscaname="two", in__run_command="mine", in__num_cpus="x")
    other = page_for_data(page.subject, data, check=True)
    assert (other.template.key, other.form.check) == ("two", False)
    assert ("in-run_command", "mine") in other.parked()
    assert all(name.startswith("in-") and name not in {"in-size_0", "in-other"} for name, _value in other.parked())
    same = page_for_data(page.subject, posted(page, in__run_command="mine"), check=True)
    assert (same.form.check, same.kept, same.key) == (True, [], page.key)
    gpu = page_for_data(page.subject, posted(page, hardware="gpu", in__run_command="mine"))
    assert (gpu.cpus, gpu.gpus) == (1, 1)
    assert (gpu.kept, gpu.choices.docker_tag, gpu.shown_value("num_gpus")) == (["run_command"], "gpu", "1")


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        ({"hardware": "gpu"}, None),
        ({"hardware": "GPU"}, None),
        ({"hardware": "CPU"}, "cpu"),
        ({"hardware": "gpu", "docker_tag": "latest"}, "latest"),
        ({"hardware": "gpu", "docker_tag": "cpu-2"}, "cpu-2"),
        ({"run": "jupyterlab"}, "cpu"),
    ],
)
def test_a_tag_follows_when_only_the_hardware_it_was_made_for_changes(
    owner: User, changes: dict[str, str], tag: str | None
) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    assert following_tag(page.resolved, posted(page, **changes)).get("docker_tag") == tag


def test_what_is_not_posted_is_an_empty_wish(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    assert following_tag(page.resolved, QueryDict("")) == dict.fromkeys(CHOICES, "")
    data = posted(page)
    del data["submission_key"]
    assert page_for_data(page.subject, data).key != page.key


def test_the_image_is_typed_where_the_module_has_none(owner: User) -> None:
    none = subject_of(owner, RAW, module=make_module("deep-oc-none", docker_image=""))
    assert page_for_link(none, CHOICES).form.image_is_typed
    assert not page_for_link(subject_of(owner, RAW), CHOICES).form.image_is_typed
    assert not page_for_link(alone(owner), {}).form.image_is_typed


def test_the_advanced_menu_and_the_title_are_there_as_configured(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    assert {"title", "timeout_mins"} <= page.form.fields.keys()
    with use_config(ENABLE_ADVANCED_MENU=False):
        assert "timeout_mins" not in page_for_link(page.subject, CHOICES).form.fields
    assert "title" not in page_for_link(alone(owner, updates=True), {}).form.fields


def test_a_tag_for_no_hardware_stays(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES | {"docker_tag": "latest"})
    assert following_tag(page.resolved, posted(page, hardware="gpu"))["docker_tag"] == "latest"


def test_a_password_is_made_where_one_is_asked_for(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    data = posted(page)
    made = page_for_data(page.subject, data, generate="in-jupyter_password")
    assert len(made.shown_value("jupyter_password")) >= 9
    assert data["in-jupyter_password"] == ""
    assert page_for_data(page.subject, data, generate="title").form.data.get("title", "") == ""


def test_a_key_that_is_none_gives_way_to_a_new_one(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    keys = {page_for_data(page.subject, posted(page, submission_key="x")).key for _ in range(2)}
    assert len(keys) == 2
    assert all(isinstance(key, uuid.UUID) for key in keys)


def test_storage_comes_from_the_account_used_last_unless_something_else_is_wished(owner: User) -> None:
    account = StorageAccount.objects.create(
        owner=owner, label="Box", url="https://box.org", user_name="ada", password="pw"
    )
    subject = subject_of(owner, RAW, BARE, accounts=(account,))
    page = page_for_link(subject, CHOICES)
    assert page.form.storage
    assert page.form.storage.offered == (
        (account.key, "Box (ada)"), ("hand", "Enter by hand"), ("none", "No storage"),
    )  # fmt: skip
    assert (page.form.storage_choice, page.storage_line()) == (account.key, "Box (ada)")
    assert page.form.storage.filled["rclone_url"] == "https://box.org"
    for wish, line in (("hand", "Enter by hand"), ("none", "No storage"), ("gone", "Box (ada)")):
        assert page_for_link(subject, CHOICES, storage=wish).storage_line() == line
    nothing = page_for_data(subject, posted(page, storage="none"), check=True)
    assert nothing.form.is_valid()
    assert "rclone_url" not in nothing.form.parameters()
    by_hand = page_for_data(subject, posted(page, storage="hand"))
    assert by_hand.form.data["in-rclone_url"] == ""
    assert page_for_link(subject, CHOICES | {"toscaname": "two"}).storage_line() == ""
    needed = subject_of(owner, RAW.replace('rclone_url: {type: string, default: ""}', "rclone_url: {type: string}"),
                        module=subject.module)  # fmt: skip
    assert [key for key, _label in page_for_link(needed, CHOICES).form.storage.offered] == ["hand"]  # type: ignore[union-attr]


def valid(page: ConfigurePage, **changes: str) -> ConfigurePage:
    again = page_for_data(page.subject, posted(page, **changes), check=True)
    assert again.form.is_valid(), again.form.errors
    return again


def test_what_is_sent_is_reviewed_against_the_templates_defaults(owner: User) -> None:
    page = valid(page_for_link(subject_of(owner, RAW), CHOICES), in__flags="a\nb", in__rclone_password="pw")
    found = {name: rest for name, *rest in page.sent_inputs()}
    assert found["num_cpus"] == ["1", "1", False, False]
    assert found["flags"] == ["- a\n- b", "- a", True, False]
    assert found["rclone_password"] == ["pw", "", True, True]
    assert found["docker_image"][1:] == ["", True, False]


def test_an_update_is_reviewed_against_what_was_sent(owner: User) -> None:
    made = make_deployment(owner, inputs={"num_cpus": 4, "run_command": "mine", "docker_image": "i:1"}, choices={})
    subject = alone(owner, origin=made, updates=True)
    page = valid(page_for_link(subject, {}), in__num_cpus="4", in__run_command="yours", in__docker_image="i:1")
    found = {name: rest for name, *rest in page.sent_inputs()}
    assert found["num_cpus"] == ["", "4", False, False]
    assert found["run_command"] == ["yours", "mine", True, False]
    assert found["mem_size"] == ["", "4 GB", False, False]
    assert page.sent_template() == RAW
    assert page.form.storage is None


def test_what_an_update_sends_for_the_first_time_is_new_and_another_one_is_compared_with_the_template(
    owner: User,
) -> None:
    made = make_deployment(owner, inputs={"size": [1, 5]}, choices={})
    for updates, usual in ((True, "- 1\n- 5"), (False, "- 1\n- 2")):
        page = valid(page_for_link(alone(owner, BARE, origin=made, updates=updates), {}), in__other="text")
        found = {name: rest for name, *rest in page.sent_inputs()}
        assert found["other"] == ["text", "", True, False]
        assert found["size"][1] == usual


def test_the_template_is_sent_as_it_is_or_with_the_chosen_provider(owner: User) -> None:
    placed = with_placement(RAW, sla_id="old", type=SLA_PLACEMENT)
    page = page_for_link(subject_of(owner, placed), CHOICES)
    assert valid(page).sent_template() == placed
    chosen = yaml.safe_load(valid(page, provider="sla-7").sent_template())
    assert chosen == yaml.safe_load(with_placement(RAW, sla_id="sla-7", type=SLA_PLACEMENT))
    lone = page_for_link(alone(owner, placed), {})
    assert "sla_id" not in valid(lone, in__docker_image="i:1").sent_template()


def test_a_submission_holds_what_the_page_says(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployments.configuration.provider_name_known", lambda user, sla: f"{user.name}: {sla}")
    owner.groups, owner.active_group = ["g"], "g"
    page = valid(
        page_for_link(subject_of(owner, RAW), CHOICES), title="T", in__rclone_password="pw", provider="sla-7",
        timeout_mins="30",
    )  # fmt: skip
    made = submission_of(page)
    assert (made.key, made.module, made.template) == (page.key, page.module, page.template.template)
    assert (made.template_title, made.title, made.choices) == ("Own", "T", page.choices)
    assert (made.parameters, made.options) == (page.form.parameters(), {"timeout_mins": 30})
    assert {"jupyter_password", "rclone_password"} <= set(made.secret_names)
    assert made.provider_label == f"{owner.name}: sla-7"
    assert (made.sla_id, made.storage, made.user_group, made.module_slug) == ("sla-7", "hand", "g", "")


@pytest.mark.parametrize("choices", [{}, {"hardware": "cpu"}])
def test_a_template_alone_keeps_the_slug_and_only_choices_that_were_made(owner: User, choices: dict[str, str]) -> None:
    origin = make_deployment(owner, module_slug="m-of-old", choices=choices)
    page = valid(page_for_link(alone(owner, origin=origin), {}), in__docker_image="i:1")
    made = submission_of(page)
    assert (made.module, made.module_slug, made.sla_id) == (None, "m-of-old", "")
    assert made.choices == (page.choices if choices else None)


def test_jupyterlab_needs_its_password_except_in_an_update(owner: User) -> None:
    wishes = CHOICES | {"run": "jupyterlab"}
    page = page_for_link(subject_of(owner, RAW), wishes)
    assert page_for_data(page.subject, posted(page), check=True).form.errors.keys() == {"in-jupyter_password"}
    lone = page_for_link(alone(owner, updates=True), wishes)
    assert "in-jupyter_password" not in page_for_data(lone.subject, posted(lone), check=True).form.errors


def test_a_link_holds_choices_and_values_but_no_secret(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    typed = page_for_data(page.subject, posted(page, in__num_cpus="7", in__rclone_password="hunter2"))
    assert typed.share_path.startswith("/module/m?toscaname=own&hardware=cpu&docker_tag=cpu&run=deepaas")
    assert "7" in typed.share_path.partition("&run=deepaas")[2]
    assert "hunter2" not in typed.share_path
    long = page_for_data(page.subject, posted(page, in__run_command="x" * 20_000))
    assert long.share_path == ""


def test_the_form_is_shown_as_it_was_typed(owner: User) -> None:
    page = page_for_link(subject_of(owner, RAW), CHOICES)
    data = posted(page, in__num_cpus="many", in__run_command="one\r\ntwo")
    shown = page_for_data(page.subject, data)
    assert shown.form.data == typed_data(posted(page, in__num_cpus="many", in__run_command="one\ntwo"))
    assert not shown.form.errors
