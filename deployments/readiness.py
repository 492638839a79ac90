"""Do the services of a deployment answer? Probed from here, guarded, side by side, and remembered for a while."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deepdash.clock import is_later, within
from deepdash.http import ServiceError
from deployments.clients.deepaas import PROBE_TIMEOUT, probe
from deployments.models import Deployment
from deployments.outputs import Service, services_of

AGE = timedelta(seconds=30)  # how old what we know of a service may get
AGE_STARTING = timedelta(seconds=4)  # the same, while we wait for its first answer
PATIENCE = PROBE_TIMEOUT + 0.5  # seconds for all probes together, name look-ups included
AT_ONCE = 16
ANSWERED = ("services", "answers", "answered_at", "ready_at")  # columns of what is known of its services
_MAIN = {"jupyterlab": "terminal", "deepaas": "code"}  # what was chosen to run → icon of its service


@dataclass(frozen=True)
class Light:
    """A service with what its last probe said. ``usable`` tells whether its button leads anywhere."""

    service: Service
    label: str
    tone: str
    note: str = ""
    usable: bool = True
    checked_at: datetime | None = None
    main: bool = False


def is_due(deployment: Deployment, now: datetime) -> bool:
    """Whether its services should be probed again."""
    if not deployment.is_complete or deployment.is_gone or not services_of(deployment.outputs):
        return False
    age = AGE_STARTING if deployment.is_starting else AGE
    return not within(deployment.checked_at, age, now)


def deployments_probe(deployments: Sequence[Deployment]) -> int:
    """Probe the services of those deployments that are due, side by side, and record what they say.

    Takes as long as one probe. The ones that are due are claimed first, so that pages open at the same time don't
    probe the same services. Returns how many deployments were probed.
    """
    now = timezone.now()
    claimed = [deployment for deployment in deployments if is_due(deployment, now) and _claimed(deployment)]
    jobs = [(deployment, service) for deployment in claimed for service in services_of(deployment.outputs)]
    said = _side_by_side([service for _, service in jobs])
    for deployment in claimed:
        answers = {service.name: said[i] for i, (of, service) in enumerate(jobs) if of is deployment}
        _note(deployment, answers, now)
    if claimed:
        Deployment.objects.bulk_update(claimed, [*ANSWERED, "checked_at"])
    return len(claimed)


def deepaas_answered(deployment: Deployment, at: datetime) -> None:
    """Its DEEPaaS was asked for something and answered: an earlier probe that had no answer yet no longer holds."""
    service = next((service for service in services_of(deployment.outputs) if service.is_deepaas), None)
    if service is None or deployment.answers or is_later(deployment.checked_at, at):
        return
    deployment.services = {**deployment.services, service.name: {"answers": True, "answered": True}}
    if _main_service(deployment) in {None, service}:
        deployment.answers, deployment.answered_at, deployment.ready_at = True, at, deployment.ready_at or at
    deployment.save(update_fields=ANSWERED)


def lights_of(deployment: Deployment) -> list[Light]:
    """The services of a deployment as last probed; the one it was made for first."""
    main = _main_service(deployment)
    lights = [_light(deployment, service, main in {None, service}) for service in services_of(deployment.outputs)]
    return sorted(lights, key=lambda light: not light.main)


def _main_service(deployment: Deployment) -> Service | None:
    """The service the deployment was made for, as far as that is known."""
    services = services_of(deployment.outputs)
    wanted = _MAIN.get(deployment.run)
    found = next((service for service in services if service.icon == wanted), None)
    return found or (services[0] if len(services) == 1 else None)


def _light(deployment: Deployment, service: Service, main: bool) -> Light:
    known: dict[str, Any] = deployment.services.get(service.name) or {}
    checked = deployment.checked_at if known else None
    if not known or known.get("answers") is None:
        return Light(service, _("Not checked"), "idle", _noted(known), checked_at=checked, main=main)
    if known["answers"]:
        return Light(service, _("Answers"), "ok", checked_at=checked, main=main)
    if known.get("answered") or (main and not deployment.is_starting):
        return Light(service, _("Not answering"), "warn", _noted(known), checked_at=checked, main=main)
    if service.icon == "chart":
        return Light(
            service, _("Not started"), "idle", _("Starts with the first training"), usable=False, checked_at=checked
        )
    if not main:
        note = (
            _("Start it in JupyterLab with deepaas-run")
            if service.is_deepaas
            else _("Something else was chosen to run")
        )
        return Light(service, _("Not started"), "idle", note, usable=False, checked_at=checked)
    return Light(service, _("Starting"), "busy", _noted(known), usable=False, checked_at=checked, main=main)


def _noted(known: dict[str, Any]) -> str:
    """What was noted while it was asked, which is kept untranslated."""
    note = known.get("note", "")
    return _(note) % known if note else ""


def _claimed(deployment: Deployment) -> bool:
    """True for the one caller that may probe it now."""
    return cache.add(f"deployments:probe:{deployment.pk}", True, timeout=AGE_STARTING.total_seconds())


def _note(deployment: Deployment, answers: dict[str, dict[str, Any]], now: datetime) -> None:
    before = deployment.services
    services = {
        name: {**said, "answered": bool(said["answers"] or before.get(name, {}).get("answered"))}
        for name, said in answers.items()
    }
    main = _main_service(deployment)
    deployment.services, deployment.checked_at = services, now
    deployment.answers = services[main.name]["answers"] if main else _any(said["answers"] for said in services.values())
    if deployment.answers:
        deployment.answered_at = now
        deployment.ready_at = deployment.ready_at or now


def _any(answers: Iterable[bool | None]) -> bool | None:
    """True if one answers, unknown if none does but one was not asked."""
    said = list(answers)
    return True if True in said else None if None in said else False


def _side_by_side(services: list[Service]) -> list[dict[str, Any]]:
    """What each service said. Nobody waits longer than PATIENCE, not even for a name server that hangs."""
    if not services:
        return []
    pool = ThreadPoolExecutor(max_workers=min(AT_ONCE, len(services)), thread_name_prefix="probe")
    futures = [pool.submit(copy_context().run, _probed, service) for service in services]
    wait(futures, timeout=PATIENCE)
    pool.shutdown(wait=False, cancel_futures=True)
    late: dict[str, Any] = {"answers": False, "note": gettext_noop("No answer in time")}
    return [future.result() if future.done() and not future.cancelled() else late for future in futures]


def _probed(service: Service) -> dict[str, Any]:
    """Below 500 something is there and answers, be it that it wants a password."""
    try:
        status = probe(service.label, service.url)
    except ServiceError as error:
        if error.id == "service:blocked":
            return {"answers": None, "note": gettext_noop("In a network that this dashboard may not reach")}
        if "certificate" in error.detail.lower():
            return {"answers": None, "note": gettext_noop("Its certificate can’t be verified from here")}
        note = gettext_noop("No answer in time") if error.id == "service:timeout" else gettext_noop("Can’t be reached")
        return {"answers": False, "note": note}
    return {"answers": status < 500, "note": gettext_noop("Answers %(status)s"), "status": status}
