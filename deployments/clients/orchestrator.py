"""INDIGO PaaS Orchestrator (contract 1): deployments, their templates, logs and resources."""

import logging
import re
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

from django.utils.translation import gettext_noop
from pydantic import BeforeValidator, Field, ValidationError, field_validator

from deepdash.config import config
from deepdash.http import Answer, ServiceError, ServiceSession
from deployments.clients.base import ServiceClient, segment
from deployments.clients.shapes import Items, Mapping, Moment, Shape, Text

if TYPE_CHECKING:
    from accounts.models import User

Told = TypeVar("Told", bound="_Named")
log = logging.getLogger(__name__)

REFERENCE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"  # identifiers that are safe as one segment of an address
PAGE_SIZE = 2000  # the most it gives at once; more is capped silently (contract 1.6)
MAX_PAGES = 25
LISTING_BYTES = 64 * 1024 * 1024  # a page of the list alone; everything else has the usual limit
WRITE_TIMEOUT = 30.0  # seconds; a POST validates the template and exchanges the token before it answers
OPTIONS = {
    "keep_last_attempt": "keepLastAttempt",
    "timeout_mins": "timeoutMins",
    "provider_timeout_mins": "providerTimeoutMins",
    "max_providers_retry": "maxProvidersRetry",
}
PLAIN = {"Accept": "text/plain, */*;q=0.1"}
_ObjectOrNone = BeforeValidator(lambda value: value if isinstance(value, dict) else None)
_PAGING = {"createdBy", "userGroup", "page", "size", "sort"}


class Creator(Shape):
    issuer: Text = ""
    subject: Text = ""


class ProviderEndpoint(Shape):
    """Where it runs. ``service_id`` is the CMDB's id of the compute service."""

    url: Text = Field("", alias="cpEndpoint")
    service_id: Text = Field("", alias="cpComputeServiceId")
    region: Text = ""
    vault: Text = Field("", alias="vaultUri")
    kind: Text = Field("", alias="deploymentType")


class _Named(Shape):
    """What has an identifier that can stand in an address."""

    uuid: Text

    @field_validator("uuid")
    @classmethod
    def _usable(cls, value: str) -> str:
        if not re.fullmatch(REFERENCE, value):
            raise ValueError("no usable uuid")
        return value


class UpstreamDeployment(_Named):
    """A deployment as the orchestrator tells it (contract 1.7). Absent fields are empty."""

    status: Text = "UNKNOWN"
    status_reason: Text = Field("", alias="statusReason")
    task: Text = ""
    created_at: Moment = Field(None, alias="creationTime")
    updated_at: Moment = Field(None, alias="updateTime")
    physical_id: Text = Field("", alias="physicalId")
    outputs: Mapping = {}
    callback: Text = ""
    user_group: Text = Field("", alias="userGroup")
    provider_name: Text = Field("", alias="cloudProviderName")
    provider_endpoint: Annotated[ProviderEndpoint | None, _ObjectOrNone] = Field(None, alias="cloudProviderEndpoint")
    created_by: Annotated[Creator | None, _ObjectOrNone] = Field(None, alias="createdBy")

    @field_validator("status")
    @classmethod
    def _known_length(cls, value: str) -> str:
        return value[:32] or "UNKNOWN"


class UpstreamResource(_Named):
    """A node of a deployment (contract 1.15). ``metadata`` may hold private keys: never show it whole."""

    state: Text = ""
    physical_id: Text = Field("", alias="physicalId")
    node_type: Text = Field("", alias="toscaNodeType")
    node_name: Text = Field("", alias="toscaNodeName")
    created_at: Moment = Field(None, alias="creationTime")
    updated_at: Moment = Field(None, alias="updateTime")
    metadata: Mapping = {}


class ServiceConfiguration(Shape):
    """Addresses of the other services, as the orchestrator uses them (contract 1.5)."""

    slam: Text = Field("", alias="slam_url")
    cmdb: Text = Field("", alias="cmdb_url")
    im: Text = Field("", alias="im_url")
    monitoring: Text = Field("", alias="monitoring_url")


