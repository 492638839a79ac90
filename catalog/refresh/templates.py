"""Refreshes the templates: folder, types they import, parameters files, verdicts."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog.audience import audience_of
from catalog.models import Template, TemplateVersion, TypeFile
from catalog.problems import noted
from catalog.refresh.jobs import Jobs
from catalog.refresh.renames import renamed_templates
from catalog.refresh.runs import UNCHANGED, Report
from catalog.sources import folder, git
from catalog.sources.fetch import Fetched, fetch
from catalog.sources.pictures import picture_address
from catalog.sources.places import TemplatePlace, metadata_folder, parameters_folder, raw_address, template_place
from catalog.sources.types import read_type_file
from catalog.tosca.description import TemplateDescription
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template, plain
from catalog.tosca.overrides import overridden_base
from catalog.tosca.parameters import template_base
from catalog.tosca.reading import read_template
from catalog.tosca.types import closure, import_urls, load_types
from catalog.tosca.verdict import UNREADABLE, Checker, Verdict
from deepdash.errors import Problem
from deepdash.http import ServiceError, ServiceSession
from deepdash.inert import one_line

MAX_REFUSAL = 600  # characters
MAX_ADDRESS = 500  # characters, as the database keeps them
METHOD = "5"  # changes when the same text is to be described or judged anew
Key = tuple[str, str]  # source, path


@dataclass(frozen=True)
class _Text:
    """A template as it was found: its text and imports, or why it can't be read."""

    key: Key
    text: str
    digest: str
    imports: tuple[str, ...] = ()
    refusal: str = ""
    etag: str = ""


