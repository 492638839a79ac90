"""A template is described as it was written: order, types, defaults and constraints."""

import json

import pytest

from catalog.tosca.description import TemplateDescription, describe, is_secret
from catalog.tosca.loader import load_template, plain


def described(inputs: str, rest: str = "") -> TemplateDescription:
    text = f"topology_template:\n  inputs:\n{inputs}\n{rest}"
    return describe(plain(load_template(text)))


def test_inputs_stay_in_their_order() -> None:
    found = described("    zeta: {type: string}\n    alpha: {type: string}\n    mid: {type: string}")
    assert [item.name for item in found.inputs] == ["zeta", "alpha", "mid"]


def test_it_survives_the_way_through_the_database() -> None:
    found = described("    a: {type: string, default: no, constraints: [{valid_values: [no, yes]}]}")
    assert TemplateDescription.model_validate(json.loads(json.dumps(found.model_dump(mode="json")))) == found


@pytest.mark.parametrize(
    ("written", "default"),
    [
        ("false", False),
        ('"false"', "false"),
        ("1", 1),
        ("1.0", 1.0),
        ('"1"', "1"),
        ("4 GB", "4 GB"),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_a_default_keeps_its_yaml_type(written: str, default: object) -> None:
    item = described(f"    a: {{type: string, default: {written}}}").inputs[0]
    assert item.has_default
    assert item.default == default
    assert type(item.default) is type(default)


def test_a_null_default_is_no_default() -> None:
    item = described("    a: {type: string, default: null}").inputs[0]
    assert not item.has_default


def test_an_input_is_required_unless_it_says_no() -> None:
    found = described(
        "    a: {type: string}\n    b: {type: string, required: no}\n    c: {type: string, required: yes}"
    )
    assert [item.required for item in found.inputs] == [True, False, True]


def test_constraints_are_read_as_a_list_and_as_a_map() -> None:
    found = described(
        "    a: {type: integer, constraints: [{greater_than: 1}, {less_or_equal: 9}]}\n"
        "    b: {type: scalar-unit.size, constraints: {in_range: [1 GB, 8 GB]}}\n"
        "    c: {type: string, constraints: [{pattern: '^(a+)+$'}, {nonsense: 1}, text]}"
    )
    kinds = [[(one.kind, one.value) for one in item.constraints] for item in found.inputs]
    assert kinds == [
        [("greater_than", 1), ("less_or_equal", 9)],
        [("in_range", ["1 GB", "8 GB"])],
        [("pattern", "^(a+)+$")],
    ]


def test_valid_values_become_choices_in_their_own_type_with_words_as_yaml_writes_them() -> None:
    item = described("    a: {type: string, constraints: [{valid_values: [false, 'false', 1]}]}").inputs[0]
    assert [(type(choice.value), choice.label) for choice in item.choices] == [
        (bool, "false"),
        (str, "false"),
        (int, "1"),
    ]


def test_entry_schemas_nest() -> None:
    item = described(
        "    a: {type: list, entry_schema: {type: map, entry_schema: {type: string, constraints: [{min_length: 2}]}}}"
    ).inputs[0]
    assert item.entry_schema
    assert item.entry_schema.type == "map"
    assert item.entry_schema.entry_schema
    assert item.entry_schema.entry_schema.constraints[0].kind == "min_length"


@pytest.mark.parametrize(
    "spec", ["text", "{}", "[1]", "null", "{type: [a]}", "{type: x, description: [a], constraints: 7}"]
)
def test_an_odd_input_is_described_as_far_as_it_makes_sense(spec: str) -> None:
    found = described(f"    a: {spec}")
    assert [item.name for item in found.inputs] == ["a"]


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ("tosca.nodes.indigo.Container.Application.Docker.Marathon", "MARATHON"),
        ("tosca.nodes.indigo.Container.Application.Docker.Chronos", "CHRONOS"),
        ("tosca.nodes.indigo.Qcg.Job", "QCG"),
        ("tosca.nodes.indigo.Compute", "CLOUD"),
        ("tosca.nodes.indigo.LRMS.FrontEnd.Kubernetes", "KUBERNETES"),
        ("tosca.nodes.Root", ""),
    ],
)
def test_the_kind_follows_from_the_node_types(node: str, kind: str) -> None:
    found = described("    a: {type: string}", f"  node_templates: {{n: {{type: {node}}}, odd: text}}")
    assert (found.kind, found.node_types) == (kind, (node,))


@pytest.mark.parametrize(
    "name",
    [
        "jupyter_password",
        "rclone_pass",
        "oneclient_token",
        "API_KEY",
        "admin_passwd",
        "ssh_private_key",
        "vault_secret_id",
        "passphrase",
        "accessToken",
        "kubeconfig",
        "token",
    ],
)
def test_names_that_say_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["ssh_pub_key", "rclone_conf", "max_tokens", "compass", "bypass_cache", "num_gpus", "key_name", "token_type"],
)
def test_names_that_do_not(name: str) -> None:
    assert not is_secret(name)
