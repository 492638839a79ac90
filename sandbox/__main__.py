"""``python -m sandbox``: run all stand-ins until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.app import Server
from sandbox.people import PEOPLE
from sandbox.world import SAMPLE, World, write_atomically


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; every option has an environment variable as its default."""
    env = os.environ.get
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Stand-ins of every outside service the training dashboard works with, on one port.",
    )
    add = parser.add_argument
    add("--host", default=env("SANDBOX_HOST", "127.0.0.1"), help="address to listen on (default %(default)s)")
    add("--port", type=int, default=env("SANDBOX_PORT", "5002"), help="0 takes any free port")
    add("--url", default=env("SANDBOX_URL"), help="address others reach it at, when that is not HOST:PORT")
    add("--state", type=Path, default=_path(env("SANDBOX_STATE")), help="folder to keep state in")
    add("--speed", type=float, default=env("SANDBOX_SPEED", "1.0"), help="how much faster deployments go")
    add("--catalogue", type=Path, default=_path(env("SANDBOX_CATALOGUE")) or SAMPLE, help="catalogue folder")
    add("--dashboard", default=env("SANDBOX_DASHBOARD", "http://127.0.0.1:5001"), help="the dashboard's URL")
    options = parser.parse_args(arguments)
    if options.speed <= 0:
        parser.error("--speed must be above 0")
    if not options.catalogue.is_dir():
        parser.error(f"--catalogue: {options.catalogue} is not a folder")
    return options


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


async def serve(options: argparse.Namespace) -> None:
    """Run until a signal asks to stop. Raises OSError when the port cannot be had."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    world = World(
        speed=options.speed,
        host=options.host,
        dashboard=options.dashboard.rstrip("/"),
        catalogue_dir=options.catalogue,
        state_dir=options.state,
    )
    server = Server(world, options.port, options.url.rstrip("/") if options.url else None)
    url_file = options.state / "url" if options.state else None
    try:
        url = await server.start()
        if url_file:
            write_atomically(url_file, f"{url}\n")
        names = ", ".join(person.key for person in PEOPLE)
        sys.stdout.write(f"Sandbox ready at {url}\nPeople to sign in as (no password): {names}\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        if url_file:
            url_file.unlink(missing_ok=True)
        await server.stop()


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = parse()
    try:
        asyncio.run(serve(options))
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
