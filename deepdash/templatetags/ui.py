"""The small pieces every page is drawn with: icons, pills, times, banners. Built into all templates."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deepdash.errors import Problem
from deepdash.logs import request_id

register = template.Library()


@register.simple_tag
def icon(name: str, spin: bool = False, mark: bool = False) -> SafeString:
    """One of the symbols of ``img/icons.svg``; decoration only, so hidden from screen readers."""
    return _symbol(static("img/icons.svg"), name, spin, mark)


@lru_cache(maxsize=256, typed=True)  # typed, as a text that is marked safe is another one than the same unmarked
def _symbol(symbols: str, name: str, spin: bool, mark: bool) -> SafeString:
    classes = "icon" + (" spin" if spin else "") + (" mark" if mark else "")
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, symbols, name)


@register.simple_tag
def pill(tone: str, icon_name: str, label: str, spin: bool = False) -> SafeString:
    """A status: text, icon and colour together, never colour alone."""
    return format_html('<span class="pill" data-tone="{}">{}{}</span>', tone, icon(icon_name, spin), label)


@register.filter
def ago(when: datetime | None) -> str:
    """``<time>`` with how long ago (up to a day), else the date; the exact time in UTC on hover."""
    if not when:
        return ""
    utc = when.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{utc.day} {utc:%b %Y, %H:%M} UTC",
        _since(when),
    )


@register.filter
def clock(when: datetime | None) -> str:
    """``<time>`` with day and hour, for rows that are told apart by it: "Today, 10:48", "21 Nov, 18:10"."""
    if not when:
        return ""
    utc, local, today = when.astimezone(UTC), timezone.localtime(when), timezone.localdate()
    day = "Today" if local.date() == today else f"{local.day} {local:%b}"
    day += "" if local.year == today.year else f" {local.year}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC",
        f"{day}, {local:%H:%M}",
    )


def _since(when: datetime) -> str:
    now, local = timezone.now(), timezone.localtime(when)
    passed = now - when
    if passed < timedelta(seconds=45):
        return "just now"
    minutes = round(passed.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} minute{'s' if minutes > 1 else ''} ago"
    hours = round(minutes / 60)
    if hours < 24:
        return f"{hours} hour{'s' if hours > 1 else ''} ago"
    day = f"{local.day} {local:%b}"
    return f"{day}, {local:%H:%M}" if local.year == timezone.localtime(now).year else f"{day} {local.year}"


@register.filter
def filesize(size: int | None) -> str:
    """Bytes as registries show them (powers of ten): 2213456789 → "2.21 GB"; nothing for None."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit in {"B", "kB"} else f"{value:.3g} {unit}"


@register.inclusion_tag("errors/_banner.html")
def banner(problem: Problem, retry: str = "") -> dict[str, Any]:
    """A problem in place: what happened, what to do, the service's own words folded. ``retry`` is a link."""
    return {"problem": problem, "retry": retry, "request_id": request_id.get()}


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """A form field with its label, hint and error."""
    return bound.as_field_group()


@register.filter
def web_link(value: object) -> str:
    """The value if it is a plain http(s) address, else nothing: what services send is never trusted as a link."""
    text = str(value)
    return text if text.lower().startswith(("https://", "http://")) and not any(c.isspace() for c in text) else ""
