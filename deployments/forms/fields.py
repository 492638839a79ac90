"""One form field per input of a template, by its type (TOSCA Simple Profile in YAML 1.3, section 3.3)."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from catalog.tosca.description import EntrySchema, Input, as_words
from deployments.forms import values
from deployments.forms.labels import label_for
from deployments.forms.rules import in_words, validators_for
from deployments.forms.units import OFFERED, UNITS, split_scalar
from deployments.forms.widgets import FixedRange, NumberWithUnit, Secret, Segments, Toggle
from deployments.forms.yaml_text import yaml_text

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MAX_CHARS = 100_000
JUPYTER_PASSWORD_CHARS = 9  # the module images refuse shorter ones

# Some templates type memory as a plain string such as "4096 MB".
_SIZE_NAME = re.compile(r"(?i)(?:^|_)(?:mem|memory|disk|storage|volume)(?:_?size)?(?:$|_)")
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+(?:\.[A-Za-z]\w*(?:-\d+)?)?)?|\d+")


class Omitted:
    """The value of a field that was left empty: nothing is sent, the default of template or module counts."""

    def __repr__(self) -> str:
        return "OMITTED"


OMITTED = Omitted()


class InputField(forms.Field):
    """A field whose ``clean`` gives the value to send in its YAML type, or OMITTED when left empty.

    ``read`` turns a non-empty text into the value and raises ValidationError; ``show`` turns a value into what the
    widget displays.
    """

    optional_mark = False

    def __init__(
        self,
        item: Input,
        *,
        widget: forms.Widget,
        read: Callable[[Any], Any],
        show: Callable[[Any], Any] = as_words,
        empty: Any = OMITTED,
        hint: str = "",
    ) -> None:
        self.item, self.read, self.show, self.empty = item, read, show, empty
        must = item.required and not item.hidden and not _blank_is_fine(item)
        super().__init__(
            required=must,
            label=label_for(item),
            initial=item.default if item.has_default else None,
            help_text=sentences(item.help, hint),
            widget=widget,
            validators=validators_for(item.constraints, item.type),
            error_messages={"required": _("This is needed.")},
        )
        self.optional_mark = not must and not item.has_default

    def prepare_value(self, value: Any) -> Any:
        parts = value if isinstance(value, list) else [value]
        return value if any(isinstance(part, Typed) for part in parts) else self.show(value)

    def to_python(self, value: Any) -> Any:
        # Plain text from here on: what came from the browser is marked as typed until now. Half of it may be missing.
        text = list(map(_as_text, value)) if isinstance(value, list) else _as_text(value)
        return None if text in ("", [], ["", ""]) else self.read(text)

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        return self.empty if cleaned is None else cleaned


class YesNo(InputField):
    """Off is a value too, never an empty field. ``on`` and ``off``: what they are sent as."""

    def __init__(self, item: Input, *, on: Any = True, off: Any = False, **options: Any) -> None:
        def show(value: Any) -> bool:
            return value is True or (value is not False and as_words(value) == as_words(on))

        super().__init__(item, show=show, **options)
        self.required, self.optional_mark, self.on, self.off = False, False, on, off

    def to_python(self, value: Any) -> Any:
        return self.on if value else self.off


class _Scalar(InputField):
    """A number with its unit; the unit alone is an empty field."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value if value and _as_text(value[0]).strip() else None)


class Typed(str):
    """Marks text that came back from the browser, to be shown as it was typed."""


def by_name_and_type(item: Input, *, password_needed: bool = False) -> InputField:
    """The field of an input as its name and type ask for it.

    ``password_needed``: the chosen run won't work without jupyter_password.
    """
    if item.hidden:
        return InputField(item, widget=forms.HiddenInput(), read=as_written(item))
    if item.name == "jupyter_password":
        return _jupyter_password(item, password_needed)
    if item.secret and not item.choices:
        hint = _("Left empty, the template’s own default is used.") if item.has_default and item.default != "" else ""
        return _secret(item, hint)
    return by_type(item)


def by_type(item: Input) -> InputField:
    """The field of an input as its choices or its type ask for it."""
    return _choice(item) if item.choices else _BY_TYPE.get(item.type, _other)(item)


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def sentences(*texts: "StrOrPromise") -> str:
    """Texts, some of them empty, as one hint: a full stop goes between two where the first has none."""
    said = [str(text) for text in texts if text]
    ended = [text if text[-1] in ".!?:…" else f"{text}." for text in said[:-1]]
    return " ".join([*ended, *said[-1:]])


def _blank_is_fine(item: Input) -> bool:
    """A required input may still be left empty when its default is empty, or is a secret we never show."""
    return item.has_default and (item.default in ("", [], {}) or item.secret)


def as_written(item: Input) -> Callable[[Any], Any]:
    """Reads text; unchanged text of a default keeps the default's YAML type (a bool in a string input)."""

    def read(text: str) -> Any:
        if item.has_default and text == as_words(item.default):
            return item.default
        return values.scalar(text, item.type)

    return read


