"""Every address of the site, made from its URL configuration: a new page is walked without anybody adding it.

What is no page that people open is listed here with what it is instead; ``test_addresses`` sees that the lists are
true. Everything else is a page, and what must hold for all pages (accessible, few statements, calm when services
are in trouble, no outside call twice) is tested for each of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

UUID = "11ed8ab3-6a40-968a-82b7-62f0862dbe46"
RUN = "5f0c35a2-7a3d-4c57-9c53-0f9c3f1fd9a5"
SAMPLES: dict[str, Any] = {"uuid": UUID, "key": RUN, "id": UUID, "slug": "alpine-flora"}

# Whoever asks, signed in or not.
PUBLIC = frozenset({
    "catalog:home", "catalog:module", "catalog:metadata", "catalog:picture", "catalog:reload", "healthz", "readyz",
    "metrics", "accounts:login", "accounts:iam", "accounts:callback", "accounts:denied", "accounts:logged_out",
    "accounts:logout", "accounts:language", "deployments:callback",
})  # fmt: skip
# They take a POST and nothing else.
POSTED = frozenset({
    "accounts:logout", "accounts:group", "accounts:language", "catalog:reload",
    "deployments:lock", "deployments:reset", "deployments:node",
    "deployments:notice", "deployments:notices_read", "deployments:callback", "deployments:storage_test",
    "deployments:batch_stop", "deployments:run_again", "deployments:training_sets",
})  # fmt: skip
# Parts of pages, which scripts ask for.
PARTS = frozenset({
    "deployments:rows", "deployments:live", "deployments:module_strip",
    "deployments:training_live", "deployments:configure_providers", "deployments:again_providers",
    "deployments:preflight_providers", "deployments:preflight_storage",
})  # fmt: skip
FILES = frozenset({
    "catalog:metadata", "catalog:picture", "deployments:runs_export", "deployments:run_record",
    "deployments:run_result",
})  # fmt: skip
# They lead elsewhere. A deployment of a module is made again in that module's form; nobody is denied without cause.
MOVED = frozenset({
    "accounts:iam", "accounts:callback", "accounts:denied", "deployments:again", "template/<ref:uuid>", "log/<str:id>",
})  # fmt: skip
MACHINES = frozenset({"healthz", "readyz", "metrics"})
STAFF = frozenset({"deployments:health", "design"})


def patterns(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    """(name, route, pattern) of every address, the admin's left out; those without a name go by their route."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from patterns(entry, route, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name}" if entry.name else route, route, entry


def addresses(samples: Mapping[str, Any] = SAMPLES) -> dict[str, str]:
    """Each name's address. ``samples`` hold values by argument, and by ``name argument`` where one name needs its own;
    a number is 1 unless told."""
    found = {}
    for name, route, entry in patterns(get_resolver()):
        address = route
        for argument in entry.pattern.converters:
            kind = next(part for part in route.split("<") if part.split(">")[0].split(":")[-1] == argument)
            value = samples.get(f"{name} {argument}", samples.get(argument, "1"))
            address = address.replace(f"<{kind.split('>')[0]}>", str(value))
        found[name] = f"/{address}"
    return found


ALL = addresses()
PAGES = frozenset(ALL) - POSTED - PARTS - FILES - MOVED - MACHINES
READ = PAGES | PARTS  # what is asked for over and over while people work
