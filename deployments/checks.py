"""Configuration checks of this app."""

import ipaddress
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from deepdash.config import config


@register()
def outgoing_networks(**kwargs: Any) -> list[CheckMessage]:
    """OUTBOUND_ALLOWED_NETWORKS holds networks, and not all of them."""
    found: list[CheckMessage] = []
    for text in config.OUTBOUND_ALLOWED_NETWORKS:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            hint = "Write it like 10.1.0.0/16 or fd00:1::/48."
            text = f"OUTBOUND_ALLOWED_NETWORKS: “{text}” is not a network."
            found.append(Error(text, hint=hint, id="deployments.E001"))
            continue
        if network.prefixlen == 0:
            hint = "Name only the networks in which deployments run."
            found.append(Warning("OUTBOUND_ALLOWED_NETWORKS allows every address.", hint=hint, id="deployments.W001"))
    return found


@register()
def deepaas_certificates(**kwargs: Any) -> list[CheckMessage]:
    """DEEPAAS_VERIFY off is a choice; beside a CA bundle it is a contradiction."""
    if config.DEEPAAS_VERIFY or not config.DEEPAAS_CERT:
        return []
    hint = "Leave DEEPAAS_CERT empty, or set DEEPAAS_VERIFY to true."
    return [Warning("DEEPAAS_CERT has no effect while DEEPAAS_VERIFY is off.", hint=hint, id="deployments.W002")]
