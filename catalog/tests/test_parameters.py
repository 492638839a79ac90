"""Parameters files refine inputs, in both generations of the format."""

import pytest
import yaml

from catalog.tosca.description import Constraint, TemplateDescription, describe
from catalog.tosca.guard import Refused
from catalog.tosca.harmless import MAX_HELP, MAX_LABEL
from catalog.tosca.loader import load_template, plain
from catalog.tosca.parameters import load_parameters, refine, template_base

TEMPLATE = """
topology_template:
  inputs:
    num_gpus: {type: integer, description: GPUs, default: 0, constraints: [{in_range: [0, 4]}]}
    contact: {type: string, required: no}
    public: {type: boolean, default: false}
    zone: {type: string}
"""


def refined(parameters: str) -> TemplateDescription:
    return refine(describe(plain(load_template(TEMPLATE))), load_parameters(parameters))


@pytest.mark.parametrize("key", ["tag_type", "type"])
def test_the_widget_is_called_by_either_name(key: str) -> None:
    found = refined(f"inputs: {{contact: {{{key}: email, display_name: Your address}}}}").input("contact")
    assert found
    assert (found.widget, found.title) == ("email", "Your address")


def test_choices_are_typed_as_the_template_declares() -> None:
    found = refined(
        """
        inputs:
          num_gpus:
            tag_type: select
            default: "1"
            constraints: [{value: "0", label: none}, {value: "1", label: one}]
          public:
            type: radio
            constraints: [{value: "True", label: open}]
        """
    )
    gpus, public = found.input("num_gpus"), found.input("public")
    assert gpus
    assert public
    assert [(choice.value, choice.label) for choice in gpus.choices] == [(0, "none"), (1, "one")]
    assert gpus.default == 1
    assert gpus.constraint("in_range"), "the template's own rule stays in force"
    assert [choice.value for choice in public.choices] == [True]


def test_tabs_are_kept_and_a_tab_that_does_not_exist_is_not() -> None:
    found = refined("tabs: [General, Hardware]\ninputs: {num_gpus: {tab: Hardware}, zone: {tab: Nowhere}}")
    assert found.tabs == ("General", "Hardware")
    assert [item.tab for item in found.inputs] == ["Hardware", "", "", ""]


def test_an_unknown_widget_falls_back_to_the_type() -> None:
    found = refined("inputs: {zone: {type: openstack_ec2credentials}}").input("zone")
    assert found
    assert found.widget == ""


def test_hidden_and_password_widgets_say_more_than_their_looks() -> None:
    found = refined("inputs: {zone: {type: hidden, default: x}, contact: {tag_type: password}}")
    assert [(item.hidden, item.secret) for item in found.inputs if item.name in {"zone", "contact"}] == [
        (False, True),
        (True, False),
    ]


def test_inputs_the_template_lacks_change_nothing() -> None:
    assert refined("inputs: {flavour: {type: select}, zone: text}") == describe(plain(load_template(TEMPLATE)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a\n", "^It is no mapping with inputs.$"),
        ("inputs: [a]\n", "^The inputs are no mapping of names.$"),
        ("inputs: &a {}\n", "Anchors"),
        ("a: ]", "not YAML"),
    ],
)
def test_what_is_no_parameters_file_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        load_parameters(text)


@pytest.mark.parametrize("text", ["a: b\n", "inputs:\n", "inputs: {}\noutputs: [a]\ntabs: {a: b}\n"])
def test_a_parameters_file_without_inputs_changes_nothing(text: str) -> None:
    assert refined(text) == describe(plain(load_template(TEMPLATE)))


@pytest.mark.parametrize("name", ["a.b.yml", "a.b.yaml", "a.b.parameters.yml", "a.b.parameters.yaml"])
def test_files_are_matched_by_their_base_name(name: str) -> None:
    assert template_base(name) == "a.b"


CLUSTER = """
topology_template:
  inputs:
    os: {type: string, default: ubuntu}
    os_version: {type: version, default: 20.04}
    fe_cpus: {type: integer, default: 2}
    fe_mem: {type: scalar-unit.size, default: 4 GB}
    volume: {type: string}
"""


def refined_cluster(parameters: str) -> TemplateDescription:
    return refine(describe(plain(load_template(CLUSTER))), load_parameters(parameters))


