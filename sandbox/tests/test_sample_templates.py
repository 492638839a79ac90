"""The templates of the sample are what its README claims: sound, or broken in the stated way."""

from __future__ import annotations

import pytest
import yaml
from toscaparser.common.exception import ValidationError

from sandbox.tests.sample import (
    FRAGMENT,
    GOOD_TEMPLATES,
    NOT_YAML,
    REJECTED,
    TEMPLATES,
    TYPES,
    complaints,
    import_map,
    inputs,
    load,
    node_types,
    parse,
    template,
)


def test_no_template_is_left_without_a_claim() -> None:
    found = [file.name for file in TEMPLATES.iterdir() if file.is_file()]
    assert sorted(found) == sorted([*GOOD_TEMPLATES, REJECTED, NOT_YAML, FRAGMENT])


@pytest.mark.parametrize("name", GOOD_TEMPLATES)
def test_good_templates_are_valid_to_tosca_parser(name: str) -> None:
    assert complaints(template(name)) == []


@pytest.mark.parametrize("name", GOOD_TEMPLATES)
def test_constraints_of_good_templates_can_be_read_by_tosca_parser(name: str) -> None:
    # It builds them on access only, and raises there on what does not fit the type.
    for declared in parse(template(name)).inputs:
        assert len(declared.constraints) == len(inputs(name)[declared.name].get("constraints", []))


@pytest.mark.parametrize("name", GOOD_TEMPLATES)
def test_defaults_keep_their_constraints_but_for_the_stated_ones(name: str) -> None:
    stated = {"deep-oc-field-types.yml": {"jupyter_password", "optimiser"}}
    broken = set()
    for declared in parse(template(name)).inputs:
        for constraint in declared.constraints:
            try:
                if declared.default is not None:
                    constraint.validate(declared.default)
            except ValidationError:
                broken.add(declared.name)
    assert broken == stated.get(name, set())


@pytest.mark.parametrize("name", GOOD_TEMPLATES)
def test_the_types_of_the_sample_reject_what_they_do_not_know(name: str) -> None:
    spoilt = template(name)
    next(iter(spoilt["topology_template"]["node_templates"].values()))["type"] = "tosca.nodes.indigo.Nowhere"
    assert complaints(spoilt)


def test_the_common_template_takes_the_policy_dashboards_add() -> None:
    tpl = template("deep-oc-marathon-webdav.yml")
    policy = {
        "type": "tosca.policies.indigo.SlaPlacement",
        "properties": {"sla_id": "sla-of-a-provider"},
        "targets": ["module"],
    }
    tpl["topology_template"]["policies"] = [{"deploy_on_specific_site": policy}]
    assert complaints(tpl) == []
    assert parse(tpl).policies[0].type == "tosca.policies.indigo.SlaPlacement"


@pytest.mark.parametrize("name", [*GOOD_TEMPLATES, REJECTED])
def test_readable_templates_need_nothing_a_careful_reader_refuses(name: str) -> None:
    allowed = {"tosca_definitions_version", "description", "metadata", "imports", "topology_template"}
    assert set(template(name)) <= allowed
    text = (TEMPLATES / name).read_text()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        assert not isinstance(event, yaml.AliasEvent)
        assert getattr(event, "anchor", None) is None
        assert getattr(event, "tag", None) is None


@pytest.mark.parametrize("name", [*GOOD_TEMPLATES, REJECTED])
def test_all_imports_are_mapped_to_files_that_are_there(name: str) -> None:
    for entry in template(name)["imports"]:
        for url in entry.values():
            assert (TYPES / import_map()[url]).is_file()


@pytest.mark.parametrize("name", [*GOOD_TEMPLATES, REJECTED])
def test_every_input_is_used_in_the_topology(name: str) -> None:
    text = (TEMPLATES / name).read_text()
    for declared in inputs(name):
        assert f"get_input: {declared} }}" in text, declared


