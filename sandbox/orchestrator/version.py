"""Which orchestrator is being imitated (contract 1.1)."""

from __future__ import annotations

from sandbox.world import World

DEFAULT_VERSION = "2.9.0-FINAL"
KNOWN_VERSIONS = ("2.1.1-FINAL", DEFAULT_VERSION, "2.9.0-SNAPSHOT", "4.0.1")


def version_text(world: World) -> str:
    """Return ``build.version`` as ``/info`` shows it."""
    return str(getattr(world.settings, "orchestrator_version", DEFAULT_VERSION))


def version(world: World) -> tuple[int, ...]:
    """Return the numbers before the first hyphen, to compare with."""
    return tuple(int(part) for part in version_text(world).split("-", 1)[0].split("."))
