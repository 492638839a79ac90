"""Every file of the sample catalogue is what its README claims: sound, or broken in the stated way."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker
from toscaparser.common.exception import ExceptionCollector, ValidationError
from toscaparser.elements.constraints import Schema
from toscaparser.tosca_template import ToscaTemplate

SAMPLE = Path(__file__).parent.parent / "sample"
MODULES = SAMPLE / "modules"
ORG = "deephdc-sample"
REPOSITORY = SAMPLE / "tosca-templates" / "indigo-dc"
TEMPLATES = REPOSITORY / "deep-oc"
PARAMETERS = REPOSITORY / "tosca-parameters"
TYPES = SAMPLE / "tosca-types"
RAW = "https://raw.githubusercontent.com/indigo-dc/tosca-templates/master/"

WITHOUT_METADATA = "DEEP-OC-cloud-types"
MALFORMED = "DEEP-OC-soil-moisture"
HOSTILE = "DEEP-OC-unsafe-markup"

GOOD_TEMPLATES = [
    "deep-oc-field-types.yml",
    "deep-oc-harbour-detect.yml",
    "deep-oc-hpc-job.yml",
    "deep-oc-listening-station.yml",
    "deep-oc-marathon-minimal.yml",
    "deep-oc-marathon-webdav.yml",
    "deep-oc-retina-workbench.yml",
    "deep-oc-virtual-machine.yaml",
]
REJECTED = "deep-oc-plankton-counter.yml"
NOT_YAML = "deep-oc-half-written.yml"
FRAGMENT = "deep-oc-common-inputs.yml"

METADATA_SCHEMA = {
    "type": "object",
    "required": ["title", "summary", "description", "keywords", "license", "date_creation", "sources"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "summary": {"type": "string", "minLength": 1},
        "description": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "license": {"type": "string", "minLength": 1},
        "date_creation": {"type": "string", "format": "date"},
        "dataset_url": {"type": "string"},
        "cite_url": {"type": "string"},
        "training_files_url": {"type": "string"},
        "docker_tags": {"type": "array", "items": {"type": "string"}},
        "sources": {
            "type": "object",
            "required": ["dockerfile_repo", "docker_registry_repo", "code"],
            "additionalProperties": {"type": "string"},
        },
        "continuous_integration": {
            "type": "object",
            "required": ["build_status_badge", "build_status_url"],
            "additionalProperties": {"type": "string"},
        },
        "tosca": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["title", "url", "inputs"],
                "properties": {
                    "title": {"type": "string"},
                    "url": {"type": "string"},
                    "inputs": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def listed() -> list[str]:
    """Return the addresses in MODULES.yml as written."""
    entries = yaml.safe_load((MODULES / "MODULES.yml").read_text())
    assert all(list(entry) == ["module"] for entry in entries)
    return [entry["module"] for entry in entries]


def repository_name(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").rsplit("/", 1)[1]


REPOSITORIES = sorted({repository_name(url) for url in listed()})
GOOD_MODULES = [name for name in REPOSITORIES if name not in (WITHOUT_METADATA, MALFORMED)]


def metadata(name: str) -> dict[str, Any]:
    data = json.loads((MODULES / ORG / name / "metadata.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def description(name: str) -> str:
    return "\n".join(metadata(name)["description"])


def tags(name: str) -> list[dict[str, Any]]:
    data = json.loads((MODULES / ORG / name / "tags.json").read_text())
    assert isinstance(data, list)
    return data


def load(file: Path) -> dict[str, Any]:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def template(name: str) -> dict[str, Any]:
    return load(TEMPLATES / name)


def inputs(name: str) -> dict[str, dict[str, Any]]:
    found = template(name)["topology_template"]["inputs"]
    assert isinstance(found, dict)
    return found


def node_types(name: str) -> set[str]:
    return {node["type"] for node in template(name)["topology_template"]["node_templates"].values()}


def import_map() -> dict[str, str]:
    return load(TYPES / "import-map.yml")


def parse(tpl: dict[str, Any]) -> ToscaTemplate:
    """Give a template to tosca-parser with the types of its imports merged in, so that it fetches nothing."""
    tpl = copy.deepcopy(tpl)
    for entry in tpl.pop("imports", []):
        for url in entry.values():
            for section, types in load(TYPES / import_map()[url]).items():
                if section.endswith("_types"):
                    tpl.setdefault(section, {}).update(types)
    return ToscaTemplate(yaml_dict_tpl=tpl)


def complaints(tpl: dict[str, Any]) -> list[str]:
    """Return what tosca-parser has against a template."""
    try:
        parse(tpl)
    except ValidationError:
        return [str(error) for error in ExceptionCollector.getExceptions()]
    return []


# -- the list of modules ------------------------------------------------------------------------------------


def test_the_list_holds_the_odd_entries_of_real_lists() -> None:
    urls = listed()
    assert all(url.startswith(f"https://github.com/{ORG}/DEEP-OC-") for url in urls)
    assert sum(url.endswith("/") for url in urls) == 1
    assert sum(url.endswith(".git") for url in urls) == 1
    repeated = [name for name, count in Counter(map(repository_name, urls)).items() if count > 1]
    assert repeated == ["DEEP-OC-spoken-commands"]


def test_every_listed_module_has_a_folder_and_every_folder_is_listed() -> None:
    assert sorted(folder.name for folder in (MODULES / ORG).iterdir()) == REPOSITORIES


def test_one_module_has_the_branch_main_alone() -> None:
    branches = load(MODULES / "branches.yml")
    assert branches == {f"{ORG}/DEEP-OC-harbour-detect": ["main"]}


def test_one_module_has_no_metadata() -> None:
    missing = [name for name in REPOSITORIES if not (MODULES / ORG / name / "metadata.json").exists()]
    assert missing == [WITHOUT_METADATA]


def test_the_malformed_metadata_lacks_one_comma_and_nothing_else() -> None:
    text = (MODULES / ORG / MALFORMED / "metadata.json").read_text()
    with pytest.raises(json.JSONDecodeError, match="Expecting ',' delimiter"):
        json.loads(text)
    assert Draft7Validator(METADATA_SCHEMA).is_valid(json.loads(text.replace(']\n    "license"', '],\n    "license"')))


# -- modules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD_MODULES)
def test_the_metadata_follows_the_schema(name: str) -> None:
    errors = Draft7Validator(METADATA_SCHEMA, format_checker=FormatChecker()).iter_errors(metadata(name))
    assert [error.message for error in errors] == []


@pytest.mark.parametrize("name", GOOD_MODULES)
def test_addresses_of_the_metadata_are_invented_or_of_the_sample(name: str) -> None:
    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)

    for text in texts(metadata(name)):
        for url in re.findall(r"https?://[^\s'\")>]+", text):
            parts = urlsplit(url)
            if parts.hostname in ("github.com", "raw.githubusercontent.com"):
                assert parts.path.startswith((f"/{ORG}/", "/indigo-dc/tosca-templates/")), url
            else:
                assert (parts.hostname or "").endswith(".example.org"), url


def test_images_are_distinct_and_in_the_namespace_of_the_sample() -> None:
    images = [metadata(name)["sources"]["docker_registry_repo"] for name in GOOD_MODULES]
    assert all(re.fullmatch(r"deephdcsample/[a-z0-9]+(?:[._-][a-z0-9]+)*", image) for image in images)
    assert len(set(images)) == len(images)


def test_images_that_ask_the_sandbox_for_trouble_say_so_in_their_titles() -> None:
    troubled = {
        metadata(name)["title"]: metadata(name)["sources"]["docker_registry_repo"].rpartition("sandbox-")[2]
        for name in GOOD_MODULES
        if "sandbox-" in metadata(name)["sources"]["docker_registry_repo"]
    }
    assert troubled == {"Fails to deploy (demonstration)": "fail", "Never finishes (demonstration)": "stuck"}


def test_only_one_template_that_a_module_names_does_not_exist() -> None:
    urls = [entry["url"] for name in GOOD_MODULES for entry in metadata(name).get("tosca", [])]
    assert all(url.startswith(RAW) for url in urls)
    paths = {url.removeprefix(RAW) for url in urls}
    assert {path for path in paths if not (REPOSITORY / path).is_file()} == {"deep-oc/deep-oc-marathon.yml"}
    assert [entry["url"] for entry in metadata("DEEP-OC-minutes-summariser")["tosca"]] == [
        f"{RAW}deep-oc/deep-oc-marathon.yml"
    ]


def test_every_readable_template_can_be_reached_from_a_module_or_is_common() -> None:
    named = {entry["url"].rsplit("/", 1)[1] for name in GOOD_MODULES for entry in metadata(name).get("tosca", [])}
    assert {*GOOD_TEMPLATES, REJECTED} <= named


def test_some_modules_leave_out_what_the_schema_lets_them_leave_out() -> None:
    without = {
        key: [name for name in GOOD_MODULES if key not in metadata(name)] for key in ("tosca", "continuous_integration")
    }
    assert without == {
        "tosca": ["DEEP-OC-spoken-commands"],
        "continuous_integration": ["DEEP-OC-spoken-commands"],
    }
    for key in ("dataset_url", "cite_url", "training_files_url"):
        assert 1 < sum(key in metadata(name) for name in GOOD_MODULES) < len(GOOD_MODULES), key
    assert metadata("DEEP-OC-plankton-imaging")["cite_url"] == ""


def test_the_same_keyword_is_written_in_different_cases() -> None:
    keywords = {keyword for name in GOOD_MODULES for keyword in metadata(name)["keywords"]}
    assert {"tensorflow", "Tensorflow", "pytorch", "PyTorch", "deep learning", "Deep Learning"} <= keywords
    assert {"trainable", "inference", "pre-trained"} <= keywords
    both = metadata("DEEP-OC-retina-screening")["keywords"]
    assert {"pytorch", "PyTorch"} <= set(both)


def test_licences_vary() -> None:
    assert {metadata(name)["license"] for name in GOOD_MODULES} >= {
        "MIT",
        "Apache 2.0",
        "Apache-2.0",
        "BSD-3-Clause",
    }


def test_descriptions_use_the_markdown_real_ones_use() -> None:
    text = "\n".join(description(name) for name in GOOD_MODULES)
    for construct in (
        r"^## ",
        r"^\* ",
        r"^- ",
        r"^\d\. ",
        r"^```",
        r"^    \S",
        r"^\| --- ",
        r"^> ",
        r"\*\*",
        r"\]\(https:",
    ):
        assert re.search(construct, text, re.MULTILINE), construct
    assert any("\n" in line.rstrip("\n") for line in metadata("DEEP-OC-plankton-imaging")["description"])


def test_one_description_has_an_image_in_html_with_a_stray_comma() -> None:
    assert re.search(r"<img class='[^']*', src='https://[^']+'/>", description("DEEP-OC-plankton-imaging"))
    assert re.search(r"<a href=https://\S+ target=", description("DEEP-OC-plankton-imaging"))


@pytest.mark.parametrize(
    "attempt",
    [
        "<script>",
        " onerror=",
        " onload=",
        " onclick=",
        "](javascript:",
        'href="javascript:',
        "](JaVaScRiPt:",
        'href="data:text/html',
        "<iframe",
        "<style>",
        " style=",
        "<form",
        "<meta http-equiv",
        "<base",
        "</main>",
    ],
)
def test_one_description_is_hostile(attempt: str) -> None:
    assert attempt in description(HOSTILE)


def test_all_other_descriptions_are_harmless() -> None:
    for name in GOOD_MODULES:
        if name != HOSTILE:
            assert not re.search(
                r"<script|\bon[a-z]+\s*=\s*['\"]|javascript:|<style|<iframe", description(name), re.I
            ), name


# -- tags ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPOSITORIES)
def test_tags_have_name_size_and_date_newest_first(name: str) -> None:
    rows = tags(name)
    for row in rows:
        assert set(row) == {"name", "size", "last_updated"}
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", row["name"])
        assert 100_000_000 < row["size"] < 10_000_000_000
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", row["last_updated"])
    assert len({row["name"] for row in rows}) == len(rows)
    dates = [row["last_updated"] for row in rows]
    assert dates == sorted(dates, reverse=True)


def test_tags_cover_the_cases_a_dashboard_meets() -> None:
    names = {name: [row["name"] for row in tags(name)] for name in REPOSITORIES}
    assert {"cpu", "gpu", "latest", "GPU-Test", "cpu-1.2"} == set(names["DEEP-OC-alpine-flora"])
    assert len(names["DEEP-OC-sentinel-superres"]) > 120
    assert names[HOSTILE] == []
    assert all("gpu" in tag for tag in names["DEEP-OC-retina-screening"])


def test_the_development_environment_names_tags_of_which_one_is_not_there() -> None:
    named = metadata("DEEP-OC-generic-dev")["docker_tags"]
    there = {row["name"] for row in tags("DEEP-OC-generic-dev")}
    assert len(named) == 26
    assert set(named) - there == {"tf2.16.1-gpu"}
    assert len(there - set(named)) == 3


def test_images_with_a_tag_written_into_a_template_exist() -> None:
    text = "\n".join((TEMPLATES / name).read_text() for name in GOOD_TEMPLATES)
    images = set(re.findall(r"deephdcsample/([a-z0-9-]+):(\S+)", text))
    assert images == {("deep-oc-harbour-detect", "gpu-2.1"), ("deep-oc-retina-screening", "gpu-approved")}
    for image, tag in images:
        name = next(name for name in REPOSITORIES if name.lower() == image)
        assert tag in {row["name"] for row in tags(name)}


# -- templates ----------------------------------------------------------------------------------------------


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
    before = [
        "docker_image",
        "docker_privileged",
        "deployment_description",
        "mem_size",
        "num_cpus",
        "num_gpus",
    ]
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


# -- the template with every kind of field ------------------------------------------------------------------


def described_type(schema: dict[str, Any]) -> str:
    """Return a type with what it holds, such as "list of map of string"."""
    entry = schema.get("entry_schema")
    return f"{schema['type']} of {described_type(entry)}" if entry else str(schema["type"])


def constraints(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for entry in schema.get("constraints", []) for key, value in entry.items()}


FIELDS = inputs("deep-oc-field-types.yml")


@pytest.mark.parametrize(
    "kind",
    [
        "integer",
        "float",
        "boolean",
        "string",
        "version",
        "timestamp",
        "range",
        "scalar-unit.size",
        "scalar-unit.time",
        "scalar-unit.frequency",
        "list of string",
        "list of integer",
        "map of string",
        "list of map of string",
    ],
)
def test_there_is_a_field_of_type(kind: str) -> None:
    assert kind in {described_type(schema) for schema in FIELDS.values()}


@pytest.mark.parametrize("kind", ["integer", "float", "boolean", "string", "scalar-unit.size"])
def test_there_are_choices_of_type(kind: str) -> None:
    assert any(schema["type"] == kind and "valid_values" in constraints(schema) for schema in FIELDS.values())


@pytest.mark.parametrize("kind", [str, int, float, bool])
def test_there_are_choices_yaml_reads_as(kind: type) -> None:
    choices = [value for schema in FIELDS.values() for value in constraints(schema).get("valid_values", [])]
    assert kind in {type(value) for value in choices}


def test_every_constraint_of_tosca_is_there() -> None:
    assert {key for schema in FIELDS.values() for key in constraints(schema)} == {
        "equal",
        "greater_than",
        "greater_or_equal",
        "less_than",
        "less_or_equal",
        "in_range",
        "valid_values",
        "length",
        "min_length",
        "max_length",
        "pattern",
    }


def test_fields_have_the_defaults_that_make_forms_stumble() -> None:
    optional = {name: schema for name, schema in FIELDS.items() if schema.get("required") is False}
    assert "default" not in optional["notes"]
    assert optional["checkpoint"]["default"] is None
    assert "default" in optional["checkpoint"]
    assert "default" not in FIELDS["station_code"]
    assert FIELDS["station_code"]["required"] is True
    assert FIELDS["optimiser"]["default"] not in constraints(FIELDS["optimiser"])["valid_values"]
    assert FIELDS["training_settings"]["default"].count("\n") > 3
    assert isinstance(FIELDS["os_version"]["default"], float)
    assert FIELDS["docker_privileged"]["type"] == "string"
    assert FIELDS["docker_privileged"]["default"] is False
    assert "UNBOUNDED" in FIELDS["retry_range"]["default"]
    assert {"jupyter_password", "tracking_token", "storage_secret_key"} <= set(FIELDS)
    assert FIELDS["storage_secret_key"]["default"]


def test_fields_use_only_types_tosca_parser_knows() -> None:
    assert {schema["type"] for schema in FIELDS.values()} <= set(Schema.PROPERTY_TYPES)


# -- parameters files ---------------------------------------------------------------------------------------

OLDER = PARAMETERS / "deep-oc-harbour-detect.parameters.yml"
NEWER = PARAMETERS / "deep-oc-virtual-machine.parameters.yaml"


def test_each_parameters_file_belongs_to_a_template() -> None:
    assert sorted(PARAMETERS.iterdir()) == [OLDER, NEWER]
    stems = {Path(name).stem for name in GOOD_TEMPLATES}
    assert {file.name.split(".parameters.")[0] for file in (OLDER, NEWER)} <= stems


def test_the_older_dialect_covers_all_inputs_and_all_its_widgets() -> None:
    data = load(OLDER)
    assert set(data["inputs"]) == set(inputs("deep-oc-harbour-detect.yml"))
    assert all("type" not in entry for entry in data["inputs"].values())
    assert {entry.get("tag_type") for entry in data["inputs"].values()} == {
        "text",
        "hidden",
        "email",
        "password",
        "select",
        "radio",
        "toggle",
        None,
    }
    tabs = {entry["tab"] for entry in data["inputs"].values() if "tab" in entry}
    assert tabs - set(data["tabs"]) == {"Storage"}
    assert any("tab" not in entry for entry in data["inputs"].values())


def test_the_newer_dialect_refines_inputs_and_has_one_choice_that_sets_several() -> None:
    data = load(NEWER)
    known = set(inputs("deep-oc-virtual-machine.yaml"))
    assert set(data["inputs"]) - known == {"flavour"}
    assert all("type" in entry and "tag_type" not in entry for entry in data["inputs"].values())
    choices = [choice["value"] for choice in data["inputs"]["flavour"]["constraints"]]
    assert all(set(yaml.safe_load(choice)) == {"num_cpus", "mem_size"} for choice in choices)
    release = data["inputs"]["os_version"]
    parents = constraints(inputs("deep-oc-virtual-machine.yaml")[release["parent"]])["valid_values"]
    assert {choice["parent_value"] for choice in release["constraints"]} == set(parents)
    assert {entry["tab"] for entry in data["inputs"].values() if "tab" in entry} == set(data["tabs"])
    assert set(data["outputs"]) <= set(template("deep-oc-virtual-machine.yaml")["topology_template"]["outputs"])
