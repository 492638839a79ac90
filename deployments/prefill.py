"""What a form may begin with besides the template's defaults: an earlier deployment, a preset, a link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from catalog.tosca.description import Input, as_words
from deployments.forms.fields import InputField
from deployments.forms.labels import label_for
from deployments.forms.posted import LINK_CHARS, as_posted, with_plain_breaks
from deployments.forms.tosca import OPTIONS, PREFIX, ToscaForm
from deployments.forms.units import split_scalar
from deployments.forms.widgets import NumberWithUnit
from deployments.models import TITLE_CHARS, Deployment
from deployments.presets.models import Preset

LINK_VALUES = 100
SHOWN_CHARS = 60


@dataclass(frozen=True)
class Prefill:
    """Values to begin with. ``secrets`` are names of inputs that were sent too, but are not known here."""

    choices: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    sla_id: str = ""
    storage: str = ""
    secrets: Sequence[str] = ()


def prefill_of(deployment: Deployment) -> Prefill:
    """All that a deployment was made with, except its secrets."""
    choice, inputs = deployment.provider_choice, dict(deployment.inputs)
    if inputs.get("deployment_description") == deployment.title:
        del inputs["deployment_description"]  # nobody typed it: it follows the title
    return Prefill(
        choices={name: value for name, value in deployment.choices.items() if isinstance(value, str)},
        inputs=inputs,
        title=deployment.title,
        options=deployment.options,
        sla_id=str(choice.get("sla_id", "")) if choice.get("mode") == "manual" else "",
        storage=deployment.storage,
        secrets=deployment.secret_inputs,
    )


def prefill_of_preset(preset: Preset) -> Prefill:
    return Prefill(
        choices=preset.choices,
        inputs=preset.inputs,
        title=preset.title,
        options=preset.options,
        sla_id=preset.sla_id,
        storage=preset.storage,
    )


def form_fill(form: ToscaForm, prefill: Prefill) -> list[str]:
    """Begin an unbound form with these values; returns a sentence for each one that it can't take.

    Templates change: a value that is no longer allowed gives way to the default, and is told.
    """
    notes = []
    for virtual in form.asked:
        if virtual.virtual and prefill.inputs:
            _choose_set(form, virtual, prefill.inputs)
    for name, value in prefill.inputs.items():
        item = form.description.input(name)
        if item is None:
            text = _("%(name)s is no longer asked for; it was “%(value)s”.")
            notes.append(text % {"name": name, "value": _short(value)})
        elif item.secret or PREFIX + name not in form.fields:
            continue  # typed again, or filled in by the storage account
        elif problem := _begin(form, item, value):
            text = _("%(label)s was “%(value)s”, which can’t be used now: %(problem)s")
            notes.append(text % {"label": label_for(item), "value": _short(value), "problem": problem})
    values = {"title": prefill.title, "provider": prefill.sla_id, **prefill.options}
    for name in ("title", *OPTIONS):
        if name in form.fields and values.get(name):
            form.fields[name].initial = values[name]
    return notes


def secrets_to_type(form: ToscaForm, prefill: Prefill) -> list[str]:
    """Labels of the secrets that were sent then and have to be typed again."""
    names = set(prefill.secrets)
    return [str(form[PREFIX + item.name].label) for item in form.asked if item.name in names]


def form_fill_from_link(form: ToscaForm, query: QueryDict) -> tuple[list[str], list[str]]:
    """Begin an unbound form with the ``in-<input>`` values of an address.

    Anybody may have made the link: values are checked like typed ones, secrets and what the form does not show are
    never taken. Returns the labels of what was filled in, and a sentence for each value that was not.
    """
    given = {name: values for name, values in with_plain_breaks(query).lists() if name.startswith(PREFIX)}
    size = sum(len(name) + sum(map(len, values)) for name, values in given.items())
    if size > LINK_CHARS or len(given) > LINK_VALUES:
        return [], [_("This link carries more than a form takes from a link, so none of its values is used.")]
    filled, notes, known = [], [], set()
    if title := query.get("title", "").strip()[:TITLE_CHARS]:
        form.fields["title"].initial = title
    for item in form.asked:
        # Not ``form[…]``, which would remember the initial value that it has now.
        bound = form.fields[PREFIX + item.name].get_bound_field(form, PREFIX + item.name)
        controls = {PREFIX + item.name, *as_posted(bound)}
        typed: MultiValueDict[str, str] = MultiValueDict({name: given[name] for name in controls if name in given})
        known |= controls
        if not typed:
            continue
        if item.secret:
            notes.append(_("%(label)s is a secret: it is never taken from a link.") % {"label": bound.label})
        elif bound.field.widget.is_hidden:
            notes.append(_("%(name)s is not shown in this form: it is not taken from a link.") % {"name": item.name})
        else:
            try:
                value = _read(bound.field, typed, bound.html_name)
            except ValidationError as error:
                facts = {"label": bound.label, "problem": " ".join(error.messages)}
                notes.append(_("%(label)s of the link can’t be used: %(problem)s") % facts)
                continue
            form.fields[PREFIX + item.name].initial = value
            filled.append(str(bound.label))
    foreign = _("The link gives “%(name)s”, which this form does not ask for.")
    notes += [foreign % {"name": _short(name)} for name in given.keys() - known]
    return filled, notes


def _choose_set(form: ToscaForm, item: Input, inputs: Mapping[str, Any]) -> None:
    """Choose what sets just these values; nothing, so that they count as they are, when no choice does."""
    fits = (all(inputs.get(name) == value for name, value in option.sets.items()) for option in item.options)
    chosen = next((option.value for option, fit in zip(item.options, fits, strict=True) if fit and option.sets), None)
    form.fields[PREFIX + item.name].initial = chosen


def _begin(form: ToscaForm, item: Input, value: Any) -> str:
    """Make a value the initial one of a field; when it could not be typed there it is not, and why is returned."""
    name = PREFIX + item.name
    field = form.fields[name]
    before, field.initial = field.initial, value
    posted = MultiValueDict(as_posted(field.get_bound_field(form, name)))
    try:
        _read(field, posted, name)
    except ValidationError as error:
        field.initial = before
        return " ".join(error.messages)
    return ""


def _read(field: forms.Field, posted: "MultiValueDict[str, str]", name: str) -> Any:
    """The value that a field reads from what a browser would send. Raises ValidationError."""
    widget = field.widget
    if isinstance(widget, NumberWithUnit) and name in posted and (parts := split_scalar_of(field, str(posted[name]))):
        posted = MultiValueDict({f"{name}_{place}": [part] for place, part in enumerate(parts)})
    return field.clean(widget.value_from_datadict(posted, MultiValueDict(), name))


def split_scalar_of(field: forms.Field, text: str) -> tuple[str, str] | None:
    """ "8 GB", as people write it into links, as its two controls."""
    type = field.item.type if isinstance(field, InputField) else ""
    return split_scalar(text, type if type.startswith("scalar-unit.") else "scalar-unit.size")


def _short(value: Any) -> str:
    text = as_words(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"
