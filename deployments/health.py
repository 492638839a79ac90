"""Whether the services behind this dashboard answer, for curators: asked side by side, with short patience."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import Answer, ServiceError, ServiceSession, side_by_side
from deployments.clients.orchestrator import Orchestrator
from deployments.endpoints import addresses_configured, service_addresses

if TYPE_CHECKING:
    from accounts.models import User

PATIENCE = 5.0  # seconds
VERSION_CHARS = 40


@dataclass(frozen=True)
class Health:
    """What one service said. ``problem`` None: it answers; ``milliseconds`` is how long that took."""

    name: str
    address: str
    version: str = ""
    milliseconds: int = 0
    problem: Problem | None = None

    @property
    def tone(self) -> str:
        if not self.address:
            return "idle"
        return "bad" if self.problem else "ok"

    @property
    def label(self) -> str:
        if not self.address:
            return _("Not configured")
        return _("Not answering") if self.problem else _("Answers")


def services_health(user: "User") -> list[Health]:
    """Ask all services at once. A refusal counts as an answer: it is there, and wants a token or another question.

    Raises LoginExpired when the orchestrator has to be asked for the others' addresses and the login has ended.
    """
    try:
        addresses = service_addresses(user)
    except ServiceError:  # the orchestrator's own line says why; then only what is configured is known
        addresses = addresses_configured()
    asked: list[tuple[str, str, Callable[[], str]]] = [
        ("INDIGO IAM", config.IAM_BASE_URL,
         _knock("IAM", config.IAM_BASE_URL, config.IAM_CERT, "/.well-known/openid-configuration")),
        ("PaaS Orchestrator", config.ORCHESTRATOR_URL, lambda: Orchestrator(None).info().version),
        ("SLAM", addresses.slam, _knock("SLAM", addresses.slam, config.SLAM_CERT, "")),
        ("CMDB", addresses.cmdb, _knock("CMDB", addresses.cmdb, config.CMDB_CERT, "/service/id/none")),
        ("Infrastructure Manager", addresses.im, _knock("IM", addresses.im, config.IM_CERT, "/version", told=True)),
        ("Monitoring", addresses.monitoring, _knock("Monitoring", addresses.monitoring, config.MONITORING_CERT, "")),
    ]  # fmt: skip
    wanted = [(name, address, call) for name, address, call in asked if address]
    answers = side_by_side([partial(_timed, call) for *_name, call in wanted])
    known = {}
    for (name, address, _call), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, ServiceError):
            known[name] = Health(name, address, problem=answer)
        else:
            known[name] = Health(name, address, *answer)
    return [known.get(name, Health(name, address)) for name, address, _call in asked]


def _timed(call: Callable[[], str]) -> tuple[str, int]:
    began = time.monotonic()
    version = call()
    return version[:VERSION_CHARS], round((time.monotonic() - began) * 1000)


def _knock(name: str, address: str, ca: str, path: str, *, told: bool = False) -> Callable[[], str]:
    """A call without a token; its text is a version if it is ``told`` so."""

    def knock() -> str:
        session = ServiceSession(
            name, address, verify=ca or True, read_timeout=PATIENCE, total_timeout=PATIENCE, max_bytes=256 * 1024
        )
        try:
            answer = session.get(path)
        except ServiceError as error:
            if error.http_status is not None and 400 <= error.http_status < 500 and not error.unavailable:
                return ""
            raise
        return _version(answer) if told else ""

    return knock


def _version(answer: Answer) -> str:
    """A version told as plain text or as JSON."""
    try:
        data = answer.json()
    except ServiceError:
        return answer.text.strip().partition("\n")[0]
    return str(data.get("version", "")) if isinstance(data, dict) else str(data)
