"""Which cards of a page are locked: modules whose templates are all for other groups than the visitor's."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Q

from catalog.audience import Audience, groups_of
from catalog.models import Module, ModuleTemplate, Template
from catalog.models.template import folder_template, named_in_folder
from catalog.revisions import Signature
from deepdash.config import config

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Rules(NamedTuple):
    """Whom templates are for: of ``all`` that are common ones or not for everybody, and of the common ``shared``, whose
    file names are ``taken``: a module's own of such a name is offered as the common one (``Module.all_choices``)."""

    all: tuple[Audience, ...]
    shared: tuple[Audience, ...]
    taken: frozenset[str]


def mark_locked(
    cards: Callable[[], Iterable[Module]], user: "User | AnonymousUser", templates: Signature
) -> tuple[str, ...]:
    """Set ``locked_for`` of each card's module that ``user`` can't deploy for want of a group.

    ``cards`` is called only where something may be locked. Returns what was set, one text per card, or nothing.
    No statement where no template is closed to them, as on nearly all sites, else one; one more when ``templates``
    have changed. A common template that admits them unlocks every module.
    """
    groups = groups_of(user)
    rules = _rules(templates, tuple(config.COMMON_TOSCAS.values()))
    if all(audience.admits(groups) for audience in rules.all):
        return ()
    if any(audience.admits(groups) for audience in rules.shared):
        return ()
    modules = list(cards())
    usable = Template.objects.usable().exclude(filename__in=rules.taken)
    links = ModuleTemplate.objects.filter(module__in=[module.pk for module in modules], template__in=usable)
    own: dict[int, list[Audience]] = defaultdict(list)
    for module_id, audience in links.values_list("module_id", "template__audience"):
        own[module_id].append(Audience.stored(audience))
    for module in modules:
        audiences = [*own[module.pk], *rules.shared]
        if audiences and not any(audience.admits(groups) for audience in audiences):
            module.locked_for = next((it for it in audiences if not it.private), Audience()).wanted()
    return tuple(module.locked_for for module in modules)


@lru_cache(maxsize=1)
def _rules(templates: Signature, files: tuple[str, ...]) -> Rules:
    """The rules of ``templates`` as they are in that state (one statement); ``files`` are the common ones."""
    rows = Template.objects.usable().filter(named_in_folder(files) | ~Q(audience={})).order_by()
    found = list(rows.only("source", "path", "filename", "former_names", "audience"))
    shared = [template for file in files if (template := folder_template(file, found))]
    return Rules(
        tuple(Audience.stored(template.audience) for template in found),
        tuple(Audience.stored(template.audience) for template in shared),
        frozenset(template.filename for template in shared),
    )