class Info(Shape):
    """``GET /info`` (contract 1.4)."""

    version: Text = ""
    revision: Text = ""

    def at_least(self, wanted: str) -> bool:
        """True when the version is not lower than ``wanted`` ("2.7.0"); what follows a "-" does not count."""
        return self.version != "" and _numbers(self.version) >= _numbers(wanted)


class _Page(Shape):
    content: Annotated[list[Any], Items] = []
    links: Annotated[list[Any], Items] = []


@dataclass(frozen=True)
class Listing:
    """All pages of a list. Unless it is ``complete`` (all of it could be read), absence proves nothing."""

    items: tuple[UpstreamDeployment, ...]
    complete: bool


class Orchestrator(ServiceClient):
    """Calls in the name of ``user``. All methods raise ServiceError and LoginExpired."""

    name: ClassVar[str] = gettext_noop("The orchestrator")

    def __init__(self, user: "User | None", *, renews: bool = True) -> None:
        url, verify = config.ORCHESTRATOR_URL, config.ORCHESTRATOR_CERT or True
        super().__init__(user, url, verify=verify, renews=renews)
        self._listing = ServiceSession(self.name, url, verify=verify, max_bytes=LISTING_BYTES)
        self._patient = ServiceSession(
            self.name, url, verify=verify, read_timeout=WRITE_TIMEOUT, total_timeout=WRITE_TIMEOUT
        )

    def info(self) -> Info:
        """Version and revision; needs no token."""
        data = self._session.get("/info").json()
        build = data.get("build") if isinstance(data, dict) else None
        if isinstance(build, dict):
            commit = (data.get("git") or {}).get("commit") or {}
            return Info(version=build.get("version"), revision=commit.get("id"))
        return Info(version=data.get("projectVersion") if isinstance(data, dict) else "")

    def configuration(self) -> ServiceConfiguration:
        """Addresses of SLAM, CMDB, IM and monitoring; needs version 2.3."""
        return self.call("GET", "/configuration").parse(ServiceConfiguration)

    def deployments(self, *, user_group: str = "") -> Listing:
        """All of the user's deployments, or of a group's, newest first.

        Only the query of a ``next`` link is used: behind a proxy its host may be one we can't or must not reach.
        """
        items: list[UpstreamDeployment] = []
        complete = True
        params: dict[str, str] = {"page": "0", "size": str(PAGE_SIZE)}
        params |= {"userGroup": user_group} if user_group else {"createdBy": "me"}
        pages_seen: set[str] = set()
        for _ in range(MAX_PAGES):
            page = self.call("GET", "/deployments", session=self._listing, params=params).parse(_Page)
            found = _readable(UpstreamDeployment, page.content)
            complete = complete and len(found) == len(page.content)
            items += found
            pages_seen.add(params.get("page", "0"))
            following = _next(page.links)
            if not following or not page.content:
                return Listing(tuple(items), complete)
            if following.get("page", "0") in pages_seen:
                break  # a circle of links
            params |= following
        return Listing(tuple(items), False)

    def deployment(self, uuid: str) -> UpstreamDeployment:
        """One deployment. Unknown or not visible: ServiceError ``service:missing``."""
        return self.call("GET", f"/deployments/{segment(uuid)}").parse(UpstreamDeployment)

    def create(
        self,
        *,
        template: str,
        parameters: MappingOf[str, Any],
        callback: str = "",
        user_group: str = "",
        options: MappingOf[str, Any] | None = None,
    ) -> UpstreamDeployment:
        """Ask for a deployment (contract 1.9). Sent once; ``ServiceError.maybe_done`` tells whether it may exist.

        ``options`` are flags and time limits by the names of OPTIONS.
        """
        body = _request(template, parameters, options or {}, callback=callback, userGroup=user_group)
        return self._write("POST", "/deployments", body).parse(UpstreamDeployment)

    def update(
        self,
        uuid: str,
        *,
        template: str,
        parameters: MappingOf[str, Any],
        options: MappingOf[str, Any] | None = None,
    ) -> None:
        """Change a running one (contract 1.10); ``parameters`` are merged over the old ones, ``options`` as above."""
        self._write("PUT", f"/deployments/{segment(uuid)}", _request(template, parameters, options or {}))

    def reset(self, uuid: str) -> None:
        """Give up a stuck deletion: it becomes DELETE_FAILED and can be deleted again (contract 1.11)."""
        self._write("PATCH", f"/deployments/{segment(uuid)}", {"status": "DELETE_FAILED"})

    def delete(self, uuid: str, *, force: bool = False) -> None:
        """Start the deletion (contract 1.12). ``force`` is ignored by servers before 3.0."""
        params = {"force": "true"} if force else None
        self._write("DELETE", f"/deployments/{segment(uuid)}", None, params=params)

    def template(self, uuid: str) -> str:
        """The TOSCA text as it was submitted."""
        return self.call("GET", f"/deployments/{segment(uuid)}/template", headers=PLAIN).text

    def log(self, uuid: str) -> str:
        """The contextualisation log; empty for container kinds. Without a provider it answers 500 (contract 1.14)."""
        return self.call("GET", f"/deployments/{segment(uuid)}/log", headers=PLAIN).text

    def extra_info(self, uuid: str) -> list[Any]:
        """What the provider tells beyond the outputs; may hold credentials, like resources."""
        answer = self.call("GET", f"/deployments/{segment(uuid)}/extrainfo", headers=PLAIN)
        if not answer.body.strip():
            return []
        data = answer.json()
        return data if isinstance(data, list) else [data]

    def resources(self, uuid: str) -> tuple[UpstreamResource, ...]:
        """The nodes of a deployment."""
        params = {"page": "0", "size": str(PAGE_SIZE)}
        page = self.call("GET", f"/deployments/{segment(uuid)}/resources", params=params).parse(_Page)
        return tuple(_readable(UpstreamResource, page.content))

    def action(self, uuid: str, resource_id: str, action: str) -> None:
        """``start`` or ``stop`` a node (contract 1.15); carried out later."""
        path = f"/deployments/{segment(uuid)}/resources/{segment(resource_id)}/actions"
        self._write("POST", path, {"type": action})

    def _write(self, method: str, path: str, body: Any, **options: Any) -> Answer:
        return self.call(method, path, session=self._patient, json=body, **options)


