"""Templates: verdicts, the form each makes, and what changed from one version to the next."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.common import TroubleFilter, UpstreamAdmin, ValuesFilter, day, lines
from catalog.admin.troubles import OF_TEMPLATES
from catalog.audience import Audience
from catalog.differences import difference
from catalog.models import Module, Template, TemplateVersion
from catalog.tosca.description import Input, as_words
from catalog.tosca.harmless import words
from deepdash.admin import NOTHING
from deepdash.inert import visible

SOME = 20  # modules that a template's page names; a common template may have a thousand


class TemplateTroubleFilter(TroubleFilter):
    troubles = OF_TEMPLATES


@admin.register(Template)
class TemplateAdmin(UpstreamAdmin):
    list_display = ("path", "shown_name", "kind", "verdict", "state", "part", "modules", "seen")
    list_filter = (TemplateTroubleFilter, "verdict", "state", ("kind", ValuesFilter), "fragment", "source")
    search_fields = ("path", "display_name")
    list_per_page = 50
    change_form_template = "admin/catalog/template/change_form.html"
    fields = (
        ("source", "path"), ("state", "kind", "verdict"), "wrong", "told", ("display_name", "whom"), "part_of",
        "inputs", "imported", "used_by", ("commit", "digest"), ("first_seen", "last_seen"), "text",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Template]":
        on_list = request.resolver_match is not None and str(request.resolver_match.url_name).endswith("_changelist")
        rows = Template.objects.for_list() if on_list else super().get_queryset(request)
        return rows.annotate(in_use=Count("module_links"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.versions)
        return [path("<int:pk>/versions/", view, name="catalog_template_versions"), *super().get_urls()]

    def versions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The versions kept of a template, and the difference between two of them: ``old`` and ``new`` are the primary
        keys of versions, ``new`` empty for the present text; without them the latest change."""
        template = self.get_object(request, str(pk))
        if template is None or not self.has_view_permission(request, template):
            raise Http404
        kept = list(TemplateVersion.objects.filter(template=template).defer("raw"))
        old = _chosen(kept, request.GET.get("old", "")) or (kept[0] if kept else None)
        new = _chosen(kept, request.GET.get("new", ""))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Versions of {template.path}",
            "opts": self.model._meta,
            "template": template,
            "versions": kept,
            "old": old,
            "new": new,
            "lines": difference(visible(old.raw), visible(new.raw if new else template.raw)) if old else [],
        }
        return TemplateResponse(request, "admin/catalog/template/versions.html", context)

    @admin.display(description="Modules", ordering="in_use")
    def modules(self, template: Template) -> SafeString | int:
        number = int(getattr(template, "in_use", 0))
        return format_html('<a href="{}">{}</a>', _modules_of(template), number) if number else 0

    @admin.display(description="What is odd")
    def wrong(self, template: Template) -> SafeString:
        return lines(template.errors)

    @admin.display(description="For whom")
    def whom(self, template: Template) -> str:
        if not template.audience:
            return "everybody"
        audience = Audience.stored(template.audience)
        return f"people {audience.wanted()}{', not named to others' if audience.private else ''}"

    @admin.display(description="A part", ordering="fragment")
    def part(self, template: Template) -> str:
        return "part" if template.fragment else ""

    @admin.display(description="Seen", ordering="last_seen")
    def seen(self, template: Template) -> str:
        return day(template.last_seen)

    @admin.display(description="Part of")
    def part_of(self, template: Template) -> str:
        parents = ", ".join(template.parents)
        return f"{parents}: it is meant to be merged into one of them, and can't stand alone" if parents else NOTHING

    @admin.display(description="Imports")
    def imported(self, template: Template) -> SafeString:
        return lines(template.imports)

    @admin.display(description="Inputs, as they are asked for")
    def inputs(self, template: Template) -> SafeString:
        return lines(_asked(item) for item in template.described().inputs)

    @admin.display(description="Modules that name it")
    def used_by(self, template: Template) -> SafeString:
        naming = Module.objects.filter(template_links__template=template).distinct()
        some, number = naming.titled().order_by("sort_title")[:SOME], naming.count()
        named = [
            format_html('<a href="{}">{}</a>', reverse("admin:catalog_module_change", args=[module.pk]), module)
            for module in some
        ]
        if number > SOME:
            named.append(format_html('<a href="{}">All {} modules</a>', _modules_of(template), number))
        return lines(named)

    @admin.display(description="Text")
    def text(self, template: Template) -> SafeString:
        address = reverse("admin:catalog_template_versions", args=[template.pk])
        return format_html(
            '<a href="{}">Earlier versions</a><pre tabindex="0">{}</pre>', address, visible(template.raw)
        )


def _modules_of(template: Template) -> str:
    return f"{reverse('admin:catalog_module_changelist')}?template_links__template={template.pk}"


def _chosen(kept: list[TemplateVersion], pk: str) -> TemplateVersion | None:
    return next((version for version in kept if str(version.pk) == pk), None)


def _asked(item: Input) -> str:
    parts = [f"{item.title} ({item.name}): {item.widget or item.type}"]
    if item.tab:
        parts.append(f"under {item.tab}")
    if item.has_default and not item.secret:
        parts.append(f"default {words(as_words(item.default), 80) or '(empty)'}")
    if item.hidden:
        parts.append("not shown")
    return ", ".join(parts)
