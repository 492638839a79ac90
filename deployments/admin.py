"""Records of deployments in the admin: for looking, never for changing what belongs to users."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from deployments.models import Action, Deployment, ModuleApi, StatusEvent, Training, TrainingBatch

if TYPE_CHECKING:
    _EventInline = admin.TabularInline[StatusEvent, Deployment]
    _DeploymentAdmin = admin.ModelAdmin[Deployment]
    _ActionAdmin = admin.ModelAdmin[Action]
    _TrainingAdmin = admin.ModelAdmin[Training]
    _BatchAdmin = admin.ModelAdmin[TrainingBatch]
    _ApiAdmin = admin.ModelAdmin[ModuleApi]
else:
    _EventInline, _DeploymentAdmin, _ActionAdmin = admin.TabularInline, admin.ModelAdmin, admin.ModelAdmin
    _TrainingAdmin = _BatchAdmin = _ApiAdmin = admin.ModelAdmin


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
    template = "admin/rows.html"
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
    view_on_site = False  # the page is there for its owner only


@admin.register(Action)
class ActionAdmin(ReadOnly, _ActionAdmin):
    """The audit trail: who did what to which deployment, when, and how it ended."""

    list_display = ("at", "who", "what", "subject", "result")
    list_filter = ("what", "result", "at")
    search_fields = ("who", "subject", "detail")
    date_hierarchy = "at"
    show_full_result_count = False
    list_select_related = False


@admin.register(Training)
class TrainingAdmin(ReadOnly, _TrainingAdmin):
    """Who trained what, where, and how it ended. Arguments, messages and results stay the user's own."""

    list_display = ("started_at", "owner", "module_slug", "model", "status", "took", "deployment")
    list_filter = ("status", "started_here", "started_at")
    list_select_related = ("owner", "deployment")
    search_fields = ("uuid", "module_slug", "model", "owner__name")
    date_hierarchy = "started_at"
    show_full_result_count = False
    exclude = ("arguments", "sent", "message", "result", "metrics", "source")
    view_on_site = False  # the page is there for its owner only

    @admin.display(description="duration")
    def took(self, run: Training) -> str:
        return run.took_text


@admin.register(TrainingBatch)
class TrainingBatchAdmin(ReadOnly, _BatchAdmin):
    """Trainings that are started one after another: how far each batch is, and why one stopped."""

    list_display = ("created_at", "owner", "model", "state", "count", "deployment")
    list_filter = ("state", "created_at")
    list_select_related = ("owner", "deployment")
    search_fields = ("model", "owner__name")
    show_full_result_count = False
    exclude = ("plan", "beside")
    view_on_site = False  # the page is there for its owner only

    @admin.display(description="trainings")
    def count(self, batch: TrainingBatch) -> int:
        return len(batch.plan)


@admin.register(ModuleApi)
class ModuleApiAdmin(ReadOnly, _ApiAdmin):
    """The DEEPaaS inside each deployment: when it was asked, when it answered, and why it did not."""

    list_display = ("deployment", "asked_at", "read_at", "described_at", "problem")
    list_filter = ("read_at",)
    list_select_related = ("deployment",)
    search_fields = ("deployment__title", "deployment__uuid", "problem")
    show_full_result_count = False
    exclude = ("offered",)