def _request(
    template: str, parameters: MappingOf[str, Any], options: MappingOf[str, Any], **others: str
) -> dict[str, Any]:
    """The body of POST and PUT. What is not given is left out: the server takes no nulls (contract 1.9)."""
    given = {OPTIONS[name]: value for name, value in options.items()} | others
    return {"template": template, "parameters": dict(parameters)} | {k: v for k, v in given.items() if v}


def _readable(kind: type[Told], content: list[Any]) -> list[Told]:
    """What of a list can be read; each of the others costs only itself."""
    found = []
    for data in content:
        try:
            found.append(kind.model_validate(data))
        except ValidationError as error:
            log.warning("One %s of a list can't be read: %s", kind.__name__, error.errors()[0]["msg"])
    return found


def _next(links: list[Any]) -> dict[str, str]:
    """The paging parameters of the ``next`` link; empty without one."""
    for link in links:
        if isinstance(link, dict) and link.get("rel") == "next":
            query = str(link.get("href", "")).partition("#")[0].partition("?")[2]
            return {key: value for key, value in parse_qsl(query) if key in _PAGING}
    return {}


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.partition("-")[0].split("."))


def says_gone(error: ServiceError) -> bool:
    """True when the orchestrator itself says that a deployment does not exist (contract 1.3).

    A 404 without those words comes from somewhere in between, a proxy that lost its way, and proves nothing.
    """
    return error.id == "service:missing" and "doesn't exist" in error.detail
