"""Which cards of a page are locked: modules whose templates are all for other groups than the visitor's."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from catalog.audience import Audience, groups_of
from catalog.models import Module, ModuleTemplate, Template
from deepdash.config import config

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


def mark_locked(modules: Iterable[Module], user: "User | AnonymousUser") -> None:
    """Set ``locked_for`` of each module that ``user`` can't deploy for want of a group.

    One statement where no template is closed to them, as on nearly all sites, else three at most. A common template
    that admits them unlocks every module.
    """
    groups = groups_of(user)
    usable = Template.objects.usable()
    restricted = usable.exclude(audience={}).values_list("audience", flat=True).distinct()
    if all(Audience.stored(audience).admits(groups) for audience in restricted):
        return
    files = set(config.COMMON_TOSCAS.values())
    common = usable.filter(source=Template.Source.FOLDER, filename__in={file.rpartition("/")[2] for file in files})
    shared = [
        Audience.stored(audience)
        for path, filename, audience in common.values_list("path", "filename", "audience")
        if files & {path, filename}
    ]
    if any(audience.admits(groups) for audience in shared):
        return
    links = ModuleTemplate.objects.filter(module__in=[module.pk for module in modules], template__in=usable)
    own: dict[int, list[Audience]] = defaultdict(list)
    for module_id, audience in links.values_list("module_id", "template__audience"):
        own[module_id].append(Audience.stored(audience))
    for module in modules:
        audiences = [*own[module.pk], *shared]
        if audiences and not any(audience.admits(groups) for audience in audiences):
            shown = [audience for audience in audiences if not audience.private]
            module.locked_for = shown[0].wanted() if shown else "whom its templates name"
