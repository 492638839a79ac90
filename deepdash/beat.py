"""The scheduler of ``celery beat``, made to bear a clock that is set back."""

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler

from deepdash.clock import SKEW

_LONG_AGO = timedelta(days=2)  # longer than any interval of CELERY_BEAT_SCHEDULE


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc]  # celery is untyped
    """Celery's own compares with the last run alone: one in the future, and nothing is sent until it has passed.

    That comes from a clock that ran ahead, also before a restart, as the times of the last runs are kept in a file.
    """

    max_interval = 30  # seconds after which the clock is looked at, whatever is due

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due; what was last sent in the future is. Returns the seconds until the next call."""
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > now + SKEW]
        for entry in ahead:
            entry.last_run_at = now - _LONG_AGO
        if ahead:
            self._heap = None  # it is in the order of the old times
        seconds: float = super().tick(*args, **kwargs)
        return seconds
