"""Scalars with a unit (TOSCA Simple Profile in YAML 1.3, section 3.3.6): 8 GB, 30 s, 2.4 GHz."""

import re
from decimal import Decimal, InvalidOperation

SIZES = {
    "B": 1, "kB": 10**3, "KiB": 2**10, "MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30, "TB": 10**12, "TiB": 2**40,
}  # fmt: skip
TIMES: dict[str, int | Decimal] = {
    "d": 86400,
    "h": 3600,
    "m": 60,
    "s": 1,
    "ms": Decimal("0.001"),
    "us": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
FREQUENCIES = {"Hz": 1, "kHz": 10**3, "MHz": 10**6, "GHz": 10**9}
UNITS: dict[str, dict[str, int | Decimal]] = {
    "scalar-unit.size": {**SIZES},
    "scalar-unit.time": TIMES,
    "scalar-unit.frequency": {**FREQUENCIES},
}
OFFERED = {
    "scalar-unit.size": ("MB", "GB", "TB"),
    "scalar-unit.time": ("s", "m", "h", "d"),
    "scalar-unit.frequency": ("MHz", "GHz"),
}
_SCALAR = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]{1,3})\s*")


def split_scalar(text: object, type: str = "scalar-unit.size") -> tuple[str, str] | None:
    """ "4096 MB" → ("4096", "MB"), the unit in the spelling of the specification; None when it is no such scalar."""
    match = _SCALAR.fullmatch(str(text))
    if not match:
        return None
    units = {unit.casefold(): unit for unit in UNITS[type]}
    unit = units.get(match[2].casefold())
    return (match[1], unit) if unit else None


def amount(text: object, type: str) -> Decimal | None:
    """The scalar in its base unit (bytes, seconds, hertz), None when it is no such scalar."""
    parts = split_scalar(text, type)
    if parts is None:
        return None
    try:
        return Decimal(parts[0]) * UNITS[type][parts[1]]
    except InvalidOperation:
        return None
