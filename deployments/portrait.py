"""Everything the page of one deployment shows, from its record alone."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deployments.actions import Permission, Permissions, permissions, secrets_permission
from deployments.endpoints import orchestrator_info_kept
from deployments.journal.actions import DONE
from deployments.listing import Row
from deployments.models import Action, Deployment, StatusEvent
from deployments.outputs import web_address
from deployments.readiness import Light, lights_of
from deployments.reasons import Attempt, Reason, reason_of, site_name
from deployments.states import Status
from deployments.status import StatusView, configure_url, describe
from deployments.updates import why_not_updatable

_KINDS = {
    "MARATHON": gettext_noop("Container (Marathon)"),
    "CHRONOS": gettext_noop("Container job (Chronos)"),
    "KUBERNETES": gettext_noop("Container (Kubernetes)"),
    "QCG": gettext_noop("Batch job (QCG)"),
    "OPENSTACK": gettext_noop("Virtual machine (OpenStack)"),
    "AWS": gettext_noop("Virtual machine (Amazon)"),
    "AZURE": gettext_noop("Virtual machine (Azure)"),
    "OTC": gettext_noop("Virtual machine (Open Telekom Cloud)"),
    "OPENNEBULA": gettext_noop("Virtual machine (OpenNebula)"),
    "OCCI": gettext_noop("Virtual machine (OCCI)"),
    "CLOUD": gettext_noop("Virtual machine"),
}
_OPTIONS = (
    ("keep_last_attempt", gettext_noop("After a failure"), gettext_noop("what was created is kept")),
    ("timeout_mins", gettext_noop("Gives up after"), gettext_noop("{} min")),
    ("provider_timeout_mins", gettext_noop("Gives up on a provider after"), gettext_noop("{} min")),
    ("max_providers_retry", gettext_noop("Providers to try"), gettext_noop("at most {}")),
)


@dataclass(frozen=True)
class Named:
    """A name with its value as text. ``link``: the value if it is a web address; ``usual``: the template's default."""

    name: str
    value: str
    link: str = ""
    usual: str | None = None

    @property
    def differs(self) -> bool:
        return self.usual is not None and self.usual != self.value


@dataclass(frozen=True)
class Moment:
    """A line of the timeline."""

    at: datetime | None
    tone: str
    icon: str
    text: str
    note: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Portrait:
    """One deployment for people. ``timeline`` is newest first."""

    deployment: Deployment
    row: Row
    lights: list[Light]
    reason: Reason | None
    outputs: list[Named]
    inputs: list[Named]
    timeline: list[Moment]

    @property
    def view(self) -> StatusView:
        return self.row.view

    @property
    def title(self) -> str:
        return self.deployment.shown_title

    @property
    def kind(self) -> str:
        """Where it runs, in words."""
        kind = self.deployment.deployment_kind
        return _(_KINDS[kind]) if kind in _KINDS else kind.capitalize()

    @property
    def again(self) -> str:
        """The form with what was chosen for it; empty when neither module nor template are known."""
        it = self.deployment
        known = it.module_slug or it.template_text or (it.uuid and not it.is_gone)
        return configure_url(it) if known else ""

    @property
    def updatable(self) -> bool:
        return not why_not_updatable(self.deployment)

    @cached_property
    def can(self) -> Permissions:
        """What may be done with it, as far as the orchestrator's version is known without asking."""
        return permissions(self.deployment, orchestrator_info_kept())

    @property
    def secrets(self) -> Permission:
        """Whether its secret outputs can be asked for."""
        return secrets_permission(self.deployment)

    @property
    def shows_why(self) -> bool:
        """Whether what went wrong deserves a panel of its own."""
        return self.view.tone in {"bad", "warn"}

    @property
    def silent(self) -> list[Light]:
        """Services that answered before and no longer do."""
        return [light for light in self.lights if light.tone == "warn"]

    @property
    def asked_for(self) -> list[tuple[str, str]]:
        """What was asked for beside the inputs: provider, flags and time limits."""
        if not self.deployment.made_here:
            return []
        choice, options = self.deployment.provider_choice, self.deployment.options
        found = []
        if choice.get("mode") == "manual":
            found.append(
                (_("Provider"), _("%(name)s, chosen by you") % {"name": choice.get("label") or choice.get("sla_id")})
            )
        found += [(_(label), _(said).format(options[name])) for name, label, said in _OPTIONS if options.get(name)]
        return found


def portrait(deployment: Deployment, *, unreachable: bool = False) -> Portrait:
    """The portrait of a record as it stands; three statements: its events, what was done to it, its template."""
    view = describe(deployment, unreachable=unreachable)
    return Portrait(
        deployment,
        Row(deployment, view),
        lights=lights_of(deployment) if deployment.is_complete and not deployment.is_gone else [],
        reason=reason_of(deployment.status_reason, deployment.known_status or deployment.status),
        outputs=_outputs(deployment),
        inputs=_inputs(deployment),
        timeline=_timeline(deployment),
    )


def as_text(value: Any) -> str:
    """A value of any JSON type as people write it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def _outputs(deployment: Deployment) -> list[Named]:
    """The outputs, as links while it is there: afterwards the address may be somebody else's."""
    return [
        Named(name, as_text(value), "" if deployment.is_gone else web_address(value))
        for name, value in deployment.outputs.items()
    ]


