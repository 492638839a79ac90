"""The sample asks for every kind of field, by its template of all types and by its parameters files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from toscaparser.elements.constraints import Schema

from sandbox.tests.sample import GOOD_TEMPLATES, PARAMETERS, inputs, load, template

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
