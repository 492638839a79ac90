"""Two hundred people at once, for minutes: `python -m benchmarks.load [--seconds 180]`. Writes benchmarks/load.json.

The whole site as in production (PostgreSQL, Redis, a worker, beat, gunicorn with two processes of sixteen threads)
beside a sandbox whose every call takes 50 ms. Each person has an account, a session and an address of their own,
thinks between pages, and their browser does what a browser does: it loads the parts that pages ask for, and looks
again as often as the page says. All of it stays on loopback, generator included: it takes its share of the machine.
"""

import argparse
import asyncio
import json
import os
import random
import re
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.fernet import Fernet
from lxml import html

from benchmarks.crowd import NAMES
from tests.servers import postgres, redis
from tests.stack import Stack, running
from tools.up import HEAP

LATENCY = 0.05  # seconds per outside call
THINKING = 15.0  # seconds between two pages of a person, on average
WATCHING = (30.0, 60.0)  # seconds a person looks at a page that renews itself
RESULTS = Path(__file__).with_name("load.json")
MODULES = ("deep-oc-alpine-flora", "deep-oc-harbour-detect", "deep-oc-plankton-imaging", "deep-oc-river-forecast")
WORDS = ("image", "flora", "audio", "river", "tensorflow", "sea")
# How often a person does what, in parts of all.
HABITS = {"catalogue": 20, "search": 12, "module": 16, "form": 10, "list": 16, "deployment": 16, "providers": 4,
          "trainings": 4, "settings": 1, "deploy and delete": 1}  # fmt: skip
_PART = re.compile(r'hx-get="([^"]+)"[^>]*?hx-trigger="load"')
_AGAIN = re.compile(r'id="part"[^>]*?hx-get="([^"]+)"[^>]*?hx-trigger="every ([\d.]+)s"')
_DEPLOYMENT = re.compile(r'href="(/deployments/[0-9a-f-]{36})"')


@dataclass
class Tally:
    """What happened: seconds by kind of request, and what was wrong by kind and reason."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    measuring: bool = False

    def note(self, kind: str, seconds: float, wrong: str = "") -> None:
        if self.measuring:
            self.seconds[kind].append(seconds)
        if wrong:
            self.errors[f"{kind}: {wrong}"] += 1


class Person:
    """One browser with somebody before it."""

    def __init__(self, stack: Stack, name: str, number: int, tally: Tally, pool: aiohttp.TCPConnector) -> None:
        self.name, self.base, self.tally = name, stack.url, tally
        self.random = random.Random(number)  # noqa: S311 - the same people at each run
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[stack.url])
        # As through a proxy: everybody has an address of their own, which the limits count by.
        headers = {"X-Forwarded-For": f"198.51.{100 + number // 250}.{number % 250 + 1}"}
        self.session = aiohttp.ClientSession(
            connector=pool, connector_owner=False, cookie_jar=jar, headers=headers,
            timeout=aiohttp.ClientTimeout(total=60),
        )  # fmt: skip

    async def ask(self, kind: str, path: str, *, part: bool = False, data: Any = None) -> str:
        """One request with its redirects; the text of the answer, "" when there is none."""
        headers = {"HX-Request": "true"} if part else {"Referer": f"{self.base}/", "Origin": self.base}
        url = path if path.startswith("http") else self.base + path
        started = time.perf_counter()
        wrong, text = "", ""
        try:
            async with self.session.request("POST" if data else "GET", url, data=data, headers=headers) as answer:
                text = await answer.text()
                self.url = str(answer.url)
                if answer.status >= 400:
                    wrong = str(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            wrong = type(error).__name__
        self.tally.note(kind, time.perf_counter() - started, wrong)
        return "" if wrong else text

    async def page(self, kind: str, path: str) -> str:
        """A page and the parts it asks for at once, and those that they ask for; their text, the last part's first."""
        texts = [await self.ask(kind, path)]
        wanted = _PART.findall(texts[0])
        while wanted and len(texts) < 8:
            texts.insert(0, await self.ask("parts", unescape(wanted.pop(0)), part=True))
            wanted += _PART.findall(texts[0])
        return "\n".join(texts)

    async def sign_in(self) -> None:
        page = await self.ask("signing in", "/login/iam")
        form = html.fromstring(page or "<p>").forms
        fields = dict(form[0].form_values()) if form else {}
        await self.ask("signing in", f"{form[0].action}" if form else "/", data={**fields, "person": self.name})
        for asset in sorted(
            set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', await self.ask("home", "/")))
        ):
            await self.ask("static files", asset)

    async def live(self, until: float) -> None:
        """Pages and pauses until then. The first pause is of any length, lest all act in one beat."""
        await asyncio.sleep(self.random.uniform(0, THINKING))
        habits, weights = list(HABITS), list(HABITS.values())
        while time.monotonic() < until:
            await self.do(self.random.choices(habits, weights)[0], until)
            pause = min(self.random.expovariate(1 / THINKING), 4 * THINKING)
            await asyncio.sleep(max(0.0, min(pause, until - time.monotonic())))

    async def do(self, habit: str, until: float) -> None:
        module = self.random.choice(MODULES)
        if habit == "catalogue":
            await self.page(habit, "/")
        elif habit == "search":
            word = self.random.choice(WORDS)
            for length in (3, len(word)):  # as it is typed
                await self.ask(habit, f"/?q={word[:length]}", part=True)
        elif habit == "module":
            await self.page(habit, f"/modules/{module}")
        elif habit == "form":
            await self.page(habit, f"/module/{module}")
        elif habit == "list":
            await self.watch(habit, "/deployments", until)
        elif habit == "deployment":
            found = _DEPLOYMENT.findall(await self.page("list", "/deployments"))
            if found:
                await self.watch(habit, self.random.choice(found), until)
        elif habit == "deploy and delete":
            await self.deploy_and_delete(module, until)
        else:
            path = {"providers": "/slas", "trainings": "/training", "settings": "/settings"}[habit]
            await self.page(habit, path)

    async def watch(self, kind: str, path: str, until: float) -> None:
        """Look at a page for a while; it renews itself as often as it says."""
        text = await self.page(kind, path)
        end = min(until, time.monotonic() + self.random.uniform(*WATCHING))
        while (found := _AGAIN.search(text)) and time.monotonic() + float(found[2]) < end:
            await asyncio.sleep(float(found[2]))
            text = await self.ask(f"{kind}, looking again", unescape(found[1]), part=True) or text

    async def deploy_and_delete(self, module: str, until: float) -> None:
        path = f"/module/{module}"
        if not (page := await self.page("form", path)):
            return
        form = next(form for form in html.fromstring(page).forms if path in (form.action or ""))
        fields = [(name, value) for name, value in form.form_values() if name != "title"]
        await self.ask("submit", path, data=[*fields, ("title", f"Load {self.name}"), ("action", "deploy")])
        if "/deployments/" not in self.url:
            self.tally.note("submit", 0.0, "came back")
            return
        deployment = self.url.removeprefix(self.base).partition("?")[0]
        await self.watch("deployment", deployment, until)
        page = await self.page("deployment", f"{deployment}/delete")
        tokens = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if tokens:
            await self.ask("delete", f"{deployment}/delete", data={"csrfmiddlewaretoken": tokens[-1]})


