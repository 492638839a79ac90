"""The form of a training or prediction, made from the module's own description and checked before anything is sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from deepdash.config import config
from deepdash.templatetags.ui import filesize
from deepdash.uploads import Dropped
from deployments.clients.upload import Part, Upload
from deployments.forms.fields import OMITTED, sentences
from deployments.forms.widgets import Secret, Segments, Toggle
from deployments.trainings.argument_rules import MAX_CHARS, plain, range_of, reader_of
from deployments.trainings.description import Argument
from deployments.trainings.services import Call

PREFIX = "a-"
FIRST = 6  # so many arguments are shown at once; the others are folded as long as they stand at their defaults
MAX_ENTRIES = 500


class ArgumentField(forms.Field):
    """A field whose ``clean`` gives the value to send (for lists a list), or OMITTED."""

    optional_mark = False

    def __init__(self, argument: Argument, *, widget: forms.Widget, read: Callable[[str], Any], hint: str = "") -> None:
        self.argument, self.read = argument, read
        super().__init__(
            required=argument.required and not argument.has_default,
            label=argument.name,
            help_text=sentences(argument.help, hint),
            widget=widget,
            error_messages={"required": _("This is needed.")},
        )
        self.optional_mark = not self.required and not argument.has_default

    def clean(self, value: Any) -> Any:
        if self.argument.many and not isinstance(value, list):
            value = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        if value in (None, "", []):
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            # An emptied text whose default is a text means just that; everything else falls back to its default.
            emptied = value == "" and self.argument.default and isinstance(self.argument.default, str)
            return "" if emptied and self.argument.kind == "string" and not self.argument.choices else OMITTED
        if not self.argument.many:
            return self.read(str(value).replace("\r\n", "\n"))  # browsers send each line break so
        if len(value) > MAX_ENTRIES:
            message = _("Use at most %(most)s entries; these are %(number)s.")
            raise ValidationError(message % {"most": MAX_ENTRIES, "number": len(value)})
        return [self._entry(place, text) for place, text in enumerate(value, start=1)]

    def _entry(self, place: int, text: str) -> Any:
        try:
            return self.read(text)
        except ValidationError as error:
            why = " ".join(error.messages)
            raise ValidationError(_("Entry %(number)s: %(why)s") % {"number": place, "why": why}) from None


class YesNoField(ArgumentField):
    """Off is a value too, never an empty field."""

    def clean(self, value: Any) -> Any:
        return value if isinstance(value, bool) else self.read(str(value))


class UploadField(forms.FileField):
    """A file that goes to the module and is not kept here."""

    optional_mark = False

    def __init__(self, argument: Argument, hint: str) -> None:
        self.argument = argument
        limit = config.UPLOAD_MEGABYTES * 1_000_000
        help_text = sentences(argument.help, hint, _("At most %(most)s.") % {"most": filesize(limit)})
        super().__init__(
            required=argument.required, label=argument.name, help_text=help_text,
            widget=forms.FileInput({"wide": " full"}), error_messages={"required": _("Choose a file.")},
        )  # fmt: skip
        self.limit, self.optional_mark = limit, not argument.required
        self.dropped: Dropped | None = None

    def clean(self, data: Any, initial: Any = None) -> Any:
        if self.dropped == Dropped.NO_ROOM:
            raise ValidationError(_("There is no room for this file here right now. Try again later, or tell support."))
        if self.dropped or (data and data.size > self.limit):
            message = _("This file is too large: at most %(most)s can be sent.")
            raise ValidationError(message % {"most": filesize(self.limit)})
        return super().clean(data, initial) or OMITTED


class ArgumentsForm(forms.Form):
    """The arguments of one operation of one model.

    ``values`` are what the fields start with, by argument; ``dropped`` names the fields whose file was not taken.
    """

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        arguments: Sequence[Argument],
        values: Mapping[str, Any] | None = None,
        file_hint: str = "",
        dropped: Mapping[str, Dropped] | None = None,
    ) -> None:
        super().__init__(data, files)
        self.arguments = list(arguments)
        self.values = {name: value for name, value in (values or {}).items() if value is not None}
        for argument in self.arguments:
            field = UploadField(argument, file_hint) if argument.kind == "file" else field_for(argument)
            name = PREFIX + argument.name
            self.fields[name] = field
            if isinstance(field, UploadField):
                field.dropped = (dropped or {}).get(name)
            if argument.kind != "file" and not argument.secret:
                value = self.values.get(argument.name, argument.default)
                self.initial[name] = as_typed(argument, value)
                if argument.name in self.values and argument.has_default and value != argument.default:
                    usual = _("Its default is %(value)s.") % {"value": _named(argument)}
                    field.help_text = sentences(str(field.help_text), usual)

    @property
    def first(self) -> list[forms.BoundField]:
        """Those always shown: needed ones, changed ones, and as many others as make a handful."""
        needed = {name for name in self.fields if self._is_needed(name)}
        room = max(0, FIRST - len(needed))
        others = [name for name in self.fields if name not in needed][:room]
        return [self[name] for name in self.fields if name in needed or name in others]

    @property
    def rest(self) -> list[forms.BoundField]:
        shown = {bound.name for bound in self.first}
        return [self[name] for name in self.fields if name not in shown]

    @property
    def has_files(self) -> bool:
        return any(argument.kind == "file" for argument in self.arguments)

    def call(self) -> Call:
        """What to send; to be asked of a valid form."""
        params: list[tuple[str, str]] = []
        shown: list[tuple[str, str]] = []
        headers: dict[str, str] = {}
        parts: list[Part] = []
        kept: dict[str, Any] = {}
        for argument in self.arguments:
            value = self.cleaned_data.get(PREFIX + argument.name, OMITTED)
            if value is OMITTED:
                continue
            if isinstance(value, UploadedFile):
                kind = value.content_type or "application/octet-stream"
                parts.append(Part(argument.name, value.name or "file", kind, value, value.size or 0))
                continue
            if argument.kind == "object" and value == argument.default:
                continue  # it can't be told as it is meant in an address, so at its default it is left to the module
            if not argument.secret:
                kept[argument.name] = value
            pairs = [(argument.name, as_sent(one)) for one in (value if argument.many else [value])]
            if argument.place == "header":
                headers[argument.name] = pairs[0][1]
            else:
                params += pairs
                shown += [] if argument.secret else pairs
        return Call(params, headers, Upload(parts) if parts else None, shown, kept)

    def refuse(self, problems: Mapping[str, str]) -> None:
        """Put the module's own words beside the fields they are about, or above the form."""
        for name, text in problems.items():
            known = PREFIX + name in self.fields
            self.add_error(PREFIX + name if known else None, text if known or not name else f"{name}: {text}")

    def error_links(self) -> list[tuple[str, str, str]]:
        """(id of the control, label, message) for the summary above the form."""
        found = []
        for name, errors in self.errors.items():
            text = " ".join(map(str, errors))
            bound = self[name] if name in self.fields else None
            found.append((bound.id_for_label if bound else "train", str(bound.label) if bound else _("Form"), text))
        return found

    def _is_needed(self, name: str) -> bool:
        field = self.fields[name]
        argument: Argument = field.argument  # type: ignore[attr-defined]  # all fields here have one
        changed = argument.name in self.values and self.values[argument.name] != argument.default
        return field.required or changed or (self.is_bound and name in self.errors)


