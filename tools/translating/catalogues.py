"""The catalogues of each language: complete, in step with the sources, true to what they translate, in our words."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polib

from deepdash.glossary import wrong_words
from tools.translating import Finding

# What has to be in a translation as it is in the original: gaps to be filled, and tags with their attributes.
_GAPS = re.compile(r"%\(\w+\)[sd]|\{\w*\}|</?[a-zA-Z][^<>]*>|#")

SYNONYMS = "also found by"  # what people may search for and pages do not say


def findings(root: Path) -> list[Finding]:
    """All of them, by language and entry."""
    found = []
    for path in sorted(root.glob("locale/*/LC_MESSAGES/django.po")):
        name = path.relative_to(root).as_posix()
        kept = path.read_bytes()
        found += [Finding(name, entry.linenum, what) for entry, what in _wrong(polib.pofile(str(path)))]
        _renew(root)
        if path.read_bytes() != kept:
            found.append(Finding(name, 1, "out of date: run manage.py makemessages"))
            path.write_bytes(kept)
    return found


def _renew(root: Path) -> None:
    subprocess.run([sys.executable, "manage.py", "makemessages", "-v0"], cwd=root, check=True)


def _wrong(catalogue: polib.POFile) -> list[tuple[polib.POEntry, str]]:
    """Entries, and what is wrong with each."""
    found = []
    for entry in catalogue:
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if entry.fuzzy:
            found.append((entry, f"fuzzy: {entry.msgid}"))
        elif not all(texts):
            found.append((entry, f"not translated: {entry.msgid}"))
        else:
            # The singular may leave out its number where the plural has it.
            originals = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
            for text in texts:
                said = min((differences(original, text) for original in originals), key=len)
                found += [(entry, f"{what}: {entry.msgid}") for what in said]
            if entry.msgctxt != SYNONYMS:
                found += [(entry, f"{what}: {original}") for original in originals for what in unlike_ours(original)]
    return found


def unlike_ours(original: str) -> list[str]:
    """Where an English text leaves the glossary, or has a typewriter's quotes."""
    bare = _GAPS.sub("", original)
    found = [f"“{said}” where others say “{term}”" for said, term in wrong_words(bare)]
    if "'" in bare or '"' in bare:
        found.append("a straight quote or apostrophe: “…” and ’ are ours")
    return found


def differences(original: str, text: str) -> list[str]:
    """Where a translation leaves its original: gaps, tags, quotes that would end an attribute, blanks at the ends."""
    found = []
    if Counter(_GAPS.findall(original)) != Counter(_GAPS.findall(text)):
        found.append("other gaps or tags")
    bare = _GAPS.sub("", text)
    if ('"' in bare and '"' not in _GAPS.sub("", original)) or "<" in bare:
        found.append("a straight quote or bracket, which would break an attribute")
    if "'" in bare:
        found.append("a straight apostrophe: ’ is ours")
    if text != text.strip() and original == original.strip():
        found.append("blanks at its ends")
    return found
