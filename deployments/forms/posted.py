"""What a browser sends of a form, and back: carried over a changed choice, compared, put into links."""

from typing import TYPE_CHECKING

from django import forms
from django.forms import BoundField
from django.http import QueryDict

from deployments.forms.fields import InputField, Typed
from deployments.forms.widgets import Checks, Toggle

if TYPE_CHECKING:
    from deployments.forms.tosca import ToscaForm

LINK_CHARS = 4000  # of all values in a link together; browsers and proxies cut longer addresses


def link_values(form: "ToscaForm", fresh: "ToscaForm") -> list[tuple[str, str]]:
    """The query of a link to a form with the values shown now: those that differ from a fresh one, no secrets.

    Check their size with ``fits_a_link``.
    """
    names = differing(form, fresh)
    shown = form.current()
    return [
        (control, value)
        for item in form.asked
        if item.name in names and not item.secret and not item.hidden
        for control, values in shown[item.name].items()
        for value in values
    ]


def fits_a_link(pairs: list[tuple[str, str]]) -> bool:
    return sum(len(name) + len(value) for name, value in pairs) <= LINK_CHARS


def differing(form: "ToscaForm", fresh: "ToscaForm") -> set[str]:
    """Names of the inputs that show something else than in a fresh form under the same choices."""
    shown, usual = form.current(), fresh.posted()
    return {name for name, controls in shown.items() if controls != usual[name]}


def carry_over(data: QueryDict, *, before: "ToscaForm", after: "ToscaForm") -> tuple[QueryDict, list[str]]:
    """The posted data for the form after a changed choice: nothing typed is lost, nothing stale is kept.

    A value that is still just what the choices before gave becomes what the choices now give; everything else stays
    as typed. ``before`` and ``after`` are unbound forms. Returns the data, and the names of inputs whose typed value
    was kept although the choices would now give another one. What only the other template asks for stays in the
    data too, so that switching back finds it again.
    """
    result, kept = data.copy(), []
    old, new = before.posted(), after.posted()
    for name, fresh in new.items():
        controls = set(fresh) | set(old.get(name, {}))
        typed = {control: data.getlist(control) for control in controls if control in data}
        stale = old.get(name)
        if typed and typed != stale and (stale is None or any(typed.values())):
            if stale is not None and stale != fresh and typed != fresh:
                kept.append(name)
            continue
        for control in controls:
            result.pop(control, None)
        for control, values in fresh.items():
            result.setlist(control, values)
    return result, kept


def with_missing(data: QueryDict, form: "ToscaForm") -> QueryDict:
    """The data with the initial values of an unbound form for every input that they say nothing of."""
    result = data.copy()
    for controls in form.posted().values():
        if not any(control in data for control in controls):
            for control, values in controls.items():
                result.setlist(control, values)
    return result


def with_plain_breaks(data: QueryDict) -> QueryDict:
    """The data with every line break as templates have it.

    Browsers send CR LF for each (HTML, section 4.10.22): a text of several lines would never be what it was.
    """
    result = QueryDict(mutable=True)
    for key, values in data.lists():
        result.setlist(key, [value.replace("\r\n", "\n") for value in values])
    return result


def typed_data(data: QueryDict) -> QueryDict:
    """Posted text marked as typed, so that fields show it as it is, also where it is no valid value."""
    marked = QueryDict(mutable=True)
    for key, values in data.lists():
        marked.setlist(key, [Typed(value) for value in values])
    return marked


def as_posted(bound: BoundField) -> dict[str, list[str]]:
    """How the initial value of a field would come back from a browser: control name → values."""
    widget, name = bound.field.widget, bound.html_name
    field = bound.field
    value = field.prepare_value(bound.initial) if isinstance(field, InputField) else bound.initial
    if isinstance(widget, Checks):
        return {f"{name}-shown": ["1"], **({name: list(value)} if value else {})}
    if isinstance(widget, Toggle):
        return {f"{name}-shown": ["1"], **({name: ["on"]} if value else {})}
    if isinstance(widget, forms.MultiWidget):
        parts = widget.decompress(value) or []
        return {f"{name}_{index}": [str(part)] for index, part in enumerate(parts)}
    return {name: ["" if value is None else str(value)]}