@dataclass(frozen=True)
class _Folders:
    """The folder of templates and those of the files beside them, read at one moment."""

    texts: dict[Key, _Text]
    commit: str
    parameters: dict[str, str]
    overrides: dict[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Inspection:
    description: TemplateDescription
    verdict: Verdict


@dataclass
class TemplateRefresh:
    """One refresh of all templates. Call ``start``, drain, ``fetch_linked``, drain, ``judge``, drain, ``retire``."""

    jobs: Jobs
    report: Report
    github: ServiceSession
    checker: Checker
    _known: dict[Key, Template] = field(default_factory=dict)
    _found: dict[Key, _Text] = field(default_factory=dict)
    _seen: set[Key] = field(default_factory=set)  # there, whether readable or not
    _read: bool = False  # the folder was read, so what was not seen is gone
    _parameters: dict[str, str] = field(default_factory=dict)
    _overrides: dict[str, str] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)
    _loaded_types: dict[str, dict[str, Any]] = field(default_factory=dict)
    _asked_types: set[str] = field(default_factory=set)
    _commit: str = ""

    def start(self) -> None:
        """Begin to read the folder and the types that known templates import."""
        known = Template.objects.for_list()
        self._known = {(item.source, item.path): item for item in known}
        place = template_place()
        if place is None:
            problem = Problem("catalog:source", what="The templates folder", detail="TOSCA_TEMPLATES_DIR is not set.")
            self.report.item("source", "templates", "failed", problem)
        else:
            self.jobs.add("templates", partial(_read_folders, place), self._folders_read)
        for key, template in self._known.items():
            if key[0] == Template.Source.METADATA and template.state == Template.State.LIVE:
                self._ask_types(template.imports)

    def fetch_linked(self, addresses: set[str]) -> None:
        """Read templates that modules name by address and that are not in the folder."""
        for address in sorted(addresses):
            template = self._known.get((Template.Source.METADATA, address))
            place = raw_address(address)
            if place:
                etag = template.etag if template else ""
                self.jobs.add(
                    address,
                    partial(_read_linked, self.github, address, place, etag),
                    partial(self._linked_read, address),
                )

    def folder_names(self) -> set[str]:
        """File names of the templates in the folder, also those they had before."""
        known = [item for key, item in self._known.items() if key[0] == Template.Source.FOLDER]
        if not self._read:
            return {item.filename for item in known}
        new = {path.rpartition("/")[2] for source, path in self._seen if source == Template.Source.FOLDER}
        return new.union(*(item.names() for item in known if (item.source, item.path) in self._seen))

    def judge(self) -> None:
        """Describe and judge every template for which anything changed that this rests on."""
        for key in sorted(self._seen):
            template, found = self._known.get(key), self._found.get(key)
            if found and found.refusal:
                self._refuse(key, found)
                continue
            imports = found.imports if found else tuple(template.imports) if template else ()
            digest = found.digest if found else template.digest if template else ""
            reached, _ = closure(imports, self._loaded_types)
            base = template_base(key[1].rpartition("/")[2])
            parameters, overrides = self._parameters.get(base, ""), self._overrides.get(base, "")
            basis = _digest(METHOD, digest, parameters, overrides, *(_digest(url, self._types[url]) for url in reached))
            if template and template.basis == basis:
                self._unchanged(template)
                continue
            if found is None and template and not template.digest:
                continue  # never readable, and still as it was
            text = found.text if found else Template.objects.values_list("raw", flat=True).get(pk=self._known[key].pk)
            types = {url: self._types[url] for url in reached}
            self.jobs.add(
                key[1],
                partial(_inspect, self.checker, text, parameters, overrides, types),
                partial(self._inspected, key, basis, found),
            )

    def _follow_renames(self) -> None:
        """A template of the folder that is gone while its text appeared elsewhere, as it was or changed, was renamed:
        it is the same row under another path, so that links, versions and records of deployments stay with it."""
        folder = {key: item for key, item in self._known.items() if key[0] == Template.Source.FOLDER}
        gone = [item for key, item in folder.items() if key not in self._seen and item.state == Template.State.LIVE]
        new = {
            key[1]: found
            for key, found in sorted(self._found.items())
            if key not in self._known and key[0] == Template.Source.FOLDER and not found.refusal
        }
        if not gone or not new:
            return
        by_digest = Counter(item.digest for item in gone)
        for path, found in list(new.items()):
            same = [item for item in gone if item.digest == found.digest]
            if by_digest[found.digest] == 1 and same:
                gone.remove(same[0])
                del new[path]
                self._move(same[0], path)
            elif same:
                del new[path]  # any of several: no telling which
        ambiguous = {digest for digest, count in by_digest.items() if count > 1}
        unlike = [item for item in gone if item.digest and item.digest not in ambiguous]
        staying = [item.pk for key, item in folder.items() if key in self._seen]
        texts = {path: found.text for path, found in new.items()}
        for path, template in renamed_templates(unlike, texts, staying).items():
            self._move(template, path)

    def _move(self, template: Template, path: str) -> None:
        del self._known[template.source, template.path]
        name = path.rpartition("/")[2][:255]
        if name != template.filename:
            template.former_names = "\n".join(["", *dict.fromkeys(template.names()[:10]), ""])
        self.report.item("template", path, "renamed", note=f"It was {template.path}.")
        template.path, template.filename = path, name
        template.save(update_fields=["path", "filename", "former_names"])
        self._known[template.source, path] = template

    def retire(self) -> None:
        """Mark what is gone: from the folder, if it could be read, and what no module names any more."""
        for key, template in self._known.items():
            folder_unread = key[0] == Template.Source.FOLDER and not self._read
            if template.state == Template.State.GONE or key in self._seen or folder_unread:
                continue
            template.state = Template.State.GONE
            template.save(update_fields=["state"])
            self.report.item("template", template.path, "gone")

    # -- results of calls ---------------------------------------------------------------------------------

    def _folders_read(self, result: _Folders | Problem) -> None:
        if isinstance(result, Problem):
            self.report.item("source", "templates", "failed", result)
            self._seen |= {key for key, item in self._known.items() if key[0] == Template.Source.FOLDER and item.digest}
            return
        for problem in result.problems:
            self.report.item("source", "templates", "failed", problem)
        self._commit, self._parameters, self._overrides = result.commit, result.parameters, result.overrides
        for key, text in result.texts.items():
            self._note(key, text)
        for template in self._known.values():
            if (template.source, template.path) in self._seen:
                self._ask_types(template.imports)
        self._read = True  # only now: what is not seen by the end counts as gone
        self._follow_renames()

    def _linked_read(self, address: str, result: "_Text | Problem | None") -> None:
        key = (Template.Source.METADATA.value, address)
        template = self._known.get(key)
        if isinstance(result, Problem):
            gone = isinstance(result, ServiceError) and result.id == "service:missing"
            if template and not gone:
                self._seen.add(key)
            self.report.item("template", address, "failed", result)
            return
        if result is not None:
            self._note(key, result)
        elif template:
            self._seen.add(key)
            self._ask_types(template.imports)

    def _note(self, key: Key, text: _Text) -> None:
        self._seen.add(key)
        template = self._known.get(key)
        if template is None or template.digest != text.digest or text.refusal:
            self._found[key] = text
            if not text.refusal:
                self.checker.prepare()
            self._ask_types(text.imports)

    def _ask_types(self, urls: "list[str] | tuple[str, ...]") -> None:
        new = [url for url in urls if url not in self._asked_types and len(url) <= MAX_ADDRESS]
        if not new:
            return
        self._asked_types.update(new)
        rows = {row.url: row for row in TypeFile.objects.filter(url__in=new)}
        for url in new:
            row = rows.get(url) or TypeFile(url=url)
            self.jobs.add(url, partial(read_type_file, self.github, url, etag=row.etag), partial(self._type_read, row))

    def _type_read(self, row: TypeFile, result: Fetched | Problem) -> None:
        problem = result if isinstance(result, Problem) else None
        before = (row.digest, row.etag, row.error)
        if isinstance(result, Fetched) and result.text is not None:
            try:
                load_types(result.text)
            except Refused as error:
                problem = Problem("catalog:malformed", detail=str(error), what="A file of TOSCA types")
            else:
                if _digest(result.text) != row.digest:
                    row.raw, row.digest, row.fetched_at = result.text, _digest(result.text), timezone.now()
                row.etag = result.etag
        row.error = noted(problem, row.error) if problem else {}
        if row._state.adding or before != (row.digest, row.etag, row.error):
            row.save()
        self.report.item("types", row.url, "failed" if problem else UNCHANGED, problem)
        if row.raw:
            self._types[row.url] = row.raw
            self._loaded_types[row.url] = load_types(row.raw)
            self._ask_types(import_urls(self._loaded_types[row.url]))

    def _inspected(self, key: Key, basis: str, found: _Text | None, result: _Inspection | Problem) -> None:
        if isinstance(result, Problem):
            self.report.item("template", key[1], "failed", result)
            return
        template = self._known.get(key) or Template(
            source=key[0], path=key[1], filename=key[1].rpartition("/")[2][:255]
        )
        new = template.pk is None
        replaced = bool(found and not new and template.digest and template.digest != found.digest)
        if found:
            template.raw, template.digest, template.imports = found.text, found.digest, list(found.imports)
            template.etag = found.etag
            template.commit = self._commit if key[0] == Template.Source.FOLDER else ""
        description = result.description
        name = description.metadata.get("display_name")
        template.kind, template.display_name = description.kind, str(name or "")[:300]
        template.description = description.model_dump(mode="json")
        template.fragment = bool(description.parents)
        template.icon_address = picture_address(description.metadata.get("icon"))
        template.audience = audience_of(description.metadata).as_dict()
        template.verdict, template.errors = result.verdict.verdict, [*map(one_line, result.verdict.errors)]
        template.basis, template.state, template.error = basis, Template.State.LIVE, {}
        template.last_seen = timezone.now()
        with transaction.atomic():
            if replaced:
                TemplateVersion.keep(template)
            template.save()
        self._known[key] = template
        self.report.item("template", key[1], "new" if new else "changed")

    # -- what does not need a call -------------------------------------------------------------------------

    def _refuse(self, key: Key, found: _Text) -> None:
        """Note that a template can't be read: a new one as such, a known one beside its last good version."""
        problem = Problem("catalog:bad-template", detail=found.refusal, file=key[1])
        template = self._known.get(key)
        error = noted(problem, template.error if template else {})
        if template and template.error == error and template.state == Template.State.LIVE:
            self.report.item("template", key[1], "failed", problem)
            return
        template = template or Template(source=key[0], path=key[1], filename=key[1].rpartition("/")[2][:255])
        if not template.digest:
            template.verdict, template.errors = UNREADABLE, [found.refusal]
        template.error, template.state, template.last_seen = error, Template.State.LIVE, timezone.now()
        template.save()
        self._known[key] = template
        self.report.item("template", key[1], "failed", problem)

    def _unchanged(self, template: Template) -> None:
        if template.state == Template.State.LIVE and not template.error:
            self.report.item("template", template.path, UNCHANGED)
            return
        template.state, template.error, template.last_seen = Template.State.LIVE, {}, timezone.now()
        template.save(update_fields=["state", "error", "last_seen"])
        self.report.item("template", template.path, "back")


