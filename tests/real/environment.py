"""Environments for the real services, each made once from its own hash-checked list, and how one of them is run."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.stack import ROOT

HERE = Path(__file__).resolve().parent


def environment(name: str) -> Path:
    """The folder of the environment of ``requirements-<name>.txt``; made anew when that list has changed.

    Raises CalledProcessError. Programs in it are called as modules: scripts point to where the environment was made.
    """
    packages = HERE / f"requirements-{name}.txt"
    place = ROOT / f".venv-{name}"
    mark = place / "made-from"
    wanted = hashlib.sha256(packages.read_bytes()).hexdigest()
    if mark.is_file() and mark.read_text() == wanted:
        return place
    # Made beside and moved into place, as several test processes may come here at once.
    fresh = ROOT / f".venv-{name}-{os.getpid()}"
    try:
        subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, fresh], check=True)
        # The list is complete; one of the services is made to do without a package that it asks for.
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--python", str(fresh)]
        subprocess.run([*install, "--require-hashes", "-r", str(packages)], check=True)
        (fresh / "made-from").write_text(wanted)
        shutil.rmtree(place, ignore_errors=True)
        try:
            fresh.rename(place)
        except OSError:  # another one was quicker
            if not mark.is_file():
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


@contextmanager
def serving(name: str, arguments: Sequence[str], address: str, folder: Path, **variables: str) -> Iterator[None]:
    """The Python of an environment, run with arguments in a folder until the end, once it answers at an address.

    Raises RuntimeError, with the end of its log, when it does not within a minute. It is ended with all it started.
    """
    command = [str(environment(name) / "bin" / "python"), *arguments]
    variables |= {"PATH": os.environ["PATH"], "HOME": str(folder)}
    said = folder / f"{name}.out"
    with said.open("wb") as log:
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                requests.get(address, timeout=2)
                break
            except requests.RequestException:
                if process.poll() is not None or time.monotonic() > until:
                    end = said.read_text(errors="replace")[-3000:]
                    raise RuntimeError(f"{name} did not start:\n{end}") from None
                time.sleep(0.1)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.wait(timeout=20)