def test_common_templates_have_the_inputs_and_outputs_of_the_standard_ones() -> None:
    storage = ["rclone_conf", "rclone_url", "rclone_vendor", "rclone_user", "rclone_password"]
    before = ["docker_image", "docker_privileged", "deployment_description", "mem_size", "num_cpus", "num_gpus"]
    after = ["jupyter_password", "run_command"]
    assert list(inputs("deep-oc-marathon-webdav.yml")) == [*before, *storage, *after]
    assert list(inputs("deep-oc-marathon-minimal.yml")) == [*before, *after]
    for name in ("deep-oc-marathon-webdav.yml", "deep-oc-marathon-minimal.yml"):
        assert list(template(name)["topology_template"]["outputs"]) == [
            "deployment_description",
            "Docker_image",
            "Docker_num_cpus",
            "Docker_num_gpus",
            "command",
            "deepaas_endpoint",
            "monitor_endpoint",
            "jupyter_endpoint",
        ]


def test_the_rejected_template_has_a_whole_number_for_a_float_and_is_sound_otherwise() -> None:
    tpl = template(REJECTED)
    assert complaints(tpl) == ['"1" is not a float.']
    host = tpl["topology_template"]["node_templates"]["runtime"]["capabilities"]["host"]
    host["properties"]["num_cpus"] = 1.0
    assert complaints(tpl) == []


def test_the_half_written_template_is_not_yaml() -> None:
    with pytest.raises(yaml.YAMLError):
        load(TEMPLATES / NOT_YAML)


def test_the_fragment_is_yaml_but_has_no_topology() -> None:
    assert "topology_template" not in template(FRAGMENT)


def test_kinds_of_deployment_are_told_by_the_node_types() -> None:
    kinds = {
        "tosca.nodes.indigo.Container.Application.Docker.Marathon",
        "tosca.nodes.indigo.Compute",
        "tosca.nodes.indigo.Qcg.Job",
    }
    special = {
        "deep-oc-virtual-machine.yaml": {"tosca.nodes.indigo.Compute"},
        "deep-oc-hpc-job.yml": {"tosca.nodes.indigo.Qcg.Job"},
    }
    marathon = {"tosca.nodes.indigo.Container.Application.Docker.Marathon"}
    for name in [*GOOD_TEMPLATES, REJECTED]:
        assert node_types(name) & kinds == special.get(name, marathon), name
    assert "node_ip" in template("deep-oc-virtual-machine.yaml")["topology_template"]["outputs"]


def test_some_templates_lack_what_a_dashboard_fills_in() -> None:
    lacking = {
        key: sorted(name for name in [*GOOD_TEMPLATES, REJECTED] if key not in inputs(name))
        for key in ("docker_image", "num_cpus", "run_command")
    }
    assert lacking["docker_image"] == ["deep-oc-retina-workbench.yml", "deep-oc-virtual-machine.yaml"]
    assert "deep-oc-listening-station.yml" in lacking["num_cpus"]
    assert "deep-oc-listening-station.yml" in lacking["run_command"]
    assert inputs("deep-oc-harbour-detect.yml")["docker_image"]["default"].endswith(":gpu-2.1")


def test_template_metadata_varies_as_in_the_wild() -> None:
    found = {name: template(name).get("metadata", {}) for name in GOOD_TEMPLATES}
    assert found["deep-oc-listening-station.yml"] == {}
    assert found["deep-oc-hpc-job.yml"]["allowed_groups"] == "deepdash-curators,ml-users/vision"
    assert found["deep-oc-virtual-machine.yaml"]["allowed_groups"] == "*"
    assert not isinstance(found["deep-oc-retina-workbench.yml"]["creation_date"], str)
    icons = [entry["icon"] for entry in found.values() if "icon" in entry]
    assert any(icon.startswith("https://") for icon in icons)
    assert any(not icon.startswith("https://") for icon in icons)
    assert sum("tag" in entry for entry in found.values()) > 4
