"""The one place that chooses the field of an input."""

from catalog.tosca.description import Input
from deployments.forms.by_widget import field_by_widget
from deployments.forms.fields import InputField, by_name_and_type


def field_for(item: Input, *, password_needed: bool = False) -> InputField:
    """The form field of an input: hidden ones first, then the common names, the widget asked for, the type."""
    by_widget = None if item.hidden or item.name == "jupyter_password" else field_by_widget(item)
    return by_widget or by_name_and_type(item, password_needed=password_needed)
