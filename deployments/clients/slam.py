"""SLAM, the SLA manager (contract 2): which providers a customer (organisation or group) has agreements with."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

from deepdash.config import config
from deployments.clients.base import ServiceClient, segment
from deployments.clients.shapes import Items, JavaDate, Number, Shape, Text, Whole

if TYPE_CHECKING:
    from accounts.models import User

_PATH = "/rest/slam"


class Restrictions(Shape):
    """How much of one thing, where the agreement says so. The service writes underscores, its manual hyphens."""

    instance_limit: Whole = None
    user_limit: Whole = None
    total_limit: Whole = None
    total_guaranteed: Whole = None

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, data: Any) -> Any:
        return {str(key).replace("-", "_"): value for key, value in data.items()} if isinstance(data, dict) else {}


class Target(Shape):
    """One thing that was agreed on."""

    type: Text = ""
    unit: Text = ""
    restrictions: Restrictions = Restrictions()


class SlaService(Shape):
    type: Text = ""
    service_id: Text = ""
    targets: Annotated[list[Target], Items] = []


class Sla(Shape):
    """An agreement. Dates that can't be parsed stay as their text alone."""

    id: Text
    customer: Text = ""
    provider: Text = ""
    start: JavaDate = Field(None, alias="start_date")
    end: JavaDate = Field(None, alias="end_date")
    start_text: Text = ""
    end_text: Text = ""
    services: Annotated[list[SlaService], Items] = []

    @model_validator(mode="before")
    @classmethod
    def _keep_texts(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return data | {"start_text": data.get("start_date"), "end_text": data.get("end_date")}
        return data

    def is_current(self, now: datetime) -> bool:
        """False only when its dates say so."""
        return (self.start is None or self.start <= now) and (self.end is None or now <= self.end)


class Priority(Shape):
    sla_id: Text = ""
    service_id: Text = ""
    weight: Number = None


class _Preference(Shape):
    service_type: Text = ""
    priority: Annotated[list[Priority], Items] = []


class _CustomerPreferences(Shape):
    preferences: Annotated[list[_Preference], Items] = []


class Preferences(Shape):
    """The answer of ``GET /preferences/{customer}``."""

    preferences: Annotated[list[_CustomerPreferences], Items] = []
    sla: Annotated[list[Sla], Items] = []

    def weight(self, sla_id: str) -> float:
        """How much the customer prefers an agreement for computing, 0 to 1; not told: 0."""
        return max(
            (
                item.weight or 0.0
                for customer in self.preferences
                for preference in customer.preferences
                if preference.service_type == "compute"
                for item in preference.priority
                if item.sla_id == sla_id
            ),
            default=0.0,
        )


class Slam(ServiceClient):
    """Calls in the name of ``user``. Raises ServiceError and LoginExpired."""

    name: ClassVar[str] = "SLAM"

    def __init__(self, user: "User", base_url: str) -> None:
        base_url = base_url.rstrip("/")
        if base_url and not base_url.endswith(_PATH):
            base_url += _PATH  # configured without it at some sites (contract 2)
        super().__init__(user, base_url, verify=config.SLAM_CERT or True)

    def preferences(self, customer: str) -> Preferences:
        """Agreements and their ranking. An unknown customer is answered with 500 (contract 2.1)."""
        return self.call("GET", f"/preferences/{segment(customer)}").parse(Preferences)
