"""Names of groups out of what IAM says about a user."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from deepdash.inert import inert

MAX_GROUP = 255  # characters; what is kept of the one worked for


def groups_from_claims(claims: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """The user's groups, as names without leading slash, from the first of the claims that is there and not empty.

    IAM leaves the claim out for a user without groups (contract 9.4), and names it by the client's profile:
    ``groups`` (iam), ``wlcg.groups`` with leading slashes, ``entitlements`` as URNs (aarc), ``roles`` (keycloak). Names
    longer than MAX_GROUP are left out: nobody could work for such a group.
    """
    value: Any = next((claims[name] for name in names if claims.get(name)), [])
    entries = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    found = (_name(entry) for entry in entries if isinstance(entry, str))
    return list(dict.fromkeys(name for name in found if 0 < len(name) <= MAX_GROUP))


def _name(entry: str) -> str:
    if not entry.lower().startswith("urn:"):
        return inert(entry).strip().strip("/")
    # AARC-G069: <namespace>:group:<group>[:<subgroup>...][:role=<role>][#<authority>], percent-encoded parts.
    _, marker, rest = entry.partition("#")[0].partition(":group:")
    parts = [inert(unquote(part)) for part in rest.split(":") if part and not part.startswith("role=")]
    return "/".join(parts) if marker else ""  # other entitlements are not groups
