"""Fields as a parameters file asks for them: shown fittingly, checked, sent as the template's type."""

import uuid
from typing import Any

import pytest
import yaml
from django.http import QueryDict

from catalog.tosca.description import TemplateDescription, describe
from catalog.tosca.loader import load_template, plain
from catalog.tosca.parameters import refine
from deployments.forms import ToscaForm
from deployments.forms.ports import lines_from_ports, ports_from_lines
from deployments.forms.posted import carry_over, typed_data
from deployments.prefill import Prefill, form_fill

SEED = uuid.UUID("00000000-0000-4000-8000-000000000001")
FACTS = {"sub": "sub-ada", "email": "ada@example.org", "name": "Ada"}


def described(inputs: str, parameters: str) -> TemplateDescription:
    data = {
        "tosca_definitions_version": "tosca_simple_yaml_1_0",
        "topology_template": {"inputs": yaml.safe_load(inputs)},
    }
    description = describe(plain(load_template(yaml.safe_dump(data, sort_keys=False))))
    return refine(description, {"inputs": yaml.safe_load(parameters)})


def form_for(inputs: str, parameters: str, data: str | None = None, **options: Any) -> ToscaForm:
    posted = None if data is None else typed_data(QueryDict(data))
    return ToscaForm(posted, description=described(inputs, parameters), values={}, facts=FACTS, seed=SEED, **options)


def sent(inputs: str, parameters: str, data: str, **options: Any) -> dict[str, Any]:
    form = form_for(inputs, parameters, data, **options)
    assert form.is_valid(), form.errors.as_json()
    return form.parameters()


def refused(inputs: str, parameters: str, data: str, name: str = "in-x") -> str:
    form = form_for(inputs, parameters, data)
    assert not form.is_valid()
    return " ".join(map(str, form.errors[name]))


ONE_TWO = "constraints: [{value: one, label: The first}, {value: two, label: The second}]"


@pytest.mark.parametrize(
    ("inputs", "parameters", "data", "value"),
    [
        ("x: {type: string}", "x: {type: email}", "in-x=ada@example.org", "ada@example.org"),
        ("x: {type: string}", "x: {type: hostname}", "in-x=field-data", "field-data"),
        ("x: {type: string}", "x: {type: integer}", "in-x=8", "8"),
        ("x: {type: string, default: '0.5'}", "x: {type: float}", "in-x=0.25", "0.25"),
        ("x: {type: string}", "x: {type: textarea, rows: 7}", "in-x=a%0Ab", "a\nb"),
        ("x: {type: string}", f"x: {{type: select, {ONE_TWO}}}", "in-x=two", "two"),
        ("x: {type: string}", f"x: {{type: radio, {ONE_TWO}}}", "in-x=one", "one"),
        ("x: {type: integer}", "x: {type: radio, constraints: [{value: '1', label: a}]}", "in-x=1", 1),
        # A toggle in the words of its file.
        ("x: {type: boolean, default: false}", "x: {type: toggle}", "in-x-shown=1&in-x=on", True),
        ("x: {type: string, default: 'False'}", "x: {tag_type: toggle, constraints: [{value: 'True', label: With}]}",
         "in-x-shown=1&in-x=on", "True"),
        ("x: {type: string, default: 'False'}", "x: {tag_type: toggle, constraints: [{value: 'True', label: With}]}",
         "in-x-shown=1", "False"),
        ("x: {type: string}", "x: {tag_type: toggle, constraints: [{value: 'On', label: A}]}", "in-x-shown=1", "Off"),
        ("x: {type: string, default: 'yes'}", "x: {type: toggle}", "in-x-shown=1", "no"),
        ("x: {type: string}", f"x: {{type: toggle, {ONE_TWO}}}", "in-x-shown=1", "two"),
        # Several of a list.
        ("x: {type: string}", f"x: {{type: multiselect, {ONE_TWO}}}", "in-x-shown=1&in-x=one&in-x=two", "one,two"),
        ("x: {type: list}", f"x: {{type: multiselect, {ONE_TWO}}}", "in-x-shown=1&in-x=two", ["two"]),
        ("x: {type: list, default: [one]}", f"x: {{type: multiselect, {ONE_TWO}}}", "in-x-shown=1", []),
        # Ports.
        ("x: {type: map}", "x: {type: ports}", "in-x=ssh: 22%0Aweb: 8000-8080/TCP",
         {"ssh": {"protocol": "tcp", "source": 22}, "web": {"protocol": "tcp", "source_range": [8000, 8080]}}),
        ("x: {type: list}", "x: {type: ports}", "in-x=53/udp", [{"protocol": "udp", "source": 53}]),
        # Made by the form.
        ("x: {type: string}", "x: {type: uuidgen, prefix: a-, suffix: -z}", "in-x=typed-by-somebody",
         f"a-{uuid.uuid5(SEED, 'x')}-z"),
        ("x: {type: string}", "x: {type: userinfo}", "in-x=sub-of-another", "sub-ada"),
        ("x: {type: string}", "x: {type: userinfo, attribute: email}", "in-x=", "ada@example.org"),
        ("x: {type: string}", "x: {type: userinfo, attribute: email}", "in-x=lab@example.org", "lab@example.org"),
        ("x: {type: string}", "x: {type: random_password}", "in-x=my-own-password", "my-own-password"),
    ],
)  # fmt: skip
def test_each_widget(inputs: str, parameters: str, data: str, value: Any) -> None:
    assert sent(inputs, parameters, data)["x"] == value


