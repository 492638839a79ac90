"""Template filters of the catalogue."""

from collections.abc import Iterable
from functools import reduce
from typing import Any

from django import template
from django.db.models import Count, Q
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.models import LockedChoice, Module, RefreshRun, Template

register = template.Library()


@register.filter
def sanitised(html: str) -> SafeString:
    """A module's ``description_html`` as it stands."""
    # Safe because ``catalog.markdown.render``, the only writer of that column, held it to an allow-list.
    return mark_safe(html)  # noqa: S308


@register.inclusion_tag("catalog/admin/_health.html", takes_context=True)
def catalogue_health(context: template.Context) -> dict[str, Any]:
    """How the catalogue is doing, for the first page of the admin (three statements)."""
    broken, hidden = Q(state=Module.State.BROKEN), Q(hidden=True)
    odd = Q(verdict__in=[Template.Verdict.INVALID, Template.Verdict.PARSER_FAILED], fragment=False)
    unread = Q(verdict=Template.Verdict.UNREADABLE)
    modules = Module.objects.exclude(state=Module.State.GONE)
    templates = Template.objects.filter(state=Template.State.LIVE)
    return {
        **modules.aggregate(modules=Count("pk"), broken=Count("pk", filter=broken), hidden=Count("pk", filter=hidden)),
        **templates.aggregate(templates=Count("pk"), unread=Count("pk", filter=unread), odd=Count("pk", filter=odd)),
        "run": RefreshRun.objects.defer("items").first(),
        "csrf_token": context.get("csrf_token"),
    }


@register.filter
def wanted_by(locked: Iterable[LockedChoice]) -> str:
    """For whom any of these templates is: "in the group a, or in the group b"."""
    words = [choice.wanted for choice in locked]
    return reduce(lambda others, last: _("%(others)s, or %(last)s") % {"others": others, "last": last}, words)
