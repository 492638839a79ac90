"""The form made from a template: each type is asked for fittingly, checked, and sent as its YAML type."""

import html
import json
import re
from typing import Any

import pytest
import yaml
from django.http import QueryDict
from django.utils import translation

from catalog.tosca.description import TemplateDescription, describe
from catalog.tosca.loader import load_template, plain
from deployments.forms import ToscaForm
from deployments.forms.posted import carry_over, typed_data


def described(inputs: str) -> TemplateDescription:
    """The description of a template whose inputs are given as YAML."""
    data = {
        "tosca_definitions_version": "tosca_simple_yaml_1_0",
        "topology_template": {"inputs": yaml.safe_load(inputs)},
    }
    return describe(plain(load_template(yaml.safe_dump(data, sort_keys=False))))


def form_for(inputs: str, data: str | None = None, **options: Any) -> ToscaForm:
    options.setdefault("values", {})
    posted = None if data is None else typed_data(QueryDict(data))
    return ToscaForm(posted, description=described(inputs), **options)


def sent(inputs: str, data: str, **options: Any) -> dict[str, Any]:
    form = form_for(inputs, data, **options)
    assert form.is_valid(), form.errors.as_json()
    return form.parameters()


def refused(inputs: str, data: str, name: str = "in-x") -> str:
    form = form_for(inputs, data)
    assert not form.is_valid()
    return " ".join(map(str, form.errors[name]))


@pytest.mark.parametrize(
    ("spec", "data", "value"),
    [
        ("x: {type: string}", "in-x=hello", "hello"),
        ("x: {type: integer}", "in-x=8", 8),
        ("x: {type: integer}", "in-x=-8", -8),
        ("x: {type: float}", "in-x=0.25", 0.25),
        ("x: {type: number}", "in-x=3", 3.0),
        ("x: {type: boolean, default: true}", "in-x-shown=1", False),
        ("x: {type: boolean, default: false}", "in-x-shown=1&in-x=on", True),
        ("x: {type: version}", "in-x=2.1.0", "2.1.0"),
        ("x: {type: timestamp}", "in-x=2026-11-23T14:30:00Z", "2026-11-23T14:30:00Z"),
        ("x: {type: range}", "in-x_0=1&in-x_1=9", [1, 9]),
        ("x: {type: range}", "in-x_0=1&in-x_1=", [1, "UNBOUNDED"]),
        ("x: {type: scalar-unit.size}", "in-x_0=8&in-x_1=GB", "8 GB"),
        ("x: {type: scalar-unit.time}", "in-x_0=1.5&in-x_1=h", "1.5 h"),
        ("x: {type: scalar-unit.frequency}", "in-x_0=2.4&in-x_1=GHz", "2.4 GHz"),
        ("x: {type: list, entry_schema: {type: string}}", "in-x=a%0D%0A%0D%0Ab", ["a", "b"]),
        ("x: {type: list, entry_schema: {type: integer}}", "in-x=1%0A2", [1, 2]),
        ("x: {type: map, entry_schema: {type: string}}", "in-x=a: 1%0Ab: two: 2", {"a": "1", "b": "two: 2"}),
        ("x: {type: map, entry_schema: {type: integer}}", "in-x=a: 1", {"a": 1}),
        (
            "x: {type: list, entry_schema: {type: map, entry_schema: {type: string}}}",
            "in-x=- port: '80'%0A  protocol: tcp",
            [{"port": "80", "protocol": "tcp"}],
        ),
        ("x: {type: string, constraints: [{valid_values: [no, 'no', 1, 2.5, a]}]}", "in-x=false", False),
        ("x: {type: string, constraints: [{valid_values: [1, 2.5, a]}]}", "in-x=1", 1),
        ("x: {type: string, constraints: [{valid_values: ['1', '2']}]}", "in-x=1", "1"),
        ("x: {type: float, constraints: [{valid_values: [18.04, 22, 7]}]}", "in-x=18.04", 18.04),
        ("x: {type: string, default: false, constraints: [{valid_values: [false, true]}]}", "in-x-shown=1", False),
        (
            "x: {type: string, default: 'no', constraints: [{valid_values: ['yes', 'no']}]}",
            "in-x-shown=1&in-x=on",
            "yes",
        ),
        ("x: {type: string, default: true}", "in-x=true", True),
        ("x: {type: string, default: true}", "in-x=maybe", "maybe"),
        ("mem_size: {type: string, default: 4096 MB}", "in-mem_size_0=8&in-mem_size_1=GB", "8 GB"),
        ("x: {type: tosca.datatypes.Own, default: {a: [1]}}", "in-x=a: [1, 2]", {"a": [1, 2]}),
    ],
)
def test_each_type_is_sent_as_its_yaml_type(spec: str, data: str, value: Any) -> None:
    (found,) = sent(spec, data).values()
    assert found == value
    assert type(found) is type(value)
    json.dumps(found)
    yaml.safe_dump(found)  # nothing but plain types: a subclass of str would fail here


