"""The pages people see: DEEPaaS's help, JupyterLab's log-in, the training monitor."""

from __future__ import annotations

from html import escape

from aiohttp import web

from sandbox.deepaas.module import PREDICTION, Module, module_of
from sandbox.world import World

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1d2733}"
    "code,pre{background:#eef1f4;padding:.1rem .3rem;border-radius:.2rem}small{color:#5b6875}"
    "input,button{font:inherit;padding:.4rem .6rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0}"
)
_NOTE = "<p><small>This page belongs to the sandbox and stands in for the real one.</small></p>"


def help_page(module: Module) -> web.Response:
    rows = "".join(
        f"<tr><td><code>{escape(argument.name)}</code><td>{argument.kind}{' list' if argument.many else ''}"
        f"<td>{escape(argument.help)}"
        for argument in (*module.training, *PREDICTION)
    )
    return _page(
        f"{module.name}: API",
        f"<p>DEEPaaS serves the module <code>{escape(module.name)}</code>. Its description for programs is "
        f'at <a href="/swagger.json">/swagger.json</a>, its trainings are at '
        f'<a href="/v2/models/{escape(module.name)}/train/">/v2/models/{escape(module.name)}/train/</a>.</p>'
        f"<table><tr><th>argument<th>type<th>meaning{rows}</table>",
    )


def jupyter_app(world: World, image: str) -> web.Application:
    """Return JupyterLab's log-in page; every password is accepted, none is kept."""

    async def home(request: web.Request) -> web.Response:
        raise web.HTTPFound("/login?next=%2Flab")

    async def login(request: web.Request) -> web.Response:
        form = (
            '<form method="post"><label>Password or token: <input type="password" name="password" '
            'autocomplete="off"></label> <button>Log in</button></form>'
        )
        return _page("JupyterLab", form)

    async def enter(request: web.Request) -> web.Response:
        return _page("JupyterLab", "<p>A notebook would open here.</p>")

    app = web.Application()
    app.add_routes(
        [
            web.get("/", home),
            web.get("/login", login),
            web.post("/login", enter),
            web.get("/lab", login),
        ]
    )
    return app


def monitor_app(world: World, image: str) -> web.Application:
    """Return the monitoring page of the module in ``image``."""
    name = module_of(image).name

    async def home(request: web.Request) -> web.Response:
        return _page("Training monitor", f"<p>Curves of the module <code>{escape(name)}</code> appear here.</p>")

    app = web.Application()
    app.add_routes([web.get("/", home)])
    return app


def _page(title: str, body: str) -> web.Response:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}{_NOTE}</html>"
    )
    return web.Response(text=text, content_type="text/html")
