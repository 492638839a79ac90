"""What the clients of the PaaS services have in common: the user's token, and one renewal of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from accounts.tokens import LoginExpired, access_token_for, token_refresh_now
from deepdash.http import Answer, ServiceSession, Unauthorized

if TYPE_CHECKING:
    from accounts.models import User


class ServiceClient:
    """Calls to one service in the name of one user.

    The token is fetched when the client is made, so that the calls themselves may run side by side in threads
    without touching the database. A 401 means that nothing was done: the token is renewed once and the call repeated,
    writes included; a second 401 raises LoginExpired. ``renews=False`` leaves that out, for clients used in threads.
    """

    name: ClassVar[str]

    def __init__(
        self, user: "User | None", base_url: str, *, verify: bool | str = True, renews: bool = True, **limits: Any
    ) -> None:
        self._user, self._renews = user, renews and user is not None
        self._token = access_token_for(user) if user is not None else ""
        self._session = ServiceSession(self.name, base_url, verify=verify, **limits)

    def authorization(self, token: str) -> str:
        """The value of the Authorization header."""
        return f"Bearer {token}"

    def call(
        self,
        method: str,
        path: str,
        *,
        session: ServiceSession | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        """One call with the user's token, over ``session`` if it needs other limits than the client's own.

        Raises LoginExpired, or the ServiceError that ``ServiceSession.request`` raises.
        """

        def send() -> Answer:
            authorization = {"Authorization": self.authorization(self._token)} if self._token else {}
            used = session or self._session
            return used.request(method, path, headers={**(headers or {}), **authorization}, **options)

        try:
            return send()
        except Unauthorized:
            if not self._renews or self._user is None:
                raise
        self.renew()
        try:
            return send()
        except Unauthorized as error:
            raise LoginExpired(detail=error.detail) from None

    def renew(self) -> None:
        """Another token for all further calls, the first time only. Raises LoginExpired, or IAM's ServiceError."""
        if self._renews and self._user is not None:
            self._renews = False
            self._token = token_refresh_now(self._user, rejected=self._token)


def segment(text: str) -> str:
    """One segment of a path, whatever it holds: an identifier from an address must not lead to another call."""
    if text in {"", ".", ".."}:
        raise ValueError("not a path segment")
    return quote(text, safe="")