def _inputs(deployment: Deployment) -> list[Named]:
    usual = {}
    if deployment.template and deployment.inputs:
        described = deployment.template.described()
        usual = {item.name: as_text(item.default) for item in described.inputs if item.has_default}
    return [Named(name, as_text(value), usual=usual.get(name)) for name, value in deployment.inputs.items()]


def _timeline(deployment: Deployment) -> list[Moment]:
    lines = [_beginning(deployment)]
    tried: list[str] = []
    before: StatusEvent | None = None
    for event in deployment.events.all() or _as_found(deployment):
        lines += _lines(event, before, tried)
        before = event
    lines += [
        _deed(deployment, action) for action in Action.objects.filter(deployment=deployment).exclude(what="submit")
    ]
    if deployment.ready_at:
        lines.append(Moment(deployment.ready_at, "ok", "ok", _("Its service answers"), _after(deployment)))
    lines.sort(key=lambda line: line.at or deployment.created_at)
    return lines[::-1]


def _as_found(deployment: Deployment) -> list[StatusEvent]:
    """What stands for the events of a deployment of which nothing was seen: the state it was found in."""
    if deployment.made_here or deployment.is_gone:
        return []
    at = deployment.updated_at or deployment.seen_at or deployment.created_at
    return [
        StatusEvent(
            deployment=deployment, at=at, status=deployment.status, provider_name=deployment.provider_name,
            reason=deployment.status_reason,
        )
    ]  # fmt: skip


def _deed(deployment: Deployment, action: Action) -> Moment:
    """What somebody did here. Submitting is the timeline's beginning already."""
    who = _("You") if action.user_id == deployment.owner_id else action.who
    text = _(DONE[action.what]) % {"who": who} if action.what in DONE else f"{who} {action.what}"
    if action.result == Action.Result.DONE:
        return Moment(action.at, "idle", "user", text, action.detail)
    tone = "bad" if action.result == Action.Result.FAILED else "warn"
    return Moment(action.at, tone, "user", text, str(Action.Result(action.result).label).lower(), action.detail)


def _beginning(deployment: Deployment) -> Moment:
    if not deployment.made_here:
        note = _("with another tool, or before this dashboard")
        return Moment(deployment.created_at, "idle", "play", _("Made elsewhere"), note)
    note = _("template %(title)s") % {"title": deployment.template_title} if deployment.template_title else ""
    return Moment(min(deployment.recorded_at, deployment.created_at), "idle", "play", _("You asked for it"), note)


def _lines(event: StatusEvent, before: StatusEvent | None, tried: list[str]) -> list[Moment]:
    """What an event adds to the timeline; ``tried`` collects the providers so far."""
    if before and (before.status, before.provider_name, before.reason) == (
        event.status,
        event.provider_name,
        event.reason,
    ):
        return []  # only its task changed, or two looks at the same moment told the same
    site = site_name(event.provider_name)
    if event.status == Status.CREATE_IN_PROGRESS:
        if not event.provider_name:
            known = before is not None and before.status == event.status
            return [] if known else [Moment(event.at, "busy", "clock", _("Accepted, choosing a provider"))]
        tried.append(event.provider_name)
        text = (_("Starting at %(site)s") if len(tried) == 1 else _("Next try: %(site)s")) % {"site": site}
        return [Moment(event.at, "busy", "clock", text)]
    if event.status == Status.CREATE_FAILED:
        return _failure(event)
    if event.status in _TOLD:
        tone, icon, text = _TOLD[event.status]
        why = reason_of(event.reason, event.status)
        note = why.explanation.short if why else ""
        return [Moment(event.at, tone, icon, _(text).format(site=site or _("a provider")), note, event.reason)]
    return []


def _failure(event: StatusEvent) -> list[Moment]:
    why = reason_of(event.reason, event.status)
    tries = [_try(event.at, attempt) for attempt in why.attempts] if why else []
    return [*tries, Moment(event.at, "bad", "fail", _("Creation failed"), why.explanation.short if why else "",
                           "" if tries else event.reason)]  # fmt: skip


def _try(at: datetime, attempt: Attempt) -> Moment:
    return Moment(
        at, "bad", "fail", _("Try failed: %(name)s") % {"name": attempt.name}, attempt.explanation.short, attempt.cause
    )


_TOLD: dict[str, tuple[str, str, str]] = {
    Status.UNCERTAIN: ("warn", "help", gettext_noop("No answer from the orchestrator")),
    Status.CREATE_COMPLETE: ("ok", "ok", gettext_noop("Created at {site}")),
    Status.UPDATE_IN_PROGRESS: ("busy", "clock", gettext_noop("Update begun")),
    Status.UPDATE_COMPLETE: ("ok", "ok", gettext_noop("Updated")),
    Status.UPDATE_FAILED: ("warn", "alert", gettext_noop("Update failed")),
    Status.DELETE_IN_PROGRESS: ("idle", "trash", gettext_noop("Deletion begun")),
    Status.DELETE_FAILED: ("bad", "fail", gettext_noop("Deletion failed")),
    Status.DELETE_COMPLETE: ("idle", "idle", gettext_noop("Deleted")),
    Status.GONE: ("idle", "idle", gettext_noop("Gone")),
    Status.UNKNOWN: ("idle", "help", gettext_noop("Status not known")),
}


def _after(deployment: Deployment) -> str:
    if not deployment.ready_at:
        return ""
    minutes = round((deployment.ready_at - deployment.created_at).total_seconds() / 60)
    return _("ready after %(minutes)s min") % {"minutes": minutes} if 0 < minutes < 600 else ""