@pytest.mark.parametrize(
    ("spec", "data", "said"),
    [
        ("x: {type: integer}", "in-x=8.5", "is not a whole number"),
        ("x: {type: integer}", "in-x=eight", "“eight” is not a whole number"),
        ("x: {type: float}", "in-x=nan", "is not a number"),
        ("x: {type: float}", "in-x=inf", "is not a number"),
        ("x: {type: integer, constraints: [{in_range: [1, 16]}]}", "in-x=64", "Choose 1 to 16; this is 64."),
        ("x: {type: integer, constraints: {in_range: [1, 16]}}", "in-x=0", "Choose 1 to 16; this is 0."),
        ("x: {type: integer, constraints: [{in_range: [1, UNBOUNDED]}]}", "in-x=0", "at least 1; this is 0"),
        ("x: {type: integer, constraints: [{greater_or_equal: 2}]}", "in-x=1", "At least 2; this is 1."),
        ("x: {type: integer, constraints: [{greater_than: 2}]}", "in-x=2", "More than 2; this is 2."),
        ("x: {type: integer, constraints: [{less_or_equal: 2}]}", "in-x=3", "At most 2; this is 3."),
        ("x: {type: float, constraints: [{less_than: 2}]}", "in-x=2", "Less than 2; this is 2.0."),
        ("x: {type: integer, constraints: [{equal: 5}]}", "in-x=4", "Must be exactly 5."),
        ("x: {type: string, constraints: [{min_length: 9}]}", "in-x=abcdef", "Use at least 9 characters; this has 6."),
        ("x: {type: string, constraints: [{max_length: 3}]}", "in-x=abcd", "Use at most 3 characters; this has 4."),
        ("x: {type: string, constraints: [{length: 3}]}", "in-x=ab", "Use exactly 3 characters; this has 2."),
        ("x: {type: string, constraints: [{pattern: '[a-z]+'}]}", "in-x=ab9", "Must have the form [a-z]+."),
        ("x: {type: string, constraints: [{valid_values: [a, b]}]}", "in-x=c", "can’t be chosen"),
        ("x: {type: scalar-unit.size}", "in-x_0=8&in-x_1=apples", "is not a unit"),
        ("x: {type: scalar-unit.size}", "in-x_0=much&in-x_1=GB", "“much” is not a number"),
        (
            "x: {type: scalar-unit.size, constraints: [{in_range: [1 GB, 16 GB]}]}",
            "in-x_0=64&in-x_1=GB",
            "Choose 1 GB to 16 GB; this is 64 GB.",
        ),
        (
            "x: {type: scalar-unit.size, constraints: [{greater_or_equal: 1 GB}]}",
            "in-x_0=512&in-x_1=MB",
            "At least 1 GB",
        ),
        ("x: {type: version}", "in-x=latest", "Write a version"),
        ("x: {type: timestamp}", "in-x=tomorrow", "Write a time"),
        ("x: {type: timestamp}", "in-x=2026-13-45", "Write a time"),
        ("x: {type: range}", "in-x_0=9&in-x_1=1", "must not be smaller"),
        ("x: {type: list, entry_schema: {type: integer}}", "in-x=1%0Atwo", "Line 2: “two” is not a whole number."),
        ("x: {type: map}", "in-x=a: 1%0Anonsense", "Line 2: write it as “key: value”."),
        ("x: {type: map}", "in-x=a: 1%0Aa: 2", "Line 2: “a” is there twice."),
        ("x: {type: list, entry_schema: {type: map}}", "in-x={a: [", "not the YAML expected"),
        ("x: {type: list, entry_schema: {type: map}}", "in-x=[%26a x, *a]", "not the YAML expected"),
        ("x: {type: list, entry_schema: {type: map}}", "in-x=a: b", "expected a list"),
        ("x: {type: list, entry_schema: {type: map}}", "in-x=[1]", "[1]: expected a map"),
        ("x: {type: list, constraints: [{max_length: 1}]}", "in-x=a%0Ab", "Use at most 1 entries; this has 2."),
        ("x: {type: string}", "in-x=", "This is needed."),
        ("x: {type: integer}", "in-x=1_000", "is not a whole number"),
        ("x: {type: float}", "in-x=٣", "is not a number"),
        ("x: {type: string, constraints: [{greater_than: 2}]}", "in-x=nan", "More than 2"),
        ("x: {type: integer, constraints: [{min_length: 3}]}", "in-x=12", "Use at least 3 characters; this has 2."),
    ],
)
def test_what_does_not_fit_is_refused_with_the_rule_and_the_fact(spec: str, data: str, said: str) -> None:
    assert said in refused(spec, data)


