"""What pages ask of the deployments we know. Everything starts from ``visible_to``."""

import uuid as uuid_module
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from catalog.models import Module
from deployments.states import BOOT_TIME, COMPLETE, FAILED, HOLDING_NOTHING, MOVING, Status

if TYPE_CHECKING:
    from accounts.models import User
    from deployments.models import Deployment  # noqa: F401  (named in the base class below)

# Columns that can be long and that no list shows.
LONG_COLUMNS = ("template_text", "inputs", "secret_inputs", "secret_outputs", "note", "options", "provider_choice",
                "callback_secret")  # fmt: skip

# The value of ``sort`` in the address → column.
SORTS: dict[str, str] = {
    "created": "created_at",
    "title": "title_key",
    "status": "status",
    "module": "module_key",
    "provider": "provider_name",
}
DEFAULT_SORT = "-created"


def status_groups() -> dict[str, Q]:
    """The groups of states that lists filter by and count, of those that are alive."""
    starting = Q(
        status__in=COMPLETE, answers=False, answered_at__isnull=True, status_since__gt=timezone.now() - BOOT_TIME
    )
    silent = Q(status__in=COMPLETE, answers=False) & ~starting
    return {
        "attention": Q(status__in=[*FAILED, Status.UNCERTAIN]) | silent,
        "ready": Q(status__in=COMPLETE) & (Q(answers=True) | Q(answers__isnull=True)),
        "progress": Q(status__in=MOVING) | starting,
        "unknown": Q(status=Status.UNKNOWN),
    }


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    """Named reads of deployments."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The deployments ``user`` may see at all: the one owner check, which every read starts from."""
        return self.filter(owner=user.pk) if user.is_authenticated else self.none()

    def by_reference(self, reference: str) -> Self:
        """The one with this uuid, or, while the orchestrator has not named it yet, with this submission key."""
        return self.with_references([reference])

    def with_references(self, references: list[str]) -> Self:
        """Those with one of these uuids or submission keys, in one statement."""
        keys = []
        for reference in references:
            with suppress(ValueError):  # the orchestrator's need not look like ours
                keys.append(uuid_module.UUID(reference))
        named = [text for text in references if "\0" not in text]  # PostgreSQL refuses it in text
        return self.filter(Q(uuid__in=named) | Q(submission_key__in=keys))

    def for_list(self) -> Self:
        """Rows as lists show them: without the long columns, but with their modules' titles."""
        return self.defer(*LONG_COLUMNS).prefetch_related(models.Prefetch("module", Module.objects.titled()))

    def alive(self) -> Self:
        """Those that are, as far as we know, still there."""
        return self.filter(gone_at__isnull=True)

    def holding(self) -> Self:
        """Those that, as far as we know, hold processors and GPUs at a provider."""
        return self.alive().exclude(status__in=HOLDING_NOTHING)

    def gone(self) -> Self:
        return self.filter(gone_at__isnull=False)

    def in_motion(self) -> Self:
        """Those whose state will change by itself soon: worth looking again."""
        return self.alive().filter(status_groups()["progress"])

    def needing_attention(self) -> Self:
        """Those whose owner has something to decide."""
        return self.alive().filter(status_groups()["attention"])

    def running(self) -> Self:
        """Those that can be used, or will be in a moment."""
        return self.alive().filter(status__in=COMPLETE).exclude(status_groups()["attention"])

    def search(self, text: str) -> Self:
        """Those that have every word of ``text`` in title, description, module, image, provider or identifier."""
        found = self
        for word in text.split()[:8]:
            found = found.filter(
                Q(title__icontains=word)
                | Q(description__icontains=word)
                | Q(module_slug__icontains=word)
                | Q(module__sort_title__contains=word.casefold())
                | Q(docker_image__icontains=word)
                | Q(provider_name__icontains=word)
                | Q(uuid__startswith=word.lower())
            )
        return found

    def in_status_group(self, group: str) -> Self:
        """``attention``, ``ready``, ``progress``, ``unknown`` or ``gone``; anything else means all that are alive."""
        if group == "gone":
            return self.gone()
        wanted = status_groups().get(group)
        return self.alive().filter(wanted) if wanted else self.alive()

    def of_provider(self, name: str) -> Self:
        return self.filter(provider_name=name) if name else self

    def of_module(self, slug: str) -> Self:
        return self.filter(module_slug=slug) if slug else self

    def of_group(self, name: str) -> Self:
        return self.filter(user_group=name) if name else self

    def created_between(self, first: date | None, last: date | None) -> Self:
        """Those made on the days from ``first`` to ``last``, both included, in the reader's time zone.

        Compared as moments, not by the date within the column, so that the index on creation serves.
        """
        found = self
        if first:
            found = found.filter(created_at__gte=_midnight(first))
        if last:
            found = found.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        return found

    def sorted_by(self, sort: str) -> Self:
        """In the order of a ``sort`` parameter: a key of SORTS, with ``-`` for descending; unknown → newest first.

        The primary key at the end makes the order total, so that pages don't overlap.
        """
        key = sort.removeprefix("-")
        if key not in SORTS:
            sort, key = DEFAULT_SORT, DEFAULT_SORT.removeprefix("-")
        sign = "-" if sort.startswith("-") else ""
        shown = Lower(
            models.Case(models.When(~Q(title=""), then="title"), default="description", output_field=models.CharField())
        )
        module = Coalesce("module__sort_title", "module_slug")
        return self.annotate(title_key=shown, module_key=module).order_by(f"{sign}{SORTS[key]}", f"{sign}pk")


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
