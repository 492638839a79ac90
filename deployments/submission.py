"""Sending a configured module to the orchestrator: once, with typed values, and on record whatever happens."""

import hashlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.tokens import LoginExpired
from catalog.models import Module, Template
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.callback import callback_url
from deployments.choices import Choices
from deployments.clients.orchestrator import Orchestrator
from deployments.counts import count_of
from deployments.endpoints import orchestrator_info
from deployments.journal.actions import recorded
from deployments.models import Deployment, StatusEvent
from deployments.placement import placement_type, with_placement, without_placement
from deployments.services import deployment_accepted, deployment_uncertain
from deployments.states import Status
from deployments.storage.services import storage_account_used

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submission:
    """All that is sent and recorded. ``parameters`` in YAML types; ``sla_id`` empty: the orchestrator chooses.

    ``module`` None: the template stands alone, and may still hold the provider chosen for an earlier deployment.
    """

    key: uuid.UUID
    module: Module | None
    template: Template
    template_title: str
    choices: Choices | None
    title: str
    parameters: Mapping[str, Any]
    secret_names: list[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    sla_id: str = ""
    provider_label: str = ""
    module_slug: str = ""
    user_group: str = ""
    storage: str = ""

    def recorded_inputs(self) -> dict[str, Any]:
        """The inputs without the secrets: those are sent, never kept."""
        return {name: value for name, value in self.parameters.items() if name not in self.secret_names}


def template_to_send(*, submission: Submission) -> str:
    """The template's text: as the catalogue has it, or with a placement policy when a provider was chosen."""
    if not submission.sla_id:
        raw = submission.template.raw
        return raw if submission.module else without_placement(raw)
    type = placement_type(_version())
    return with_placement(submission.template.raw, sla_id=submission.sla_id, type=type)


def deployment_submit(*, user: User, submission: Submission) -> Deployment:
    """Ask the orchestrator for it, once per submission key, and return our record.

    A second call with the same key (a double click) returns the first one's record and sends nothing. When no answer
    came but the request may have arrived, the record stays as UNCERTAIN, to be looked for. Raises LoginExpired before
    anything is sent, and Problem ``submit:…`` when it certainly was not accepted; no record stays then.
    """
    existing = Deployment.objects.visible_to(user).filter(submission_key=submission.key).first()
    if existing:
        return existing
    try:
        orchestrator = Orchestrator(user)  # fetches the token, so an ended login stops here
        text = template_to_send(submission=submission)
    except ServiceError as error:
        raise _unsent(error) from error
    try:
        with transaction.atomic():
            deployment = _record(user, submission, text)
    except IntegrityError:  # a second call was quicker, or the catalogue has just dropped the template
        existing = Deployment.objects.visible_to(user).filter(submission_key=submission.key).first()
        if existing is None:
            raise Problem("submit:template") from None
        return existing
    try:
        with recorded(user, "submit", deployment):
            answer = orchestrator.create(
                template=text,
                parameters=submission.parameters,
                callback=callback_url(deployment),
                user_group=submission.user_group,
                options=submission.options,
            )
    except LoginExpired:
        deployment.delete()
        raise
    except ServiceError as error:
        if error.maybe_done:
            log.warning("Submission %s is uncertain: %s", submission.key, error.id)
            deployment_uncertain(deployment=deployment)
            return deployment
        deployment.delete()
        raise _refused(error) from error
    storage_account_used(user=user, key=submission.storage)
    return deployment_accepted(deployment=deployment, upstream=answer)


def _record(user: User, submission: Submission, text: str) -> Deployment:
    """The record, before anything is sent: what is on record can't be lost by a crash in between."""
    deployment = Deployment.objects.create(
        submission_key=submission.key,
        owner=user,
        issuer=user.issuer,
        subject=user.subject,
        user_group=submission.user_group,
        module=submission.module,
        module_slug=submission.module.slug if submission.module else submission.module_slug,
        template=submission.template if submission.template.pk else None,
        template_file=submission.template.filename,
        template_digest=hashlib.sha256(text.encode()).hexdigest(),
        template_title=submission.template_title,
        template_text=text,
        title=submission.title,
        choices=submission.choices.as_dict() if submission.choices else {},
        inputs=submission.recorded_inputs(),
        secret_inputs=[name for name in submission.secret_names if name in submission.parameters],
        provider_choice={"mode": "manual", "sla_id": submission.sla_id, "label": submission.provider_label}
        if submission.sla_id
        else {"mode": "auto"},
        options=dict(submission.options),
        storage=submission.storage,
        docker_image=_text(submission.parameters, "docker_image", "dockerhub_img"),
        num_cpus=count_of(submission.parameters.get("num_cpus")),
        num_gpus=count_of(submission.parameters.get("num_gpus")),
        status=Status.SUBMITTING,
        deployment_kind=submission.template.kind,
    )
    StatusEvent.objects.create(deployment=deployment, status=Status.SUBMITTING)
    return deployment


def _refused(error: ServiceError) -> Problem:
    return _unsent(error) if error.unavailable else Problem("submit:refused", detail=error.detail)


def _unsent(error: ServiceError) -> Problem:
    return Problem("submit:unsent", detail=error.detail, service=error.service)


def _version() -> str:
    """The orchestrator's version; empty when it does not tell."""
    try:
        return orchestrator_info().version
    except ServiceError:
        return ""


def _text(parameters: Mapping[str, Any], *names: str) -> str:
    return next((str(parameters[name])[:500] for name in names if parameters.get(name)), "")