RANGE = "x: {type: range, default: [3, 7]}"
SIZE = "x: {type: scalar-unit.size, default: 4 GB}"


@pytest.mark.parametrize(
    ("spec", "data", "value"),
    [
        (RANGE, "in-x_0=5", [5, "UNBOUNDED"]),
        (RANGE, "in-x_1=9", [0, 9]),
        (RANGE, "in-x_0=5&in-x_1=", [5, "UNBOUNDED"]),
        (RANGE, "in-x_0=&in-x_1=9", [0, 9]),
    ],
)
def test_a_half_of_a_range_that_is_missing_is_open(spec: str, data: str, value: list[Any]) -> None:
    assert sent(spec, data) == {"x": value}


@pytest.mark.parametrize(
    ("spec", "data"), [(RANGE, "title=T"), (RANGE, "in-x_0=&in-x_1="), (SIZE, "in-x_1=GB"), (SIZE, "in-x_0=&in-x_1=GB")]
)
def test_a_pair_without_a_number_is_an_empty_field(spec: str, data: str) -> None:
    assert sent(spec.replace("type", "required: false, type"), data) == {}
    assert refused(spec, data) == "This is needed."


def test_half_a_range_comes_back_as_it_was_typed() -> None:
    html = str(form_for(RANGE, "in-x_0=5", check=False)["in-x"])
    assert 'name="in-x_0" value="5"' in html
    assert "None" not in html


def test_a_unit_that_is_not_offered_is_shown_when_it_is_the_one_chosen() -> None:
    assert '<option value="GiB" selected>' in str(form_for(SIZE, values={"x": "8 GiB"})["in-x"])
    assert '<option value="GiB" selected>' in str(form_for(SIZE, "in-x_0=8&in-x_1=GiB", check=False)["in-x"])
    assert "GiB" not in str(form_for(SIZE)["in-x"])


def test_a_runaway_pattern_is_given_up_in_time() -> None:
    said = refused("x: {type: string, constraints: [{pattern: '^(a|aa)+$'}]}", f"in-x={'a' * 5000}b")
    assert "can’t be checked" in said or "Must have the form" in said


