"""The trainings of one DEEPaaS process: one worker, everything in memory (contract 6.3)."""

from __future__ import annotations

import asyncio
import math
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.world import World

FAILING = "fail"


class TrainingError(Exception):
    """The module's own failure; the message is what DEEPaaS shows."""


@dataclass
class Training:
    """One training; times are the server's local ones, without a zone, as there."""

    uuid: str
    date: datetime
    args: dict[str, Any]
    task: asyncio.Task[dict[str, Any]] = field(repr=False)
    finished: datetime | None = None

    def described(self) -> dict[str, Any]:
        body: dict[str, Any] = {"date": str(self.date), "args": self.args, "uuid": self.uuid}
        if self.task.cancelled():
            return {**body, "status": "cancelled"}
        if not self.task.done():
            return {**body, "status": "running"}
        error = self.task.exception()
        if error is not None:
            return {**body, "status": "error", "message": str(error)}
        finished = self.finished or self.date
        result = {
            "output": self.task.result(),
            "finish_date": str(finished),
            "duration": str(finished - self.date),
        }
        return {**body, "status": "done", "result": result}


class Trainings:
    """Starts, lists and removes trainings; a second one waits for the worker, looking as if it ran."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[str, Training] = {}
        self._worker = asyncio.Lock()

    def start(self, args: dict[str, Any]) -> Training:
        # Local time without a zone is what the real one sends; microseconds are never left out here, since it
        # cannot read its own date back without them.
        identifier, date = uuid.uuid4().hex, _local_now()
        task = self._world.spawn(self._work(identifier, args))
        self._all[identifier] = Training(identifier, date, args, task)
        return self._all[identifier]

    def all(self) -> list[Training]:
        return list(self._all.values())

    def get(self, identifier: str) -> Training | None:
        return self._all.get(identifier)

    def remove(self, identifier: str) -> Training | None:
        """Take a training out, killing it when it runs."""
        training = self._all.pop(identifier, None)
        if training is not None:
            training.task.cancel()
        return training

    def end(self) -> None:
        for identifier in list(self._all):
            self.remove(identifier)

    async def _work(self, identifier: str, args: dict[str, Any]) -> dict[str, Any]:
        async with self._worker:
            seconds = self._world.settings.training
            problem = _problem(args)
            await self._world.sleep(seconds / 4 if problem else seconds)
            if problem:
                raise TrainingError(problem)
            self._all[identifier].finished = _local_now()
            return _learn(args)


def _problem(args: dict[str, Any]) -> str | None:
    """Say what a training fails of, if its arguments make it fail."""
    if FAILING in args["dataset"]:
        return f"No images were found in {args['dataset']}"
    if args["learning_rate"] > 1:
        return "Loss became NaN after 3 steps: the learning rate is too high"
    return None


def _learn(args: dict[str, Any]) -> dict[str, Any]:
    """Return a learning curve that depends on the arguments in a believable way."""
    rate = 0.25 if args["optimizer"] == "adam" else 0.15
    history = []
    for epoch in range(1, args["epochs"] + 1):
        loss = 0.08 + 2.2 * math.exp(-rate * epoch)
        history.append({"epoch": epoch, "loss": round(loss, 4), "accuracy": round(1 - loss / 2.6, 4)})
    return {"loss": history[-1]["loss"], "accuracy": history[-1]["accuracy"], "history": history}


def _local_now() -> datetime:
    now = datetime.now()  # noqa: DTZ005 -- the contract's time has no zone
    return now if now.microsecond else now + timedelta(microseconds=1)
