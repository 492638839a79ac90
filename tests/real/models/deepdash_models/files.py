"""Takes files: answers with what the file holds, as the media type that is asked for."""

import io
import zipfile
from pathlib import Path

from webargs import fields, validate


def get_train_args():
    return {"labels": fields.Field(required=True, metadata={"type": "file", "location": "form"})}


def train(labels):
    return "never reached: DEEPaaS can't hand the upload on"


def get_predict_args():
    return {
        "image": fields.Field(required=True, metadata={"type": "file", "location": "form"}),
        "accept": fields.Str(
            load_default="application/json",
            validate=validate.OneOf(["application/json", "application/zip", "text/plain"]),
            metadata={"location": "headers"},
        ),
    }


def predict(image, accept, **arguments):
    content = Path(image.filename).read_bytes()
    if accept == "text/plain":
        return f"{image.original_filename}: {len(content)} bytes"
    if accept == "application/zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("copy", content)
        return packed.getvalue()
    return {"name": image.original_filename, "bytes": len(content), "sum": sum(content)}