def test_an_optional_field_left_empty_is_not_sent_and_an_emptied_text_is_sent_empty() -> None:
    spec = """
      number: {type: integer, required: false}
      counted: {type: integer, default: 3, required: false}
      text: {type: string, default: "", required: false}
      filled: {type: string, default: words, required: false}
      nothing: {type: string, default: null, required: false}
    """
    data = "in-number=&in-counted=&in-text=&in-filled=&in-nothing="
    assert sent(spec, data) == {"text": "", "filled": ""}


def test_defaults_come_back_unchanged_in_value_and_type() -> None:
    spec = """
      a: {type: string, default: text}
      b: {type: integer, default: 4}
      c: {type: float, default: 0.5}
      d: {type: boolean, default: true}
      e: {type: list, entry_schema: {type: integer}, default: [1, 2]}
      f: {type: map, default: {k: v}}
      g: {type: scalar-unit.size, default: 4 GB}
      h: {type: range, default: [1, UNBOUNDED]}
      i: {type: string, default: false, constraints: [{valid_values: [false, true]}]}
      j: {type: list, entry_schema: {type: map}, default: [{port: "80"}]}
      k: {type: string, default: "one\\ntwo"}
      l: {type: version, default: 20.04}
      m: {type: string, default: odd, constraints: [{valid_values: [a, b]}]}
      n: {type: integer, default: 2, constraints: [{valid_values: [1, 2]}]}
    """
    fresh = form_for(spec)
    posted = QueryDict(mutable=True)
    for controls in fresh.posted().values():
        for control, values in controls.items():
            posted.setlist(control, values)
    form = ToscaForm(typed_data(posted), description=fresh.description, values={})
    assert form.is_valid(), form.errors.as_json()
    for item in fresh.description.inputs:
        value = form.parameters()[item.name]
        assert (value, type(value)) == (item.default, type(item.default)), item.name


def test_a_secret_is_masked_its_default_never_shown_and_what_was_typed_comes_back() -> None:
    spec = "rclone_password: {type: string, default: changeme}"
    html = str(form_for(spec)["in-rclone_password"].as_field_group())
    assert 'type="password"' in html
    assert "changeme" not in html
    form = form_for(spec, "in-rclone_password=mine", check=False)
    assert 'value="mine"' in str(form["in-rclone_password"].as_field_group())
    assert form.secret_names() == ["rclone_password"]
    assert sent(spec, "in-rclone_password=") == {}


@pytest.mark.parametrize("needed", [True, False])
def test_the_jupyter_password_is_needed_only_by_jupyterlab(*, needed: bool) -> None:
    form = form_for(
        "jupyter_password: {type: string, default: '', required: no}", "in-jupyter_password=", password_needed=needed
    )
    assert form.is_valid() is not needed
    short = form_for(
        "jupyter_password: {type: string, default: ''}", "in-jupyter_password=alpine", password_needed=needed
    )
    assert "Use at least 9 characters; this has 6." in str(short.errors["in-jupyter_password"])


def test_sections_follow_the_names_and_a_tab_wins() -> None:
    form = form_for(
        """
        deployment_description: {type: string, default: ""}
        num_gpus: {type: integer, default: 0}
        mem_size: {type: string, default: 4096 MB}
        rclone_url: {type: string, default: ""}
        jupyter_password: {type: string, default: ""}
        run_command: {type: string, default: x}
        docker_privileged: {type: string, default: false}
        """
    )
    assert [(section.title, [bound.name for bound in section.fields]) for section in form.sections()] == [
        ("General", ["title", "in-deployment_description"]),
        ("Hardware", ["in-num_gpus", "in-mem_size"]),
        ("Storage", ["in-rclone_url"]),
        ("Service", ["in-jupyter_password", "in-run_command"]),
        (
            "Advanced",
            [
                "in-docker_privileged",
                "keep_last_attempt",
                "timeout_mins",
                "provider_timeout_mins",
                "max_providers_retry",
            ],
        ),
    ]


