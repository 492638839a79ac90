"""Refreshes the modules: MODULES.yml, each module's metadata and tags, and which templates they name."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from catalog import facets
from catalog.flavours import tag_flavour
from catalog.markdown import render
from catalog.models import Module, ModuleFacet, ModuleIndex, ModuleTemplate, Template
from catalog.models.module import CURATED, DEVELOPMENT_SLUG, EXTERNAL_SLUG
from catalog.problems import noted
from catalog.refresh.jobs import Jobs
from catalog.refresh.renames import successors
from catalog.refresh.runs import UNCHANGED, Report
from catalog.sources.dockerhub import DockerHub, Tags
from catalog.sources.fetch import Fetched, fetch
from catalog.sources.metadata import ModuleMetadata, parse_metadata, read_metadata
from catalog.sources.modules import ListedModule, parse_modules
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceError, ServiceSession

METHOD = "2"  # changes when the same metadata is to be read anew
# All a refresh may write; what curators say is not among it.
UPSTREAM = (
    "kind", "state", "url", "title", "summary", "description_md", "description_html", "keywords",
    "capabilities", "frameworks", "licence", "created_on", "docker_image", "docker_tags", "dockerfile_url",
    "code_url", "dataset_url", "weights_url", "cite_url", "training_files_url", "ci_url", "metadata", "remarks",
    "metadata_etag", "metadata_digest", "branch", "fetched_at", "error", "tags", "tags_etag", "tags_read_at",
    "tags_error", "flavours", "pushed_at", "gone_at",
)  # fmt: skip
_AS_IN_METADATA = (
    "title", "summary", "licence", "created_on", "docker_image", "dockerfile_url", "code_url", "dataset_url",
    "weights_url", "cite_url", "training_files_url", "ci_url",
)  # fmt: skip


@dataclass(frozen=True)
class _Before:
    """What is known of a module when its reading begins; read-only, since another thread looks at it."""

    branch: str = ""
    metadata_etag: str = ""
    metadata_digest: str = ""
    docker_image: str = ""
    tags_etag: str = ""


@dataclass(frozen=True)
class _Reading:
    """What one module's sources said. None means that nothing changed."""

    metadata: ModuleMetadata | Problem | None
    digest: str
    fetched: Fetched | None
    tags: Tags | Problem | None


