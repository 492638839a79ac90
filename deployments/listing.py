"""The list of deployments as its address describes it: search, filters, order and page, all on the server."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deployments.adoption import repository
from deployments.counts import cpus_said, gpus_said
from deployments.models import Deployment, Notice, Training
from deployments.querysets import DEFAULT_SORT, SORTS, DeploymentQuerySet, status_groups
from deployments.reasons import site_name
from deployments.states import HOLDING_NOTHING
from deployments.status import StatusView, describe

if TYPE_CHECKING:
    from accounts.models import User

PER_PAGE = 25
COLUMNS = {
    "title": gettext_noop("Title"),
    "status": gettext_noop("Status"),
    "module": gettext_noop("Module"),
    "provider": gettext_noop("Provider"),
    "created": gettext_noop("Created"),
}
STATUS_LABELS = {
    "attention": gettext_noop("Needs attention"),
    "ready": gettext_noop("Ready"),
    "progress": gettext_noop("In progress"),
    "unknown": gettext_noop("Unknown"),
    "gone": gettext_noop("Deleted"),
}
_RUNS = {"deepaas": gettext_noop("DEEPaaS API"), "jupyterlab": "JupyterLab"}


@dataclass(frozen=True)
class ListQuery:
    """What the address asks for. Every combination is valid; what means nothing is ignored."""

    q: str = ""
    status: str = ""
    provider: str = ""
    module: str = ""
    group: str = ""
    created_from: str = ""
    created_to: str = ""
    sort: str = DEFAULT_SORT
    page: str = "1"

    @classmethod
    def of(cls, data: QueryDict) -> "ListQuery":
        def asked(name: str) -> str:
            return data.get(name, "").replace("\0", "").strip()[:200]  # PostgreSQL refuses NUL in text

        sort, status = asked("sort"), asked("status")
        return cls(
            q=asked("q"),
            status=status if status in STATUS_LABELS else "",
            provider=asked("provider"),
            module=asked("module"),
            group=asked("group"),
            created_from=_day(asked("created_from")),
            created_to=_day(asked("created_to")),
            sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
            page=asked("page") or "1",
        )

    @property
    def is_narrowed(self) -> bool:
        return replace(self, sort=DEFAULT_SORT, page="1") != ListQuery()

    @property
    def number(self) -> int:
        """The page asked for; there need not be one."""
        return int(self.page) if self.page.isascii() and self.page.isdigit() and len(self.page) < 6 else 1

    @property
    def first_day(self) -> date | None:
        """The day from which on those wanted were made."""
        return date.fromisoformat(self.created_from) if self.created_from else None

    @property
    def last_day(self) -> date | None:
        """The day, itself included, until which those wanted were made."""
        return date.fromisoformat(self.created_to) if self.created_to else None

    def address(self, **changes: str) -> str:
        """The query string of this list, or of one that differs from it; defaults are left out."""
        wanted, plain = replace(self, **changes), ListQuery()
        return urlencode(
            [(name, value) for name, value in vars(wanted).items() if value and value != getattr(plain, name)]
        )


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    deployment: Deployment
    view: StatusView
    training: Training | None = None  # the one that began last, where lists tell of it

    @property
    def run(self) -> str:
        run = _RUNS.get(self.deployment.run, "")
        return run and _(run)

    @property
    def tag(self) -> str:
        return str(self.deployment.choices.get("docker_tag", "")) or image_tag(self.deployment.docker_image)

    @property
    def image(self) -> str:
        """The image's own name, without registry, organisation and tag."""
        return repository(self.deployment.docker_image).rpartition("/")[2]

    @property
    def site(self) -> str:
        return site_name(self.deployment.provider_name)

    @property
    def size(self) -> str:
        """What it was made with: "4 CPUs, 1 GPU"."""
        cpus, gpus = self.deployment.num_cpus, self.deployment.num_gpus
        return ", ".join([*([cpus_said(cpus)] if cpus else []), *([gpus_said(gpus)] if gpus else [])])


@dataclass(frozen=True)
class Heading:
    """A column one can sort by. ``aria_sort`` is empty unless the list is sorted by it."""

    label: str
    address: str
    aria_sort: str


@dataclass(frozen=True)
class DeploymentList:
    """Everything a list page shows, from the database alone.

    ``total`` are all that are alive, whatever was asked for; ``providers``, ``modules`` and ``groups`` are those that
    one can choose from.
    """

    query: ListQuery
    page: "Page[Deployment]"
    rows: list[Row]
    counts: dict[str, int]
    total: int
    held_gpus: int
    held_cpus: int
    unread_notices: int
    providers: set[str]
    modules: dict[str, str]
    groups: set[str]

    @property
    def is_moving(self) -> bool:
        """Whether anything of the user's, on this page or another, is in motion."""
        return self.counts["progress"] > 0

    @property
    def headings(self) -> dict[str, Heading]:
        current, descending = self.query.sort.removeprefix("-"), self.query.sort.startswith("-")
        found = {}
        for key, label in COLUMNS.items():
            turned = f"-{key}" if (key == current and not descending) or (key != current and key == "created") else key
            order = ("descending" if descending else "ascending") if key == current else ""
            found[key] = Heading(_(label), self.query.address(sort=turned, page="1"), order)
        return found

    @property
    def page_links(self) -> list[tuple[str, str]]:
        """(number, address) around the current page, ("…", "") for those left out."""
        pages = self.page.paginator
        return [
            (str(number), "" if str(number) == str(Paginator.ELLIPSIS) else self._link(int(number)))
            for number in pages.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)
        ]

    @property
    def previous(self) -> str:
        return self._link(self.page.previous_page_number())

    @property
    def next(self) -> str:
        return self._link(self.page.next_page_number())

    @property
    def number(self) -> str:
        return str(self.page.number)

    @property
    def last_seen(self) -> datetime | None:
        """How old what this page shows is: when the orchestrator last told of the one seen longest ago."""
        return min((row.deployment.seen_at for row in self.rows if row.deployment.seen_at), default=None)

    def _link(self, number: int) -> str:
        return f"{reverse('deployments:list')}?{self.query.address(page=str(number))}"