def field_for(argument: Argument) -> ArgumentField:
    """The form field of an argument that is no file."""
    if argument.kind == "boolean" and not argument.many:
        return YesNoField(
            argument, widget=Toggle({"said": _("Yes")}), read=lambda text: text.lower() in {"true", "on", "1"}
        )
    read = reader_of(argument)
    if argument.many:
        return _list_field(argument, read)
    if argument.choices:
        return _choice_field(argument, read)
    if argument.secret:
        hint = _("Not kept here. Left empty, the module’s default is used.")
        return ArgumentField(argument, widget=Secret({"wide": " full"}, generate=False), read=read, hint=hint)
    if argument.kind in {"integer", "number"}:
        whole = argument.kind == "integer"
        attrs = {"step": "1" if whole else "any", "inputmode": "numeric" if whole else "decimal"}
        attrs |= {key: plain(end) for key, end in (("min", argument.minimum), ("max", argument.maximum))
                  if end is not None}  # fmt: skip
        return ArgumentField(argument, widget=forms.NumberInput(attrs), read=read, hint=range_of(argument))
    if argument.kind == "object":
        widget: forms.Widget = forms.Textarea({"rows": 3, "class": "mono", "wide": " full", "spellcheck": "false"})
        return ArgumentField(argument, widget=widget, read=read, hint=_("Written in JSON."))
    return ArgumentField(argument, widget=_text_widget(argument), read=read)


def as_typed(argument: Argument, value: Any) -> Any:
    """A value as its field shows it."""
    if argument.many:
        entries = value if isinstance(value, list) else []
        return [as_sent(entry) for entry in entries] if argument.choices else "\n".join(map(as_sent, entries))
    if argument.kind == "boolean":
        return value is True or str(value).lower() == "true"
    return "" if value is None else as_sent(value)


def as_sent(value: Any) -> str:
    """A value as it is written in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text_widget(argument: Argument) -> forms.Widget:
    if argument.format == "date":
        return forms.DateInput({"type": "date"})
    if isinstance(argument.default, str) and "\n" in argument.default:
        return forms.Textarea({"rows": 4, "wide": " full"})
    kind = {"url": forms.URLInput, "email": forms.EmailInput}.get(argument.format, forms.TextInput)
    return kind({"class": "mono", "spellcheck": "false", "maxlength": str(argument.max_length or MAX_CHARS)})


def _list_field(argument: Argument, read: Callable[[str], Any]) -> ArgumentField:
    if argument.choices:
        options = [(as_sent(value), as_sent(value)) for value in argument.choices]
        return ArgumentField(argument, widget=forms.CheckboxSelectMultiple(choices=options), read=read)
    widget = forms.Textarea({"rows": 3, "class": "mono", "wide": " full", "spellcheck": "false"})
    hints = [_("One per line."), range_of(argument), _("Left empty, its default counts.") if argument.default else ""]
    return ArgumentField(argument, widget=widget, read=read, hint=" ".join(filter(None, hints)))


def _choice_field(argument: Argument, read: Callable[[str], Any]) -> ArgumentField:
    values = list(argument.choices)
    if argument.default is not None and argument.default not in values:
        values.insert(0, argument.default)
    options = [(as_sent(value), as_sent(value)) for value in values]
    if argument.default is None:
        options.insert(0, ("", _("Choose…") if argument.required else _("The module’s default")))
    few = len(options) <= 3 and all(len(label) <= 12 for sent, label in options) and argument.default is not None
    return ArgumentField(argument, widget=(Segments if few else forms.Select)(choices=options), read=read)


def _named(argument: Argument) -> str:
    if argument.kind == "boolean":
        return _("yes") if argument.default else _("no")
    if argument.default in (None, "", []):
        return _("empty")
    text = as_sent(argument.default)
    return text if len(text) <= 60 else f"{text[:57]}…"
