"""What a signed-in user's home page says before the catalogue begins, from the database alone."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import Module
from deployments.listing import Row
from deployments.models import Deployment
from deployments.querysets import DeploymentQuerySet
from deployments.states import COMPLETE
from deployments.status import configure_url, describe
from deployments.storage.models import StorageAccount

if TYPE_CHECKING:
    from accounts.models import User

LINES = 5  # per strip
USED = 3  # modules used last
RECENT = 30  # submissions looked through for them


@dataclass(frozen=True)
class Strip:
    """Some deployments; ``more`` when there are others than these."""

    rows: list[Row]
    more: bool


@dataclass(frozen=True)
class Used:
    """A module, the deployment of it that was asked for last, and the form filled in as then."""

    module: Module
    last: Deployment
    again: str


@dataclass(frozen=True)
class Step:
    """One of the first things to do here; ``address`` leads there."""

    title: str
    about: str
    done: bool
    address: str = ""


@dataclass(frozen=True)
class Home:
    """``steps`` is empty once something was ready: who has come so far knows the way."""

    attention: Strip
    running: Strip
    used: list[Used]
    steps: list[Step]


def home(user: "User") -> Home:
    """What needs the user, what runs, what was used last; for who is new here the way in. Seven statements at most."""
    mine = Deployment.objects.visible_to(user).for_list()
    attention = _strip(mine.needing_attention().order_by("-status_since"))
    running = _strip(mine.running().order_by("-created_at"))
    asked = list(mine.filter(submission_key__isnull=False).order_by("-recorded_at", "-pk")[:RECENT])
    was_ready = Q(status__in=COMPLETE) | Q(ready_at__isnull=False)
    knows = bool(running.rows) or (bool(asked) and mine.filter(was_ready).exists())
    steps = [] if knows else _steps(user, asked)
    return Home(attention, running, _used(asked), steps)


def _strip(found: DeploymentQuerySet) -> Strip:
    rows = [Row(deployment, describe(deployment)) for deployment in found[: LINES + 1]]
    return Strip(rows[:LINES], len(rows) > LINES)


def _used(asked: list[Deployment]) -> list[Used]:
    """The last deployment of each of the modules used last that are still there."""
    last: dict[str, Deployment] = {}
    for deployment in asked:
        if deployment.module_slug:
            last.setdefault(deployment.module_slug, deployment)
    wanted = dict(list(last.items())[:USED])
    found = Module.objects.visible().filter(slug__in=wanted)
    modules = {module.slug: module for module in found.defer("metadata", "description_md", "description_html", "tags")}
    return [Used(modules[slug], it, configure_url(it)) for slug, it in wanted.items() if slug in modules]


def _steps(user: "User", asked: list[Deployment]) -> list[Step]:
    storage = StorageAccount.objects.of(user).exists()
    under_way = asked[0].get_absolute_url() if asked else ""
    return [
        Step(_("Sign in"), "", done=True),
        Step(
            _("Link your storage"), _("Optional: data and trained weights then outlive a deployment."), done=storage,
            address=reverse("deployments:storage"),
        ),
        Step(_("Deploy a module"), _("Choose one below; every value of its form has a default."), done=bool(asked)),
        Step(
            _("Open it once it is ready"), _("It takes some minutes. Its page shows how far it is."), done=False,
            address=under_way,
        ),
    ]  # fmt: skip
