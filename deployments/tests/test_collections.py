"""Each template of whole collections yields a form that, sent as it comes, sends the template's own defaults.

The collections are the sandbox's sample and what DEEPDASH_REALDATA names.
"""

from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict

from catalog.tests.test_collections import NO_TEMPLATES, PATHS, text_of
from catalog.tosca.description import Input
from catalog.tosca.overrides import SUFFIXES as OVERRIDES
from catalog.tosca.parameters import SUFFIXES, template_base
from catalog.tosca.reading import read_template
from deployments.forms import ToscaForm

FORMS = [
    pytest.param(folder, path, id=f"{folder.name}/{path}")
    for folder, path in PATHS
    if Path(path).name not in NO_TEMPLATES
]


def parameters_beside(folder: Path, path: str) -> str:
    top = folder / "tosca-templates" / Path(path).parts[0]
    named = [file for file in sorted(top.rglob("*.y*ml")) if file.name.endswith(SUFFIXES)]
    return next(
        (
            file.read_text(encoding="utf-8")
            for file in named
            if template_base(file.name) == template_base(Path(path).name)
        ),
        "",
    )


def sent(form: ToscaForm) -> QueryDict:
    data = QueryDict(mutable=True)
    for controls in form.posted().values():
        for name, values in controls.items():
            data.setlist(name, values)
    return data


def fits_its_own_rules(item: Input) -> bool:
    """Some published defaults break their own template's constraints; those the form reports."""
    choices = [option.value for option in item.choices]
    made_here = item.widget in {"uuidgen", "userinfo"}  # a default would be the same for everybody
    return item.has_default and not item.secret and not made_here and (not choices or item.default in choices)


@pytest.mark.parametrize(("folder", "path"), FORMS)
def test_a_form_sends_what_it_was_made_from(folder: Path, path: str) -> None:
    assert not path.endswith(OVERRIDES)
    reading = read_template(text_of(folder, path), parameters=parameters_beside(folder, path))
    options: dict[str, Any] = {"description": reading.description, "values": {}}
    fresh = ToscaForm(None, **options)
    form = ToscaForm(sent(fresh), **options)
    form.is_valid()
    names = [name.removeprefix("in-") for name in form.fields if name.startswith("in-")]
    assert names == [item.name for item in reading.description.inputs]
    shown = [bound.name for section in form.sections() for bound in section.fields]
    hidden = [bound.name for bound in form.hidden_inputs()]
    assert sorted(name for name in shown + hidden if name.startswith("in-")) == sorted(f"in-{name}" for name in names)
    refused = {name.removeprefix("in-") for name in form.errors}
    for item in reading.description.inputs:
        if fits_its_own_rules(item) and not item.virtual:
            assert item.name not in refused, form.errors[f"in-{item.name}"]
    unfilled = {item.name for item in reading.description.inputs if item.required and not item.has_default}
    if refused <= unfilled and not refused:
        parameters = form.parameters()
        for item in reading.description.inputs:
            if fits_its_own_rules(item) and item.name in parameters and not item.virtual and not item.set_by:
                assert parameters[item.name] == item.default
                assert type(parameters[item.name]) is type(item.default)
        assert set(parameters) <= {item.name for item in reading.description.inputs if not item.virtual}
