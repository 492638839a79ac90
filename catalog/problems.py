"""What can go wrong with the catalogue, added to the registry of messages, and its form in the database."""

from typing import Any

from deepdash.errors import MESSAGES, Message, Problem, Tone

MESSAGES.update(
    {
        "catalog:malformed": Message(
            "{what} can't be read as it is upstream.",
            "The last good version is shown. Whoever maintains it has to mend it there.",
            Tone.WARN,
        ),
        "catalog:no-metadata": Message(
            "This module has no metadata.json.",
            "Its repository may have moved or changed its format; tell its maintainers.",
            Tone.WARN,
        ),
        "catalog:no-template": Message(
            "The template {file} is not to be found.",
            "Another template of this module is used instead.",
            Tone.WARN,
        ),
        "catalog:bad-template": Message(
            "The template {file} can't be read.", "Another template of this module is used instead.", Tone.WARN
        ),
        "catalog:no-image": Message(
            "This module names no Docker image.", "It can't be deployed before its metadata does.", Tone.WARN
        ),
        "catalog:bad-picture": Message(
            "This picture can't be shown.", "A drawing of ours stands in its place.", Tone.WARN
        ),
        "catalog:source": Message(
            "{what} can't be read.",
            "What was read before stays in use. The operator has to look at the configuration.",
            Tone.WARN,
        ),
    }
)


def stored(problem: Problem) -> dict[str, Any]:
    """A problem as JSON for a model's column; ``restored`` is the way back. Detail is cut to what a page can show."""
    return {
        "id": problem.id,
        "detail": problem.detail[:2000].replace("\0", "�"),  # PostgreSQL refuses NUL in text
        "facts": {name: str(value) for name, value in problem.facts.items()},
    }


def restored(column: dict[str, Any]) -> Problem | None:
    """The problem a column holds, or None when it is empty or of an id that no longer exists."""
    if not column or column.get("id") not in MESSAGES:
        return None
    return Problem(column["id"], detail=column.get("detail", ""), **column.get("facts", {}))
