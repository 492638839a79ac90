"""What came with a request, read leniently."""

from __future__ import annotations

from aiohttp import web


async def fields_of(request: web.Request) -> dict[str, str]:
    """Return the fields of a form, files left out."""
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def number(text: str | None, default: int, least: int = 1) -> int:
    """Read a whole number; what is none, or smaller than ``least``, is the default."""
    try:
        value = int(text or "")
    except ValueError:
        return default
    return value if value >= least else default
