"""Logs of deployments: only what runs in virtual machines has one (contracts 1.14 and 4.2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deepdash.http import ServiceError
from deepdash.inert import inert
from deepdash.redact import redact
from deployments.clients.im import Im
from deployments.clients.orchestrator import Orchestrator
from deployments.endpoints import service_addresses
from deployments.models import Deployment

if TYPE_CHECKING:
    from accounts.models import User

MAX_CHARS = 500_000  # of the end, where the news are
CONTAINER_KINDS = ("MARATHON", "CHRONOS", "QCG", "KUBERNETES")


@dataclass(frozen=True)
class Log:
    """``available`` tells whether asking makes sense, ``why_not`` says why it does not."""

    text: str = ""
    available: bool = True
    why_not: str = ""
    advice: str = ""


def log_of(deployment: Deployment, *, user: "User | None" = None) -> Log:
    """The log of a deployment; without ``user`` only whether there is one, nothing is asked.

    Raises ServiceError and LoginExpired.
    """
    if deployment.is_gone:
        return Log(available=False, why_not=_("It is gone"), advice=_("The orchestrator keeps no log of what is gone."))
    if deployment.deployment_kind in CONTAINER_KINDS:
        if deployment.run == "deepaas":
            advice = _(
                "The orchestrator gives no log for container deployments. "
                "To see what it writes, deploy it with JupyterLab and start the API in its terminal."
            )
        else:
            advice = _(
                "The orchestrator gives no log for container deployments. "
                "Open JupyterLab and look at the terminal there."
            )
        return Log(available=False, why_not=_("No log for this kind"), advice=advice)
    if not deployment.uuid or not deployment.provider_name:
        # The orchestrator answers 500 until a provider was chosen (contract 1.14).
        return Log(available=False, why_not=_("No log yet"), advice=_("There is one as soon as a provider was chosen."))
    if user is None:
        return Log()
    return Log(redact(inert(_read(deployment.uuid, deployment.physical_id, user)[-MAX_CHARS:])))


def _read(uuid: str, infrastructure: str, user: "User") -> str:
    """The orchestrator's log; before its version 2.4 there is none there, then IM's."""
    try:
        return Orchestrator(user).log(uuid)
    except ServiceError as error:
        if error.id != "service:missing" or not infrastructure:
            raise
    return Im(user, service_addresses(user).im).contextualization_log(infrastructure)
