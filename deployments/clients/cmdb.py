"""CMDB, the configuration database (contract 3): what a provider's service is and can do."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from deepdash.config import config
from deployments.clients.base import ServiceClient, segment
from deployments.clients.shapes import Flag, Mapping, Shape, Text, Whole

if TYPE_CHECKING:
    from accounts.models import User


class CmdbProperties(Shape):
    """Facts of container sites."""

    gpu_support: Flag = None
    num_gpus: Whole = None
    num_cpus: Whole = None
    mem_total: Whole = Field(None, description="MB")
    gpu_vendor: Text = ""
    gpu_model: Text = ""


class CmdbService(Shape):
    """The ``data`` of a service document; every field may be missing."""

    service_type: Text = ""
    sitename: Text = ""
    provider_id: Text = ""
    endpoint: Text = ""
    hostname: Text = ""
    region: Text = ""
    iam_enabled: Flag = None
    properties: CmdbProperties = CmdbProperties()


class _Document(Shape):
    data: Mapping = {}


class Cmdb(ServiceClient):
    """Public reads; the token is sent along because some sites put a proxy in front. Never renews it: its calls run
    in threads, and a token refused here says nothing about the session."""

    name: ClassVar[str] = "CMDB"

    def __init__(self, user: "User", base_url: str) -> None:
        super().__init__(user, base_url, verify=config.CMDB_CERT or True, renews=False)

    def service(self, service_id: str) -> CmdbService:
        """One service. Raises ServiceError (``service:missing`` when there is none)."""
        answer = self.call("GET", f"/service/id/{segment(service_id)}")
        data = answer.parse(_Document).data
        if not isinstance(data.get("properties"), dict):
            data = {name: value for name, value in data.items() if name != "properties"}
        return CmdbService.model_validate(data)
