"""Which orchestrator is being imitated (contract 1.1)."""

from __future__ import annotations

from sandbox.world import World


def version(world: World) -> tuple[int, ...]:
    """Return the numbers before the first hyphen, to compare with."""
    return tuple(int(part) for part in world.settings.orchestrator_version.split("-", 1)[0].split("."))
