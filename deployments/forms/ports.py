"""Ports to open (TOSCA PortSpec), one per line: ``ssh: 22/tcp``, ``web: 8000-8080/tcp``; a list has no names."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_PORT = re.compile(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*(?:/\s*(tcp|udp|icmp|igmp))?", re.IGNORECASE)
MAX_PORTS = 200


def ports_from_lines(text: str, *, named: bool) -> Any:
    """A map (``named``) or list of port specifications. Raises ValidationError naming the line that does not fit."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_PORTS:
        facts = {"limit": MAX_PORTS, "number": len(lines)}
        raise ValidationError(_("At most %(limit)s lines; these are %(number)s.") % facts)
    if not named:
        return [_spec(number, line) for number, line in enumerate(lines, 1)]
    found: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        name, colon, port = line.partition(":")
        if not colon or not name.strip():
            raise ValidationError(_("Line %(number)s: write it as “name: 8080/tcp”.") % {"number": number})
        if name.strip() in found:
            said = _("Line %(number)s: “%(name)s” is there twice.")
            raise ValidationError(said % {"number": number, "name": name.strip()})
        found[name.strip()] = _spec(number, port)
    return found


def lines_from_ports(value: Any) -> str | None:
    """The lines for a map or list of specifications, None when they say more than a line can."""
    if isinstance(value, dict):
        lines = [(f"{name}: ", _line(spec)) for name, spec in value.items()]
    elif isinstance(value, list):
        lines = [("", _line(spec)) for spec in value]
    else:
        return None
    return None if any(line is None for _name, line in lines) else "\n".join(f"{name}{line}" for name, line in lines)


def _spec(number: int, text: str) -> dict[str, Any]:
    match = _PORT.fullmatch(text.strip())
    if not match:
        said = _("Line %(number)s: “%(text)s” is not a port; write 8080/tcp or 8000-8080/tcp.")
        raise ValidationError(said % {"number": number, "text": text.strip()[:40]})
    low, high = int(match[1]), int(match[2] or match[1])
    if not 1 <= low <= high <= 65535:
        said = _("Line %(number)s: ports are from 1 to 65535, the smaller one first.")
        raise ValidationError(said % {"number": number})
    protocol = (match[3] or "tcp").lower()
    return {"protocol": protocol, **({"source_range": [low, high]} if match[2] else {"source": low})}


def _line(spec: Any) -> str | None:
    if not isinstance(spec, dict) or spec.keys() - {"protocol", "source", "source_range"}:
        return None
    protocol, source, span = spec.get("protocol", "tcp"), spec.get("source"), spec.get("source_range")
    if isinstance(source, int) and span is None:
        return f"{source}/{protocol}"
    if isinstance(span, list) and len(span) == 2 and source is None:
        return f"{span[0]}-{span[1]}/{protocol}"
    return None
