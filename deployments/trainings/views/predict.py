"""Predictions: sent through to the module, answered by content type, and kept nowhere.

What a page can show is read and shown; anything else flows through to the browser as it comes.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from deepdash.errors import Problem
from deepdash.http import Answer, ServiceError, Stream
from deepdash.limits import place_take
from deepdash.types import Request
from deepdash.uploads import dropped_files
from deployments.clients.deepaas import PREDICT_SECONDS, PREDICT_TIMEOUT, ArgumentsRefused, Deepaas
from deployments.models import Deployment
from deployments.trainings.arguments import ArgumentsForm
from deployments.trainings.curl import curl_of
from deployments.trainings.description import restored
from deployments.trainings.page import head_of, model_of
from deployments.trainings.reading import endpoint_of
from deployments.trainings.results import sections_of, storable
from deployments.trainings.services import Call, api_of, endpoint_confirm, problem_of, trainings_read
from deployments.views.common import attempt, find, signed_in

IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}  # never SVG: it may hold scripts
SHOWN_BYTES = 2 * 1024 * 1024
EACH, AT_ONCE = 2, 8  # predictions under way of one user and of all: each holds a thread of ours
_ENDINGS = {"application/json": "json", "application/zip": "zip", "text/plain": "txt", "image/png": "png",
            "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf",
            "text/csv": "csv", "audio/wav": "wav", "video/mp4": "mp4"}  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def predict(request: Request, uuid: str) -> HttpResponseBase:
    """The form; POST sends it and shows the answer below, or hands it on as a file (``action=download``)."""
    user, deployment = signed_in(request), find(request, uuid)
    problem: Problem | None = None
    api = api_of(deployment)
    if not api.offered and (request.htmx or "fresh" in request.GET):
        problem = attempt(lambda: trainings_read(user=user, deployment=deployment))
        api.refresh_from_db()
    asked = request.POST if request.method == "POST" else request.GET
    model = model_of(api, asked.get("model", ""), "predict")
    arguments = restored(model.get("predict")) if model else []
    context: dict[str, Any] = {"model": model, "models": api.offered, "can": bool(endpoint_of(deployment))}
    if model is None or model.get("predict") is None:
        return _render(request, deployment, {**context, "problem": problem, "form": None})
    if request.method != "POST":
        return _render(request, deployment, {**context, "form": ArgumentsForm(arguments=arguments)})
    form = ArgumentsForm(
        request.POST, request.FILES, arguments=arguments, dropped=dropped_files(request)
    )  # fmt: skip
    status = 200
    if not form.is_valid():
        return _render(request, deployment, {**context, "form": form}, status=422)
    call = form.call()
    context["call"] = _curl(deployment, model["key"], call)
    try:
        told = _ask(user, deployment, model["key"], call, shows=request.POST.get("action") != "download")
        if isinstance(told, HttpResponseBase):
            return told
        context["shown"] = _shown(told)
    except ArgumentsRefused as refused:
        form.refuse(refused.problems)
        status = 422
    except ServiceError as error:
        problem = Problem("training:slow") if error.id == "service:timeout" else problem_of(error)
    except Problem as trouble:
        if trouble.id == "login:expired":
            raise
        problem = trouble
    return _render(
        request, deployment, {**context, "form": form, "problem": problem}, status=422 if problem else status
    )


def _ask(
    user: User, deployment: Deployment, model: str, call: Call, *, shows: bool
) -> Answer | StreamingHttpResponse:  # fmt: skip
    """Send it; returns the answer when the page shows it, else the download it flows through."""
    give_back = place_take(
        "predict", str(user.pk), each=EACH, total=AT_ONCE, seconds=int(PREDICT_TIMEOUT + PREDICT_SECONDS)
    )  # fmt: skip
    try:
        api = Deepaas(endpoint_confirm(user=user, deployment=deployment))
        stream = api.predict(model, params=call.params, headers=call.headers, upload=call.upload)
        kind = _kind(stream)
        shown = shows and (kind in IMAGES or kind.startswith("text/") or kind.endswith("json"))
        answer = stream.whole(SHOWN_BYTES) if shown else None
    except BaseException:
        give_back()
        raise
    if answer is None:
        return _as_file(stream, model, give_back)
    give_back()
    return answer


def _shown(answer: Answer) -> dict[str, Any]:
    """The answer for the page: ``image`` as a data address, ``text``, or ``sections`` by its shape."""
    kind = _kind(answer)
    if kind in IMAGES:
        return {"image": f"data:{kind};base64,{base64.b64encode(answer.body).decode()}"}
    if not kind.endswith("json"):
        return {"text": answer.text}
    data = storable(answer.json())
    # DEEPaaS wraps what the module returned, unless the module has a schema of its own.
    wrapped = isinstance(data, dict) and set(data) == {"status", "predictions"}
    return {"sections": sections_of(data["predictions"] if wrapped else data)}


def _as_file(stream: Stream, model: str, then: Callable[[], None]) -> StreamingHttpResponse:
    """Always as a download: what a module sends must never run as a page of ours.

    One that breaks off on its way ends without its last bytes, which the browser tells as a failed download.
    """
    kind = _kind(stream)
    response = StreamingHttpResponse(
        _Flow(stream, then), content_type=kind if kind in _ENDINGS else "application/octet-stream"
    )
    name = f"prediction-{slugify(model) or 'model'}.{_ENDINGS.get(kind, 'bin')}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if stream.length is not None:
        response.headers["Content-Length"] = str(stream.length)
    return response


class _Flow:
    """A stream, and what is done when it has ended or nobody wants it any more."""

    def __init__(self, stream: Stream, then: Callable[[], None]) -> None:
        self._stream, self._then = stream, then

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        self._stream.close()
        self._then()


def _kind(answer: Answer | Stream) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _curl(deployment: Deployment, model: str, call: Call) -> str:
    return curl_of(endpoint_of(deployment) or "https://API", model, "predict", params=call.shown, headers=call.headers,
                   files=call.upload.files if call.upload else ())  # fmt: skip


def _render(request: Request, deployment: Deployment, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shared = {"nav": "deployments", "tab": "predict", "it": head_of(deployment)}
    return render(request, "deployments/predict.html", {**shared, **context}, status=status)
