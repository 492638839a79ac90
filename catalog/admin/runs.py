"""Refreshes: what happened, what is happening, and the button that starts one; deliveries of the webhook."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.common import UpstreamAdmin, ValuesFilter, lines, said
from catalog.models import Module, RefreshRun, WebhookDelivery
from catalog.problems import restored
from catalog.services import refresh_request
from deepdash.admin import NOTHING
from deepdash.inert import inert

SECONDS = 2  # between two looks at a run that is under way


@admin.register(RefreshRun)
class RefreshRunAdmin(UpstreamAdmin):
    list_display = ("requested", "trigger", "scope", "state", "seconds", "summary")
    list_filter = ("state", "trigger")
    date_hierarchy = "requested"
    fields = (("trigger", "scope", "state"), ("requested", "started", "finished", "seconds"), "summary", "what")
    change_list_template = "admin/catalog/refreshrun/change_list.html"
    change_form_template = "admin/catalog/refreshrun/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        start = path("start/", self.admin_site.admin_view(self.start), name="catalog_refreshrun_start")
        return [start, *super().get_urls()]

    def start(self, request: HttpRequest) -> HttpResponse:
        """Ask for a refresh of everything, or of the module that ``module`` names, and show its progress (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("catalog.change_module"):
            raise PermissionDenied
        slug = inert(request.POST.get("module", ""))
        if slug and not Module.objects.filter(slug=slug).exclude(kind=Module.Kind.EXTERNAL).exists():
            messages.error(request, f"There is no module {slug[:100]} to refresh.")
            return redirect("admin:catalog_module_changelist")
        run = refresh_request(trigger=RefreshRun.Trigger.CURATOR, only=slug)
        return redirect("admin:catalog_refreshrun_change", run.pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With a look again in a moment, as long as the run is not over."""
        run = context.get("original")
        moving = isinstance(run, RefreshRun) and run.state in {RefreshRun.State.WAITING, RefreshRun.State.RUNNING}
        known = Module.objects.exclude(state=Module.State.GONE).count() if moving else 0
        context |= {
            "moving": moving,
            "seconds": SECONDS,
            "known": known,
            "done": sum(run.counts.values()) if run else 0,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="Of")
    def scope(self, run: RefreshRun) -> str:
        return run.only or "everything"

    @admin.display(description="Seconds")
    def seconds(self, run: RefreshRun) -> str:
        return f"{(run.finished - run.started).total_seconds():.1f}" if run.finished and run.started else NOTHING

    @admin.display(description="Result")
    def summary(self, run: RefreshRun) -> str:
        return _summary(run)

    @admin.display(description="What changed or failed")
    def what(self, run: RefreshRun) -> SafeString:
        return lines(_told(item) for item in sorted(run.items, key=_urgency))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(UpstreamAdmin):
    list_display = ("received", "event", "repository", "ref", "verdict", "answer", "repeats", "led_to")
    list_filter = ("verdict", "genuine", ("event", ValuesFilter))
    list_select_related = ("run",)
    search_fields = ("delivery", "repository")
    fields = ("received", "delivery", "event", "repository", "ref", "verdict", "genuine", "answer", "repeats", "led_to")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WebhookDelivery]":
        rows: QuerySet[WebhookDelivery] = super().get_queryset(request)
        return rows.defer("run__items")

    @admin.display(description="Refresh")
    def led_to(self, delivery: WebhookDelivery) -> SafeString | str:
        """The refresh it led to, and what came of that."""
        if delivery.run is None:
            return NOTHING
        address = reverse("admin:catalog_refreshrun_change", args=[delivery.run.pk])
        result = _summary(delivery.run, empty=delivery.run.get_state_display())
        return format_html('<a href="{}">{}</a>', address, result)


def _summary(run: RefreshRun, empty: str = NOTHING) -> str:
    return ", ".join(f"{count} {result}" for result, count in sorted(run.counts.items())) or empty


def _urgency(item: dict[str, Any]) -> int:
    """What failed stands first, what is merely new last."""
    order = ("failed", "gone", "renamed", "back", "changed", "new")
    return order.index(item["result"]) if item["result"] in order else len(order)


def _told(item: dict[str, Any]) -> str:
    about = f"{item['result']}: {item['kind']} {item['name']}"
    words = " ".join(filter(None, [said(restored(item["problem"])) if "problem" in item else "", item.get("note", "")]))
    return f"{about} – {words}" if words else about
