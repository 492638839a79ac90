"""What comes back from an outside service: an answer read whole or as it comes, or a ``ServiceError``."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import requests
from pydantic import BaseModel, TypeAdapter, ValidationError
from urllib3.exceptions import NewConnectionError

from deepdash.errors import Problem
from deepdash.inert import inert
from deepdash.redact import redact

T = TypeVar("T")
DETAIL_CHARS = 4000


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


class Stream:
    """An answer that is read as it comes: ``status`` and ``headers`` are there, the body by iterating or ``whole``.

    Iterating raises ServiceError when the body breaks off, grows beyond ``most`` bytes or lasts longer than
    ``seconds`` (from the moment it was asked for). Close it, unless it was read to its end.
    """

    def __init__(self, service: str, response: requests.Response, *, most: int, until: float) -> None:
        self.service, self.status, self.headers = service, response.status_code, response.headers
        self._response, self._most, self._until = response, most, until
        self._first: list[bytes] = []
        self._rest = chunks_of(response)
        self._size = 0

    @property
    def length(self) -> int | None:
        """How many bytes iterating will give, as far as the service told."""
        told = self.headers.get("Content-Length", "")
        return int(told) if told.isdecimal() and "Content-Encoding" not in self.headers else None

    def whole(self, most: int) -> Answer | None:
        """The answer when it has at most so many bytes; else None, and iterating gives it from its beginning."""
        while self._size <= most:
            chunk = self._next()
            if not chunk:
                self.close()
                return Answer(self.service, self._response, b"".join(self._first))
            self._first.append(chunk)
        return None

    def close(self) -> None:
        self._response.close()

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._first:
                yield self._first.pop(0)
            while chunk := self._next():
                yield chunk
        finally:
            self.close()

    def _next(self) -> bytes:
        with translated(self.service):
            chunk = next(self._rest, b"")
        self._size += len(chunk)
        if self._size > self._most:
            raise too_large(self.service, self._most, self.status)
        if time.monotonic() > self._until:
            raise ServiceError("service:timeout", service=self.service, http_status=self.status)
        return chunk


@contextmanager
def translated(service: str) -> Iterator[None]:
    """What requests raises inside becomes a ServiceError."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        detail = f"Its certificate was refused: {error}"
        raise ServiceError("service:unreachable", service=service, detail=detail, sent=False) from error
    except requests.exceptions.ConnectTimeout as error:
        raise ServiceError("service:unreachable", service=service, detail=str(error), sent=False) from error
    except requests.exceptions.Timeout as error:
        raise ServiceError("service:timeout", service=service, detail=str(error)) from error
    except requests.exceptions.ConnectionError as error:
        cause = error.args[0] if error.args else None
        sent = not isinstance(getattr(cause, "reason", None), NewConnectionError)
        id = "service:timeout" if "timed out" in str(error) else "service:unreachable"
        raise ServiceError(id, service=service, detail=str(error), sent=sent) from error
    except (requests.exceptions.RequestException, ValueError, UnicodeError) as error:
        raise ServiceError("service:garbled", service=service, detail=str(error)) from error


def too_large(service: str, most: int, status: int) -> ServiceError:
    return ServiceError("service:garbled", service=service, detail=f"more than {most // 1024} KiB", http_status=status)


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


def chunks_of(response: requests.Response) -> Iterator[bytes]:
    yield from response.iter_content(64 * 1024)
