"""MODULES.yml: the list of modules (contract 10.1)."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_yaml
from deepdash.errors import Problem

_NOT_IN_SLUG = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True)
class ListedModule:
    """An entry: the address of its repository, tidied, and the slug that follows from it."""

    slug: str
    url: str


@dataclass(frozen=True)
class ModuleList:
    """The entries, each once, and a sentence about each that was left out."""

    modules: tuple[ListedModule, ...]
    remarks: tuple[str, ...]


def parse_modules(text: str) -> ModuleList:
    """Read the list, entry by entry: an odd one is left out and remarked on.

    Raises Problem "catalog:malformed" when there is no list at all, or none of its entries can be used (an empty
    file upstream must not retire the whole catalogue).
    """
    try:
        data = load_yaml(text)
    except Refused as error:
        raise Problem("catalog:malformed", detail=str(error), what="The list of modules") from None
    if not isinstance(data, list):
        raise Problem("catalog:malformed", detail="It is no list.", what="The list of modules")
    found: dict[str, ListedModule] = {}
    remarks = []
    for number, entry in enumerate(data, start=1):
        url = entry.get("module") if isinstance(entry, dict) else entry
        module = listed_module(url) if isinstance(url, str) else None
        if module is None:
            remarks.append(f"Entry {number} names no module.")
        elif module.slug in found:
            same = found[module.slug].url.casefold() == module.url.casefold()
            remarks.append(f"Entry {number} repeats {module.slug}{'' if same else f', as {module.url}'}.")
        else:
            found[module.slug] = module
    if not found:
        raise Problem("catalog:malformed", detail="It lists no module.", what="The list of modules")
    return ModuleList(tuple(found.values()), tuple(remarks))


def listed_module(url: str) -> ListedModule | None:
    """The module at an address, or None when it is no web address with a name at its end.

    ``/``, ``.git`` and ``/tree/<branch>`` at the end do not count; the slug is the rest's last part in lower case,
    with ``-`` for anything but letters and digits.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.username
        or len(url) > 500
        or not url.isprintable()
    ):
        return None
    path = re.sub(r"/+", "/", parts.path).partition("/tree/")[0].rstrip("/").removesuffix(".git").rstrip("/")
    slug = _NOT_IN_SLUG.sub("-", path.rpartition("/")[2].casefold()).strip("-")[:120]
    return ListedModule(slug, f"{parts.scheme}://{parts.netloc}{path}") if slug else None
