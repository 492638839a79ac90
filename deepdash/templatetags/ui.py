"""The small pieces every page is drawn with: icons, pills, times, banners. Built into all templates."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from deepdash.errors import Problem
from deepdash.logs import request_id

register = template.Library()

_PIECES = re.compile(r"[^/?&=,:@_]+[/?&=,:@_]*|[/?&=,:@_]+")


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
        _("%(time)s UTC") % {"time": formatted(utc, _("j M Y, H:i"))},
        _since(when),
    )


@register.filter
def clock(when: datetime | None) -> str:
    """``<time>`` with day and hour, for rows that are told apart by it: "Today, 10:48", "21 Nov, 18:10"."""
    if not when:
        return ""
    utc, local, today = when.astimezone(UTC), timezone.localtime(when), timezone.localdate()
    if local.date() == today:
        shown = _("Today, %(time)s") % {"time": formatted(local, "H:i")}
    else:
        shown = formatted(local, _("j M, H:i") if local.year == today.year else _("j M Y, H:i"))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        _("%(time)s UTC") % {"time": formatted(utc, _("j M Y, H:i:s"))},
        shown,
    )


def _since(when: datetime) -> str:
    now, local = timezone.now(), timezone.localtime(when)
    passed = now - when
    if passed < timedelta(seconds=45):
        return _("just now")
    minutes = round(passed.total_seconds() / 60)
    if minutes < 60:
        return ngettext("%(number)s minute ago", "%(number)s minutes ago", minutes) % {"number": minutes}
    hours = round(minutes / 60)
    if hours < 24:
        return ngettext("%(number)s hour ago", "%(number)s hours ago", hours) % {"number": hours}
    return formatted(local, _("j M, H:i") if local.year == timezone.localtime(now).year else _("j M Y"))


@register.filter
def pieces(text: Any) -> str:
    """A value that may wrap after what ends a piece of an address or a path, so that no word of it is torn apart."""
    first, *others = _PIECES.findall("" if text is None else str(text)) or [""]
    return format_html("{}{}", first, format_html_join("", "<wbr>{}", ((part,) for part in others)))


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
    return f"{value:.0f} {unit}" if unit in {"B", "kB"} else f"{number_format(f'{value:.3g}')} {unit}"


@register.filter
def strong_list(names: Sequence[str]) -> str:
    """Names in bold, as a sentence lists them: "a, b and c"."""
    bold = [format_html("<strong>{}</strong>", name) for name in names]
    others, last = format_html_join(", ", "{}", ((name,) for name in bold[:-1])), bold[-1]
    return format_html(_("{others} and {last}"), others=others, last=last) if others else last


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
