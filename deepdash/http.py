"""The one way out: every call to an outside service goes through a ``ServiceSession``.

It sets what must never be forgotten (time limits, size limits, few redirects, our user agent, certificates,
retries of safe methods only) and turns everything that can go wrong into a ``ServiceError`` with an id of
``deepdash.errors``. Nothing else in the product speaks HTTP.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from urllib3.util.retry import Retry

from deepdash.errors import Problem
from deepdash.inert import inert
from deepdash.metrics import Counted, Timed
from deepdash.redact import redact

log = logging.getLogger(__name__)
CALLS = Counted("outside_calls_total", "Calls to outside services; the outcome is ok, a status, or what went wrong.")
CALL_DURATIONS = Timed("outside_call_seconds", "How long outside services took.")
T = TypeVar("T")

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 8.0  # seconds without a byte
TOTAL_TIMEOUT = 10.0  # seconds for a whole answer, however slowly it drips
MAX_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 3
DETAIL_CHARS = 4000
USER_AGENT = "deepdash/1.0"

# A GET is tried once more when nothing was answered at all; what was answered is for the caller to judge.
_RETRY = Retry(
    total=1,
    connect=1,
    read=0,
    status=0,
    redirect=0,
    backoff_factor=0.2,
    allowed_methods=frozenset({"GET", "HEAD"}),
    respect_retry_after_header=False,  # nobody's page waits as long as a 429 asks for
)


class ServiceError(Problem):
    """A call that did not give what was wanted.

    ``service`` is the service's name for people, ``http_status`` the status if an answer came, ``retry_after`` the
    seconds a 429 asked for, ``sent`` whether the request may have reached the service.
    """

    def __init__(
        self,
        id: str,
        *,
        service: str,
        detail: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(id, detail=redact(inert(detail[: 4 * DETAIL_CHARS]))[:DETAIL_CHARS], service=service)
        self.service, self.http_status, self.retry_after, self.sent = service, http_status, retry_after, sent

    @property
    def unavailable(self) -> bool:
        """True when the service itself is the trouble (down, slow, faulty), not what was asked of it."""
        return self.id in {"service:unreachable", "service:timeout", "service:fault", "service:garbled", "service:busy"}

    @property
    def maybe_done(self) -> bool:
        """True when a write may have been carried out although no answer came back."""
        if self.http_status is None:
            return self.sent
        return self.id in {"service:timeout", "service:garbled"} or self.http_status in {502, 504}


class Unauthorized(ServiceError):
    """401: the token is not, or no longer, accepted."""


class Answer:
    """A complete answer: ``status``, ``headers``, ``body`` (bytes), ``url`` (after redirects)."""

    def __init__(self, service: str, response: requests.Response, body: bytes) -> None:
        self.service, self.status, self.headers, self.body = service, response.status_code, response.headers, body
        self.url = response.url
        self._encoding = response.encoding if "charset" in response.headers.get("Content-Type", "") else "utf-8"

    @property
    def text(self) -> str:
        try:
            return self.body.decode(self._encoding or "utf-8", errors="replace")
        except LookupError:  # the server named an encoding that does not exist
            return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON, whatever its label says (contract 3.1). Raises ServiceError when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ServiceError(
                "service:garbled", service=self.service, detail=self.text[:300], http_status=self.status
            ) from error

    def parse(self, shape: "type[T] | TypeAdapter[T]") -> T:
        """The body as JSON of a given shape. Raises ServiceError when it is anything else."""
        data = self.json()
        try:
            if isinstance(shape, TypeAdapter):
                return shape.validate_python(data)
            if issubclass(shape, BaseModel):
                return shape.model_validate(data)
            return TypeAdapter(shape).validate_python(data)
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
            raise ServiceError("service:garbled", service=self.service, detail=what, http_status=self.status) from None


class ServiceSession:
    """Calls to one service.

    ``name`` is what people call the service, ``base_url`` its address, ``verify`` True or a CA bundle, ``token`` a
    bearer token sent only to the base URL's own host. ``adapter`` replaces the transport (the guarded one of
    ``deepdash.guard`` for addresses that come from outside).
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        verify: bool | str = True,
        token: str = "",
        headers: Mapping[str, str] | None = None,
        read_timeout: float = READ_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        max_bytes: int = MAX_BYTES,
        adapter: HTTPAdapter | None = None,
    ) -> None:
        self.name, self.base_url = name, base_url.rstrip("/")
        self.read_timeout, self.total_timeout, self.max_bytes = read_timeout, total_timeout, max_bytes
        self._session = requests.Session()
        self._session.trust_env = False  # no surprise proxies or .netrc passwords from the environment
        self._session.verify = verify
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json, */*;q=0.5"})
        self._session.headers.update(headers or {})
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter or HTTPAdapter(max_retries=_RETRY, pool_maxsize=16))

    def get(self, path: str = "", **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def request(
        self,
        method: str,
        path: str = "",
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (),
    ) -> Answer:
        """One call. ``path`` is appended to the base URL (an absolute URL is taken as it is).

        Returns the answer when its status is 2xx or in ``ok``. Raises Unauthorized for 401 and ServiceError for
        everything else. Redirects are followed for GET only, and a token never leaves the host it was meant for.
        """
        if not self.base_url and not path.startswith(("http://", "https://")):
            raise ServiceError("service:unset", service=self.name, sent=False)
        url = path if path.startswith(("http://", "https://")) else f"{self.base_url}{path}"
        started = time.monotonic()
        try:
            answer = self._send(method, url, started, params=params, json=json, data=data, files=files, auth=auth,
                                headers=dict(headers or {}))  # fmt: skip
        except ServiceError as error:
            self._counted(error.id.partition(":")[2], started)
            log.info(
                "%s %s %s failed after %.3f s: %s", self.name, method, _path(url), time.monotonic() - started, error.id
            )
            raise
        accepted = 200 <= answer.status < 300 or answer.status in ok
        self._counted("ok" if accepted else str(answer.status), started)
        log.info("%s %s %s -> %s in %.3f s", self.name, method, _path(url), answer.status, time.monotonic() - started)
        if accepted:
            return answer
        raise self._refusal(answer)

    def _counted(self, outcome: str, started: float) -> None:
        CALLS.add(service=self.name, outcome=outcome)
        CALL_DURATIONS.observe(time.monotonic() - started, service=self.name)

    def _send(self, method: str, url: str, started: float, **options: Any) -> Answer:
        try:
            for _ in range(MAX_REDIRECTS + 1):
                response = self._session.request(
                    method,
                    url,
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_TIMEOUT, self.read_timeout),
                    **options,
                )
                with response:
                    if method != "GET" or not response.is_redirect:
                        return Answer(self.name, response, self._read(response, started))
                    target = urljoin(url, response.headers["Location"])
                if urlsplit(target).scheme not in {"http", "https"}:
                    raise ServiceError("service:garbled", service=self.name, detail="redirected to no web address")
                if _origin(target) != _origin(url):
                    options["headers"] = {**options["headers"], "Authorization": None}
                url, options["params"] = target, None
        except requests.exceptions.SSLError as error:
            detail = f"Its certificate was refused: {error}"
            raise ServiceError("service:unreachable", service=self.name, detail=detail, sent=False) from error
        except requests.exceptions.ConnectTimeout as error:
            raise ServiceError("service:unreachable", service=self.name, detail=str(error), sent=False) from error
        except requests.exceptions.Timeout as error:
            raise ServiceError("service:timeout", service=self.name, detail=str(error)) from error
        except requests.exceptions.ConnectionError as error:
            cause = error.args[0] if error.args else None
            sent = not isinstance(getattr(cause, "reason", None), NewConnectionError)
            id = "service:timeout" if "timed out" in str(error) else "service:unreachable"
            raise ServiceError(id, service=self.name, detail=str(error), sent=sent) from error
        except (requests.exceptions.RequestException, ValueError, UnicodeError) as error:
            raise ServiceError("service:garbled", service=self.name, detail=str(error)) from error
        raise ServiceError("service:garbled", service=self.name, detail="too many redirects")

    def _read(self, response: requests.Response, started: float) -> bytes:
        chunks, size = [], 0
        for chunk in _chunks(response):
            size += len(chunk)
            if size > self.max_bytes:
                detail = f"more than {self.max_bytes // 1024} KiB"
                raise ServiceError(
                    "service:garbled", service=self.name, detail=detail, http_status=response.status_code
                )
            if time.monotonic() - started > self.total_timeout:
                raise ServiceError("service:timeout", service=self.name, http_status=response.status_code)
            chunks.append(chunk)
        return b"".join(chunks)

    def _refusal(self, answer: Answer) -> ServiceError:
        status, detail = answer.status, error_text(answer)
        if status == 401:
            return Unauthorized("login:expired", service=self.name, detail=detail, http_status=status)
        if status == 429:
            id = "service:busy"
        elif status >= 500:
            id = "service:fault"
        else:
            id = {403: "service:denied", 404: "service:missing", 409: "service:conflict"}.get(status, "service:refused")
        return ServiceError(
            id, service=self.name, detail=f"{status} {detail}".strip(), http_status=status,
            retry_after=_seconds(answer.headers.get("Retry-After", "")),
        )  # fmt: skip


def error_text(answer: Answer) -> str:
    """What the service said about its refusal: the message of a JSON body, the text of a plain one, not HTML."""
    kind = answer.headers.get("Content-Type", "")
    if "html" in kind or answer.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "(a web page, probably of a proxy in front)"
    text = answer.text.strip()
    if text.startswith("{"):
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return text
        said = [str(body[key]) for key in ("message", "error_description", "error", "title", "detail") if body.get(key)]
        return said[0] if said else ""
    return text


def side_by_side(calls: Sequence[Callable[[], T]], *, at_once: int = 8) -> list[T | ServiceError]:
    """Make calls at the same time; results come in the order of the calls, a failed one as its ServiceError.

    The calls must not use the database: threads would open connections of their own.
    """
    if not calls:
        return []

    def guarded(call: Callable[[], T]) -> T | ServiceError:
        try:
            return call()
        except ServiceError as error:
            return error

    with ThreadPoolExecutor(max_workers=min(at_once, len(calls)), thread_name_prefix="outside") as pool:
        futures = [pool.submit(copy_context().run, guarded, call) for call in calls]
        return [future.result() for future in futures]


def _chunks(response: requests.Response) -> Iterator[bytes]:
    yield from response.iter_content(64 * 1024)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _path(url: str) -> str:
    """The part of an address that may be logged: no query (it may hold arguments), no user part."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def _seconds(text: str) -> float | None:
    return float(text) if text.isdigit() else None