def rules_of(item: Input) -> str:
    return in_words(item.constraints)


def _text(item: Input) -> InputField:
    default = item.default
    if _SIZE_NAME.search(item.name) and default and split_scalar(default):
        return _scalar_unit(item, "scalar-unit.size")
    empty: Any = "" if isinstance(default, str) else OMITTED
    if item.widget == "textarea" or (isinstance(default, str) and "\n" in default):
        widget: forms.Widget = forms.Textarea({"rows": item.rows or 4, "wide": " full"})
    else:
        kinds = {"email": forms.EmailInput, "url": forms.URLInput}
        widget = kinds.get(item.widget, forms.TextInput)({"placeholder": item.placeholder} if item.placeholder else {})
    if item.name in {"run_command", "docker_image"} or item.name.endswith(("_command", "_conf")):
        widget.attrs |= {"class": "mono", "wide": " full", "spellcheck": "false"}
    elif item.name in {"deployment_description", "rclone_url"} or len(as_words(default)) > 40:
        widget.attrs["wide"] = " full"
    widget.attrs["maxlength"] = str(MAX_CHARS)
    return InputField(item, widget=widget, read=as_written(item), empty=empty, hint=rules_of(item))


def _secret(item: Input, hint: str = "") -> InputField:
    widget = Secret({"wide": " full"}, generate=False)
    return InputField(item, widget=widget, read=str, show=hidden_default, hint=f"{rules_of(item)} {hint}".strip())


def hidden_default(value: Any) -> str:
    return value if isinstance(value, Typed) else ""


def _jupyter_password(item: Input, needed: bool) -> InputField:
    def read(text: str) -> str:
        if len(text) < JUPYTER_PASSWORD_CHARS:
            facts = {"limit": JUPYTER_PASSWORD_CHARS, "size": len(text)}
            raise ValidationError(_("Use at least %(limit)s characters; this has %(size)s.") % facts)
        return text

    widget = Secret({"wide": " full", "minlength": str(JUPYTER_PASSWORD_CHARS)}, generate=True)
    field = InputField(item.model_copy(update={"help": ""}), widget=widget, read=read, show=hidden_default,
                       hint=_("Anyone with the address and this password can use your workspace."))  # fmt: skip
    field.required, field.optional_mark = needed, not needed
    field.error_messages["required"] = _("JupyterLab does not start without a password. Use at least 9 characters.")
    return field


def _number(item: Input) -> InputField:
    whole = item.type == "integer"
    attrs = {"step": "1" if whole else "any", "inputmode": "numeric" if whole else "decimal"}
    for constraint in item.constraints:
        pair = constraint.value if constraint.kind == "in_range" and isinstance(constraint.value, list) else []
        low = constraint.value if constraint.kind == "greater_or_equal" else (pair[0] if len(pair) == 2 else None)
        high = constraint.value if constraint.kind == "less_or_equal" else (pair[1] if len(pair) == 2 else None)
        attrs |= {key: str(end) for key, end in (("min", low), ("max", high)) if isinstance(end, (int, float))}
    if whole and item.name in {"num_cpus", "num_gpus"}:
        attrs.setdefault("min", "0")
    return InputField(
        item,
        widget=forms.NumberInput(attrs),
        read=lambda text: values.scalar(str(text).strip(), item.type),
        hint=rules_of(item),
    )


def _boolean(item: Input) -> InputField:
    return YesNo(item, widget=Toggle({"said": _("Yes")}), read=bool)


def _choice(item: Input) -> InputField:
    by_text = {as_words(option.value): option.value for option in reversed(item.choices)}
    shown = [(as_words(option.value), option.label or as_words(option.value)) for option in item.choices]
    if yes_no := yes_and_no(by_text):
        on, off = yes_no
        return YesNo(item, widget=Toggle({"said": _("Yes")}), read=bool, on=on, off=off)
    if item.has_default and as_words(item.default) not in by_text:
        by_text[as_words(item.default)] = item.default
        shown.insert(
            0, (as_words(item.default), _("%(value)s (the template’s default)") % {"value": as_words(item.default)})
        )
    if not item.has_default:
        shown.insert(0, ("", _("Choose…") if item.required else _("None")))

    def read(text: str) -> Any:
        if text not in by_text:
            raise ValidationError(_("“%(choice)s” can’t be chosen; choose one from the list.") % {"choice": text[:40]})
        return by_text[text]

    few = len(shown) <= 3 and all(len(label) <= 14 for _value, label in shown) and item.widget in {"", "radio"}
    kind = Segments if few and item.has_default else forms.RadioSelect if item.widget == "radio" else forms.Select
    widget = kind(choices=shown)
    return InputField(item, widget=widget, read=read)


