"""Fields for the widgets that a parameters file asks for, where the input's type alone would ask otherwise.

What other dashboards fill in from services that this one lacks has become a plain text or secret before it comes here.
"""

import re
import secrets
import string
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from catalog.tosca.description import Input, Option, as_words
from deployments.forms import values
from deployments.forms.fields import (
    OMITTED,
    InputField,
    Typed,
    YesNo,
    as_written,
    by_type,
    hidden_default,
    rules_of,
    yes_and_no,
)
from deployments.forms.ports import lines_from_ports, ports_from_lines
from deployments.forms.widgets import Checks, Secret, Toggle

PASSWORD_CHARS = 20
# RFC 1123, section 2.1: letters, digits and dashes, at most 63 between two dots.
_HOSTNAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.I)
_OPPOSITES = {"true": "false", "on": "off", "yes": "no", "enabled": "disabled", "1": "0"}


class Generated(InputField):
    """A value made when nothing is typed. ``make`` is set by the form; without one the field stays empty."""

    make: Callable[[], Any] | None = None

    def __init__(self, item: Input, **options: Any) -> None:
        super().__init__(item, **options)
        self.required = False

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        return self.make() if cleaned is OMITTED and self.make else cleaned


class Computed(Generated):
    """A value nobody types: what comes from the browser is not looked at."""

    def clean(self, value: Any) -> Any:
        return super().clean(None)


def new_password() -> str:
    """A password of PASSWORD_CHARS letters and digits that are not mistaken for each other."""
    alphabet = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lIi")))
    return "".join(secrets.choice(alphabet) for _place in range(PASSWORD_CHARS))


def field_by_widget(item: Input) -> InputField | None:
    """The field for the input's widget, None when its type and name are enough to know."""
    make = _BY_WIDGET.get(item.widget)
    return make(item) if make else None


def is_offered(option: Option, parent: Any) -> bool:
    """Whether an option goes with the value of the input that it depends on."""
    return option.parent_value is None or as_words(option.parent_value) == as_words(parent)


def _email(item: Input) -> InputField:
    def read(text: str) -> str:
        validate_email(text.strip())
        return text.strip()

    return _line(item, forms.EmailInput, read)


def _hostname(item: Input) -> InputField:
    def read(text: str) -> str:
        if not _HOSTNAME.fullmatch(text.strip()):
            raise ValidationError(_("Write a host name: letters, digits, dashes and dots, such as field-data."))
        return text.strip()

    return _line(item, forms.TextInput, read)


def _line(item: Input, widget: type[forms.TextInput | forms.EmailInput], read: Callable[[str], Any]) -> InputField:
    attrs = {"placeholder": item.placeholder} if item.placeholder else {}
    empty: Any = "" if isinstance(item.default, str) else OMITTED
    return InputField(item, widget=widget(attrs), read=read, empty=empty, hint=rules_of(item))


def _number(type: str) -> Callable[[Input], InputField]:
    """A number that a template takes as text: checked as a number, sent as the text."""

    def field(item: Input) -> InputField:
        def read(text: str) -> Any:
            values.scalar(text.strip(), type)
            return as_written(item)(text.strip())

        widget = forms.NumberInput({"step": "1" if type == "integer" else "any"})
        return InputField(item, widget=widget, read=read, hint=rules_of(item))

    return field


def _toggle(item: Input) -> InputField:
    """On and off of an input that is no boolean, in its own words ("On" and "Off")."""
    if item.type == "boolean" or len(item.choices) > 2:
        return by_type(item)
    on, off, said = _on_and_off(item)
    return YesNo(item, widget=Toggle({"said": said}), read=bool, on=on, off=off)


def _on_and_off(item: Input) -> tuple[Any, Any, str]:
    by_text = {as_words(option.value): option.value for option in item.choices}
    pair = yes_and_no(by_text)
    if pair:
        return (*pair, _("Yes"))
    if len(item.choices) == 2:
        first, second = item.choices
        return first.value, second.value, first.label
    if item.choices:
        option = item.choices[0]
        return option.value, _opposite(item, option.value), option.label
    default = as_words(item.default)
    for on, off in _OPPOSITES.items():
        if default.casefold() in {on, off}:
            return _cased(on, default), _cased(off, default), _("Yes")
    return "true", "false", _("Yes")


def _opposite(item: Input, on: Any) -> Any:
    """What off is sent as when a file names only what on is."""
    if item.has_default and as_words(item.default) != as_words(on):
        return item.default
    text = as_words(on)
    return _cased(_OPPOSITES[text.casefold()], text) if text.casefold() in _OPPOSITES else OMITTED


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word


