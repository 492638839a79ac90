"""What an agreement allows (contract 2.1), and how much of it the user holds already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deployments.clients.slam import Target
from deployments.models import Deployment

if TYPE_CHECKING:
    from accounts.models import User

# What is agreed on, by SLAM's words (some of them misspelt there), for people.
_NAMES = {
    "computing_time": gettext_noop("Computing time"),
    "public_ip": gettext_noop("Public addresses"),
    "num_cpus": gettext_noop("CPUs"),
    "num_gpus": gettext_noop("GPUs"),
    "mem_size": gettext_noop("Memory"),
    "disk_size": gettext_noop("Disk"),
    "upload_bandwith": gettext_noop("Upload bandwidth"),
    "download_bandwith": gettext_noop("Download bandwidth"),
    "upload_aggregated": gettext_noop("Upload in all"),
    "download_aggregated": gettext_noop("Download in all"),
    "cpu_frequency": gettext_noop("CPU frequency"),
    "costs": gettext_noop("Costs"),
}


@dataclass(frozen=True)
class Quota:
    """The limits on one thing: for each instance, for each user, and for the whole customer; None: not limited."""

    what: str
    unit: str = ""
    instance: int | None = None
    user: int | None = None
    total: int | None = None
    guaranteed: int | None = None  # for the whole customer

    @property
    def name(self) -> str:
        return _(_NAMES[self.what]) if self.what in _NAMES else self.what.replace("_", " ").capitalize()

    @property
    def said(self) -> list[str]:
        """Its limits, a few words each."""
        limits = (
            (self.user, _("%(amount)s for each user")),
            (self.instance, _("%(amount)s for each deployment")),
            (self.total, _("%(amount)s in all")),
            (self.guaranteed, _("%(amount)s of them guaranteed")),
        )
        amounts = [(f"{number} {self.unit}".strip(), text) for number, text in limits if number is not None]
        return [text % {"amount": amount} for amount, text in amounts]


@dataclass(frozen=True)
class Held:
    """What a user's deployments hold at one service."""

    cpus: int = 0
    gpus: int = 0


def quotas_of(targets: Sequence[Target]) -> tuple[Quota, ...]:
    """The limits that an agreement sets for one service; targets that limit nothing are left out."""
    found = []
    for target in targets:
        told = target.restrictions
        quota = Quota(
            target.type, target.unit, told.instance_limit, told.user_limit, told.total_limit, told.total_guaranteed
        )
        if quota.what and quota.said:
            found.append(quota)
    return tuple(found)


def held_by(user: "User") -> dict[str, Held]:
    """What the user's deployments hold, by the id of the service where they are (one statement)."""
    held = Deployment.objects.visible_to(user).holding().order_by()
    sums = held.values("provider_endpoint__service_id").annotate(cpus=Sum("num_cpus"), gpus=Sum("num_gpus"))
    return {
        row["provider_endpoint__service_id"]: Held(row["cpus"] or 0, row["gpus"] or 0)
        for row in sums
        if row["provider_endpoint__service_id"]
    }


def standing(quotas: Sequence[Quota], held: Held) -> list[str]:
    """How far the user's own limits are used: "2 of 3 GPUs"."""
    text = _("%(number)s of %(limit)s %(what)s")
    return [
        text % {"number": number, "limit": quota.user, "what": quota.name}
        for quota, number in _counted(quotas, held)
        if quota.user is not None
    ]


def label_with_use(label: str, quotas: Sequence[Quota], held: Held | None) -> str:
    """The label of a service with how far the user's own limits there are used, if there are any."""
    used = ", ".join(standing(quotas, held or Held()))
    return _("%(label)s; you hold %(used)s") % {"label": label, "used": used} if used else label


def excess(site: str, quotas: Sequence[Quota], held: Held, *, wanted: Held) -> str:
    """Why what is wanted goes beyond the agreement with a site; "" when it does not, or can't be told."""
    for quota, number in _counted(quotas, held):
        more = wanted.gpus if quota.what == "num_gpus" else wanted.cpus
        if not more:
            continue
        facts: dict[str, object] = {"site": site, "what": quota.name, "held": number, "wanted": more}
        if quota.instance is not None and more > quota.instance:
            text = _("The agreement with %(site)s allows %(limit)s %(what)s for each deployment; you want %(wanted)s")
            return text % {**facts, "limit": quota.instance}
        if quota.user is not None and number + more > quota.user:
            text = _("The agreement with %(site)s allows you %(limit)s %(what)s; you hold %(held)s and want %(wanted)s")
            return text % {**facts, "limit": quota.user}
        if quota.total is not None and number + more > quota.total:
            text = _(
                "The agreement with %(site)s allows all of you %(limit)s %(what)s;"
                " you hold %(held)s and want %(wanted)s"
            )
            return text % {**facts, "limit": quota.total}
    return ""


def _counted(quotas: Sequence[Quota], held: Held) -> list[tuple[Quota, int]]:
    """The limits on what is known of deployments, with what is held of it."""
    known = {"num_cpus": held.cpus, "num_gpus": held.gpus}
    return [(quota, known[quota.what]) for quota in quotas if quota.what in known]