@dataclass
class ModuleRefresh:
    """One refresh of all modules. Call ``start``, drain, ``missing_templates``, …, ``link``, ``retire``."""

    jobs: Jobs
    report: Report
    github: ServiceSession
    hub: DockerHub
    _listed: set[str] = field(default_factory=set)
    _stored: set[str] = field(default_factory=set)
    _new: set[str] = field(default_factory=set)
    _list_read: bool = False

    def start(self) -> None:
        """Begin with the list; the modules follow as soon as it is there."""
        Module.objects.get_or_create(
            slug=EXTERNAL_SLUG,
            defaults={
                "kind": Module.Kind.EXTERNAL,
                "title": "Run your own module",
                "summary": "Deploy a Docker image of your own that follows the DEEP conventions.",
                "tags": [{"name": "latest", "size": None, "pushed_at": None}],
            },
        )
        if not config.MODULES_YML:
            problem = Problem("catalog:source", what="The list of modules", detail="MODULES_YML is not set.")
            self.report.item("source", "modules", "failed", problem)
            return
        index = ModuleIndex.objects.filter(url=config.MODULES_YML).first() or ModuleIndex(url=config.MODULES_YML)
        self.jobs.add(
            "modules", partial(fetch, self.github, index.url, etag=index.etag), partial(self._index_read, index)
        )

    def start_one(self, slug: str) -> None:
        """Begin with one module that is known, instead of ``start``; it is not looked up in the list."""
        module = (
            Module.objects.filter(slug=slug).exclude(kind=Module.Kind.EXTERNAL).only("slug", "url", "state").first()
        )
        if module and module.state != Module.State.GONE:
            self._ask_modules([ListedModule(module.slug, module.url)])

    def missing_templates(self, in_folder: set[str]) -> set[str]:
        """Addresses of templates that modules name and the folder lacks."""
        links = ModuleTemplate.objects.exclude(module__state=Module.State.GONE)
        files = set(links.values_list("file", flat=True))
        return {file for file in files if file_name(file) not in in_folder}

    def link(self) -> None:
        """Point each module's links to the templates they name, and note which are missing or unreadable."""
        templates = Template.objects.for_list().filter(state=Template.State.LIVE)
        by_name: dict[str, list[Template]] = {}
        for template in templates.order_by("source", "path"):
            for name in template.names():
                by_name.setdefault(name, []).append(template)
        for link in ModuleTemplate.objects.exclude(module__state=Module.State.GONE).select_related("template"):
            found = _best(link.file, by_name.get(file_name(link.file), []))
            if found is None:
                error = noted(Problem("catalog:no-template", file=file_name(link.file)), link.error)
            elif found.verdict == Template.Verdict.UNREADABLE:
                error = noted(Problem("catalog:bad-template", file=file_name(link.file)), link.error)
            else:
                error = {}
            if (link.template_id, link.error) != (found.pk if found else None, error):
                link.template, link.error = found, error
                link.save(update_fields=["template", "error"])

    def retire(self) -> None:
        """Mark modules that the list no longer names, if it could be read."""
        if not self._list_read:
            return
        gone = list(
            Module.objects.exclude(kind=Module.Kind.EXTERNAL)
            .exclude(state=Module.State.GONE)
            .exclude(slug__in=self._listed)
            .defer("metadata", "description_html", "tags", "search_text")
        )
        heirs = successors(gone, Module.objects.filter(slug__in=self._new)) if gone and self._new else {}
        for module in gone:
            heir = heirs.get(module.pk)
            if heir:
                for name in CURATED:
                    setattr(heir, name, getattr(module, name))
                heir.save(update_fields=CURATED)
            Module.objects.filter(pk=module.pk).update(state=Module.State.GONE, gone_at=timezone.now(), successor=heir)
            self.report.item("module", module.slug, "gone", note=f"It is now {heir.slug}." if heir else "")

    # -- results of calls ---------------------------------------------------------------------------------

    def _index_read(self, index: ModuleIndex, result: Fetched | Problem) -> None:
        problem = result if isinstance(result, Problem) else None
        before = (index.digest, index.etag, index.error)
        listed = None
        if isinstance(result, Fetched) and result.text is not None:
            try:
                listed = parse_modules(result.text)
            except Problem as error:
                problem = error
            else:
                digest = hashlib.sha256(result.text.encode()).hexdigest()
                if digest != index.digest:
                    index.raw, index.digest, index.fetched_at = result.text, digest, timezone.now()
                index.etag = result.etag
        index.error = noted(problem, index.error) if problem else {}
        if index._state.adding or before != (index.digest, index.etag, index.error):
            index.save()
        self._list_read = problem is None
        if listed is None and index.raw:
            listed = parse_modules(index.raw)
        remarks = " ".join(listed.remarks) if listed else ""
        self.report.item("source", "modules", "failed" if problem else UNCHANGED, problem, remarks)
        if listed:
            self._ask_modules([module for module in listed.modules if module.slug != EXTERNAL_SLUG])

    def _ask_modules(self, listed: list[ListedModule]) -> None:
        self._listed = {module.slug for module in listed}
        known = {
            slug: _Before(*rest)
            for slug, *rest in Module.objects.values_list(
                "slug", "branch", "metadata_etag", "metadata_digest", "docker_image", "tags_etag"
            )
        }
        self._stored = set(known)
        for module in listed:
            before = known.get(module.slug, _Before())
            self.jobs.add(
                module.slug,
                partial(_read_module, self.github, self.hub, module, before),
                partial(self._module_read, module),
            )

    def _module_read(self, listed: ListedModule, result: _Reading | Problem) -> None:
        if isinstance(result, Problem):
            result = _Reading(result, "", None, None)
        with transaction.atomic():
            new = listed.slug not in self._stored
            # Read again and locked: a curator may have saved meanwhile, and what is derived rests on their words.
            module = Module(slug=listed.slug) if new else Module.objects.select_for_update().get(slug=listed.slug)
            before = {name: getattr(module, name) for name in UPSTREAM}
            module.url = listed.url
            module.kind = Module.Kind.DEVELOPMENT if listed.slug == DEVELOPMENT_SLUG else Module.Kind.MODULE
            self._take_metadata(module, result)
            self._take_tags(module, result.tags)
            problem = module.problem
            broken = bool(module.error) and (not module.metadata or not _passing(module.error))
            module.state, module.gone_at = (Module.State.BROKEN if broken else Module.State.LIVE), None
            changed = new or any(before[name] != getattr(module, name) for name in UPSTREAM)
            if new:
                module.save()
                self._new.add(module.slug)
            elif changed:
                module.save(update_fields=UPSTREAM)
            if isinstance(result.metadata, ModuleMetadata):
                _store_facets(module, result.metadata, new=new)
                _store_links(module, result.metadata, new=new)
        outcome = "failed" if problem else "new" if new else "changed" if changed else UNCHANGED
        self.report.item("module", listed.slug, outcome, problem or module.tags_problem)

    def _take_metadata(self, module: Module, result: _Reading) -> None:
        metadata = result.metadata
        if isinstance(metadata, Problem):
            if metadata.id == "catalog:malformed" and not module.metadata:  # there is no last good version to show
                metadata = Problem("catalog:never-read", detail=metadata.detail, **metadata.facts)
            module.error = noted(metadata, module.error)
            module.title = module.title or module.url.rpartition("/")[2]
            return
        if result.fetched:
            module.metadata_etag, module.branch = result.fetched.etag, result.fetched.branch
        if metadata is not None:
            _take_words(module, metadata, result.digest)
        no_image = Problem("catalog:no-image")  # unchanged metadata without one is no better for being unchanged
        module.error = {} if module.docker_image else noted(no_image, module.error)

    def _take_tags(self, module: Module, tags: Tags | Problem | None) -> None:
        if tags is None:
            return
        if isinstance(tags, Problem):
            module.tags_error = noted(tags, module.tags_error)
            return
        module.tags_error, module.tags_etag = {}, tags.etag
        if tags.tags is None:
            return
        offered = [tag for tag in tags.tags if tag.name in module.docker_tags] or tags.tags
        found = [
            {"name": tag.name, "size": tag.size, "pushed_at": tag.pushed_at.isoformat() if tag.pushed_at else None}
            for tag in offered
        ]
        if found != module.tags or module.tags_read_at is None:
            module.tags, module.tags_read_at = found, timezone.now()
        module.flavours = sorted({tag_flavour(tag.name) for tag in offered} - {""})
        module.pushed_at = max((tag.pushed_at for tag in offered if tag.pushed_at), default=None)


