"""Modules: what curators decide, with upstream's words beside it."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from catalog.admin.common import RowForm, TroubleFilter, _ModelAdmin, day, lines, said, told
from catalog.admin.meanwhile import OwnChangesForm, _ModelForm
from catalog.admin.troubles import OF_MODULES
from catalog.facets import GLYPHS
from catalog.flavours import best_tag, group_tags
from catalog.models import Module, ModuleTemplate, RefreshRun, Template
from catalog.models.module import CURATED
from catalog.problems import since
from catalog.services import refresh_request
from deepdash.admin import NOTHING

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Any, Any]
else:
    _TabularInline = admin.TabularInline


_ORDER = "All begin at 1000. Featured modules come first, then smaller positions, then titles from A to Z"


class CurationForm(OwnChangesForm):
    """The curators' columns. Each says what would be shown without it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        module = self.instance
        self._choose("glyph_override", [(glyph, glyph) for glyph in GLYPHS])
        names = [str(tag["name"]) for tag in module.tags]
        if names:
            self._choose(
                "default_tag", [(heading, [(tag, tag) for tag in tags]) for heading, tags in group_tags(names)]
            )
        for name, upstream in (
            ("title_override", module.title),
            ("summary_override", module.summary),
            ("glyph_override", module.glyph if not module.glyph_override else ""),
            ("default_tag", best_tag(names, module.default_hardware or "cpu")),
        ):
            if name in self.fields and upstream:
                self.fields[name].help_text = escape(f"Without it: {upstream}")  # the admin takes it for markup
        if "default_template" in self.fields and module.pk:
            field = self.fields["default_template"]
            offered = [choice.template.pk for choice in module.all_choices()]
            field.queryset = Template.objects.filter(pk__in=[*offered, module.default_template_id or 0])  # type: ignore[attr-defined]
        if "position" in self.fields:
            self.fields["position"].help_text = _ORDER
        if "icon_address" in self.fields:
            self.fields["icon_address"].widget.attrs["class"] = "vLargeTextField"

    def _choose(self, name: str, choices: list[Any]) -> None:
        """A select of what makes sense; a value that no longer does stays, so that saving does not lose it."""
        if name not in self.fields:
            return
        now = getattr(self.instance, name)
        known = {value for value, label in choices if isinstance(label, str)}
        known |= {value for _, group in choices if isinstance(group, list) for value, _ in group}
        gone = [(now, f"{now} (not there now)")] if now and now not in known else []
        field = self.fields[name]
        self.fields[name] = forms.ChoiceField(
            choices=[("", "—"), *gone, *choices], required=False, label=field.label, help_text=field.help_text,
            show_hidden_initial=field.show_hidden_initial,
        )  # fmt: skip


_BEGAN = Coalesce(KeyTextTransform("since", "error"), KeyTextTransform("since", "tags_error"), Value(""))


class ModuleTroubleFilter(TroubleFilter):
    troubles = OF_MODULES


class ModuleTemplateInline(_TabularInline):
    model = ModuleTemplate
    template = "admin/rows.html"
    fields = ("position", "title", "file", "template", "said")
    readonly_fields = fields
    extra = 0
    can_delete = False
    verbose_name_plural = "templates its metadata names"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ModuleTemplate]":
        rows: QuerySet[ModuleTemplate] = super().get_queryset(request).select_related("template")
        return rows.defer("template__raw", "template__description", "template__errors")

    @admin.display(description="Problem")
    def said(self, link: ModuleTemplate) -> str:
        return said(link.problem)


