"""The one way out: every call to an outside service goes through a ``ServiceSession``.

It sets what must never be forgotten (time limits, size limits, few redirects, our user agent, certificates,
retries of safe methods only) and turns everything that can go wrong into a ``ServiceError`` with an id of
``deepdash.errors``. Nothing else in the product speaks HTTP.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from deepdash.answers import Answer, ServiceError, Stream, Unauthorized, chunks_of, error_text, too_large, translated
from deepdash.metrics import Counted, Timed

__all__ = ["Answer", "ServiceError", "ServiceSession", "Stream", "Unauthorized", "error_text", "side_by_side"]

log = logging.getLogger(__name__)
CALLS = Counted("outside_calls_total", "Calls to outside services; the outcome is ok, a status, or what went wrong.")
CALL_DURATIONS = Timed("outside_call_seconds", "How long outside services took.")
T = TypeVar("T")
Told = TypeVar("Told", Answer, Stream)

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 8.0  # seconds without a byte
TOTAL_TIMEOUT = 10.0  # seconds for a whole answer, however slowly it drips
MAX_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 3
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
            self._session.mount(scheme, adapter or HTTPAdapter(max_retries=_RETRY, pool_maxsize=32))

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
        options = {"params": params, "json": json, "data": data, "files": files, "auth": auth}

        def whole(url: str, started: float) -> Answer:
            with self._open(method, url, headers=headers, **options) as response:
                return Answer(self.name, response, self._read(response, started))

        answer = self._measured(method, path, whole, ok)
        if 200 <= answer.status < 300 or answer.status in ok:
            return answer
        raise self._refusal(answer)

    def stream(
        self, method: str, path: str, *, most: int, seconds: float, headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (), **options: Any,
    ) -> Stream:  # fmt: skip
        """One call whose answer is read as it comes: at most ``most`` bytes, in at most ``seconds`` in all.

        Raises like ``request``; a refusal is read whole.
        """

        def opened(url: str, started: float) -> Stream:
            response = self._open(method, url, headers=headers, **options)
            return Stream(self.name, response, most=most, until=started + seconds)

        stream = self._measured(method, path, opened, ok)
        if 200 <= stream.status < 300 or stream.status in ok:
            return stream
        answer = stream.whole(self.max_bytes)
        if answer is None:
            stream.close()
            raise too_large(self.name, self.max_bytes, stream.status)
        raise self._refusal(answer)

    def _measured(self, method: str, path: str, call: "Callable[[str, float], Told]", ok: Sequence[int]) -> "Told":
        """What a call of an address (begun at a moment) gives, counted and logged."""
        if not self.base_url and not path.startswith(("http://", "https://")):
            raise ServiceError("service:unset", service=self.name, sent=False)
        url = path if path.startswith(("http://", "https://")) else f"{self.base_url}{path}"
        started = time.monotonic()
        try:
            with translated(self.name):
                told = call(url, started)
        except ServiceError as error:
            self._counted(error.id.partition(":")[2], started)
            log.info(
                "%s %s %s failed after %.3f s: %s", self.name, method, _path(url), time.monotonic() - started, error.id
            )
            raise
        accepted = 200 <= told.status < 300 or told.status in ok
        self._counted("ok" if accepted else str(told.status), started)
        log.info("%s %s %s -> %s in %.3f s", self.name, method, _path(url), told.status, time.monotonic() - started)
        return told

    def _counted(self, outcome: str, started: float) -> None:
        CALLS.add(service=self.name, outcome=outcome)
        CALL_DURATIONS.observe(time.monotonic() - started, service=self.name)

    def _open(
        self, method: str, url: str, *, headers: Mapping[str, str] | None, **options: Any
    ) -> requests.Response:  # fmt: skip
        """The answer up to its body, after redirects. Raises what requests does."""
        sent: dict[str, str | None] = dict(headers or {})
        for _ in range(MAX_REDIRECTS + 1):
            response = self._session.request(
                method,
                url,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECT_TIMEOUT, self.read_timeout),
                headers=sent,
                **options,
            )
            if method != "GET" or not response.is_redirect:
                return response
            with response:
                target = urljoin(url, response.headers["Location"])
            if urlsplit(target).scheme not in {"http", "https"}:
                raise ServiceError("service:garbled", service=self.name, detail="redirected to no web address")
            if _origin(target) != _origin(url):
                sent["Authorization"] = None
            url, options["params"] = target, None
        raise ServiceError("service:garbled", service=self.name, detail="too many redirects")

    def _read(self, response: requests.Response, started: float) -> bytes:
        chunks, size = [], 0
        for chunk in chunks_of(response):
            size += len(chunk)
            if size > self.max_bytes:
                raise too_large(self.name, self.max_bytes, response.status_code)
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


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _path(url: str) -> str:
    """The part of an address that may be logged: no query (it may hold arguments), no user part."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
