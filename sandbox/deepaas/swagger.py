"""``/swagger.json`` of a module, in the layout of DEEPaaS 2.6 (compared with that version's own)."""

from __future__ import annotations

from typing import Any

from sandbox.deepaas.arguments import Argument
from sandbox.deepaas.module import PREDICTION, Module

VERSION = "2.6.0"
_STRING = {"type": "string"}


def swagger(module: Module) -> dict[str, Any]:
    """Return the description of all paths, with one parameter per argument of training and prediction."""
    base = f"/v2/models/{module.name}"
    uuid = {"in": "path", "name": "uuid", "required": True, "type": "string"}
    train: dict[str, Any] = {
        "post": _operation("Retrain model with available data", _parameters(module.training)),
        "get": _operation("Get a list of trainings (running or completed)", [], "TrainingList"),
    }
    one: dict[str, Any] = {
        "get": _operation("Get status of a training", [uuid], "Training"),
        "delete": _operation("Cancel a running training", [uuid]),
    }
    predict = _operation("Make a prediction given the input data", _parameters(PREDICTION), "Prediction", failure=True)
    predict["produces"] = ["application/json", "image/png", "*/*"]
    return {
        "info": {
            "description": "The interface of a machine learning module; this one is a stand-in.",
            "title": "DEEP as a Service API endpoint",
            "version": VERSION,
        },
        "externalDocs": {"description": "API documentation", "url": "https://deepaas.readthedocs.org/"},
        "paths": {
            "/v2/": {"get": _operation("Get V2 API version information", [], "Version", "versions", True)},
            "/v2/models/": {"get": _operation("Return loaded models and its information", [], "ModelMeta")},
            f"{base}/": {"get": _operation("Return model's metadata", [], "ModelMeta")},
            f"{base}/train/": train,
            f"{base}/train/{{uuid}}": one,
            f"{base}/predict/": {"post": predict},
            "/": {"get": _operation("Get available API versions", [], "Versions", "versions", True)},
        },
        "swagger": "2.0",
        "definitions": _definitions(),
    }


def _parameters(arguments: tuple[Argument, ...]) -> list[dict[str, Any]]:
    return [argument.swagger() for argument in arguments]


def _operation(
    summary: str,
    parameters: list[dict[str, Any]],
    answer: str | None = None,
    tag: str = "models",
    failure: bool = False,
) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    if failure:
        responses["400"] = {"schema": {"$ref": "#/definitions/Failure"}, "description": ""}
    if answer is not None:
        responses["200"] = {"schema": {"$ref": f"#/definitions/{answer}"}, "description": ""}
    return {
        "responses": responses,
        "parameters": parameters,
        "tags": [tag],
        "summary": summary,
        "produces": ["application/json"],
    }


def _definitions() -> dict[str, Any]:
    def described(text: str, **more: Any) -> dict[str, Any]:
        return {"type": "string", **more, "description": text}

    def an_object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
        body: dict[str, Any] = {"type": "object", "properties": properties}
        return {**body, "required": list(required)} if required else body

    def array(name: str) -> dict[str, Any]:
        return {"type": "array", "items": {"$ref": f"#/definitions/{name}"}}

    # The published enum of a training's status is wrong, there as here: "completed" is never sent.
    statuses = ["running", "error", "completed", "cancelled"]
    return {
        "Failure": an_object({"message": described("Failure message")}, "message"),
        "Location": an_object(
            {"rel": _STRING, "href": {"type": "string", "format": "url"}, "type": _STRING},
            "href",
            "rel",
            "type",
        ),
        "Version": an_object(
            {"version": _STRING, "id": _STRING, "links": {"$ref": "#/definitions/Location"}, "type": _STRING},
            "id",
            "version",
        ),
        "Versions": an_object({"versions": array("Version")}),
        "ModelMeta": an_object(
            {
                "id": described("Model identifier"),
                "name": described("Model name"),
                "description": described("Model description"),
                "license": described("Model license"),
                "author": described("Model author"),
                "version": described("Model version"),
                "url": described("Model url"),
                "links": array("Location"),
            },
            "description",
            "id",
            "name",
        ),
        "Training": an_object(
            {
                "uuid": described("Training identifier", format="uuid"),
                "date": described("Training start time", format="date-time"),
                "status": described("Training status", enum=statuses),
                "message": described("Optional message explaining status"),
            },
            "date",
            "status",
            "uuid",
        ),
        "TrainingList": an_object({"trainings": array("Training")}),
        "Prediction": an_object(
            {
                "status": described("Response status message"),
                "predictions": described("String containing predictions"),
            },
            "predictions",
            "status",
        ),
    }
