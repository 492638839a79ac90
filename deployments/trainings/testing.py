"""Helpers for tests: an API that has told of itself, runs of ours, and what a DEEPaaS says of them."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from deployments.models import Deployment, ModuleApi, Training
from deployments.testing import make_deployment
from deployments.trainings.description import arguments_of, stored

API = "https://api.example.org"
MODELS = f"{API}/v2/models/"
TRAIN = f"{API}/v2/models/plants/train/"
PREDICT = f"{API}/v2/models/plants/predict/"

# Written by DEEPaaS 2.6.0 for fields of marshmallow; "js" has a default that its own list of choices lacks.
PARAMETERS: list[dict[str, Any]] = [
    {"in": "query", "name": "data", "required": True, "type": "string", "description": "Folder of images"},
    {"in": "query", "name": "epochs", "required": False, "type": "integer", "format": "int32", "default": 2,
     "minimum": 1, "maximum": 50, "description": "How many"},
    {"in": "query", "name": "rate", "required": False, "type": "number", "format": "float", "default": 0.1},
    {"in": "query", "name": "opt", "required": False, "type": "string", "default": "adam", "enum": ["adam", "sgd"]},
    {"in": "query", "name": "aug", "required": False, "type": "boolean", "default": True},
    {"in": "query", "name": "weights", "required": False, "collectionFormat": "multi", "type": "array",
     "default": [1.0, 2.0], "items": {"type": "number", "format": "float"}},
    {"in": "query", "name": "note", "required": False, "type": "string", "default": None, "x-nullable": True},
    {"in": "query", "name": "when", "required": False, "type": "string", "format": "date", "default": None},
    {"in": "formData", "name": "labels", "required": False, "type": "file", "description": "A file of labels"},
    {"in": "query", "name": "nested", "required": False, "type": "object", "default": {}},
    {"in": "query", "name": "js", "required": False, "type": "string", "default": '{"a": 1}', "enum": ["x"]},
    {"in": "query", "name": "api_token", "required": False, "type": "string", "default": ""},
]  # fmt: skip
PREDICTION: list[dict[str, Any]] = [
    {"in": "formData", "name": "image", "required": True, "type": "file"},
    {"in": "query", "name": "urls", "required": False, "collectionFormat": "multi", "type": "array", "default": [],
     "items": {"type": "string", "format": "url"}},
    {"in": "header", "name": "accept", "required": False, "type": "string", "default": "application/json",
     "enum": ["application/json", "image/png", "application/zip", "text/plain", "*/*"]},
]  # fmt: skip


def swagger(model: str = "plants", base: str = "") -> dict[str, Any]:
    """``/swagger.json`` of a module that trains and predicts."""
    post = {"post": {"parameters": PARAMETERS}, "get": {"parameters": []}}
    return {
        "swagger": "2.0",
        "paths": {
            f"{base}/v2/models/{model}/train/": post,
            f"{base}/v2/models/{model}/train/{{uuid}}": {"get": {}, "delete": {}},
            f"{base}/v2/models/{model}/predict/": {"post": {"parameters": PREDICTION}},
        },
    }


def models(*names: str) -> dict[str, Any]:
    """``/v2/models/``: without metadata, so every id is "0" (contract 6.2)."""
    return {"models": [{"id": "0", "name": name, "links": [{"rel": "self", "href": f"/v2/models/{name}"}]}
                       for name in names or ("plants",)]}  # fmt: skip


def told(identifier: str = "", status: str = "running", **fields: Any) -> dict[str, Any]:
    """A training as DEEPaaS writes it (contract 6.3)."""
    item = {
        "date": str(datetime.now()),  # noqa: DTZ005 - its clock names no zone
        "args": {"data": "/srv", "epochs": 2},
        "uuid": identifier or uuid.uuid4().hex,
        "status": status,
    }
    if status == "done":
        finish = {"finish_date": "2026-11-23 10:00:01.5", "duration": "0:31:05.219878"}
        item["result"] = {"output": {"loss": 0.25, "val": {"acc": 0.9}}, **finish}
    if status == "error":
        item["message"] = "ValueError: bad dataset"
    return item | fields


def make_api(owner: User, **fields: Any) -> Deployment:
    """A deployment whose DEEPaaS has told of itself, and whose address has just been confirmed."""
    deployment = make_deployment(
        owner, **{"outputs": {"deepaas_endpoint": API}, "seen_at": timezone.now(), "answers": True, **fields}
    )
    description = swagger()
    offered = {
        "key": "plants", "name": "plants", "description": "", "version": "",
        "train": stored(arguments_of(description, "plants", "train")),
        "predict": stored(arguments_of(description, "plants", "predict")),
    }  # fmt: skip
    long_ago = timezone.now() - timedelta(minutes=1)
    ModuleApi.objects.create(
        deployment=deployment, offered=[offered], asked_at=long_ago, read_at=long_ago, described_at=timezone.now()
    )
    return deployment


def make_training(deployment: Deployment, **fields: Any) -> Training:
    """A run of a deployment, done unless told otherwise."""
    now = timezone.now()
    values: dict[str, Any] = {
        "owner_id": deployment.owner_id, "module_slug": deployment.module_slug, "model": "plants",
        "uuid": uuid.uuid4().hex, "status": "done", "arguments": {"data": "/srv", "epochs": 2, "rate": 0.1},
        "result": {"loss": 0.25}, "metrics": {"loss": 0.25}, "started_at": now - timedelta(hours=1),
        "first_seen_at": now - timedelta(hours=1), "seen_at": now - timedelta(minutes=1),
    }  # fmt: skip
    return Training.objects.create(deployment=deployment, **(values | fields))
