"""The HTTP interface of DEEPaaS v2 (contract 6)."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from sandbox.deepaas.arguments import Argument, Refused, read_all
from sandbox.deepaas.module import PREDICTION, module_of
from sandbox.deepaas.pages import help_page
from sandbox.deepaas.swagger import swagger
from sandbox.deepaas.trainings import Trainings
from sandbox.world import World

_VERSION = {
    "version": "stable",
    "id": "v2",
    "links": [{"rel": "self", "type": "application/json", "href": "/v2/"}],
}
# One grey pixel.
_IMAGE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
_CLASSES = (
    "Quercus robur",
    "Fagus sylvatica",
    "Acer campestre",
    "Tilia cordata",
    "Betula pendula",
    "Alnus glutinosa",
)
_MAX_UPLOAD = 20 * 1024 * 1024


def deepaas_app(world: World, image: str) -> web.Application:
    """Return the application of the module in ``image``: no authentication, nothing kept on disk."""
    module = module_of(image)
    trainings = Trainings(world)
    base = f"/v2/models/{module.name}"

    async def versions(request: web.Request) -> web.Response:
        links = [
            {"rel": "help", "type": "text/html", "href": "/api"},
            {"rel": "describedby", "type": "application/json", "href": "/swagger.json"},
        ]
        return web.json_response({"versions": [_VERSION], "links": links})

    async def version(request: web.Request) -> web.Response:
        return web.json_response(_VERSION)

    async def debug(request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def models(request: web.Request) -> web.Response:
        return web.json_response({"models": [module.described(base)]})

    async def model(request: web.Request) -> web.Response:
        return web.json_response(module.described(base))

    async def train(request: web.Request) -> web.Response:
        if not module.trains:
            raise web.HTTPNotImplemented(reason=f"Not implemented by underlying model (loaded '{module.name}')")
        args = read_all(module.training, await _sent(request, module.training))
        return web.json_response(trainings.start(args).described())

    async def index(request: web.Request) -> web.Response:
        return web.json_response([training.described() for training in trainings.all()])

    async def show(request: web.Request) -> web.Response:
        training = trainings.get(request.match_info["uuid"])
        if training is None:
            raise web.HTTPNotFound
        return web.json_response(training.described())

    async def delete(request: web.Request) -> web.Response:
        training = trainings.remove(request.match_info["uuid"])
        if training is None:
            raise web.HTTPNotFound
        described = training.described()
        if described["status"] != "done":
            # The real one stumbles over the cancelled or failed task it has just removed (contract 6.3).
            return web.Response(
                status=500,
                text="500 Internal Server Error\n\nServer got itself in trouble",
                headers={"Connection": "close"},
            )
        return web.json_response(described)

    async def predict(request: web.Request) -> web.Response:
        args = read_all(PREDICTION, await _sent(request, PREDICTION))
        if args["accept"] == "image/png":
            return web.Response(body=_IMAGE, content_type="image/png")
        return web.json_response({"status": "OK", "predictions": _predict(args)})

    async def description(request: web.Request) -> web.Response:
        return web.json_response(swagger(module))

    async def documentation(request: web.Request) -> web.Response:
        return help_page(module)

    async def old_documentation(request: web.Request) -> web.Response:
        raise web.HTTPFound("/api")

    async def end(app: web.Application) -> None:
        trainings.end()

    app = web.Application(middlewares=[_refusals, web.normalize_path_middleware()], client_max_size=_MAX_UPLOAD)
    app.on_cleanup.append(end)
    app.add_routes(
        [
            web.get("/", versions, allow_head=False),
            web.get("/v2/", version, allow_head=False),
            web.get("/v2/debug/", debug, allow_head=False),
            web.get("/v2/models/", models, allow_head=False),
            web.get(f"{base}/", model, allow_head=False),
            web.get(f"{base}/train/", index, allow_head=False),
            web.post(f"{base}/train/", train),
            web.get(f"{base}/train/{{uuid}}", show, allow_head=False),
            web.delete(f"{base}/train/{{uuid}}", delete),
            web.post(f"{base}/predict/", predict),
            web.get("/swagger.json", description),
            web.get("/api", documentation),
            web.get("/ui", old_documentation),
        ]
    )
    return app


@web.middleware
async def _refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answered: web.StreamResponse = await handler(request)
    except Refused as error:
        # Unlike every other answer, without a charset.
        body = json.dumps(error.problem).encode()
        return web.Response(status=error.status, body=body, content_type="application/json")
    return answered


async def _sent(request: web.Request, arguments: tuple[Argument, ...]) -> dict[str, list[Any]]:
    """Return what was sent for each argument, wherever it was put: query, form, JSON body or header."""
    sent: dict[str, list[Any]] = {}
    body: dict[str, Any] = {}
    if request.content_type == "application/json" and request.can_read_body:
        try:
            read = await request.json()
        except ValueError as error:
            raise Refused({"json": ["Invalid JSON body."]}, status=400) from error
        body = read if isinstance(read, dict) else {}
    form = await request.post() if request.content_type.startswith(("multipart/", "application/x-www-form")) else None
    for argument in arguments:
        if argument.place == "header":
            values: list[Any] = request.headers.getall(argument.name, [])
        else:
            values = [*request.query.getall(argument.name, [])]
            if form is not None:
                values += form.getall(argument.name, [])
            if argument.name in body:
                value = body[argument.name]
                values += value if isinstance(value, list) else [value]
        if values:
            sent[argument.name] = values
    return sent


def _predict(args: dict[str, Any]) -> dict[str, Any]:
    """Return classes with probabilities; which ones depends on the bytes sent, so that two images differ."""
    content = args["image"]
    data = content.file.read() if isinstance(content, web.FileField) else str(content).encode()
    first = sum(data) % len(_CLASSES)
    classes = [_CLASSES[(first + step) % len(_CLASSES)] for step in range(len(_CLASSES))]
    ranked = [(name, round(0.62 * 0.4**step, 4)) for step, name in enumerate(classes)]
    kept = [(name, share) for name, share in ranked if share >= args["threshold"]][: args["top_k"]]
    predicted: dict[str, Any] = {
        "labels": [name for name, _ in kept],
        "probabilities": [share for _, share in kept],
    }
    if args["with_heatmap"]:
        predicted["heatmap"] = f"data:image/png;base64,{base64.b64encode(_IMAGE).decode()}"
    return predicted
