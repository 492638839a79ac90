"""How fast the pages are, as ratios taken in one run on one machine: `python -m benchmarks.pages`.

Each figure is a ratio of two measurements made minutes apart on the same machine, so that it says something about the
dashboard and not about the machine. Needs wrk (a load generator) on the PATH. Writes benchmarks/pages.json.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.stack import Stack, running
from tests.visitor import Visitor

SECONDS = 6
ROUNDS = 15
LATENCY = 0.5  # seconds per outside call
RESULTS = Path(__file__).with_name("pages.json")


def median_ms(ask: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Milliseconds of a call, the median of some rounds after one to warm up."""
    ask()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 1)


def compared(first: str, one: float, second: str, other: float) -> dict[str, float]:
    """Two measurements under their names, and the second as a multiple of the first."""
    return {first: one, second: other, "ratio": round(other / one, 2)}


def throughput(url: str, visitor: Visitor) -> float:
    """Requests per second with 8 connections, signed in as the visitor."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.session.cookies)
    command = ["wrk", "-t1", "-c8", f"-d{SECONDS}s", "-H", f"Cookie: {cookies}", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not found or "Non-2xx" in said:
        raise RuntimeError(said)
    return float(found[1])


def catalogue_against_bare(stack: Stack, visitor: Visitor) -> dict[str, float]:
    """The catalogue page, signed in, against a bare view with the same bytes. Wanted: at least 0.5."""
    page = visitor.get("/")
    visitor.session.post(f"{stack.url}/bare", data=page.text.encode(), headers=csrf(page), timeout=10)
    bare = throughput(f"{stack.url}/bare", visitor)
    ours = throughput(f"{stack.url}/", visitor)
    return {"bare per second": bare, "catalogue per second": ours, "ratio": round(ours / bare, 2)}


def csrf(page: Any) -> dict[str, str]:
    headers = json.loads(page.tree.xpath("//body/@hx-headers")[0])
    return {**headers, "Referer": page.url}


def first_byte(stack: Stack, visitor: Visitor, deployment: str) -> dict[str, Any]:
    """Each page with outside calls at 0 and at 500 ms. Wanted: at most 1.2 times as long."""
    pages = ["/", "/modules/deep-oc-alpine-flora", "/module/deep-oc-alpine-flora", "/deployments", deployment, "/slas",
             "/settings", "/login"]  # fmt: skip
    fast = {path: median_ms(lambda path=path: visitor.get(path)) for path in pages}  # type: ignore[misc]
    stack.fault("*", latency=LATENCY)
    slow = {path: median_ms(lambda path=path: visitor.get(path)) for path in pages}  # type: ignore[misc]
    stack.heal()
    name = {deployment: "/deployments/<uuid>"}
    return {
        name.get(path, path): {
            "ms at 0": fast[path],
            "ms at 500": slow[path],
            "ratio": round(slow[path] / fast[path], 2),
        }
        for path in pages
    }


def providers(stack: Stack) -> dict[str, float]:
    """Twenty agreements at 50 ms per call. Wanted: cold within 3 calls, warm without any."""
    visitor = Visitor(stack.url).sign_in("olu")
    stack.fault("slam", latency=0.05)
    stack.fault("cmdb", latency=0.05)
    cold = median_ms(lambda: visitor.get("/slas?group=federation&fresh=1"), rounds=7)
    before = stack.calls("slam") + stack.calls("cmdb")
    warm = median_ms(lambda: visitor.fragment("/slas?group=federation"), rounds=7)
    stack.heal()
    calls = stack.calls("slam") + stack.calls("cmdb") - before
    return {"cold ms": cold, "cold in calls of 50 ms": round(cold / 50, 2), "warm ms": warm, "warm calls": calls}


def two_thousand(stack: Stack) -> dict[str, float]:
    """The list of 2,000 deployments against one of 10. Wanted: at most 3 times the time."""
    measured = {}
    for person, count in (("ben", 10), ("grace", 2000)):
        stack.control("POST", "deployments", {"person": person, "count": count})
        visitor = Visitor(stack.url).sign_in(person)
        visitor.get("/deployments?fresh=1")
        measured[count] = median_ms(lambda visitor=visitor: visitor.get("/deployments"))  # type: ignore[misc]
    return {
        "ms with 10": measured[10],
        "ms with 2000": measured[2000],
        "ratio": round(measured[2000] / measured[10], 2),
    }


def memory(stack: Stack) -> dict[str, float]:
    """Resident memory of the web workers, in MiB."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            line = (status.parent / "cmdline").read_bytes()
            environment = (status.parent / "environ").read_bytes()
        except OSError:
            continue
        if b"gunicorn" in line and f"PORT={stack.url.rsplit(':', 1)[1]}".encode() in environment:
            found.append(int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024)  # type: ignore[index]
    return {"largest worker MiB": round(max(found), 1)}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), extra={"LOG_LEVEL": "WARNING"}, application="benchmarks.bare") as stack,
    ):
        visitor = Visitor(stack.url).sign_in("ada")
        page = visitor.submit(
            visitor.get("/module/deep-oc-alpine-flora"), "/module/", ("action", "deploy"), title="Bench"
        )
        deployment = page.url.removeprefix(stack.url)
        time.sleep(3)
        visitor.get(f"{deployment}?fresh=1")
        results = {
            "catalogue against a bare view": catalogue_against_bare(stack, visitor),
            "first byte, outside calls at 0 and 500 ms": first_byte(stack, visitor, deployment),
            "providers, 20 agreements at 50 ms": providers(stack),
            "deployments, 2,000 against 10": two_thousand(stack),
            "memory": memory(stack),
        }
    text = json.dumps(results, indent=2)
    RESULTS.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
