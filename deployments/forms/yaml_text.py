"""YAML for people: block style, keys in their order."""

from typing import Any

import yaml


def yaml_text(value: Any) -> str:
    """The value as YAML text; nothing for None."""
    if value is None or value == "":
        return ""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)
