"""How fast the pages are, as ratios taken in one run on one machine: `python -m benchmarks.pages`.

What is compared is measured in turns, so that whatever else the machine does meets both alike. Needs wrk (a load
generator) on the PATH. Writes benchmarks/pages.json.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.catalogue import populate
from benchmarks.site import Site, site
from tests.stack import Stack
from tests.visitor import Visitor

SECONDS, TURNS = 3, 4  # of load, each
ROUNDS = 15
LATENCY = 0.5  # seconds per outside call
RESULTS = Path(__file__).with_name("pages.json")
TICKS = os.sysconf("SC_CLK_TCK")
ENCODING = "gzip, deflate, br"


def median_ms(ask: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Milliseconds of a call, the median of some rounds after one to warm up."""
    ask()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 1)


def csrf(page: Any) -> dict[str, str]:
    headers = json.loads(page.tree.xpath("//body/@hx-headers")[0])
    return {**headers, "Referer": page.url}


# -- Processes ------------------------------------------------------------------------------------------------
def web_workers(stack: Stack) -> list[int]:
    """The processes that answer requests: gunicorn's children, not itself."""
    found: dict[int, int] = {}
    port = f"PORT={stack.url.rsplit(':', 1)[1]}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"gunicorn" in (folder / "cmdline").read_bytes() and port in (folder / "environ").read_bytes():
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return [process for process, parent in found.items() if parent in found]


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(stack: Stack) -> dict[str, float]:
    """MiB of the largest web worker: resident, and with what it shares with others counted in part."""
    found = []
    for process in web_workers(stack):
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        found.append([int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) / 1024 for name in ("Rss", "Pss")])  # type: ignore[index]
    resident, shared = max(found)
    return {"resident MiB": round(resident, 1), "proportional MiB": round(shared, 1)}


# -- The catalogue page ---------------------------------------------------------------------------------------
def load(stack: Stack, path: str, visitor: Visitor) -> tuple[float, float]:
    """Requests per second with 8 connections, and milliseconds of the worker's processor time for each."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.session.cookies)
    command = ["wrk", "-t1", "-c8", f"-d{SECONDS}s", "-H", f"Cookie: {cookies}", "-H", f"Accept-Encoding: {ENCODING}",
               stack.url + path]  # fmt: skip
    (worker,) = web_workers(stack)
    before = processor_seconds(worker)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    used = processor_seconds(worker) - before
    rate, done = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    if not rate or not done or "Non-2xx" in said:
        raise RuntimeError(said)
    return float(rate[1]), used / int(done[1]) * 1000


def in_turns(stack: Stack, visitor: Visitor, paths: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Name → requests per second and processor milliseconds per request: medians of turns, one path after another."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    for _ in range(TURNS):
        for name, path in paths.items():
            taken[name].append(load(stack, path, visitor))
    return {
        name: (statistics.median(rate for rate, _ in turns), statistics.median(used for _, used in turns))
        for name, turns in taken.items()
    }


def catalogue(stack: Stack, visitor: Visitor) -> dict[str, dict[str, float]]:
    """The catalogue page, signed in, against a bare view with the same bytes, at three sizes of the catalogue."""
    found, at_32 = {}, 0.0
    for modules in (32, 1_000, 10_000):
        populate(modules)
        page = visitor.get("/")
        visitor.session.post(f"{stack.url}/bare", data=page.text.encode(), headers=csrf(page), timeout=10)
        taken = in_turns(stack, visitor, {"bare": "/bare", "page": "/"})
        (bare, bare_used), (ours, ours_used) = taken["bare"], taken["page"]
        at_32 = at_32 or ours_used
        found[f"{modules} modules"] = {
            "bare per second": round(bare, 1),
            "page per second": round(ours, 1),
            "ratio": round(ours / bare, 2),
            "bare, processor ms": round(bare_used, 2),
            "page, processor ms": round(ours_used, 2),
            "processor ratio": round(bare_used / ours_used, 2),
            "cost against 32 modules": round(ours_used / at_32, 2),
        }
    return found


# -- Latency of outside services ------------------------------------------------------------------------------
def first_byte(place: Site) -> dict[str, dict[str, float]]:
    """Every page with outside calls at 0 and at 500 ms, in turns: the least of some, as others only ever add."""
    found = {}
    for route, path in place.pages.items():
        visitor = place.grace if route == "/settings/health" else place.ada

        def ask(path: str = path, visitor: Visitor = visitor) -> float:
            with visitor.session.get(f"{visitor.base}{path}", stream=True, timeout=60) as answer:
                taken = answer.elapsed.total_seconds() * 1000
                _ = answer.content  # so that the connection is kept
                return taken

        ask()
        fast, slow = [], []
        for _ in range(3):
            fast += [ask() for _ in range(4)]
            place.stack.fault("*", latency=LATENCY)
            slow += [ask() for _ in range(4)]
            place.stack.heal()
        found[route] = {
            "ms at 0": round(min(fast), 1),
            "ms at 500": round(min(slow), 1),
            "ratio": round(min(slow) / min(fast), 2),
        }
    return found


def providers(stack: Stack) -> dict[str, float]:
    """Twenty agreements at 50 ms per call. Wanted: cold within 3 calls, warm without any."""
    visitor = Visitor(stack.url).sign_in("olu")
    stack.fault("slam", latency=0.05)
    stack.fault("cmdb", latency=0.05)
    cold = median_ms(lambda: visitor.get("/slas?group=federation&fresh=1"))
    before = stack.calls("slam") + stack.calls("cmdb")
    warm = median_ms(lambda: visitor.fragment("/slas?group=federation"))
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


def main() -> None:
    results: dict[str, Any] = {}

    def note(name: str, found: Any) -> None:
        results[name] = found
        sys.stdout.write(f"{json.dumps({name: found}, indent=2)}\n")
        sys.stdout.flush()

    with site() as place:
        stack = place.stack
        note("memory at the start", memory(stack))
        note("first byte, outside calls at 0 and 500 ms", first_byte(place))
        note("providers, 20 agreements at 50 ms", providers(stack))
        note("deployments, 2,000 against 10", two_thousand(stack))
        note("memory after all that", memory(stack))
        note("catalogue page against a bare view", catalogue(stack, place.ada))
        note("memory after the load, with 10,000 modules", memory(stack))
    RESULTS.write_text(f"{json.dumps(results, indent=2)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