@pytest.mark.parametrize(
    ("inputs", "parameters", "data", "said"),
    [
        ("x: {type: string}", "x: {type: email}", "in-x=ada", "valid email"),
        ("x: {type: string}", "x: {type: hostname}", "in-x=-bad-.x", "Write a host name"),
        ("x: {type: string}", "x: {type: integer}", "in-x=eight", "is not a whole number"),
        ("x: {type: list}", f"x: {{type: multiselect, {ONE_TWO}}}", "in-x-shown=1&in-x=three", "can’t be chosen"),
        ("x: {type: map}", "x: {type: ports}", "in-x=22", "write it as “name: 8080/tcp”"),
        ("x: {type: list}", "x: {type: ports}", "in-x=99999", "from 1 to 65535"),
        ("x: {type: list}", "x: {type: ports}", "in-x=90-80", "the smaller one first"),
        ("x: {type: list}", "x: {type: ports}", "in-x=ssh", "“ssh” is not a port"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_rule(inputs: str, parameters: str, data: str, said: str) -> None:
    assert said in refused(inputs, parameters, data)


def test_a_generated_password_is_long_and_another_one_each_time() -> None:
    first, second = (sent("x: {type: string}", "x: {type: random_password}", "in-x=")["x"] for _ in range(2))
    assert len(first) >= 20
    assert first != second


def test_an_update_generates_nothing_anew() -> None:
    inputs = "x: {type: string, default: ''}\ny: {type: string, default: ''}\nz: {type: string, default: ''}"
    parameters = "x: {type: uuidgen}\ny: {type: random_password}\nz: {type: userinfo}"
    assert sent(inputs, parameters, "in-x=&in-y=&in-z=", updates=True) == {}


DISTRIBUTIONS = """
distribution: {type: select, constraints: [{value: ubuntu, label: Ubuntu}, {value: debian, label: Debian}]}
x: {type: dependent_select, parent: distribution, constraints: [
  {value: '22.04', label: 22.04 LTS, parent_value: ubuntu}, {value: '12', label: bookworm, parent_value: debian}]}
"""
SYSTEM = "distribution: {type: string, default: ubuntu}\nx: {type: string, default: '22.04'}"


def test_a_dependent_choice_has_to_go_with_its_parent() -> None:
    assert sent(SYSTEM, DISTRIBUTIONS, "in-distribution=debian&in-x=12")["x"] == "12"
    said = refused(SYSTEM, DISTRIBUTIONS, "in-distribution=debian&in-x=22.04")
    assert said == "“22.04 LTS” does not go with Distribution “debian”; choose another."
    html = str(form_for(SYSTEM, DISTRIBUTIONS)["in-x"])
    assert 'label="For ubuntu"' in html
    assert 'label="For debian"' in html


SIZES = """
size: {type: select, display_name: Size, constraints: [
  {value: "{'num_cpus': '1', 'mem': '2 GB'}", label: Small},
  {value: "{'num_cpus': '8', 'mem': '16 GB'}", label: Large}]}
"""
MACHINE = "num_cpus: {type: integer, default: 2}\nmem: {type: scalar-unit.size, default: 4 GB}"
LARGE = "in-size={'num_cpus': '8', 'mem': '16 GB'}"


def test_one_choice_sets_several_inputs_and_is_not_sent_itself() -> None:
    assert sent(MACHINE, SIZES, f"{LARGE}&in-num_cpus=2&in-mem=4 GB") == {"num_cpus": 8, "mem": "16 GB"}
    assert sent(MACHINE, SIZES, "in-size=&in-num_cpus=2&in-mem=4 GB") == {"num_cpus": 2, "mem": "4 GB"}


def test_what_is_typed_beside_such_a_choice_wins() -> None:
    strict = MACHINE.replace("{type: integer, default: 2}", "{type: integer}")  # needed, so it stays in sight
    assert sent(strict, SIZES, f"{LARGE}&in-num_cpus=4&in-mem=4 GB") == {"num_cpus": 4, "mem": "16 GB"}


@pytest.mark.parametrize(
    ("inputs", "chosen"),
    [({"num_cpus": 8, "mem": "16 GB"}, "{'num_cpus': '8', 'mem': '16 GB'}"), ({"num_cpus": 8, "mem": "1 GB"}, None)],
)
def test_a_clone_finds_the_choice_that_was_made_or_leaves_the_values_as_they_were(
    inputs: dict[str, Any], chosen: str | None
) -> None:
    form = form_for(MACHINE, SIZES)
    assert form_fill(form, Prefill(inputs=inputs)) == []
    assert form.fields["in-size"].initial == chosen
    data = {f"in-{name}": value for name, value in {"size": chosen or "", **inputs}.items()}
    query = QueryDict(mutable=True)
    query.update(data)
    assert sent(MACHINE, SIZES, query.urlencode()) == inputs


def test_a_switch_that_others_depend_on_is_named_beside_them() -> None:
    form = form_for("gpu: {type: boolean, default: false}\nx: {type: string}", "x: {enabled_by: gpu}")
    assert form["in-x"].help_text == "Counts only with “GPU”."


def test_nothing_chosen_of_several_survives_a_changed_choice() -> None:
    inputs, parameters = "x: {type: list, default: [one]}", f"x: {{type: multiselect, {ONE_TWO}}}"
    fresh = form_for(inputs, parameters)
    data, _ = carry_over(QueryDict("in-x-shown=1"), before=fresh, after=form_for(inputs, parameters))
    again = form_for(inputs, parameters, data.urlencode(), check=False)
    assert " checked" not in str(again["in-x"])
    assert " checked" in str(fresh["in-x"])


def test_a_toggle_in_other_words_is_shown_as_it_was_left() -> None:
    parameters = "x: {type: toggle, constraints: [{value: 'On', label: With}]}"
    on = form_for("x: {type: string, default: 'Off'}", parameters, "in-x-shown=1&in-x=on", check=False)
    off = form_for("x: {type: string, default: 'On'}", parameters, "in-x-shown=1", check=False)
    assert " checked" in str(on["in-x"])
    assert " checked" not in str(off["in-x"])
    assert " checked" in str(form_for("x: {type: string, default: 'On'}", parameters)["in-x"])


def test_widgets_without_what_they_need_stay_plain_fields() -> None:
    parameters = "x: {type: multiselect}\ny: {type: dependent_select}\nz: {type: vault_token}\nw: {type: no_such}"
    inputs = "\n".join(f"{name}: {{type: string}}" for name in "xyzw")
    assert sent(inputs, parameters, "in-x=a&in-y=b&in-z=c&in-w=d") == {"x": "a", "y": "b", "z": "c", "w": "d"}


def test_ports_that_say_more_than_a_line_are_written_in_yaml() -> None:
    detailed = {"ssh": {"protocol": "tcp", "source": 22, "remote_cidr": "10.0.0.0/8"}}
    assert lines_from_ports(detailed) is None
    spec = yaml.safe_dump({"x": {"type": "map", "default": detailed}})
    assert "remote_cidr" in str(form_for(spec, "x: {type: ports}")["in-x"])


@pytest.mark.parametrize(
    "ports", [{"a": {"protocol": "tcp", "source": 22}}, [{"protocol": "udp", "source_range": [1, 9]}]]
)
def test_ports_come_back_from_their_lines(ports: Any) -> None:
    lines = lines_from_ports(ports)
    assert lines is not None
    assert ports_from_lines(lines, named=isinstance(ports, dict)) == ports
