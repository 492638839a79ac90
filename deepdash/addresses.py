"""What addresses say: whether a connection is protected, and who is calling."""

import ipaddress
from urllib.parse import urlsplit

from django.http import HttpRequest

from deepdash.config import config


def is_protected(url: str) -> bool:
    """True for https, and for http to this very machine (a sandbox beside us)."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and bool(parts.hostname) and is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """True for the names and numbers of this very machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def client_address(request: HttpRequest) -> str:
    """The address of whoever made this request, as far as it can be believed.

    Each proxy appends the address it was called from to ``X-Forwarded-For``, so with ``TRUSTED_PROXIES`` proxies in
    front it is that many places from the right; all that stands to the left of it anybody may have written.
    """
    direct: str = request.META.get("REMOTE_ADDR") or "unknown"  # empty behind a Unix socket
    if not config.TRUSTED_PROXIES:
        return direct
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if len(chain) < config.TRUSTED_PROXIES:
        return direct
    try:
        return str(ipaddress.ip_address(chain[-config.TRUSTED_PROXIES]))
    except ValueError:
        return direct
