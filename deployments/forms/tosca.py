"""The form of one template under one set of choices: its inputs, and what every deployment may say besides."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.tosca.description import Input, TemplateDescription, as_words
from deployments.choices import IMAGES
from deployments.forms.by_widget import Generated, is_offered, new_password
from deployments.forms.fields import OMITTED, sentences
from deployments.forms.labels import label_for
from deployments.forms.make import field_for
from deployments.forms.posted import as_posted
from deployments.forms.sections import ADVANCED, GENERAL, ORDER, STORAGE, in_order, section_of
from deployments.forms.widgets import Toggle
from deployments.models import TITLE_CHARS
from deployments.storage.obscure import obscured_once

PREFIX = "in-"
_TITLE_HINT = gettext_lazy("How you find it in your list. Up to {limit} characters.")
_SLA = re.compile(r"[\w.:-]{1,128}")
SSH_KEY = "ssh_key"  # among the facts of the user, beside IAM's
_SSH_KEY_INPUT = re.compile(r"(?i)(^|_)(ssh_?(pub(lic)?_?)?|pub(lic)?_?)keys?($|_)")
OPTIONS = ("provider", "keep_last_attempt", "timeout_mins", "provider_timeout_mins", "max_providers_retry")


@dataclass(frozen=True)
class Storage:
    """Where storage may come from, as (key, label), and what the ``chosen`` one fills in: input → value or OMITTED."""

    offered: tuple[tuple[str, str], ...]
    chosen: str
    filled: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A heading and its fields. ``slug`` is for ids."""

    title: str
    slug: str
    fields: list[BoundField]


