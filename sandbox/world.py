"""What all stand-ins share: settings, clock, people, catalogue, faults, what is kept between starts."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox.catalogue import Catalogue
from sandbox.faults import Calls, Faults
from sandbox.people import BY_KEY, Person
from sandbox.tokens import TokenStore

log = logging.getLogger(__name__)

SAMPLE = Path(__file__).parent / "sample"
SAVE_DELAY = 0.5
_VERSION = re.compile(r"\d+(\.\d+)+(-[\w.-]+)?")


@dataclass
class Settings:
    """What the control API can change while the sandbox runs; times in seconds.

    Lifetimes are real seconds (a client compares them with its own clock); the steps of a deployment are
    divided by the speed.
    """

    token_lifetime: float = 3600
    id_token_lifetime: float = 600
    refresh_token_lifetime: float = 2_592_000
    code_lifetime: float = 60
    rotate_refresh_tokens: bool = False
    revoke_on_reuse: bool = False
    dockerhub_limit: int = 100_000
    choose_provider: float = 1.5
    provider_work: float = 5.0
    update: float = 3.0
    delete: float = 2.5
    deepaas_boot: float = 2.0
    training: float = 20.0
    orchestrator_version: str = "2.9.0-FINAL"
    orchestrator_admin_group: str = "orchestrator-admins"

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change all of these, or none: raises ValueError for an unknown name or an unfitting value."""
        defaults = asdict(Settings())
        for name, value in changes.items():
            if name not in defaults:
                raise ValueError(f"Unknown setting {name!r}; there are: {', '.join(defaults)}, speed.")
            default = defaults[name]
            if isinstance(default, bool | str):
                fits = isinstance(value, type(default))
            else:
                # In Python a bool is a number, in JSON it is not.
                fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            if not fits or (name == "orchestrator_version" and not _VERSION.fullmatch(value)):
                raise ValueError(f"{name} cannot be {value!r}.")
        for name, value in changes.items():
            setattr(self, name, value)


class Part:
    """A service that keeps state. Calls, in order: ``load`` (if something was kept), ``start``, ``stop``."""

    async def start(self) -> None:
        """Resume what was in motion; the base URL is known by now."""

    async def stop(self) -> None:
        """Close ports and end tasks; the state is dumped before this is called."""

    async def reset(self) -> None:
        """Return to the state of a fresh start."""

    def dump(self) -> Any:
        """Return what is to be kept, as JSON types; None keeps nothing."""
        return None

    def load(self, data: Any) -> None:
        """Take back what ``dump`` returned in an earlier process."""

    def summary(self) -> dict[str, Any]:
        """Return a few figures for people."""
        return {}


@dataclass
class World:
    """Everything the stand-ins share. ``base_url`` has no trailing slash, is set when the port is known."""

    base_url: str = ""
    speed: float = 1.0
    host: str = "127.0.0.1"
    dashboard: str = "http://127.0.0.1:5001"
    catalogue_dir: Path = SAMPLE
    state_dir: Path | None = None
    clock: Callable[[], float] = time.time
    people: dict[str, Person] = field(default_factory=lambda: dict(BY_KEY))
    settings: Settings = field(default_factory=Settings)
    faults: Faults = field(default_factory=Faults)
    calls: Calls = field(default_factory=Calls)
    parts: dict[str, Part] = field(default_factory=dict)
    orchestrator: Any = None  # the Orchestrator of the parts; its module needs this one
    tokens: TokenStore = field(init=False)
    catalogue: Catalogue = field(init=False)
    work_dir: Path = field(init=False)
    _initial_speed: float = field(init=False)
    _tasks: set[asyncio.Task[Any]] = field(init=False, default_factory=set)
    _save_handle: asyncio.TimerHandle | None = field(init=False, default=None)
    _write_lock: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._initial_speed = self.speed
        if self.state_dir:
            self.state_dir.mkdir(parents=True, exist_ok=True)
        self.work_dir = self.state_dir or Path(tempfile.mkdtemp(prefix="sandbox-"))
        self.tokens = TokenStore.open(self.state_dir)
        self.catalogue = Catalogue(self.catalogue_dir)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.clock()

    async def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` of sandbox time: less real time when the speed is above 1."""
        await asyncio.sleep(seconds / self.speed)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``work`` beside the requests; it is cancelled when the sandbox stops, its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("A background task failed", exc_info=error)

    # -- what is kept between two starts --------------------------------------------------------------------

    def persist(self) -> None:
        """Ask for the state to be written soon; many calls make one write. Needs a state folder to act."""
        if self.state_dir and self._save_handle is None:
            self._save_handle = asyncio.get_running_loop().call_later(SAVE_DELAY, self._save_soon)

    def _save_soon(self) -> None:
        self._save_handle = None
        self.spawn(self._save())

    async def _save(self) -> None:
        if self.state_dir is None:
            return
        # The dump is made inside the lock: an older state never replaces a newer one.
        async with self._write_lock:
            kept = {name: data for name, part in self.parts.items() if (data := part.dump()) is not None}
            text = json.dumps({"version": 1, "parts": kept})
            await asyncio.to_thread(write_atomically, self.state_dir / "state.json", text)

    def _load(self) -> None:
        path = self.state_dir / "state.json" if self.state_dir else None
        if path is None or not path.exists():
            return
        kept = json.loads(path.read_text(encoding="utf-8"))["parts"]
        for name, part in self.parts.items():
            if name in kept:
                part.load(kept[name])

    # -- life -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load what was kept and start every part. ``base_url`` must be set."""
        self._load()
        for part in self.parts.values():
            await part.start()

    async def stop(self) -> None:
        """Write the state, stop every part, end background work."""
        if self._save_handle:
            self._save_handle.cancel()
            self._save_handle = None
        await self._save()
        for part in self.parts.values():
            await part.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.state_dir is None:
            await asyncio.to_thread(shutil.rmtree, self.work_dir, ignore_errors=True)

    async def reset(self) -> None:
        """Return everything to the state of a fresh start (the signing key stays)."""
        self.speed = self._initial_speed
        self.settings = Settings()
        self.faults.clear()
        for part in self.parts.values():
            await part.reset()
        self.calls.clear()
        self.persist()


def write_atomically(path: Path, text: str) -> None:
    """Write a file such that a reader, or a crash, sees either the old or the new content."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
