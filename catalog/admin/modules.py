"""The curators' view of the catalogue: upstream's words read-only beside their own."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog.models import Module, ModuleIndex, ModuleTemplate, RefreshRun, Template, TypeFile, WebhookDelivery
from catalog.models.module import CURATED
from catalog.problems import restored
from deepdash.errors import Problem


def _said(problem: Problem | None) -> str:
    return f"{problem.headline} {problem.detail}".strip() if problem else "–"


class UpstreamAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """For rows that only refreshes write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Problem")
    def said(self, row: Any) -> str:
        return _said(row.problem)


class ModuleTemplateInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ModuleTemplate
    fields = ("position", "title", "file", "template", "said")
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = "templates its metadata names"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Problem")
    def said(self, link: ModuleTemplate) -> str:
        return _said(link.problem)


@admin.register(Module)
class ModuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("shown_title", "slug", "state", "kind", "hidden", "featured", "position", "licence", "pushed_at")
    list_editable = ("hidden", "featured", "position")
    list_filter = ("state", "hidden", "featured", "kind", "licence")
    search_fields = ("slug", "title", "title_override", "keywords")
    ordering = ("-featured", "position", "sort_title")
    list_per_page = 50
    inlines = (ModuleTemplateInline,)
    fieldsets = (
        ("Shown", {"fields": CURATED}),
        (
            "Upstream",
            {
                "fields": (
                    ("state", "kind"), "said", "url", "title", "summary", "keywords", ("licence", "created_on"),
                    "docker_image", "tag_names", "tags_said", "branch", "fetched_at", "remarks",
                )
            },
        ),
        ("Links", {"classes": ("collapse",), "fields": (
            "code_url", "dockerfile_url", "dataset_url", "weights_url", "training_files_url", "cite_url", "ci_url")}),
        ("Description", {"classes": ("collapse",), "fields": ("description_md",)}),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Module | None = None) -> list[str]:
        own = {"said", "tag_names", "tags_said"}
        return sorted(({field.name for field in Module._meta.fields} - set(CURATED)) | own)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Module]":
        rows = super().get_queryset(request)
        on_list = request.resolver_match is not None and request.resolver_match.url_name == "catalog_module_changelist"
        return rows.defer("metadata", "description_md", "description_html", "tags") if on_list else rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Module | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Module, form: Any, change: bool) -> None:
        """Save the curators' columns alone: a refresh may have written the others since the form was opened."""
        obj.save(update_fields=CURATED)

    @admin.display(description="Title", ordering="sort_title")
    def shown_title(self, module: Module) -> str:
        return module.shown_title

    @admin.display(description="Problem")
    def said(self, module: Module) -> str:
        return _said(module.problem)

    @admin.display(description="Tags")
    def tag_names(self, module: Module) -> str:
        return ", ".join(tag["name"] for tag in module.tags) or "–"

    @admin.display(description="Problem with the tags")
    def tags_said(self, module: Module) -> str:
        return _said(module.tags_problem)


@admin.register(Template)
class TemplateAdmin(UpstreamAdmin):
    list_display = ("path", "shown_name", "kind", "verdict", "state", "modules", "last_seen")
    list_filter = ("verdict", "state", "kind", "source")
    search_fields = ("path", "display_name")
    fields = (
        ("source", "path"), ("state", "kind", "verdict"), "wrong", "said", "display_name", "inputs", "imports",
        ("commit", "digest"), ("first_seen", "last_seen"), "text",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Template]":
        rows: QuerySet[Template] = super().get_queryset(request)
        return rows.annotate(in_use=Count("module_links"))

    @admin.display(description="Modules", ordering="in_use")
    def modules(self, template: Template) -> int:
        return int(getattr(template, "in_use", 0))

    @admin.display(description="What is wrong")
    def wrong(self, template: Template) -> SafeString:
        return _lines(template.errors)

    @admin.display(description="Inputs")
    def inputs(self, template: Template) -> SafeString:
        return _lines([f"{item.name}: {item.type}" for item in template.described().inputs])

    @admin.display(description="Text")
    def text(self, template: Template) -> SafeString:
        return format_html("<pre>{}</pre>", template.raw)


@admin.register(TypeFile, ModuleIndex)
class RemoteFileAdmin(UpstreamAdmin):
    list_display = ("url", "fetched_at", "said")
    fields = ("url", "fetched_at", "digest", "said", "raw")


@admin.register(RefreshRun)
class RefreshRunAdmin(UpstreamAdmin):
    list_display = ("requested", "trigger", "state", "seconds", "summary")
    list_filter = ("state", "trigger")
    date_hierarchy = "requested"
    fields = (("trigger", "state"), ("requested", "started", "alive_at", "finished"), "summary", "what")

    @admin.display(description="Seconds")
    def seconds(self, run: RefreshRun) -> str:
        return f"{(run.finished - run.started).total_seconds():.1f}" if run.finished and run.started else "–"

    @admin.display(description="Result")
    def summary(self, run: RefreshRun) -> str:
        return ", ".join(f"{count} {result}" for result, count in sorted(run.counts.items())) or "–"

    @admin.display(description="Items")
    def what(self, run: RefreshRun) -> SafeString:
        return _lines(
            [
                f"{item['result']}: {item['kind']} {item['name']} "
                f"{_said(restored(item['problem'])) if 'problem' in item else ''} {item.get('note', '')}".strip()
                for item in run.items
            ]
        )


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(UpstreamAdmin):
    list_display = ("received", "event", "repository", "ref", "verdict", "answer", "repeats", "run")
    list_filter = ("verdict", "genuine", "event")
    list_select_related = ("run",)
    search_fields = ("delivery", "repository")
    fields = ("received", "delivery", "event", "repository", "ref", "verdict", "genuine", "answer", "repeats", "run")


def _lines(texts: list[str]) -> SafeString:
    return (
        format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((text,) for text in texts)))
        if texts
        else format_html("{}", "–")
    )