def yes_and_no(by_text: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """The two choices when they are just yes and no, as booleans or in words ("true" and "false")."""
    yes = [value for text, value in by_text.items() if text.casefold() in values.TRUE]
    no = [value for text, value in by_text.items() if text.casefold() in values.FALSE]
    return (yes[0], no[0]) if len(by_text) == 2 and yes and no else None


def _scalar_unit(item: Input, type: str) -> InputField:
    parts = split_scalar(item.default, type) if item.has_default else None
    units = list(OFFERED[type])
    if parts and parts[1] not in units:
        units.insert(0, parts[1])

    def show(value: Any) -> Any:
        return split_scalar(value, type) or ("", units[0])

    def read(pair: list[str]) -> str:
        number, unit = str(pair[0]).strip(), str(pair[1])
        if unit not in UNITS[type]:
            facts = {"unit": unit[:20], "units": ", ".join(units)}
            raise ValidationError(_("“%(unit)s” is not a unit; choose one of %(units)s.") % facts)
        scalar = split_scalar(f"{number} {unit}", type)
        if scalar is None:
            raise values.not_a_number(number)
        return " ".join(scalar)

    return _Scalar(
        item, widget=NumberWithUnit(units, label_for(item).lower()), read=read, show=show, hint=rules_of(item)
    )


def _range(item: Input) -> InputField:
    def read(pair: list[str]) -> list[Any]:
        low = int(values.scalar(pair[0].strip(), "integer")) if pair[0].strip() else 0
        if not pair[1].strip():
            return [low, "UNBOUNDED"]
        high = int(values.scalar(pair[1].strip(), "integer"))
        if high < low:
            text = _("The second number must not be smaller than the first; these are %(low)s and %(high)s.")
            raise ValidationError(text % {"low": low, "high": high})
        return [low, high]

    def show(value: Any) -> Any:
        ends = value if isinstance(value, list) and len(value) == 2 else ["", ""]
        return ["" if end == "UNBOUNDED" else as_words(end) for end in ends]

    hint = _("From and to; leave the second empty for no upper limit.")
    return InputField(
        item.model_copy(update={"constraints": ()}),
        widget=FixedRange(label_for(item)),
        read=read,
        show=show,
        hint=hint,
    )


def _version(item: Input) -> InputField:
    def read(text: str) -> Any:
        if not _VERSION.fullmatch(text.strip()):
            raise ValidationError(_("Write a version, for instance 2.1 or 2.1.0."))
        return as_written(item)(text.strip())

    return InputField(item, widget=forms.TextInput({"inputmode": "decimal"}), read=read, hint=rules_of(item))


def _timestamp(item: Input) -> InputField:
    def read(text: str) -> str:
        text = text.strip()
        try:
            known = parse_datetime(text.replace(" ", "T", 1)) or parse_date(text)
        except ValueError:
            known = None
        if not known:
            raise ValidationError(_("Write a time, for instance 2026-11-23T14:30:00Z."))
        return text

    return InputField(
        item, widget=forms.TextInput({"placeholder": "2026-11-23T14:30:00Z"}), read=read, hint=rules_of(item)
    )


def _list(item: Input) -> InputField:
    if not values.is_flat(item.entry_schema):
        return _nested(item)
    return InputField(
        item,
        widget=forms.Textarea({"rows": 3, "class": "mono", "wide": " full"}),
        read=lambda text: values.list_from_lines(text, item.entry_schema),
        show=values.lines_from,
        empty=_emptied(item),
        hint=sentences(_("One per line."), _entry_rules(item.entry_schema)),
    )


def _map(item: Input) -> InputField:
    if not values.is_flat(item.entry_schema):
        return _nested(item)
    return InputField(
        item,
        widget=forms.Textarea({"rows": 3, "class": "mono", "wide": " full"}),
        read=lambda text: values.map_from_lines(text, item.entry_schema),
        show=values.lines_from,
        empty=_emptied(item),
        hint=sentences(_("One “key: value” per line."), _entry_rules(item.entry_schema)),
    )


def _emptied(item: Input) -> Any:
    """What an emptied list or map is sent as: empty where the template has one that would count otherwise."""
    return type(item.default)() if isinstance(item.default, (list, dict)) else OMITTED


def _nested(item: Input) -> InputField:
    return InputField(
        item,
        widget=forms.Textarea({"rows": 5, "class": "mono", "wide": " full", "spellcheck": "false"}),
        read=lambda text: values.nested_from_yaml(text, item.type, item.entry_schema),
        show=lambda value: value if isinstance(value, str) else yaml_text(value) if value else "",
        empty=_emptied(item),
        hint=_("Written in YAML."),
    )


def _entry_rules(schema: EntrySchema | None) -> str:
    return in_words(schema.constraints) if schema else ""


def _other(item: Input) -> InputField:
    """A type of the template's own: structured defaults as YAML, everything else as text."""
    return _nested(item) if isinstance(item.default, (list, dict)) else _text(item)


_BY_TYPE: dict[str, Callable[[Input], InputField]] = {
    "string": _text,
    "integer": _number,
    "float": _number,
    "number": _number,
    "boolean": _boolean,
    "version": _version,
    "timestamp": _timestamp,
    "range": _range,
    "list": _list,
    "map": _map,
    **{type: (lambda item, type=type: _scalar_unit(item, type)) for type in UNITS},  # type: ignore[misc]
}
