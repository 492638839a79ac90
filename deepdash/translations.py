"""The catalogues of translations: where they are, and how they become what gettext reads.

The ``.po`` files are kept, their compiled form is not: it would be in the way of every merge. It is made when the
dashboard is built or started, by a library, so that no machine needs GNU gettext to run it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings


def catalogues() -> Iterator[tuple[str, Path]]:
    """(language, its ``.po`` file) for each language but English, which needs none."""
    for code, _ in settings.LANGUAGES:
        if code != settings.LANGUAGE_CODE:
            yield code, settings.LOCALE_PATHS[0] / code / "LC_MESSAGES" / "django.po"


def compile_translations() -> list[Path]:
    """Compile the catalogues that changed since they were last compiled; those that did.

    Several processes may do so at once: each replaces the file as a whole.
    """
    made = []
    for _, source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        unfinished = target.with_suffix(f".{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(unfinished))
        unfinished.replace(target)
        made.append(target)
    return made
