"""What an agreement allows (contract 2.1), and how much of it the user holds already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Sum

from deployments.clients.slam import Target
from deployments.models import Deployment

if TYPE_CHECKING:
    from accounts.models import User

# What is agreed on, by SLAM's words (some of them misspelt there), for people.
_NAMES = {
    "computing_time": "Computing time",
    "public_ip": "Public addresses",
    "num_cpus": "CPUs",
    "num_gpus": "GPUs",
    "mem_size": "Memory",
    "disk_size": "Disk",
    "upload_bandwith": "Upload bandwidth",
    "download_bandwith": "Download bandwidth",
    "upload_aggregated": "Upload in all",
    "download_aggregated": "Download in all",
    "cpu_frequency": "CPU frequency",
    "costs": "Costs",
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
        return _NAMES.get(self.what, self.what.replace("_", " ").capitalize())

    @property
    def said(self) -> list[str]:
        """Its limits, a few words each."""
        unit = f" {self.unit}" if self.unit else ""
        limits = (
            (self.user, "{}{} for each user"),
            (self.instance, "{}{} for each deployment"),
            (self.total, "{}{} in all"),
            (self.guaranteed, "{}{} of them guaranteed"),
        )
        return [text.format(number, unit) for number, text in limits if number is not None]


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
    return [
        f"{number} of {quota.user} {quota.name}" for quota, number in _counted(quotas, held) if quota.user is not None
    ]


def label_with_use(label: str, quotas: Sequence[Quota], held: Held | None) -> str:
    """The label of a service with how far the user's own limits there are used, if there are any."""
    used = ", ".join(standing(quotas, held or Held()))
    return f"{label}; you hold {used}" if used else label


def excess(quotas: Sequence[Quota], held: Held, *, wanted: Held) -> str:
    """Why what is wanted goes beyond an agreement, as a sentence's end; "" when it does not, or can't be told."""
    for quota, number in _counted(quotas, held):
        more = wanted.gpus if quota.what == "num_gpus" else wanted.cpus
        if not more:
            continue
        if quota.instance is not None and more > quota.instance:
            return f"allows {quota.instance} {quota.name} for each deployment; you want {more}"
        if quota.user is not None and number + more > quota.user:
            return f"allows you {quota.user} {quota.name}; you hold {number} and want {more}"
        if quota.total is not None and number + more > quota.total:
            return f"allows all of you {quota.total} {quota.name}; you hold {number} and want {more}"
    return ""


def _counted(quotas: Sequence[Quota], held: Held) -> list[tuple[Quota, int]]:
    """The limits on what is known of deployments, with what is held of it."""
    known = {"num_cpus": held.cpus, "num_gpus": held.gpus}
    return [(quota, known[quota.what]) for quota in quotas if quota.what in known]