def test_one_choice_sets_several_inputs() -> None:
    found = refined_cluster(
        """
        inputs:
          flavour:
            display_name: Size
            tag_type: select
            constraints:
              - {value: "{'fe_cpus':'2', 'fe_mem':'4 GB'}", label: Medium}
              - {value: "{'fe_cpus':'4', 'fe_mem':'8 GB', 'unknown': 'x'}", label: Large}
        """
    )
    assert [item.name for item in found.inputs] == ["os", "os_version", "flavour", "fe_cpus", "fe_mem", "volume"]
    flavour, cpus = found.input("flavour"), found.input("fe_cpus")
    assert flavour
    assert cpus
    assert (flavour.virtual, flavour.widget, flavour.title) == (True, "combined", "Size")
    assert [option.sets for option in flavour.choices] == [
        {"fe_cpus": 2, "fe_mem": "4 GB"}, {"fe_cpus": 4, "fe_mem": "8 GB"},
    ]  # fmt: skip
    assert flavour.default == flavour.choices[0].value, "the choice that changes nothing is the one chosen at first"
    assert [item.set_by for item in found.inputs] == ["", "", "", "flavour", "flavour", ""]
    assert [item.hidden for item in found.inputs] == [False, False, False, True, True, False], (
        "asked once, by the choice"
    )
    assert (flavour.has_default, flavour.required) == (True, False)


@pytest.mark.parametrize(
    "written",
    ["{'volume': __import__('os').getcwd()}", "{'volume': [1]}", "{'volume'", "{{}}", "{" * 400, "{'volume': 1e999}",
     "{'volume'}", "{'volume': 'a'}, 1",
     "{'volume': 'a'}['volume']",
     "{'volume': '" + "x" * 600 + "'}"],
)  # fmt: skip
def test_text_that_is_no_plain_mapping_sets_nothing(written: str) -> None:
    text = yaml.safe_dump({"inputs": {"pick": {"type": "select", "constraints": [{"value": written, "label": "a"}]}}})
    assert refined_cluster(text) == describe(plain(load_template(CLUSTER)))


def test_choices_may_depend_on_another_input() -> None:
    found = refined_cluster(
        """
        inputs:
          os_version:
            type: dependent_select
            parent: os
            constraints: [{value: "20.04", label: "20.04", parent_value: ubuntu}, {value: "7", label: "7"}]
          volume: {type: dependent_select, parent: nowhere, constraints: [{value: a, label: a, parent_value: b}]}
        """
    )
    version, volume = found.input("os_version"), found.input("volume")
    assert version
    assert volume
    assert version.depends_on == "os"
    assert [choice.parent_value for choice in version.choices] == ["ubuntu", None]
    assert (volume.depends_on, volume.choices[0].parent_value) == ("", None), "a parent that is not there is ignored"


@pytest.mark.parametrize(
    ("word", "widget", "secret"),
    [("secret", "password", True), ("random", "random_password", True), ("userid", "userinfo", False),
     ("vault_token", "password", True), ("ssh_user", "", False), ("secrets_path", "", False),
     ("integer", "integer", False),
     ("string", "", False), ("swift_autouuid", "uuidgen", False), ("multiselect", "multiselect", False)],
)  # fmt: skip
def test_words_of_all_dialects_lead_to_our_widgets(word: str, widget: str, secret: bool) -> None:
    found = refined_cluster(f"inputs: {{volume: {{type: {word}}}}}").input("volume")
    assert found
    assert (found.widget, found.secret, found.hidden) == (widget, secret, False)


def test_the_template_decides_on_the_type_where_it_is_no_plain_text() -> None:
    found = refined_cluster("inputs: {fe_cpus: {type: float}, fe_mem: {type: vault_token}}")
    assert [item.widget for item in found.inputs] == [""] * 5


def test_what_is_needed_and_has_no_value_is_not_hidden() -> None:
    found = refined_cluster("inputs: {volume: {type: hidden}, fe_cpus: {type: hidden}}")
    assert [item.hidden for item in found.inputs] == [False, False, True, False, False]


