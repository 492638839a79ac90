"""What can go wrong with the catalogue, added to the registry of messages, and its form in the database."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deepdash.errors import MESSAGES, Message, Problem, Tone

MESSAGES.update(
    {
        "catalog:malformed": Message(
            _("{what} can’t be read as its source has it."),
            _("The last good version is shown. Whoever maintains it has to fix it there."),
            Tone.WARN,
        ),
        "catalog:never-read": Message(
            _("{what} can’t be read as its source has it."), _("Whoever maintains it has to fix it there."), Tone.WARN
        ),
        "catalog:no-metadata": Message(
            _("This module has no metadata.json."),
            _("Its repository may have moved or changed its format; tell its maintainers."),
            Tone.WARN,
        ),
        "catalog:no-template": Message(
            _("The template {file} can’t be found."),
            _("Another template of this module is used instead."),
            Tone.WARN,
        ),
        "catalog:bad-template": Message(
            _("The template {file} can’t be read."), _("Another template of this module is used instead."), Tone.WARN
        ),
        "catalog:no-image": Message(
            _("This module names no Docker image."), _("It can’t be deployed until its metadata names one."), Tone.WARN
        ),
        "catalog:bad-picture": Message(
            _("This picture can’t be shown."), _("A placeholder is shown instead."), Tone.WARN
        ),
        "catalog:source": Message(
            _("{what} can’t be read."),
            _("What was read before stays in use. The operator has to look at the configuration."),
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


def noted(problem: Problem, before: dict[str, Any]) -> dict[str, Any]:
    """As ``stored``, with since when. ``before`` is what the column holds: trouble that goes on keeps its beginning,
    also when it is another one by now, and one whose beginning was never stored gets none."""
    began = before.get("since") if before else timezone.now().isoformat(timespec="seconds")
    return stored(problem) | ({"since": began} if began else {})


def since(column: dict[str, Any]) -> datetime | None:
    """When the trouble that a column holds began, as far as it is known."""
    return datetime.fromisoformat(column["since"]) if column.get("since") else None


def restored(column: dict[str, Any]) -> Problem | None:
    """The problem a column holds, or None when it is empty or of an id that no longer exists."""
    if not column or column.get("id") not in MESSAGES:
        return None
    return Problem(column["id"], detail=column.get("detail", ""), **column.get("facts", {}))
