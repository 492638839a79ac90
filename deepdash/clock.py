"""Times that were noted in the database, read with the suspicion that a clock was wrong when it was done.

Clocks of hosts differ a little, and are set right by leaps. What was noted by a clock that ran ahead lies in the
future; counted as it stands, it would hold up whatever waits for it to pass until then, be it for days.
"""

from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.expressions import Combinable
from django.utils import timezone

SKEW = timedelta(minutes=1)  # by how much the clocks of two hosts may differ


def within(noted: datetime | None, span: timedelta, now: datetime | None = None) -> bool:
    """True when the time is at most ``span`` ago. One in the future is not, unless clocks may differ so much."""
    return noted is not None and -SKEW <= (now or timezone.now()) - noted < span


def is_later(noted: datetime | None, than: datetime) -> bool:
    """True when the time comes after another one, and has not been noted by a clock that ran ahead."""
    return noted is not None and than < noted <= timezone.now() + SKEW


def passed(name: str, span: timedelta, now: datetime | Combinable) -> Q:
    """Rows whose time in the column ``name`` is not ``within`` a span: longer ago, never, or in the future."""
    return Q(**{name: None}) | Q(**{f"{name}__lt": now - span}) | Q(**{f"{name}__gt": now + SKEW})
