"""Conditional reads of text files over HTTP."""

from dataclasses import dataclass

from deepdash.http import Answer, ServiceSession

MAX_BYTES = 512 * 1024


@dataclass(frozen=True)
class Fetched:
    """An answer; ``text`` is None when nothing changed since the version that ``etag`` names."""

    text: str | None
    etag: str
    branch: str = ""


def github_session() -> ServiceSession:
    """The session for raw files of GitHub (and the addresses that MODULES.yml names elsewhere)."""
    from deepdash.config import config

    return ServiceSession("GitHub", config.GITHUB_RAW_URL, headers={"Accept": "*/*"}, max_bytes=MAX_BYTES)


def fetch(session: ServiceSession, url: str, *, etag: str = "", branch: str = "") -> Fetched:
    """Read a file unless it is still the version of ``etag``. Raises ServiceError."""
    answer = session.get(url, headers={"If-None-Match": etag} if etag else {}, ok=(304,))
    if answer.status == 304:
        return Fetched(None, etag, branch)
    return Fetched(text_of(answer), answer.headers.get("ETag", "")[:200], branch)


def text_of(answer: Answer) -> str:
    """The body as UTF-8, whatever it is labelled (raw files are all labelled text/plain), without a byte order mark."""
    return answer.body.decode("utf-8-sig", errors="replace")
