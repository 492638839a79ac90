"""``manage.py makemessages``, Django's own with our habits: all languages, files that merge well.

No line numbers, dates or wrapped lines, which change with every edit elsewhere; entries in the order of the files they
are in, so that two people who work on different pages change different places. Nothing is guessed from similar
sentences: what is new is empty until somebody translates it.
"""

import re
from pathlib import Path
from typing import Any

import polib
from django.core.management.base import CommandParser
from django.core.management.commands import makemessages

from deepdash.translations import catalogues


class Command(makemessages.Command):
    msgmerge_options = ["--quiet", "--backup=none", "--update", "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(
            locale=[code for code, _ in catalogues()],
            add_location="file",
            no_wrap=True,
            no_obsolete=True,
            ignore_patterns=["benchmarks/*", "sandbox/*", "static/*", "var/*", "*/tests/*", "tests/*"],
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for _, path in catalogues():
            if path.exists():
                drop_doubles(path)
        super().handle(*args, **options)

    def write_po_file(self, potfile: str, locale: str) -> None:
        super().write_po_file(potfile, locale)
        path = Path(potfile).parent / locale / "LC_MESSAGES" / f"{self.domain}.po"
        text = re.sub(
            r'^"(POT-Creation-Date|PO-Revision-Date|X-Generator):.*\n', "", path.read_text("utf-8"), flags=re.M
        )
        path.write_text(text, "utf-8")


def drop_doubles(path: Path) -> None:
    """Of entries and lines that a merge of two branches left twice (see .gitattributes), one stays, the translated one.

    Raises OSError when the file can't be read all the same.
    """
    text = path.read_text("utf-8")
    single = re.sub(r'^(msgstr(?:\[\d\])?) ""\n(?=\1 ")', "", text, flags=re.M)  # untranslated on one side
    single = re.sub(r'^((msgstr(?:\[\d\])?) ".+"\n)(?:\2 ".*"\n)+', r"\1", single, flags=re.M)
    if single != text:
        path.write_text(single, "utf-8")
    catalogue = polib.pofile(str(path), wrapwidth=0)
    kept: dict[tuple[str | None, str], polib.POEntry] = {}
    for entry in catalogue:
        key = (entry.msgctxt, entry.msgid)
        if key not in kept or not kept[key].translated():
            kept[key] = entry
    if len(kept) < len(catalogue):
        catalogue[:] = kept.values()
        catalogue.save()