def test_details_of_a_widget_are_kept() -> None:
    found = refined_cluster(
        "inputs: {volume: {type: uuidgen, prefix: b-, suffix: -x, pattern: '[a-z]+', rows: 7, placeholder: any,"
        " enabled_by: os}, os: {type: userinfo}}\noutputs: {users: {type: ssh_user}, odd: 3}"
    )
    volume, os = found.input("volume"), found.input("os")
    assert volume
    assert os
    assert (volume.prefix, volume.suffix, volume.rows, volume.placeholder, volume.enabled_by) == (
        "b-", "-x", 7, "any", "os",
    )  # fmt: skip
    assert volume.constraint("pattern")
    assert os.attribute == "sub"
    assert found.output_types == {"users": "ssh_user"}


def test_without_a_list_of_tabs_the_inputs_name_them() -> None:
    found = refined_cluster("inputs: {fe_cpus: {tab: B}, volume: {tab: A}, os: {tab: 3}}")
    assert found.tabs == ("B", "A")
    assert [item.tab for item in found.inputs] == ["", "", "B", "", "A"]


def test_a_choice_that_none_of_the_defaults_equals_has_none_itself_and_hides_what_needs_a_value() -> None:
    found = refined_cluster(
        """
        inputs:
          size:
            type: hidden
            default: never
            constraints: [{value: l, label: Large, set: {fe_cpus: 8, volume: 1 GB, size: x, os: [a], nowhere: y}}]
        """
    )
    size, volume = found.input("size"), found.input("volume")
    assert size
    assert volume
    assert size.choices[0].sets == {"fe_cpus": 8, "volume": "1 GB"}
    assert (size.default, size.has_default, size.hidden, size.widget) == (None, False, False, "combined")
    assert (volume.set_by, volume.hidden) == ("size", False), "what has no value of its own stays in sight"


@pytest.mark.parametrize(("type", "sets"), [("combined", {"fe_cpus": 2}), ("select", {})])
def test_only_a_combined_input_of_the_template_sets_others_by_its_value(type: str, sets: dict[str, int]) -> None:
    found = refined_cluster(f"inputs: {{volume: {{type: {type}, constraints: [{{value: \"{{'fe_cpus': '2'}}\"}}]}}}}")
    assert [option.sets for item in found.inputs if item.name == "volume" for option in item.choices] == [sets]


@pytest.mark.parametrize(("length", "sets"), [(500, 1), (501, 0)])
def test_values_written_as_text_are_read_up_to_a_length(length: int, sets: int) -> None:
    value = "{'fe_mem': '%s'}" % ("x" * (length - 14))
    assert len(value) == length
    text = yaml.safe_dump({"inputs": {"volume": {"type": "combined", "constraints": [{"value": value}]}}})
    volume = refined_cluster(text).input("volume")
    assert volume
    assert len(volume.choices[0].sets) == sets


@pytest.mark.parametrize(
    ("constraints", "choices"),
    [
        ("{value: a, label: A}", [("a", "A")]),
        ("[{value: 7}, {value: b, label: ''}, {label: no value}, value, 3]", [("7", "7"), ("b", "b")]),
        ("text", []),
        ("7", []),
    ],
)
def test_choices_are_read_from_a_list_or_from_one_alone(constraints: str, choices: list[tuple[str, str]]) -> None:
    volume = refined_cluster(f"inputs: {{volume: {{type: select, constraints: {constraints}}}}}").input("volume")
    assert volume
    assert [(str(choice.value), choice.label) for choice in volume.choices] == choices


def test_rules_of_the_file_replace_the_templates_and_its_pattern_any_other() -> None:
    gpus = refined("inputs: {num_gpus: {constraints: [{in_range: [0, 2]}]}}").input("num_gpus")
    zone = refined("inputs: {zone: {constraints: [{pattern: old}, {min_length: 2}], pattern: new}}").input("zone")
    assert gpus
    assert zone
    assert gpus.constraints == (Constraint(kind="in_range", value=[0, 2]),)
    assert zone.constraints == (Constraint(kind="min_length", value=2), Constraint(kind="pattern", value="new"))


