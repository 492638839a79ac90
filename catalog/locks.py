"""Which cards of a page are locked: modules whose templates are all for other groups than the visitor's."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from django.db.models import Q

from catalog.audience import Audience, groups_of
from catalog.models import Module, ModuleTemplate, Template
from deepdash.config import config

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def mark_locked(cards: Callable[[], Iterable[Module]], user: "User | AnonymousUser") -> tuple[str, ...]:
    """Set ``locked_for`` of each card's module that ``user`` can't deploy for want of a group.

    ``cards`` is called only where something may be locked. Returns what was set, one text per card, or nothing.
    One statement where no template is closed to them, as on nearly all sites, else two. A common template that admits
    them unlocks every module.
    """
    groups = groups_of(user)
    files = set(config.COMMON_TOSCAS.values())
    usable = Template.objects.usable()
    common = Q(source=Template.Source.FOLDER, filename__in={file.rpartition("/")[2] for file in files})
    rows = usable.filter(common | ~Q(audience={})).order_by().values_list("source", "path", "filename", "audience")
    found = [(source, {path, filename}, Audience.stored(audience)) for source, path, filename, audience in rows]
    if all(audience.admits(groups) for _, _, audience in found):
        return ()
    shared = [audience for source, names, audience in found if source == Template.Source.FOLDER and files & names]
    if any(audience.admits(groups) for audience in shared):
        return ()
    modules = list(cards())
    links = ModuleTemplate.objects.filter(module__in=[module.pk for module in modules], template__in=usable)
    own: dict[int, list[Audience]] = defaultdict(list)
    for module_id, audience in links.values_list("module_id", "template__audience"):
        own[module_id].append(Audience.stored(audience))
    for module in modules:
        audiences = [*own[module.pk], *shared]
        if audiences and not any(audience.admits(groups) for audience in audiences):
            shown = [audience for audience in audiences if not audience.private]
            module.locked_for = shown[0].wanted() if shown else "whom its templates name"
    return tuple(module.locked_for for module in modules)
