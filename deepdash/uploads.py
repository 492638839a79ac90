"""Uploads that are too large are dropped while they come in, before they fill a disk."""

from typing import Any

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
