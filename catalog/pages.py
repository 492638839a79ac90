"""What a module's page shows beyond the module's own columns."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from catalog.flavours import Flavour, best_tag, tag_flavour
from catalog.models import LockedChoice, Module, RefreshRun, TemplateChoice
from deepdash.config import config

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


@dataclass(frozen=True)
class TagRow:
    """One tag in the table."""

    name: str
    flavour: Flavour
    size: int | None
    pushed_at: datetime | None


@dataclass(frozen=True)
class Link:
    """A link to elsewhere; ``label`` is what the address says without scheme and host of the usual places."""

    title: str
    address: str
    label: str


@dataclass(frozen=True)
class ModulePage:
    """The parts of the page."""

    tags: tuple[TagRow, ...]
    links: tuple[Link, ...]
    templates: list[TemplateChoice]
    locked: list[LockedChoice]
    hardware: str
    tag: str
    checked_at: datetime | None  # when the sources were last asked


def module_page(module: Module, user: "User | AnonymousUser | None" = None) -> ModulePage:
    """Gather a module's page as ``user`` may see it (two statements)."""
    offer = module.offer(user)
    rows = tuple(_row(tag) for tag in module.tags)
    hardware = module.default_hardware or ("gpu" if module.flavours == ["gpu"] else "cpu")
    last_run = RefreshRun.objects.last_finished()
    return ModulePage(
        tags=rows,
        links=tuple(_links(module)),
        templates=offer.choices,
        locked=offer.locked,
        hardware=hardware,
        tag=best_tag([row.name for row in rows], hardware, module.default_tag),
        checked_at=last_run.finished if last_run else None,
    )


def _row(tag: dict[str, Any]) -> TagRow:
    pushed = tag.get("pushed_at")
    return TagRow(tag["name"], tag_flavour(tag["name"]), tag.get("size"), parse_datetime(pushed) if pushed else None)


def _links(module: Module) -> list[Link]:
    namespace, _, name = module.docker_image.rpartition("/")
    image = f"{config.DOCKERHUB_URL}/{f'r/{namespace}' if namespace else '_'}/{name}" if module.docker_image else ""
    found = [
        (gettext("Source"), module.code_url),
        (gettext("Image"), image),
        (gettext("Dockerfile"), module.dockerfile_url),
        (gettext("Dataset"), module.dataset_url),
        (gettext("Weights"), module.weights_url),
        (gettext("Training files"), module.training_files_url),
        (gettext("Citation"), module.cite_url),
        (gettext("Builds"), module.ci_url),
    ]
    return [
        Link(title, address, module.docker_image if address == image else _label(address))
        for title, address in found
        if address
    ]


def _label(address: str) -> str:
    parts = urlsplit(address)
    path = parts.path.strip("/")
    if parts.hostname == "github.com" and path:
        return path
    label = f"{(parts.hostname or '').removeprefix('www.')}{f'/{path}' if path else ''}"
    return label if len(label) <= 60 else f"{label[:45]}…{label[-12:]}"
