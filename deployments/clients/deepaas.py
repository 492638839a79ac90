"""DEEPaaS, the API inside each deployed module (contract 6). Its address comes from outside: calls are guarded."""

import re
from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import Field, TypeAdapter

from deepdash.answers import too_large
from deepdash.config import config
from deepdash.guard import GuardedAdapter, Network, networks
from deepdash.http import Answer, ServiceError, ServiceSession, Stream
from deployments.clients.base import segment
from deployments.clients.shapes import Items, Mapping, Shape, Text
from deployments.clients.upload import Upload

MAX_BYTES = 4 * 1024 * 1024
PROBE_TIMEOUT = 3.0  # seconds
PREDICT_TIMEOUT = 55.0  # seconds; proxies in front of the dashboard mostly give up after 60
PREDICT_SECONDS = 600.0  # until the last byte of an answer: it holds a thread of ours
PREDICT_BYTES = 1024 * 1024 * 1024
# Where webargs 6 and later say an argument was; version 5, which DEEPaaS uses, names the arguments at once.
_LOCATIONS = {"query", "querystring", "form", "json", "files", "headers"}


def allowed_networks() -> tuple[Network, ...]:
    """The private networks that deployments may be in, by configuration."""
    return networks(config.OUTBOUND_ALLOWED_NETWORKS)


def guarded_session(name: str, url: str, *, timeout: float, max_bytes: int = MAX_BYTES) -> ServiceSession:
    """A session without any token for an address that came from outside."""
    verify: bool | str = (config.DEEPAAS_CERT or True) if config.DEEPAAS_VERIFY else False
    return ServiceSession(
        name, url, verify=verify, read_timeout=timeout, total_timeout=timeout, max_bytes=max_bytes,
        adapter=GuardedAdapter(name, allowed=allowed_networks()),
    )  # fmt: skip


def probe(name: str, url: str) -> int:
    """The HTTP status with which a service answers a GET.

    Raises ServiceError when it gives no answer at all (or when the address is forbidden: ``service:blocked``).
    """
    session = guarded_session(name, url, timeout=PROBE_TIMEOUT, max_bytes=MAX_BYTES)
    try:
        return session.get("", headers={"Accept": "*/*"}).status
    except ServiceError as error:
        if error.http_status is None:
            raise
        return error.http_status


class Model(Shape):
    """A model of a DEEPaaS. ``key`` is what its routes are called: metadata may override id and name (contract 6.2)."""

    id: Text = ""
    name: Text = ""
    description: Text = ""
    version: Text = ""
    author: Text = ""
    links: Annotated[list[Any], Items] = []

    @property
    def key(self) -> str:
        for link in self.links:
            if isinstance(link, dict) and link.get("href"):
                path = re.split(r"[?#]", str(link["href"]))[0]  # from outside: it need not be an address at all
                last = path.rstrip("/").rpartition("/")[2]
                if last:
                    return unquote(last)
        return self.name if self.id in {"", "0"} else self.id


class Training(Shape):
    """One training as its DEEPaaS tells it (contract 6.3). ``date`` has no zone: it is the container's clock."""

    uuid: Text
    date: Text = ""
    status: Text = ""
    args: Mapping = {}
    message: Text = ""
    result: Mapping = {}


class ArgumentsRefused(ServiceError):
    """422: the API does not accept the arguments. ``problems``: its words by argument, "" for what names none."""

    def __init__(self, problems: dict[str, str]) -> None:
        detail = "; ".join(f"{name}: {text}" if name else text for name, text in problems.items())
        super().__init__("service:refused", service=Deepaas.name, detail=detail, http_status=422)
        self.problems = problems


class _Models(Shape):
    models: Annotated[list[Model], Items] = []


class _Version(Shape):
    id: Text = ""


class _Versions(Shape):
    versions: Annotated[list[_Version], Items] = Field([])


_TRAININGS = TypeAdapter(list[Training])


