"""``manage.py check_templates``: what is wrong with TOSCA templates, for their authors and for CI."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.models import TypeFile
from catalog.sources.folder import FoundFile, read_templates, read_text
from catalog.sources.places import below_base
from catalog.tosca.description import Input, TemplateDescription, as_words
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template, plain
from catalog.tosca.reading import read_template
from catalog.tosca.types import closure, import_urls, load_types
from catalog.tosca.verdict import Checker
from deepdash.config import config
from deepdash.errors import Problem


class Command(BaseCommand):
    help = "Say for each template below a path what tosca-parser thinks of it and which form it makes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a template, or a folder of templates")
        parser.add_argument("--strict", action="store_true", help="end with status 1 unless all are valid")

    def handle(self, *args: Any, **options: Any) -> None:
        texts = _known_types()
        loaded = {url: load_types(text) for url, text in texts.items()}
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
                reached, _ = closure(import_urls(data), loaded)
                verdict = checker.check(file.text, {url: texts[url] for url in reached})
                valid += verdict.verdict == "valid"
                style = self.style.SUCCESS if verdict.verdict == "valid" else self.style.WARNING
                self.stdout.write(style(f"{file.path}: {verdict.verdict.replace('_', ' ')}"))
                for message in verdict.errors:
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


def _known_types() -> dict[str, str]:
    """The types the last refresh has read, and local files that TOSCA_TYPES names."""
    texts = dict(TypeFile.objects.exclude(raw="").values_list("url", "raw"))
    for url, place in config.TOSCA_TYPES.items():
        if not place.startswith(("http://", "https://")):
            try:
                texts[url] = read_text(below_base(place))
            except (OSError, ValueError) as error:
                raise CommandError(f"TOSCA_TYPES: {place} can't be read: {error}") from None
    return texts
