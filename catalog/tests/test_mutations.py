"""Whatever is done to honest input, it is either read or refused with a reason; nothing else escapes."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.markdown import render
from catalog.sources.metadata import parse_metadata
from catalog.sources.modules import parse_modules
from catalog.testing import TEMPLATE
from catalog.tests.conftest import make_metadata
from catalog.tosca.description import TemplateDescription, describe
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template, load_yaml, plain
from catalog.tosca.parameters import load_parameters, refine
from catalog.tosca.types import import_urls, load_types
from deepdash.errors import Problem

PARAMETERS = """
tabs: [General, Hardware]
inputs:
  num_gpus: {display_name: GPUs, tag_type: select, default: 0, constraints: [{value: 0, label: none}], tab: Hardware}
  docker_image: {type: hidden, required: true}
"""
MODULES = "- module: https://github.com/deephdc/DEEP-OC-one\n- module: https://github.com/deephdc/DEEP-OC-two/\n"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [
        "&a ",
        "*a",
        "!!str ",
        "<<: ",
        "\0",
        "\ud800",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "\t",
        '"',
        "'",
        "#",
        "---\n",
        "|",
        ">",
        "yes",
        "2020-01-01",
        ".nan",
        "1e999",
        "0x1",
        "\u00a0",
        "?",
        "%",
    ],
)

MARKUP = st.sampled_from(
    [*"<>ab =\"'/![]()*_`#|-\n:", "<img src=", "<a href=", "</a>", "javascript:", "https://h/", "<script>", "onclick=x"]
)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """The text with a few cuts and odd pieces put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 30))
        text = text[:start] + draw(PIECES | st.text(max_size=5)) + text[start + length :]
    return text


@st.composite
def replaced(draw: st.DrawFn, data: Any) -> Any:
    """The data with one value somewhere in it replaced by any other."""
    if isinstance(data, dict) and data and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(data)))
        return data | {key: draw(replaced(data[key]))}
    if isinstance(data, list) and data and draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(data) - 1))
        return [*data[:place], draw(replaced(data[place])), *data[place + 1 :]]
    return draw(VALUES)


def survives_storing(description: TemplateDescription) -> bool:
    kept = json.dumps(description.model_dump(mode="json"), allow_nan=False)
    kept.encode("utf-8")
    return "\\u0000" not in kept and TemplateDescription.model_validate(json.loads(kept)) == description


@given(mutated(TEMPLATE))
@settings(max_examples=300, deadline=None)
def test_a_mutated_template_is_described_or_refused(text: str) -> None:
    try:
        data = plain(load_template(text))
    except Refused:
        return
    assert survives_storing(describe(data))
    import_urls(data)


@given(replaced(plain(load_yaml(TEMPLATE))))
@settings(max_examples=300, deadline=None)
def test_a_template_with_any_value_anywhere_is_described_or_refused(data: Any) -> None:
    try:
        loaded = plain(load_template(json.dumps(data)))
    except Refused:
        return
    description = describe(loaded)
    assert survives_storing(description)
    for item in description.inputs:
        assert item.title or not item.name.strip(" _")
        assert len(item.choices) >= 0


@given(mutated(PARAMETERS), replaced(plain(load_yaml(PARAMETERS))))
@settings(max_examples=300, deadline=None)
def test_parameters_are_merged_or_refused(text: str, data: Any) -> None:
    description = describe(plain(load_template(TEMPLATE)))
    for written in (text, json.dumps(data)):
        try:
            refined = refine(description, load_parameters(written))
        except Refused:
            continue
        assert [item.name for item in refined.inputs] == [item.name for item in description.inputs]
        assert survives_storing(refined)


@given(mutated(json.dumps(make_metadata())), replaced(make_metadata()))
@settings(max_examples=300, deadline=None)
def test_metadata_is_read_or_a_problem_with_words(text: str, data: Any) -> None:
    for written in (text, json.dumps(data)):
        try:
            metadata = parse_metadata(written)
        except Problem:
            continue
        render(metadata.description)
        kept = json.dumps(metadata.raw, allow_nan=False)
        kept.encode("utf-8")
        assert len(metadata.title) <= 300
        assert len(metadata.docker_image) <= 255


@given(mutated(MODULES), VALUES)
@settings(max_examples=200, deadline=None)
def test_a_list_of_modules_is_read_or_a_problem(text: str, data: Any) -> None:
    for written in (text, json.dumps(data)):
        try:
            listed = parse_modules(written)
        except Problem:
            continue
        assert all(module.slug and module.url.startswith("http") for module in listed.modules)


@given(mutated("node_types: {a: {derived_from: tosca.nodes.Root}}\nimports: [b, {c: d}]\n"))
@settings(max_examples=200, deadline=None)
def test_types_are_loaded_or_refused(text: str) -> None:
    try:
        types = load_types(text)
    except Refused:
        return
    import_urls(types)


@given(st.lists(MARKUP, max_size=60).map("".join))
@settings(max_examples=500, deadline=None)
def test_any_description_is_rendered_without_anything_that_acts(text: str) -> None:
    html = render(text)
    assert "<img" not in html
    assert 'href="javascript' not in html
