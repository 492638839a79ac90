"""Who could run a deployment: agreements from SLAM, what is behind them from CMDB (contracts 2 and 3)."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.problems import restored, stored
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceError, side_by_side
from deployments.clients.cmdb import Cmdb, CmdbService
from deployments.clients.slam import Preferences, Slam
from deployments.endpoints import addresses_known, service_addresses
from deployments.quotas import Quota, quotas_of
from deployments.reasons import site_name

if TYPE_CHECKING:
    from accounts.models import User

KEPT = 600  # seconds
KEPT_INCOMPLETE = 30  # seconds; long enough not to hammer a service in trouble
AT_ONCE = 32  # a customer has seldom more; they are asked in one go

# Deployment kind → words one of which the service type must contain (contract 3.1).
_FITTING: dict[str, tuple[str, ...]] = {
    "CLOUD": ("org.openstack.nova", "com.amazonaws.ec2"),
    "MARATHON": ("marathon",),
    "CHRONOS": ("chronos",),
    "QCG": ("eu.deep.qcg",),
    "KUBERNETES": ("kubernetes", "compute.k8s.io"),
}
_KIND_NAMES = {
    "CLOUD": gettext_noop("virtual machines"),
    "MARATHON": gettext_noop("containers"),
    "CHRONOS": gettext_noop("container jobs"),
    "QCG": gettext_noop("batch jobs"),
    "KUBERNETES": gettext_noop("Kubernetes"),
}
_TYPE_NAMES = {
    "org.openstack.nova": "OpenStack",
    "com.amazonaws.ec2": gettext_noop("Amazon EC2"),
    "com.microsoft.azure": gettext_noop("Azure"),
    "eu.otc.compute": gettext_noop("Open Telekom Cloud"),
    "eu.indigo-datacloud.marathon": gettext_noop("Marathon (containers)"),
    "eu.indigo-datacloud.chronos": gettext_noop("Chronos (container jobs)"),
    "eu.indigo-datacloud.mesos": gettext_noop("Mesos"),
    "eu.deep.qcg": gettext_noop("QCG (batch jobs)"),
    "eu.deep.kubernetes": gettext_noop("Kubernetes"),
    "compute.k8s.io/v1": gettext_noop("Kubernetes"),
}


@dataclass(frozen=True)
class Provider:
    """A computing service under an agreement."""

    sla_id: str
    service_id: str
    provider: str = ""
    sitename: str = ""
    service_type: str = ""
    endpoint: str = ""
    gpu_support: bool | None = None
    num_gpus: int | None = None
    num_cpus: int | None = None
    memory_mb: int | None = None
    gpu_model: str = ""
    start: datetime | None = None
    end: datetime | None = None
    start_text: str = ""
    end_text: str = ""
    weight: float = 0.0
    quotas: tuple[Quota, ...] = ()
    fault: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def problem(self) -> Problem | None:
        """Why facts of it are missing, if they are."""
        return restored(self.fault)

    @property
    def name(self) -> str:
        """The site, or the nearest thing to it that is known."""
        return self.sitename or site_name(self.provider) or self.service_id or self.sla_id

    @property
    def type_name(self) -> str:
        """Its service type for people."""
        known = _TYPE_NAMES.get(self.service_type)
        return _(known) if known else self.service_type or _("kind not known")

    @property
    def label(self) -> str:
        """One line for a drop-down."""
        label = f"{self.name}: {self.type_name}"
        return _("%(provider)s, GPUs") % {"provider": label} if self.gpu_support else label

    @property
    def is_current(self) -> bool:
        now = timezone.now()
        return (self.start is None or self.start <= now) and (self.end is None or now <= self.end)

    @property
    def runs(self) -> list[str]:
        """The kinds of templates it can run, in words; none when its own kind is not known."""
        return [_(words) for kind, words in _KIND_NAMES.items() if self.service_type and self.kind_fits(kind)]

    def kind_fits(self, kind: str) -> bool:
        """Whether it can run deployments of a kind. What is not known is not held against it."""
        words = _FITTING.get(kind)
        return not words or not self.service_type or any(word in self.service_type for word in words)


def customer_of(user: "User", group: str | None = None) -> str:
    """The name under which agreements are looked up: one of the user's groups, else the organisation.

    Raises Problem when the group is not the user's, or when there is neither.
    """
    if group:
        if user.missing_groups([group]):
            raise Problem("deployment:not-your-group", group=group)
        return group
    if not user.organisation:
        raise Problem("deployment:no-customer")
    return user.organisation


def providers_for(user: "User", group: str | None = None, *, fresh: bool = False) -> list[Provider]:
    """The providers the user's customer has agreements with, the preferred ones first.

    SLAM is asked once, then CMDB for all services side by side; a service that CMDB can't tell about stays in the
    list with its problem. Kept for ten minutes per customer and issuer, never shared beyond them; ``fresh`` asks anew.
    Raises ServiceError (SLAM, orchestrator or IAM in trouble), LoginExpired, or Problem as ``customer_of`` does.
    """
    customer = customer_of(user, group)
    addresses = service_addresses(user)
    key = _key(user.issuer, customer, addresses.slam, addresses.cmdb)
    kept: list[Provider] | None = None if fresh else cache.get(key)
    if kept is not None:
        return kept
    agreed = _agreed(Slam(user, addresses.slam).preferences(customer))
    described = _described(agreed, Cmdb(user, addresses.cmdb))
    complete = not any(provider.fault for provider in described)
    cache.set(key, described, KEPT if complete else KEPT_INCOMPLETE)
    return described


def providers_known(user: "User", group: str | None = None) -> list[Provider] | None:
    """As ``providers_for``, without asking anybody; None when they would have to be asked for."""
    addresses = addresses_known()
    try:
        customer = customer_of(user, group)
    except Problem:
        return None
    if addresses is None:
        return None
    kept: list[Provider] | None = cache.get(_key(user.issuer, customer, addresses.slam, addresses.cmdb))
    return kept


def provider_name_known(user: "User", sla_id: str) -> str:
    """The name of the provider behind an agreement of the group the user works for; "" when it is not known."""
    known = providers_known(user, user.current_group) if sla_id else None
    return next((provider.name for provider in known or [] if provider.sla_id == sla_id), "")


def _agreed(answer: Preferences) -> list[Provider]:
    """One provider per computing service of each agreement."""
    found = [
        Provider(
            sla_id=sla.id, service_id=service.service_id, provider=sla.provider, start=sla.start, end=sla.end,
            start_text=sla.start_text, end_text=sla.end_text, weight=answer.weight(sla.id),
            quotas=quotas_of(service.targets),
        )
        for sla in answer.sla
        for service in sla.services
        if service.type in {"", "compute", "computing"}
    ]  # fmt: skip
    return sorted(found, key=lambda provider: (-provider.weight, provider.name.lower(), provider.sla_id))


def _described(agreed: list[Provider], cmdb: Cmdb) -> list[Provider]:
    ids = list(dict.fromkeys(provider.service_id for provider in agreed if provider.service_id))
    answers = dict(zip(ids, side_by_side([partial(cmdb.service, id) for id in ids], at_once=AT_ONCE), strict=True))
    return [_with_facts(provider, answers.get(provider.service_id)) for provider in agreed]


def _with_facts(provider: Provider, answer: CmdbService | ServiceError | None) -> Provider:
    if answer is None:
        return provider
    if isinstance(answer, ServiceError):
        return replace(provider, fault=stored(answer))  # exceptions don't go into caches
    facts = answer.properties
    return replace(
        provider, sitename=answer.sitename, service_type=answer.service_type, endpoint=answer.endpoint,
        provider=provider.provider or answer.provider_id, gpu_support=facts.gpu_support, num_gpus=facts.num_gpus,
        num_cpus=facts.num_cpus, memory_mb=facts.mem_total,
        gpu_model=" ".join(filter(None, [facts.gpu_vendor, facts.gpu_model])),
    )  # fmt: skip


def _key(*parts: str) -> str:
    packed = "\0".join([config.ORCHESTRATOR_URL, *parts])
    return f"deployments:providers:{hashlib.sha256(packed.encode()).hexdigest()}"