def _multiselect(item: Input) -> InputField:
    """Several of the choices: sent as a list, or to a text as what a comma joins."""
    if not item.choices:
        return by_type(item)
    by_text = {as_words(option.value): option.value for option in item.choices}
    as_list = item.type == "list"

    def read(texts: Any) -> Any:
        chosen = [texts] if isinstance(texts, str) else list(texts)
        if unknown := [text for text in chosen if text not in by_text]:
            raise ValidationError(
                _("“%(choice)s” can’t be chosen; choose from the list.") % {"choice": unknown[0][:40]}
            )
        return [by_text[text] for text in chosen] if as_list else ",".join(chosen)

    def show(value: Any) -> list[str]:
        parts = value if isinstance(value, list) else as_words(value).split(",")
        return [as_words(part).strip() for part in parts if part != ""]

    empty: Any = OMITTED if not item.has_default else [] if as_list else ""
    widget = Checks(choices=[(as_words(option.value), option.label) for option in item.choices])
    field = InputField(item, widget=widget, read=read, show=show, empty=empty)
    field.required = field.required and not item.has_default  # none of them is a choice too
    return field


def _dependent(item: Input) -> InputField:
    """Choices in groups, one for each value of the input they depend on; the form checks that the two fit."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for option in item.choices:
        parent = option.parent_value
        heading = "" if parent is None else _("For %(value)s") % {"value": as_words(parent)}
        groups.setdefault(heading, []).append((as_words(option.value), option.label))
    shown: list[Any] = [pair for heading, pairs in groups.items() if not heading for pair in pairs]
    shown += [(heading, pairs) for heading, pairs in groups.items() if heading]
    return _select(item, shown) if item.choices else by_type(item)


def _combined(item: Input) -> InputField:
    """One choice that sets other inputs; without one, those count as the template has them."""
    shown = [("", _("As the template says")), *((as_words(option.value), option.label) for option in item.choices)]
    return _select(item, shown)


def _select(item: Input, shown: Sequence[Any]) -> InputField:
    by_text = {as_words(option.value): option.value for option in item.choices}

    def read(text: str) -> Any:
        if text not in by_text:
            raise ValidationError(_("“%(choice)s” can’t be chosen; choose one from the list.") % {"choice": text[:40]})
        return by_text[text]

    settled = item.has_default or (shown and shown[0][0] == "")
    first = [] if settled else [("", _("Choose…") if item.required else _("None"))]
    return InputField(item, widget=forms.Select(choices=[*first, *shown]), read=read)


def _ports(item: Input) -> InputField:
    """Lines of ports; YAML when the default says more about them than a line can."""
    named = item.type == "map"
    if (not named and item.type != "list") or (item.default and lines_from_ports(item.default) is None):
        return by_type(item)

    def show(value: Any) -> Any:
        return value if isinstance(value, Typed) else lines_from_ports(value) or ""

    examples = (
        {"one": "ssh: 22/tcp", "other": "web: 8000-8080/tcp"} if named else {"one": "22/tcp", "other": "8000-8080/tcp"}
    )
    hint = _("One per line, such as %(one)s or %(other)s.") % examples
    return InputField(
        item,
        widget=forms.Textarea({"rows": 3, "class": "mono", "wide": " full"}),
        read=lambda text: ports_from_lines(text, named=named),
        show=show,
        hint=hint,
    )


def _random_password(item: Input) -> InputField:
    widget = Secret({"wide": " full"}, generate=True)
    hint = _("Left empty, one is generated; it is not shown to you.")
    field = Generated(item, widget=widget, read=str, show=hidden_default, hint=f"{rules_of(item)} {hint}".strip())
    field.optional_mark = True
    return field


def _uuid(item: Input) -> InputField:
    return Computed(item, widget=forms.HiddenInput(), read=str)


def _userinfo(item: Input) -> InputField:
    """What IAM says of the user: the identifier is taken from there, anything else is a suggestion."""
    if item.attribute in {"", "sub"}:
        return Computed(item, widget=forms.HiddenInput(), read=str)
    return Generated(item, widget=forms.TextInput(), read=as_written(item), hint=rules_of(item))


_BY_WIDGET: dict[str, Callable[[Input], InputField]] = {
    "combined": _combined,
    "dependent_select": _dependent,
    "email": _email,
    "float": _number("float"),
    "hostname": _hostname,
    "integer": _number("integer"),
    "multiselect": _multiselect,
    "ports": _ports,
    "random_password": _random_password,
    "toggle": _toggle,
    "userinfo": _userinfo,
    "uuidgen": _uuid,
}
