"""Where the services are: as configured, or as the orchestrator says."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.cache import cache

from deepdash.config import config
from deepdash.http import ServiceError
from deployments.clients.orchestrator import Info, Orchestrator

if TYPE_CHECKING:
    from accounts.models import User

KEPT = 3600  # seconds


@dataclass(frozen=True)
class Addresses:
    """Addresses of the services beside the orchestrator. ``found`` tells that the orchestrator named them."""

    slam: str
    cmdb: str
    im: str
    monitoring: str
    found: bool = False


def service_addresses(user: "User") -> Addresses:
    """The four addresses. Without IM_URL all of them come from the orchestrator, as in the Flask dashboard.

    Kept for an hour; they are the same for everybody. Raises ServiceError or LoginExpired when they have to be asked
    for and can't be.
    """
    addresses = addresses_known()
    if addresses is None:
        configured, told = addresses_configured(), Orchestrator(user).configuration()
        addresses = Addresses(
            slam=_web(told.slam) or configured.slam,
            cmdb=_web(told.cmdb) or configured.cmdb,
            im=_web(told.im),
            monitoring=_web(told.monitoring) or configured.monitoring,
            found=True,
        )
        cache.set(_key("addresses"), addresses, KEPT)
    return addresses


def addresses_known() -> Addresses | None:
    """As ``service_addresses``, without asking anybody; None when they have to be asked for."""
    if not orchestrator_names_them():
        return addresses_configured()
    addresses: Addresses | None = cache.get(_key("addresses"))
    return addresses


def addresses_configured() -> Addresses:
    """As the configuration has them, "" for those that it leaves out."""
    return Addresses(config.SLAM_URL, config.CMDB_URL, config.IM_URL, config.MONITORING_URL)


def orchestrator_names_them() -> bool:
    """Whether the orchestrator is asked for the addresses, which is so without IM_URL."""
    return bool(config.ORCHESTRATOR_URL) and not config.IM_URL


def orchestrator_info() -> Info:
    """Version of the orchestrator, kept for an hour. Raises ServiceError."""
    info = orchestrator_info_kept()
    if info is None:
        info = Orchestrator(None).info()
        cache.set(_key("info"), info, KEPT)
    return info


def orchestrator_info_kept() -> Info | None:
    """Its version as far as it was asked for lately; nobody is asked."""
    info: Info | None = cache.get(_key("info"))
    return info


def orchestrator_info_learnt() -> Info | None:
    """Its version, asked for unless it is known; that it failed is remembered for a minute. Raises nothing."""
    info = orchestrator_info_kept()
    if info is None and cache.add(_key("info-asked"), True, 60):
        try:
            info = orchestrator_info()
        except ServiceError:
            return None
    return info


def _key(what: str) -> str:
    return f"deployments:{what}:{hashlib.sha256(config.ORCHESTRATOR_URL.encode()).hexdigest()[:16]}"


def _web(url: str) -> str:
    return url.rstrip("/") if url.startswith(("https://", "http://")) else ""
