"""How uploads come in: dropped when they are too large, before they fill a disk, and kept only while they are read."""

from tempfile import SpooledTemporaryFile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from deepdash.config import config

TOO_LARGE = "deepdash.too_large"  # key of request.META: the names of the fields whose file was dropped


class BoundedUploadHandler(FileUploadHandler):
    """Stands before the handlers that keep files, and keeps none itself."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > config.UPLOAD_MEGABYTES * 1_000_000:
            if self.request is not None:
                self.request.META.setdefault(TOO_LARGE, []).append(self.field_name)
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
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        self.file.seek(0)
        return UploadedFile(
            file=self.file, name=self.file_name, content_type=self.content_type, size=file_size,
            charset=self.charset, content_type_extra=self.content_type_extra,
        )  # fmt: skip

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
