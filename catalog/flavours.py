"""Which hardware a tag's name says its image is made for, and which tag fits a choice of hardware.

Tags are case-sensitive and stay as the registry writes them; only the look for "cpu" and "gpu" folds case.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Flavour = Literal["cpu", "gpu", ""]

_WORDS = re.compile(r"[^a-z]+")
_GROUPS: "dict[Flavour, StrOrPromise]" = {"cpu": _("For CPU"), "gpu": _("For GPU"), "": _("Hardware not stated")}


def tag_flavour(name: str) -> Flavour:
    """ "cpu" or "gpu" when one of the words of a tag says so ("GPU-Test", "tf2.9.1-gpu", "cuda11"), else ""."""
    words = _WORDS.split(name.casefold())
    if "gpu" in words or "cuda" in words:
        return "gpu"
    return "cpu" if "cpu" in words else ""


def group_tags(tags: Sequence[str], hardware: str = "") -> list[tuple[str, list[str]]]:
    """Tags for a grouped select: (heading, tags) with the group of the chosen hardware first, empty ones left out.

    Within a group the given order stays.
    """
    order: list[Flavour] = ["gpu", "cpu", ""] if hardware.casefold() == "gpu" else ["cpu", "gpu", ""]
    groups = [(_GROUPS[flavour], [tag for tag in tags if tag_flavour(tag) == flavour]) for flavour in order]
    return [(str(heading), found) for heading, found in groups if found]


def best_tag(tags: Sequence[str], hardware: str = "", default: str = "") -> str:
    """The tag to choose when nobody has chosen: exactly one of ``tags``, in its own case, "" when there is none.

    ``default`` (a curator's, or a link's) wins if it exists. Then the tag named just as the hardware, the first of
    its flavour, ``latest``, the first that states no hardware, the first.
    """
    if default in tags:
        return default
    wanted = hardware.casefold()
    named = [tag for tag in tags if tag.casefold() == wanted]
    flavoured = [tag for tag in tags if wanted and tag_flavour(tag) == wanted]
    latest = [tag for tag in tags if tag == "latest"]
    neutral = [tag for tag in tags if not tag_flavour(tag)]
    return next(iter([*named, *flavoured, *latest, *neutral, *tags]), "")
