"""Who changed what: Django's own record of all that is done in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.common import UpstreamAdmin


class CatalogueTypes(admin.RelatedFieldListFilter):
    """Only what has changes here, instead of all there is in the database."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[Any, Any]]:
        found = ContentType.objects.filter(app_label="catalog", logentry__isnull=False).distinct()
        return [(kind.pk, kind.name) for kind in found.order_by("model")]


@admin.register(LogEntry)
class LogEntryAdmin(UpstreamAdmin):
    """Read-only, for whoever may curate, and only what concerns the catalogue."""

    list_display = ("action_time", "user", "about", "content_type", "what")
    list_filter = ("action_flag", ("content_type", CatalogueTypes))
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__name")
    date_hierarchy = "action_time"
    list_display_links = None

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LogEntry]":
        rows: QuerySet[LogEntry] = super().get_queryset(request)
        return rows.filter(content_type__app_label="catalog")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: LogEntry | None = None) -> bool:
        return request.user.has_perm("catalog.change_module")

    @admin.display(description="Of", ordering="object_repr")
    def about(self, entry: LogEntry) -> SafeString | str:
        address = None if entry.is_deletion() else entry.get_admin_url()
        return format_html('<a href="{}">{}</a>', address, entry.object_repr) if address else entry.object_repr

    @admin.display(description="What")
    def what(self, entry: LogEntry) -> str:
        return entry.get_change_message() or entry.get_action_flag_display()
