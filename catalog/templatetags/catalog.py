"""Template filters of the catalogue."""

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def sanitised(html: str) -> SafeString:
    """A module's ``description_html`` as it stands."""
    # Safe because ``catalog.markdown.render``, the only writer of that column, held it to an allow-list.
    return mark_safe(html)  # noqa: S308
