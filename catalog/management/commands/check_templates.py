"""``manage.py check_templates``: what is wrong with TOSCA templates, for their authors and for CI."""

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from catalog.models import TypeFile
from catalog.sources.fetch import github_session
from catalog.sources.folder import FoundFile, read_templates, read_text
from catalog.sources.places import below_base
from catalog.sources.types import read_type_file
from catalog.tosca.description import Input, TemplateDescription, as_words
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template, plain
from catalog.tosca.reading import read_template
from catalog.tosca.types import closure, import_urls, load_types
from catalog.tosca.verdict import Checker
from deepdash.config import config
from deepdash.errors import Problem


class Command(BaseCommand):
    requires_system_checks = ()  # whoever writes templates need not have a dashboard set up
    help = "Say for each template below a path what tosca-parser thinks of it and which form it makes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a template, or a folder of templates")
        parser.add_argument("--strict", action="store_true", help="end with status 1 unless all are valid")
        parser.add_argument("--offline", action="store_true", help="fetch no types that are not known already")

    def handle(self, *args: Any, **options: Any) -> None:
        types = _Types(fetches=not options["offline"])
        readable = valid = 0
        files = _files(options["path"])
        with Checker() as checker:
            for file in files:
                try:
                    if file.error:
                        raise Refused(file.error)
                    data = plain(load_template(file.text))
                except Refused as error:
                    self.stdout.write(self.style.ERROR(f"{file.path}: can't be read. {error}"))
                    continue
                readable += 1
                verdict = checker.check(file.text, types.reached_from(import_urls(data)))
                valid += verdict.verdict == "valid"
                style = self.style.SUCCESS if verdict.verdict == "valid" else self.style.WARNING
                self.stdout.write(style(f"{file.path}: {verdict.verdict.replace('_', ' ')}"))
                for message in verdict.errors:
                    self.stdout.write(f"    ! {message}")
                for message in types.told():
                    self.stdout.write(f"    ! {message}")
                reading = read_template(file.text)
                for note in reading.notes:
                    self.stdout.write(f"    ! {note}")
                self._show_form(reading.description, options["verbosity"])
        self.stdout.write(
            f"{len(files)} templates: {valid} valid, {readable} usable, {len(files) - readable} can't be read."
        )
        if readable < len(files) or (options["strict"] and valid < len(files)):
            raise CommandError("Not all templates are as they should be.")

    def _show_form(self, description: TemplateDescription, verbosity: int) -> None:
        kind = description.kind or "no known kind"
        self.stdout.write(f"    {len(description.inputs)} inputs, {len(description.outputs)} outputs, {kind}")
        if verbosity > 1:
            for item in description.inputs:
                self.stdout.write(f"    - {_line(item)}")


def _line(item: Input) -> str:
    parts = [f"{item.name}: {item.type}"]
    if item.entry_schema:
        parts.append(f"of {item.entry_schema.type}")
    if item.required:
        parts.append("(required)")
    if item.has_default and not item.secret:
        parts.append(f"= {as_words(item.default)}")
    parts += [f"[{constraint.kind} {constraint.value}]" for constraint in item.constraints]
    return " ".join(parts)


def _files(path: Path) -> list[FoundFile]:
    try:
        if path.is_dir():
            return read_templates(path)
        return [FoundFile(path.name, read_text(path))]
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} can't be read: {error}") from None
    except Problem as problem:
        raise CommandError(problem.detail) from None


class _Types:
    """The types the last refresh has read, local files that TOSCA_TYPES names, and what is fetched when needed."""

    def __init__(self, *, fetches: bool) -> None:
        self._session = github_session() if fetches else None
        self._texts = _local_types()
        self._loaded: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, str] = {}
        self._told: list[str] = []
        with suppress(DatabaseError):  # an author's machine has no database of ours
            self._texts = {**dict(TypeFile.objects.exclude(raw="").values_list("url", "raw")), **self._texts}
        for url in list(self._texts):
            self._load(url)

    def reached_from(self, urls: list[str]) -> dict[str, str]:
        """The texts of all type files that these addresses lead to."""
        self._told = []
        while True:
            reached, missing = closure(urls, self._loaded)
            wanted = [url for url in missing if url not in self._failed]
            if not wanted or self._session is None:
                self._told = [self._failed[url] for url in missing if url in self._failed]
                return {url: self._texts[url] for url in reached}
            for url in wanted:
                try:
                    self._texts[url] = read_type_file(self._session, url).text or ""
                    self._load(url)
                except Problem as problem:
                    why = problem.detail if problem.id == "catalog:source" else problem.headline
                    self._failed[url] = f"{url} can't be fetched. {why}"

    def told(self) -> list[str]:
        """Why types of the last call are missing."""
        return self._told

    def _load(self, url: str) -> None:
        try:
            self._loaded[url] = load_types(self._texts[url])
        except Refused as error:
            self._failed[url] = f"{url} can't be read. {error}"


def _local_types() -> dict[str, str]:
    texts = {}
    for url, place in config.TOSCA_TYPES.items():
        if not place.startswith(("http://", "https://")):
            try:
                texts[url] = read_text(below_base(place))
            except (OSError, ValueError) as error:
                raise CommandError(f"TOSCA_TYPES: {place} can't be read: {error}") from None
    return texts