def _read_folders(place: TemplatePlace) -> _Folders:
    problems: list[Problem] = []
    commit = ""
    if place.checkout:
        try:
            commit = git.update_checkout(place.checkout, place.repository)
        except Problem as problem:
            problems.append(problem)  # what was checked out before is still there to be read
        place = template_place() or place  # a first clone may have brought the folder that was looked for
    try:
        files = folder.read_templates(place.folder)
    except Problem:
        if problems:  # there is no folder because it could not be cloned, which says more
            raise problems[0] from None
        raise
    texts = [_examine((Template.Source.FOLDER.value, file.path), file.text, file.error) for file in files]
    parameters = _beside(parameters_folder(), folder.read_parameters, template_base, problems)
    overrides = _beside(metadata_folder(), folder.read_overrides, overridden_base, problems)
    return _Folders({text.key: text for text in texts}, commit, parameters, overrides, tuple(problems))


def _beside(
    where: Path | None,
    read: Callable[[Path], list[folder.FoundFile]],
    base: Callable[[str], str],
    problems: list[Problem],
) -> dict[str, str]:
    """The texts of a folder of files that belong to templates, by the base name of the template."""
    try:
        files = read(where) if where else []
    except Problem as problem:
        problems.append(problem)
        return {}
    return {base(file.path.rpartition("/")[2]): file.text for file in files if not file.error}


def _read_linked(github: ServiceSession, address: str, place: str, etag: str) -> _Text | None:
    fetched = fetch(github, place, etag=etag)
    if fetched.text is None:
        return None
    return _examine((Template.Source.METADATA.value, address), fetched.text, etag=fetched.etag)


def _examine(key: Key, text: str, error: str = "", etag: str = "") -> _Text:
    digest = _digest(text)
    if error:
        return _Text(key, text, digest, refusal=error)
    try:
        data = plain(load_template(text))
    except Refused as refusal:
        return _Text(key, text, digest, refusal=one_line(str(refusal))[:MAX_REFUSAL])
    return _Text(key, text, digest, tuple(import_urls(data)), etag=etag)


def _inspect(checker: Checker, text: str, parameters: str, overrides: str, types: Mapping[str, str]) -> _Inspection:
    reading = read_template(text, parameters=parameters, overrides=overrides)
    verdict = checker.check(text, types)
    return _Inspection(reading.description, Verdict(verdict.verdict, (*verdict.errors, *reading.notes)))


def _digest(*parts: str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part.encode("utf-8", errors="surrogatepass"))
        whole.update(b"\0")
    return whole.hexdigest()
