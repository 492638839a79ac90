"""How uploads come in: kept only while they are read, and dropped when they are too large or the disk is full.

The rest of the form arrives all the same, so that its page can say so and has what was typed.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from deepdash.config import config

log = logging.getLogger(__name__)
_DROPPED = "deepdash.dropped"  # key of request.META


class Dropped(StrEnum):
    """Why a file was not taken."""

    TOO_LARGE = "too large"  # not shown
    NO_ROOM = "no room"  # not shown


def dropped_files(request: HttpRequest) -> Mapping[str, Dropped]:
    """The names of the fields whose file was dropped, and why; to be asked after the form was read."""
    found: Mapping[str, Dropped] = request.META.get(_DROPPED, {})
    return found


def _drop(handler: FileUploadHandler, why: Dropped) -> None:
    if handler.request is not None:
        handler.request.META.setdefault(_DROPPED, {})[handler.field_name] = why


class BoundedUploadHandler(FileUploadHandler):
    """Stands before the handlers that keep files, and keeps none itself."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > config.UPLOAD_MEGABYTES * 1_000_000:
            _drop(self, Dropped.TOO_LARGE)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> Any:
        return None


class NamelessUploadHandler(FileUploadHandler):
    """Keeps a file for its request alone: in memory while it is small, then on disk without a name.

    A file without a name is gone with the request, also when the process is killed in the middle of it.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = SpooledTemporaryFile(  # noqa: SIM115 - open as long as the request
            max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, dir=settings.FILE_UPLOAD_TEMP_DIR
        )

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            self.file.write(raw_data)
        except OSError as error:
            self._no_room(error)
            raise SkipFile from error

    def file_complete(self, file_size: int) -> "UploadedFile[Any] | None":
        try:
            self.file.seek(0)
        except OSError as error:  # what was buffered is only now written
            self._no_room(error)
            return None
        return UploadedFile(
            file=self.file, name=self.file_name, content_type=self.content_type, size=file_size,
            charset=self.charset, content_type_extra=self.content_type_extra,
        )  # fmt: skip

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()

    def _no_room(self, error: OSError) -> None:
        log.error("A file that was sent can't be kept: %s", error.strerror)
        with suppress(OSError):  # closing writes what is left
            self.file.close()
        del self.file
        _drop(self, Dropped.NO_ROOM)
