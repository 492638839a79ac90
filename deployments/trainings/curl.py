"""A call as a line for a shell, for those who script."""

import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode


def curl_of(
    endpoint: str,
    model: str,
    operation: str,
    *,
    params: Sequence[tuple[str, str]],
    headers: Mapping[str, str] | None = None,
    files: Sequence[tuple[str, str]] = (),
    secrets: Sequence[str] = (),
) -> str:
    """The same call with curl. ``files`` are (argument, file name), ``secrets`` arguments whose value is left open."""
    address = f"{endpoint.rstrip('/')}/v2/models/{quote(model, safe='')}/{operation}/"
    query = urlencode([*params, *((name, f"YOUR_{name.upper()}") for name in secrets)])
    words = ["curl", "-X", "POST", f"{address}?{query}" if query else address]
    for name, value in (headers or {}).items():
        words += ["-H", f"{name}: {value}"]
    for name, filename in files:
        words += ["-F", f"{name}=@{filename}"]
    return " ".join(shlex.quote(word) for word in words)
