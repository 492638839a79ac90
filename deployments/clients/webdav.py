"""WebDAV servers of users (RFC 4918). Their addresses come from outside: calls are guarded, like those of DEEPaaS."""

from base64 import b64encode

from django.utils.translation import gettext_noop

from deepdash.guard import GuardedAdapter
from deepdash.http import ServiceError, ServiceSession
from deployments.clients.deepaas import allowed_networks

NAME = gettext_noop("The storage")
TIMEOUT = 6.0  # seconds
MAX_BYTES = 256 * 1024
_QUESTION = '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'


def sign_in(url: str, user: str, password: str) -> None:
    """Ask for the folder at an address as its user: returns when that is answered as WebDAV does, 207.

    Raises ServiceError otherwise; a refused sign-in has ``http_status`` 401. No redirect is followed, lest the
    password go elsewhere.
    """
    session = ServiceSession(
        NAME, url, read_timeout=TIMEOUT, total_timeout=TIMEOUT, max_bytes=MAX_BYTES,
        adapter=GuardedAdapter(NAME, allowed=allowed_networks()),
    )  # fmt: skip
    # RFC 7617: user and password in UTF-8.
    credentials = b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Depth": "0", "Content-Type": "application/xml", "Authorization": f"Basic {credentials}"}
    answer = session.request("PROPFIND", url, data=_QUESTION, headers=headers)
    if answer.status != 207:
        raise ServiceError("service:garbled", service=NAME, detail=f"{answer.status}", http_status=answer.status)
