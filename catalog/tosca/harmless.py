"""Data of a template made harmless to look at. Apart from the loader, which runs without any of our settings."""

from typing import Any

from deepdash.inert import inert

MAX_LABEL, MAX_HELP = 200, 2000  # characters; the longest public ones have 60 and 400


def harmless(value: Any) -> Any:
    """The value (of ``loader.plain``) with every text inert, names included.

    Defaults and choices too: what is sent is then what was seen in the form, and nothing that hides in it.
    """
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict):
        return {inert(name): harmless(item) for name, item in value.items()}
    return [harmless(item) for item in value] if isinstance(value, list) else value


def words(text: str, most: int = MAX_LABEL) -> str:
    """Text for a label: on one line, cut where it is too long to be read anyway."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
