"""Which orchestrator is being imitated (contract 1.1)."""

from __future__ import annotations

from sandbox.world import World


def version_text(world: World) -> str:
    """Return ``build.version`` as ``/info`` shows it."""
    return world.settings.orchestrator_version


def version(world: World) -> tuple[int, ...]:
    """Return the numbers before the first hyphen, to compare with."""
    return tuple(int(part) for part in version_text(world).split("-", 1)[0].split("."))