def processes(stack: Stack) -> dict[str, list[int]]:
    """Process ids by what they are: web workers, Celery workers, beat. Masters, which only wait, are left out."""
    port = f"PORT={stack.url.rsplit(':', 1)[1]}".encode()
    found: dict[int, tuple[str, int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if port not in (place / "environ").read_bytes().split(b"\0"):
                continue
            line = (place / "cmdline").read_bytes()
            parent = int(re.search(r"PPid:\s+(\d+)", (place / "status").read_text())[1])  # type: ignore[index]
        except (OSError, TypeError):
            continue
        kind = next((name for word, name in ((b"gunicorn", "web"), (b"beat", "beat"), (b"worker", "worker"))
                     if word in line), "")  # fmt: skip
        if kind:
            found[int(place.name)] = kind, parent
    children = {pid for pid, (kind, parent) in found.items() if found.get(parent, ("",))[0] == kind}
    sorted_out: dict[str, list[int]] = defaultdict(list)
    for pid, (kind, _) in sorted(found.items()):
        if pid in children or kind == "beat":
            sorted_out[kind].append(pid)
    return dict(sorted_out)


def memory(pid: int) -> float:
    """Resident memory in MiB; 0 when it is gone."""
    try:
        return round(int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024, 1)  # type: ignore[index]
    except (OSError, TypeError):
        return 0.0


def shared_out(pid: int) -> float:
    """Memory in MiB with what several processes share divided between them: what one more process costs."""
    try:
        return round(int(re.search(r"Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())[1]) / 1024, 1)  # type: ignore[index]
    except (OSError, TypeError):
        return 0.0


def processor(pids: list[int]) -> float:
    """Processor time that the processes have used, in seconds; of one that is gone nothing is known."""
    used = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


async def watched(stack: Stack, until: float, every: float) -> dict[str, list[float]]:
    """Memory of each process over time, by kind and number.

    A web worker is replaced after so many requests (``max_requests`` of gunicorn); its successor takes its place.
    """
    first = processes(stack)
    series: dict[str, list[float]] = {f"{kind} {n + 1}": [] for kind, found in first.items() for n in range(len(found))}
    places = {kind: list(found) for kind, found in first.items()}
    while time.monotonic() < until:
        now = processes(stack)
        for kind, held in places.items():
            new = [pid for pid in now.get(kind, []) if pid not in held]
            for n, pid in enumerate(held):
                if pid not in now.get(kind, []) and new:
                    held[n] = new.pop(0)
                series[f"{kind} {n + 1}"].append(memory(held[n]))
        await asyncio.sleep(every)
    return series


def distribution(seconds: list[float]) -> dict[str, float]:
    """How long requests took: half, 95 and 99 of 100 of them, and the worst."""
    ordered = sorted(seconds)
    at = {f"p{part}": ordered[min(len(ordered) - 1, len(ordered) * part // 100)] for part in (50, 95, 99)}
    figures: dict[str, float] = {f"{name} ms": round(value * 1000) for name, value in at.items()}
    return {"requests": len(ordered), **figures, "worst ms": round(ordered[-1] * 1000)}


def steady(series: list[float]) -> dict[str, float]:
    """How a process's memory began, ended and moved: the middle of its second quarter against that of its last."""
    quarter = max(1, len(series) // 4)
    early, late = statistics.median(series[quarter : 2 * quarter]), statistics.median(series[-quarter:])
    return {
        "first MiB": series[0],
        "second quarter MiB": early,
        "last quarter MiB": late,
        "growth MiB": round(late - early, 1),
    }


async def crowd(stack: Stack, people: int, seconds: float) -> dict[str, Any]:
    tally = Tally()
    # Idle connections end before gunicorn ends them, as a proxy's do.
    pool = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
    persons = [Person(stack, name, number, tally, pool) for number, name in enumerate(NAMES[:people])]
    gate = asyncio.Semaphore(4)

    async def enter(person: Person) -> None:
        async with gate:
            await person.sign_in()

    tally.measuring = True
    started = time.monotonic()
    await asyncio.gather(*map(enter, persons))
    entering = time.monotonic() - started
    sys.stderr.write(f"{people} signed in, in {entering:.0f} s\n")
    signing_in = {"seconds in all": round(entering), **distribution(tally.seconds.pop("signing in"))}
    tally.seconds.clear()
    web = processes(stack)["web"]
    spent = processor(web)
    began = time.monotonic()
    until = began + seconds
    looking = asyncio.create_task(watched(stack, until, max(2.0, seconds / 40)))
    await asyncio.gather(*(person.live(until) for person in persons))
    series = await looking
    took, spent = time.monotonic() - began, processor(web) - spent
    for person in persons:
        await person.session.close()
    await pool.close()
    everything = [value for values in tally.seconds.values() for value in values]
    return {
        "people": people,
        "seconds": round(took),
        "requests": len(everything),
        "requests per second": round(len(everything) / took, 1),
        "web processes' own time per request, ms": round(1000 * spent / max(1, len(everything)), 1),
        "errors": dict(tally.errors),
        "error rate": sum(tally.errors.values()) / max(1, len(everything)),
        "signing in": signing_in,
        "all": distribution(everything),
        "latency": {kind: distribution(values) for kind, values in sorted(tally.seconds.items())},
        "memory": {name: steady(values) for name, values in series.items()},
        "web processes at the end, shared memory divided, MiB": [shared_out(pid) for pid in processes(stack)["web"]],
        "memory over time, MiB": {name: values for name, values in series.items() if name.startswith("web")},
        "lines in the log that tell of trouble": len(re.findall(r"Traceback|\] ERROR|\bCRITICAL\b", stack.log)),
    }


@contextmanager
def site(folder: Path, workers: int) -> Iterator[Stack]:
    with postgres(folder) as database, redis(folder) as broker:
        keys = {"DATABASE_URL": database.url, "REDIS_URL": broker.url, "LOG_LEVEL": "WARNING", "TRUSTED_PROXIES": "1",
                "SECRET_KEY": secrets.token_urlsafe(50), "TOKEN_KEYS": Fernet.generate_key().decode()}  # fmt: skip
        environment = {"WORKERS": str(workers), **HEAP}
        with running(folder, extra=keys, environment=environment, sandbox_module="benchmarks.crowd") as stack:
            yield stack


def main() -> int:
    parser = argparse.ArgumentParser(description="Two hundred people at once")
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--people", type=int, default=len(NAMES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a copy of the dashboard's log")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, site(Path(name), options.workers) as stack:
        for person in NAMES[: options.people]:
            stack.control("POST", "deployments", {"person": person, "count": 9})
            stack.control("POST", "deployments", {"person": person, "statuses": ["CREATE_IN_PROGRESS"]})
        stack.fault("*", latency=LATENCY)
        load = os.getloadavg()[0]
        results = asyncio.run(crowd(stack, options.people, options.seconds))
        results = {"load of the machine before": round(load, 1), "web processes": options.workers, **results}
        if options.keep:
            options.keep.write_text(stack.log, encoding="utf-8")
    text = json.dumps(results, indent=2)
    RESULTS.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")
    return 1 if results["errors"] else 0


if __name__ == "__main__":
    sys.exit(main())
