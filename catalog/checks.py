"""What can be wrong with the catalogue's configuration, said at start (``manage.py check``)."""

import re
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Warning, register

from catalog.sources.places import below_base, metadata_folder, parameters_folder, template_place
from deepdash.config import config

_REPOSITORY = re.compile(r"[\w.-]+/(?:[\w.-]+|\*)(?:@[^\s@]+)?")


@register("catalog")
def catalogue_sources(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The catalogue can be filled from what is configured."""
    found: list[CheckMessage] = []
    if not config.MODULES_YML:
        found.append(
            Warning(
                "MODULES_YML is not set, so the catalogue stays without modules.",
                hint="Set it to the address of the list, such as "
                "https://raw.githubusercontent.com/deephdc/deep-oc/master/MODULES.yml",
                id="catalog.W001",
            )
        )
    place = template_place()
    if place is None:
        found.append(
            Warning(
                "Neither TOSCA_TEMPLATES_DIR nor TOSCA_TEMPLATES_REPO is set, so nothing can be deployed.",
                hint="Set TOSCA_TEMPLATES_REPO to their git repository, or TOSCA_TEMPLATES_DIR to a folder.",
                id="catalog.W002",
            )
        )
    elif not place.repository and not place.folder.is_dir():
        found.append(
            Warning(
                f"TOSCA_TEMPLATES_DIR: there is no folder {place.folder}.",
                hint="Mend the path, or set TOSCA_TEMPLATES_REPO so that it is cloned there.",
                id="catalog.W003",
            )
        )
    beside = {"TOSCA_PARAMETERS_DIR": parameters_folder(), "TOSCA_METADATA_DIR": metadata_folder()}
    found += [
        Warning(f"{key}: there is no folder {path}.", hint="Mend the path or leave it empty.", id="catalog.W004")
        for key, path in beside.items()
        if path and not path.is_dir() and not (place and place.repository)
    ]
    if not config.COMMON_TOSCAS:
        found.append(
            Warning(
                "COMMON_TOSCAS is empty, so modules can only be deployed with templates of their own.",
                hint='Set it to titles and files, such as {"default": "deep-oc-marathon-webdav.yml"}.',
                id="catalog.W005",
            )
        )
    found += [_missing_type(url, below_base(place)) for url, place in config.TOSCA_TYPES.items()
              if not place.startswith(("http://", "https://")) and not below_base(place).is_file()]  # fmt: skip
    return found


@register("catalog")
def webhook(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Nobody but GitHub can ask for a refresh through the webhook."""
    found: list[CheckMessage] = []
    secret = config.GITHUB_SECRET.get_secret_value()
    if config.WEBHOOK_ALLOW_UNSIGNED:
        found.append(
            Warning(
                "WEBHOOK_ALLOW_UNSIGNED has no effect, since GITHUB_SECRET is set."
                if secret
                else "Anybody can make the catalogue refresh: WEBHOOK_ALLOW_UNSIGNED is set.",
                hint="Take it away." if secret else "Set GITHUB_SECRET, here and at GitHub, and take it away.",
                id="catalog.W007",
            )
        )
    if secret and config.WEBHOOK_ALLOW_SHA1:
        found.append(
            Warning(
                "WEBHOOK_ALLOW_SHA1 takes signatures of a weak kind.",
                hint="GitHub sends SHA-256 as well; needed only for a forge that does not.",
                id="catalog.W008",
            )
        )
    odd = [entry for entry in config.WEBHOOK_REPOSITORIES if not _REPOSITORY.fullmatch(entry)]
    if odd:
        found.append(
            Warning(
                f"WEBHOOK_REPOSITORIES holds what names no repository: {', '.join(odd)}.",
                hint="Write owner/name, or owner/* for all of an owner, with @branch behind it if need be.",
                id="catalog.W009",
            )
        )
    return found


def _missing_type(url: str, path: Path) -> CheckMessage:
    return Warning(f"TOSCA_TYPES: there is no file {path} for {url}.", hint="Mend the path.", id="catalog.W006")
