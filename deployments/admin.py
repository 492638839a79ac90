"""Records of deployments in the admin: for looking, never for changing what belongs to users."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from deployments.models import Action, Deployment, StatusEvent

if TYPE_CHECKING:
    _EventInline = admin.TabularInline[StatusEvent, Deployment]
    _DeploymentAdmin = admin.ModelAdmin[Deployment]
    _ActionAdmin = admin.ModelAdmin[Action]
else:
    _EventInline, _DeploymentAdmin, _ActionAdmin = admin.TabularInline, admin.ModelAdmin, admin.ModelAdmin


class ReadOnly:
    """Nothing can be added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StatusEventInline(ReadOnly, _EventInline):
    model = StatusEvent
    fields = ("at", "status", "task", "provider_name", "reason")


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly, _DeploymentAdmin):
    """Who deployed what, where, and what became of it. Inputs, template and outputs stay the user's own."""

    list_display = ("shown_title", "owner", "module_slug", "status", "provider_name", "created_at", "seen_at")
    list_filter = ("status", "deployment_kind", "created_at")
    list_select_related = ("owner",)
    search_fields = ("uuid", "title", "module_slug", "owner__name", "provider_name")
    date_hierarchy = "created_at"
    show_full_result_count = False
    exclude = (
        "callback_secret",
        "inputs",
        "secret_inputs",
        "template_text",
        "outputs",
        "secret_outputs",
        "services",
        "note",
    )
    inlines = (StatusEventInline,)


@admin.register(Action)
class ActionAdmin(ReadOnly, _ActionAdmin):
    """The audit trail: who did what to which deployment, when, and how it ended."""

    list_display = ("at", "who", "what", "subject", "result")
    list_filter = ("what", "result", "at")
    search_fields = ("who", "subject", "detail")
    date_hierarchy = "at"
    show_full_result_count = False
    list_select_related = False
