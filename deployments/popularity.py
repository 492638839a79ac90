"""How often each module was deployed here, for sorting the catalogue by it."""

from django.db.models import Count

from catalog.models import Module
from deployments.models import Deployment


def modules_count_uses() -> None:
    """Bring ``Module.times_used`` up to date; only rows that changed are written."""
    counted = Deployment.objects.filter(module__isnull=False, submission_key__isnull=False).order_by()
    uses = dict(counted.values_list("module").annotate(Count("pk")))
    before = dict(Module.objects.values_list("pk", "times_used"))
    for module in Module.objects.filter(pk__in=[pk for pk in before if before[pk] != uses.get(pk, 0)]):
        module.times_used = uses.get(module.pk, 0)
        module.save(update_fields=["times_used"])
