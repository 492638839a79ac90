"""Infrastructure Manager (contract 4): logs of virtual machines at orchestrators that have no ``/log``."""

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_noop

from deepdash.config import config
from deepdash.http import ServiceError
from deployments.clients.base import ServiceClient, segment

if TYPE_CHECKING:
    from accounts.models import User


_REFUSED = "Invalid InfrastructureManager credentials"


class Im(ServiceClient):
    name: ClassVar[str] = gettext_noop("The Infrastructure Manager")

    def __init__(self, user: "User", base_url: str) -> None:
        super().__init__(user, base_url, verify=config.IM_CERT or True)

    def authorization(self, token: str) -> str:
        """Its own syntax (contract 4.1)."""
        return f"id = im; type = InfrastructureManager; token = {token};"

    def contextualization_log(self, infrastructure: str) -> str:
        """What setting up the machines printed. Not an infrastructure of IM: ServiceError ``service:missing``."""
        path = f"/infrastructures/{segment(infrastructure)}/contmsg"

        def ask() -> str:
            return self.call("GET", path, headers={"Accept": "text/plain"}).text

        try:
            return ask()
        except ServiceError as error:
            # A token that it does not accept is answered with 400 here, not 401 (contract 4.2).
            if error.http_status != 400 or _REFUSED not in error.detail:
                raise
        self.renew()
        return ask()
