"""Which upstream deployments belong to which of our records, when the answer to a submission was lost."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta

from catalog.models import Module
from deepdash.http import ServiceError
from deployments.clients.orchestrator import UpstreamDeployment
from deployments.models import Deployment

# The orchestrator's times have no seconds, and its clock need not be ours (contract 1.7).
BEFORE, AFTER = timedelta(minutes=2), timedelta(minutes=5)
MAX_TEMPLATES_READ = 5


def could_be(pending: Deployment, upstream: UpstreamDeployment) -> bool:
    """Whether, by its time, an upstream deployment may be the one we sent and heard nothing of."""
    made = upstream.created_at
    return made is None or pending.recorded_at - BEFORE <= made <= pending.recorded_at + AFTER


def matches(
    pending: Sequence[Deployment],
    unknown: Sequence[UpstreamDeployment],
    template_of: Callable[[str], str] | None = None,
) -> list[tuple[Deployment, UpstreamDeployment]]:
    """Pairs of a record without identifier and the upstream deployment it became.

    The callback address, which holds the record's own secret, is proof. Else time and the text of the template have
    to agree; ``template_of`` reads that text, for a few candidates only, and may raise ServiceError. Without it only
    proof counts.
    """
    left, pairs = list(unknown), []
    for record in pending:
        found = next((item for item in left if record.callback_secret in item.callback), None)
        if found is None and template_of is not None:
            candidates = [item for item in left if not item.callback and could_be(record, item)][:MAX_TEMPLATES_READ]
            found = next((item for item in candidates if _same_template(record, item, template_of)), None)
        if found is not None:
            left.remove(found)
            pairs.append((record, found))
    return pairs


def _same_template(record: Deployment, item: UpstreamDeployment, template_of: Callable[[str], str]) -> bool:
    try:
        return template_of(item.uuid).split() == record.template_text.split() != []
    except ServiceError:
        return False  # it can be tried again at the next look


def adoptable(
    unknown: Iterable[UpstreamDeployment], *, taken: Collection[str | None], sending_since: datetime | None
) -> list[UpstreamDeployment]:
    """Those of the unknown ones that get a record of their own.

    Left out are what is another user's record already (``taken``), and what may be the result of a submission that is
    still on its way (``sending_since``: when the oldest such began): its own request will name it.
    """
    return [
        item
        for item in unknown
        if item.uuid not in taken
        and (sending_since is None or (item.created_at is not None and item.created_at < sending_since - BEFORE))
    ]


def modules_link(deployments: Iterable[Deployment]) -> None:
    """Name the module of deployments made elsewhere, by the image they run (not saved here)."""
    nameless: dict[str, list[Deployment]] = {}
    for deployment in deployments:
        if not deployment.module_slug and deployment.docker_image:
            nameless.setdefault(repository(deployment.docker_image), []).append(deployment)
    if not nameless:
        return
    for module in Module.objects.filter(docker_image__in=nameless).only("slug", "docker_image"):
        for deployment in nameless[module.docker_image]:
            deployment.module, deployment.module_slug = module, module.slug


def repository(image: str) -> str:
    """An image without its tag or digest: ``deephdc/deep-oc-demo_app:cpu`` → ``deephdc/deep-oc-demo_app``."""
    name = image.partition("@")[0].removeprefix("docker.io/")
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}".lstrip("/")