class ToscaForm(forms.Form):
    """What is asked for before a deployment is sent.

    ``data`` as posted, or None for a fresh form; ``values`` are what the choices give to inputs (they win over the
    template's defaults); ``image_is_typed`` when nobody but the user names the image; ``check=False`` shows posted
    data without judging them (a choice was changed, nothing was sent yet). ``updates``: it is for a deployment that
    exists, whose title and provider are settled and whose secrets stay when nothing is typed. ``storage``: where the
    template's inputs for storage come from; those it fills in are not asked for. ``obscured`` names the input whose
    value is sent as ``rclone obscure`` makes it, however it was typed. ``facts`` of the user by IAM's
    names, ``seed`` of what is made anew for each deployment but once for it, however often the form is sent.
    """

    title = forms.CharField(
        max_length=TITLE_CHARS, required=False, label=gettext_lazy("Title"),
        help_text=format_lazy(_TITLE_HINT, limit=TITLE_CHARS),
        widget=forms.TextInput({"wide": " full"}),
        error_messages={"max_length": gettext_lazy("Use at most %(limit_value)d characters; this has %(show_value)d.")},
    )  # fmt: skip
    provider = forms.RegexField(_SLA, required=False, label=gettext_lazy("Provider"), widget=forms.HiddenInput())
    keep_last_attempt = forms.BooleanField(
        required=False,
        label=gettext_lazy("After a failure"),
        widget=Toggle({"said": gettext_lazy("Keep what was created, to look into it")}),
    )
    timeout_mins = forms.IntegerField(
        min_value=1,
        max_value=14400,
        required=False,
        label=gettext_lazy("Give up after"),
        help_text=gettext_lazy("Minutes in all; empty: the orchestrator decides."),
    )
    provider_timeout_mins = forms.IntegerField(
        min_value=1,
        max_value=14400,
        required=False,
        label=gettext_lazy("Give up on a provider after"),
        help_text=gettext_lazy("Minutes for each one tried."),
    )
    max_providers_retry = forms.IntegerField(
        min_value=1,
        max_value=100,
        required=False,
        label=gettext_lazy("Providers to try"),
        help_text=gettext_lazy("At most this many; empty: all that fit."),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        description: TemplateDescription,
        values: Mapping[str, Any],
        password_needed: bool = False,
        image_is_typed: bool = False,
        advanced: bool = True,
        updates: bool = False,
        storage: Storage | None = None,
        obscured: str = "",
        facts: Mapping[str, str] | None = None,
        seed: uuid.UUID | None = None,
        check: bool = True,
    ) -> None:
        super().__init__(data)
        self.description, self.check, self.image_is_typed = description, check, image_is_typed
        self.obscured = obscured
        for name in _left_out(advanced=advanced, updates=updates):
            del self.fields[name]
        self.storage = storage
        if storage:
            self.fields["storage"] = _storage_field(storage)
        for item in self.asked:
            field = field_for(item, password_needed=password_needed)
            if item.name in values:
                field.initial = values[item.name]
            if item.name in IMAGES and image_is_typed:
                field.help_text = _("Image to run, with its tag, for instance namespace/name:latest.")
                field.required = True
            if updates and item.secret:
                field.required = field.optional_mark = False
                field.help_text = _("Left empty, it stays as it is.")
            if _SSH_KEY_INPUT.search(item.name) and not item.secret and not item.default and not updates:
                field.initial = (facts or {}).get(SSH_KEY) or field.initial
                field.help_text = sentences(field.help_text, _("Yours, if you saved one in your preferences."))
            if item.name == obscured:
                field.help_text = sentences(field.help_text, _("Type it as it is: it is sent as rclone wants it."))
            if isinstance(field, Generated) and not updates:
                field.make = _maker(item, facts or {}, seed or uuid.uuid4())
                if item.attribute and not item.has_default:
                    field.initial = (facts or {}).get(item.attribute)
            if item.enabled_by and (switch := description.input(item.enabled_by)):
                counts = _("Counts only with “%(switch)s”.") % {"switch": label_for(switch)}
                field.help_text = sentences(field.help_text, counts)
            self.fields[PREFIX + item.name] = field

    @property
    def asked(self) -> list[Input]:
        """The inputs that have a field: all but those that the storage fills in."""
        filled = self.storage.filled if self.storage else {}
        return [item for item in self.description.inputs if item.name not in filled]

    @property
    def storage_choice(self) -> str:
        return self.storage.chosen if self.storage else ""

    @property
    def errors(self) -> ErrorDict:
        """As Django's; none while nothing is to be judged."""
        return super().errors if self.check else ErrorDict()

    def clean_storage(self) -> str:
        if not self.cleaned_data["storage"]:
            raise ValidationError(_("Choose where its files go."))
        return str(self.cleaned_data["storage"])

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        overall, each = cleaned.get("timeout_mins"), cleaned.get("provider_timeout_mins")
        if overall and each and each > overall:
            text = _("Must not be longer than the %(overall)s minutes for all; this is %(each)s.")
            self.add_error("provider_timeout_mins", text % {"overall": overall, "each": each})
        for item in self.asked:
            self._check_parent(item)
        for name, value in self.chosen_sets().items():
            field = self.fields.get(PREFIX + name)
            # What the user typed beside the choice wins over it; what can't be typed does not.
            if field and (field.widget.is_hidden or cleaned.get(PREFIX + name, OMITTED) in (field.initial, OMITTED)):
                cleaned[PREFIX + name] = value
        return cleaned

    def chosen_sets(self) -> dict[str, Any]:
        """Input → value, as the choices that set several inputs have it now."""
        found: dict[str, Any] = {}
        for item in self.asked:
            if any(option.sets for option in item.options):
                shown = as_words(self[PREFIX + item.name].value())
                found |= next((option.sets for option in item.options if as_words(option.value) == shown), {})
        return found

    def _check_parent(self, item: Input) -> None:
        """Refuse a choice that does not go with the value of the input that it depends on."""
        chosen, parent = self.cleaned_data.get(PREFIX + item.name, OMITTED), self.description.input(item.depends_on)
        if parent is None or chosen is OMITTED or PREFIX + parent.name not in self.cleaned_data:
            return
        value = self.cleaned_data[PREFIX + parent.name]
        value = parent.default if value is OMITTED else value
        same = [option for option in item.options if as_words(option.value) == as_words(chosen)]
        if same and not any(is_offered(option, value) for option in same):
            text = _("“%(choice)s” does not go with %(parent)s “%(value)s”; choose another.")
            facts = {"choice": same[0].label, "parent": label_for(parent), "value": as_words(value)}
            self.add_error(PREFIX + item.name, text % facts)

    def sections(self) -> list[Section]:
        """The visible fields under their headings, in the order of the page."""
        grouped: dict[str, list[BoundField]] = {GENERAL: [self["title"]]} if "title" in self.fields else {}
        if self.storage:
            grouped[STORAGE] = [self["storage"]]
        for item in self.asked:
            if not self.fields[PREFIX + item.name].widget.is_hidden:
                heading = section_of(item, image_is_typed=self.image_is_typed)
                grouped.setdefault(heading, []).append(self[PREFIX + item.name])
        if "timeout_mins" in self.fields:
            grouped.setdefault(ADVANCED, []).extend(self[name] for name in OPTIONS if name != "provider")
        titles = in_order(list(grouped), self.description)
        return [
            Section(_(title) if title in ORDER else title, re.sub(r"\W+", "-", title.lower()), grouped[title])
            for title in titles
        ]

    def hidden_inputs(self) -> list[BoundField]:
        return [self[PREFIX + item.name] for item in self.asked if self.fields[PREFIX + item.name].widget.is_hidden]

    def parameters(self) -> dict[str, Any]:
        """What is sent as inputs, in their YAML types; fields left empty are not sent. Needs a valid form.

        The title also serves as the template's own ``deployment_description`` when that was left empty, so that
        other tools show it too.
        """
        given = {
            item.name: self.cleaned_data[PREFIX + item.name]
            for item in self.asked
            if not item.virtual and self.cleaned_data[PREFIX + item.name] is not OMITTED
        }
        found = dict(given)
        for item in self.description.inputs:
            for option in item.options:
                if item.name in given and option.value == given[item.name]:
                    found |= option.sets
        if "deployment_description" in found and not found["deployment_description"]:
            found["deployment_description"] = self.cleaned_data.get("title", "")
        if found.get(self.obscured):
            found[self.obscured] = obscured_once(str(found[self.obscured]))
        if self.storage:
            found |= {name: value for name, value in self.storage.filled.items() if value is not OMITTED}
        return found

    def defaults(self) -> dict[str, Any]:
        """What the template takes for inputs that are not sent."""
        return {item.name: item.default for item in self.description.inputs if item.has_default}

    def secret_names(self) -> list[str]:
        """Inputs whose values are not kept."""
        return [item.name for item in self.description.inputs if item.secret]

    def options(self) -> dict[str, Any]:
        """Flags and time limits, only those that were set."""
        return {name: self.cleaned_data[name] for name in OPTIONS[1:] if self.cleaned_data.get(name)}

    def option_names(self) -> list[str]:
        """The flags and time limits that this form has."""
        return [name for name in OPTIONS[1:] if name in self.fields]

    def readable(self) -> tuple[dict[str, Any], list[str]]:
        """The values of the inputs as they are now, judged or not; secrets are left out.

        Returns what is valid, in its YAML type, and the labels of what is not.
        """
        values, invalid = {}, []
        for item in self.asked:
            if not item.secret:
                try:
                    values[item.name] = self._read(PREFIX + item.name)
                except ValidationError:
                    invalid.append(str(self.fields[PREFIX + item.name].label))
        return values, invalid

    def readable_option(self, name: str) -> Any:
        """The value of a field that is no input, None when it is missing or not valid."""
        try:
            return self._read(name) if name in self.fields else None
        except ValidationError:
            return None

    def _read(self, name: str) -> Any:
        field = self.fields[name]
        if not self.is_bound:
            return field.initial
        return field.clean(field.widget.value_from_datadict(self.data, self.files, name))

    def posted(self) -> dict[str, dict[str, list[str]]]:
        """For each input, how its initial value would come back from a browser: control name → values."""
        return {item.name: as_posted(self[PREFIX + item.name]) for item in self.asked}

    def current(self) -> dict[str, dict[str, list[str]]]:
        """As ``posted``, of what the form shows now."""
        if not isinstance(self.data, QueryDict):
            return self.posted()
        data = self.data
        return {
            name: {control: list(map(str, data.getlist(control))) for control in controls if control in data}
            for name, controls in self.controls().items()
        }

    def controls(self) -> dict[str, set[str]]:
        """The names of the controls of each input, also of those that send nothing now: a box without its tick."""
        return {item.name: {*as_posted(self[PREFIX + item.name]), PREFIX + item.name} for item in self.asked}


def _maker(item: Input, facts: Mapping[str, str], seed: uuid.UUID) -> Callable[[], Any]:
    """What makes the value of an input when nobody types one."""
    if item.widget == "uuidgen":
        return lambda: f"{item.prefix}{uuid.uuid5(seed, item.name)}{item.suffix}"
    if item.widget == "userinfo":
        return lambda: facts.get(item.attribute or "sub") or OMITTED
    return new_password


def _storage_field(storage: Storage) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=storage.offered,
        initial=storage.chosen,
        label=_("Storage account"),
        widget=forms.Select({"wide": " full"}),
        required=False,  # in the sense of the asterisk: something is always chosen
        error_messages={"invalid_choice": _("This storage account is gone; choose another.")},
    )


def _left_out(*, advanced: bool, updates: bool) -> list[str]:
    """The fields that such a form lacks."""
    if not advanced:
        return [*OPTIONS, *(["title"] if updates else [])]
    return ["title", "provider"] if updates else []
