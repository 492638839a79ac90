"""Tags of images at Docker Hub (contract 7)."""

import re
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceError, ServiceSession

PAGE_SIZE = 100
MAX_PAGES = 10
MAX_WAIT = 60.0  # seconds a refresh waits when asked to slow down; longer is left to the next refresh
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_IMAGE = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)?")


@dataclass(frozen=True)
class Tag:
    """One tag: its name in its own case, size in bytes, when it was pushed."""

    name: str
    size: int | None
    pushed_at: datetime | None


@dataclass(frozen=True)
class Tags:
    """All tags, newest first; ``tags`` is None when nothing changed since ``etag``."""

    tags: tuple[Tag, ...] | None
    etag: str


class _Result(BaseModel):
    name: str = Field(max_length=128)
    full_size: int | None = None
    last_updated: datetime | None = None
    tag_last_pushed: datetime | None = None


class _Page(BaseModel):
    next: str | None = None
    results: list[_Result] = []


class DockerHub:
    """Reads tags; threads share one, so that all of them wait when the registry asks one to slow down."""

    def __init__(self) -> None:
        self._session = ServiceSession("Docker Hub", config.DOCKERHUB_URL)
        self._lock = threading.Lock()
        self._not_before = 0.0

    def read_tags(self, image: str, *, etag: str = "") -> Tags:
        """All tags of ``namespace/name`` (or of an official ``name``).

        Raises ServiceError: "service:missing" for an image that is unknown or private, "service:busy" when the
        registry wants more patience than a refresh has; Problem "catalog:malformed" for what is no image name.
        """
        if not _IMAGE.fullmatch(image):
            raise Problem("catalog:malformed", detail=f"No name of an image: {image[:200]}", what="The image's name")
        namespace, _, name = image.rpartition("/")
        path = f"/v2/repositories/{namespace or 'library'}/{name}/tags"
        found: dict[str, Tag] = {}
        first_etag = ""
        for number in range(1, MAX_PAGES + 1):
            answer = self._get(path, number, etag if number == 1 else "")
            if answer is None:
                return Tags(None, etag)
            page, page_etag = answer
            if number == 1:
                # Later pages can change while the first stays the same, so only a single page can be conditional.
                first_etag = page_etag if page.next is None else ""
            for item in page.results:
                if not _TAG.fullmatch(item.name):
                    continue  # no registry takes it, and it would get into commands and forms
                found[item.name] = Tag(item.name, item.full_size, item.tag_last_pushed or item.last_updated)
            if page.next is None:
                break
        newest_first = sorted(
            found.values(), key=lambda tag: tag.pushed_at.timestamp() if tag.pushed_at else 0.0, reverse=True
        )
        return Tags(tuple(newest_first), first_etag)

    def _get(self, path: str, number: int, etag: str) -> tuple[_Page, str] | None:
        options: dict[str, Any] = {"params": {"page": number, "page_size": PAGE_SIZE}, "ok": (304,)}
        if etag:
            options["headers"] = {"If-None-Match": etag}
        for _ in range(3):
            self._wait()
            try:
                answer = self._session.get(path, **options)
            except ServiceError as error:
                if error.id != "service:busy":
                    raise
                self._slow_down(error.retry_after if error.retry_after is not None else 5.0)
                continue
            return None if answer.status == 304 else (answer.parse(_Page), answer.headers.get("ETag", "")[:200])
        raise ServiceError("service:busy", service=self._session.name, http_status=429)

    def _slow_down(self, seconds: float) -> None:
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _wait(self) -> None:
        """Wait until the registry may be asked again. Raises ServiceError when that is too far off."""
        with self._lock:
            seconds = self._not_before - time.monotonic()
        if seconds > MAX_WAIT:
            raise ServiceError("service:busy", service=self._session.name, http_status=429, retry_after=seconds)
        if seconds > 0:
            time.sleep(seconds)