def file_name(file: str) -> str:
    """The file name at the end of an address or path."""
    return urlsplit(file).path.rpartition("/")[2] or file


def _read_module(github: ServiceSession, hub: DockerHub, module: ListedModule, before: _Before) -> _Reading:
    """Ask for a module's metadata and then for its tags; runs in a thread, each failure stays its own."""
    etag = before.metadata_etag if before.metadata_digest.startswith(f"{METHOD}:") else ""
    metadata: ModuleMetadata | Problem | None = None
    fetched, digest, image = None, "", before.docker_image
    try:
        fetched = read_metadata(github, module.url, branch=before.branch, etag=etag)
        if fetched.text is not None:
            digest = f"{METHOD}:{hashlib.sha256(fetched.text.encode(errors='surrogatepass')).hexdigest()[:60]}"
            if digest != before.metadata_digest:
                metadata = parse_metadata(fetched.text)
                image = metadata.docker_image
    except ServiceError as error:
        missing = error.id == "service:missing"
        metadata = Problem("catalog:no-metadata", detail=error.detail) if missing else error
    except Problem as problem:
        metadata = problem
    tags: Tags | Problem | None = None
    if image:
        try:
            # New metadata may name another image, or restrict its tags: then all of them have to be seen.
            tags = hub.read_tags(image, etag=before.tags_etag if metadata is None else "")
        except Problem as problem:
            tags = problem
    return _Reading(metadata, digest, fetched, tags)


def _passing(error: Mapping[str, Any]) -> bool:
    """Whether a stored problem lies with a service, and says nothing of the module itself."""
    return str(error.get("id", "")).startswith("service:")


def _take_words(module: Module, metadata: ModuleMetadata, digest: str) -> None:
    """What the metadata says, into the module's columns."""
    for name in _AS_IN_METADATA:
        setattr(module, name, getattr(metadata, name))
    module.description_md, module.description_html = metadata.description, render(metadata.description)
    module.keywords, module.docker_tags = list(metadata.keywords), list(metadata.docker_tags)
    found = facets.facets_of(metadata.keywords, metadata.licence)
    module.capabilities = [facet.label for facet in found if facet.kind == facets.CAPABILITY]
    module.frameworks = [facet.label for facet in found if facet.kind == facets.FRAMEWORK]
    module.metadata, module.remarks = metadata.raw, list(metadata.remarks)
    module.metadata_digest, module.fetched_at = digest, timezone.now()


def _store_facets(module: Module, metadata: ModuleMetadata, *, new: bool) -> None:
    wanted = {(facet.kind, facet.value, facet.label) for facet in facets.facets_of(metadata.keywords, metadata.licence)}
    if not new:
        if wanted == set(module.facets.values_list("kind", "value", "label")):
            return
        module.facets.all().delete()
    ModuleFacet.objects.bulk_create(
        ModuleFacet(module=module, kind=kind, value=value, label=label) for kind, value, label in sorted(wanted)
    )


def _store_links(module: Module, metadata: ModuleMetadata, *, new: bool) -> None:
    wanted = [(position, link.file, link.title) for position, link in enumerate(metadata.tosca)]
    if not new:
        if wanted == list(module.template_links.values_list("position", "file", "title")):
            return
        module.template_links.all().delete()
    ModuleTemplate.objects.bulk_create(
        ModuleTemplate(module=module, position=position, file=file, title=title) for position, file, title in wanted
    )


def _best(file: str, candidates: list[Template]) -> Template | None:
    """Of templates with the right file name: the one at that very address or path, readable ones before others."""

    def rank(template: Template) -> tuple[bool, bool]:
        return not template.usable, not (file == template.path or file.endswith(f"/{template.path}"))

    return min(candidates, key=rank, default=None)
