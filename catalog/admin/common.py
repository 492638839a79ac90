"""What the parts of the catalogue's admin share."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from catalog.admin.meanwhile import OwnChangesForm
from catalog.admin.troubles import Trouble
from catalog.problems import restored, since
from deepdash.admin import NOTHING
from deepdash.errors import Problem

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class UpstreamAdmin(_ModelAdmin):
    """For rows that only refreshes write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="Problem")
    def said(self, row: Any) -> str:
        return said(row.problem)

    @admin.display(description="Problem")
    def told(self, row: Any) -> SafeString:
        return told(row.error)


class RowForm(OwnChangesForm):
    """A row of a list that is edited in place: each field says what it is of which row, as the list has no labels."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}: {self.instance}"


class TroubleFilter(admin.SimpleListFilter):
    """What a curator looks for."""

    title = "trouble"
    parameter_name = "trouble"
    troubles: tuple[Trouble, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(trouble.key, trouble.label) for trouble in self.troubles]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        wanted = next((trouble for trouble in self.troubles if trouble.key == self.value()), None)
        return queryset.filter(wanted.found) if wanted else queryset


class ValuesFilter(admin.AllValuesFieldListFilter):
    """All values there are; the empty one has a name too."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "none"}


def said(problem: Problem | None) -> str:
    """A problem in one line."""
    return f"{problem.headline} {problem.detail}".strip() if problem else NOTHING


def told(column: dict[str, Any]) -> SafeString:
    """All that a column holds of a problem: what it is, what it means for users, and since when."""
    problem, began = restored(column), since(column)
    if not problem:
        return format_html("{}", NOTHING)
    when = f"Since {date_format(localtime(began), 'DATETIME_FORMAT')}." if began else ""
    return lines(filter(None, [problem.headline, problem.detail, problem.step, when]))


def day(moment: datetime | None) -> str:
    """A moment for a narrow column."""
    return date_format(localtime(moment), "j M Y") if moment else NOTHING


def lines(texts: Iterable[str]) -> SafeString:
    """Texts as a list, one below the other."""
    items = format_html_join("", "<li>{}</li>", ((text,) for text in texts))
    return format_html('<ul class="plain">{}</ul>', items) if items else format_html("{}", NOTHING)