@admin.register(Module)
class ModuleAdmin(_ModelAdmin):
    form = CurationForm
    list_display = (
        "shown_title",
        "state",
        "trouble",
        "began",
        "hidden",
        "featured",
        "position",
        "pushed",
        "used",
    )
    list_editable = ("hidden", "featured", "position")
    list_filter = (ModuleTroubleFilter, "state", "hidden", "featured", "kind")
    search_fields = ("slug", "title", "title_override", "keywords")
    ordering = ("-featured", "position", "sort_title")
    list_per_page = 50
    show_full_result_count = False  # of what was searched for; all of them would be counted beside
    actions = ("hide", "show", "feature", "unfeature", "refresh")
    inlines = (ModuleTemplateInline,)
    change_form_template = "admin/catalog/module/change_form.html"
    change_list_template = "admin/catalog/module/change_list.html"
    save_on_top = True
    fieldsets = (
        ("What users see", {
            "description": "What is left empty is taken from upstream. No refresh changes these.",
            "fields": (("hidden", "featured", "position"), "title_override", "summary_override",
                       ("glyph_override", "icon_address"), "note",
                       ("default_hardware", "default_tag", "default_template")),
        }),
        ("What upstream says", {"fields": (
            ("state", "kind", "times_used"), "url", "title", "summary", "words", ("licence", "created_on"),
            "docker_image", "tag_names", "branch", "fetched_at", "odd")}),
        ("Links", {"classes": ("collapse",), "fields": (
            "code_url", "dockerfile_url", "dataset_url", "weights_url", "training_files_url", "cite_url", "ci_url")}),
        ("Description", {"classes": ("collapse",), "fields": ("description_md",)}),
    )  # fmt: skip

    def get_fieldsets(self, request: HttpRequest, obj: Module | None = None) -> Any:
        """What is wrong with it comes before all else, if anything is."""
        wrong = [
            name for name, column in (("told", "error"), ("tags_told", "tags_error")) if getattr(obj, column, None)
        ]
        return ((("What is wrong", {"fields": wrong}),) if wrong else ()) + self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Module | None = None) -> list[str]:
        own = {"told", "tag_names", "tags_told", "odd", "words"}
        return sorted(({field.name for field in Module._meta.fields} - set(CURATED)) | own)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Module]":
        rows: QuerySet[Module] = super().get_queryset(request)
        on_list = request.resolver_match is not None and request.resolver_match.url_name == "catalog_module_changelist"
        return rows.defer("metadata", "description_md", "description_html", "tags") if on_list else rows

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> type[_ModelForm]:
        """The plain form: its three columns need none of what CurationForm adds, for fifty rows."""
        return super().get_changelist_form(request, form=RowForm, **options)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also those that name a template, where a template's page leads."""
        return lookup == "template_links__template" or super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Module | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Module, form: Any, change: bool) -> None:
        """Save what was changed here alone: a refresh or another curator may have written the rest meanwhile."""
        obj.save(update_fields=[name for name in CURATED if name in form.changed_data])
        if "icon_address" in form.changed_data:
            refresh_request(trigger=RefreshRun.Trigger.CURATOR, only=obj.slug)
            messages.info(request, "The picture is being fetched.")

    @admin.action(description="Hide from users", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: "QuerySet[Module]") -> None:
        self._set(request, queryset, "hidden", True, "hidden")

    @admin.action(description="Show to users", permissions=["change"])
    def show(self, request: HttpRequest, queryset: "QuerySet[Module]") -> None:
        self._set(request, queryset, "hidden", False, "shown again")

    @admin.action(description="Refresh now (several: everything)", permissions=["change"])
    def refresh(self, request: HttpRequest, queryset: "QuerySet[Module]") -> None:
        slugs = list(queryset.values_list("slug", flat=True)[:2])
        run = refresh_request(trigger=RefreshRun.Trigger.CURATOR, only=slugs[0] if len(slugs) == 1 else "")
        progress = reverse("admin:catalog_refreshrun_change", args=[run.pk])
        text = 'A refresh of {} is on its way: <a href="{}">see how far it is</a>.'
        messages.success(request, format_html(text, run.only or "everything", progress))

    @admin.action(description="Feature (bring to the front)", permissions=["change"])
    def feature(self, request: HttpRequest, queryset: "QuerySet[Module]") -> None:
        self._set(request, queryset, "featured", True, "featured")

    @admin.action(description="Stop featuring", permissions=["change"])
    def unfeature(self, request: HttpRequest, queryset: "QuerySet[Module]") -> None:
        self._set(request, queryset, "featured", False, "no longer featured")

    def _set(self, request: HttpRequest, queryset: "QuerySet[Module]", column: str, value: bool, done: str) -> None:
        """Set a column of many, in three statements for any number; only what changes is recorded."""
        selected = queryset.count()
        changed = list(Module.objects.titled().filter(pk__in=queryset.exclude(**{column: value}).order_by()))
        Module.objects.filter(pk__in=[module.pk for module in changed]).update(**{column: value})
        if changed:
            LogEntry.objects.log_actions(request.user.pk, changed, CHANGE, f"{done.capitalize()}.")  # type: ignore[arg-type]
        before = f" {selected - len(changed)} were so before." if selected > len(changed) else ""
        messages.success(request, f"{len(changed)} module{'' if len(changed) == 1 else 's'} {done}.{before}")

    @admin.display(description="Title", ordering="sort_title")
    def shown_title(self, module: Module) -> str:
        return module.shown_title

    @admin.display(description="Pushed", ordering="pushed_at")
    def pushed(self, module: Module) -> str:
        return day(module.pushed_at)

    @admin.display(description="Used", ordering="times_used")
    def used(self, module: Module) -> int:
        return module.times_used

    @admin.display(description="Trouble")
    def trouble(self, module: Module) -> str:
        problem = module.problem or module.tags_problem
        return problem.headline if problem else ""

    @admin.display(description="Since", ordering=_BEGAN)
    def began(self, module: Module) -> str:
        return day(since(module.error or module.tags_error))

    @admin.display(description="Problem")
    def told(self, module: Module) -> SafeString:
        return told(module.error)

    @admin.display(description="Keywords")
    def words(self, module: Module) -> str:
        return ", ".join(map(str, module.keywords)) or NOTHING

    @admin.display(description="Tags")
    def tag_names(self, module: Module) -> str:
        return ", ".join(tag["name"] for tag in module.tags) or NOTHING

    @admin.display(description="Problem with the tags")
    def tags_told(self, module: Module) -> SafeString:
        return told(module.tags_error)

    @admin.display(description="Oddities")
    def odd(self, module: Module) -> SafeString:
        return lines(module.remarks) if module.remarks else format_html("{}", NOTHING)
