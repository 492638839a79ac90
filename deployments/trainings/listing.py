"""Lists of trainings as an address describes them: search, filters and page, all on the server."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Prefetch, Q
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from catalog.models import Module
from deployments.trainings.arguments import as_sent
from deployments.trainings.charts import number
from deployments.trainings.models import Training, TrainingQuerySet
from deployments.trainings.results import shown
from deployments.trainings.states import UNDER_WAY, VIEWS

if TYPE_CHECKING:
    from accounts.models import User

PER_PAGE = 25
STATUSES = ("running", "done", "error", "cancelled", "lost")


@dataclass(frozen=True)
class TrainingQuery:
    """What the address asks for. Every combination is valid; what means nothing is ignored."""

    q: str = ""
    status: str = ""
    module: str = ""
    deployment: str = ""
    metric: str = ""
    sort: str = "-started"
    page: str = "1"

    @classmethod
    def of(cls, data: QueryDict) -> "TrainingQuery":
        status = data.get("status", "")
        return cls(
            q=data.get("q", "").strip()[:200],
            status=status if status in STATUSES else "",
            module=data.get("module", "")[:200],
            deployment=data.get("deployment", "")[:64],
            metric=data.get("metric", "")[:200],
            sort="started" if data.get("sort") == "started" else "-started",
            page=data.get("page", "1"),
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.status or self.module or self.deployment)

    def address(self, **changes: str) -> str:
        """The query string of this list, or of one that differs from it; defaults are left out."""
        wanted, plain = replace(self, **changes), TrainingQuery()
        return urlencode([(name, value) for name, value in vars(wanted).items()
                          if value and value != getattr(plain, name)])  # fmt: skip

    def narrow(self, runs: TrainingQuerySet) -> TrainingQuerySet:
        """The runs this asks for, in its order."""
        if self.status == "running":
            runs = runs.filter(status__in=UNDER_WAY)
        elif self.status:
            runs = runs.filter(status=self.status)
        if self.module:
            runs = runs.filter(module_slug=self.module)
        if self.deployment:
            runs = runs.filter(deployment__uuid=self.deployment)
        sign = "-" if self.sort.startswith("-") else ""
        return runs.search(self.q).order_by(f"{sign}started_at", f"{sign}pk")


@dataclass(frozen=True)
class RunRow:
    """One line of a list of trainings. ``metric`` is the value of the metric the list shows."""

    run: Training
    metric: str = ""
    picked: bool = False
    telling: tuple[str, ...] = ()

    @property
    def arguments(self) -> str:
        return in_short(self.run, self.telling)

    @property
    def message(self) -> str:
        first = self.run.shown_message.strip().splitlines()[-1:] or [""]
        return first[0] if len(first[0]) <= 160 else f"{first[0][:157]}…"


@dataclass(frozen=True)
class TrainingList:
    """A page of trainings."""

    query: TrainingQuery
    page: "Page[Training]"
    rows: list[RunRow]
    metric: str = ""

    @property
    def is_moving(self) -> bool:
        return any(row.run.is_under_way for row in self.rows)

    @property
    def page_links(self) -> list[tuple[str, str]]:
        """(number, address) around the current page, ("…", "") for those left out."""
        pages = self.page.paginator
        return [
            (str(place), "" if str(place) == str(Paginator.ELLIPSIS) else f"?{self.query.address(page=str(place))}")
            for place in pages.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)
        ]

    @property
    def previous(self) -> str:
        return f"?{self.query.address(page=str(self.page.previous_page_number()))}"

    @property
    def next(self) -> str:
        return f"?{self.query.address(page=str(self.page.next_page_number()))}"

    @property
    def number(self) -> str:
        return str(self.page.number)


def training_list(
    runs: TrainingQuerySet, query: TrainingQuery, *, metric: str = "", picked: frozenset[str] = frozenset()
) -> TrainingList:
    """The page of ``runs`` that ``query`` asks for."""
    titles = Prefetch("deployment__module", Module.objects.titled())
    page = Paginator(query.narrow(runs).for_list().prefetch_related(titles), PER_PAGE).get_page(query.page)
    telling = telling_arguments(list(page.object_list))
    rows = [
        RunRow(run, number(run.metrics[metric]) if metric in run.metrics else "", str(run.key) in picked, telling)
        for run in page.object_list
    ]
    return TrainingList(query, page, rows, metric)


def filters(user: "User", query: TrainingQuery) -> dict[str, list[tuple[str, str]]]:
    """The (value, label) pairs of the filters above the list of all runs of a user."""
    mine = Training.objects.visible_to(user).order_by()
    counts: dict[str, Any] = mine.aggregate(
        **{status: Count("pk", filter=Q(status__in=UNDER_WAY) if status == "running" else Q(status=status))
           for status in STATUSES}
    )  # fmt: skip
    pairs = set(mine.values_list("module_slug", "deployment__uuid", "deployment__title").distinct())
    modules = {slug for slug, uuid, title in pairs if slug} | ({query.module} - {""})
    deployments = {uuid: title or _("Deployment %(id)s") % {"id": uuid[:13]} for slug, uuid, title in pairs if uuid}
    return {
        "statuses": [(key, f"{VIEWS[key].label} ({counts[key]})") for key in STATUSES],
        "modules": list(Module.objects.titles_of(modules).items()),
        "deployments": sorted(deployments.items(), key=lambda item: item[1].lower()),
    }


def telling_arguments(runs: Sequence[Training]) -> tuple[str, ...]:
    """The names of the arguments in which the runs differ: what tells them apart."""
    values: dict[str, set[str]] = {}
    for run in runs:
        for name, value in run.arguments.items():
            values.setdefault(name, set()).add(as_sent(value))
    return tuple(name for name, different in values.items() if len(different) > 1)


def in_short(run: Training, telling: Collection[str] = (), *, limit: int = 4) -> str:
    """The arguments in a line, those that tell first: "epochs 30, batch_size 32 and 5 more"."""
    names = sorted(run.arguments, key=lambda name: name not in telling)
    parts = [f"{name} {_brief(run.arguments[name])}" for name in names if run.arguments[name] not in (None, "", [])]
    more = len(parts) - limit
    told = ", ".join(parts[:limit])
    return _("%(arguments)s and %(number)s more") % {"arguments": told, "number": more} if more > 0 else told


def _brief(value: Any) -> str:
    text = shown(value) if not isinstance(value, (list, dict)) else as_sent(value)
    return text if len(text) <= 24 else f"{text[:21]}…"
