"""Where on the form an input belongs, so that a hundred templates look like one form."""

import re

from django.utils.translation import gettext_noop

from catalog.tosca.description import Input, TemplateDescription
from deployments.choices import IMAGES

GENERAL, HARDWARE, STORAGE, SERVICE, ADVANCED = (
    gettext_noop("General"),
    gettext_noop("Hardware"),
    gettext_noop("Storage"),
    gettext_noop("Service"),
    gettext_noop("Advanced"),
)
SETTINGS = gettext_noop("Settings")  # what a template asks for that no rule knows
ORDER = (GENERAL, HARDWARE, STORAGE, SERVICE, SETTINGS, ADVANCED)
_RULES = (
    (GENERAL, r"deployment_description|description|display_name"),
    (HARDWARE, r"(?:.*_)?(?:num_)?(?:cpus?|gpus?|mem(?:_size|ory)?|disk(?:_size)?|wn_num|nodes?|replicas)(?:_.*)?"),
    (STORAGE, r"(?:rclone|onedata|oneclient|webdav|nextcloud|s3|storage|volume|dataset)(?:_.*)?|app_in_out_base_dir"),
    (SERVICE, r"(?:jupyter|deepaas|flaat|monitor|tensorboard)(?:_.*)?|run_command"),
    (ADVANCED, r"docker_(?:privileged|image)|dockerhub_img"),
)


def section_of(item: Input, *, image_is_typed: bool = False) -> str:
    """The heading an input stands under.

    A tab of the parameters file wins. ``image_is_typed``: nothing fills the image in, so it belongs to the front.
    """
    if item.tab:
        return item.tab
    if item.name in IMAGES and image_is_typed:
        return GENERAL
    for section, names in _RULES:
        if re.fullmatch(names, item.name):
            return section
    return GENERAL if item.required and not item.has_default else SETTINGS


def in_order(sections: list[str], description: TemplateDescription) -> list[str]:
    """Sections in their order on the page: ours first, tabs of the parameters file as it lists them, Advanced last."""
    tabs = [tab for tab in description.tabs if tab not in ORDER]
    wanted = [*ORDER[:-1], *tabs]
    others = [section for section in sections if section not in wanted and section != ADVANCED]
    return [section for section in dict.fromkeys([*wanted, *others, ADVANCED]) if section in sections]
