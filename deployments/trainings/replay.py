"""A run once more, on a new deployment: what of it can be sent again by itself, and how the new one is configured."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from deployments.journal.actions import action_record
from deployments.models import Deployment, Training, TrainingBatch
from deployments.prefill import Prefill, prefill_of
from deployments.status import configure_url
from deployments.trainings.arguments import as_sent
from deployments.trainings.records import environment_of

if TYPE_CHECKING:
    from accounts.models import User

_FOLLOWING = UUID("6a1b6c0e-6f43-4f55-9f0a-5f2f3a1f6f2d")  # so that one submission has one training, however often sent


@dataclass(frozen=True)
class Replay:
    """The arguments of a run as pairs to send, and the names of those that can't be sent by themselves."""

    pairs: list[list[str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def replay_of(run: Training) -> Replay:
    """What it takes to train like a run. Secrets and files are not kept, and mappings do not fit into an address."""
    pairs: list[list[str]] = []
    missing = list(run.secret_arguments)
    for name, value in run.arguments.items():
        if value is None or value in ([], {}):
            continue
        if _is_upload(name, value) or not all(map(_is_plain, value if isinstance(value, list) else [value])):
            missing.append(name)
        else:
            pairs += [[name, as_sent(one)] for one in (value if isinstance(value, list) else [value])]
    return Replay(pairs, missing)


def run_by_key(user: "User", key: str) -> Training | None:
    """The user's own run with that key, None for anything else."""
    try:
        return Training.objects.visible_to(user).filter(key=UUID(key)).select_related("deployment").first()
    except ValueError:
        return None


def new_deployment_url(run: Training) -> str:
    """The form for a deployment like the one of a run, "" when neither that nor its module is known.

    An imported record may say anything of its module; what can't be a module's name has no form.
    """
    if run.deployment is not None:
        address, mark, query = configure_url(run.deployment).partition("?")
        return f"{address}?{query}{'&' if mark else ''}{urlencode({'record': str(run.key)})}"
    try:
        address = reverse("deployments:configure", args=[run.module_slug])
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode({'record': str(run.key)})}"


def prefill_of_run(run: Training) -> Prefill:
    """What its deployment was made with, without secrets. Of an imported record it is what the file says."""
    if run.deployment is not None:
        return prefill_of(run.deployment)
    environment = environment_of(run)
    return Prefill(
        choices={name: value for name, value in environment.choices.items() if isinstance(value, str)},
        inputs={name: value for name, value in environment.inputs.items() if name != "deployment_description"},
        title=environment.title,
        secrets=environment.secret_inputs,
    )


def changes_since(run: Training, *, template: str, image: str) -> Iterator[str]:
    """Sentences on what would be different today: the text of the template, the tag of the image."""
    then = environment_of(run)
    digest = hashlib.sha256(template.encode()).hexdigest()
    # A text with a chosen provider in it differs by that alone.
    if then.template_sha256 and then.template_sha256 != digest and "policies:" not in then.template:
        if then.template_file:
            message = _("The template %(name)s has changed since; its record holds the text as it was.")
            yield message % {"name": then.template_file}
        else:
            yield _("The template of that training has changed since; its record holds the text as it was.")
    if then.image and image and then.image != image:
        yield _("That training ran in %(then)s; this would run %(now)s.") % {"then": then.image, "now": image}


def training_follow(*, user: "User", deployment: Deployment, run: Training) -> TrainingBatch | None:
    """Have a new deployment train like a run as soon as its API answers; None when something of it is missing.

    However often it is called for a deployment, one training follows.
    """
    replay = replay_of(run)
    if replay.missing:
        return None
    submission = deployment.submission_key or deployment.reference
    batch, made = TrainingBatch.objects.get_or_create(
        key=uuid5(_FOLLOWING, str(submission)),
        defaults={"owner": user, "deployment": deployment, "model": run.model, "plan": [replay.pairs]},
    )
    if made:
        action_record(user, "batch", deployment, detail=f"{run.model}: like {run.key}")
    return batch


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool))


def _is_upload(name: str, value: Any) -> bool:
    """DEEPaaS tells an uploaded file as the list of its parts, the name of the argument first."""
    return isinstance(value, list) and len(value) >= 3 and value[0] == name