def test_the_title_stands_in_for_an_empty_description() -> None:
    spec = "deployment_description: {type: string, default: '', required: no}"
    assert sent(spec, "title=Alpine&in-deployment_description=") == {"deployment_description": "Alpine"}
    assert sent(spec, "title=Alpine&in-deployment_description=Mine") == {"deployment_description": "Mine"}


def test_the_time_for_one_provider_can_not_pass_the_time_for_all() -> None:
    form = form_for("x: {type: string, default: a}", "in-x=a&timeout_mins=10&provider_timeout_mins=20")
    assert "Must not be longer than the 10 minutes" in str(form.errors["provider_timeout_mins"])


SPEC = """
num_gpus: {type: integer, default: 0}
run_command: {type: string, default: x}
mem_size: {type: string, default: 4096 MB}
password_word: {type: string, default: ""}
"""


def switch(data: str, *, other: str = SPEC) -> tuple[QueryDict, list[str]]:
    """Carry typed data from choices that give 0 GPUs and command A to ones that give 1 and B."""
    before = form_for(SPEC, values={"num_gpus": 0, "run_command": "A"})
    after = form_for(other, values={"num_gpus": 1, "run_command": "B"})
    return carry_over(QueryDict(data), before=before, after=after)


def test_a_changed_choice_renews_what_was_untouched_and_keeps_what_was_typed() -> None:
    data, kept = switch("in-num_gpus=0&in-run_command=mine&in-mem_size_0=8&in-mem_size_1=GB&title=T")
    assert data["in-num_gpus"] == "1"
    assert data["in-run_command"] == "mine"
    assert (data["in-mem_size_0"], data["in-mem_size_1"]) == ("8", "GB")
    assert data["title"] == "T"
    assert kept == ["run_command"]


def test_carried_data_are_shown_again_as_they_were() -> None:
    data, _ = switch("in-num_gpus=0&in-run_command=A&in-mem_size_0=8.&in-mem_size_1=GB&in-password_word=pw")
    again = ToscaForm(typed_data(data), description=described(SPEC), values={}, check=False)
    html = "".join(str(bound) for section in again.sections() for bound in section.fields)
    assert 'name="in-mem_size_0" value="8."' in html
    assert '<option value="GB" selected>' in html
    assert 'name="in-run_command" value="B"' in html


def test_what_only_the_other_template_asks_for_survives_switching_there_and_back() -> None:
    other = "num_gpus: {type: integer, default: 0}"
    typed = "in-num_gpus=0&in-run_command=mine&in-mem_size_0=8&in-mem_size_1=GB&in-password_word=pw"
    data, _ = switch(typed, other=other)
    assert data["in-password_word"] == "pw"
    back, _ = carry_over(data, before=form_for(other, values={}), after=form_for(SPEC, values={}))
    assert back["in-run_command"] == "mine"
    assert (back["in-mem_size_0"], back["in-mem_size_1"]) == ("8", "GB")


def test_data_shown_but_not_sent_are_not_judged() -> None:
    form = form_for("x: {type: integer}", "in-x=many", check=False)
    assert not form.errors
    assert 'value="many"' in str(form["in-x"])


def test_the_advanced_menu_can_be_switched_off() -> None:
    form = form_for("x: {type: string, default: a}", advanced=False)
    assert "provider" not in form.fields
    assert [section.title for section in form.sections()] == ["General", "Settings"]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ("ssh_pub_key: {type: string}", "ssh-ed25519 AAAA"),
        ("users_public_key: {type: string, required: false}", "ssh-ed25519 AAAA"),
        ("ssh_key: {type: string, default: 'ssh-rsa BBBB'}", "ssh-rsa BBBB"),
        ("ssh_private_key: {type: string}", ""),
        ("key_name: {type: string}", ""),
    ],
)
def test_the_users_ssh_key_is_filled_in_where_one_is_asked_for(inputs: str, expected: str) -> None:
    form = form_for(inputs, facts={"ssh_key": "ssh-ed25519 AAAA"})
    (item,) = form.asked
    assert form[f"in-{item.name}"].value() == expected


