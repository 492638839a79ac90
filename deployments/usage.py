"""What a user has used: deployments over time, how many succeeded and how soon, hours by hardware."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from catalog.models import Module
from deployments.models import Deployment, StatusEvent
from deployments.states import COMPLETE, Status

if TYPE_CHECKING:
    from accounts.models import User

MONTHS = 12
Key = tuple[int, int]  # a month: its year and its number
# Bars are drawn in a box of these sizes.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 740, 200, 44, 728, 20, 164


def _written(value: float, decimals: int) -> str:
    """A number as the reader's language writes it, rounded; ``number_format`` alone cuts off."""
    return number_format(round(value, decimals), decimals, force_grouping=True)


@dataclass(frozen=True)
class Bar:
    """A bar of a chart, with its place; ``share`` is what is drawn darker at its foot."""

    label: str
    value: float
    share: float
    x: float
    y: float
    width: float
    height: float
    share_y: float
    share_height: float

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def above(self) -> float:
        return round(self.y - 6, 1)

    @property
    def month(self) -> str:
        return self.label.partition(" ")[0]

    @property
    def year(self) -> str:
        return self.label.partition(" ")[2]

    @property
    def brief(self) -> str:
        """As there is room for above a narrow bar."""
        if self.value < 1000:
            return self.shown
        return _written(self.value / 1000, 1 if self.value < 9950 else 0) + "k"

    @property
    def shown(self) -> str:
        if 0 < self.value < 0.1:
            return f"< {_written(0.1, 1)}"
        return _written(self.value, 0 if self.value >= 10 or self.value == int(self.value) else 1)


@dataclass(frozen=True)
class Month:
    """One month: how many were asked for, how many of them failed, hours with CPUs alone and with GPUs."""

    label: str
    asked: int = 0
    failed: int = 0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0

    @property
    def has_any(self) -> bool:
        return bool(self.asked or self.cpu_hours or self.gpu_hours)


@dataclass(frozen=True)
class Usage:
    """A user's usage. ``success`` is a share between 0 and 1 of those that came to an end, None when none did."""

    total: int = 0
    running: int = 0
    success: float | None = None
    ended: int = 0
    minutes_to_ready: int | None = None
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0
    months: list[Month] = field(default_factory=list)
    modules: list[tuple[str, int]] = field(default_factory=list)

    @property
    def percent(self) -> int | None:
        return None if self.success is None else round(self.success * 100)

    @property
    def asked_bars(self) -> list[Bar]:
        return bars([(month.label, month.asked, month.failed) for month in self.months])

    @property
    def hour_bars(self) -> list[Bar]:
        return bars([(month.label, month.cpu_hours + month.gpu_hours, month.gpu_hours) for month in self.months])


def usage_of(user: "User", *, now: datetime | None = None) -> Usage:
    """The usage of a user, from the database alone, in three statements however many deployments there are.

    Hours count from the first time a deployment was seen complete until it was gone, or now; for one made elsewhere
    that was complete when first met, from its creation.
    """
    now = now or timezone.now()
    rows: list[Any] = list(
        Deployment.objects.visible_to(user).order_by().values_list(
            "pk", "created_at", "gone_at", "status", "known_status", "ready_at", "num_gpus", "choices__hardware",
            "module_slug", "submission_key", named=True,
        )
    )  # fmt: skip
    completed, failed = _outcomes(user, rows)
    asked = Counter(_month(row.created_at) for row in rows)
    lost = Counter(_month(row.created_at) for row in rows if row.pk in failed)
    cpu, gpu = defaultdict[Key, float](float), defaultdict[Key, float](float)
    waits: list[float] = []
    for row in rows:
        begun = completed.get(row.pk)
        if begun is None:
            continue
        ready = row.ready_at or begun
        if row.submission_key and ready > row.created_at:  # of one made elsewhere we saw neither
            waits.append((ready - row.created_at).total_seconds() / 60)
        hours = gpu if row.num_gpus or row.choices__hardware == "gpu" else cpu
        for month, spent in _spread(begun, row.gone_at or now):
            hours[month] += spent
    used = Counter(row.module_slug for row in rows).most_common(10)
    titles = Module.objects.titles_of(slug for slug, _number in used if slug)
    ended = len(completed) + len(failed)
    return Usage(
        total=len(rows),
        running=sum(row.gone_at is None and row.status in COMPLETE for row in rows),
        success=len(completed) / ended if ended else None,
        ended=ended,
        minutes_to_ready=round(median(waits)) if waits else None,
        cpu_hours=sum(cpu.values()),
        gpu_hours=sum(gpu.values()),
        months=[Month(_label(key), asked[key], lost[key], cpu[key], gpu[key]) for key in _months(now)],
        modules=[(titles.get(slug, _("made elsewhere")), number) for slug, number in used],
    )


def _outcomes(user: "User", rows: Iterable[Any]) -> tuple[dict[int, datetime], set[int]]:
    """When each deployment was first seen complete, and which of them failed without ever being so."""
    completed: dict[int, datetime] = {}
    failed: set[int] = set()
    events = StatusEvent.objects.filter(deployment__owner=user, status__in=[*COMPLETE, Status.CREATE_FAILED])
    for pk, status, at in events.order_by("at", "pk").values_list("deployment", "status", "at"):
        if status == Status.CREATE_FAILED:
            failed.add(pk)
        else:
            completed.setdefault(pk, at)
    for row in rows:
        last = row.known_status or row.status
        if last in {*COMPLETE, Status.UPDATE_FAILED, Status.UPDATE_IN_PROGRESS}:
            completed.setdefault(row.pk, row.created_at)
        elif last == Status.CREATE_FAILED:
            failed.add(row.pk)
    return completed, failed - completed.keys()


def bars(rows: Iterable[tuple[str, float, float]]) -> list[Bar]:
    """Bars side by side for (label, value, share of it), scaled to the largest."""
    found = list(rows)
    most = max([value for _, value, _ in found], default=0) or 1
    step = (RIGHT - LEFT) / max(1, len(found))

    def high(value: float) -> float:
        return round(value / most * (BOTTOM - TOP), 1)

    return [
        Bar(
            label, value, share,
            x=round(LEFT + number * step + step * 0.15, 1), width=round(step * 0.7, 1),
            y=round(BOTTOM - high(value), 1), height=high(value),
            share_y=round(BOTTOM - high(share), 1), share_height=high(share),
        )
        for number, (label, value, share) in enumerate(found)
    ]  # fmt: skip


def _month(when: datetime) -> Key:
    local = timezone.localtime(when)
    return local.year, local.month


def _months(now: datetime) -> list[Key]:
    """The last MONTHS months, oldest first."""
    year, month = _month(now)
    numbers = [year * 12 + month - 1 - back for back in range(MONTHS)]
    return [(number // 12, number % 12 + 1) for number in reversed(numbers)]


def _label(month: Key) -> str:
    return formatted(date(*month, 1), _("M Y"))


def _spread(begun: datetime, ended: datetime) -> Iterable[tuple[Key, float]]:
    """The hours between two moments, by month."""
    at = timezone.localtime(begun)
    ended = timezone.localtime(ended)
    while at < ended:
        following = (at.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
        until = min(following, ended)
        # Through UTC: between two times of one zone Python counts as if clocks were never set forward and back.
        yield _month(at), (until.astimezone(UTC) - at.astimezone(UTC)).total_seconds() / 3600
        at = until