@pytest.mark.parametrize(
    ("type", "written", "value"),
    [
        ("boolean", "'true'", True), ("boolean", "'Yes'", True), ("boolean", "'on'", True),
        ("boolean", "'false'", False), ("boolean", "'no'", False), ("boolean", "'OFF'", False),
        ("boolean", "'maybe'", "maybe"), ("boolean", "true", True),
        ("string", "'true'", "true"), ("string", "'1'", "1"), ("integer", "' 3 '", 3), ("integer", "'1.5'", "1.5"),
        ("float", "'1.5'", 1.5), ("float", "'x'", "x"), ("list", "[a]", ["a"]),
    ],
)  # fmt: skip
def test_a_value_written_as_text_gets_the_type_of_the_input_where_it_can(
    type: str, written: str, value: object
) -> None:
    template = f"topology_template: {{inputs: {{a: {{type: {type}}}}}}}"
    found = refine(
        describe(plain(load_template(template))), load_parameters(f"inputs: {{a: {{default: {written}}}}}")
    ).inputs[0]
    assert (found.default, found.has_default) == (value, True)
    assert found.default.__class__ is value.__class__


@pytest.mark.parametrize(("written", "rows"), [("1", 1), ("40", 40), ("41", 0), ("0", 0), ("-1", 0), ("'7'", 0)])
def test_rows_are_taken_within_reason(written: str, rows: int) -> None:
    volume = refined_cluster(f"inputs: {{volume: {{rows: {written}}}}}").input("volume")
    assert volume
    assert volume.rows == rows


def test_words_for_people_are_taken_from_text_and_numbers_and_cut() -> None:
    found = refined_cluster(
        yaml.safe_dump(
            {
                "inputs": {
                    "os": {
                        "display_name": 5,
                        "description": "h" * (MAX_HELP + 1),
                        "placeholder": "p" * (MAX_LABEL + 1),
                    },
                    "volume": {"display_name": ["x"], "required": False, "type": "userinfo", "attribute": "email"},
                    "fe_mem": {"required": "no", "tag_type": ["x"], "type": "email"},
                }
            }
        )
    )
    os, volume, memory = found.input("os"), found.input("volume"), found.input("fe_mem")
    assert os
    assert volume
    assert memory
    assert (os.label, len(os.help), len(os.placeholder)) == ("5", MAX_HELP, MAX_LABEL)
    assert (volume.label, volume.required, volume.attribute) == ("", False, "email")
    assert (memory.required, memory.widget) == (True, "")


def test_an_input_depends_on_another_that_is_there_never_on_itself() -> None:
    found = refined_cluster("inputs: {os: {parent: os, enabled_by: os}, volume: {parent: os, enabled_by: nowhere}}")
    assert [(item.depends_on, item.enabled_by) for item in found.inputs if item.name in {"os", "volume"}] == [
        ("", ""),
        ("os", ""),
    ]


@pytest.mark.parametrize("listed", [True, False])
def test_a_tab_has_a_name_of_bounded_length_and_comes_once(*, listed: bool) -> None:
    names = ["B", "", "x" * (MAX_LABEL + 1), "y" * MAX_LABEL, 3, "B"]
    inputs = dict(zip(("os", "os_version", "fe_cpus", "fe_mem", "volume"), names[:5], strict=True))
    found = refined_cluster(
        yaml.safe_dump(
            {"inputs": {name: {"tab": tab} for name, tab in inputs.items()}} | ({"tabs": names} if listed else {}),
            sort_keys=False,
        )
    )
    assert found.tabs == ("B", "y" * MAX_LABEL)
    assert [item.tab for item in found.inputs] == ["B", "", "", "y" * MAX_LABEL, ""]


def test_what_is_refined_twice_keeps_the_tabs_and_outputs_of_both() -> None:
    first = refined_cluster("tabs: [A, B]\noutputs: {x: {type: hidden}, y: {type: [a]}, z: {}}")
    both = refine(first, load_parameters("tabs: [C, A]\noutputs: {v: {type: ssh_user}}"))
    assert both.tabs == ("A", "B", "C")
    assert both.output_types == {"x": "hidden", "v": "ssh_user"}


def test_a_widget_that_is_secret_or_hidden_makes_the_input_so() -> None:
    found = refined_cluster("inputs: {os: {type: hidden}, os_version: {type: random_password}, volume: {type: email}}")
    assert [(item.hidden, item.secret) for item in found.inputs] == [
        (True, False), (False, True), (False, False), (False, False), (False, False),
    ]  # fmt: skip
