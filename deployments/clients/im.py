"""Infrastructure Manager (contract 4): logs of virtual machines at orchestrators that have no ``/log``."""

from typing import TYPE_CHECKING, ClassVar

from deepdash.config import config
from deployments.clients.base import ServiceClient, segment

if TYPE_CHECKING:
    from accounts.models import User


class Im(ServiceClient):
    name: ClassVar[str] = "The Infrastructure Manager"

    def __init__(self, user: "User", base_url: str) -> None:
        super().__init__(user, base_url, verify=config.IM_CERT or True)

    def authorization(self, token: str) -> str:
        """Its own syntax (contract 4.1)."""
        return f"id = im; type = InfrastructureManager; token = {token};"

    def contextualization_log(self, infrastructure: str) -> str:
        """What setting up the machines printed. Not an infrastructure of IM: ServiceError ``service:missing``."""
        path = f"/infrastructures/{segment(infrastructure)}/contmsg"
        return self.call("GET", path, headers={"Accept": "text/plain"}).text
