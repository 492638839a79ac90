"""What a deployment gives back: which outputs are secrets, and which are services one can open."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.tosca.description import is_secret
from deepdash.inert import inert

_KINDS: tuple[tuple[str, str, str, str], ...] = (
    # word in the output's name, label, what the button says, icon
    ("jupyter", "JupyterLab", gettext_noop("Open JupyterLab"), "terminal"),
    ("deepaas", gettext_noop("DEEPaaS API"), gettext_noop("Open API"), "code"),
    ("monitor", "TensorBoard", gettext_noop("Open TensorBoard"), "chart"),
    ("tensorboard", "TensorBoard", gettext_noop("Open TensorBoard"), "chart"),
    ("dashboard", gettext_noop("Dashboard"), gettext_noop("Open dashboard"), "external"),
)
MAX_VALUE_CHARS = 20_000
MAX_DEPTH = 50  # of what is nested; far below where Python gives up


def without_secrets(outputs: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Outputs that may be kept, and the names of those left out. Texts are made inert, and huge ones cut."""
    return _kept(outputs), sorted(_plain(name) for name in secret_values(outputs))


def secret_values(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What ``without_secrets`` leaves out, with its values: to be shown on request, never to be kept.

    A secret inside another output goes by the way to it: the key of a machine is ``node_creds.token``.
    """
    found: dict[str, Any] = {}

    def walk(value: Any, way: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            return
        if isinstance(value, Mapping):
            for name, part in value.items():
                here = f"{way}{name}"
                if is_secret(str(name)):
                    found[here] = part
                else:
                    walk(part, f"{here}.", depth + 1)
        elif isinstance(value, list):
            for number, part in enumerate(value):
                walk(part, f"{way}{number}.", depth + 1)

    walk(outputs, "", 0)
    return found


def secret_file_name(title: str, name: str, value: Any) -> str:
    """What a secret output is called as a file: ``plants-node_creds-token.pem``, as it is a key."""
    text = str(value).lstrip()
    kind = "pem" if text.startswith("-----BEGIN") else "yaml" if text.startswith("apiVersion:") else "txt"
    return f"{slugify(title) or 'deployment'}-{slugify(name.replace('.', '-')) or 'secret'}.{kind}"


def _kept(outputs: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    found = {name: value for name, value in outputs.items() if not is_secret(str(name))}
    return {_plain(str(name)): _storable(value, depth + 1) for name, value in found.items()}


def _plain(text: str) -> str:
    return inert(text[:MAX_VALUE_CHARS])


def _storable(value: Any, depth: int) -> Any:
    """The value as a JSON column takes it; secrets inside mappings are left out too, and what is nested too deep."""
    if depth > MAX_DEPTH and isinstance(value, (dict, list)):
        return "…"
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, dict):
        return _kept(value, depth)
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no word for it
    return value


@dataclass(frozen=True)
class Service:
    """Something a deployment answers on. ``name`` is the output's, ``url`` a checked http(s) address."""

    name: str
    url: str
    label: str
    action: str
    icon: str

    @property
    def plain_http(self) -> bool:
        """True when what is typed there can be read on the way."""
        return self.url.lower().startswith("http://")

    @property
    def is_deepaas(self) -> bool:
        return self.icon == "code"


def services_of(outputs: Mapping[str, Any]) -> list[Service]:
    """The outputs that are web addresses, the known kinds first. Anything but plain http(s) is no service."""
    found: list[tuple[int, Service]] = []
    for name, value in outputs.items():
        url = web_address(value)
        if not url:
            continue
        lowered = name.lower()
        for rank, (word, label, action, icon) in enumerate(_KINDS):
            if word in lowered:
                found.append((rank, Service(name, url, _(label), _(action), icon)))
                break
        else:
            label = name.replace("_", " ").strip() or _("Service")
            found.append((len(_KINDS), Service(name, url, label[:1].upper() + label[1:], _("Open"), "external")))
    return [service for _rank, service in sorted(found, key=lambda item: item[0])]


def web_address(value: Any) -> str:
    """The value if it is a complete http(s) address with a host and no user part, else ""."""
    if not isinstance(value, str) or len(value) > 2000 or " " in value or not value.isprintable():
        return ""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and parts.port != 0
    except ValueError:
        return ""
    return value if usable else ""


def first_of(outputs: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The value of the first of the names that is there, whatever their case."""
    lowered = {name.lower(): value for name, value in outputs.items()}
    return next((lowered[name] for name in names if name in lowered), None)
