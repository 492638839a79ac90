"""Finding by a few letters: pages, modules of the catalogue and one's own deployments, side by side."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from catalog.index import current_index
from catalog.models import Module
from deployments.models import Deployment
from deployments.status import describe

if TYPE_CHECKING:
    from accounts.models import User

EACH = 6  # finds of a kind: more than that is what the lists' own search is for
MAX_LETTERS = 100


class Place(NamedTuple):
    """A page one can go to. ``words`` are found too, beside the title."""

    title: Promise
    view: str
    icon: str
    words: Promise

    def fits(self, words: list[str]) -> bool:
        """Whether all of them begin a word of it, in the reader's language or in English, as manuals name pages."""
        with translation.override("en"):
            english = f"{self.title} {self.words}"
        sought = f" {self.title} {self.words} {english}".casefold()
        return all(f" {word}" in sought for word in words)


PLACES = (
    Place(_("Modules"), "catalog:home", "layers", pgettext_lazy("also found by", "catalogue home")),
    Place(_("Deployments"), "deployments:list", "play", pgettext_lazy("also found by", "running environments")),
    Place(_("Training"), "deployments:runs", "chart", pgettext_lazy("also found by", "runs history compare")),
    Place(_("Providers"), "deployments:providers", "folder", pgettext_lazy("also found by", "sites agreements slas")),
    Place(_("Notices"), "deployments:notices", "bell", pgettext_lazy("also found by", "messages")),
    Place(
        _("Storage accounts"),
        "deployments:storage",
        "lock",
        pgettext_lazy("also found by", "rclone webdav nextcloud credentials"),
    ),
    Place(_("Your usage"), "deployments:usage", "chart", pgettext_lazy("also found by", "statistics hours")),
    Place(
        _("Preferences"), "accounts:preferences", "user", pgettext_lazy("also found by", "theme e-mail language group")
    ),
    Place(
        _("Services and settings"), "deployments:settings", "info", pgettext_lazy("also found by", "health versions")
    ),
)
STAFF_PLACES = (
    Place(_("Administration"), "admin:index", "layers", pgettext_lazy("also found by", "curate staff")),
    Place(
        _("Parts of the interface"),
        "design",
        "image",
        pgettext_lazy("also found by", "design components tokens icons words glossary"),
    ),
)


@dataclass(frozen=True)
class Find:
    """One line: where it leads, and what tells it from others of its kind. ``tone`` colours a deployment's icon."""

    title: str
    address: str
    icon: str
    about: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Group:
    """Finds of one kind. ``more`` is the address of all, when there are more than shown."""

    title: str
    finds: list[Find]
    more: str = ""


def find_all(user: "User", text: str) -> list[Group]:
    """What fits ``text``, every word of it, by kind, empty kinds left out; for no text the newest deployments and all
    pages. From the database alone, in at most four statements.
    """
    words = " ".join(text.replace("\0", " ").split())[:MAX_LETTERS]
    groups = [_deployments(user, words), *([_modules(words)] if words else []), _places(user, words)]
    return [group for group in groups if group.finds]


def _deployments(user: "User", words: str) -> Group:
    found = Deployment.objects.visible_to(user).for_list().alive().search(words).order_by("-created_at", "-pk")
    shown = list(found[: EACH + 1])
    finds = []
    for deployment in shown[:EACH]:
        view = describe(deployment)
        about = " · ".join(part for part in (view.label, deployment.module_title) if part)
        finds.append(Find(deployment.shown_title, deployment.get_absolute_url(), view.icon, about, view.tone))
    return Group(gettext("Your deployments"), finds, _all(reverse("deployments:list"), words, len(shown) > EACH))


def _modules(words: str) -> Group:
    pks = current_index().find(words, {}, "").pks
    found = Module.objects.for_list().in_bulk(pks[:EACH])
    modules = [found[pk] for pk in pks[:EACH] if pk in found]  # one may have gone in between
    finds = [Find(module.shown_title, module.get_absolute_url(), "layers", module.shown_summary) for module in modules]
    return Group(gettext("Modules"), finds, _all(reverse("catalog:home"), words, len(pks) > EACH))


def _places(user: "User", words: str) -> Group:
    places = (*PLACES, *STAFF_PLACES) if user.is_staff else PLACES
    sought = words.casefold().split()
    fitting = [place for place in places if place.fits(sought)]
    return Group(gettext("Pages"), [Find(str(place.title), reverse(place.view), place.icon) for place in fitting])


def _all(address: str, words: str, more: bool) -> str:
    if not more:
        return ""
    return f"{address}?{urlencode({'q': words})}" if words else address
