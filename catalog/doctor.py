"""Can the catalogue be filled, and was it."""

from collections.abc import Iterator

from django.db import DatabaseError
from django.utils import timezone

from catalog.models import RefreshRun
from catalog.sources.fetch import fetch, github_session
from catalog.sources.folder import read_templates
from catalog.sources.modules import parse_modules
from catalog.sources.places import template_place
from deepdash.config import config
from deepdash.doctor import Finding, answering, certificate, examination, fail, failed_call, ok, warn
from deepdash.errors import Problem
from deepdash.http import ServiceError

OLD = 24  # hours; it is refreshed every hour


@examination
def sources() -> Iterator[Finding]:
    yield from _modules()
    yield from answering("Docker Hub", "DOCKERHUB_URL", config.DOCKERHUB_URL, verify=True,
                         path="/v2/", accept=(301, 302, 401, 403, 404))  # fmt: skip
    yield from _templates()
    if config.GITHUB_SECRET.get_secret_value():
        yield ok("Webhook", "GITHUB_SECRET is set: only signed deliveries count.")
    else:
        yield warn("Webhook", "GITHUB_SECRET is not set.", "Set the same random text there and in GitHub's webhooks.")


@examination
def freshness() -> Iterator[Finding]:
    try:
        last = RefreshRun.objects.last_finished()
    except DatabaseError:
        return  # it is away, or without tables yet, which its own examination says
    if last is None or last.finished is None:
        yield fail("Catalogue", "It was never filled.", "Run: python manage.py refresh_catalog")
        return
    hours = (timezone.now() - last.finished).total_seconds() / 3600
    if hours > OLD:
        yield warn("Catalogue", f"Last refreshed {hours:.0f} hours ago.", "See whether a worker and beat run.")
    else:
        yield ok("Catalogue", f"Last refreshed {hours:.1f} hours ago: {dict(last.counts)}.")


def _modules() -> Iterator[Finding]:
    if not config.MODULES_YML:
        return  # the configuration checks say so
    try:
        listed = parse_modules(fetch(github_session(), config.MODULES_YML).text or "")
    except ServiceError as error:
        yield failed_call("List of modules", "MODULES_YML", error)
    except Problem as problem:
        yield fail("List of modules", f"{problem.headline} {problem.detail[:200]}", "Check MODULES_YML.")
    else:
        yield ok("List of modules", f"{len(listed.modules)} modules.")
        yield from certificate("List of modules", config.MODULES_YML, True)


def _templates() -> Iterator[Finding]:
    place = template_place()
    if place is None:
        return  # as above
    if place.repository and not place.folder.is_dir():
        yield warn("Templates", f"{place.folder} is not cloned yet.", "Run: python manage.py refresh_catalog")
        return
    try:
        found = read_templates(place.folder)
    except Problem as problem:
        yield fail("Templates", f"{problem.headline} {problem.detail}", "Check TOSCA_TEMPLATES_DIR.")
        return
    names = {file.path for file in found if not file.error}
    missing = sorted(set(config.COMMON_TOSCAS.values()) - names)
    if not names:
        yield fail("Templates", f"There are none in {place.folder}.", "Check TOSCA_TEMPLATES_DIR.")
    elif missing:
        yield fail("Templates", f"COMMON_TOSCAS names {', '.join(missing)}, not to be found in {place.folder}.",
                   "Mend COMMON_TOSCAS, or the folder.")  # fmt: skip
    else:
        yield ok("Templates", f"{len(names)} in {place.folder}.")
