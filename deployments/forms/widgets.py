"""Widgets of the TOSCA form. They know markup, not rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _


class Segments(forms.RadioSelect):
    """Two or three exclusive choices beside each other."""

    template_name = "forms/segments.html"


class Secret(forms.PasswordInput):
    """A masked text with buttons to show and to generate it.

    What the user typed comes back with the form (over the same connection it came by); a template's default never
    does.
    """

    template_name = "forms/secret.html"

    def __init__(self, attrs: Mapping[str, Any] | None = None, *, generate: bool = False) -> None:
        super().__init__({"autocomplete": "new-password", **(attrs or {})}, render_value=True)
        self.generate = generate

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)  # type: ignore[arg-type]
        context["widget"]["generate"] = self.generate
        return context


class Units(forms.Select):
    """A choice of units, with the one chosen if it is another: shown under one of the others it would change."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        known = [unit for unit, _ in self.choices]
        self.choices = [*self.choices, *((unit, unit) for unit in map(str, value) if unit and unit not in known)]
        return super().optgroups(name, value, attrs)


class NumberWithUnit(forms.MultiWidget):
    """A number and its unit: one labelled group of two controls."""

    template_name = "forms/affix.html"
    use_fieldset = False

    def __init__(self, units: Sequence[str], label: str) -> None:
        unit_label = _("Unit of %(label)s") % {"label": label}
        super().__init__(
            [
                forms.NumberInput({"min": "0", "step": "any", "inputmode": "decimal"}),
                Units({"aria-label": unit_label}, choices=[(unit, unit) for unit in units]),
            ]
        )

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else ["", ""]

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0"


class FixedRange(forms.MultiWidget):
    """Two numbers: from and to."""

    template_name = "forms/range.html"
    use_fieldset = False

    def __init__(self, label: str) -> None:
        super().__init__(
            [
                forms.NumberInput({"step": "1", "aria-label": _("%(label)s, from") % {"label": label}}),
                forms.NumberInput({"step": "1", "aria-label": _("%(label)s, to") % {"label": label}}),
            ]
        )

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else ["", ""]

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0"


class Checks(forms.CheckboxSelectMultiple):
    """Several choices of a list; a hidden marker tells "none" from "not on the form"."""

    template_name = "forms/checks.html"

    def value_omitted_from_data(self, data: Any, files: "MultiValueDict[str, Any]", name: str) -> bool:
        return f"{name}-shown" not in data


class Toggle(forms.CheckboxInput):
    """A check box that says so when it is off: a hidden marker tells "off" from "not on the form"."""

    template_name = "forms/toggle.html"

    def value_omitted_from_data(self, data: Any, files: "MultiValueDict[str, Any]", name: str) -> bool:
        return f"{name}-shown" not in data
