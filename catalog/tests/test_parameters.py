"""Parameters files refine inputs, in both generations of the format."""

import pytest

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
