"""Parameters files refine inputs, in both generations of the format."""

import pytest
import yaml

from catalog.tosca.description import TemplateDescription, describe
from catalog.tosca.guard import Refused
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


@pytest.mark.parametrize("text", ["- a\n", "inputs: [a]\n", "inputs: &a {}\n", "a: ]"])
def test_what_is_no_parameters_file_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        load_parameters(text)


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
    assert (cpus.set_by, cpus.hidden) == ("flavour", True)


@pytest.mark.parametrize(
    "written",
    ["{'volume': __import__('os').getcwd()}", "{'volume': [1]}", "{'volume'", "{{}}", "{" * 400, "{'volume': 1e999}",
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
