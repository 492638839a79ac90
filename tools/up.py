"""``make run``: the dashboard with everything embedded, in the foreground until Ctrl-C.

Without a configuration the sandbox is started beside it and the dashboard is pointed at it. This file is the only
place that knows both.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import types
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("DEEPDASH_DATA_DIR") or ROOT / "var")
PORT = int(os.environ.get("PORT", "5001"))
SANDBOX_PORT = int(os.environ.get("SANDBOX_PORT", "5002"))
CONFIGURED = (
    (ROOT / "config.json").is_file() or "DEEPDASH_CONFIG" in os.environ or "DEEPDASH_IAM_BASE_URL" in os.environ
)
# Sixteen threads with a heap each would keep what the largest answer once took; two heaps do, and give back. The image
# sets the same.
HEAP = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or a child ended."""


def sandbox_environment(base: str) -> dict[str, str]:
    """The dashboard's configuration for the sandbox at ``base``."""
    values: dict[str, object] = {
        "IAM_BASE_URL": f"{base}/iam",
        "IAM_CLIENT_ID": "deepdash-sandbox",
        "IAM_CLIENT_SECRET": "deepdash-sandbox-secret",
        "IAM_GROUP_MEMBERSHIP": [],
        "IAM_ADMIN_GROUPS": ["deepdash-curators"],
        "ORCHESTRATOR_URL": f"{base}/orchestrator",
        "SLAM_URL": f"{base}/slam",
        "CMDB_URL": f"{base}/cmdb",
        "IM_URL": f"{base}/im",
        "MONITORING_URL": f"{base}/monitoring-wrapper",
        "MODULES_YML": f"{base}/github/deephdc/deep-oc/master/MODULES.yml",
        "GITHUB_RAW_URL": f"{base}/github",
        "DOCKERHUB_URL": f"{base}/dockerhub",
        "TOSCA_TEMPLATES_REPO": f"{base}/git/indigo-dc/tosca-templates.git",
        "TOSCA_TEMPLATES_DIR": str(VAR / "tosca-templates" / "deep-oc"),
        "TOSCA_PARAMETERS_DIR": str(VAR / "tosca-templates" / "tosca-parameters"),
        "GITHUB_SECRET": "deepdash-sandbox-webhook-secret",
        "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"],
        "SUPPORT_EMAIL": "support@example.org",
        "SANDBOX_URL": base,
    }
    return {f"DEEPDASH_{key}": value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_for(url: str, name: str, process: "subprocess.Popen[bytes]", seconds: float = 40) -> None:
    """Raises Stopped when the process ends or does not answer in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answers(url):
            return
        if process.poll() is not None:
            raise Stopped(f"{name} ended with code {process.returncode}.")
        time.sleep(0.1)
    raise Stopped(f"{name} did not answer within {seconds:.0f} seconds.")


def require_free(port: int, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(f"Port {port} is in use. Choose another one: make run {variable}={port + 10}")


def manage(*words: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)  # noqa: S603


def start(*command: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """A child in a process group of its own, so that Ctrl-C reaches it through us, once and in order."""
    return subprocess.Popen(  # noqa: S603 - fixed words
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, start_new_session=True
    )


def interrupted(signum: int, frame: types.FrameType | None) -> None:
    raise Stopped("")


def main() -> int:
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    require_free(PORT, "PORT")
    address = f"http://127.0.0.1:{PORT}"
    environment = {
        "DEEPDASH_LOG_LEVEL": "WARNING",
        **HEAP,
        **os.environ,
        "PORT": str(PORT),
        "PYTHONUNBUFFERED": "1",
    }
    children: list[subprocess.Popen[bytes]] = []
    try:
        if not CONFIGURED:
            require_free(SANDBOX_PORT, "SANDBOX_PORT")
            base = f"http://127.0.0.1:{SANDBOX_PORT}"
            sandbox = start(
                "sandbox", "--port", str(SANDBOX_PORT), "--state", str(VAR / "sandbox"), "--dashboard", address,
                environment=environment,
            )  # fmt: skip
            children.append(sandbox)
            wait_for(f"{base}/control/", "The sandbox", sandbox)
            environment |= sandbox_environment(base)
        new = not (VAR / "deepdash.sqlite3").exists()
        manage("migrate", "--no-input", "-v0", environment=environment)
        manage("compilemessages", "-v0", environment=environment)
        manage("collectstatic", "--no-input", "-v0", environment=environment)
        if new or not CONFIGURED:  # later, the dashboard's own scheduler does it
            print(
                f"Filling the catalogue{'' if CONFIGURED else ' (the sandbox has some broken entries on purpose)'} ...",
                flush=True,
            )
            manage("refresh_catalog", environment=environment)
        web = start("gunicorn", "-c", "gunicorn.conf.py", "deepdash.wsgi", environment=environment)
        children.insert(0, web)
        wait_for(f"{address}/readyz", "The dashboard", web)
        print(f"\n  deepdash is at     {address}")
        if not CONFIGURED:
            print(f"  sandbox services   {base}  (no config.json found: nothing here is real)")
            print("  sign in as         ada (researcher), ben (colleague), mallory (another group),")
            print("                     nora (no groups), grace (curator), olu (many providers); no passwords")
        print("  stop with          Ctrl-C\n", flush=True)
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        raise Stopped("A part of it ended by itself; see above.")
    except Stopped as stopped:
        print(f"\n{stopped}" if str(stopped) else "\nStopping ...", flush=True)
        return 1 if str(stopped) else 0
    except subprocess.CalledProcessError as error:
        print(f"\n{' '.join(error.cmd[1:])} failed; see above.", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()


if __name__ == "__main__":
    sys.exit(main())
