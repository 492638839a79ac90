"""Environments for the real services, each made once from its own hash-checked list."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

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
