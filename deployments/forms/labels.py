"""What inputs are called."""

import re

from catalog.tosca.description import Input

# Names that all public templates share, in people's words.
LABELS = {
    "deployment_description": "Description",
    "docker_image": "Image",
    "docker_privileged": "Privileged container",
    "jupyter_password": "JupyterLab password",
    "mem_size": "Memory",
    "num_cpus": "CPUs",
    "num_gpus": "GPUs",
    "rclone_conf": "Configuration file",
    "rclone_password": "Storage password",
    "rclone_url": "Storage address",
    "rclone_user": "Storage user",
    "rclone_vendor": "Storage vendor",
    "run_command": "Command",
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
        return LABELS[item.name]
    words = " ".join(_WORDS.get(word.lower(), word) for word in re.split(r"[_\-\s]+", item.name) if word)
    return words[:1].upper() + words[1:]
