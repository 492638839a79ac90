"""What inputs are called."""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.tosca.description import Input

# Names that all public templates share, in people's words.
LABELS = {
    "deployment_description": gettext_noop("Description"),
    "docker_image": gettext_noop("Image"),
    "docker_privileged": gettext_noop("Privileged container"),
    "jupyter_password": gettext_noop("JupyterLab password"),
    "mem_size": gettext_noop("Memory"),
    "num_cpus": gettext_noop("CPUs"),
    "num_gpus": gettext_noop("GPUs"),
    "rclone_conf": gettext_noop("Configuration file"),
    "rclone_password": gettext_noop("Storage password"),
    "rclone_url": gettext_noop("Storage address"),
    "rclone_user": gettext_noop("Storage user"),
    "rclone_vendor": gettext_noop("Storage vendor"),
    "run_command": gettext_noop("Command"),
}
_WORDS = {
    "gpu": "GPU",
    "gpus": "GPUs",
    "cpu": "CPU",
    "cpus": "CPUs",
    "url": "URL",
    "ip": "IP",
    "id": "ID",
    "ssh": "SSH",
    "os": "OS",
}


def label_for(item: Input) -> str:
    """The label: from the parameters file, our own for the common names, else the name in words."""
    if item.label:
        return item.label
    if item.name in LABELS:
        return _(LABELS[item.name])
    words = " ".join(_WORDS.get(word.lower(), word) for word in re.split(r"[_\-\s]+", item.name) if word)
    return words[:1].upper() + words[1:]
