"""Template filters of the catalogue."""

from collections.abc import Iterable
from functools import reduce
from typing import Any

from django import template
from django.db.models import Count, Q
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.admin.troubles import OF_MODULES, OF_TEMPLATES, Trouble
from catalog.models import LockedChoice, Module, ModuleIndex, RefreshRun, Template

register = template.Library()


@register.filter
def sanitised(html: str) -> SafeString:
    """A module's ``description_html`` as it stands."""
    # Safe because ``catalog.markdown.render``, the only writer of that column, held it to an allow-list.
    return mark_safe(html)  # noqa: S308


@register.inclusion_tag("catalog/admin/_health.html", takes_context=True)
def catalogue_health(context: template.Context) -> dict[str, Any]:
    """How the catalogue is doing, for the first page of the admin (four statements): what needs attention, and how
    many there are."""
    modules = Module.objects.exclude(state=Module.State.GONE).aggregate(
        modules=Count("pk"), hidden=Count("pk", filter=Q(hidden=True)), **_counts(OF_MODULES)
    )
    templates = Template.objects.filter(state=Template.State.LIVE).aggregate(
        templates=Count("pk"), **_counts(OF_TEMPLATES)
    )
    attention = [
        {"number": found[trouble.key], "words": trouble.counted(found[trouble.key]), "list": of, "key": trouble.key}
        for of, troubles, found in (("module", OF_MODULES, modules), ("template", OF_TEMPLATES, templates))
        for trouble in troubles
        if trouble.one and found[trouble.key]
    ]
    return {
        "modules": modules["modules"],
        "hidden": modules["hidden"],
        "templates": templates["templates"],
        "attention": attention,
        "lists": [index for index in ModuleIndex.objects.exclude(error={}).defer("raw") if index.problem],
        "run": RefreshRun.objects.defer("items").first(),
        "csrf_token": context.get("csrf_token"),
    }


def _counts(troubles: Iterable[Trouble]) -> dict[str, Count]:
    """What ``aggregate`` is asked for, of those that are worth a line."""
    return {trouble.key: Count("pk", filter=trouble.found) for trouble in troubles if trouble.one}


@register.filter
def wanted_by(locked: Iterable[LockedChoice]) -> str:
    """For whom any of these templates is: "in the group a, or in the group b"."""
    words = [choice.wanted for choice in locked]
    return reduce(lambda others, last: _("%(others)s, or %(last)s") % {"others": others, "last": last}, words)