# -- Languages --------------------------------------------------------------------------------------------


def test_rules_refusals_and_headings_are_in_the_readers_language() -> None:
    spec = "num_cpus: {type: integer, default: 1, constraints: [{in_range: [1, 16]}]}"
    with translation.override("es"):
        form = form_for(spec)
        assert form.fields["in-num_cpus"].help_text == "De 1 a 16."
        assert str(form.fields["title"].label) == "Título"
        assert [(section.title, section.slug) for section in form.sections()] == [
            ("General", "general"), ("Hardware", "hardware"), ("Avanzado", "advanced"),
        ]  # fmt: skip
        assert refused(spec, "in-num_cpus=64", "in-num_cpus") == "Elija de 1 a 16; ahora es 64."
    with translation.override("it"):
        assert refused(spec, "in-num_cpus=64", "in-num_cpus") == "Scegli da 1 a 16; ora è 64."


def test_labels_and_tabs_of_a_template_stay_in_its_own_words() -> None:
    item = described("memory: {type: string, required: true}").inputs[0]
    own = item.model_copy(update={"label": "Memory", "tab": "Machine"})
    with translation.override("es"):
        form = ToscaForm(None, description=TemplateDescription(inputs=(own,)), values={})
        assert str(form.fields["in-memory"].label) == "Memory"
        assert "Machine" in [section.title for section in form.sections()]


NUMBERS = """
rate: {type: float, default: 0.25, constraints: [{in_range: [0.125, 0.75]}]}
whole: {type: integer, default: 12345}
disk: {type: scalar-unit.size, default: 1.5 GB}
many: {type: list, entry_schema: {type: float}, default: [0.5, 1234.5]}
kept: {type: timestamp, default: 2026-11-23T14:30:00Z}
"""


def shown_and_sent_back(inputs: str) -> dict[str, Any]:
    """The parameters of a form that is sent as a browser fills it in from the page."""
    page = str(form_for(inputs))
    typed = QueryDict(mutable=True)
    for tag in re.findall(r"<input[^>]*>", page):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in given and given.get("type") not in {"checkbox", "radio"}:
            typed.appendlist(given["name"], html.unescape(given.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*?name="([^"]*)"[^>]*>\s*(.*?)</textarea>', page, re.DOTALL):
        typed.appendlist(name, html.unescape(text))
    for name, options in re.findall(r'<select[^>]*?name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        typed.appendlist(name, (re.findall(r'value="([^"]*)" selected', options) or [""])[0])
    return sent(inputs, typed.urlencode())


@pytest.mark.parametrize("language", ["es", "it"])
def test_numbers_go_out_as_in_english_whatever_language_the_form_is_shown_in(language: str) -> None:
    with translation.override("en"):
        english = yaml.safe_dump(shown_and_sent_back(NUMBERS))
    with translation.override(language):
        assert yaml.safe_dump(shown_and_sent_back(NUMBERS)) == english
    assert all(sent in english for sent in ("rate: 0.25", "whole: 12345", "1.5 GB", "- 1234.5"))


@pytest.mark.parametrize(("language", "advice"), [("es", "con punto, como 0.5"), ("it", "con il punto, come 0.5")])
@pytest.mark.parametrize(
    ("spec", "data"),
    [("x: {type: float}", "in-x=0,5"), ("x: {type: scalar-unit.size}", "in-x_0=0,5&in-x_1=GB")],
)
def test_a_decimal_comma_is_answered_with_how_to_write_it(language: str, advice: str, spec: str, data: str) -> None:
    with translation.override(language):
        assert advice in refused(spec, data)