class Deepaas:
    """Calls to the DEEPaaS at one endpoint. All raise ServiceError; ``service:blocked`` for a forbidden address."""

    name = "DEEPaaS"

    def __init__(self, endpoint: str) -> None:
        self._session = guarded_session(self.name, endpoint.rstrip("/"), timeout=8.0)

    def versions(self) -> tuple[str, ...]:
        """The API versions it offers; training needs ``v2``."""
        return tuple(version.id for version in self._session.get("/").parse(_Versions).versions)

    def models(self) -> tuple[Model, ...]:
        """The models inside. With the slash at the end, else it redirects."""
        return tuple(self._session.get("/v2/models/").parse(_Models).models)

    def trainings(self, model: str) -> tuple[Training, ...]:
        """All trainings it remembers; a module that can't train has none."""
        data = self._session.get(self._path(model)).json()
        return tuple(_TRAININGS.validate_python([item for item in data if isinstance(item, dict) and item.get("uuid")])
                     if isinstance(data, list) else ())  # fmt: skip

    def training_start(
        self,
        model: str,
        *,
        params: Sequence[tuple[str, str]],
        headers: Values[str, str] | None = None,
        upload: Upload | None = None,
    ) -> Training:
        """Start a training, once; returns it as DEEPaaS understood it. Raises ArgumentsRefused for a 422."""
        answer = self._session.request(
            "POST", self._path(model), params=params, headers=_headers(headers, upload), data=upload, ok=(422,)
        )  # fmt: skip
        if answer.status == 422:
            raise ArgumentsRefused(refusals(answer.json()))
        return answer.parse(Training)

    def predict(
        self,
        model: str,
        *,
        params: Sequence[tuple[str, str]],
        headers: Values[str, str] | None = None,
        upload: Upload | None = None,
    ) -> Stream:
        """Make a prediction; the answer is of any type and is read as it comes. Raises ArgumentsRefused for a 422."""
        session = guarded_session(self.name, self._session.base_url, timeout=PREDICT_TIMEOUT)
        stream = session.stream(
            "POST", f"/v2/models/{segment(model)}/predict/", most=PREDICT_BYTES, seconds=PREDICT_SECONDS,
            params=params, headers=_headers(headers, upload), data=upload, ok=(422,),
        )  # fmt: skip
        if stream.status == 422:
            answer = stream.whole(MAX_BYTES)
            stream.close()
            raise ArgumentsRefused(refusals(answer.json() if answer else None))
        if stream.length is not None and stream.length > PREDICT_BYTES:
            stream.close()
            raise too_large(self.name, PREDICT_BYTES, stream.status)
        return stream

    def training_delete(self, model: str, uuid: str) -> Training | None:
        """Cancel and forget a training; returns it when it had come to its end.

        A running one is removed and nevertheless answered with 500 (contract 6.3): whether it is gone shows only in
        the list afterwards, so that answer is no error here.
        """
        answer = self._session.request("DELETE", self._path(model) + segment(uuid), ok=(500,))
        if answer.status == 500:
            return None
        return answer.parse(Training)

    def description(self) -> Answer:
        """``/swagger.json``, which describes the arguments of a training."""
        return self._session.get("/swagger.json")

    def _path(self, model: str) -> str:
        return f"/v2/models/{segment(model)}/train/"


def _headers(headers: Values[str, str] | None, upload: Upload | None) -> dict[str, str]:
    # Where a module offers media types it takes no list of them, only one, or "*/*".
    typed = {"Accept": "*/*", **{name.capitalize(): value for name, value in (headers or {}).items()}}
    return typed | ({"Content-Type": upload.content_type} if upload else {})


def refusals(body: Any) -> dict[str, str]:
    """The words of a 422 by argument: ``{"weights": {"1": ["Not a valid number."]}}`` → "Entry 2: Not a valid …"."""
    if not isinstance(body, dict):
        return {"": str(body)[:1000]}
    found: dict[str, str] = {}
    for name, said in body.items():
        if name in _LOCATIONS and isinstance(said, dict):
            found |= refusals(said)
        else:
            found["" if name == "_schema" else str(name)] = _said(said)
    return found


def _said(said: Any) -> str:
    if isinstance(said, dict):
        return " ".join(f"{_entry(place)}: {_said(text)}" for place, text in said.items())[:1000]
    return " ".join(map(str, said))[:1000] if isinstance(said, list) else str(said)[:1000]


def _entry(place: Any) -> str:
    return f"Entry {int(place) + 1}" if str(place).isdecimal() else str(place)