def deployment_list(
    user: "User", query: ListQuery, *, unreachable: bool = False, shown: list[Deployment] | None = None
) -> DeploymentList:
    """The page of the list that ``query`` asks for, of what ``user`` may see, in three statements.

    ``shown``: what ``deployments_on_page`` read a moment ago, which is not read again unless it may differ now.
    """
    kinds = _kinds(user, query)
    sums: Counter[str] = Counter()
    for kind in kinds:
        sums.update({name: kind[name] or 0 for name in (*STATUS_LABELS, "found", "total", "gpus", "cpus")})
    paginator = Paginator(_found(user, query), PER_PAGE)
    paginator.count = sums["found"]  # known already, so not counted again
    page = paginator.get_page(query.page)
    if shown is not None and page.number == query.number and not query.status:
        page.object_list = shown
    else:
        page.object_list = list(page.object_list)
    on_page = page.object_list
    trainings = {run.deployment_id: run for run in Training.objects.visible_to(user).last_of_each(on_page).for_cell()}
    rows = [Row(it, describe(it, unreachable=unreachable), trainings.get(it.pk)) for it in on_page]
    return DeploymentList(
        query, page, rows,
        counts={key: sums[key] for key in STATUS_LABELS},
        total=sums["total"], held_gpus=sums["gpus"], held_cpus=sums["cpus"],
        unread_notices=max((kind["unread"] for kind in kinds), default=0),
        providers={kind["provider_name"] for kind in kinds},
        modules=_titles(kinds),
        groups={kind["user_group"] for kind in kinds},
    )  # fmt: skip


def deployments_on_page(user: "User", query: ListQuery) -> list[Deployment]:
    """The deployments on that page alone, in one statement; none when there is no such page."""
    number = max(query.number, 1)
    return list(_found(user, query)[(number - 1) * PER_PAGE : number * PER_PAGE])


def _found(user: "User", query: ListQuery) -> DeploymentQuerySet:
    return (
        Deployment.objects.visible_to(user)
        .in_status_group(query.status)
        .search(query.q)
        .of_provider(query.provider)
        .of_module(query.module)
        .of_group(query.group)
        .created_between(query.first_day, query.last_day)
        .sorted_by(query.sort)
        .for_list()
    )


def filters(found: DeploymentList) -> dict[str, list[tuple[str, str]]]:
    """The (value, label) pairs of the filters above the list; what is asked for is always among them."""
    query, counts = found.query, found.counts
    providers, modules, groups = (
        found.providers | {query.provider},
        {slug: title for slug, title in ({query.module: query.module} | found.modules).items() if slug},
        found.groups | {query.group},
    )
    return {
        "statuses": [(key, f"{_(label)} ({counts[key]})") for key, label in STATUS_LABELS.items()],
        "providers": [(name, site_name(name)) for name in sorted(providers - {""})],
        "modules": sorted(modules.items(), key=lambda choice: choice[1].casefold()),
        "groups": [(name, name) for name in sorted(groups - {""})],
    }


def image_tag(image: str) -> str:
    """The tag of an image: ``deephdc/deep-oc-demo_app:cpu`` → ``cpu``."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _day(text: str) -> str:
    """A day as date fields send it ("2026-11-23"), "" for anything else; far-off years no calendar can shift."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return ""
    return day.isoformat() if 1970 <= day.year <= 9000 else ""


def _titles(kinds: list[dict[str, Any]]) -> dict[str, str]:
    """What modules are called, by slug: by their title, also where some deployments are older than their module."""
    titled = sorted(kinds, key=lambda kind: bool(kind["module_title"] != kind["module_slug"]))
    return {kind["module_slug"]: kind["module_title"] for kind in titled}


def _kinds(user: "User", query: ListQuery) -> list[dict[str, Any]]:
    """All of the user's by provider, module and group: how many of each state, and how many are asked for.

    One statement for all that a page counts and offers. ``unread``, the notices of the bell, is the same in each.
    """
    alive = Q(gone_at__isnull=True)
    counts = {key: Count("pk", filter=alive & condition) for key, condition in status_groups().items()}
    held = alive & ~Q(status__in=HOLDING_NOTHING)
    wanted = Q(pk__in=_found(user, query).order_by().values("pk")) if query.is_narrowed else alive
    unread = Notice.objects.of(user).unread().order_by().values("user").annotate(n=Count("pk")).values("n")
    title = Coalesce(NullIf("module__title_override", Value("")), NullIf("module__title", Value("")), "module_slug")
    mine = (
        Deployment.objects.visible_to(user)
        .order_by()
        .values("provider_name", "module_slug", "user_group", module_title=title)
    )
    kinds: Any = mine.annotate(
        **counts,
        gone=Count("pk", filter=~alive),
        total=Count("pk", filter=alive),
        found=Count("pk", filter=wanted),
        gpus=Sum("num_gpus", filter=held),
        cpus=Sum("num_cpus", filter=held),
        unread=Coalesce(Max(Subquery(unread)), 0),
    )
    return list(kinds)
