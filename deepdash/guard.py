"""The transport for addresses that come from outside: it never lets itself be led into a network it must not enter.

Deployments tell us their own endpoints, so an endpoint is untrusted. The adapter resolves the host itself, refuses
what does not point to the public internet, and connects to exactly the address it checked: a name server that
answers differently the second time (DNS rebinding) gains nothing. Each redirect is a request of its own and is
checked like the first.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from deepdash.http import ServiceError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Iterable[str]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the IPv4 address in the last 32 bits


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, IPv4 first (what deployments nearly always have). Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(item[4][0]) for item in sorted(found, key=lambda item: item[0] != socket.AF_INET)]


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """CIDR texts as networks. Raises ValueError for anything else."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def may_be_called(text: str, allowed: Sequence[Network] = ()) -> bool:
    """True when an address is on the public internet or in one of the allowed networks."""
    try:
        address = _effective(ipaddress.ip_address(text))
    except ValueError:
        return False
    if any(address in network for network in allowed):
        return True
    # What is private, loopback, link-local, documentation, Teredo, ... is not global; these three kinds may still be.
    inside = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or inside)


def _effective(address: Address) -> Address:
    """The address that packets end up at: the IPv4 one inside a mapped, NAT64 or 6to4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.sixtofour:
            return address.sixtofour
    return address


class GuardedAdapter(HTTPAdapter):
    """Connects only to checked addresses.

    ``service`` is the name used in problems, ``allowed`` lists networks that may be reached although private,
    ``resolver`` gives the addresses of a host. A forbidden address raises ServiceError ``service:blocked``.
    """

    def __init__(
        self, service: str, *, allowed: Sequence[Network] = (), resolver: Resolver = resolve, **options: Any
    ) -> None:
        self._service, self._allowed, self._resolver = service, tuple(allowed), resolver
        super().__init__(**options)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        # The connection is made to a number, so the name has to be said in the request.
        request.headers.setdefault("Host", urlsplit(str(request.url)).netloc.rpartition("@")[2])
        return super().send(request, *args, **options)

    def build_connection_pool_key_attributes(  # type: ignore[override]  # the stubs know fewer options than urllib3
        self, request: requests.PreparedRequest, verify: bool | str, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        pair: tuple[Any, Any] = super().build_connection_pool_key_attributes(request, verify, cert)
        place, options = dict(pair[0]), dict(pair[1])
        host, https = place["host"], place["scheme"] == "https"
        place["host"] = self._checked(host, place["port"] or (443 if https else 80))
        if https:  # the certificate is for the name, not for the number
            options["server_hostname"] = options["assert_hostname"] = host
        return place, options

    def _checked(self, host: str, port: int) -> str:
        """The address to connect to. All of a host's addresses must be allowed, lest it has one foot inside."""
        try:
            found = list(self._resolver(host, port))
        except (OSError, UnicodeError) as error:
            raise requests.exceptions.ConnectionError(f"{host} has no address: {error}") from error
        if not found:
            raise requests.exceptions.ConnectionError(f"{host} has no address")
        for address in found:
            if not may_be_called(address, self._allowed):
                raise ServiceError("service:blocked", service=self._service, detail=f"{host} is {address}")
        return found[0]
