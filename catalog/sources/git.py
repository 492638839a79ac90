"""A checkout of a git repository: cloned, brought up to date, never anything of it executed."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from catalog import problems  # noqa: F401  (registers the ids used here)
from deepdash.errors import Problem
from deepdash.redact import redact

SECONDS = 120.0  # for one git command; a shallow clone of the public repository takes a few
_MANAGED = "deepdash.managed"
# What a repository, or a checkout that somebody else prepared, could make git run or reach.
_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",  # a link in a repository becomes a text file and can't lead out of the folder
    "core.sshCommand=false",
    "credential.helper=",
    "submodule.recurse=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.http.allow=always",
    "protocol.file.allow=always",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "gc.auto=0",
)


def update_checkout(checkout: Path, repository: str, *, seconds: float = SECONDS) -> str:
    """Make ``checkout`` hold the newest commit of the repository's default branch; returns its id.

    Without a checkout it is cloned (shallow) into place in one step. One that this function made follows the
    repository wherever it goes; one that an operator made is only moved forward. ``repository`` may be "" for an
    existing checkout: its own remote is asked. Raises Problem "catalog:source".
    """
    if not (checkout / ".git").exists():
        _clone(checkout, repository, seconds)
    else:
        source = repository or "origin"
        _git(
            checkout,
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--force",
            "--",
            source,
            "HEAD",
            seconds=seconds,
        )
        if _git(checkout, "config", "--default", "no", "--get", _MANAGED, seconds=seconds) == "yes":
            _git(checkout, "reset", "--quiet", "--hard", "FETCH_HEAD", seconds=seconds)
            _git(checkout, "clean", "--quiet", "-d", "--force", seconds=seconds)
        else:
            _git(checkout, "merge", "--quiet", "--ff-only", "FETCH_HEAD", seconds=seconds)
    return _git(checkout, "rev-parse", "HEAD", seconds=seconds)


def _clone(checkout: Path, repository: str, seconds: float) -> None:
    if checkout.is_dir() and any(checkout.iterdir()):
        detail = f"{checkout} exists, but is no git checkout."
        raise Problem("catalog:source", detail=detail, what="The template repository")
    checkout.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, then moved there, so that a clone that was cut off leaves nothing half done.
    with tempfile.TemporaryDirectory(
        dir=checkout.parent, prefix=f".{checkout.name}-", ignore_cleanup_errors=True
    ) as work:
        fresh = Path(work) / "checkout"
        _git(Path(work), "clone", "--quiet", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules",
             "--template=", "--", repository, str(fresh), seconds=seconds)  # fmt: skip
        _git(fresh, "config", _MANAGED, "yes", seconds=seconds)
        if checkout.is_dir():
            checkout.rmdir()
        shutil.move(fresh, checkout)


def _git(folder: Path, *arguments: str, seconds: float) -> str:
    command = ["git"]
    for setting in (*_SAFE, f"safe.directory={folder}"):
        command += ["-c", setting]
    # A process group of its own, so that helpers such as git-remote-https end with it.
    try:
        process = subprocess.Popen(  # noqa: S603  (no shell; arguments are ours and the operator's)
            [*command, *arguments],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise Problem(
            "catalog:source", detail=f"git can't be started: {error}", what="The template repository"
        ) from error
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        detail = f"git {arguments[0]} took longer than {seconds:.0f} seconds."
        raise Problem("catalog:source", detail=detail, what="The template repository") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        detail = redact(f"git {arguments[0]}: {errors.strip()[-1000:]}")
        raise Problem("catalog:source", detail=detail, what="The template repository")
    return output.strip()


def _environment() -> dict[str, str]:
    """Nothing of the user's or the machine's git configuration, and no question on a terminal."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_LFS_SKIP_SMUDGE": "1",
        **{name: os.environ[name] for name in ("GIT_SSL_CAINFO", "SSL_CERT_FILE") if name in os.environ},
    }
