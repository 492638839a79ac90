"""A template is described as it was written: order, types, defaults and constraints."""

import json

import pytest

from catalog.tosca.description import EntrySchema, Input, TemplateDescription, describe, is_secret
from catalog.tosca.harmless import MAX_HELP
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
        "    a: {type: string}\n    b: {type: string, required: no}\n    c: {type: string, required: yes}\n"
        "    d: {required: 'no'}\n    e: {required: 'No'}\n    f: {required: 'false'}\n    g: {required: 'False'}"
    )
    assert [item.required for item in found.inputs] == [True, False, True, False, False, False, False]


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
    ("spec", "type"),
    [("text", "string"), ("{}", "string"), ("[1]", "string"), ("null", "string"), ("{type: [a]}", "string"),
     ("{type: ''}", "string"), ("{type: x, description: [a], constraints: 7, entry_schema: 7}", "x")],
)  # fmt: skip
def test_an_odd_input_is_described_as_far_as_it_makes_sense(spec: str, type: str) -> None:
    assert described(f"    a: {spec}").inputs == (Input(name="a", type=type),)


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


@pytest.mark.parametrize(
    ("item", "title"),
    [
        (Input(name="num_cpus", label="how many"), "How many"),
        (Input(name="num_cpus_wanted"), "Num cpus wanted"),
        (Input(name="__"), "__"),
    ],
)
def test_an_input_is_called_by_its_label_or_by_its_name_made_readable(item: Input, title: str) -> None:
    assert item.title == title


@pytest.mark.parametrize(
    "constraints", ["[]", "[{valid_values: small}]", "[{valid_values: {a: b}}]", "[{min_length: 2}]"]
)
def test_there_is_nothing_to_choose_from_unless_values_are_listed(constraints: str) -> None:
    assert described(f"    a: {{type: string, constraints: {constraints}}}").inputs[0].choices == ()


def test_what_a_template_says_of_itself_is_kept() -> None:
    found = described(
        "    a: {type: string}",
        "  outputs: {second: {value: x}, first: {value: y}}\n"
        "description: >\n  Runs\n  it.\n"
        "metadata: {display_name: One, parents: [a.yaml, null, 3]}",
    )
    assert (found.text, found.outputs, found.parents) == ("Runs it.", ("second", "first"), ("a.yaml", "3"))
    assert found.metadata == {"display_name": "One", "parents": ["a.yaml", None, 3]}
    assert described("    a: {type: string}", "metadata: {parents: a.yaml}").parents == ()
    assert (found.input("a"), found.input("b")) == (found.inputs[0], None)


@pytest.mark.parametrize(
    ("written", "text"),
    [("'two  words'", "two words"), ("7", "7"), ("true", "true"), ("false", "false"), ("null", ""), ("[a]", ""),
     ("{a: b}", ""), ("x" * (MAX_HELP + 1), "x" * (MAX_HELP - 1) + "…")],
)  # fmt: skip
def test_an_inputs_description_becomes_its_help_on_one_line(written: str, text: str) -> None:
    assert described(f"    a: {{description: {written}}}").inputs[0].help == text


@pytest.mark.parametrize(
    ("type", "schema", "widget"),
    [
        ("list", "{type: tosca.datatypes.network.PortSpec}", "ports"),
        ("map", "tosca.datatypes.indigo.network.PortSpec", "ports"),
        ("string", "{type: tosca.datatypes.network.PortSpec}", ""),
        ("list", "string", ""),
        ("map", "null", ""),
    ],
)
def test_lists_and_maps_of_ports_are_asked_for_as_ports(type: str, schema: str, widget: str) -> None:
    assert described(f"    a: {{type: {type}, entry_schema: {schema}}}").inputs[0].widget == widget


@pytest.mark.parametrize(
    ("written", "schema"),
    [("integer", EntrySchema(type="integer")), ("{type: [a]}", EntrySchema(type="string")), ("[a]", None)],
)
def test_an_entry_schema_may_be_a_name_alone(written: str, schema: EntrySchema | None) -> None:
    assert described(f"    a: {{type: list, entry_schema: {written}}}").inputs[0].entry_schema == schema


def test_an_input_whose_name_says_secret_is_marked() -> None:
    found = described("    admin_password: {type: string}\n    zone: {type: string}")
    assert [item.secret for item in found.inputs] == [True, False]


def test_of_several_node_types_the_more_telling_one_decides_and_each_is_named_once() -> None:
    found = described(
        "    a: {type: string}",
        "  node_templates: {v: {type: tosca.nodes.indigo.Compute}, w: {type: tosca.nodes.indigo.Compute},"
        " odd: {type: [a]},"
        " app: {type: tosca.nodes.indigo.Container.Application.Docker.Marathon}}",
    )
    assert found.kind == "MARATHON"
    assert found.node_types == (
        "tosca.nodes.indigo.Compute", "tosca.nodes.indigo.Container.Application.Docker.Marathon",
    )  # fmt: skip
