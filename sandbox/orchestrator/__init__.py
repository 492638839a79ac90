"""The stand-in of the PaaS orchestrator (contract 1).

For the rest of the sandbox:

``routes(world)``
    the routes, paths relative to the service's prefix.
``part(world)``
    the :class:`~sandbox.orchestrator.state.Orchestrator` of that world, made on the first call and also kept
    as ``world.orchestrator``. Besides the calls of :class:`~sandbox.world.Part` (``start``, ``stop``,
    ``reset``, ``dump``, ``load``, ``summary``) it offers the control API:

    ``seed(person, count, statuses=None) -> list[str]``
        makes ``count`` finished deployments of a :class:`~sandbox.people.Person`, their statuses taken in
        turn from ``statuses`` (default: mostly complete, some failed); no ports are opened. Returns the
        uuids, oldest first. ValueError names a status that is none.
    ``force(uuid, status, reason=None) -> dict | None``
        puts a deployment into a state, kills its workflow, and returns it as the API shows it; None if there
        is no such deployment. ValueError names a status that is none.

Settings read from ``world.settings``: ``orchestrator_version`` (such as 2.1.1-FINAL, 2.9.0-SNAPSHOT or 4.0.1; the
behaviours of contract 1.1 follow it) and ``training`` (seconds a training takes at speed 1). Administrators
are the members of the group ``orchestrator-admins``; to begin with nobody is.

Behaviour on demand, by a word in any input, in the image or in a node's property: ``sandbox-fail``,
``sandbox-noprovider``, ``sandbox-stuck``, ``sandbox-refuse``, ``sandbox-noservice`` (completes, nothing
listens), ``sandbox-nodelete`` (deletion fails), ``sandbox-lostdelete`` (deletion never ends until it is
reset).
"""

from sandbox.orchestrator.api import routes
from sandbox.orchestrator.state import Orchestrator, part

__all__ = ["Orchestrator", "part", "routes"]
