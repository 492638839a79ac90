"""Monitoring wrapper (contract 5): how a provider's service did in its last checks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext_noop
from pydantic import Field

from deepdash.config import config
from deployments.clients.base import ServiceClient, segment
from deployments.clients.shapes import Number, Shape, Text

if TYPE_CHECKING:
    from accounts.models import User

_GROUPS = "/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups"


class Metric(Shape):
    """One measurement; ``value`` is None when there is none (the wrapper writes -1)."""

    name: Text = Field("", alias="metricName")
    raw_value: Number = Field(None, alias="metricValue")
    time: Text = Field("", alias="metricTime")
    unit: Text = Field("", alias="metricUnit")

    @property
    def value(self) -> float | None:
        return None if self.raw_value == -1 else self.raw_value


class Monitoring(ServiceClient):
    name: ClassVar[str] = gettext_noop("Monitoring")

    def __init__(self, user: "User", base_url: str) -> None:
        super().__init__(user, base_url, verify=config.MONITORING_CERT or True)

    def metrics(self, sitename: str, service_id: str) -> tuple[Metric, ...]:
        """All metrics of a service at a site; empty when nothing was measured."""
        data = self.call("GET", f"{_GROUPS}/{segment(sitename)}/hosts/{segment(service_id)}").json()
        result = data.get("result") if isinstance(data, dict) else None
        services = _below(_below([result], "groups"), "paasMachines")
        return tuple(Metric.model_validate(metric) for metric in _below(_below(services, "services"), "paasMetrics"))


def _below(items: Any, key: str) -> Iterator[dict[str, Any]]:
    """All mappings in the lists at ``key``; any level may be empty or missing (contract 5)."""
    for item in items:
        found = item.get(key) if isinstance(item, dict) else None
        yield from (entry for entry in found or [] if isinstance(entry, dict)) if isinstance(found, list) else ()
