"""Which cards of a page are locked: modules whose templates are all for other groups than the visitor's."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from catalog.audience import Audience, groups_of
from catalog.models import Module, ModuleTemplate, Template
from catalog.revisions import Signature
from deepdash.config import config

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Rules(NamedTuple):
    """Whom templates are for: of ``all`` that are common ones or not for everybody, and of the common ``shared``."""

    all: tuple[Audience, ...]
    shared: tuple[Audience, ...]


def mark_locked(
    cards: Callable[[], Iterable[Module]], user: "User | AnonymousUser", templates: Signature
) -> tuple[str, ...]:
    """Set ``locked_for`` of each card's module that ``user`` can't deploy for want of a group.

    ``cards`` is called only where something may be locked. Returns what was set, one text per card, or nothing.
    No statement where no template is closed to them, as on nearly all sites, else one; one more when ``templates``
    have changed. A common template that admits them unlocks every module.
    """
    groups = groups_of(user)
    rules = _rules(templates, frozenset(config.COMMON_TOSCAS.values()))
    if all(audience.admits(groups) for audience in rules.all):
        return ()
    if any(audience.admits(groups) for audience in rules.shared):
        return ()
    modules = list(cards())
    usable = Template.objects.usable()
    links = ModuleTemplate.objects.filter(module__in=[module.pk for module in modules], template__in=usable)
    own: dict[int, list[Audience]] = defaultdict(list)
    for module_id, audience in links.values_list("module_id", "template__audience"):
        own[module_id].append(Audience.stored(audience))
    for module in modules:
        audiences = [*own[module.pk], *rules.shared]
        if audiences and not any(audience.admits(groups) for audience in audiences):
            shown = [audience for audience in audiences if not audience.private]
            module.locked_for = shown[0].wanted() if shown else "whom its templates name"
    return tuple(module.locked_for for module in modules)


@lru_cache(maxsize=1)
def _rules(templates: Signature, files: frozenset[str]) -> Rules:
    """The rules of ``templates`` as they are in that state (one statement); ``files`` are the common ones."""
    common = Q(source=Template.Source.FOLDER, filename__in={file.rpartition("/")[2] for file in files})
    rows = Template.objects.usable().filter(common | ~Q(audience={})).order_by()
    found = [
        (Audience.stored(audience), source == Template.Source.FOLDER and bool(files & {path, filename}))
        for source, path, filename, audience in rows.values_list("source", "path", "filename", "audience")
    ]
    return Rules(tuple(audience for audience, _ in found), tuple(audience for audience, shared in found if shared))
